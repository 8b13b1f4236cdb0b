//! Arrow columns into the bytes that Postgres would send.

mod array;
mod column;
mod copy;
mod datetime;
mod interval;
mod number;
mod packed;
mod rows;
mod style;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use column::ColumnEncoder;
pub(crate) use column::Format;
pub(crate) use copy::CopyEncoder;
pub(crate) use datetime::{Civil, MICROS_PER_DAY, MICROS_PER_SECOND, POSTGRES_EPOCH_DAYS, POSTGRES_EPOCH_MICROS};
pub(crate) use packed::parse_uuid;
pub(crate) use rows::RowEncoder;
pub(crate) use style::Style;
#[cfg(test)]
pub(crate) use style::{ByteaFormat, Zone};

use mantissa_core::{ErrorKind, PgType, Problem};

/// Why a value has no form on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error("{0} out of range")]
    OutOfRange(PgType),
    #[error("no binary output function available for type {0}")]
    NoBinaryForm(PgType),
    #[error("malformed {0} in the result")]
    Malformed(PgType),
    #[error("a result column of type {0} came in a form that it cannot have")]
    Unexpected(PgType),
    #[error("multidimensional arrays must have sub-arrays with matching dimensions")]
    RaggedArray,
    #[error("out of memory: a result row does not fit in one message")]
    TooLong,
}

impl From<EncodeError> for Problem {
    fn from(error: EncodeError) -> Self {
        let kind = match error {
            EncodeError::OutOfRange(_) => ErrorKind::NumericOutOfRange,
            EncodeError::NoBinaryForm(_) => ErrorKind::UndefinedFunction,
            EncodeError::RaggedArray => ErrorKind::CannotCoerce,
            EncodeError::TooLong => ErrorKind::ProgramLimitExceeded,
            EncodeError::Malformed(_) | EncodeError::Unexpected(_) => ErrorKind::Internal,
        };
        Problem::new(kind, error.to_string()).caused_by(error)
    }
}
