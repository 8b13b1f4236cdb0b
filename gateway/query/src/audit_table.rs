//! `mantissa.audit`: the audit trail as a relation.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mantissa_core::{ErrorKind, Problem, Table};
use mantissa_store::{AUDIT_COLUMNS, AuditFilter, AuditRow, Store, audit_table};

use crate::engine::ExecContext;
use crate::gateway::SystemTable;

pub struct AuditTable {
    table: Table,
    store: Arc<dyn Store>,
}

impl AuditTable {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { table: audit_table(), store }
    }
}

#[async_trait]
impl SystemTable for AuditTable {
    fn table(&self) -> &Table {
        &self.table
    }

    async fn rows(&self, _context: &ExecContext) -> Result<RecordBatch, Problem> {
        batch(&self.store.audit_rows(&AuditFilter::default()).await?)
    }
}

fn batch(rows: &[AuditRow]) -> Result<RecordBatch, Problem> {
    let columns: Vec<ArrayRef> = AUDIT_COLUMNS.iter().map(|(name, _)| column(rows, name)).collect();
    let fields: Vec<Field> = AUDIT_COLUMNS
        .iter()
        .zip(&columns)
        .map(|((name, _), column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| Problem::new(ErrorKind::Internal, "the audit trail cannot be read").caused_by(error))
}

fn column(rows: &[AuditRow], name: &str) -> ArrayRef {
    let text = |value: fn(&AuditRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(value).collect::<StringArray>())
    };
    let integer =
        |value: fn(&AuditRow) -> Option<i64>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<Int64Array>()) };
    let instant = |value: fn(&AuditRow) -> Option<DateTime<Utc>>| -> ArrayRef {
        let micros = rows.iter().map(|row| value(row).map(|instant| instant.timestamp_micros()));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    match name {
        "id" => integer(|row| Some(row.id.0)),
        "started_at" => instant(|row| Some(row.started_at)),
        "ended_at" => instant(|row| row.ended_at),
        "user_name" => text(|row| Some(&row.user)),
        "client_addr" => text(|row| row.client_addr.as_deref()),
        "application" => text(|row| row.application.as_deref()),
        "database" => text(|row| Some(&row.database)),
        "session_id" => text(|row| row.session_id.as_deref()),
        "statement" => text(|row| Some(&row.statement)),
        "question" => text(|row| row.question.as_deref()),
        "outcome" => text(|row| row.outcome.map(|outcome| outcome.as_str())),
        "sqlstate" => text(|row| row.sqlstate.as_deref()),
        "tables" => text(|row| row.tables.as_deref()),
        "rows" => integer(|row| row.rows),
        "bytes" => integer(|row| row.bytes),
        "duration_us" => integer(|row| row.duration_us),
        "engine" => text(|row| row.engine.as_deref()),
        "estimated_bytes" => integer(|row| row.estimated_bytes),
        _ => Arc::new(rows.iter().map(|row| row.usd).collect::<Float64Array>()),
    }
}
