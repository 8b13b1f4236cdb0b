use chrono::{DateTime, TimeDelta, Utc};
use mantissa_core::UserName;
use sqlx::Row;

use super::{SqliteStore, closed_or, time};
use crate::{LockoutPolicy, Result};

/// Names come from outside, so what is kept of them is bounded in length and in time.
const KEPT: TimeDelta = TimeDelta::days(1);
const MAX_NAME_CHARS: usize = 63;

impl SqliteStore {
    pub(super) async fn insert_failed_login(&self, user: &UserName, at: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM failed_logins WHERE at < ?")
            .bind((at - KEPT).timestamp_micros())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO failed_logins VALUES (?, ?)")
            .bind(key(user))
            .bind(at.timestamp_micros())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn delete_failed_logins(&self, user: &UserName) -> Result<()> {
        sqlx::query("DELETE FROM failed_logins WHERE user_name = ?")
            .bind(key(user))
            .execute(&self.write)
            .await
            .map_err(closed_or)?;
        Ok(())
    }

    /// The lock ends when the failure that is `max_failures` back leaves the window.
    pub(super) async fn read_lock(
        &self,
        user: &UserName,
        now: DateTime<Utc>,
        policy: LockoutPolicy,
    ) -> Result<Option<DateTime<Utc>>> {
        let window = TimeDelta::from_std(policy.window).unwrap_or(KEPT).min(KEPT);
        let row = sqlx::query(
            "SELECT at FROM failed_logins WHERE user_name = ? AND at > ? AND at <= ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        )
        .bind(key(user))
        .bind((now - window).timestamp_micros())
        .bind(now.timestamp_micros())
        .bind(i64::from(policy.max_failures.saturating_sub(1)))
        .fetch_optional(&self.read)
        .await
        .map_err(closed_or)?;
        row.map(|row| Ok(time(row.try_get(0)?)? + window)).transpose()
    }
}

fn key(user: &UserName) -> String {
    user.as_str().chars().take(MAX_NAME_CHARS).collect()
}
