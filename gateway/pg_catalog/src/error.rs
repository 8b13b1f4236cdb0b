//! What a catalog query can fail with, in Postgres's words.

use mantissa_core::{ErrorKind, PgType, Problem};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("{source}")]
    At { position: u32, source: Box<Error> },
    #[error("relation \"{0}\" does not exist")]
    UndefinedTable(String),
    #[error("column {0} does not exist")]
    UndefinedColumn(String),
    #[error("column \"{column}\" not found in data type {ty}")]
    UndefinedField { column: String, ty: String },
    #[error("missing FROM-clause entry for table \"{0}\"")]
    MissingFrom(String),
    #[error("invalid reference to FROM-clause entry for table \"{0}\"")]
    InvalidReference(String),
    #[error("column reference \"{0}\" is ambiguous")]
    AmbiguousColumn(String),
    #[error("table name \"{0}\" specified more than once")]
    DuplicateAlias(String),
    #[error("function {0} does not exist")]
    UndefinedFunction(String),
    #[error("function {0} is not unique")]
    AmbiguousFunction(String),
    #[error("operator does not exist: {0}")]
    UndefinedOperator(String),
    #[error("operator is not unique: {0}")]
    AmbiguousOperator(String),
    #[error("type \"{0}\" does not exist")]
    UndefinedType(String),
    #[error("{what} \"{name}\" does not exist")]
    UndefinedObject { what: &'static str, name: String },
    #[error("unrecognized configuration parameter \"{0}\"")]
    UndefinedSetting(String),
    #[error("there is no parameter ${0}")]
    UndefinedParameter(usize),
    #[error("could not determine data type of parameter ${0}")]
    IndeterminateParameter(usize),
    #[error("cannot determine type of empty array")]
    IndeterminateArray,
    #[error("cannot cast type {from} to {to}")]
    CannotCast { from: PgType, to: PgType },
    #[error("{0}")]
    DatatypeMismatch(String),
    #[error("invalid input syntax for type {ty}: \"{text}\"")]
    InvalidText { ty: String, text: String },
    #[error("invalid input syntax for type {ty}: \"{text}\"")]
    InvalidDatetime { ty: String, text: String },
    #[error("malformed array literal: \"{0}\"")]
    MalformedArray(String),
    #[error("value \"{text}\" is out of range for type {ty}")]
    ValueOutOfRange { ty: String, text: String },
    #[error("{0} out of range")]
    OutOfRange(String),
    #[error("{0} out of range")]
    DatetimeOutOfRange(&'static str),
    #[error("date/time field value out of range: \"{0}\"")]
    DatetimeField(String),
    #[error("numeric field overflow")]
    NumericOverflow,
    #[error("division by zero")]
    DivisionByZero,
    #[error("{0}")]
    Grouping(String),
    #[error("{0}")]
    Windowing(String),
    #[error("{0}")]
    InvalidColumnReference(String),
    #[error("more than one row returned by a subquery used as an expression")]
    Cardinality,
    #[error("{0}")]
    Syntax(String),
    #[error("{0} is not supported in catalog queries")]
    Unsupported(String),
    #[error("{0}")]
    InvalidParameter(String),
    #[error("invalid regular expression: {0}")]
    InvalidRegex(String),
    #[error("invalid escape string")]
    InvalidEscape,
    #[error("value too long for type {0}")]
    TooLong(String),
    #[error("permission denied: {0}")]
    Denied(String),
    #[error("{0}")]
    WrongObject(String),
    #[error("canceling statement due to user request")]
    Cancelled,
    #[error("catalog query does too much work")]
    TooMuchWork,
    #[error("stack depth limit exceeded")]
    TooDeep,
    #[error("{0}")]
    Other(Problem),
}

impl Error {
    /// Says where in the statement it went wrong, unless that is known already.
    pub fn at(self, position: Option<u32>) -> Self {
        match (position, self) {
            (_, error @ Error::At { .. }) => error,
            (Some(position), error) => Error::At { position, source: Box::new(error) },
            (None, error) => error,
        }
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::At { source, .. } => source.kind(),
            Error::UndefinedTable(_) | Error::MissingFrom(_) | Error::InvalidReference(_) => ErrorKind::UndefinedTable,
            Error::UndefinedColumn(_) | Error::UndefinedField { .. } => ErrorKind::UndefinedColumn,
            Error::AmbiguousColumn(_) => ErrorKind::AmbiguousColumn,
            Error::DuplicateAlias(_) => ErrorKind::DuplicateAlias,
            Error::UndefinedFunction(_) | Error::UndefinedOperator(_) => ErrorKind::UndefinedFunction,
            Error::AmbiguousFunction(_) | Error::AmbiguousOperator(_) => ErrorKind::AmbiguousFunction,
            Error::UndefinedType(_) | Error::UndefinedObject { .. } | Error::UndefinedSetting(_) => {
                ErrorKind::UndefinedObject
            }
            Error::UndefinedParameter(_) => ErrorKind::UndefinedParameter,
            Error::IndeterminateParameter(_) | Error::IndeterminateArray => ErrorKind::IndeterminateDatatype,
            Error::CannotCast { .. } => ErrorKind::CannotCoerce,
            Error::DatatypeMismatch(_) => ErrorKind::DatatypeMismatch,
            Error::InvalidText { .. } | Error::MalformedArray(_) => ErrorKind::InvalidTextRepresentation,
            Error::InvalidDatetime { .. } => ErrorKind::InvalidDatetimeFormat,
            Error::ValueOutOfRange { .. } | Error::OutOfRange(_) => ErrorKind::NumericOutOfRange,
            Error::NumericOverflow => ErrorKind::NumericOutOfRange,
            Error::DatetimeOutOfRange(_) | Error::DatetimeField(_) => ErrorKind::DatetimeOverflow,
            Error::DivisionByZero => ErrorKind::DivisionByZero,
            Error::Grouping(_) => ErrorKind::GroupingError,
            Error::Windowing(_) => ErrorKind::WindowingError,
            Error::InvalidColumnReference(_) => ErrorKind::InvalidColumnReference,
            Error::Cardinality => ErrorKind::CardinalityViolation,
            Error::Syntax(_) => ErrorKind::SyntaxError,
            Error::Unsupported(_) => ErrorKind::FeatureNotSupported,
            Error::InvalidParameter(_) => ErrorKind::InvalidParameterValue,
            Error::InvalidRegex(_) => ErrorKind::InvalidRegularExpression,
            Error::InvalidEscape => ErrorKind::InvalidEscapeSequence,
            Error::TooLong(_) => ErrorKind::StringDataRightTruncation,
            Error::Denied(_) => ErrorKind::InsufficientPrivilege,
            Error::WrongObject(_) => ErrorKind::WrongObjectType,
            Error::Cancelled => ErrorKind::QueryCanceled,
            Error::TooMuchWork => ErrorKind::ProgramLimitExceeded,
            Error::TooDeep => ErrorKind::StatementTooComplex,
            Error::Other(problem) => problem.kind,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Error::UndefinedFunction(_) => Some(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            ),
            Error::UndefinedOperator(_) => Some(
                "No operator matches the given name and argument types. You might need to add explicit type casts.",
            ),
            Error::AmbiguousFunction(_) => {
                Some("Could not choose a best candidate function. You might need to add explicit type casts.")
            }
            Error::AmbiguousOperator(_) => {
                Some("Could not choose a best candidate operator. You might need to add explicit type casts.")
            }
            Error::TooMuchWork => Some("Add conditions that join the relations, or a narrower WHERE."),
            _ => None,
        }
    }

    fn detail(&self) -> Option<&'static str> {
        match self {
            Error::MalformedArray(text) if !text.trim_start().starts_with(['{', '[']) => {
                Some("Array value must start with \"{\" or dimension information.")
            }
            _ => None,
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Error::Other(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (position, error) = match error {
            Error::At { position, source } => (Some(position), *source),
            other => (None, other),
        };
        if let Error::Other(problem) = error {
            let known = problem.position;
            return problem.at(known.or(position));
        }
        let mut problem = Problem::new(error.kind(), error.to_string()).at(position);
        if let Some(hint) = error.hint() {
            problem = problem.hint(hint);
        }
        match error.detail() {
            Some(detail) => problem.detail(detail),
            None => problem,
        }
    }
}
