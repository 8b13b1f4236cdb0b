//! Dates, times and intervals.

use bigdecimal::BigDecimal;
use mantissa_core::{Interval, PgType};

use crate::context::Context;
use crate::datum::{Datum, Numeric};
use crate::error::{Error, Result};
use crate::plan::{Arguments, ScalarFn};
use crate::types::compare;
use crate::types::datetime::{self, DAY, SECOND};

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("now() timestamptz", |c, _| Ok(Datum::TimestampTz(c.now))),
    ("current_timestamp() timestamptz", |c, _| Ok(Datum::TimestampTz(c.now))),
    ("transaction_timestamp() timestamptz", |c, _| Ok(Datum::TimestampTz(c.now))),
    ("statement_timestamp() timestamptz", |c, _| Ok(Datum::TimestampTz(c.now))),
    ("clock_timestamp() timestamptz", |c, _| Ok(Datum::TimestampTz(c.now))),
    ("localtimestamp() timestamp", |c, _| Ok(Datum::Timestamp(datetime::to_local(c.time_zone(), c.now)))),
    ("current_date() date", |c, _| Ok(Datum::Date(datetime::to_local(c.time_zone(), c.now).div_euclid(DAY) as i32))),
    ("timeofday() text", |c, _| Ok(Datum::from(datetime::print_timestamptz(c.now, c.time_zone())))),
    ("op +(timestamp, interval) timestamp", |_, a| shifted(None, &a[0], &a[1], false)),
    ("op +(timestamptz, interval) timestamptz", |c, a| shifted(Some(c), &a[0], &a[1], false)),
    ("op +(interval, timestamp) timestamp", |_, a| shifted(None, &a[1], &a[0], false)),
    ("op +(interval, timestamptz) timestamptz", |c, a| shifted(Some(c), &a[1], &a[0], false)),
    ("op -(timestamp, interval) timestamp", |_, a| shifted(None, &a[0], &a[1], true)),
    ("op -(timestamptz, interval) timestamptz", |c, a| shifted(Some(c), &a[0], &a[1], true)),
    ("op +(date, interval) timestamp", |_, a| shifted(None, &start(&a[0]), &a[1], false)),
    ("op -(date, interval) timestamp", |_, a| shifted(None, &start(&a[0]), &a[1], true)),
    ("op +(date, int4) date", |_, a| days(&a[0], a[1].as_int().unwrap_or(0))),
    ("op -(date, int4) date", |_, a| days(&a[0], -a[1].as_int().unwrap_or(0))),
    ("op -(date, date) int4", |_, a| match (&a[0], &a[1]) {
        (Datum::Date(x), Datum::Date(y)) => x.checked_sub(*y).map(Datum::Int4).ok_or(Error::DatetimeOutOfRange("date")),
        _ => Ok(Datum::Null),
    }),
    ("op +(date, time) timestamp", |_, a| match (&a[0], &a[1]) {
        (Datum::Date(date), Datum::Time(time)) => Ok(Datum::Timestamp(i64::from(*date) * DAY + time)),
        _ => Ok(Datum::Null),
    }),
    ("op +(time, interval) time", |_, a| Ok(clock(&a[0], &a[1], 1))),
    ("op -(time, interval) time", |_, a| Ok(clock(&a[0], &a[1], -1))),
    ("op -(time, time) interval", |_, a| Ok(difference(&a[0], &a[1], false))),
    ("op -(timestamp, timestamp) interval", |_, a| Ok(difference(&a[0], &a[1], true))),
    ("op -(timestamptz, timestamptz) interval", |_, a| Ok(difference(&a[0], &a[1], true))),
    ("op +(interval, interval) interval", |_, a| sum(&a[0], &a[1], false)),
    ("op -(interval, interval) interval", |_, a| sum(&a[0], &a[1], true)),
    ("op *(interval, float8) interval", |_, a| scaled(&a[0], &a[1], false)),
    ("op *(float8, interval) interval", |_, a| scaled(&a[1], &a[0], false)),
    ("op /(interval, float8) interval", |_, a| scaled(&a[0], &a[1], true)),
    ("op u-(interval) interval", |_, a| match &a[0] {
        Datum::Interval(value) => Ok(Datum::Interval(datetime::negate(value))),
        other => Ok(other.clone()),
    }),
    ("age(timestamptz, timestamptz) interval", |c, a| Ok(age(local(c, &a[0]), local(c, &a[1])))),
    ("age(timestamp, timestamp) interval", |c, a| Ok(age(local(c, &a[0]), local(c, &a[1])))),
    ("age(timestamptz) interval", |c, a| Ok(age(midnight(c), local(c, &a[0])))),
    ("age(timestamp) interval", |c, a| Ok(age(midnight(c), local(c, &a[0])))),
    ("age(xid) int4", |_, _| Ok(Datum::Int4(0))),
    ("mxid_age(xid) int4", |_, _| Ok(Datum::Int4(0))),
    ("date_trunc(text, timestamp) timestamp", |_, a| truncated(None, a)),
    ("date_trunc(text, timestamptz) timestamptz", |c, a| truncated(Some(c.time_zone()), a)),
    ("date_trunc(text, timestamptz, text) timestamptz", |_, a| {
        truncated(Some(named_zone(a[2].as_str().unwrap_or_default())?), a)
    }),
    ("date_trunc(text, interval) interval", |_, a| truncated_interval(a)),
    ("date_part(text, timestamp) float8", |c, a| part(c, a, false)),
    ("date_part(text, timestamptz) float8", |c, a| part(c, a, false)),
    ("date_part(text, date) float8", |c, a| part(c, a, false)),
    ("date_part(text, time) float8", |c, a| part(c, a, false)),
    ("date_part(text, interval) float8", |c, a| part(c, a, false)),
    ("extract(text, timestamp) numeric", |c, a| part(c, a, true)),
    ("extract(text, timestamptz) numeric", |c, a| part(c, a, true)),
    ("extract(text, date) numeric", |c, a| part(c, a, true)),
    ("extract(text, time) numeric", |c, a| part(c, a, true)),
    ("extract(text, interval) numeric", |c, a| part(c, a, true)),
    ("timezone(text, timestamptz) timestamp", |_, a| in_zone(a)),
    ("timezone(text, timestamp) timestamptz", |_, a| in_zone(a)),
    ("timezone(interval, timestamptz) timestamp", |_, a| in_zone(a)),
    ("timezone(interval, timestamp) timestamptz", |_, a| in_zone(a)),
    ("to_timestamp(float8) timestamptz", |_, a| {
        let seconds = compare::to_f64(&a[0]).unwrap_or(f64::NAN);
        if seconds.is_nan() {
            return Err(Error::DatetimeOutOfRange("timestamp"));
        }
        Ok(Datum::TimestampTz((seconds * 1e6).round() as i64))
    }),
    ("make_date(int4, int4, int4) date", |_, a| {
        let part = |index: usize| a[index].as_int().unwrap_or(0);
        let date = chrono::NaiveDate::from_ymd_opt(part(0) as i32, part(1) as u32, part(2) as u32);
        date.map(|date| Datum::Date(datetime::days_of(date))).ok_or(Error::DatetimeOutOfRange("date field value"))
    }),
    ("date_bin(interval, timestamp, timestamp) timestamp", |_, a| bin(a)),
    ("date_bin(interval, timestamptz, timestamptz) timestamptz", |_, a| bin(a)),
    ("isfinite(timestamp) bool", |_, a| Ok(Datum::Bool(micros(&a[0]).is_some_and(|m| m != i64::MAX && m != i64::MIN)))),
    ("justify_hours(interval) interval", |_, a| match &a[0] {
        Datum::Interval(v) => Ok(Datum::Interval(Interval {
            months: v.months,
            days: v.days + (v.micros / DAY) as i32,
            micros: v.micros % DAY,
        })),
        other => Ok(other.clone()),
    }),
];

fn micros(value: &Datum) -> Option<i64> {
    match value {
        Datum::Timestamp(micros) | Datum::TimestampTz(micros) | Datum::Time(micros) => Some(*micros),
        Datum::Date(days) => Some(i64::from(*days) * DAY),
        _ => None,
    }
}

fn start(date: &Datum) -> Datum {
    micros(date).map_or(Datum::Null, Datum::Timestamp)
}

fn local(context: &Context<'_>, value: &Datum) -> i64 {
    match value {
        Datum::TimestampTz(utc) => datetime::to_local(context.time_zone(), *utc),
        other => micros(other).unwrap_or(0),
    }
}

fn midnight(context: &Context<'_>) -> i64 {
    datetime::to_local(context.time_zone(), context.now).div_euclid(DAY) * DAY
}

/// Adds or takes an interval; with a zone, days are local days.
fn shifted(context: Option<&Context<'_>>, value: &Datum, by: &Datum, back: bool) -> Result<Datum> {
    let (Some(at), Datum::Interval(by)) = (micros(value), by) else { return Ok(Datum::Null) };
    if at == i64::MAX || at == i64::MIN {
        return Ok(value.clone());
    }
    let by = if back { datetime::negate(by) } else { *by };
    let out = || Error::DatetimeOutOfRange("timestamp");
    let Some(context) = context else {
        return datetime::shift(at, &by).map(Datum::Timestamp).ok_or_else(out);
    };
    let zone = context.time_zone();
    let by_days = Interval { micros: 0, ..by };
    let moved = if by.months == 0 && by.days == 0 {
        at
    } else {
        datetime::to_utc(zone, datetime::shift(datetime::to_local(zone, at), &by_days).ok_or_else(out)?)
    };
    moved.checked_add(by.micros).map(Datum::TimestampTz).ok_or_else(out)
}

fn days(date: &Datum, by: i64) -> Result<Datum> {
    let Datum::Date(days) = date else { return Ok(Datum::Null) };
    let moved = i64::from(*days).checked_add(by).and_then(|days| i32::try_from(days).ok());
    moved.map(Datum::Date).ok_or(Error::DatetimeOutOfRange("date"))
}

fn clock(time: &Datum, by: &Datum, sign: i64) -> Datum {
    match (time, by) {
        (Datum::Time(time), Datum::Interval(by)) => Datum::Time((time + sign * by.micros).rem_euclid(DAY)),
        _ => Datum::Null,
    }
}

fn difference(left: &Datum, right: &Datum, with_days: bool) -> Datum {
    let (Some(left), Some(right)) = (micros(left), micros(right)) else { return Datum::Null };
    let total = left.saturating_sub(right);
    let days = if with_days { total / DAY } else { 0 };
    Datum::Interval(Interval { months: 0, days: days as i32, micros: total - days * DAY })
}

fn sum(left: &Datum, right: &Datum, minus: bool) -> Result<Datum> {
    let (Datum::Interval(left), Datum::Interval(right)) = (left, right) else { return Ok(Datum::Null) };
    let right = if minus { datetime::negate(right) } else { *right };
    datetime::add(left, &right).map(Datum::Interval).ok_or(Error::DatetimeOutOfRange("interval"))
}

fn scaled(value: &Datum, factor: &Datum, divide: bool) -> Result<Datum> {
    let (Datum::Interval(value), Some(factor)) = (value, compare::to_f64(factor)) else { return Ok(Datum::Null) };
    if divide && factor == 0.0 {
        return Err(Error::DivisionByZero);
    }
    let factor = if divide { 1.0 / factor } else { factor };
    let months = f64::from(value.months) * factor;
    let days = f64::from(value.days) * factor + months.fract() * 30.0;
    let micros = value.micros as f64 * factor + days.fract() * DAY as f64;
    Ok(Datum::Interval(Interval { months: months as i32, days: days as i32, micros: micros.round() as i64 }))
}

/// Years, months and days between two local times, counted from the earlier.
fn age(left: i64, right: i64) -> Datum {
    let (from, to, sign) = if left >= right { (right, left, 1) } else { (left, right, -1) };
    let mut months = 0;
    let step = |months: i32| datetime::shift(from, &Interval { months, days: 0, micros: 0 });
    let estimate = ((to - from) / DAY / 31) as i32;
    if step(estimate).is_some_and(|at| at <= to) {
        months = estimate;
    }
    while step(months + 1).is_some_and(|at| at <= to) {
        months += 1;
    }
    let rest = to - step(months).unwrap_or(from);
    let days = (rest / DAY) as i32;
    Datum::Interval(Interval { months: sign * months, days: sign * days, micros: i64::from(sign) * (rest % DAY) })
}

fn unit_error(unit: &str, ty: PgType) -> Error {
    Error::InvalidParameter(format!("unit \"{unit}\" not recognized for type {ty}"))
}

fn truncated(zone: Option<chrono_tz::Tz>, a: &Arguments<'_>) -> Result<Datum> {
    let unit = a[0].as_str().unwrap_or_default().to_ascii_lowercase();
    let Some(at) = micros(&a[1]) else { return Ok(Datum::Null) };
    if at == i64::MAX || at == i64::MIN {
        return Ok(a[1].clone());
    }
    let local = zone.map_or(at, |zone| datetime::to_local(zone, at));
    let cut = datetime::truncate(&unit, local).ok_or_else(|| unit_error(&unit, a.result))?;
    Ok(match zone {
        Some(zone) => Datum::TimestampTz(datetime::to_utc(zone, cut)),
        None => Datum::Timestamp(cut),
    })
}

fn truncated_interval(a: &Arguments<'_>) -> Result<Datum> {
    let unit = a[0].as_str().unwrap_or_default().to_ascii_lowercase();
    let Datum::Interval(value) = &a[1] else { return Ok(Datum::Null) };
    let cut = |size: i64| Interval { micros: value.micros / size * size, ..*value };
    Ok(Datum::Interval(match unit.as_str() {
        "year" => Interval { months: value.months / 12 * 12, days: 0, micros: 0 },
        "month" => Interval { days: 0, micros: 0, ..*value },
        "day" => Interval { micros: 0, ..*value },
        "hour" => cut(3_600 * SECOND),
        "minute" => cut(60 * SECOND),
        "second" => cut(SECOND),
        _ => return Err(unit_error(&unit, PgType::INTERVAL)),
    }))
}

fn part(context: &Context<'_>, a: &Arguments<'_>, exact: bool) -> Result<Datum> {
    let name = a[0].as_str().unwrap_or_default().to_ascii_lowercase();
    let unknown = || unit_error(&name, a.types[1]);
    let (value, scale) = match &a[1] {
        Datum::Interval(value) => datetime::interval_field(&name, value).ok_or_else(unknown)?,
        Datum::TimestampTz(utc) => match name.as_str() {
            "epoch" => (i128::from(*utc), 6),
            "timezone" => (i128::from(datetime::offset_at(context.time_zone(), *utc)) * 1_000_000, 0),
            "timezone_hour" => (i128::from(datetime::offset_at(context.time_zone(), *utc) / 3600) * 1_000_000, 0),
            "timezone_minute" => (i128::from(datetime::offset_at(context.time_zone(), *utc) / 60 % 60) * 1_000_000, 0),
            _ => datetime::field(&name, local(context, &a[1])).ok_or_else(unknown)?,
        },
        other => datetime::field(&name, micros(other).unwrap_or(0)).ok_or_else(unknown)?,
    };
    let scale = if matches!(a[1], Datum::Date(_)) && name == "epoch" { 0 } else { scale };
    if exact {
        let number = BigDecimal::new(value.into(), 6).with_scale(i64::from(scale));
        return Ok(Datum::Numeric(Numeric::Finite(number)));
    }
    Ok(Datum::Float8(value as f64 / 1e6))
}

fn named_zone(name: &str) -> Result<chrono_tz::Tz> {
    datetime::zone(name).ok_or_else(|| Error::InvalidParameter(format!("time zone \"{name}\" not recognized")))
}

fn in_zone(a: &Arguments<'_>) -> Result<Datum> {
    let fixed = match &a[0] {
        Datum::Interval(offset) => Some(offset.micros),
        Datum::Text(name) => {
            datetime::parse_offset(name).filter(|_| datetime::zone(name).is_none()).map(|o| -o * SECOND)
        }
        _ => None,
    };
    let zone = if fixed.is_none() { Some(named_zone(a[0].as_str().unwrap_or_default())?) } else { None };
    Ok(match (&a[1], zone, fixed) {
        (Datum::TimestampTz(utc), Some(zone), _) => Datum::Timestamp(datetime::to_local(zone, *utc)),
        (Datum::Timestamp(local), Some(zone), _) => Datum::TimestampTz(datetime::to_utc(zone, *local)),
        (Datum::TimestampTz(utc), _, Some(offset)) => Datum::Timestamp(utc + offset),
        (Datum::Timestamp(local), _, Some(offset)) => Datum::TimestampTz(local - offset),
        _ => Datum::Null,
    })
}

fn bin(a: &Arguments<'_>) -> Result<Datum> {
    let (Datum::Interval(stride), Some(at), Some(origin)) = (&a[0], micros(&a[1]), micros(&a[2])) else {
        return Ok(Datum::Null);
    };
    let size = i64::from(stride.days) * DAY + stride.micros;
    if stride.months != 0 || size <= 0 {
        return Err(Error::InvalidParameter("stride must be greater than zero".into()));
    }
    let start = origin + (at - origin).div_euclid(size) * size;
    Ok(if a.result == PgType::TIMESTAMPTZ { Datum::TimestampTz(start) } else { Datum::Timestamp(start) })
}
