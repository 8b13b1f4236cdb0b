//! Values as keys of hash tables.

use std::sync::Arc;

use crate::datum::{Datum, Numeric};

/// A value in the form in which equal values are equal, across the integer types and `oid`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    Numeric(bigdecimal::BigDecimal),
    NaN,
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
    Uuid([u8; 16]),
    Span(i128),
    List(Vec<Key>),
}

impl Key {
    /// The key of a value that is not NULL.
    pub fn of(value: &Datum) -> Option<Key> {
        match value {
            Datum::Null => None,
            other => Some(Key::grouping(other)),
        }
    }

    /// The key by which NULL equals NULL, as GROUP BY and DISTINCT see it.
    pub fn grouping(value: &Datum) -> Key {
        match value {
            Datum::Null => Key::Null,
            Datum::Bool(value) => Key::Bool(*value),
            Datum::Int2(value) => Key::Int((*value).into()),
            Datum::Int4(value) => Key::Int((*value).into()),
            Datum::Int8(value) => Key::Int(*value),
            Datum::Oid(value) => Key::Int((*value).into()),
            Datum::Char(value) => Key::Int((*value).into()),
            Datum::Float4(value) => Key::float((*value).into()),
            Datum::Float8(value) => Key::float(*value),
            Datum::Numeric(Numeric::Finite(value)) => Key::Numeric(value.normalized()),
            Datum::Numeric(Numeric::NaN) => Key::NaN,
            Datum::Text(value) => Key::Text(Arc::clone(value)),
            Datum::Bytea(value) => Key::Bytes(Arc::clone(value)),
            Datum::Date(value) => Key::Int((*value).into()),
            Datum::Time(value) | Datum::Timestamp(value) | Datum::TimestampTz(value) => Key::Int(*value),
            Datum::Interval(value) => Key::Span(crate::types::compare::interval_span(value)),
            Datum::Uuid(value) => Key::Uuid(*value),
            Datum::Array(array) => Key::List(array.values.iter().map(Key::grouping).collect()),
            Datum::Record(record) => Key::List(record.values.iter().map(Key::grouping).collect()),
        }
    }

    fn float(value: f64) -> Key {
        if value.is_nan() {
            return Key::NaN;
        }
        Key::Float(if value == 0.0 { 0 } else { value.to_bits() })
    }
}
