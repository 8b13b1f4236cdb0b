//! Order and equality of values, as btree operator classes have them.

use std::cmp::Ordering;

use bigdecimal::{BigDecimal, FromPrimitive, ToPrimitive};
use mantissa_core::Interval;

use crate::datum::{Array, Datum, Numeric};

/// An interval as one number of microseconds: a month is 30 days and a day 24 hours, as interval comparison has it.
pub fn interval_span(value: &Interval) -> i128 {
    let days = i128::from(value.months) * 30 + i128::from(value.days);
    days * 86_400_000_000 + i128::from(value.micros)
}

/// Compares two values that are not NULL. Numbers compare across their types; NULL elements sort last.
pub fn compare(left: &Datum, right: &Datum) -> Ordering {
    match (left, right) {
        (Datum::Text(a), Datum::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        (Datum::Char(a), Datum::Char(b)) => a.cmp(b),
        (Datum::Bytea(a), Datum::Bytea(b)) => a.cmp(b),
        (Datum::Date(a), Datum::Date(b)) => a.cmp(b),
        (Datum::Time(a), Datum::Time(b)) => a.cmp(b),
        (Datum::Timestamp(a) | Datum::TimestampTz(a), Datum::Timestamp(b) | Datum::TimestampTz(b)) => a.cmp(b),
        (Datum::Interval(a), Datum::Interval(b)) => interval_span(a).cmp(&interval_span(b)),
        (Datum::Uuid(a), Datum::Uuid(b)) => a.cmp(b),
        (Datum::Array(a), Datum::Array(b)) => compare_arrays(a, b),
        (Datum::Record(a), Datum::Record(b)) => compare_lists(&a.values, &b.values),
        (Datum::Null, Datum::Null) => Ordering::Equal,
        (Datum::Null, _) => Ordering::Greater,
        (_, Datum::Null) => Ordering::Less,
        _ => compare_numbers(left, right),
    }
}

fn compare_arrays(left: &Array, right: &Array) -> Ordering {
    compare_lists(&left.values, &right.values)
        .then_with(|| left.dimensions.len().cmp(&right.dimensions.len()))
        .then_with(|| {
            let shape = |array: &Array| array.dimensions.iter().map(|d| (d.length, d.lower)).collect::<Vec<_>>();
            shape(left).cmp(&shape(right))
        })
}

fn compare_lists(left: &[Datum], right: &[Datum]) -> Ordering {
    for (a, b) in left.iter().zip(right) {
        let order = compare(a, b);
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

fn compare_numbers(left: &Datum, right: &Datum) -> Ordering {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return a.cmp(&b);
    }
    if is_float(left) || is_float(right) {
        return match (to_f64(left), to_f64(right)) {
            (Some(a), Some(b)) => compare_floats(a, b),
            _ => Ordering::Equal,
        };
    }
    match (to_numeric(left), to_numeric(right)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => Ordering::Equal,
    }
}

fn is_float(value: &Datum) -> bool {
    matches!(value, Datum::Float4(_) | Datum::Float8(_))
}

/// NaN equals itself and is greater than every number.
pub fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Any number as a double.
pub fn to_f64(value: &Datum) -> Option<f64> {
    match value {
        Datum::Float4(value) => Some((*value).into()),
        Datum::Float8(value) => Some(*value),
        Datum::Numeric(Numeric::Finite(value)) => value.to_f64(),
        Datum::Numeric(Numeric::NaN) => Some(f64::NAN),
        other => other.as_int().map(|value| value as f64),
    }
}

/// Any number as a decimal; infinities have none.
pub fn to_numeric(value: &Datum) -> Option<Numeric> {
    match value {
        Datum::Numeric(value) => Some(value.clone()),
        Datum::Float4(value) if value.is_nan() => Some(Numeric::NaN),
        Datum::Float8(value) if value.is_nan() => Some(Numeric::NaN),
        Datum::Float4(value) => value.to_string().parse().ok().map(Numeric::Finite),
        Datum::Float8(value) => decimal_of_f64(*value).map(Numeric::Finite),
        other => other.as_int().map(Numeric::from),
    }
}

/// A double has 15 digits that mean something when it becomes a numeric.
fn decimal_of_f64(value: f64) -> Option<BigDecimal> {
    if !value.is_finite() {
        return None;
    }
    let rounded: f64 = format!("{value:.14e}").parse().ok()?;
    rounded.to_string().parse().ok().or_else(|| BigDecimal::from_f64(value))
}
