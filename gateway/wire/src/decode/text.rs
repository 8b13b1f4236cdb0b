//! The text formats of parameters. What is checked here fails with Postgres's own error; the printed form of other types
//! goes on as it is, and the cast that the statement applies to it judges.

use mantissa_core::{PgType, Value};

use super::{DecodeError, datetime};
use crate::encode::{Style, parse_uuid};

pub(super) fn value(text: &str, ty: PgType, style: &Style) -> Result<Value, DecodeError> {
    if let Some(element) = ty.element() {
        return array(text, element, style);
    }
    let bad = || DecodeError::BadText { ty, text: text.to_owned() };
    let out_of_range = || DecodeError::OutOfRange { ty, text: text.to_owned() };
    Ok(match ty {
        PgType::BOOL => Value::Bool(boolean(text).ok_or_else(bad)?),
        PgType::INT2 => integer(text, ty, i64::from(i16::MIN), i64::from(i16::MAX))?,
        PgType::INT4 => integer(text, ty, i64::from(i32::MIN), i64::from(i32::MAX))?,
        PgType::INT8 => integer(text, ty, i64::MIN, i64::MAX)?,
        // Postgres reads a negative OID as its two's complement.
        PgType::OID => match integer(text, ty, i64::from(i32::MIN), i64::from(u32::MAX))? {
            Value::Int(number) => Value::Int(number & 0xffff_ffff),
            other => other,
        },
        PgType::FLOAT4 | PgType::FLOAT8 => {
            let number = float(text).ok_or_else(bad)?;
            let narrow_overflow = ty == PgType::FLOAT4 && number.is_finite() && (number as f32).is_infinite();
            let overflow = number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit());
            if overflow || narrow_overflow {
                return Err(out_of_range());
            }
            Value::Float(number)
        }
        PgType::NUMERIC => {
            let trimmed = text.trim_ascii();
            match trimmed.to_ascii_lowercase().as_str() {
                "nan" => Value::Numeric("NaN".to_owned()),
                "infinity" | "+infinity" | "inf" | "+inf" => Value::Numeric("Infinity".to_owned()),
                "-infinity" | "-inf" => Value::Numeric("-Infinity".to_owned()),
                number if is_decimal(number) => Value::Numeric(trimmed.to_owned()),
                _ => return Err(bad()),
            }
        }
        PgType::BYTEA => Value::Bytea(bytea(text).ok_or_else(bad)?),
        PgType::UUID => {
            parse_uuid(text).ok_or_else(bad)?;
            Value::Text(text.to_owned())
        }
        PgType::DATE | PgType::TIME | PgType::TIMESTAMP | PgType::TIMESTAMPTZ => datetime::value(text, ty, style)?,
        _ => Value::Text(text.to_owned()),
    })
}

/// Any unambiguous beginning of true, false, yes, no, on, off; or 1 or 0.
fn boolean(text: &str) -> Option<bool> {
    let word = text.trim_ascii().to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(word.as_str());
    if begins("true", 1) || begins("yes", 1) || word == "on" || word == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        Some(false)
    } else {
        None
    }
}

fn integer(text: &str, ty: PgType, least: i64, most: i64) -> Result<Value, DecodeError> {
    let trimmed = text.trim_ascii();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecodeError::BadText { ty, text: text.to_owned() });
    }
    match trimmed.parse::<i64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(Value::Int(number)),
        _ => Err(DecodeError::OutOfRange { ty, text: text.to_owned() }),
    }
}

fn float(text: &str) -> Option<f64> {
    let trimmed = text.trim_ascii();
    match trimmed.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "infinity" | "+infinity" | "inf" | "+inf" => Some(f64::INFINITY),
        "-infinity" | "-inf" => Some(f64::NEG_INFINITY),
        number if is_decimal(number) => number.parse().ok(),
        _ => None,
    }
}

/// `[+-] digits [. digits] [e [+-] digits]` with a digit before the exponent.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_is_one = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        (1..=6).contains(&exponent.len()) && digits(exponent)
    });
    whole.len() + fraction.len() > 0 && digits(whole) && digits(fraction) && exponent_is_one
}

fn bytea(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(hex) => bytea_hex(hex),
        None => bytea_escape(text.as_bytes()),
    }
}

fn bytea_hex(hex: &str) -> Option<Vec<u8>> {
    // Postgres allows white space between the pairs of digits.
    let mut digits = hex.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Vec::with_capacity(hex.len() / 2);
    while let Some(high) = digits.next() {
        bytes.push(digit(high)? << 4 | digit(digits.next()?)?);
    }
    Some(bytes)
}

fn bytea_escape(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    loop {
        text = match text {
            [] => return Some(bytes),
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            [b'\\', ..] => return None,
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
}

/// `{1,NULL,"a b"}`, perhaps with its bounds in front.
fn array(text: &str, element: PgType, style: &Style) -> Result<Value, DecodeError> {
    let bad = |detail| DecodeError::BadArray(detail, text.to_owned());
    let mut body = text.trim_ascii();
    if body.starts_with('[') {
        let (bounds, rest) = body.split_once('=').ok_or_else(|| bad("Missing \"=\" after array dimensions."))?;
        if bounds.matches('[').count() > 1 {
            return Err(DecodeError::Dimensions);
        }
        body = rest.trim_ascii();
    }
    let inside =
        body.strip_prefix('{').ok_or_else(|| bad("Array value must start with \"{\" or dimension information."))?;
    if inside.trim_ascii_start().starts_with('{') {
        return Err(DecodeError::Dimensions);
    }
    let mut elements = Elements { rest: inside, text };
    let mut items = Vec::new();
    if let Some(rest) = inside.trim_ascii_start().strip_prefix('}') {
        return if rest.is_empty() {
            Ok(Value::Array(element, items))
        } else {
            Err(bad("Junk after closing right brace."))
        };
    }
    loop {
        let (item, last) = elements.next()?;
        items.push(match item {
            None => Value::Null,
            Some(item) => value(&item, element, style)?,
        });
        if last {
            break;
        }
    }
    if !elements.rest.trim_ascii().is_empty() {
        return Err(bad("Junk after closing right brace."));
    }
    Ok(Value::Array(element, items))
}

struct Elements<'a> {
    rest: &'a str,
    text: &'a str,
}

impl Elements<'_> {
    fn bad(&self, detail: &'static str) -> DecodeError {
        DecodeError::BadArray(detail, self.text.to_owned())
    }

    /// The next element, `None` for NULL, and whether it was the last.
    fn next(&mut self) -> Result<(Option<String>, bool), DecodeError> {
        self.rest = self.rest.trim_ascii_start();
        let mut item = String::new();
        let mut quoted = false;
        // Length up to which trailing white space is the element's own.
        let mut kept = 0;
        let mut chars = self.rest.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                ',' | '}' => {
                    self.rest = &self.rest[at + 1..];
                    item.truncate(item.trim_ascii_end().len().max(kept));
                    if item.is_empty() && !quoted {
                        return Err(self.bad("Unexpected array element."));
                    }
                    let is_null = !quoted && item.eq_ignore_ascii_case("null");
                    return Ok(((!is_null).then_some(item), char == '}'));
                }
                '"' if quoted || !item.is_empty() => return Err(self.bad("Unexpected array element.")),
                '"' => {
                    quoted = true;
                    loop {
                        match chars.next() {
                            Some((_, '"')) => break,
                            Some((_, '\\')) => item.extend(chars.next().map(|(_, char)| char)),
                            Some((_, char)) => item.push(char),
                            None => return Err(self.bad("Unexpected end of input.")),
                        }
                    }
                    kept = item.len();
                }
                '{' => return Err(DecodeError::Dimensions),
                space if quoted && space.is_ascii_whitespace() => {}
                _ if quoted => return Err(self.bad("Unexpected array element.")),
                '\\' => {
                    item.extend(chars.next().map(|(_, char)| char));
                    kept = item.len();
                }
                other => item.push(other),
            }
        }
        Err(self.bad("Unexpected end of input."))
    }
}
