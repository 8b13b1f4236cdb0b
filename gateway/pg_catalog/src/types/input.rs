//! Text as a value, as each type's input function reads it.

use mantissa_core::PgType;

use super::datetime::{self, Moment};
use super::{cast, category};
use crate::context::Context;
use crate::datum::{Array, Datum, Dimension, Numeric, Record};
use crate::error::{Error, Result};
use crate::functions::names;

/// Reads `text` as a value of `ty`.
pub fn parse(context: &Context<'_>, text: &str, ty: PgType, typmod: i32) -> Result<Datum> {
    let invalid = || Error::InvalidText { ty: ty.sql_name(), text: text.to_owned() };
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
    if let Some(element) = category::element(ty) {
        return match ty {
            PgType::INT2VECTOR | PgType::OIDVECTOR => vector(context, text, element),
            _ => array(context, text, element),
        };
    }
    Ok(match ty {
        PgType::BOOL => Datum::Bool(boolean(trimmed).ok_or_else(invalid)?),
        PgType::INT2 => Datum::Int2(integer(trimmed, ty, text)?),
        PgType::INT4 => Datum::Int4(integer(trimmed, ty, text)?),
        PgType::INT8 => Datum::Int8(integer(trimmed, ty, text)?),
        PgType::OID | PgType::XID | PgType::CID => Datum::Oid(oid(trimmed, text)?),
        _ if ty.is_reg() => Datum::Oid(names::reg_oid(context, text, ty)?),
        PgType::FLOAT4 => Datum::Float4(float(trimmed).ok_or_else(invalid)? as f32),
        PgType::FLOAT8 => Datum::Float8(float(trimmed).ok_or_else(invalid)?),
        PgType::NUMERIC => cast::round_numeric(numeric(trimmed).ok_or_else(invalid)?, typmod)?,
        PgType::CHAR => Datum::Char(text.bytes().next().unwrap_or(0)),
        PgType::NAME => Datum::text(truncate_name(text)),
        PgType::BYTEA => Datum::Bytea(bytea(text).ok_or_else(invalid)?.into()),
        PgType::UUID => Datum::Uuid(uuid(trimmed).ok_or_else(invalid)?),
        PgType::INTERVAL => Datum::Interval(datetime::parse_interval(text).ok_or_else(|| bad_datetime(ty, text))?),
        PgType::TIME => Datum::Time(datetime::parse_time(text).ok_or_else(|| bad_datetime(ty, text))?),
        PgType::DATE | PgType::TIMESTAMP | PgType::TIMESTAMPTZ => moment(context, text, ty, typmod)?,
        PgType::JSON | PgType::JSONB => json(text, ty)?,
        PgType::RECORD => return Err(Error::Unsupported("input of anonymous composite types".into())),
        _ => cast::fit_text(text, ty, typmod)?,
    })
}

fn bad_datetime(ty: PgType, text: &str) -> Error {
    // Digits in the places of a date or time are a value out of range; anything else is no date at all.
    let is_shaped = text.contains(['-', ':', '/']) && text.chars().all(|c| c.is_ascii_digit() || "-:/. +".contains(c));
    if is_shaped && text.trim().starts_with(|c: char| c.is_ascii_digit()) {
        return Error::DatetimeField(text.to_owned());
    }
    Error::InvalidDatetime { ty: ty.sql_name(), text: text.to_owned() }
}

/// Names hold 63 bytes.
pub fn truncate_name(text: &str) -> &str {
    let mut end = text.len().min(63);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

pub fn boolean(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let is_prefix = |word: &str| !lower.is_empty() && word.starts_with(&lower);
    match lower.as_str() {
        "on" | "1" => Some(true),
        "of" | "off" | "0" => Some(false),
        _ if is_prefix("true") || is_prefix("yes") => Some(true),
        _ if is_prefix("false") || is_prefix("no") => Some(false),
        _ => None,
    }
}

fn integer<T: TryFrom<i64>>(trimmed: &str, ty: PgType, text: &str) -> Result<T> {
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::InvalidText { ty: ty.sql_name(), text: text.to_owned() });
    }
    let value: Option<i64> = trimmed.parse().ok();
    value
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| Error::ValueOutOfRange { ty: ty.sql_name(), text: text.to_owned() })
}

fn oid(trimmed: &str, text: &str) -> Result<u32> {
    let value: i64 = integer(trimmed, PgType::OID, text)?;
    u32::try_from(value)
        .or_else(|_| i32::try_from(value).map(|negative| negative as u32))
        .map_err(|_| Error::ValueOutOfRange { ty: "oid".into(), text: text.to_owned() })
}

fn float(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "infinity" | "inf" | "+infinity" | "+inf" => Some(f64::INFINITY),
        "-infinity" | "-inf" => Some(f64::NEG_INFINITY),
        lower if lower.ends_with(|c: char| c.is_ascii_digit() || c == '.') => lower.parse().ok(),
        _ => None,
    }
}

pub fn numeric(text: &str) -> Option<Numeric> {
    if text.eq_ignore_ascii_case("nan") {
        return Some(Numeric::NaN);
    }
    let starts_well = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !starts_well || text.contains('_') {
        return None;
    }
    let exponent = text.split_once(['e', 'E']).map_or(Some(0), |(_, exponent)| exponent.parse::<i32>().ok())?;
    if exponent.abs() > 10_000 {
        return None;
    }
    let value: bigdecimal::BigDecimal = text.parse().ok()?;
    let scale = value.fractional_digit_count();
    Some(Numeric::Finite(if scale < 0 { value.with_scale(0) } else { value }))
}

fn bytea(text: &str) -> Option<Vec<u8>> {
    if let Some(hex) = text.strip_prefix("\\x") {
        let digits: Vec<u8> = hex
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_digit(16).map(|d| d as u8))
            .collect::<Option<_>>()?;
        return digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect());
    }
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        match (bytes[index], bytes.get(index + 1)) {
            (b'\\', Some(b'\\')) => {
                out.push(b'\\');
                index += 2;
            }
            (b'\\', _) => {
                let octal = std::str::from_utf8(bytes.get(index + 1..index + 4)?).ok()?;
                out.push(u8::from_str_radix(octal, 8).ok()?);
                index += 4;
            }
            (byte, _) => {
                out.push(byte);
                index += 1;
            }
        }
    }
    Some(out)
}

pub fn uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    if hex.len() != 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&hex, 16).ok().map(u128::to_be_bytes)
}

fn moment(context: &Context<'_>, text: &str, ty: PgType, typmod: i32) -> Result<Datum> {
    let zone = context.time_zone();
    let moment = datetime::parse_moment(text, context.now, zone).ok_or_else(|| bad_datetime(ty, text))?;
    Ok(match (moment, ty) {
        (Moment::Infinity, PgType::DATE) => Datum::Date(i32::MAX),
        (Moment::MinusInfinity, PgType::DATE) => Datum::Date(i32::MIN),
        (Moment::Infinity, PgType::TIMESTAMP) => Datum::Timestamp(i64::MAX),
        (Moment::MinusInfinity, PgType::TIMESTAMP) => Datum::Timestamp(i64::MIN),
        (Moment::Infinity, _) => Datum::TimestampTz(i64::MAX),
        (Moment::MinusInfinity, _) => Datum::TimestampTz(i64::MIN),
        (Moment::At { local, .. }, PgType::DATE) => Datum::Date(local.div_euclid(datetime::DAY) as i32),
        (Moment::At { local, .. }, PgType::TIMESTAMP) => Datum::Timestamp(cast::round_micros(local, typmod)),
        (Moment::At { local, offset, zone: named }, _) => {
            let utc = match offset {
                Some(offset) => local - offset * datetime::SECOND,
                None => datetime::to_utc(named.unwrap_or(zone), local),
            };
            Datum::TimestampTz(cast::round_micros(utc, typmod))
        }
    })
}

fn json(text: &str, ty: PgType) -> Result<Datum> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|_| Error::InvalidText { ty: "json".into(), text: text.to_owned() })?;
    Ok(if ty == PgType::JSONB { Datum::from(crate::functions::json::print_jsonb(&value)) } else { Datum::text(text) })
}

fn vector(context: &Context<'_>, text: &str, element: PgType) -> Result<Datum> {
    let values = text.split_whitespace().map(|word| parse(context, word, element, -1)).collect::<Result<_>>()?;
    Ok(Datum::Array(Array::new(element, values, 0).into()))
}

/// Reads `{a,"b",NULL}`, nested braces and `[0:2]={...}`.
fn array(context: &Context<'_>, text: &str, element: PgType) -> Result<Datum> {
    let malformed = || Error::MalformedArray(text.to_owned());
    let trimmed = text.trim();
    let (bounds, body) = match trimmed.starts_with('[') {
        true => {
            let (bounds, body) = trimmed.split_once('=').ok_or_else(malformed)?;
            (lower_bounds(bounds).ok_or_else(malformed)?, body.trim())
        }
        false => (Vec::new(), trimmed),
    };
    let mut reader = ArrayReader { chars: body.chars().collect(), at: 0, values: Vec::new(), lengths: Vec::new() };
    reader.level(0).ok_or_else(malformed)?;
    if reader.at != reader.chars.len() {
        return Err(malformed());
    }
    let values = reader
        .values
        .iter()
        .map(|value| value.as_ref().map_or(Ok(Datum::Null), |value| parse(context, value, element, -1)))
        .collect::<Result<Vec<_>>>()?;
    if values.is_empty() {
        return Ok(Datum::array(element, Vec::new()));
    }
    let dimensions: Vec<Dimension> = reader
        .lengths
        .iter()
        .enumerate()
        .map(|(depth, length)| Dimension { length: *length, lower: bounds.get(depth).copied().unwrap_or(1) })
        .collect();
    if dimensions.iter().map(|dimension| dimension.length).product::<usize>() != values.len() {
        return Err(malformed());
    }
    Ok(Datum::Array(Array { element, dimensions, values }.into()))
}

fn lower_bounds(text: &str) -> Option<Vec<i32>> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    inner.split("][").map(|part| part.split_once(':')?.0.parse().ok()).collect()
}

struct ArrayReader {
    chars: Vec<char>,
    at: usize,
    values: Vec<Option<String>>,
    lengths: Vec<usize>,
}

impl ArrayReader {
    fn skip_space(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn eat(&mut self, expected: char) -> bool {
        self.skip_space();
        let found = self.chars.get(self.at) == Some(&expected);
        self.at += usize::from(found);
        found
    }

    fn level(&mut self, depth: usize) -> Option<()> {
        if depth > 6 || !self.eat('{') {
            return None;
        }
        let mut count = 0;
        if !self.eat('}') {
            loop {
                self.skip_space();
                if self.chars.get(self.at) == Some(&'{') {
                    self.level(depth + 1)?
                } else {
                    self.element()?
                }
                count += 1;
                if self.eat('}') {
                    break;
                }
                if !self.eat(',') {
                    return None;
                }
            }
        }
        while self.lengths.len() <= depth {
            self.lengths.push(count);
        }
        (self.lengths[depth] == count).then_some(())
    }

    fn element(&mut self) -> Option<()> {
        let mut text = String::new();
        let quoted = self.chars.get(self.at) == Some(&'"');
        if quoted {
            self.at += 1;
            loop {
                match *self.chars.get(self.at)? {
                    '"' => break,
                    '\\' => {
                        self.at += 1;
                        text.push(*self.chars.get(self.at)?);
                    }
                    c => text.push(c),
                }
                self.at += 1;
            }
            self.at += 1;
        } else {
            while let Some(c) = self.chars.get(self.at).filter(|c| !matches!(c, ',' | '}' | '{' | '"')) {
                let c = if *c == '\\' {
                    self.at += 1;
                    *self.chars.get(self.at)?
                } else {
                    *c
                };
                text.push(c);
                self.at += 1;
            }
            text = text.trim_end().to_owned();
            if text.is_empty() {
                return None;
            }
        }
        let is_null = !quoted && text.eq_ignore_ascii_case("null");
        self.values.push((!is_null).then_some(text));
        Some(())
    }
}

/// Reads `(a,"b",)` as a row of the given fields.
pub fn record(context: &Context<'_>, text: &str, fields: &[(std::sync::Arc<str>, PgType)]) -> Result<Datum> {
    let invalid = || Error::InvalidText { ty: "record".into(), text: text.to_owned() };
    let inner = text.trim().strip_prefix('(').and_then(|t| t.strip_suffix(')')).ok_or_else(invalid)?;
    let parts: Vec<&str> = inner.split(',').collect();
    if parts.len() != fields.len() {
        return Err(invalid());
    }
    let values = parts
        .iter()
        .zip(fields)
        .map(
            |(part, field)| {
                if part.is_empty() { Ok(Datum::Null) } else { parse(context, part.trim_matches('"'), field.1, -1) }
            },
        )
        .collect::<Result<_>>()?;
    Ok(Datum::Record(Record { fields: fields.to_vec(), values }.into()))
}
