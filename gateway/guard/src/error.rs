use mantissa_core::{ErrorKind, Problem};

type Position = Option<u32>;

/// Why a query is not approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("relation \"{name}\" does not exist")]
    UndefinedTable { name: String, nearest: Option<String>, position: Position },
    #[error("missing FROM-clause entry for table \"{name}\"")]
    MissingFrom { name: String, position: Position },
    #[error("permission denied for table {table}")]
    TableDenied { table: String, position: Position },
    #[error("permission denied for schema {schema}")]
    SchemaDenied { schema: String, position: Position },
    #[error("column \"{column}\" does not exist")]
    UndefinedColumn { column: String, nearest: Option<String>, position: Position },
    #[error("permission denied for column {column} of table {table}")]
    ColumnDenied { column: String, table: String, position: Position },
    #[error("function {name} does not exist")]
    UndefinedFunction { name: String, nearest: Option<String>, position: Position },
    #[error("permission denied for function {name}")]
    FunctionDenied { name: String, position: Position },
    #[error("function {name} cannot be used over log tables")]
    FunctionOutOfPlace { name: String, position: Position },
    #[error("cannot execute {command} in a read-only transaction")]
    Writes { command: &'static str, position: Position },
    #[error("{feature} is not supported")]
    Unsupported { feature: &'static str, hint: &'static str, position: Position },
    #[error("subqueries are nested more than {limit} levels deep")]
    TooNested { limit: u32, position: Position },
    #[error("{what} are more than {limit}")]
    TooMany { what: &'static str, limit: usize, hint: &'static str, position: Position },
    #[error("{function} would produce too much")]
    TooMuch { function: &'static str, limit: u64, unit: &'static str, position: Position },
    #[error("\"{left}\" and \"{right}\" are joined without a condition")]
    CrossJoin { left: String, right: String, position: Position },
    #[error("{clause} must not be negative")]
    NegativeLimit { clause: &'static str, position: Position },
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::UndefinedTable { .. } | Error::MissingFrom { .. } => ErrorKind::UndefinedTable,
            Error::TableDenied { .. } | Error::SchemaDenied { .. } | Error::ColumnDenied { .. } => {
                ErrorKind::InsufficientPrivilege
            }
            Error::FunctionDenied { .. } | Error::FunctionOutOfPlace { .. } => ErrorKind::InsufficientPrivilege,
            Error::UndefinedColumn { .. } => ErrorKind::UndefinedColumn,
            Error::UndefinedFunction { .. } => ErrorKind::UndefinedFunction,
            Error::Writes { .. } => ErrorKind::ReadOnlyTransaction,
            Error::Unsupported { .. } => ErrorKind::FeatureNotSupported,
            Error::TooNested { .. } => ErrorKind::StatementTooComplex,
            Error::TooMany { .. } | Error::TooMuch { .. } | Error::CrossJoin { .. } => ErrorKind::ProgramLimitExceeded,
            Error::NegativeLimit { .. } => ErrorKind::InvalidParameterValue,
        }
    }

    pub fn position(&self) -> Option<u32> {
        match self {
            Error::UndefinedTable { position, .. }
            | Error::MissingFrom { position, .. }
            | Error::TableDenied { position, .. }
            | Error::SchemaDenied { position, .. }
            | Error::UndefinedColumn { position, .. }
            | Error::ColumnDenied { position, .. }
            | Error::UndefinedFunction { position, .. }
            | Error::FunctionDenied { position, .. }
            | Error::FunctionOutOfPlace { position, .. }
            | Error::Writes { position, .. }
            | Error::Unsupported { position, .. }
            | Error::TooNested { position, .. }
            | Error::TooMany { position, .. }
            | Error::TooMuch { position, .. }
            | Error::CrossJoin { position, .. }
            | Error::NegativeLimit { position, .. } => *position,
        }
    }

    pub fn detail(&self) -> Option<String> {
        match self {
            Error::TooMuch { limit, unit, .. } => Some(format!("The limit is {limit} {unit} in one statement.")),
            _ => None,
        }
    }

    pub fn hint(&self) -> Option<String> {
        let perhaps = |nearest: &Option<String>| nearest.as_ref().map(|name| format!("Perhaps you meant \"{name}\"."));
        let hint = match self {
            Error::UndefinedTable { nearest, .. } => {
                return perhaps(nearest).or_else(|| Some("\\d lists the tables that you may read.".into()));
            }
            Error::UndefinedColumn { nearest, .. } => {
                let raw = "A field of the original event without a column of its own is read as raw ->> 'field'.";
                return perhaps(nearest).or_else(|| Some(raw.into()));
            }
            Error::UndefinedFunction { nearest, .. } => {
                return perhaps(nearest).or_else(|| Some("Only functions on the allow-list may be called.".into()));
            }
            Error::MissingFrom { .. } => "Name it in FROM, or use the alias that it has there.",
            Error::TableDenied { .. } | Error::SchemaDenied { .. } | Error::ColumnDenied { .. } => {
                "Ask an administrator for a role that may read it."
            }
            Error::FunctionDenied { .. } => "It does more than compute from the rows that a query reads.",
            Error::FunctionOutOfPlace { .. } => {
                "It answers about the catalog: use it in a statement over pg_catalog alone."
            }
            Error::Writes { .. } => "Only reading statements run here: SELECT, VALUES and TABLE.",
            Error::Unsupported { hint, .. } | Error::TooMany { hint, .. } => hint,
            Error::TooNested { .. } => "Join the inner tables directly, or split the question into several statements.",
            Error::TooMuch { .. } => "Use smaller numbers, written as constants.",
            Error::CrossJoin { .. } => {
                "Join them with ON left.column = right.column, or aggregate or LIMIT one side first."
            }
            Error::NegativeLimit { .. } => "Write a number of rows from 0 on.",
        };
        Some(hint.to_owned())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Problem::new(error.kind(), error.to_string()).at(error.position());
        problem.hint = error.hint();
        problem.detail = error.detail();
        problem.caused_by(error)
    }
}

/// What a failure of the `dialects` crate is called here. (Neither that crate nor core knows the other, so `From` cannot
/// say it.)
pub fn problem(error: dialects::Error) -> Problem {
    let sqlstate = error.sqlstate();
    let kind = ErrorKind::ALL.iter().copied().find(|kind| kind.sqlstate() == sqlstate);
    let mut problem = Problem::new(kind.unwrap_or(ErrorKind::SyntaxError), error.to_string()).at(error.position());
    problem.detail = error.detail();
    problem.hint = error.hint();
    problem.caused_by(error)
}
