//! The audit row of one statement, from acceptance to the end of its rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use mantissa_core::{Clock, ErrorKind, Problem, TableName};
use mantissa_store::{AuditEnd, AuditId, AuditStart, Outcome, Store};

use crate::engine::Estimate;

/// An open audit row. It is closed by exactly one of `succeeded`, `failed` and `abandoned`; dropping it unclosed closes
/// it as cancelled.
pub(crate) struct Record {
    open: Option<Open>,
    rows: u64,
    bytes: u64,
    tables: Vec<String>,
    engine: Option<&'static str>,
    estimate: Estimate,
}

struct Open {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    id: AuditId,
    started: Instant,
}

impl Record {
    /// Opens the row. A store that cannot take it stops the statement: nothing runs unaudited.
    pub async fn begin(store: &Arc<dyn Store>, clock: &Arc<dyn Clock>, start: AuditStart) -> Result<Self, Problem> {
        let id = store.audit_begin(start).await?;
        let open = Open { store: Arc::clone(store), clock: Arc::clone(clock), id, started: Instant::now() };
        Ok(Self {
            open: Some(open),
            rows: 0,
            bytes: 0,
            tables: Vec::new(),
            engine: None,
            estimate: Estimate::default(),
        })
    }

    pub fn reads(&mut self, tables: &[TableName], engine: &'static str) {
        self.tables = tables.iter().map(|table| table.name.clone()).collect();
        self.engine = Some(engine);
    }

    pub fn estimated(&mut self, estimate: Estimate) {
        self.estimate = estimate;
    }

    pub fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        self.bytes += batch.get_array_memory_size() as u64;
    }

    pub fn succeeded(mut self) {
        self.close(Outcome::Ok, None);
    }

    pub fn failed(mut self, problem: &Problem) {
        let outcome = match problem.kind {
            ErrorKind::QueryCanceled | ErrorKind::AdminShutdown => Outcome::Canceled,
            _ => Outcome::Error,
        };
        self.close(outcome, Some(problem.kind.sqlstate()));
    }

    /// The client stopped reading before the end (LIMIT reached in a portal, a closed cursor, a lost connection).
    pub fn abandoned(mut self) {
        self.close(Outcome::Canceled, None);
    }

    fn close(&mut self, outcome: Outcome, sqlstate: Option<&'static str>) {
        let Some(open) = self.open.take() else { return };
        let end = AuditEnd {
            at: open.clock.now(),
            outcome,
            sqlstate,
            tables: std::mem::take(&mut self.tables),
            rows: self.rows,
            bytes: self.bytes,
            duration: open.started.elapsed().max(Duration::from_micros(1)),
            engine: self.engine.map(str::to_owned),
            estimated_bytes: self.estimate.bytes,
            usd: self.estimate.usd,
        };
        // A stream ends inside a poll or a drop, where nothing can be awaited.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = open.store.audit_end(open.id, end).await {
                    tracing::error!(%error, "the end of a statement could not be audited");
                }
            });
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.close(Outcome::Canceled, None);
    }
}
