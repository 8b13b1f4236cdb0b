//! Parameters of Bind into values.

mod binary;
mod datetime;
mod text;

use bytes::Bytes;
use mantissa_core::{ErrorKind, PgType, Problem, Value};

use crate::encode::{Format, Style};
use crate::frontend::Bind;

/// Decodes the parameters of `bind` for a statement that takes `types`.
///
/// # Errors
/// `ProtocolViolation` for wrong counts; what is wrong with a value, naming its number.
pub(crate) fn parameters(bind: &Bind, types: &[PgType], style: &Style) -> Result<Vec<Value>, Problem> {
    let (given, formats) = (bind.parameters.len(), bind.parameter_formats.len());
    if formats > 1 && formats != given {
        let message = format!("bind message has {formats} parameter formats but {given} parameters");
        return Err(Problem::new(ErrorKind::ProtocolViolation, message));
    }
    if given != types.len() {
        let message = format!(
            "bind message supplies {given} parameters, but prepared statement \"{}\" requires {}",
            bind.statement,
            types.len()
        );
        return Err(Problem::new(ErrorKind::ProtocolViolation, message));
    }
    let format = |index: usize| match bind.parameter_formats.as_slice() {
        [] => Format::Text,
        [all] => *all,
        each => each[index],
    };
    let decode = |(index, bytes): (usize, &Option<Bytes>)| match bytes {
        None => Ok(Value::Null),
        Some(bytes) => value(bytes, types[index], format(index), style).map_err(|error| error.into_problem(index + 1)),
    };
    bind.parameters.iter().enumerate().map(decode).collect()
}

fn value(bytes: &[u8], ty: PgType, format: Format, style: &Style) -> Result<Value, DecodeError> {
    match format {
        Format::Text => text::value(text_of(bytes)?, ty, style),
        Format::Binary => binary::value(bytes, ty),
    }
}

/// UTF-8 without zero bytes, as Postgres's text is.
fn text_of(bytes: &[u8]) -> Result<&str, DecodeError> {
    let text = crate::frontend::utf8(bytes).map_err(|problem| DecodeError::Problem(Box::new(problem)))?;
    if text.contains('\0') {
        let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
        return Err(DecodeError::Problem(Box::new(Problem::new(ErrorKind::CharacterNotInRepertoire, message))));
    }
    Ok(text)
}

/// What is wrong with a parameter.
#[derive(Debug, Clone)]
enum DecodeError {
    /// Binary bytes that are not of the type.
    BadBinary,
    /// Text that is not of the type.
    BadText {
        ty: PgType,
        text: String,
    },
    OutOfRange {
        ty: PgType,
        text: String,
    },
    BadArray(&'static str, String),
    ElementType {
        found: PgType,
        expected: PgType,
    },
    Dimensions,
    NoBinaryInput(PgType),
    Problem(Box<Problem>),
}

/// Enough of a bad value to know it by.
const SHOWN: usize = 200;

impl DecodeError {
    fn into_problem(self, number: usize) -> Problem {
        let problem = |kind, message: String| Problem::new(kind, message);
        match self {
            DecodeError::BadBinary => problem(
                ErrorKind::InvalidBinaryRepresentation,
                format!("incorrect binary data format in bind parameter {number}"),
            ),
            DecodeError::BadText { ty, text } => {
                let kind = match ty {
                    PgType::DATE | PgType::TIME | PgType::TIMESTAMP | PgType::TIMESTAMPTZ | PgType::INTERVAL => {
                        ErrorKind::InvalidDatetimeFormat
                    }
                    _ => ErrorKind::InvalidTextRepresentation,
                };
                let shown: String = text.chars().take(SHOWN).collect();
                problem(kind, format!("invalid input syntax for type {ty}: \"{shown}\""))
            }
            DecodeError::OutOfRange { ty, text } => {
                let shown: String = text.chars().take(SHOWN).collect();
                match ty {
                    PgType::DATE | PgType::TIME | PgType::TIMESTAMP | PgType::TIMESTAMPTZ => {
                        problem(ErrorKind::DatetimeOverflow, format!("date/time field value out of range: \"{shown}\""))
                    }
                    _ => problem(
                        ErrorKind::NumericOutOfRange,
                        format!("value \"{shown}\" is out of range for type {ty}"),
                    ),
                }
            }
            DecodeError::BadArray(detail, text) => {
                let shown: String = text.chars().take(SHOWN).collect();
                problem(ErrorKind::InvalidTextRepresentation, format!("malformed array literal: \"{shown}\""))
                    .detail(detail)
            }
            DecodeError::ElementType { found, expected } => problem(
                ErrorKind::DatatypeMismatch,
                format!("binary data has array element type {} instead of expected {}", found.0, expected.0),
            ),
            DecodeError::Dimensions => problem(
                ErrorKind::FeatureNotSupported,
                "array parameters of more than one dimension are not supported".to_owned(),
            ),
            DecodeError::NoBinaryInput(ty) => {
                problem(ErrorKind::UndefinedFunction, format!("no binary input function available for type {ty}"))
                    .hint("Send the parameter as text.")
            }
            DecodeError::Problem(problem) => *problem,
        }
    }
}

/// Decodes whatever bytes come: a type, a format, a value.
pub fn fuzz_parameter(bytes: &[u8]) {
    let Some((head, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let scalar = PgType::ALL[usize::from(head[0]) % PgType::ALL.len()];
    let ty = if head[1] & 2 == 0 { scalar } else { scalar.array().unwrap_or(scalar) };
    let format = if head[1] & 1 == 0 { Format::Text } else { Format::Binary };
    if let Err(error) = value(bytes, ty, format, &Style::default()) {
        let _ = error.into_problem(1);
    }
}

#[cfg(test)]
mod tests;
