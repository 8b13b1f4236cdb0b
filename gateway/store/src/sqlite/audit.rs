use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::writer::Entry;
use super::{SqliteStore, closed_or, time};
use crate::{AuditFilter, AuditId, AuditRow, AuditStart, Outcome, Result};

impl SqliteStore {
    pub(super) async fn queue_begin(&self, start: AuditStart) -> Result<AuditId> {
        let id = AuditId(self.next_audit_id.fetch_add(1, Ordering::Relaxed));
        self.writer.send(Entry::Begin(Box::new(AuditRow::started(id, start)))).await?;
        Ok(id)
    }

    pub(super) async fn read_audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM audit WHERE true");
        if let Some(user) = &filter.user {
            query.push(" AND user_name = ").push_bind(user.as_str());
        }
        if let Some(since) = filter.since {
            query.push(" AND started_at >= ").push_bind(since.timestamp_micros());
        }
        if let Some(until) = filter.until {
            query.push(" AND started_at < ").push_bind(until.timestamp_micros());
        }
        if let Some(before) = filter.before {
            query.push(" AND id < ").push_bind(before.0);
        }
        query.push(" ORDER BY id DESC");
        if let Some(limit) = filter.limit {
            query.push(" LIMIT ").push_bind(limit);
        }
        let rows = query.build().fetch_all(&self.read).await.map_err(closed_or)?;
        rows.iter().map(audit_row_of).collect()
    }

    pub(super) async fn delete_audit(&self, before: DateTime<Utc>) -> Result<u64> {
        let deleted = sqlx::query("DELETE FROM audit WHERE started_at < ?")
            .bind(before.timestamp_micros())
            .execute(&self.write)
            .await
            .map_err(closed_or)?;
        Ok(deleted.rows_affected())
    }
}

fn audit_row_of(row: &SqliteRow) -> Result<AuditRow> {
    let ended_at: Option<i64> = row.try_get("ended_at")?;
    let outcome: Option<&str> = row.try_get("outcome")?;
    Ok(AuditRow {
        id: AuditId(row.try_get("id")?),
        started_at: time(row.try_get("started_at")?)?,
        ended_at: ended_at.map(time).transpose()?,
        user: row.try_get("user_name")?,
        client_addr: row.try_get("client_addr")?,
        application: row.try_get("application")?,
        database: row.try_get("database")?,
        session_id: row.try_get("session_id")?,
        statement: row.try_get("statement")?,
        question: row.try_get("question")?,
        outcome: outcome.and_then(Outcome::from_name),
        sqlstate: row.try_get("sqlstate")?,
        tables: row.try_get("tables")?,
        rows: row.try_get("rows")?,
        bytes: row.try_get("bytes")?,
        duration_us: row.try_get("duration_us")?,
        engine: row.try_get("engine")?,
        estimated_bytes: row.try_get("estimated_bytes")?,
        usd: row.try_get("usd")?,
    })
}
