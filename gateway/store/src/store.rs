use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use mantissa_core::{Identity, Secret, UserName};

use crate::{AuditEnd, AuditFilter, AuditId, AuditRow, AuditStart, NewUser, Result, Role, ScramVerifier, User};

/// How many failed passwords within which time lock a user out, and the lock ends when that time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockoutPolicy {
    pub max_failures: u32,
    pub window: Duration,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        Self { max_failures: 10, window: Duration::from_secs(300) }
    }
}

/// Money set aside for a statement that runs. One that is never settled (the server died) counts as spent.
#[derive(Debug, PartialEq)]
#[must_use = "a reservation that is not settled counts as spent"]
pub struct Reservation {
    pub(crate) id: Option<i64>,
    pub(crate) user: UserName,
    pub(crate) day: NaiveDate,
    pub(crate) usd: f64,
}

impl Reservation {
    pub fn usd(&self) -> f64 {
        self.usd
    }
}

/// Where metadata lives. All methods are safe to call at once from many tasks.
#[async_trait]
pub trait Store: Send + Sync {
    /// The union of what the user's roles allow; `None` for a user that is unknown or disabled.
    async fn identity(&self, user: &UserName) -> Result<Option<Identity>>;
    /// `None` for a user that is unknown, disabled or has no password.
    async fn verifier(&self, user: &UserName) -> Result<Option<ScramVerifier>>;
    /// A verifier for names without one, so that a login tells nobody which users exist.
    fn mock_verifier(&self, user: &UserName) -> ScramVerifier;

    async fn add_user(&self, user: NewUser) -> Result<()>;
    async fn remove_user(&self, user: &UserName) -> Result<()>;
    /// The password, or a verifier in Postgres's text form.
    async fn set_password(&self, user: &UserName, password: &Secret) -> Result<()>;
    async fn set_disabled(&self, user: &UserName, disabled: bool) -> Result<()>;
    async fn set_roles(&self, user: &UserName, roles: &[String]) -> Result<()>;
    async fn user(&self, user: &UserName) -> Result<Option<User>>;
    async fn list_users(&self) -> Result<Vec<User>>;

    async fn add_role(&self, role: &Role) -> Result<()>;
    async fn update_role(&self, role: &Role) -> Result<()>;
    async fn remove_role(&self, name: &str) -> Result<()>;
    async fn list_roles(&self) -> Result<Vec<Role>>;

    async fn record_failed_login(&self, user: &UserName, at: DateTime<Utc>) -> Result<()>;
    async fn clear_failed_logins(&self, user: &UserName) -> Result<()>;
    /// When the lock ends, for a user that is locked out at `now`.
    async fn locked_until(
        &self,
        user: &UserName,
        now: DateTime<Utc>,
        policy: LockoutPolicy,
    ) -> Result<Option<DateTime<Utc>>>;

    /// US dollars spent or reserved on a UTC day.
    async fn spend(&self, user: &UserName, day: NaiveDate) -> Result<f64>;
    /// Sets `usd` aside where the day's total stays within `ceiling`, else fails. Free statements cost no round trip.
    async fn reserve(&self, user: &UserName, day: NaiveDate, usd: f64, ceiling: f64) -> Result<Reservation>;
    /// Turns a reservation into what the statement really cost.
    async fn settle(&self, reservation: Reservation, usd: f64) -> Result<()>;

    /// Queues the row of a statement that was accepted. Waits where the writer cannot follow.
    async fn audit_begin(&self, start: AuditStart) -> Result<AuditId>;
    async fn audit_end(&self, id: AuditId, end: AuditEnd) -> Result<()>;
    /// Newest first, with everything queued before the call.
    async fn audit_rows(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>>;
    /// Removes rows that started before, and says how many.
    async fn prune_audit(&self, before: DateTime<Utc>) -> Result<u64>;

    /// Waits until everything queued so far is written.
    async fn flush(&self) -> Result<()>;
    /// Writes what is queued and closes. Later calls fail.
    async fn close(&self) -> Result<()>;
}
