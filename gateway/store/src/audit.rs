//! One row for every statement: who asked what, from where, and what came of it.

use chrono::{DateTime, Utc};
use mantissa_core::{Catalog, Column, PgType, Table, TableKind, TableName, UserName, Value};

/// Columns of `mantissa.audit`, in order.
pub const AUDIT_COLUMNS: &[(&str, PgType)] = &[
    ("id", PgType::INT8),
    ("started_at", PgType::TIMESTAMPTZ),
    ("ended_at", PgType::TIMESTAMPTZ),
    ("user_name", PgType::TEXT),
    ("client_addr", PgType::TEXT),
    ("application", PgType::TEXT),
    ("database", PgType::TEXT),
    ("session_id", PgType::TEXT),
    ("statement", PgType::TEXT),
    ("question", PgType::TEXT),
    ("outcome", PgType::TEXT),
    ("sqlstate", PgType::TEXT),
    ("tables", PgType::TEXT),
    ("rows", PgType::INT8),
    ("bytes", PgType::INT8),
    ("duration_us", PgType::INT8),
    ("engine", PgType::TEXT),
    ("estimated_bytes", PgType::INT8),
    ("usd", PgType::FLOAT8),
];

/// Longer statements are cut: the queue to the writer is bounded in rows, so each row is bounded in bytes.
const MAX_STATEMENT_BYTES: usize = 64 * 1024;

/// The catalog's entry for `mantissa.audit`.
pub fn audit_table() -> Table {
    Table {
        name: TableName::new("mantissa", "audit"),
        kind: TableKind::Table,
        columns: AUDIT_COLUMNS.iter().map(|(name, ty)| Column::new(*name, *ty)).collect(),
        comment: Some(format!(
            "Every statement on the tables of schema {}, readable by administrators.",
            Catalog::LOGS
        )),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditId(pub i64);

/// What is known when a statement is accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditStart {
    pub at: DateTime<Utc>,
    pub user: UserName,
    pub client_addr: Option<String>,
    pub application: Option<String>,
    pub database: String,
    pub session_id: Option<String>,
    pub statement: String,
    /// The English of an ASK.
    pub question: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Error,
    Canceled,
}

impl Outcome {
    pub const ALL: &[Outcome] = &[Outcome::Ok, Outcome::Error, Outcome::Canceled];

    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
            Outcome::Canceled => "canceled",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.as_str() == name)
    }
}

/// What is known when a statement has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEnd {
    pub at: DateTime<Utc>,
    pub outcome: Outcome,
    /// Set for errors and cancellations.
    pub sqlstate: Option<&'static str>,
    /// Bare names of the tables read.
    pub tables: Vec<String>,
    pub rows: u64,
    /// Bytes that the engine read.
    pub bytes: u64,
    pub duration: std::time::Duration,
    pub engine: Option<String>,
    pub estimated_bytes: Option<u64>,
    pub usd: Option<f64>,
}

/// One statement. `ended_at` and what follows from it are null while it runs, and for ever where the server died.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    pub id: AuditId,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub user: String,
    pub client_addr: Option<String>,
    pub application: Option<String>,
    pub database: String,
    pub session_id: Option<String>,
    pub statement: String,
    pub question: Option<String>,
    pub outcome: Option<Outcome>,
    pub sqlstate: Option<String>,
    /// Comma-separated, as in the column.
    pub tables: Option<String>,
    pub rows: Option<i64>,
    pub bytes: Option<i64>,
    pub duration_us: Option<i64>,
    pub engine: Option<String>,
    pub estimated_bytes: Option<i64>,
    pub usd: Option<f64>,
}

impl AuditRow {
    pub(crate) fn started(id: AuditId, mut start: AuditStart) -> Self {
        cut(&mut start.statement);
        if let Some(question) = &mut start.question {
            cut(question);
        }
        Self {
            id,
            started_at: start.at,
            ended_at: None,
            user: start.user.as_str().to_owned(),
            client_addr: start.client_addr,
            application: start.application,
            database: start.database,
            session_id: start.session_id,
            statement: start.statement,
            question: start.question,
            outcome: None,
            sqlstate: None,
            tables: None,
            rows: None,
            bytes: None,
            duration_us: None,
            engine: None,
            estimated_bytes: None,
            usd: None,
        }
    }

    pub(crate) fn end(&mut self, end: AuditEnd) {
        self.ended_at = Some(end.at);
        self.outcome = Some(end.outcome);
        self.sqlstate = end.sqlstate.map(str::to_owned);
        self.tables = Some(end.tables.join(","));
        self.rows = Some(saturated(end.rows));
        self.bytes = Some(saturated(end.bytes));
        self.duration_us = Some(micros(end.duration));
        self.engine = end.engine;
        self.estimated_bytes = end.estimated_bytes.map(saturated);
        self.usd = end.usd;
    }

    /// The row in the order of [`AUDIT_COLUMNS`].
    pub fn values(&self) -> Vec<Value> {
        let text = |value: &Option<String>| value.clone().map_or(Value::Null, Value::Text);
        let int = |value: Option<i64>| value.map_or(Value::Null, Value::Int);
        vec![
            Value::Int(self.id.0),
            Value::TimestampTz(self.started_at.timestamp_micros()),
            self.ended_at.map_or(Value::Null, |at| Value::TimestampTz(at.timestamp_micros())),
            Value::Text(self.user.clone()),
            text(&self.client_addr),
            text(&self.application),
            Value::Text(self.database.clone()),
            text(&self.session_id),
            Value::Text(self.statement.clone()),
            text(&self.question),
            self.outcome.map_or(Value::Null, |outcome| Value::Text(outcome.as_str().into())),
            text(&self.sqlstate),
            text(&self.tables),
            int(self.rows),
            int(self.bytes),
            int(self.duration_us),
            text(&self.engine),
            int(self.estimated_bytes),
            self.usd.map_or(Value::Null, Value::Float),
        ]
    }
}

pub(crate) fn saturated(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn cut(text: &mut String) {
    let full = text.len();
    if full > MAX_STATEMENT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_STATEMENT_BYTES));
        text.push_str(&format!(" ... [{full} bytes]"));
    }
}

/// Which rows of the audit trail, newest first. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditFilter {
    pub user: Option<UserName>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Rows with a smaller id, for reading on page by page.
    pub before: Option<AuditId>,
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_statements_are_cut_between_characters() {
        let mut text = "é".repeat(MAX_STATEMENT_BYTES);
        cut(&mut text);
        assert!(text.len() < MAX_STATEMENT_BYTES + 40);
        assert!(text.ends_with(" ... [131072 bytes]"), "{}", &text[text.len() - 40..]);
    }
}
