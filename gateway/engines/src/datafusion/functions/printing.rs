//! How Postgres prints values.

use arrow::datatypes::IntervalMonthDayNano;

use super::{cast, time};

pub(crate) fn float(value: f64) -> String {
    cast::print_float(value, format!("{value:e}"))
}

pub(crate) fn real(value: f32) -> String {
    cast::print_float(f64::from(value), format!("{value:e}"))
}

pub(crate) fn timestamp(micros: i64) -> String {
    time::print(micros)
}

pub(crate) fn time(micros: i64) -> String {
    time::print_time(micros)
}

pub(crate) fn interval(value: IntervalMonthDayNano) -> String {
    cast::print_interval(value)
}

pub(crate) fn array_item(item: &str) -> String {
    cast::quote_item(item)
}
