//! The relations of `pg_catalog` and `information_schema`: PostgreSQL's own rows, rows for a database's objects, rows of
//! the session, and views over them.

mod access;
mod build;
mod database;
mod functions;
mod keys;
mod objects;
mod oids;
mod session;
mod session_view;
mod tables;
mod views;

use mantissa_core::{ErrorKind, Origin, Problem, TableName};

pub use database::{DatabaseRelations, SessionRelations};
pub use objects::{
    CheckObject, ColumnObject, ForeignKeyObject, FunctionObject, IndexObject, KeyObject, Objects, RelationKind,
    RelationObject, SchemaObject, Statistics,
};
pub use session::{BackendFacts, CursorFacts, PreparedFacts, SessionSource, SettingFacts, UserFacts};

use crate::data::DataError;

/// The place of a lake table's column in the catalog. `column` counts from 0.
pub fn origin(table: &TableName, column: usize) -> Origin {
    let attnum = i16::try_from(column + 1).unwrap_or(0);
    Origin { table_oid: oids::table_oid(&table.schema, &table.name), attnum }
}

impl From<DataError> for Problem {
    fn from(error: DataError) -> Self {
        Problem::new(ErrorKind::Internal, error.to_string()).caused_by(error)
    }
}
