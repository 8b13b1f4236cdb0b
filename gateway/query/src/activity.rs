//! Who is connected and what they run: the registry behind `pg_stat_activity`, CancelRequest and `pg_cancel_backend`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// One open session, as a row of `pg_stat_activity`.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    pub pid: i32,
    pub user: String,
    pub database: String,
    pub application_name: String,
    pub client_addr: Option<IpAddr>,
    pub client_port: Option<u16>,
    pub backend_start: DateTime<Utc>,
    pub transaction_start: Option<DateTime<Utc>>,
    pub query_start: Option<DateTime<Utc>>,
    pub state_change: DateTime<Utc>,
    /// `active`, `idle`, `idle in transaction`, `idle in transaction (aborted)`.
    pub state: &'static str,
    /// The statement that runs, or ran last.
    pub query: String,
}

struct Entry {
    info: SessionInfo,
    secret: Vec<u8>,
    statement: CancellationToken,
    connection: CancellationToken,
}

/// Every open session of this process.
#[derive(Default)]
pub struct Activity {
    sessions: Mutex<HashMap<i32, Entry>>,
}

impl Activity {
    /// Enters a session under a free process id; leaves it again when the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>, mut info: SessionInfo, secret: Vec<u8>) -> Registration {
        let connection = CancellationToken::new();
        let mut sessions = self.sessions.lock();
        let mut pid = rand::random_range(1..=i32::MAX);
        while sessions.contains_key(&pid) {
            pid = rand::random_range(1..=i32::MAX);
        }
        info.pid = pid;
        let entry = Entry { info, secret, statement: CancellationToken::new(), connection: connection.clone() };
        sessions.insert(pid, entry);
        Registration { activity: Arc::clone(self), pid, connection }
    }

    /// Ends the statement that session `pid` runs, when `secret` is the session's key. Says whether it matched.
    pub fn cancel(&self, pid: i32, secret: &[u8]) -> bool {
        let sessions = self.sessions.lock();
        match sessions.get(&pid) {
            Some(entry) if entry.secret == secret => {
                entry.statement.cancel();
                true
            }
            _ => false,
        }
    }

    /// `pg_cancel_backend`: false where there is no such session.
    pub fn cancel_statement(&self, pid: i32) -> bool {
        self.sessions.lock().get(&pid).map(|entry| entry.statement.cancel()).is_some()
    }

    /// `pg_terminate_backend`: false where there is no such session.
    pub fn terminate(&self, pid: i32) -> bool {
        self.sessions.lock().get(&pid).map(|entry| entry.connection.cancel()).is_some()
    }

    /// The user of session `pid`, where there is one.
    pub fn user_of(&self, pid: i32) -> Option<String> {
        self.sessions.lock().get(&pid).map(|entry| entry.info.user.clone())
    }

    /// Ends every session, for shutdown.
    pub fn terminate_all(&self) {
        for entry in self.sessions.lock().values() {
            entry.connection.cancel();
        }
    }

    pub fn len(&self) -> usize {
        self.sessions.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn snapshot(&self) -> Vec<SessionInfo> {
        let mut sessions: Vec<_> = self.sessions.lock().values().map(|entry| entry.info.clone()).collect();
        sessions.sort_by_key(|session| session.backend_start);
        sessions
    }
}

/// A session's place in [`Activity`], held as long as the session lives.
pub(crate) struct Registration {
    activity: Arc<Activity>,
    pid: i32,
    connection: CancellationToken,
}

impl Registration {
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Fires when the session must end.
    pub fn connection(&self) -> &CancellationToken {
        &self.connection
    }

    /// A fresh token for the next statement; the registry cancels this one from now on.
    pub fn begin_statement(&self, query: &str, now: DateTime<Utc>) -> CancellationToken {
        let token = self.connection.child_token();
        self.update(|entry| {
            entry.statement = token.clone();
            entry.info.query = query.to_owned();
            entry.info.query_start = Some(now);
            entry.info.state_change = now;
            entry.info.state = "active";
        });
        token
    }

    pub fn set_state(&self, state: &'static str, transaction_start: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.update(|entry| {
            entry.info.state = state;
            entry.info.state_change = now;
            entry.info.transaction_start = transaction_start;
        });
    }

    pub fn set_secret(&self, secret: Vec<u8>) {
        self.update(|entry| entry.secret = secret);
    }

    pub fn set_application_name(&self, name: &str) {
        self.update(|entry| entry.info.application_name = name.to_owned());
    }

    fn update(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.activity.sessions.lock().get_mut(&self.pid) {
            change(entry);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.connection.cancel();
        self.activity.sessions.lock().remove(&self.pid);
    }
}
