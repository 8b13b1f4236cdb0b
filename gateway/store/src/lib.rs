//! Metadata: users, roles, failed logins, spend and the audit trail. Knows nothing of users' SQL or of engines.

mod audit;
mod error;
mod scram;
mod sqlite;
mod store;
mod users;

pub use audit::{AUDIT_COLUMNS, AuditEnd, AuditFilter, AuditId, AuditRow, AuditStart, Outcome, audit_table};
pub use error::{Result, StoreError};
pub use scram::{SCRAM_ITERATIONS, ScramVerifier};
pub use sqlite::{SqliteStore, StoreOptions};
pub use store::{LockoutPolicy, Reservation, Store};
pub use users::{NewUser, Role, RoleCeilings, User};
