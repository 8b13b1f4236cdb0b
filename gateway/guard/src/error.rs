use mantissa_core::{ErrorKind, Problem};

/// Why a query is not approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("relation \"{name}\" does not exist")]
    UndefinedTable { name: String, nearest: Option<String>, position: Option<u32> },
    #[error("permission denied for table {table}")]
    TableDenied { table: String, position: Option<u32> },
    #[error("permission denied for schema {schema}")]
    SchemaDenied { schema: String, position: Option<u32> },
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::UndefinedTable { .. } => ErrorKind::UndefinedTable,
            Error::TableDenied { .. } | Error::SchemaDenied { .. } => ErrorKind::InsufficientPrivilege,
        }
    }

    pub fn position(&self) -> Option<u32> {
        match self {
            Error::UndefinedTable { position, .. }
            | Error::TableDenied { position, .. }
            | Error::SchemaDenied { position, .. } => *position,
        }
    }

    pub fn hint(&self) -> Option<String> {
        match self {
            Error::UndefinedTable { nearest, .. } => {
                nearest.as_ref().map(|nearest| format!("Perhaps you meant \"{nearest}\"."))
            }
            Error::TableDenied { .. } | Error::SchemaDenied { .. } => {
                Some("Ask an administrator for a role that may read it.".into())
            }
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Problem::new(error.kind(), error.to_string()).at(error.position());
        problem.hint = error.hint();
        problem.caused_by(error)
    }
}

/// What a failure of the `dialects` crate is called here. (Neither crate knows the other, so `From` cannot say it.)
pub fn problem(error: dialects::Error) -> Problem {
    let sqlstate = error.sqlstate();
    let kind = ErrorKind::ALL.iter().copied().find(|kind| kind.sqlstate() == sqlstate);
    let mut problem = Problem::new(kind.unwrap_or(ErrorKind::SyntaxError), error.to_string()).at(error.position());
    problem.detail = error.detail();
    problem.hint = error.hint();
    problem.caused_by(error)
}
