//! The binary formats of parameters.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use mantissa_core::{Interval, PgType, Value};

use super::{DecodeError, text_of};
use crate::encode::{MICROS_PER_DAY, POSTGRES_EPOCH_DAYS, POSTGRES_EPOCH_MICROS};

/// Postgres's own limit, MAXDIM.
const MAX_DIMENSIONS: i32 = 6;
const NUMERIC_NEGATIVE: u16 = 0x4000;

pub(super) fn value(bytes: &[u8], ty: PgType) -> Result<Value, DecodeError> {
    if let Some(element) = ty.element() {
        return array(bytes, element);
    }
    Ok(match ty {
        PgType::BOOL => Value::Bool(fixed::<1>(bytes)? != [0]),
        PgType::INT2 => Value::Int(i16::from_be_bytes(fixed(bytes)?).into()),
        PgType::INT4 => Value::Int(i32::from_be_bytes(fixed(bytes)?).into()),
        PgType::INT8 => Value::Int(i64::from_be_bytes(fixed(bytes)?)),
        PgType::OID | PgType::XID | PgType::CID => Value::Int(u32::from_be_bytes(fixed(bytes)?).into()),
        ty if ty.is_reg() => Value::Int(u32::from_be_bytes(fixed(bytes)?).into()),
        PgType::FLOAT4 => Value::Float(f32::from_be_bytes(fixed(bytes)?).into()),
        PgType::FLOAT8 => Value::Float(f64::from_be_bytes(fixed(bytes)?)),
        PgType::NUMERIC => Value::Numeric(numeric(bytes)?),
        PgType::BYTEA => Value::Bytea(bytes.to_vec()),
        PgType::DATE => date(i32::from_be_bytes(fixed(bytes)?))?,
        PgType::TIME => {
            let micros = i64::from_be_bytes(fixed(bytes)?);
            if !(0..=MICROS_PER_DAY).contains(&micros) {
                return Err(DecodeError::OutOfRange { ty, text: micros.to_string() });
            }
            Value::Time(micros)
        }
        PgType::TIMESTAMP => instant(bytes, ty, Value::Timestamp)?,
        PgType::TIMESTAMPTZ => instant(bytes, ty, Value::TimestampTz)?,
        PgType::INTERVAL => {
            let mut rest = Reader(bytes);
            let (micros, days, months) = (rest.i64()?, rest.i32()?, rest.i32()?);
            rest.end()?;
            Value::Interval(Interval { months, days, micros })
        }
        PgType::UUID => Value::Text(uuid(fixed(bytes)?)),
        PgType::JSONB => match bytes.split_first() {
            Some((1, json)) => Value::Text(text_of(json)?.to_owned()),
            _ => return Err(DecodeError::BadBinary),
        },
        PgType::INET | PgType::CIDR => Value::Text(network(bytes)?),
        PgType::TEXT
        | PgType::VARCHAR
        | PgType::BPCHAR
        | PgType::NAME
        | PgType::CHAR
        | PgType::JSON
        | PgType::XML
        | PgType::UNKNOWN
        | PgType::CSTRING
        | PgType::REFCURSOR => Value::Text(text_of(bytes)?.to_owned()),
        // A type of no table here is text to both sides.
        ty if ty.name() == "unknown" => Value::Text(text_of(bytes)?.to_owned()),
        other => return Err(DecodeError::NoBinaryInput(other)),
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::BadBinary)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(DecodeError::BadBinary)?;
        self.0 = rest;
        Ok(*array)
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_be_bytes)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(DecodeError::BadBinary)?;
        self.0 = rest;
        Ok(taken)
    }

    fn end(&self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::BadBinary) }
    }
}

fn date(days: i32) -> Result<Value, DecodeError> {
    Ok(match days {
        i32::MAX => Value::Text("infinity".to_owned()),
        i32::MIN => Value::Text("-infinity".to_owned()),
        _ => {
            let unix = days.checked_add(POSTGRES_EPOCH_DAYS);
            Value::Date(unix.ok_or_else(|| DecodeError::OutOfRange { ty: PgType::DATE, text: days.to_string() })?)
        }
    })
}

fn instant(bytes: &[u8], ty: PgType, make: fn(i64) -> Value) -> Result<Value, DecodeError> {
    Ok(match i64::from_be_bytes(fixed(bytes)?) {
        i64::MAX => Value::Text("infinity".to_owned()),
        i64::MIN => Value::Text("-infinity".to_owned()),
        micros => {
            let unix = micros.checked_add(POSTGRES_EPOCH_MICROS);
            make(unix.ok_or_else(|| DecodeError::OutOfRange { ty, text: micros.to_string() })?)
        }
    })
}

fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn network(bytes: &[u8]) -> Result<String, DecodeError> {
    let mut rest = Reader(bytes);
    let [family, bits, is_cidr, length] = rest.array()?;
    let (address, width) = match (family, length) {
        (2, 4) => (Ipv4Addr::from(rest.array::<4>()?).to_string(), 32),
        (3, 16) => (Ipv6Addr::from(rest.array::<16>()?).to_string(), 128),
        _ => return Err(DecodeError::BadBinary),
    };
    rest.end()?;
    if bits > width {
        return Err(DecodeError::BadBinary);
    }
    Ok(if bits == width && is_cidr == 0 { address } else { format!("{address}/{bits}") })
}

/// Base-10000 digits into decimal text with as many fraction digits as the value displays.
fn numeric(bytes: &[u8]) -> Result<String, DecodeError> {
    let mut rest = Reader(bytes);
    let (count, weight) = (rest.u16()?, rest.u16()? as i16);
    let (sign, scale) = (rest.u16()?, rest.u16()?);
    let mut groups = Vec::with_capacity(usize::from(count).min(rest.0.len() / 2));
    for _ in 0..count {
        groups.push(rest.u16()?);
    }
    rest.end()?;
    match sign {
        0 | NUMERIC_NEGATIVE => {}
        0xC000 => return Ok("NaN".to_owned()),
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        _ => return Err(DecodeError::BadBinary),
    }
    if groups.iter().any(|group| *group > 9_999) || scale > 0x3FFF {
        return Err(DecodeError::BadBinary);
    }
    let group = |power: i32| -> u16 {
        let index = i32::from(weight) - power;
        usize::try_from(index).ok().and_then(|index| groups.get(index)).copied().unwrap_or(0)
    };
    let mut text = String::new();
    if sign == NUMERIC_NEGATIVE {
        text.push('-');
    }
    let whole_from = text.len();
    for power in (0..=i32::from(weight)).rev() {
        let _ = write!(text, "{:04}", group(power));
    }
    let leading = text[whole_from..].bytes().take_while(|digit| *digit == b'0').count();
    text.replace_range(whole_from..whole_from + leading, "");
    if text.len() == whole_from {
        text.push('0');
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + usize::from(scale);
        let mut power = -1;
        while text.len() < end {
            let _ = write!(text, "{:04}", group(power));
            power -= 1;
        }
        text.truncate(end);
    }
    Ok(text)
}

fn array(bytes: &[u8], element: PgType) -> Result<Value, DecodeError> {
    let mut rest = Reader(bytes);
    let (dimensions, _has_nulls, found) = (rest.i32()?, rest.i32()?, PgType(rest.i32()? as u32));
    if found != element {
        return Err(DecodeError::ElementType { found, expected: element });
    }
    match dimensions {
        0 => {
            rest.end()?;
            return Ok(Value::Array(element, Vec::new()));
        }
        1 => {}
        2..=MAX_DIMENSIONS => return Err(DecodeError::Dimensions),
        _ => return Err(DecodeError::BadBinary),
    }
    let (count, _lower_bound) = (rest.i32()?, rest.i32()?);
    let count = usize::try_from(count).map_err(|_| DecodeError::BadBinary)?;
    // Each element has at least its length, so a count that the bytes cannot hold is found before memory is taken.
    if count > rest.0.len() / 4 {
        return Err(DecodeError::BadBinary);
    }
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(match rest.i32()? {
            -1 => Value::Null,
            length => value(rest.take(usize::try_from(length).map_err(|_| DecodeError::BadBinary)?)?, element)?,
        });
    }
    rest.end()?;
    Ok(Value::Array(element, items))
}
