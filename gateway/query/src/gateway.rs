//! What all sessions of a process share.

use std::net::SocketAddr;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use mantissa_core::{CatalogSource, Clock, ErrorKind, Identity, Problem, Table, UserName};
use mantissa_store::{LockoutPolicy, Store};

use crate::activity::Activity;
use crate::engine::{Engine, ExecContext, UserView};
use crate::outcome::Result;
use crate::session::Session;

/// One database name that clients connect to, and the engine behind it.
#[derive(Clone)]
pub struct Database {
    pub name: String,
    pub engine: Arc<dyn Engine>,
}

/// A relation of schema `mantissa` whose rows are made when it is read, such as `mantissa.audit`.
#[async_trait]
pub trait SystemTable: Send + Sync {
    fn table(&self) -> &Table;

    /// Every row, columns in the table's order, as [`mantissa_core::Rows`] describes them.
    async fn rows(&self, context: &ExecContext) -> Result<RecordBatch, Problem>;
}

/// What a gateway is made of.
pub struct GatewayParts {
    pub catalog: Arc<dyn CatalogSource>,
    /// The first is the default.
    pub databases: Vec<Database>,
    /// Answers `pg_catalog`, `information_schema`, `mantissa` and statements without a table.
    pub system: Arc<dyn Engine>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub max_connections: usize,
}

/// Opens sessions and holds what they share.
pub struct Gateway {
    pub(crate) parts: GatewayParts,
    pub(crate) database_names: Arc<Vec<String>>,
    activity: Arc<Activity>,
}

/// Who connects, to what, with which start-up settings.
#[derive(Debug, Clone)]
pub struct Login {
    pub identity: Identity,
    pub database: String,
    pub application_name: String,
    pub client: Option<SocketAddr>,
    /// Settings of the start-up packet, `options=-c name=value` already split.
    pub options: Vec<(String, String)>,
}

/// What authentication needs to know of a user.
#[derive(Debug, Clone)]
pub struct Account {
    pub identity: Identity,
    /// Postgres's form: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`.
    pub verifier: String,
    /// Too many wrong passwords lately.
    pub locked: bool,
}

impl Gateway {
    pub fn new(parts: GatewayParts) -> Arc<Self> {
        let names = parts.databases.iter().map(|database| database.name.clone()).collect();
        Arc::new(Self { parts, database_names: Arc::new(names), activity: Arc::default() })
    }

    /// Every open session; CancelRequest goes through here.
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Opens a session for an authenticated client.
    ///
    /// # Errors
    /// `TooManyConnections`, `InvalidCatalogName`, or what a start-up setting's value does wrong.
    pub async fn open(self: &Arc<Self>, login: Login) -> Result<Session> {
        if self.activity.len() >= self.parts.max_connections {
            return Err(Problem::new(ErrorKind::TooManyConnections, "sorry, too many clients already"));
        }
        let wanted = login.database.as_str();
        let database = self.parts.databases.iter().find(|database| database.name == wanted).cloned();
        let database = database.ok_or_else(|| {
            Problem::new(ErrorKind::InvalidCatalogName, format!("database \"{wanted}\" does not exist"))
                .hint(format!("Databases of this server: {}.", self.database_names.join(", ")))
        })?;
        let users = self.users(&login.identity).await?;
        Session::open(Arc::clone(self), login, database, users)
    }

    /// What SCRAM needs for `user`; `None` for one that does not exist or has no password.
    pub async fn authentication(&self, user: &str) -> Result<Option<Account>> {
        let name = UserName::new(user);
        let store = &self.parts.store;
        let (Some(verifier), Some(identity)) = (store.verifier(&name).await?, store.identity(&name).await?) else {
            return Ok(None);
        };
        let locked = store.locked_until(&name, self.parts.clock.now(), LockoutPolicy::default()).await?.is_some();
        Ok(Some(Account { identity, verifier: verifier.to_string(), locked }))
    }

    /// The identity of a user who needs no password (`trust`).
    pub async fn identity(&self, user: &str) -> Result<Option<Identity>> {
        Ok(self.parts.store.identity(&UserName::new(user)).await?)
    }

    pub async fn login_failed(&self, user: &str) {
        let noted = self.parts.store.record_failed_login(&UserName::new(user), self.parts.clock.now()).await;
        if let Err(error) = noted {
            tracing::error!(%error, "a failed login could not be recorded");
        }
    }

    pub async fn login_succeeded(&self, user: &str) {
        if let Err(error) = self.parts.store.clear_failed_logins(&UserName::new(user)).await {
            tracing::error!(%error, "a login could not be recorded");
        }
    }

    /// Users as `pg_roles` lists them: all for an administrator, else only oneself.
    async fn users(&self, identity: &Identity) -> Result<Arc<Vec<UserView>>> {
        let own = UserView { name: identity.user.to_string(), superuser: identity.admin };
        if !identity.admin {
            return Ok(Arc::new(vec![own]));
        }
        let mut users: Vec<UserView> = Vec::new();
        for user in self.parts.store.list_users().await? {
            let superuser = user.roles.iter().any(|role| role == mantissa_store::Role::ADMIN);
            users.push(UserView { name: user.name.to_string(), superuser });
        }
        if !users.iter().any(|user| user.name == own.name) {
            users.push(own);
        }
        Ok(Arc::new(users))
    }
}
