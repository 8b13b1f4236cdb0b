//! The one task that writes audit rows: it gathers what arrives within a moment and commits it at once.
//!
//! Nothing is dropped while the process lives. Where the disk refuses, the task tries again, the queue fills, and
//! statements are refused rather than run unseen.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Sqlite, SqlitePool, Transaction};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::{AuditEnd, AuditId, AuditRow, Result, StoreError};

const QUEUE: usize = 16 * 1024;
/// How long the first row of a batch waits for others.
const GATHER: Duration = Duration::from_millis(50);
const BATCH: usize = 4096;
const RETRY: Duration = Duration::from_millis(250);
/// How long a statement waits for room in the queue, and a flush for the disk.
const PATIENCE: Duration = Duration::from_secs(10);
const ATTEMPTS_AT_CLOSE: u32 = 20;
const ROWS_PER_INSERT: usize = 64;
const COLUMNS: usize = 19;

pub(super) enum Entry {
    Begin(Box<AuditRow>),
    End(AuditId, Box<AuditEnd>),
    Flush(oneshot::Sender<bool>),
    Close(oneshot::Sender<bool>),
}

pub(super) struct Writer {
    queue: mpsc::Sender<Entry>,
    /// Cuts the gathering short: the queue is full, or somebody waits.
    hurry: Arc<Notify>,
}

impl Writer {
    pub(super) fn start(pool: SqlitePool) -> Self {
        let (queue, entries) = mpsc::channel(QUEUE);
        let hurry = Arc::new(Notify::new());
        tokio::spawn(
            Task { pool, entries, hurry: hurry.clone(), insert_full: insert_sql(ROWS_PER_INSERT).into() }.run(),
        );
        Self { queue, hurry }
    }

    pub(super) async fn send(&self, entry: Entry) -> Result<()> {
        match self.queue.try_send(entry) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(StoreError::Closed),
            Err(TrySendError::Full(entry)) => {
                self.hurry.notify_one();
                match timeout(PATIENCE, self.queue.send(entry)).await {
                    Ok(sent) => sent.map_err(|_| StoreError::Closed),
                    Err(_) => Err(StoreError::AuditUnavailable),
                }
            }
        }
    }

    pub(super) async fn flush(&self) -> Result<()> {
        let (done, written) = oneshot::channel();
        self.send(Entry::Flush(done)).await?;
        self.hurry.notify_one();
        match timeout(PATIENCE, written).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Err(_)) => Err(StoreError::Closed),
            Ok(Ok(false)) | Err(_) => Err(StoreError::AuditUnavailable),
        }
    }

    /// Writes what is queued and ends the task. Closing twice is closing once.
    pub(super) async fn close(&self) -> Result<()> {
        let (done, written) = oneshot::channel();
        match self.send(Entry::Close(done)).await {
            Err(StoreError::Closed) => return Ok(()),
            other => other?,
        }
        self.hurry.notify_one();
        if written.await.unwrap_or(true) { Ok(()) } else { Err(StoreError::AuditUnavailable) }
    }
}

struct Task {
    pool: SqlitePool,
    entries: mpsc::Receiver<Entry>,
    hurry: Arc<Notify>,
    insert_full: Arc<str>,
}

/// Statements that began and ended within the batch are one insert; those that began before it are an update.
#[derive(Default)]
struct Batch {
    rows: Vec<AuditRow>,
    position: HashMap<AuditId, usize>,
    ends: Vec<(AuditId, AuditEnd)>,
    flushes: Vec<oneshot::Sender<bool>>,
    closes: Vec<oneshot::Sender<bool>>,
}

impl Batch {
    fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Begin(row) => {
                self.position.insert(row.id, self.rows.len());
                self.rows.push(*row);
            }
            Entry::End(id, end) => match self.position.get(&id) {
                Some(position) => self.rows[*position].end(*end),
                None => self.ends.push((id, *end)),
            },
            Entry::Flush(done) => self.flushes.push(done),
            Entry::Close(done) => self.closes.push(done),
        }
    }
}

impl Task {
    async fn run(mut self) {
        let mut entries = Vec::with_capacity(BATCH);
        // The channel is closed, and this ends, when the store is closed or dropped.
        while self.entries.recv_many(&mut entries, BATCH).await > 0 {
            if entries.len() < BATCH && !entries.iter().any(|entry| matches!(entry, Entry::Flush(_) | Entry::Close(_)))
            {
                self.gather(&mut entries).await;
            }
            let mut batch = Batch::default();
            entries.drain(..).for_each(|entry| batch.add(entry));
            if !batch.closes.is_empty() {
                self.entries.close();
                while let Some(entry) = self.entries.recv().await {
                    batch.add(entry);
                }
            }
            self.commit(batch).await;
        }
    }

    async fn gather(&mut self, entries: &mut Vec<Entry>) {
        tokio::select! {
            () = sleep(GATHER) => {}
            () = self.hurry.notified() => {}
        }
        while entries.len() < BATCH {
            let Ok(entry) = self.entries.try_recv() else { break };
            entries.push(entry);
        }
    }

    /// Tries until the batch is on disk. Only while closing does it give up.
    async fn commit(&self, batch: Batch) {
        let mut attempts = 0;
        let written = loop {
            let Err(error) = self.write(&batch).await else { break Ok(()) };
            attempts += 1;
            if attempts == 1 {
                tracing::error!(%error, rows = batch.rows.len(), "audit rows cannot be written, trying again");
            }
            if matches!(error, StoreError::Closed) || (!batch.closes.is_empty() && attempts >= ATTEMPTS_AT_CLOSE) {
                tracing::error!(rows = batch.rows.len(), "audit rows are lost");
                break Err(error);
            }
            sleep(RETRY).await;
        };
        // Whoever stopped waiting is not told.
        for done in batch.flushes {
            let _ = done.send(written.is_ok());
        }
        for done in batch.closes {
            let _ = done.send(written.is_ok());
        }
    }

    async fn write(&self, batch: &Batch) -> Result<()> {
        if batch.rows.is_empty() && batch.ends.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(super::closed_or)?;
        for rows in batch.rows.chunks(ROWS_PER_INSERT) {
            let sql =
                if rows.len() == ROWS_PER_INSERT { self.insert_full.clone() } else { insert_sql(rows.len()).into() };
            insert(&mut transaction, sql, rows).await?;
        }
        for (id, end) in &batch.ends {
            update(&mut transaction, *id, end).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

fn insert_sql(rows: usize) -> String {
    let row = format!("({})", vec!["?"; COLUMNS].join(","));
    format!("INSERT INTO audit VALUES {}", vec![row; rows].join(","))
}

async fn insert(transaction: &mut Transaction<'static, Sqlite>, sql: Arc<str>, rows: &[AuditRow]) -> Result<()> {
    let persistent = rows.len() == ROWS_PER_INSERT;
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(persistent);
    for row in rows {
        query = query
            .bind(row.id.0)
            .bind(row.started_at.timestamp_micros())
            .bind(row.ended_at.map(|at| at.timestamp_micros()))
            .bind(&row.user)
            .bind(&row.client_addr)
            .bind(&row.application)
            .bind(&row.database)
            .bind(&row.session_id)
            .bind(&row.statement)
            .bind(&row.question)
            .bind(row.outcome.map(|outcome| outcome.as_str()))
            .bind(&row.sqlstate)
            .bind(&row.tables)
            .bind(row.rows)
            .bind(row.bytes)
            .bind(row.duration_us)
            .bind(&row.engine)
            .bind(row.estimated_bytes)
            .bind(row.usd);
    }
    query.execute(&mut **transaction).await?;
    Ok(())
}

async fn update(transaction: &mut Transaction<'static, Sqlite>, id: AuditId, end: &AuditEnd) -> Result<()> {
    use crate::audit::{micros, saturated};
    sqlx::query(
        "UPDATE audit SET ended_at = ?, outcome = ?, sqlstate = ?, tables = ?, rows = ?, bytes = ?, duration_us = ?,
                          engine = ?, estimated_bytes = ?, usd = ? WHERE id = ?",
    )
    .bind(end.at.timestamp_micros())
    .bind(end.outcome.as_str())
    .bind(end.sqlstate)
    .bind(end.tables.join(","))
    .bind(saturated(end.rows))
    .bind(saturated(end.bytes))
    .bind(micros(end.duration))
    .bind(&end.engine)
    .bind(end.estimated_bytes.map(saturated))
    .bind(end.usd)
    .bind(id.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
