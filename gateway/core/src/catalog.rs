use std::fmt;
use std::sync::Arc;

use crate::PgType;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    pub schema: String,
    pub name: String,
}

impl TableName {
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub ty: PgType,
    /// Postgres's type modifier (`varchar(40)`, `numeric(12,2)`, `timestamp(3)`), -1 for none.
    pub typmod: i32,
    pub nullable: bool,
    pub comment: Option<String>,
}

impl Column {
    pub fn new(name: impl Into<String>, ty: PgType) -> Self {
        Self { name: name.into(), ty, typmod: -1, nullable: true, comment: None }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum TableKind {
    Table,
    /// With the text of its SELECT, canonical SQL.
    View(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: TableName,
    pub kind: TableKind,
    /// In order; position in this list plus one is the `attnum`.
    pub columns: Vec<Column>,
    pub comment: Option<String>,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Every table that a statement may name, as of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    pub tables: Vec<Arc<Table>>,
}

impl Catalog {
    /// Schema of the log tables; first on the default search path.
    pub const LOGS: &str = "logs";

    pub fn table(&self, name: &TableName) -> Option<&Arc<Table>> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// Finds a table by bare name, schema by schema in the order of `search_path`.
    pub fn resolve(&self, search_path: &[String], name: &str) -> Option<&Arc<Table>> {
        search_path
            .iter()
            .find_map(|schema| self.tables.iter().find(|table| table.name.schema == *schema && table.name.name == name))
    }
}

/// The catalog as it is now. New columns appear between two calls, never within one `Catalog`.
pub trait CatalogSource: Send + Sync {
    fn current(&self) -> Arc<Catalog>;
}

impl CatalogSource for Arc<Catalog> {
    fn current(&self) -> Arc<Catalog> {
        self.clone()
    }
}
