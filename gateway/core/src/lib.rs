//! The vocabulary that every other crate shares: who asks, what tables exist, what rows look like, how a failure is
//! named. Knows nothing of SQL text, HTTP, the wire protocol or any vendor.

mod catalog;
mod ceilings;
mod clock;
mod identity;
mod pg_type;
mod problem;
mod rows;
mod secret;
mod value;

pub use catalog::{Catalog, CatalogSource, Column, Table, TableKind, TableName};
pub use ceilings::Ceilings;
pub use clock::{Clock, FrozenClock, SystemClock};
pub use identity::{Grant, Identity, UserName};
pub use pg_type::PgType;
pub use problem::{ErrorKind, Problem, Result};
pub use rows::{Field, Origin, RowStream, Rows};
pub use secret::Secret;
pub use value::{Interval, Value};
