//! One client's session: its settings, transaction, prepared statements and cursors, and the dispatch of statements.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mantissa_core::{ErrorKind, Field, Identity, PgType, Problem, Value};
use tokio_util::sync::CancellationToken;

use crate::activity::{Registration, SessionInfo};
use crate::cursor::Cursor;
use crate::engine::{CursorView, Effects, PreparedView, SessionView, UserView};
use crate::error;
use crate::gateway::{Database, Gateway, Login};
use crate::outcome::{Notice, Outcome, Prepared, Result, TransactionStatus};
use crate::settings::{OutputStyle, Settings};
use crate::statement::Statement;
use crate::stream::{Leash, Notices};
use crate::transaction::Transaction;

/// Prepared statements and cursors that one session may hold.
const MAX_OBJECTS: usize = 10_000;

/// One statement of a batch, parsed.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub(crate) statement: Arc<Statement>,
    pub(crate) text: Arc<str>,
    /// Characters of the batch before the statement, for positions in errors.
    pub(crate) offset: u32,
}

impl Parsed {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Ready to run without having been described: for the simple protocol, where columns come with the rows.
    pub fn undescribed(self) -> Prepared {
        Prepared::undescribed(self)
    }
}

pub struct Session {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) database: Database,
    pub(crate) registration: Registration,
    pub(crate) settings: Settings,
    pub(crate) transaction: Transaction,
    pub(crate) prepared: BTreeMap<String, NamedStatement>,
    pub(crate) cursors: BTreeMap<String, Cursor>,
    pub(crate) notices: Notices,
    pub(crate) conversation: mantissa_ask::Conversation,
    pub(crate) application_name: String,
    client: Option<SocketAddr>,
    backend_start: DateTime<Utc>,
    secret: Vec<u8>,
    users: Arc<Vec<UserView>>,
    view: Option<Arc<SessionView>>,
    effects: Arc<Effects>,
    /// Statements of a simple batch share an implicit transaction block.
    pub(crate) in_batch: bool,
}

#[derive(Clone)]
pub(crate) struct NamedStatement {
    pub prepared: Prepared,
    pub prepared_at: DateTime<Utc>,
    pub from_sql: bool,
}

impl Session {
    pub(crate) fn open(
        gateway: Arc<Gateway>,
        login: Login,
        database: Database,
        users: Arc<Vec<UserView>>,
    ) -> Result<Self> {
        let identity = Arc::new(login.identity);
        let user = identity.user.as_str();
        let now = gateway.parts.clock.now();
        let mut settings = Settings::new(&identity.ceilings, user, identity.admin, &database.name);
        settings.set_default("application_name", &login.application_name, &identity.ceilings)?;
        for (name, value) in &login.options {
            settings.set_default(name, value, &identity.ceilings)?;
        }
        let secret: Vec<u8> = (0..32).map(|_| rand::random::<u8>()).collect();
        let info = SessionInfo {
            pid: 0,
            user: user.to_owned(),
            database: database.name.clone(),
            application_name: login.application_name.clone(),
            client_addr: login.client.map(|client| client.ip()),
            client_port: login.client.map(|client| client.port()),
            backend_start: now,
            transaction_start: None,
            query_start: None,
            state_change: now,
            state: "idle",
            query: String::new(),
        };
        let registration = gateway.activity().enter(info, secret.clone());
        Ok(Self {
            gateway,
            identity,
            database,
            registration,
            settings,
            transaction: Transaction::default(),
            prepared: BTreeMap::new(),
            cursors: BTreeMap::new(),
            notices: Notices::default(),
            conversation: mantissa_ask::Conversation::default(),
            application_name: login.application_name,
            client: login.client,
            backend_start: now,
            secret,
            users,
            view: None,
            effects: Arc::default(),
            in_batch: false,
        })
    }

    pub fn pid(&self) -> i32 {
        self.registration.pid()
    }

    /// The key that a CancelRequest must show: 32 bytes, or 4 after [`Session::use_short_key`].
    pub fn secret_key(&self) -> &[u8] {
        &self.secret
    }

    /// Protocol 3.0 has room for 4 bytes only.
    pub fn use_short_key(&mut self) {
        self.secret.truncate(4);
        self.registration.set_secret(self.secret.clone());
    }

    /// Fires when the session must end: pg_terminate_backend or shutdown.
    pub fn closing(&self) -> &CancellationToken {
        self.registration.connection()
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Settings that a client is told at start-up.
    pub fn parameter_status(&self) -> Vec<(&'static str, String)> {
        self.settings.reported()
    }

    /// Reported settings that changed since the last call.
    pub fn take_parameter_changes(&mut self) -> Vec<(&'static str, String)> {
        self.settings.take_changes()
    }

    /// Messages for the client, oldest first.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock())
    }

    pub fn status(&self) -> TransactionStatus {
        self.transaction.status()
    }

    pub fn output(&self) -> OutputStyle {
        self.settings.output_style()
    }

    /// Parses a batch whole, so that a syntax error anywhere runs nothing. Empty for an empty query.
    ///
    /// # Errors
    /// `SyntaxError` and what the parser's limits refuse, with the position in `sql`.
    pub fn parse(&mut self, sql: &str) -> Result<Vec<Parsed>> {
        let parsed = parse_batch(sql);
        match &parsed {
            Ok(batch) => self.in_batch = batch.len() > 1,
            Err(problem) => self.fail(problem),
        }
        parsed
    }

    /// Finds parameters and result columns. `types` are those that the client declared, `PgType(0)` where it left one open.
    ///
    /// # Errors
    /// Whatever the statement does wrong that can be seen without running it; `InFailedTransaction`.
    pub async fn prepare(&mut self, parsed: Parsed, types: &[PgType]) -> Result<Prepared> {
        let text = Arc::clone(&parsed.text);
        let prepared = self.describe(parsed, types).await;
        if let Err(problem) = &prepared {
            // A statement that is refused here never runs: its audit row is written now.
            self.record(&text, None).await?.failed(problem);
            self.fail(problem);
        }
        prepared
    }

    /// Runs a prepared statement, one value for each of its parameters.
    ///
    /// # Errors
    /// Named by SQLSTATE, with a position where there is one. An open transaction fails with it.
    pub async fn execute(&mut self, prepared: &Prepared, parameters: Vec<Value>) -> Result<Outcome> {
        let outcome = self.dispatch(prepared, parameters).await;
        let outcome = outcome.map_err(|mut problem| {
            problem.position = problem.position.map(|position| position + prepared.offset);
            problem
        });
        if let Err(problem) = &outcome {
            self.fail(problem);
        }
        outcome
    }

    /// Notes an error that the caller saw: one of its own, or one from a stream of rows.
    pub fn fail(&mut self, _problem: &Problem) {
        self.effects.take();
        self.transaction.fail();
    }

    /// The end of a simple batch, or Sync: an implicit transaction ends.
    pub fn finish_implicit(&mut self) {
        self.in_batch = false;
        self.apply_effects();
        if !self.transaction.is_open() {
            self.cursors.retain(|_, cursor| cursor.hold);
            self.settings.end_transaction(true);
        }
        let state = match self.status() {
            TransactionStatus::Idle => "idle",
            TransactionStatus::InTransaction => "idle in transaction",
            TransactionStatus::Failed => "idle in transaction (aborted)",
        };
        self.registration.set_state(state, self.transaction.started(), self.gateway.parts.clock.now());
    }

    /// Names a prepared statement; the empty name replaces.
    ///
    /// # Errors
    /// `DuplicatePreparedStatement`, `ProgramLimitExceeded`.
    pub fn put_prepared(&mut self, name: &str, prepared: Prepared) -> Result<()> {
        self.put_named(name, prepared, false)
    }

    pub(crate) fn put_named(&mut self, name: &str, prepared: Prepared, from_sql: bool) -> Result<()> {
        if !name.is_empty() && self.prepared.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Problem::new(ErrorKind::DuplicatePreparedStatement, message));
        }
        if self.prepared.len() >= MAX_OBJECTS {
            return Err(Problem::new(ErrorKind::ProgramLimitExceeded, "too many prepared statements in this session")
                .hint("DEALLOCATE those that are not needed."));
        }
        let named = NamedStatement { prepared, prepared_at: self.gateway.parts.clock.now(), from_sql };
        self.prepared.insert(name.to_owned(), named);
        if !name.is_empty() {
            self.view = None;
        }
        Ok(())
    }

    /// # Errors
    /// `UndefinedPreparedStatement`.
    pub fn prepared(&self, name: &str) -> Result<Prepared> {
        self.prepared.get(name).map(|named| named.prepared.clone()).ok_or_else(|| {
            let message = if name.is_empty() {
                "unnamed prepared statement does not exist".to_owned()
            } else {
                format!("prepared statement \"{name}\" does not exist")
            };
            Problem::new(ErrorKind::UndefinedPreparedStatement, message)
        })
    }

    pub fn close_prepared(&mut self, name: &str) {
        if self.prepared.remove(name).is_some() && !name.is_empty() {
            self.view = None;
        }
    }

    /// Columns of an SQL-level cursor, and whether it gives binary rows.
    pub fn cursor_fields(&self, name: &str) -> Option<(Arc<[Field]>, bool)> {
        self.cursors.get(name).map(|cursor| (Arc::clone(&cursor.fields), cursor.binary))
    }

    pub(crate) fn notice(&self, notice: Notice) {
        self.notices.lock().push(notice);
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.settings.frozen_now().unwrap_or_else(|| match self.transaction.started() {
            Some(started) => started,
            None => self.gateway.parts.clock.now(),
        })
    }

    pub(crate) fn search_path(&self) -> Vec<String> {
        self.settings.search_path(self.identity.user.as_str())
    }

    pub(crate) fn client_text(&self) -> Option<String> {
        self.client.map(|client| client.to_string())
    }

    /// Marks the start of a statement; what may end it early.
    pub(crate) fn leash(&mut self, text: &str) -> Leash {
        let token = self.registration.begin_statement(text, self.gateway.parts.clock.now());
        let ceiling = self.identity.ceilings.statement_timeout;
        let wanted = self.settings.integer("statement_timeout");
        let timeout = if wanted > 0 { Duration::from_millis(wanted as u64).min(ceiling) } else { ceiling };
        Leash::new(token, self.registration.connection().clone(), timeout)
    }

    pub(crate) fn forget_view(&mut self) {
        self.view = None;
    }

    /// The session as functions see it, shared until something in it changes.
    pub(crate) fn view(&mut self) -> Arc<SessionView> {
        if let Some(view) = &self.view {
            return Arc::clone(view);
        }
        let prepared = self.prepared.iter().filter(|(name, _)| !name.is_empty()).map(|(name, named)| PreparedView {
            name: name.clone(),
            statement: named.prepared.text().to_owned(),
            prepared_at: named.prepared_at,
            parameter_types: named.prepared.parameters().to_vec(),
            from_sql: named.from_sql,
        });
        let cursors = self.cursors.values().map(|cursor| CursorView {
            name: cursor.name.clone(),
            statement: cursor.text.clone(),
            holdable: cursor.hold,
            binary: cursor.binary,
            scrollable: cursor.scroll,
            created_at: cursor.created_at,
        });
        let view = Arc::new(SessionView {
            pid: self.pid(),
            database: self.database.name.clone(),
            user: self.identity.user.to_string(),
            search_path: self.search_path(),
            current_settings: Arc::new(self.settings.clone()),
            client_addr: self.client.map(|client| client.ip()),
            client_port: self.client.map(|client| client.port()),
            backend_start: self.backend_start,
            transaction_start: self.transaction.started(),
            activity: Arc::clone(self.gateway.activity()),
            admin: self.identity.admin,
            effects: Arc::clone(&self.effects),
            prepared: Arc::new(prepared.collect()),
            cursors: Arc::new(cursors.collect()),
            databases: Arc::clone(&self.gateway.database_names),
            users: Arc::clone(&self.users),
        });
        self.view = Some(Arc::clone(&view));
        view
    }

    /// Applies what functions asked for (`set_config`) while the last statement ran.
    pub(crate) fn apply_effects(&mut self) {
        for change in self.effects.take() {
            let done = match &change.value {
                Some(value) => self.set(&change.name, value, change.local),
                None => self.reset(&change.name),
            };
            if let Err(problem) = done {
                self.notice(Notice::warning(problem.kind, problem.message));
            }
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str, local: bool) -> Result<()> {
        let in_transaction = self.transaction.is_open() || self.in_batch;
        if Settings::is_role(name) {
            return Settings::check_role(value, self.identity.user.as_str());
        }
        self.settings.set(name, value, local, in_transaction, &self.identity.ceilings)?;
        if name.eq_ignore_ascii_case("application_name") {
            self.application_name = value.to_owned();
            self.registration.set_application_name(value);
        }
        self.view = None;
        Ok(())
    }

    pub(crate) fn reset(&mut self, name: &str) -> Result<()> {
        self.settings.reset(name, self.transaction.is_open() || self.in_batch)?;
        self.view = None;
        Ok(())
    }

    /// Ends the transaction block, if one is open. `Some(committed)` where one was.
    pub(crate) fn end_transaction(&mut self, commit: bool) -> Option<bool> {
        let ended = self.transaction.end(commit);
        if let Some(committed) = ended {
            self.settings.end_transaction(committed);
            self.cursors.retain(|_, cursor| cursor.hold && committed);
            self.view = None;
        }
        ended
    }

    /// # Errors
    /// `InFailedTransaction`, unless the statement ends the transaction.
    pub(crate) fn check_transaction(&self, statement: &Statement) -> Result<()> {
        if self.status() == TransactionStatus::Failed && !statement.ends_transaction() {
            return Err(error::in_failed_transaction());
        }
        Ok(())
    }

    pub(crate) fn room_for_cursor(&self, name: &str) -> Result<()> {
        if self.cursors.contains_key(name) {
            return Err(Problem::new(ErrorKind::DuplicateCursor, format!("cursor \"{name}\" already exists")));
        }
        if self.cursors.len() >= MAX_OBJECTS {
            return Err(Problem::new(ErrorKind::ProgramLimitExceeded, "too many cursors in this session"));
        }
        Ok(())
    }
}

fn parse_batch(sql: &str) -> Result<Vec<Parsed>> {
    let fragments = dialects::split(sql).map_err(mantissa_guard::problem)?;
    let parse = |fragment: dialects::Fragment<'_>| {
        let offset = fragment.offset;
        let statement = Statement::parse(fragment.text).map_err(|mut problem| {
            problem.position = problem.position.map(|position| position + offset);
            problem
        })?;
        Ok(Parsed { statement: Arc::new(statement), text: fragment.text.into(), offset })
    };
    fragments.into_iter().map(parse).collect()
}
