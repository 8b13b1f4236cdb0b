use std::time::Duration;

/// The limits that bind one identity on every path (psql, BI tools, ASK, rules).
/// A session may lower them for itself; only a role raises them.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceilings {
    /// Rows that one statement may return to a client.
    pub max_rows: u64,
    /// Rows that an ASK returns unless the session says otherwise.
    pub ask_rows: u64,
    pub statement_timeout: Duration,
    /// Levels of subqueries below the outermost SELECT.
    pub max_nesting: u32,
    /// US dollars, estimated, for one statement.
    pub max_usd_per_query: f64,
    /// US dollars, estimated, for one user and UTC day.
    pub max_usd_per_day: f64,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self {
            max_rows: 10_000,
            ask_rows: 1_000,
            statement_timeout: Duration::from_secs(120),
            max_nesting: 3,
            max_usd_per_query: 5.0,
            max_usd_per_day: 50.0,
        }
    }
}
