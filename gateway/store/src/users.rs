use std::time::Duration;

use chrono::{DateTime, Utc};
use mantissa_core::{Ceilings, Grant, Secret, UserName};

/// A user as an administrator sees it: never the verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: UserName,
    pub roles: Vec<String>,
    pub disabled: bool,
    /// Without one, no password logs in.
    pub has_password: bool,
    pub created_at: DateTime<Utc>,
}

/// `password` may be the password itself or a verifier in Postgres's text form, as `CREATE ROLE ... PASSWORD` takes both.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub name: UserName,
    pub password: Option<Secret>,
    pub roles: Vec<String>,
}

/// What a user may read, and how much. `admin` also reads the audit trail and ends other users' sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    pub name: String,
    pub admin: bool,
    pub grants: Vec<Grant>,
    pub ceilings: RoleCeilings,
}

impl Role {
    /// Made with the database; cannot be changed or removed.
    pub const BUILT_IN: &[&str] = &[Self::READER, Self::ADMIN];
    /// Reads every log table, with the default ceilings.
    pub const READER: &str = "reader";
    pub const ADMIN: &str = "admin";
}

/// The ceilings a role sets. One that it does not set stands at the default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoleCeilings {
    pub max_rows: Option<u64>,
    pub ask_rows: Option<u64>,
    pub statement_timeout: Option<Duration>,
    pub max_nesting: Option<u32>,
    pub max_usd_per_query: Option<f64>,
    pub max_usd_per_day: Option<f64>,
}

impl RoleCeilings {
    pub fn over(&self, default: &Ceilings) -> Ceilings {
        Ceilings {
            max_rows: self.max_rows.unwrap_or(default.max_rows),
            ask_rows: self.ask_rows.unwrap_or(default.ask_rows),
            statement_timeout: self.statement_timeout.unwrap_or(default.statement_timeout),
            max_nesting: self.max_nesting.unwrap_or(default.max_nesting),
            max_usd_per_query: self.max_usd_per_query.unwrap_or(default.max_usd_per_query),
            max_usd_per_day: self.max_usd_per_day.unwrap_or(default.max_usd_per_day),
        }
    }
}

/// The highest of each ceiling over all roles; the default for a user without roles.
pub(crate) fn union<'a>(roles: impl Iterator<Item = &'a Role>, default: &Ceilings) -> Ceilings {
    roles.map(|role| role.ceilings.over(default)).reduce(highest).unwrap_or_else(|| default.clone())
}

fn highest(left: Ceilings, right: Ceilings) -> Ceilings {
    Ceilings {
        max_rows: left.max_rows.max(right.max_rows),
        ask_rows: left.ask_rows.max(right.ask_rows),
        statement_timeout: left.statement_timeout.max(right.statement_timeout),
        max_nesting: left.max_nesting.max(right.max_nesting),
        max_usd_per_query: left.max_usd_per_query.max(right.max_usd_per_query),
        max_usd_per_day: left.max_usd_per_day.max(right.max_usd_per_day),
    }
}
