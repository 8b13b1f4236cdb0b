//! The one path of every statement: Statement -> (ask) -> guard -> estimate -> render -> Engine -> Rows -> audit.
//! Sessions, prepared statements, cursors and cancellation live here. Knows no vendor, no wire protocol, no HTTP.

mod activity;
mod asking;
mod audit;
mod audit_table;
mod copy;
mod cursor;
mod dispatch;
mod engine;
mod error;
mod gateway;
mod outcome;
mod select;
mod session;
mod settings;
mod statement;
mod stream;
mod transaction;
mod values;
mod words;

pub use activity::{Activity, SessionInfo};
pub use audit_table::AuditTable;
pub use engine::{
    CursorView, Description, Effects, Engine, Estimate, ExecContext, PreparedView, Rendered, SessionView,
    SettingChange, SettingView, UserView,
};
pub use gateway::{Account, Database, Gateway, GatewayParts, Login, SystemTable};
pub use outcome::{CopyFormat, ForceQuote, Notice, Outcome, Prepared, TransactionStatus};
pub use session::{Parsed, Session};
pub use settings::{DateOrder, DateStyle, IntervalStyle, OutputStyle, SERVER_VERSION, TimeZone};
