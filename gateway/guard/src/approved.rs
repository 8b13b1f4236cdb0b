use std::time::Duration;

use dialects::ast::Query;
use mantissa_core::{TableName, UserName};

/// A reading query that its user may run. Every table in it is qualified with its schema, and its outermost LIMIT is at
/// most one above [`Approved::max_rows`], so that who reads the rows notices that the limit was reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved {
    pub(crate) query: Query,
    pub(crate) tables: Vec<TableName>,
    pub(crate) user: UserName,
    pub(crate) max_rows: u64,
    pub(crate) timeout: Duration,
    pub(crate) max_usd: f64,
}

impl Approved {
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Each table once, in the order of the text.
    pub fn tables(&self) -> &[TableName] {
        &self.tables
    }

    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// Rows that may reach the client. The query itself asks for one more.
    pub fn max_rows(&self) -> u64 {
        self.max_rows
    }

    /// How long the statement may run.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What the statement may cost, by estimate, in US dollars.
    pub fn max_usd(&self) -> f64 {
        self.max_usd
    }

    /// Whether it reads only the system's own tables (or none), not the lake.
    pub fn is_catalog_only(&self) -> bool {
        self.tables.iter().all(|table| crate::tables::is_system_schema(&table.schema))
    }
}
