//! What the query path asks of an engine.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dialects::ast;
use mantissa_core::{Ceilings, ErrorKind, Field, Identity, PgType, Problem, Rows};
use mantissa_guard::Approved;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::activity::{Activity, SessionInfo};
use crate::settings::Settings;

/// A statement in an engine's own dialect. Made only by this crate, from an [`Approved`]: an engine never sees SQL that
/// the guard has not.
pub struct Rendered {
    tree: ast::Query,
    sql: String,
    kept: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
}

impl Rendered {
    /// Renders `approved` for `dialect`.
    ///
    /// # Errors
    /// What the dialect cannot express, with position and hint.
    pub(crate) fn new(approved: &Approved, dialect: &dyn dialects::Dialect) -> Result<Self, Problem> {
        let rendering = dialect.render(approved.query()).map_err(mantissa_guard::problem)?;
        Ok(Self { tree: rendering.tree, sql: rendering.sql, kept: Mutex::default() })
    }

    /// Keeps an engine's own work on this statement, such as its plan, for its next call with the same statement.
    pub fn keep(&self, work: Arc<dyn Any + Send + Sync>) {
        *self.kept.lock() = Some(work);
    }

    /// What the engine kept, where it is of type `T`.
    pub fn kept<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.kept.lock().clone()?.downcast().ok()
    }

    /// The engine's own syntax tree.
    pub fn tree(&self) -> &ast::Query {
        &self.tree
    }

    /// The same statement as text, for engines that take text.
    pub fn sql(&self) -> &str {
        &self.sql
    }
}

/// What surrounds one statement while it runs.
#[derive(Clone)]
pub struct ExecContext {
    pub identity: Arc<Identity>,
    /// The one instant that now() means in this statement.
    pub now: DateTime<Utc>,
    /// Fired by CancelRequest, statement_timeout, pg_cancel_backend, a lost client or shutdown. An engine stops within
    /// a second of it.
    pub cancel: CancellationToken,
    pub session: Arc<SessionView>,
}

/// The session as SQL functions see it: `current_setting`, `pg_backend_pid`, `current_schemas`, `pg_stat_activity`.
#[derive(Clone)]
pub struct SessionView {
    pub pid: i32,
    pub database: String,
    pub user: String,
    /// Effective schemas in order, without the implicit `pg_catalog`.
    pub search_path: Vec<String>,
    /// The session's settings as they are now; [`SessionView::settings`] lists them.
    pub(crate) current_settings: Arc<Settings>,
    pub client_addr: Option<std::net::IpAddr>,
    pub client_port: Option<u16>,
    pub backend_start: DateTime<Utc>,
    pub transaction_start: Option<DateTime<Utc>>,
    /// Every open session; [`SessionView::sessions`] reads it.
    pub activity: Arc<Activity>,
    pub admin: bool,
    /// What functions of this statement ask the session to do afterwards (`set_config`).
    pub effects: Arc<Effects>,
    pub prepared: Arc<Vec<PreparedView>>,
    pub cursors: Arc<Vec<CursorView>>,
    /// Databases that a client may connect to.
    pub databases: Arc<Vec<String>>,
    pub users: Arc<Vec<UserView>>,
}

impl SessionView {
    /// Open sessions, this one included. A user who is no administrator sees other users' sessions without their
    /// statements and addresses, as in Postgres.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let mut sessions = self.activity.snapshot();
        for session in sessions.iter_mut().filter(|session| !self.admin && session.user != self.user) {
            session.query = "<insufficient privilege>".to_owned();
            session.client_addr = None;
            session.client_port = None;
        }
        sessions
    }

    /// Cancels (or, with `terminate`, ends) session `pid`. False where there is none.
    ///
    /// # Errors
    /// `InsufficientPrivilege` for another user's session, unless the caller is an administrator.
    pub fn signal(&self, pid: i32, terminate: bool) -> Result<bool, Problem> {
        match self.activity.user_of(pid) {
            None => Ok(false),
            Some(owner) if owner != self.user && !self.admin => Err(Problem::new(
                ErrorKind::InsufficientPrivilege,
                if terminate { "permission denied to terminate process" } else { "permission denied to cancel query" },
            )
            .detail("Only the owner of a session or an administrator may do this.")),
            Some(_) if terminate => Ok(self.activity.terminate(pid)),
            Some(_) => Ok(self.activity.cancel_statement(pid)),
        }
    }

    /// Every setting, sorted by name. Made anew at each call: a session holds only what differs from the defaults.
    pub fn settings(&self) -> Vec<SettingView> {
        self.with_settings(Settings::views)
    }

    /// One setting, by any spelling of its name.
    pub fn setting(&self, name: &str) -> Option<SettingView> {
        self.with_settings(|settings| settings.find(name))
    }

    /// A setting as SHOW prints it.
    pub fn shown(&self, name: &str) -> Option<String> {
        self.with_settings(|settings| settings.show(name)).ok().map(|(_, value)| value)
    }

    /// `set_config`: checks the change and notes it for the session; this statement sees it from now on. Gives the new
    /// value as SHOW prints it.
    ///
    /// # Errors
    /// What SET would fail with.
    pub fn set_config(&self, change: SettingChange, ceilings: &Ceilings) -> Result<String, Problem> {
        let SettingChange { name, value, .. } = &change;
        if Settings::is_role(name) {
            let role = value.as_deref().unwrap_or("none");
            Settings::check_role(role, &self.user)?;
            return Ok(role.to_owned());
        }
        let mut noted = self.effects.noted.lock();
        let mut settings = match &noted.settings {
            Some(settings) => settings.clone(),
            None => (*self.current_settings).clone(),
        };
        match value {
            Some(value) => settings.set(name, value, false, false, ceilings)?,
            None => settings.reset(name, false)?,
        }
        let (_, shown) = settings.show(name)?;
        noted.settings = Some(settings);
        noted.changes.push(change);
        Ok(shown)
    }

    /// The settings with what this statement changed.
    fn with_settings<T>(&self, read: impl FnOnce(&Settings) -> T) -> T {
        let noted = self.effects.noted.lock();
        read(noted.settings.as_ref().unwrap_or(&self.current_settings))
    }
}

/// Changes to the session that a running statement asked for; the session applies them when the statement ends.
#[derive(Default)]
pub struct Effects {
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    changes: Vec<SettingChange>,
    /// The session's settings with the changes.
    settings: Option<Settings>,
}

/// `set_config(name, value, local)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingChange {
    pub name: String,
    /// `None`: back to the default.
    pub value: Option<String>,
    /// Until the end of the transaction only.
    pub local: bool,
}

impl Effects {
    pub(crate) fn take(&self) -> Vec<SettingChange> {
        std::mem::take(&mut *self.noted.lock()).changes
    }
}

#[derive(Debug, Clone)]
pub struct SettingView {
    pub name: String,
    /// As SHOW prints it, with its unit: `4MB`.
    pub value: String,
    /// In base units, as `pg_settings.setting`: `4096`.
    pub setting: String,
    /// In base units, as `pg_settings.boot_val`.
    pub default: String,
    pub enum_values: Option<&'static str>,
    pub min: Option<&'static str>,
    pub max: Option<&'static str>,
    pub category: &'static str,
    /// `bool`, `integer`, `real`, `string` or `enum`, as `pg_settings.vartype`.
    pub vartype: &'static str,
    pub unit: Option<&'static str>,
    /// `user`, `superuser`, `internal`, ... as `pg_settings.context`.
    pub context: &'static str,
}

#[derive(Debug, Clone)]
pub struct PreparedView {
    pub name: String,
    pub statement: String,
    pub prepared_at: DateTime<Utc>,
    pub parameter_types: Vec<PgType>,
    pub from_sql: bool,
}

#[derive(Debug, Clone)]
pub struct CursorView {
    pub name: String,
    pub statement: String,
    pub holdable: bool,
    pub binary: bool,
    pub scrollable: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub struct UserView {
    pub name: String,
    pub superuser: bool,
}

/// The shape of a statement, found without running it.
#[derive(Debug, Clone)]
pub struct Description {
    pub fields: Arc<[Field]>,
    /// One type a `$n`, in order. What cannot be inferred is `text`.
    pub parameters: Vec<PgType>,
}

/// What a statement would cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    pub bytes: Option<u64>,
    pub rows: Option<u64>,
    pub usd: Option<f64>,
}

/// Something that runs statements. `Send + Sync`; one instance serves every session.
#[async_trait]
pub trait Engine: Send + Sync {
    /// By product: "datafusion", "athena".
    fn name(&self) -> &'static str;

    fn dialect(&self) -> &'static dyn dialects::Dialect;

    /// Result columns and parameter types. `hints` are the parameter types that the client declared (0 = unknown).
    /// The statement may hold `$n` placeholders.
    async fn describe(&self, query: &Rendered, hints: &[PgType], context: &ExecContext)
    -> Result<Description, Problem>;

    /// Bytes and money before anything runs. Engines that cannot tell say `None`.
    async fn estimate(&self, query: &Rendered, context: &ExecContext) -> Result<Estimate, Problem>;

    /// The engine's plan, a line each, in the shape of Postgres's EXPLAIN: the first line carries `(cost=a..b rows=n
    /// width=w)`, which tools parse. With `analyze` the statement runs.
    async fn explain(&self, query: &Rendered, analyze: bool, context: &ExecContext) -> Result<Vec<String>, Problem>;

    /// Starts the statement; rows are produced as they are polled. Dropping them stops the work.
    async fn execute(&self, query: &Rendered, context: &ExecContext) -> Result<Rows, Problem>;
}
