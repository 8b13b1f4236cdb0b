//! Rows that already have their table's columns, as NDJSON.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::{Scan, Value, scan_value, unescape};
use crate::parsers::{Parsed, Parser, Reason, Surroundings, content_id};
use crate::row::{Row, Scalar};
use crate::schema::{ColumnSpec, ColumnType, PARTITION, RAW, common, common_columns};
use crate::timestamp::{self, TimeFault};

/// Reads objects whose keys are columns. Keys that the table lacks become columns.
pub struct RowsParser {
    /// Position (common columns first, then the source's own) and type by name.
    columns: HashMap<String, (usize, ColumnType)>,
    common: usize,
}

impl RowsParser {
    pub fn new(own: &[ColumnSpec]) -> Self {
        let all = common_columns().chain(own.iter().cloned());
        let columns = all.enumerate().map(|(position, column)| (column.name, (position, column.ty))).collect();
        Self { columns, common: crate::schema::COMMON.len() }
    }
}

impl Parser for RowsParser {
    fn parse<'a>(&mut self, text: &'a str, _: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        let object @ Value::Object(_) = Value::of(text) else { return Err("not a JSON object") };
        for (key, value) in object.members() {
            match self.columns.get(key) {
                Some((position, ty)) => {
                    let scalar = scalar(value, *ty)?;
                    match row.common.get_mut(*position) {
                        Some(cell) => *cell = scalar,
                        None => row.set_own(position - self.common, scalar),
                    }
                }
                None if key == RAW => row.raw = raw_text(value),
                None if key == PARTITION => {}
                None => row.inferred.push((unescape(key), natural(value))),
            }
        }
        if row.time().is_none() {
            return Err("column time is missing");
        }
        if row.is_null(common::EVENT_ID) {
            row.set(common::EVENT_ID, content_id(text));
        }
        Ok(Parsed::Row)
    }
}

/// A value as its column's type. Null where there is none, a fault where it does not fit.
fn scalar(value: Value<'_>, ty: ColumnType) -> Result<Scalar<'_>, Reason> {
    if value == Value::Null {
        return Ok(Scalar::Null);
    }
    let within = |range: std::ops::RangeInclusive<i64>| {
        let number = value.integer().filter(|number| range.contains(number));
        number.map(Scalar::Int).ok_or("a number column holds something else")
    };
    match ty {
        ColumnType::Text | ColumnType::Json => Ok(match value {
            Value::String(inner) => Scalar::Text(unescape(inner)),
            Value::Object(text) | Value::Array(text) => Scalar::Text(Cow::Borrowed(text)),
            other => other.text().into(),
        }),
        ColumnType::Smallint => within(i64::from(i16::MIN)..=i64::from(i16::MAX)),
        ColumnType::Integer => within(i64::from(i32::MIN)..=i64::from(i32::MAX)),
        ColumnType::Bigint => within(i64::MIN..=i64::MAX),
        ColumnType::Double => value.number().map(Scalar::Float).ok_or("a number column holds something else"),
        ColumnType::Boolean => value.boolean().map(Scalar::Bool).ok_or("a boolean column holds something else"),
        ColumnType::Timestamptz => {
            let text = value.text().ok_or(TimeFault::Unreadable.reason())?;
            timestamp::parse(&text).map(Scalar::Time).map_err(TimeFault::reason)
        }
    }
}

fn natural(value: Value<'_>) -> Scalar<'_> {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(flag) => Scalar::Bool(flag),
        Value::String(inner) => Scalar::Text(unescape(inner)),
        Value::Object(text) | Value::Array(text) => Scalar::Text(Cow::Borrowed(text)),
        Value::Number(number) => match number.parse() {
            Ok(whole) => Scalar::Int(whole),
            Err(_) => value.number().map_or(Scalar::Null, Scalar::Float),
        },
    }
}

/// `raw` as JSON text: as it is, out of a string that holds JSON, or as a JSON string.
fn raw_text(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Object(text) | Value::Array(text) => Cow::Borrowed(text),
        Value::String(inner) => {
            let text = unescape(inner);
            let trimmed = text.trim();
            if scan_value(trimmed.as_bytes(), 0) == Scan::Done(trimmed.len()) {
                text
            } else {
                Cow::Owned(format!("\"{inner}\""))
            }
        }
        other => other.text().unwrap_or(Cow::Borrowed("null")),
    }
}
