//! One vocabulary of failures, with the one table of SQLSTATE and HTTP status.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

pub type Result<T, E = Problem> = std::result::Result<T, E>;

macro_rules! error_kinds {
    ($($name:ident $sqlstate:literal $http:literal,)*) => {
        /// What went wrong, in one word. Decides SQLSTATE (PostgreSQL's own codes, appendix A of its manual), HTTP
        /// status and the `kind` label of logs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($name,)* }

        impl ErrorKind {
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The five characters that a Postgres client switches on.
            pub fn sqlstate(self) -> &'static str {
                match self { $(ErrorKind::$name => $sqlstate,)* }
            }

            /// The first kind with this code.
            pub fn by_sqlstate(sqlstate: &str) -> Option<ErrorKind> {
                ErrorKind::ALL.iter().copied().find(|kind| kind.sqlstate() == sqlstate)
            }

            pub fn http_status(self) -> u16 {
                match self { $(ErrorKind::$name => $http,)* }
            }
        }
    };
}

error_kinds! {
    ActiveTransaction "25001" 409,
    AdminShutdown "57P01" 503,
    AmbiguousColumn "42702" 400,
    AmbiguousFunction "42725" 400,
    CannotCoerce "42846" 400,
    CannotConnectNow "57P03" 503,
    CardinalityViolation "21000" 400,
    CharacterNotInRepertoire "22021" 400,
    ConfigurationInvalid "F0000" 500,
    ConnectionFailure "08006" 502,
    CostLimitExceeded "53400" 402,
    DataCorrupted "XX001" 500,
    DatatypeMismatch "42804" 400,
    DatetimeOverflow "22008" 400,
    DiskFull "53100" 507,
    DivisionByZero "22012" 400,
    DuplicateAlias "42712" 400,
    DuplicateColumn "42701" 400,
    DuplicateCursor "42P03" 409,
    DuplicateObject "42710" 409,
    DuplicatePreparedStatement "42P05" 409,
    FeatureNotSupported "0A000" 501,
    GroupingError "42803" 400,
    IdleSessionTimeout "57P05" 408,
    InFailedTransaction "25P02" 409,
    IndeterminateDatatype "42P18" 400,
    InsufficientPrivilege "42501" 403,
    Internal "XX000" 500,
    InvalidAuthorization "28000" 401,
    InvalidBinaryRepresentation "22P03" 400,
    InvalidCatalogName "3D000" 404,
    InvalidColumnReference "42P10" 400,
    InvalidCursorState "24000" 409,
    InvalidDatetimeFormat "22007" 400,
    InvalidEscapeSequence "22025" 400,
    InvalidParameterValue "22023" 400,
    InvalidPassword "28P01" 401,
    InvalidRegularExpression "2201B" 400,
    InvalidRowCountInLimitClause "2201W" 400,
    InvalidRowCountInOffsetClause "2201X" 400,
    InvalidSavepoint "3B001" 409,
    InvalidSchemaName "3F000" 404,
    InvalidTextRepresentation "22P02" 400,
    InvalidWidthBucket "2201G" 400,
    IoError "58030" 500,
    NameTooLong "42622" 400,
    NoActiveTransaction "25P01" 409,
    NumericOutOfRange "22003" 400,
    ObjectNotInPrerequisiteState "55000" 409,
    OutOfMemory "53200" 503,
    ProgramLimitExceeded "54000" 413,
    ProtocolViolation "08P01" 400,
    QueryCanceled "57014" 408,
    QuestionNotUnderstood "22018" 422,
    ReadOnlyTransaction "25006" 403,
    StatementTooComplex "54001" 413,
    StringDataRightTruncation "22001" 400,
    SyntaxError "42601" 400,
    TooManyConnections "53300" 503,
    UndefinedColumn "42703" 400,
    UndefinedCursor "34000" 404,
    UndefinedFunction "42883" 400,
    UndefinedObject "42704" 400,
    UndefinedParameter "42P02" 400,
    UndefinedPreparedStatement "26000" 404,
    UndefinedTable "42P01" 404,
    WindowingError "42P20" 400,
    WrongObjectType "42809" 400,
}

/// A failure as a client may see it: safe to send (no host, no credential, no other system's text), with the cause kept
/// beside it for the log. Every crate's own error converts into this where it leaves the crate.
///
/// `message` is lowercase without a full stop, as Postgres writes it; `detail` and `hint` are sentences; `position` is
/// the 1-based character in the statement's text.
#[derive(Debug, Clone)]
pub struct Problem {
    pub kind: ErrorKind,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub position: Option<u32>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), detail: None, hint: None, position: None, source: None }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the 1-based character position, where one is known.
    pub fn at(mut self, position: impl Into<Option<u32>>) -> Self {
        self.position = position.into();
        self
    }

    /// Keeps the cause for the log. It is never shown to a client.
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_well_formed_sqlstate() {
        for kind in ErrorKind::ALL {
            assert_eq!(kind.sqlstate().len(), 5, "{kind:?}");
            assert!(kind.sqlstate().bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()), "{kind:?}");
            assert!((400..600).contains(&kind.http_status()), "{kind:?}");
        }
    }
}
