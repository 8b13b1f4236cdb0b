//! The default store: one SQLite file in WAL mode.
//!
//! All writes go through one connection, all reads through a few others, so that a reader never waits for the audit
//! writer. Commits are not synced one by one: killing the process loses nothing that was committed, a power cut may
//! lose the last moments. Audit rows are committed in batches, so a crash loses at most the batch being gathered.

mod audit;
mod logins;
mod migrations;
mod open;
mod roles;
mod spend;
mod users;
mod writer;

use std::sync::atomic::AtomicI64;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use mantissa_core::{Ceilings, Identity, Secret, UserName};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::{
    AuditEnd, AuditFilter, AuditId, AuditRow, AuditStart, LockoutPolicy, NewUser, Reservation, Result, Role,
    ScramVerifier, Store, StoreError, User,
};
use writer::Writer;

/// What a store is told that it does not keep itself.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// What stands where a role sets no ceiling.
    pub default_ceilings: Ceilings,
}

pub struct SqliteStore {
    read: SqlitePool,
    write: SqlitePool,
    options: StoreOptions,
    mock_secret: Vec<u8>,
    next_audit_id: AtomicI64,
    writer: Writer,
}

impl SqliteStore {
    /// Takes the write lock at once: a transaction that began by reading cannot be refused later.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.write.begin_with("BEGIN IMMEDIATE").await.map_err(closed_or)
    }
}

fn closed_or(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolClosed => StoreError::Closed,
        other => StoreError::Database(other),
    }
}

/// Postgres's rule for identifiers, and nothing that would garble a log.
fn check_name(name: &str) -> Result<()> {
    let valid = (1..=63).contains(&name.len()) && !name.chars().any(char::is_control);
    if valid { Ok(()) } else { Err(StoreError::InvalidName(name.escape_default().take(80).collect())) }
}

fn time(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or(StoreError::Corrupt("time"))
}

#[async_trait]
impl Store for SqliteStore {
    async fn identity(&self, user: &UserName) -> Result<Option<Identity>> {
        self.read_identity(user).await
    }

    async fn verifier(&self, user: &UserName) -> Result<Option<ScramVerifier>> {
        self.read_verifier(user).await
    }

    fn mock_verifier(&self, user: &UserName) -> ScramVerifier {
        ScramVerifier::mock(user.as_str(), &self.mock_secret)
    }

    async fn add_user(&self, user: NewUser) -> Result<()> {
        self.insert_user(user).await
    }

    async fn remove_user(&self, user: &UserName) -> Result<()> {
        self.delete_user(user).await
    }

    async fn set_password(&self, user: &UserName, password: &Secret) -> Result<()> {
        self.update_password(user, password).await
    }

    async fn set_disabled(&self, user: &UserName, disabled: bool) -> Result<()> {
        self.update_disabled(user, disabled).await
    }

    async fn set_roles(&self, user: &UserName, roles: &[String]) -> Result<()> {
        self.replace_roles(user, roles).await
    }

    async fn user(&self, user: &UserName) -> Result<Option<User>> {
        self.read_user(user).await
    }

    async fn list_users(&self) -> Result<Vec<User>> {
        self.read_users().await
    }

    async fn add_role(&self, role: &Role) -> Result<()> {
        self.insert_role(role).await
    }

    async fn update_role(&self, role: &Role) -> Result<()> {
        self.replace_role(role).await
    }

    async fn remove_role(&self, name: &str) -> Result<()> {
        self.delete_role(name).await
    }

    async fn list_roles(&self) -> Result<Vec<Role>> {
        self.read_roles().await
    }

    async fn record_failed_login(&self, user: &UserName, at: DateTime<Utc>) -> Result<()> {
        self.insert_failed_login(user, at).await
    }

    async fn clear_failed_logins(&self, user: &UserName) -> Result<()> {
        self.delete_failed_logins(user).await
    }

    async fn locked_until(
        &self,
        user: &UserName,
        now: DateTime<Utc>,
        policy: LockoutPolicy,
    ) -> Result<Option<DateTime<Utc>>> {
        self.read_lock(user, now, policy).await
    }

    async fn spend(&self, user: &UserName, day: NaiveDate) -> Result<f64> {
        spend::total(&self.read, user, day).await
    }

    async fn reserve(&self, user: &UserName, day: NaiveDate, usd: f64, ceiling: f64) -> Result<Reservation> {
        self.insert_reservation(user, day, usd, ceiling).await
    }

    async fn settle(&self, reservation: Reservation, usd: f64) -> Result<()> {
        self.settle_reservation(reservation, usd).await
    }

    async fn audit_begin(&self, start: AuditStart) -> Result<AuditId> {
        self.queue_begin(start).await
    }

    async fn audit_end(&self, id: AuditId, end: AuditEnd) -> Result<()> {
        self.writer.send(writer::Entry::End(id, Box::new(end))).await
    }

    async fn audit_rows(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
        self.writer.flush().await?;
        self.read_audit(filter).await
    }

    async fn prune_audit(&self, before: DateTime<Utc>) -> Result<u64> {
        self.writer.flush().await?;
        self.delete_audit(before).await
    }

    async fn flush(&self) -> Result<()> {
        self.writer.flush().await
    }

    async fn close(&self) -> Result<()> {
        let drained = self.writer.close().await;
        self.read.close().await;
        self.write.close().await;
        drained
    }
}
