//! Dates, times and intervals: text in (ISO and the common forms) and out (ISO), fields, time zones.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use mantissa_core::Interval;

pub const DAY: i64 = 86_400_000_000;
pub const SECOND: i64 = 1_000_000;

/// A zone by name or by fixed whole-hour offset as far as `Etc/GMT` names it.
pub fn zone(name: &str) -> Option<Tz> {
    if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("z") || name.eq_ignore_ascii_case("gmt") {
        return Some(Tz::UTC);
    }
    let exact: Option<Tz> = name.parse().ok();
    exact.or_else(|| chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied())
}

/// Seconds east of UTC of a zone at a UTC instant.
pub fn offset_at(zone: Tz, micros: i64) -> i64 {
    match chrono::DateTime::from_timestamp_micros(micros) {
        Some(instant) => zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc().into(),
        None => 0,
    }
}

/// The UTC instant of a local time; a time that does not exist moves forward.
pub fn to_utc(zone: Tz, local: i64) -> i64 {
    let Some(naive) = naive(local) else { return local };
    let offset = match zone.offset_from_local_datetime(&naive) {
        chrono::LocalResult::Single(offset) => offset.fix().local_minus_utc(),
        chrono::LocalResult::Ambiguous(_, later) => later.fix().local_minus_utc(),
        chrono::LocalResult::None => return local - offset_at(zone, local - 3_600 * SECOND) * SECOND,
    };
    local - i64::from(offset) * SECOND
}

pub fn to_local(zone: Tz, utc: i64) -> i64 {
    if utc == i64::MAX || utc == i64::MIN { utc } else { utc + offset_at(zone, utc) * SECOND }
}

pub fn naive(micros: i64) -> Option<NaiveDateTime> {
    chrono::DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

pub fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?)
}

pub fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

pub fn print_date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        _ => date_of(days).map_or_else(String::new, |date| {
            if date.year() > 0 {
                format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
            } else {
                format!("{:04}-{:02}-{:02} BC", 1 - date.year(), date.month(), date.day())
            }
        }),
    }
}

pub fn print_time(micros: i64) -> String {
    let seconds = micros.div_euclid(SECOND);
    format!("{:02}:{:02}:{:02}{}", seconds / 3600, seconds / 60 % 60, seconds % 60, fraction(micros))
}

fn fraction(micros: i64) -> String {
    match micros.rem_euclid(SECOND) {
        0 => String::new(),
        part => format!(".{part:06}").trim_end_matches('0').to_owned(),
    }
}

pub fn print_timestamp(micros: i64) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        _ => {
            let date = print_date(micros.div_euclid(DAY) as i32);
            let time = print_time(micros.rem_euclid(DAY));
            match date.strip_suffix(" BC") {
                Some(date) => format!("{date} {time} BC"),
                None => format!("{date} {time}"),
            }
        }
    }
}

pub fn print_timestamptz(micros: i64, zone: Tz) -> String {
    if micros == i64::MAX || micros == i64::MIN {
        return print_timestamp(micros);
    }
    let offset = offset_at(zone, micros);
    let local = print_timestamp(micros + offset * SECOND);
    match local.strip_suffix(" BC") {
        Some(local) => format!("{local}{} BC", print_offset(offset)),
        None => format!("{local}{}", print_offset(offset)),
    }
}

pub fn print_offset(offset: i64) -> String {
    let (sign, seconds) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    let mut text = format!("{sign}{:02}", seconds / 3600);
    if seconds % 3600 != 0 {
        text.push_str(&format!(":{:02}", seconds / 60 % 60));
    }
    if seconds % 60 != 0 {
        text.push_str(&format!(":{:02}", seconds % 60));
    }
    text
}

/// The style `postgres`.
pub fn print_interval(value: &Interval) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut unit = |amount: i64, name: &str, negative_before: bool| {
        if amount != 0 {
            let plural = if amount == 1 { "" } else { "s" };
            let sign = if amount > 0 && negative_before { "+" } else { "" };
            parts.push(format!("{sign}{amount} {name}{plural}"));
        }
    };
    let years = i64::from(value.months / 12);
    let months = i64::from(value.months % 12);
    unit(years, "year", false);
    unit(months, "mon", years < 0);
    unit(value.days.into(), "day", years < 0 || months < 0);
    if value.micros != 0 || parts.is_empty() {
        let before = if parts.is_empty() {
            0
        } else if value.days != 0 {
            value.days
        } else {
            value.months
        };
        let sign = if value.micros < 0 {
            "-"
        } else if before < 0 {
            "+"
        } else {
            ""
        };
        let micros = value.micros.unsigned_abs() as i64;
        let seconds = micros / SECOND;
        let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        parts.push(format!("{sign}{clock}{}", fraction(micros)));
    }
    parts.join(" ")
}

/// What a text of a moment holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
    Infinity,
    MinusInfinity,
    /// Local microseconds since 1970-01-01 and, where given, seconds east of UTC.
    At {
        local: i64,
        offset: Option<i64>,
        zone: Option<Tz>,
    },
}

/// Reads `2024-01-02 03:04:05.6+00`, `20240102`, `Jan 2 2024`, `now`, `today`, `epoch`.
pub fn parse_moment(text: &str, now: i64, session_zone: Tz) -> Option<Moment> {
    let text = text.trim();
    let today = to_local(session_zone, now).div_euclid(DAY) * DAY;
    let at = |local| Some(Moment::At { local, offset: None, zone: None });
    match text.to_ascii_lowercase().as_str() {
        "infinity" => return Some(Moment::Infinity),
        "-infinity" => return Some(Moment::MinusInfinity),
        "epoch" => return Some(Moment::At { local: 0, offset: Some(0), zone: None }),
        "now" => return Some(Moment::At { local: now, offset: Some(0), zone: None }),
        "today" => return at(today),
        "tomorrow" => return at(today + DAY),
        "yesterday" => return at(today - DAY),
        _ => {}
    }
    let (date, rest) = parse_date_part(text)?;
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    let (time, rest) = if rest.starts_with(|c: char| c.is_ascii_digit()) { parse_clock(rest)? } else { (0, rest) };
    let (offset, named) = parse_zone(rest.trim())?;
    Some(Moment::At { local: i64::from(days_of(date)) * DAY + time, offset, zone: named })
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn parse_date_part(text: &str) -> Option<(NaiveDate, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits == 8 {
        let date = NaiveDate::parse_from_str(&text[..8], "%Y%m%d").ok()?;
        return Some((date, &text[8..]));
    }
    if digits == 0 {
        return parse_month_first(text);
    }
    let separator = text[digits..].chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
    let rest = &text[digits + 1..];
    let second = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let after = rest[second..].strip_prefix(separator)?;
    let third = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let month_of = |word: &str| word.parse().ok().or_else(|| month_number(word));
    let (first, middle, last) = (&text[..digits], &rest[..second], &after[..third]);
    let date = if digits >= 3 {
        NaiveDate::from_ymd_opt(first.parse().ok()?, month_of(middle)?, last.parse().ok()?)
    } else if middle.chars().all(|c| c.is_ascii_alphabetic()) {
        NaiveDate::from_ymd_opt(last.parse().ok()?, month_of(middle)?, first.parse().ok()?)
    } else {
        NaiveDate::from_ymd_opt(last.parse().ok()?, first.parse().ok()?, middle.parse().ok()?)
    };
    Some((date?, &after[third..]))
}

fn month_number(word: &str) -> Option<u32> {
    let start = word.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == start).map(|index| index as u32 + 1)
}

fn parse_month_first(text: &str) -> Option<(NaiveDate, &str)> {
    let mut words = text.splitn(3, [' ', ',']).filter(|word| !word.is_empty());
    let month = month_number(words.next()?)?;
    let day: u32 = words.next()?.trim_end_matches(',').parse().ok()?;
    let rest = words.next()?.trim_start();
    let year_length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let date = NaiveDate::from_ymd_opt(rest[..year_length].parse().ok()?, month, day)?;
    Some((date, &rest[year_length..]))
}

/// `10:11`, `10:11:12.5`, `101112`, with AM or PM; gives microseconds and what follows.
fn parse_clock(text: &str) -> Option<(i64, &str)> {
    let length = text.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(text.len());
    let (clock, rest) = text.split_at(length);
    let mut parts = clock.split(':');
    let (mut hour, minute, seconds) = match (parts.next()?, parts.next(), parts.next()) {
        (whole, None, None) if whole.len() == 6 => (&whole[..2], &whole[2..4], &whole[4..]),
        (whole, None, None) if whole.len() == 4 => (&whole[..2], &whole[2..4], "0"),
        (hour, Some(minute), seconds) => (hour, minute, seconds.unwrap_or("0")),
        _ => return None,
    }
    .clone_numbers()?;
    let mut rest = rest;
    let lower = rest.trim_start().to_ascii_lowercase();
    if lower.starts_with("pm") || lower.starts_with("am") {
        if hour > 12 {
            return None;
        }
        hour = hour % 12 + if lower.starts_with("pm") { 12 } else { 0 };
        rest = &rest.trim_start()[2..];
    }
    if hour > 24 || minute > 59 || seconds > 60 * SECOND {
        return None;
    }
    let micros = (hour * 60 + minute) * 60 * SECOND + seconds;
    (micros <= DAY).then_some((micros, rest))
}

trait CloneNumbers {
    fn clone_numbers(self) -> Option<(i64, i64, i64)>;
}

impl CloneNumbers for (&str, &str, &str) {
    /// Hour, minute and microseconds of the second.
    fn clone_numbers(self) -> Option<(i64, i64, i64)> {
        Some((self.0.parse().ok()?, self.1.parse().ok()?, decimal_micros(self.2)?))
    }
}

/// `5.25` as microseconds, rounded.
fn decimal_micros(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    if !part.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let part: f64 = if part.is_empty() { 0.0 } else { format!("0.{part}").parse().ok()? };
    whole.checked_mul(SECOND)?.checked_add((part * 1e6).round() as i64)
}

fn parse_zone(text: &str) -> Option<(Option<i64>, Option<Tz>)> {
    if text.is_empty() {
        return Some((None, None));
    }
    if let Some(offset) = parse_offset(text) {
        return Some((Some(offset), None));
    }
    Some((None, Some(zone(text)?)))
}

/// `+02`, `-05:30`, `Z` as seconds east of UTC.
pub fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |text| text.parse::<i64>().ok());
    let hours = if digits.len() == 1 { part(0..1)? } else { part(0..2)? };
    Some(sign * (hours * 3600 + part(2..4)? * 60 + part(4..6)?))
}

pub fn parse_time(text: &str) -> Option<i64> {
    let (micros, rest) = parse_clock(text.trim())?;
    let rest = rest.trim();
    (rest.is_empty() || parse_zone(rest).is_some()).then_some(micros)
}

/// Reads `1 day 02:00`, `1 mon -2 days`, `P1DT2H`, `5 minutes ago`.
pub fn parse_interval(text: &str) -> Option<Interval> {
    let text = text.trim();
    if let Some(iso) = text.strip_prefix('P') {
        return parse_iso_interval(iso);
    }
    let lower = text.trim_start_matches('@').trim().to_ascii_lowercase();
    let mut total = Interval::default();
    let mut words = split_units(&lower).into_iter().peekable();
    let mut any = false;
    while let Some(word) = words.next() {
        any = true;
        if word == "ago" {
            total = Interval { months: -total.months, days: -total.days, micros: -total.micros };
        } else if word.contains(':') {
            total.micros = total.micros.checked_add(signed_clock(&word)?)?;
        } else {
            let amount: f64 = word.parse().ok()?;
            let unit = words.next_if(|next| next.chars().all(|c| c.is_ascii_alphabetic())).unwrap_or("second".into());
            total = add(&total, &of_unit(amount, &unit)?)?;
        }
    }
    any.then_some(total)
}

fn split_units(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for chunk in text.split_whitespace() {
        let split = chunk.find(|c: char| c.is_ascii_alphabetic()).filter(|at| *at > 0);
        match split {
            Some(at) => words.extend([chunk[..at].to_owned(), chunk[at..].to_owned()]),
            None => words.push(chunk.to_owned()),
        }
    }
    words
}

fn signed_clock(text: &str) -> Option<i64> {
    let (sign, clock) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim_start_matches('+')),
    };
    let mut parts = clock.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds = parts.next().map_or(Some(0), decimal_micros)?;
    Some(sign * ((hours * 60 + minutes) * 60 * SECOND + seconds))
}

/// An amount of a named unit.
pub fn of_unit(amount: f64, unit: &str) -> Option<Interval> {
    let months = |factor: f64| {
        let total = amount * factor;
        let whole = total.trunc();
        let days = (total - whole) * 30.0;
        Interval { months: whole as i32, days: days.trunc() as i32, micros: (days.fract() * DAY as f64).round() as i64 }
    };
    let days = |factor: f64| {
        let total = amount * factor;
        Interval { months: 0, days: total.trunc() as i32, micros: (total.fract() * DAY as f64).round() as i64 }
    };
    let micros = |factor: f64| Interval { months: 0, days: 0, micros: (amount * factor).round() as i64 };
    Some(match unit.strip_suffix('s').filter(|name| name.len() > 2).unwrap_or(unit) {
        "millennium" | "millennia" | "mil" => months(12_000.0),
        "century" | "centurie" | "c" => months(1_200.0),
        "decade" | "dec" => months(120.0),
        "year" | "yr" | "y" => months(12.0),
        "quarter" => months(3.0),
        "month" | "mon" => months(1.0),
        "week" | "w" => days(7.0),
        "day" | "d" => days(1.0),
        "hour" | "hr" | "h" => micros(3.6e9),
        "minute" | "min" | "m" => micros(6e7),
        "second" | "sec" | "s" => micros(1e6),
        "millisecond" | "msec" | "ms" => micros(1e3),
        "microsecond" | "usec" | "us" => micros(1.0),
        _ => return None,
    })
}

fn parse_iso_interval(text: &str) -> Option<Interval> {
    let mut total = Interval::default();
    let mut in_time = false;
    let mut number = String::new();
    for c in text.chars() {
        match c {
            'T' => in_time = true,
            '0'..='9' | '.' | '-' | '+' => number.push(c),
            _ => {
                let amount: f64 = std::mem::take(&mut number).parse().ok()?;
                let unit = match (c, in_time) {
                    ('Y', false) => "year",
                    ('M', false) => "month",
                    ('W', false) => "week",
                    ('D', false) => "day",
                    ('H', true) => "hour",
                    ('M', true) => "minute",
                    ('S', true) => "second",
                    _ => return None,
                };
                total = add(&total, &of_unit(amount, unit)?)?;
            }
        }
    }
    number.is_empty().then_some(total)
}

pub fn add(a: &Interval, b: &Interval) -> Option<Interval> {
    Some(Interval {
        months: a.months.checked_add(b.months)?,
        days: a.days.checked_add(b.days)?,
        micros: a.micros.checked_add(b.micros)?,
    })
}

pub fn negate(value: &Interval) -> Interval {
    Interval { months: -value.months, days: -value.days, micros: -value.micros }
}

/// Adds an interval to a local time: months keep the day where the month has it.
pub fn shift(micros: i64, by: &Interval) -> Option<i64> {
    let mut days = micros.div_euclid(DAY);
    let clock = micros.rem_euclid(DAY);
    if by.months != 0 {
        let date = date_of(i32::try_from(days).ok()?)?;
        let months = chrono::Months::new(by.months.unsigned_abs());
        let moved = if by.months > 0 { date.checked_add_months(months) } else { date.checked_sub_months(months) };
        days = days_of(moved?).into();
    }
    days.checked_add(by.days.into())?.checked_mul(DAY)?.checked_add(clock)?.checked_add(by.micros)
}

/// `date_trunc`, on local microseconds.
pub fn truncate(unit: &str, micros: i64) -> Option<i64> {
    let days = micros.div_euclid(DAY);
    let date = date_of(i32::try_from(days).ok()?)?;
    let at = |year: i32, month: u32, day: u32| {
        NaiveDate::from_ymd_opt(year, month, day).map(|date| i64::from(days_of(date)) * DAY)
    };
    let step = |size: i64| Some(micros.div_euclid(size) * size);
    match unit {
        "microseconds" | "microsecond" => Some(micros),
        "milliseconds" | "millisecond" => step(1_000),
        "second" | "seconds" => step(SECOND),
        "minute" | "minutes" => step(60 * SECOND),
        "hour" | "hours" => step(3_600 * SECOND),
        "day" | "days" => step(DAY),
        "week" | "weeks" => Some((days - i64::from(date.weekday().num_days_from_monday())) * DAY),
        "month" | "months" => at(date.year(), date.month(), 1),
        "quarter" => at(date.year(), (date.month0() / 3) * 3 + 1, 1),
        "year" | "years" => at(date.year(), 1, 1),
        "decade" => at(date.year().div_euclid(10) * 10, 1, 1),
        "century" => at((date.year() - 1).div_euclid(100) * 100 + 1, 1, 1),
        "millennium" => at((date.year() - 1).div_euclid(1000) * 1000 + 1, 1, 1),
        _ => None,
    }
}

/// A field of a local time: (value scaled by 10^6, decimals that EXTRACT shows).
pub fn field(name: &str, micros: i64) -> Option<(i128, u32)> {
    let date = date_of(i32::try_from(micros.div_euclid(DAY)).ok()?)?;
    let clock = micros.rem_euclid(DAY);
    let whole = |value: i64| Some((i128::from(value) * 1_000_000, 0));
    match name {
        "year" | "years" => whole(date.year().into()),
        "month" | "months" => whole(date.month().into()),
        "day" | "days" => whole(date.day().into()),
        "hour" | "hours" => whole(clock / (3_600 * SECOND)),
        "minute" | "minutes" => whole(clock / (60 * SECOND) % 60),
        "second" | "seconds" => Some((i128::from(clock % (60 * SECOND)), 6)),
        "milliseconds" | "millisecond" => Some((i128::from(clock % (60 * SECOND)) * 1000, 3)),
        "microseconds" | "microsecond" => whole(clock % (60 * SECOND)),
        "epoch" => Some((i128::from(micros), 6)),
        "dow" => whole(date.weekday().num_days_from_sunday().into()),
        "isodow" => whole(date.weekday().number_from_monday().into()),
        "doy" => whole(date.ordinal().into()),
        "week" => whole(date.iso_week().week().into()),
        "isoyear" => whole(date.iso_week().year().into()),
        "quarter" => whole((date.month0() / 3 + 1).into()),
        "decade" => whole(date.year().div_euclid(10).into()),
        "century" => whole((date.year() - 1).div_euclid(100) as i64 + 1),
        "millennium" => whole((date.year() - 1).div_euclid(1000) as i64 + 1),
        "julian" => whole(i64::from(days_of(date)) + 2_440_588),
        _ => None,
    }
}

pub fn interval_field(name: &str, value: &Interval) -> Option<(i128, u32)> {
    let whole = |value: i64| Some((i128::from(value) * 1_000_000, 0));
    match name {
        "year" | "years" => whole((value.months / 12).into()),
        "month" | "months" => whole((value.months % 12).into()),
        "day" | "days" => whole(value.days.into()),
        "hour" | "hours" => whole(value.micros / (3_600 * SECOND)),
        "minute" | "minutes" => whole(value.micros / (60 * SECOND) % 60),
        "second" | "seconds" => Some((i128::from(value.micros % (60 * SECOND)), 6)),
        "milliseconds" => Some((i128::from(value.micros % (60 * SECOND)) * 1000, 3)),
        "epoch" => {
            let years = i128::from(value.months / 12) * 31_557_600;
            let months = i128::from(value.months % 12) * 30 * 86_400;
            let days = i128::from(value.days) * 86_400;
            Some(((years + months + days) * 1_000_000 + i128::from(value.micros), 6))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_their_common_forms() {
        let read = |text| match parse_moment(text, 0, Tz::UTC) {
            Some(Moment::At { local, offset, .. }) => format!("{} {offset:?}", print_timestamp(local)),
            other => format!("{other:?}"),
        };
        assert_eq!(read("2024-01-02 03:04:05.5+02"), "2024-01-02 03:04:05.5 Some(7200)");
        assert_eq!(read("2024-01-02T03:04Z"), "2024-01-02 03:04:00 Some(0)");
        assert_eq!(read("20240102"), "2024-01-02 00:00:00 None");
        assert_eq!(read("Jan 2, 2024"), "2024-01-02 00:00:00 None");
        assert_eq!(read("2024-13-02"), "None");
    }

    #[test]
    fn intervals_print_as_they_read() {
        for text in ["1 day 02:00:00", "1 year 2 mons", "-1 days +00:00:01", "00:00:00", "-00:00:00.5", "3 days"] {
            assert_eq!(parse_interval(text).map(|value| print_interval(&value)).as_deref(), Some(text));
        }
    }
}
