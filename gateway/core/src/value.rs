use crate::PgType;

/// Postgres's interval: three parts that do not convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    pub months: i32,
    pub days: i32,
    pub micros: i64,
}

/// One parameter of a statement, decoded from the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// int2, int4, int8 and oid.
    Int(i64),
    Float(f64),
    /// numeric in its decimal form.
    Numeric(String),
    /// text and every type whose text form is its meaning (inet, json, uuid, enums, unknown).
    Text(String),
    Bytea(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00, no zone.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00 UTC.
    TimestampTz(i64),
    Interval(Interval),
    /// Element type, elements. One dimension.
    Array(PgType, Vec<Value>),
}
