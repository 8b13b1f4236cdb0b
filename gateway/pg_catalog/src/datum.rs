//! One value of a catalog query.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use bigdecimal::BigDecimal;
use mantissa_core::{Interval, PgType};

/// A value. Its SQL type stands beside it (in a column or an expression): `text`, `name`, `varchar`, `json` and every
/// type whose text is its meaning share [`Datum::Text`]; `oid` and the `reg*` types share [`Datum::Oid`].
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Null,
    Bool(bool),
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Oid(u32),
    Float4(f32),
    Float8(f64),
    Numeric(Numeric),
    /// `"char"`: one byte; 0 prints as the empty string.
    Char(u8),
    Text(Arc<str>),
    Bytea(Arc<[u8]>),
    /// Days since 1970-01-01; `i32::MAX` and `i32::MIN` are infinity.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00, no zone; `i64::MAX` and `i64::MIN` are infinity.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00 UTC.
    TimestampTz(i64),
    Interval(Interval),
    Uuid([u8; 16]),
    Array(Arc<Array>),
    Record(Arc<Record>),
}

/// numeric: a decimal whose scale is the one Postgres displays, or NaN.
#[derive(Debug, Clone)]
pub enum Numeric {
    Finite(BigDecimal),
    NaN,
}

/// An array of any number of dimensions, its elements in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub element: PgType,
    /// Length and lower bound of each dimension; empty for an empty array.
    pub dimensions: Vec<Dimension>,
    pub values: Vec<Datum>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimension {
    pub length: usize,
    pub lower: i32,
}

/// A row value.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub fields: Vec<(Arc<str>, PgType)>,
    pub values: Vec<Datum>,
}

impl Datum {
    pub fn text(value: impl AsRef<str>) -> Self {
        Datum::Text(Arc::from(value.as_ref()))
    }

    /// A one-dimensional array with lower bound 1.
    pub fn array(element: PgType, values: Vec<Datum>) -> Self {
        Datum::Array(Arc::new(Array::new(element, values, 1)))
    }

    /// `text[]`.
    pub fn text_array<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        Self::array(PgType::TEXT, values.into_iter().map(Datum::text).collect())
    }

    /// `int2vector`, whose subscripts start at 0.
    pub fn int2vector(values: impl IntoIterator<Item = i16>) -> Self {
        Datum::Array(Arc::new(Array::new(PgType::INT2, values.into_iter().map(Datum::Int2).collect(), 0)))
    }

    /// `oidvector`, whose subscripts start at 0.
    pub fn oidvector(values: impl IntoIterator<Item = u32>) -> Self {
        Datum::Array(Arc::new(Array::new(PgType::OID, values.into_iter().map(Datum::Oid).collect(), 0)))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Datum::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Datum::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of any integer type, `oid` included.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Datum::Int2(value) => Some((*value).into()),
            Datum::Int4(value) => Some((*value).into()),
            Datum::Int8(value) => Some(*value),
            Datum::Oid(value) => Some((*value).into()),
            _ => None,
        }
    }

    pub fn as_oid(&self) -> Option<u32> {
        self.as_int().and_then(|value| u32::try_from(value).ok())
    }

    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Datum::Array(array) => Some(array),
            _ => None,
        }
    }
}

impl From<&str> for Datum {
    fn from(value: &str) -> Self {
        Datum::text(value)
    }
}

impl From<String> for Datum {
    fn from(value: String) -> Self {
        Datum::Text(value.into())
    }
}

impl From<bool> for Datum {
    fn from(value: bool) -> Self {
        Datum::Bool(value)
    }
}

impl From<i32> for Datum {
    fn from(value: i32) -> Self {
        Datum::Int4(value)
    }
}

impl From<i64> for Datum {
    fn from(value: i64) -> Self {
        Datum::Int8(value)
    }
}

impl<T: Into<Datum>> From<Option<T>> for Datum {
    fn from(value: Option<T>) -> Self {
        value.map_or(Datum::Null, Into::into)
    }
}

impl Array {
    pub fn new(element: PgType, values: Vec<Datum>, lower: i32) -> Self {
        let dimensions = if values.is_empty() { vec![] } else { vec![Dimension { length: values.len(), lower }] };
        Self { element, dimensions, values }
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Numeric {}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numeric {
    /// NaN equals itself and is greater than every number, as in Postgres.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Numeric::Finite(left), Numeric::Finite(right)) => left.cmp(right),
            (Numeric::NaN, Numeric::NaN) => Ordering::Equal,
            (Numeric::NaN, _) => Ordering::Greater,
            (_, Numeric::NaN) => Ordering::Less,
        }
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Numeric::Finite(value) => f.write_str(&value.to_plain_string()),
            Numeric::NaN => f.write_str("NaN"),
        }
    }
}

impl From<i64> for Numeric {
    fn from(value: i64) -> Self {
        Numeric::Finite(value.into())
    }
}
