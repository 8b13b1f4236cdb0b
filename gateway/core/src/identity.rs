use std::fmt;

use crate::{Ceilings, TableName};

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a role may read. `table` is a table of schema `logs`, or `*` for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub table: String,
    /// Columns allowed; `None` for all.
    pub columns: Option<Vec<String>>,
}

/// Who asks: an authenticated user with the union of what the user's roles allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub user: UserName,
    /// Reads `mantissa.audit` and may end other users' sessions.
    pub admin: bool,
    pub grants: Vec<Grant>,
    pub ceilings: Ceilings,
}

impl Identity {
    /// A reader of every log table with the default ceilings.
    pub fn reader(user: impl Into<String>) -> Self {
        Self {
            user: UserName::new(user),
            admin: false,
            grants: vec![Grant { table: "*".into(), columns: None }],
            ceilings: Ceilings::default(),
        }
    }

    pub fn may_read(&self, table: &TableName) -> bool {
        self.grants.iter().any(|grant| grant.table == "*" || grant.table == table.name)
    }

    /// `None`: every column. `Some`: only these.
    pub fn readable_columns(&self, table: &TableName) -> Option<Vec<&str>> {
        let mut columns = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.table == "*" || grant.table == table.name) {
            columns.extend(grant.columns.as_ref()?.iter().map(String::as_str));
        }
        Some(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_without_columns_wins_over_one_with_columns() {
        let mut identity = Identity::reader("ann");
        let okta = TableName::new("logs", "okta");
        assert_eq!(identity.readable_columns(&okta), None);
        identity.grants = vec![Grant { table: "okta".into(), columns: Some(vec!["time".into()]) }];
        assert_eq!(identity.readable_columns(&okta), Some(vec!["time"]));
        assert!(!identity.may_read(&TableName::new("logs", "github")));
    }
}
