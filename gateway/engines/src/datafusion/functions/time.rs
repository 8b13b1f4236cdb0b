//! Dates, times and intervals.

use std::borrow::Cow;

use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int32Type, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};
use mantissa_core::ErrorKind;

use super::args::{Texts, Values, map_bool, map_text, map_values};
use super::{Function, Param};
use crate::datafusion::fault::fault;
use crate::datafusion::types;
use crate::datafusion::{output, pattern};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("date_difference", &[&[Param::Date, Param::Date]], |_| DataType::Int32, date_difference),
    Function::new("date_add_days", &[&[Param::Date, Param::Int]], |_| DataType::Date32, date_add_days),
    Function::new("date_subtract_days", &[&[Param::Date, Param::Int]], |_| DataType::Date32, date_subtract_days),
    Function::new("timestamp_difference", TWO_INSTANTS, |_| types::interval(), timestamp_difference),
    Function::new("age", AGE, |_| types::interval(), age),
    Function::new("interval_multiply", INTERVAL_NUMBER, |_| types::interval(), interval_multiply),
    Function::new("interval_divide", INTERVAL_NUMBER, |_| types::interval(), interval_divide),
    Function::new("interval_span", &[&[Param::Interval]], |_| DataType::Int64, interval_span),
    Function::new("extract", FIELD_OF, |_| DataType::Decimal128(38, 6), extract).field(extract_field),
    Function::new("date_part", FIELD_OF, |_| DataType::Float64, date_part),
    Function::new("to_char", TO_CHAR, text, to_char),
    Function::new("pg_to_char", TO_CHAR, text, to_char),
    Function::new("to_timestamp", TO_TIMESTAMP, |_| types::timestamptz(), to_timestamp),
    Function::new("pg_to_timestamp", TO_TIMESTAMP, |_| types::timestamptz(), to_timestamp),
    Function::new("to_date", &[&[Param::Text, Param::Text]], |_| DataType::Date32, to_date),
    Function::new("pg_to_date", &[&[Param::Text, Param::Text]], |_| DataType::Date32, to_date),
    Function::new("timezone", AT_ZONE, at_zone_type, at_zone),
    Function::new("pg_timezone", ZONE_AT, zone_at_type, zone_at),
    Function::new("make_interval", &[&[]], |_| types::interval(), make_interval).optional(MAKE_INTERVAL),
    Function::new("make_timestamp", MAKE_TIMESTAMP, |_| types::timestamp(), make_timestamp),
    Function::new("make_timestamptz", MAKE_TIMESTAMP, |_| types::timestamptz(), make_timestamp),
    Function::new("isfinite", &[&[Param::AnyTimestamp]], |_| DataType::Boolean, isfinite),
    Function::new("justify_hours", &[&[Param::Interval]], |_| types::interval(), justify_hours),
    Function::new("justify_days", &[&[Param::Interval]], |_| types::interval(), justify_days),
    Function::new("justify_interval", &[&[Param::Interval]], |_| types::interval(), justify_interval),
];

const TWO_INSTANTS: &[&[Param]] =
    &[&[Param::TimestampTz, Param::TimestampTz], &[Param::AnyTimestamp, Param::AnyTimestamp]];
const AGE: &[&[Param]] = &[&[Param::TimestampTz, Param::TimestampTz], &[Param::AnyTimestamp, Param::AnyTimestamp]];
const INTERVAL_NUMBER: &[&[Param]] = &[&[Param::Interval, Param::Float]];
const FIELD_OF: &[&[Param]] = &[
    &[Param::Text, Param::TimestampTz],
    &[Param::Text, Param::Timestamp],
    &[Param::Text, Param::Interval],
    &[Param::Text, Param::Time],
];
const TO_CHAR: &[&[Param]] = &[
    &[Param::TimestampTz, Param::Text],
    &[Param::Timestamp, Param::Text],
    &[Param::Interval, Param::Text],
    &[Param::Number, Param::Text],
];
const AT_ZONE: &[&[Param]] = &[&[Param::Text, Param::TimestampTz], &[Param::Text, Param::Timestamp]];
const ZONE_AT: &[&[Param]] = &[&[Param::TimestampTz, Param::Text], &[Param::Timestamp, Param::Text]];
const MAKE_TIMESTAMP: &[&[Param]] = &[&[Param::Int, Param::Int, Param::Int, Param::Int, Param::Int, Param::Float]];
const MAKE_INTERVAL: &[Param] = &[Param::Int, Param::Int, Param::Int, Param::Int, Param::Int, Param::Int, Param::Float];
const TO_TIMESTAMP: &[&[Param]] = &[&[Param::Float], &[Param::Text, Param::Text]];

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

fn text(_: &[DataType]) -> DataType {
    DataType::Utf8View
}

/// A wall-clock time; `None` outside what the calendar library knows (years beyond 262,000).
pub(crate) fn civil(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|at| at.naive_utc())
}

/// `2026-11-18 15:42:00.5`
pub(crate) fn print(micros: i64) -> String {
    let Some(at) = civil(micros) else { return micros.to_string() };
    let time = print_time(micros.rem_euclid(DAY));
    if at.year() <= 0 {
        return format!("{:04}-{:02}-{:02} {time} BC", 1 - at.year(), at.month(), at.day());
    }
    format!("{:04}-{:02}-{:02} {time}", at.year(), at.month(), at.day())
}

/// `15:42:00.5`, of microseconds since midnight. Hours may pass 24.
pub(crate) fn print_time(micros: i64) -> String {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let whole = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 {
        return whole;
    }
    let digits = format!("{fraction:06}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Reads a timestamp. A zone in the text counts where `keeps_zone`, and is passed over elsewhere, as Postgres does.
pub(crate) fn parse(text: &str, keeps_zone: bool) -> Option<i64> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "epoch" => return Some(0),
        "infinity" => return Some(i64::MAX),
        "-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let (text, offset) = split_zone(text)?;
    let (date, time) = match text.find([' ', 'T', 't']) {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let date = parse_date(date)?;
    let since_midnight = if time.is_empty() { 0 } else { parse_time(time)? };
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    let local = days.checked_mul(DAY)?.checked_add(since_midnight)?;
    Some(if keeps_zone { local - offset * SECOND } else { local })
}

/// The zone at the end of a timestamp, in seconds east of Greenwich; none is UTC.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return Some((rest.trim_end(), 0));
    }
    if let Some(rest) = text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT")) {
        return Some((rest.trim_end(), 0));
    }
    let Some(colon) = text.find(':') else { return Some((text, 0)) };
    let Some(sign) = text[colon..].find(['+', '-']).map(|at| at + colon) else { return Some((text, 0)) };
    let (rest, zone) = (text[..sign].trim_end(), &text[sign + 1..]);
    let east = if text.as_bytes()[sign] == b'-' { -1 } else { 1 };
    let digits: String = zone.chars().filter(|c| *c != ':').collect();
    let number = |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |part| part.parse::<i64>().ok());
    let seconds = match digits.len() {
        1 | 2 => digits.parse::<i64>().ok()? * 3600,
        4 => number(0..2)? * 3600 + number(2..4)? * 60,
        6 => number(0..2)? * 3600 + number(2..4)? * 60 + number(4..6)?,
        _ => return None,
    };
    Some((rest, east * seconds))
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.splitn(3, ['-', '/']);
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        let is_compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        let compact = is_compact.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok());
        return compact.flatten();
    };
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn parse_time(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next().unwrap_or("0").parse().ok()?;
    let (seconds, micros) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
            let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
            let nanos = format!("{fraction:0<9}").get(..9)?.parse::<i64>().ok().filter(|_| is_number)?;
            (whole.parse::<i64>().ok()?, (nanos + 500) / 1_000)
        }
    };
    let fits = (0..=24).contains(&hours) && (0..60).contains(&minutes) && (0..=60).contains(&seconds);
    fits.then(|| (hours * 3600 + minutes * 60 + seconds) * SECOND + micros)
}

fn out_of_range() -> datafusion::error::DataFusionError {
    fault(ErrorKind::DatetimeOverflow, "timestamp out of range")
}

fn date_difference(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (left, right) = (Values::<Date32Type>::new(&args.args[0])?, Values::<Date32Type>::new(&args.args[1])?);
    map_values::<Int32Type>(args, |row| Ok(left.get(row).zip(right.get(row)).and_then(|(a, b)| a.checked_sub(b))))
}

fn date_add_days(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    shift_date(args, 1)
}

fn date_subtract_days(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    shift_date(args, -1)
}

fn shift_date(args: &ScalarFunctionArgs, sign: i64) -> Result<ColumnarValue> {
    let (dates, days) = (Values::<Date32Type>::new(&args.args[0])?, Values::<Int64Type>::new(&args.args[1])?);
    map_values::<Date32Type>(args, |row| {
        let Some((date, days)) = dates.get(row).zip(days.get(row)) else { return Ok(None) };
        let shifted = days.checked_mul(sign).and_then(|days| i64::from(date).checked_add(days));
        let shifted = shifted.and_then(|days| i32::try_from(days).ok());
        shifted.map(Some).ok_or_else(|| fault(ErrorKind::DatetimeOverflow, "date out of range"))
    })
}

fn timestamp_difference(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (left, right) = instants(args)?;
    map_values::<IntervalMonthDayNanoType>(args, |row| {
        let Some((left, right)) = left.get(row).zip(right.get(row)) else { return Ok(None) };
        left.checked_sub(right).map(|micros| Some(output::days_and_time(micros))).ok_or_else(out_of_range)
    })
}

type Instants = Values<TimestampMicrosecondType>;

fn instants(args: &ScalarFunctionArgs) -> Result<(Instants, Instants)> {
    Ok((Values::new(&args.args[0])?, Values::new(&args.args[1])?))
}

/// The difference in years, months and days as a calendar counts them.
fn age(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (left, right) = instants(args)?;
    map_values::<IntervalMonthDayNanoType>(args, |row| {
        let Some((left, right)) = left.get(row).zip(right.get(row)) else { return Ok(None) };
        calendar_difference(left, right).map(Some).ok_or_else(out_of_range)
    })
}

fn calendar_difference(left: i64, right: i64) -> Option<IntervalMonthDayNano> {
    if left < right {
        let back = calendar_difference(right, left)?;
        return Some(IntervalMonthDayNano::new(-back.months, -back.days, -back.nanoseconds));
    }
    let (late, early) = (civil(left)?, civil(right)?);
    let mut months = (late.year() - early.year()) * 12 + late.month() as i32 - early.month() as i32;
    let mut days = late.day() as i32 - early.day() as i32;
    let mut micros = left.rem_euclid(DAY) - right.rem_euclid(DAY);
    if micros < 0 {
        micros += DAY;
        days -= 1;
    }
    if days < 0 {
        // Days borrowed come from the earlier date's month, as in Postgres.
        let first = NaiveDate::from_ymd_opt(early.year(), early.month(), 1)?;
        let length = first.checked_add_months(Months::new(1))?.signed_duration_since(first).num_days();
        days += i32::try_from(length).ok()?;
        months -= 1;
    }
    Some(IntervalMonthDayNano::new(months, days, micros * 1_000))
}

fn interval_multiply(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    scale_interval(args, Ok)
}

fn interval_divide(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    scale_interval(args, |divisor| {
        if divisor == 0.0 {
            return Err(fault(ErrorKind::DivisionByZero, "division by zero"));
        }
        Ok(1.0 / divisor)
    })
}

/// Fractions of a month become days (30 of them a month), fractions of a day become time.
fn scale_interval(args: &ScalarFunctionArgs, factor: fn(f64) -> Result<f64>) -> Result<ColumnarValue> {
    let intervals = Values::<IntervalMonthDayNanoType>::new(&args.args[0])?;
    let factors = Values::<Float64Type>::new(&args.args[1])?;
    map_values::<IntervalMonthDayNanoType>(args, |row| {
        let Some((interval, by)) = intervals.get(row).zip(factors.get(row)) else { return Ok(None) };
        let by = factor(by)?;
        let months = f64::from(interval.months) * by;
        let days = f64::from(interval.days) * by + months.fract() * 30.0;
        let micros = interval.nanoseconds as f64 / 1_000.0 * by + days.fract() * DAY as f64;
        let fits = months.abs() < f64::from(i32::MAX) && days.abs() < f64::from(i32::MAX) && micros.abs() < 9.0e15;
        if !fits {
            return Err(fault(ErrorKind::DatetimeOverflow, "interval out of range"));
        }
        Ok(Some(IntervalMonthDayNano::new(months.trunc() as i32, days.trunc() as i32, micros.round() as i64 * 1_000)))
    })
}

/// An interval's length for comparisons: 30 days a month, 24 hours a day, in microseconds.
fn interval_span(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let intervals = Values::<IntervalMonthDayNanoType>::new(&args.args[0])?;
    map_values::<Int64Type>(args, |row| Ok(intervals.get(row).map(span)))
}

fn span(interval: IntervalMonthDayNano) -> i64 {
    let days = i64::from(interval.months) * 30 + i64::from(interval.days);
    days.saturating_mul(DAY).saturating_add(interval.nanoseconds / 1_000)
}

/// The decimals that Postgres gives to a field of `extract`.
fn decimals_of(field: &str) -> i8 {
    match field {
        "second" | "seconds" | "epoch" | "julian" => 6,
        "millisecond" | "milliseconds" => 3,
        _ => 0,
    }
}

fn extract_field(args: &ReturnFieldArgs) -> Option<Field> {
    let literal = args.scalar_arguments.first().copied().flatten()?;
    let name = literal.try_as_str().flatten()?.to_ascii_lowercase();
    Some(Field::new("extract", DataType::Decimal128(38, decimals_of(&name)), true))
}

fn extract(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let scale = match args.return_type() {
        DataType::Decimal128(_, scale) => u32::try_from(*scale).unwrap_or(0),
        _ => 6,
    };
    let parts = Parts::new(args)?;
    let unit = 10_i128.pow(6_u32.saturating_sub(scale));
    map_values::<Decimal128Type>(args, |row| Ok(parts.get(row)?.map(|micros| micros / unit)))
}

fn date_part(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let parts = Parts::new(args)?;
    map_values::<Float64Type>(args, |row| Ok(parts.get(row)?.map(|micros| micros as f64 / 1e6)))
}

/// The fields of an instant, an interval or a time of day, in millionths.
struct Parts {
    fields: Texts,
    of: PartsOf,
}

enum PartsOf {
    Instant(Values<TimestampMicrosecondType>, &'static str),
    Interval(Values<IntervalMonthDayNanoType>),
    Time(Values<Time64MicrosecondType>),
}

impl Parts {
    fn new(args: &ScalarFunctionArgs) -> Result<Self> {
        let value = &args.args[1];
        let of = match value.data_type() {
            DataType::Interval(_) => PartsOf::Interval(Values::new(value)?),
            DataType::Time64(_) => PartsOf::Time(Values::new(value)?),
            DataType::Timestamp(_, Some(_)) => PartsOf::Instant(Values::new(value)?, "timestamp with time zone"),
            _ => PartsOf::Instant(Values::new(value)?, "timestamp without time zone"),
        };
        Ok(Self { fields: Texts::new(&args.args[0])?, of })
    }

    fn get(&self, row: usize) -> Result<Option<i128>> {
        let Some(field) = self.fields.get(row) else { return Ok(None) };
        let found = match &self.of {
            PartsOf::Instant(values, ty) => values.get(row).map(|value| (of_instant(field, value), *ty)),
            PartsOf::Interval(values) => values.get(row).map(|value| (of_interval(field, value), "interval")),
            PartsOf::Time(values) => values.get(row).map(|value| (of_time(field, value), "time without time zone")),
        };
        match found {
            None => Ok(None),
            Some((Some(value), _)) => Ok(Some(value)),
            Some((None, ty)) => {
                let message = format!("unit \"{field}\" not recognized for type {ty}");
                Err(fault(ErrorKind::InvalidParameterValue, message))
            }
        }
    }
}

const MILLION: i128 = 1_000_000;

fn of_instant(field: &str, micros: i64) -> Option<i128> {
    let at = civil(micros)?;
    let year = i128::from(at.year());
    let whole = match field.to_ascii_lowercase().as_str() {
        "epoch" => return Some(i128::from(micros)),
        "century" | "centuries" => {
            if year > 0 {
                (year + 99) / 100
            } else {
                -((99 - (year - 1)) / 100)
            }
        }
        "millennium" | "millennia" => {
            if year > 0 {
                (year + 999) / 1000
            } else {
                -((999 - (year - 1)) / 1000)
            }
        }
        "decade" | "decades" => year.div_euclid(10),
        "year" | "years" => {
            if year > 0 {
                year
            } else {
                year - 1
            }
        }
        "isoyear" => i128::from(at.iso_week().year()),
        "quarter" => i128::from(at.month0() / 3 + 1),
        "month" | "months" | "mon" => i128::from(at.month()),
        "week" | "weeks" => i128::from(at.iso_week().week()),
        "day" | "days" => i128::from(at.day()),
        "dow" => i128::from(at.weekday().num_days_from_sunday()),
        "isodow" => i128::from(at.weekday().number_from_monday()),
        "doy" => i128::from(at.ordinal()),
        "timezone" | "timezone_hour" | "timezone_minute" => 0,
        other => return of_time(other, micros.rem_euclid(DAY)),
    };
    Some(whole * MILLION)
}

fn of_time(field: &str, micros: i64) -> Option<i128> {
    let minute = i128::from(micros.rem_euclid(60 * SECOND));
    let seconds = i128::from(micros / SECOND);
    Some(match field.to_ascii_lowercase().as_str() {
        "hour" | "hours" => seconds / 3600 * MILLION,
        "minute" | "minutes" | "min" => seconds / 60 % 60 * MILLION,
        "second" | "seconds" | "sec" => minute,
        "millisecond" | "milliseconds" => minute * 1_000,
        "microsecond" | "microseconds" => minute * MILLION,
        "epoch" => i128::from(micros),
        _ => return None,
    })
}

fn of_interval(field: &str, value: IntervalMonthDayNano) -> Option<i128> {
    let months = i128::from(value.months);
    let micros = value.nanoseconds / 1_000;
    let whole = match field.to_ascii_lowercase().as_str() {
        // 365.25 days a year, 30 days a month beyond whole years.
        "epoch" => {
            let days = months / 12 * 36_525 + months % 12 * 3_000 + i128::from(value.days) * 100;
            return Some(days * 864 * MILLION + i128::from(micros));
        }
        "year" | "years" => months / 12,
        "month" | "months" => months % 12,
        "decade" => months / 120,
        "century" => months / 1_200,
        "quarter" => months % 12 / 3 + 1,
        "day" | "days" => i128::from(value.days),
        other => return of_time(other, micros),
    };
    Some(whole * MILLION)
}

fn to_char(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    match args.args[0].data_type() {
        DataType::Interval(_) => return interval_to_char(args),
        ty if ty.is_numeric() => return super::number::to_char(args),
        _ => {}
    }
    let instants = Values::<TimestampMicrosecondType>::new(&args.args[0])?;
    let patterns = Texts::new(&args.args[1])?;
    let keeps_zone = matches!(args.args[0].data_type(), DataType::Timestamp(_, Some(_)));
    map_text(args, |row| {
        let (Some(micros), Some(pattern)) = (instants.get(row), patterns.get(row)) else { return Ok(None) };
        let at = civil(micros).ok_or_else(out_of_range)?;
        Ok(Some(Cow::Owned(pattern::format(&at, pattern, keeps_zone))))
    })
}

/// An interval's days and time by a pattern, its days as the day of the month.
fn interval_to_char(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let intervals = Values::<IntervalMonthDayNanoType>::new(&args.args[0])?;
    let patterns = Texts::new(&args.args[1])?;
    map_text(args, |row| {
        let (Some(value), Some(pattern)) = (intervals.get(row), patterns.get(row)) else { return Ok(None) };
        Ok(Some(Cow::Owned(pattern::format_interval(value, pattern))))
    })
}

fn make_timestamp(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let parts = args.args[..5].iter().map(Values::<Int64Type>::new).collect::<Result<Vec<_>>>()?;
    let seconds = Values::<Float64Type>::new(&args.args[5])?;
    map_values::<TimestampMicrosecondType>(args, |row| {
        let values = parts.iter().map(|part| part.get(row)).collect::<Option<Vec<_>>>();
        let (Some(values), Some(seconds)) = (values, seconds.get(row)) else { return Ok(None) };
        let micros = (seconds * 1e6).round();
        let part = |index: usize| u32::try_from(values[index]).ok();
        let at = || {
            let date = NaiveDate::from_ymd_opt(i32::try_from(values[0]).ok()?, part(1)?, part(2)?)?;
            let minute = date.and_hms_opt(part(3)?, part(4)?, 0)?;
            Some(minute.and_utc().timestamp_micros() + micros as i64)
        };
        let fits = (0.0..=60e6).contains(&micros);
        let invalid = || fault(ErrorKind::DatetimeOverflow, "date/time field value out of range");
        at().filter(|_| fits).map(Some).ok_or_else(invalid)
    })
}

fn make_interval(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let whole = args.args.iter().take(6).map(Values::<Int64Type>::new).collect::<Result<Vec<_>>>()?;
    let seconds = args.args.get(6).map(Values::<Float64Type>::new).transpose()?;
    map_values::<IntervalMonthDayNanoType>(args, |row| {
        let Some(parts) = whole.iter().map(|part| part.get(row)).collect::<Option<Vec<_>>>() else { return Ok(None) };
        let Some(seconds) = seconds.as_ref().map_or(Some(0.0), |seconds| seconds.get(row)) else { return Ok(None) };
        let part = |index: usize| parts.get(index).copied().unwrap_or(0);
        let made = || {
            let months = part(0).checked_mul(12)?.checked_add(part(1))?;
            let days = part(2).checked_mul(7)?.checked_add(part(3))?;
            let minutes = part(4).checked_mul(60)?.checked_add(part(5))?;
            let micros = minutes.checked_mul(60 * SECOND)?.checked_add((seconds * 1e6).round() as i64)?;
            let (months, days) = (i32::try_from(months).ok()?, i32::try_from(days).ok()?);
            Some(IntervalMonthDayNano::new(months, days, micros.checked_mul(1_000)?))
        };
        made().map(Some).ok_or_else(|| fault(ErrorKind::DatetimeOverflow, "interval out of range"))
    })
}

fn isfinite(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let instants = Values::<TimestampMicrosecondType>::new(&args.args[0])?;
    map_bool(args, |row| Ok(instants.get(row).map(|at| at != i64::MAX && at != i64::MIN)))
}

fn to_timestamp(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    if args.args.len() == 2 {
        return parse_by_pattern::<TimestampMicrosecondType>(args, |at| Some(at.and_utc().timestamp_micros()));
    }
    let seconds = Values::<Float64Type>::new(&args.args[0])?;
    map_values::<TimestampMicrosecondType>(args, |row| {
        let Some(seconds) = seconds.get(row) else { return Ok(None) };
        let micros = (seconds * 1e6).round();
        if !micros.is_finite() || micros.abs() > 9.0e18 {
            return Err(fault(ErrorKind::DatetimeOverflow, format!("timestamp out of range: \"{seconds}\"")));
        }
        Ok(Some(micros as i64))
    })
}

fn to_date(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    parse_by_pattern::<Date32Type>(args, |at| {
        i32::try_from(at.date().signed_duration_since(NaiveDate::default()).num_days()).ok()
    })
}

fn parse_by_pattern<T: arrow::array::ArrowPrimitiveType>(
    args: &ScalarFunctionArgs,
    give: impl Fn(NaiveDateTime) -> Option<T::Native>,
) -> Result<ColumnarValue> {
    let (texts, patterns) = (Texts::new(&args.args[0])?, Texts::new(&args.args[1])?);
    map_values::<T>(args, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        let parsed = pattern::parse(text, pattern).and_then(&give);
        parsed.map(Some).ok_or_else(|| {
            let message = format!("invalid value \"{text}\" for pattern \"{pattern}\"");
            fault(ErrorKind::InvalidDatetimeFormat, message)
        })
    })
}

fn at_zone_type(types: &[DataType]) -> DataType {
    match types.get(1) {
        Some(DataType::Timestamp(_, Some(_))) => types::timestamp(),
        _ => types::timestamptz(),
    }
}

fn at_zone(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    in_zone(args, &args.args[1], &args.args[0])
}

fn zone_at_type(types: &[DataType]) -> DataType {
    at_zone_type(&[DataType::Utf8, types.first().cloned().unwrap_or(DataType::Null)])
}

fn zone_at(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    in_zone(args, &args.args[0], &args.args[1])
}

fn in_zone(args: &ScalarFunctionArgs, time: &ColumnarValue, zone: &ColumnarValue) -> Result<ColumnarValue> {
    match time.data_type() {
        DataType::Timestamp(_, Some(_)) => to_local(args, time, zone),
        _ => from_local(args, time, zone),
    }
}

/// `AT TIME ZONE` of an instant: what a clock in the zone shows.
fn to_local(args: &ScalarFunctionArgs, time: &ColumnarValue, zone: &ColumnarValue) -> Result<ColumnarValue> {
    let (zones, instants) = (Texts::new(zone)?, Values::<TimestampMicrosecondType>::new(time)?);
    map_values::<TimestampMicrosecondType>(args, |row| {
        let (Some(zone), Some(micros)) = (zones.get(row), instants.get(row)) else { return Ok(None) };
        let zone = Zone::find(zone)?;
        Ok(Some(micros + zone.offset_at(micros).ok_or_else(out_of_range)?))
    })
}

/// `AT TIME ZONE` of a clock's reading: the instant at which a clock in the zone shows it.
fn from_local(args: &ScalarFunctionArgs, time: &ColumnarValue, zone: &ColumnarValue) -> Result<ColumnarValue> {
    let (zones, locals) = (Texts::new(zone)?, Values::<TimestampMicrosecondType>::new(time)?);
    map_values::<TimestampMicrosecondType>(args, |row| {
        let (Some(zone), Some(local)) = (zones.get(row), locals.get(row)) else { return Ok(None) };
        Ok(Some(Zone::find(zone)?.instant_of(local).ok_or_else(out_of_range)?))
    })
}

enum Zone {
    Named(chrono_tz::Tz),
    /// Seconds east of Greenwich.
    Fixed(i64),
}

impl Zone {
    fn find(name: &str) -> Result<Self> {
        let fixed = || {
            // In POSIX's way, `+02` and `UTC+2` lie west of Greenwich.
            let digits = name.trim_start_matches("UTC").trim_start_matches("GMT");
            let (sign, hours) = digits.strip_prefix('-').map_or((-1, digits.strip_prefix('+')?), |rest| (1, rest));
            let (hours, minutes) = hours.split_once(':').unwrap_or((hours, "0"));
            Some(Zone::Fixed(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60)))
        };
        let named = || chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied();
        let found = name.parse().ok().or_else(named).map(Zone::Named).or_else(fixed);
        found.ok_or_else(|| fault(ErrorKind::InvalidParameterValue, format!("time zone \"{name}\" not recognized")))
    }

    /// Microseconds that local time is ahead at an instant.
    fn offset_at(&self, micros: i64) -> Option<i64> {
        use chrono::{Offset, TimeZone};
        match self {
            Zone::Fixed(seconds) => Some(seconds * SECOND),
            Zone::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&civil(micros)?).fix();
                Some(i64::from(offset.local_minus_utc()) * SECOND)
            }
        }
    }

    fn instant_of(&self, local: i64) -> Option<i64> {
        use chrono::TimeZone;
        match self {
            Zone::Fixed(seconds) => Some(local - seconds * SECOND),
            Zone::Named(zone) => {
                let at = zone.from_local_datetime(&civil(local)?);
                // A time that the clock shows twice is the standard one; one that it skips is read with the offset before.
                let found = at.latest().map(|at| at.timestamp_micros());
                found.or_else(|| Some(local - self.offset_at(local - 2 * 3600 * SECOND)?))
            }
        }
    }
}

fn justify_hours(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    justify(args, |value| {
        let micros = value.nanoseconds / 1_000;
        IntervalMonthDayNano::new(value.months, value.days + (micros / DAY) as i32, (micros % DAY) * 1_000)
    })
}

fn justify_days(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    justify(args, |value| IntervalMonthDayNano::new(value.months + value.days / 30, value.days % 30, value.nanoseconds))
}

fn justify_interval(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    justify(args, |value| {
        let total = span(value);
        let (days, micros) = (total / DAY, total % DAY);
        IntervalMonthDayNano::new((days / 30) as i32, (days % 30) as i32, micros * 1_000)
    })
}

fn justify(
    args: &ScalarFunctionArgs,
    change: fn(IntervalMonthDayNano) -> IntervalMonthDayNano,
) -> Result<ColumnarValue> {
    let intervals = Values::<IntervalMonthDayNanoType>::new(&args.args[0])?;
    map_values::<IntervalMonthDayNanoType>(args, |row| Ok(intervals.get(row).map(change)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_as_postgres_reads_them() {
        let cases = [
            ("2026-11-18 15:42:00+00", true, Some("2026-11-18 15:42:00")),
            ("2026-11-18T15:42:00.25Z", true, Some("2026-11-18 15:42:00.25")),
            ("2026-11-18 15:42:00+02:30", true, Some("2026-11-18 13:12:00")),
            ("2026-11-18 15:42:00+02", false, Some("2026-11-18 15:42:00")),
            ("2026-11-18", true, Some("2026-11-18 00:00:00")),
            ("20261118", true, Some("2026-11-18 00:00:00")),
            ("9999-12-31 23:59:59.999999", false, Some("9999-12-31 23:59:59.999999")),
            ("0001-01-01", false, Some("0001-01-01 00:00:00")),
            ("2026-13-01", true, None),
            ("soon", true, None),
            ("2026-11-18 25:00", true, None),
        ];
        for (text, keeps_zone, expected) in cases {
            assert_eq!(parse(text, keeps_zone).map(print).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ages_count_calendar_months() {
        let between = |late: &str, early: &str| {
            let (late, early) = (parse(late, true).unwrap(), parse(early, true).unwrap());
            super::super::cast::print_interval(calendar_difference(late, early).unwrap())
        };
        assert_eq!(between("2001-04-10", "1957-06-13"), "43 years 9 mons 27 days");
        assert_eq!(between("2026-03-01", "2026-01-31"), "1 mon 1 day");
        assert_eq!(between("2026-01-01", "2026-01-02 12:00"), "-1 days -12:00:00");
    }
}
