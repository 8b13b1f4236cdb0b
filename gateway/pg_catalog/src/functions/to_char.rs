//! `to_char`, `to_date`, `to_timestamp`, `to_number`: values by format pictures.

use chrono::{Datelike, NaiveDate};
use mantissa_core::PgType;

use crate::datum::{Datum, Numeric};
use crate::error::{Error, Result};
use crate::plan::ScalarFn;
use crate::types::compare;
use crate::types::datetime::{self, DAY, SECOND};

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("to_char(timestamp, text) text", |_, a| match &a[0] {
        Datum::Timestamp(local) => Ok(Datum::from(moment(*local, 0, "", picture(&a[1])))),
        _ => Ok(Datum::Null),
    }),
    ("to_char(timestamptz, text) text", |c, a| match &a[0] {
        Datum::TimestampTz(utc) => {
            let zone = c.time_zone();
            let name = zone_name(zone, *utc);
            let offset = datetime::offset_at(zone, *utc);
            Ok(Datum::from(moment(datetime::to_local(zone, *utc), offset, &name, picture(&a[1]))))
        }
        _ => Ok(Datum::Null),
    }),
    ("to_char(int4, text) text", |_, a| Ok(Datum::from(number(&a[0], picture(&a[1]))))),
    ("to_char(int8, text) text", |_, a| Ok(Datum::from(number(&a[0], picture(&a[1]))))),
    ("to_char(numeric, text) text", |_, a| Ok(Datum::from(number(&a[0], picture(&a[1]))))),
    ("to_char(float8, text) text", |_, a| Ok(Datum::from(number(&a[0], picture(&a[1]))))),
    ("to_date(text, text) date", |_, a| {
        let at = read(a[0].as_str().unwrap_or_default(), picture(&a[1]))?;
        Ok(Datum::Date(at.div_euclid(DAY) as i32))
    }),
    ("to_timestamp(text, text) timestamptz", |c, a| {
        let at = read(a[0].as_str().unwrap_or_default(), picture(&a[1]))?;
        Ok(Datum::TimestampTz(datetime::to_utc(c.time_zone(), at)))
    }),
    ("to_number(text, text) numeric", |_, a| {
        let text = a[0].as_str().unwrap_or_default();
        let digits: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | '-')).collect();
        let value = crate::types::input::numeric(&digits);
        let invalid = || Error::InvalidText { ty: PgType::NUMERIC.sql_name(), text: text.to_owned() };
        value.map(Datum::Numeric).ok_or_else(invalid)
    }),
];

fn picture(value: &Datum) -> &str {
    value.as_str().unwrap_or_default()
}

fn zone_name(zone: chrono_tz::Tz, utc: i64) -> String {
    use chrono::TimeZone;
    let Some(instant) = chrono::DateTime::from_timestamp_micros(utc) else { return String::new() };
    zone.from_utc_datetime(&instant.naive_utc()).format("%Z").to_string()
}

/// The patterns, longest first.
const PATTERNS: [&str; 50] = [
    "YYYY", "YYY", "YY", "Y,YYY", "IYYY", "Y", "Month", "MONTH", "month", "Mon", "MON", "mon", "MM", "Day", "DAY",
    "day", "Dy", "DY", "dy", "DDD", "DD", "D", "ID", "IW", "WW", "W", "HH24", "HH12", "HH", "MI", "SSSS", "SS", "MS",
    "US", "AM", "PM", "am", "pm", "A.M.", "P.M.", "Q", "TZH", "TZM", "TZ", "tz", "OF", "CC", "J", "RM", "FF3",
];

fn next_pattern(rest: &str) -> Option<&'static str> {
    let exact = PATTERNS.iter().filter(|pattern| rest.starts_with(**pattern)).max_by_key(|pattern| pattern.len());
    exact.copied().or_else(|| {
        // Numeric patterns may be written in lower case too.
        let upper = rest.get(..4.min(rest.len()))?.to_ascii_uppercase();
        let is_numeric = |pattern: &&&str| pattern.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let fits = PATTERNS.iter().filter(is_numeric).filter(|pattern| upper.starts_with(**pattern));
        fits.max_by_key(|pattern| pattern.len()).copied()
    })
}

fn moment(local: i64, offset: i64, zone: &str, picture: &str) -> String {
    let mut out = String::new();
    let mut rest = picture;
    let Some(date) = datetime::date_of(local.div_euclid(DAY) as i32) else { return out };
    while let Some(c) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            out.push_str(&quoted[..end]);
            rest = quoted.get(end + 1..).unwrap_or("");
            continue;
        }
        let fill = rest.starts_with("FM") || rest.starts_with("fm");
        let body = if fill { &rest[2..] } else { rest };
        match next_pattern(body) {
            Some(pattern) => {
                out.push_str(&field(date, local.rem_euclid(DAY), (offset, zone), pattern, fill));
                rest = &body[pattern.len()..];
                for suffix in ["th", "TH"] {
                    if let Some(after) = rest.strip_prefix(suffix) {
                        let ordinal = ordinal(&out);
                        out.push_str(&if suffix == "TH" { ordinal.to_uppercase() } else { ordinal.to_owned() });
                        rest = after;
                    }
                }
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

fn ordinal(text: &str) -> &'static str {
    let digits: String = text.chars().rev().take(2).collect();
    match (digits.chars().next(), digits.chars().nth(1)) {
        (_, Some('1')) => "th",
        (Some('1'), _) => "st",
        (Some('2'), _) => "nd",
        (Some('3'), _) => "rd",
        _ => "th",
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

fn field(date: NaiveDate, clock: i64, (offset, zone): (i64, &str), pattern: &str, fill: bool) -> String {
    let number = |value: i64, width: usize| if fill { value.to_string() } else { format!("{value:0width$}") };
    let word = |text: &str, width: usize| {
        let cased = match pattern {
            _ if pattern.chars().all(|c| c.is_ascii_uppercase()) => text.to_uppercase(),
            _ if pattern.starts_with(|c: char| c.is_ascii_lowercase()) => text.to_lowercase(),
            _ => text.to_owned(),
        };
        if fill || width == 0 { cased } else { format!("{cased:<width$}") }
    };
    let year = i64::from(date.year());
    let month = MONTHS[date.month0() as usize];
    let day = DAYS[date.weekday().num_days_from_sunday() as usize];
    let hour = clock / (3_600 * SECOND);
    let half = if hour % 12 == 0 { 12 } else { hour % 12 };
    match pattern {
        "YYYY" => number(year, 4),
        "YYY" => number(year % 1000, 3),
        "YY" => number(year % 100, 2),
        "Y" => number(year % 10, 1),
        "Y,YYY" => format!("{},{:03}", year / 1000, year % 1000),
        "IYYY" => number(date.iso_week().year().into(), 4),
        "Month" | "MONTH" | "month" => word(month, 9),
        "Mon" | "MON" | "mon" => word(&month[..3], 0),
        "MM" => number(date.month().into(), 2),
        "Day" | "DAY" | "day" => word(day, 9),
        "Dy" | "DY" | "dy" => word(&day[..3], 0),
        "DDD" => number(date.ordinal().into(), 3),
        "DD" => number(date.day().into(), 2),
        "D" => number(i64::from(date.weekday().num_days_from_sunday()) + 1, 1),
        "ID" => number(date.weekday().number_from_monday().into(), 1),
        "IW" => number(date.iso_week().week().into(), 2),
        "WW" => number(i64::from(date.ordinal0() / 7 + 1), 2),
        "W" => number(i64::from(date.day0() / 7 + 1), 1),
        "HH24" => number(hour, 2),
        "HH12" | "HH" => number(half, 2),
        "MI" => number(clock / (60 * SECOND) % 60, 2),
        "SSSS" => number(clock / SECOND, 1),
        "SS" => number(clock / SECOND % 60, 2),
        "MS" | "FF3" => number(clock % SECOND / 1000, 3),
        "US" => number(clock % SECOND, 6),
        "AM" | "PM" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        "am" | "pm" => if hour < 12 { "am" } else { "pm" }.to_owned(),
        "A.M." | "P.M." => if hour < 12 { "A.M." } else { "P.M." }.to_owned(),
        "Q" => number(i64::from(date.month0() / 3) + 1, 1),
        "TZ" => zone.to_uppercase(),
        "tz" => zone.to_lowercase(),
        "OF" => datetime::print_offset(offset),
        "TZH" => format!("{}{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3600),
        "TZM" => number(offset.abs() / 60 % 60, 2),
        "CC" => number((year - 1).div_euclid(100) + 1, 2),
        "J" => (i64::from(datetime::days_of(date)) + 2_440_588).to_string(),
        _ => String::new(),
    }
}

/// A number by a picture of 9, 0, D, G, `.`, `,`, S, FM.
fn number(value: &Datum, picture: &str) -> String {
    let fill = picture.contains("FM") || picture.contains("fm");
    let body: String = picture.replace("FM", "").replace("fm", "");
    let decimals =
        body.split_once(['.', 'D']).map_or(0, |(_, part)| part.chars().filter(|c| matches!(c, '9' | '0')).count());
    let Some(Numeric::Finite(number)) = compare::to_numeric(value) else { return "#".repeat(body.len()) };
    let rounded = number.with_scale_round(decimals as i64, bigdecimal::RoundingMode::HalfUp);
    let is_negative = rounded < 0;
    let shown = rounded.abs().to_plain_string();
    let (whole, part) = shown.split_once('.').unwrap_or((&shown, ""));
    let whole = if whole == "0" { "" } else { whole };
    let whole_picture = body.split(['.', 'D']).next().unwrap_or_default();
    let places = whole_picture.chars().filter(|c| matches!(c, '9' | '0')).count();
    if whole.len() > places {
        return format!(" {}", body.replace(['9', '0'], "#"));
    }
    let mut digits = format!("{whole:>places$}").chars().collect::<Vec<_>>().into_iter();
    let (mut out, mut started) = (String::new(), false);
    for c in whole_picture.chars() {
        match c {
            '9' | '0' => {
                let digit = digits.next().unwrap_or(' ');
                started |= digit != ' ' || c == '0';
                match (digit, started) {
                    (' ', true) => out.push('0'),
                    (' ', false) => out.push(' '),
                    (digit, _) => out.push(digit),
                }
            }
            ',' | 'G' => out.push(if started { ',' } else { ' ' }),
            'S' | 'M' | 'I' => {}
            other => out.push(other),
        }
    }
    if !started && decimals == 0 && places > 0 {
        out.pop();
        out.push('0');
    }
    if decimals > 0 {
        let part = if fill { part.trim_end_matches('0') } else { part };
        out.push('.');
        out.push_str(part);
    }
    let pad = out.len() - out.trim_start().len();
    let bare = out.trim_start();
    let sign = match (body.contains('S'), is_negative) {
        (_, true) => "-",
        (true, false) => "+",
        (false, false) => {
            if fill {
                ""
            } else {
                " "
            }
        }
    };
    if fill { format!("{sign}{bare}") } else { format!("{}{sign}{bare}", " ".repeat(pad)) }
}

/// Reads a moment by a picture: local microseconds.
fn read(text: &str, picture: &str) -> Result<i64> {
    let (mut year, mut month, mut day, mut hour, mut clock) = (1_i32, 1_u32, 1_u32, 0_i64, 0_i64);
    let mut afternoon = None;
    let mut ordinal = None;
    let (mut rest, mut input) = (picture.replace("FM", ""), text);
    while !rest.is_empty() {
        let Some(pattern) = next_pattern(&rest) else {
            let c = rest.remove(0);
            if c != '"' {
                let next = input.chars().next();
                if c.is_alphanumeric() || next.is_some_and(|next| !next.is_alphanumeric()) {
                    input = input.get(next.map_or(0, char::len_utf8)..).unwrap_or("");
                }
            }
            continue;
        };
        rest = rest[pattern.len()..].to_owned();
        input = input.trim_start();
        if input.is_empty() {
            break;
        }
        if pattern.eq_ignore_ascii_case("month") || pattern.eq_ignore_ascii_case("mon") {
            let lower = input.to_lowercase();
            let found = MONTHS.iter().position(|name| lower.starts_with(&name.to_lowercase()[..3]));
            let found = found.ok_or_else(|| invalid(input, pattern))?;
            let full = lower.starts_with(&MONTHS[found].to_lowercase());
            input = &input[if full { MONTHS[found].len() } else { 3 }..];
            month = found as u32 + 1;
            continue;
        }
        if matches!(pattern, "AM" | "PM" | "am" | "pm") {
            afternoon = Some(input.to_lowercase().starts_with('p'));
            input = input.get(2..).unwrap_or("");
            continue;
        }
        let width = match pattern {
            "YYYY" | "IYYY" => 4,
            "MS" | "DDD" => 3,
            "US" => 6,
            _ => 2,
        };
        let digits: String = input.chars().take(width).take_while(char::is_ascii_digit).collect();
        let value: i64 = digits.parse().map_err(|_| invalid(input, pattern))?;
        input = &input[digits.len()..];
        match pattern {
            "YYYY" => year = value as i32,
            "YY" => year = value as i32 + if value < 70 { 2000 } else { 1900 },
            "MM" => month = value as u32,
            "DD" => day = value as u32,
            "DDD" => ordinal = Some(value as u32),
            "HH24" | "HH12" | "HH" => hour = value,
            "MI" => clock += value * 60 * SECOND,
            "SS" => clock += value * SECOND,
            "MS" => clock += value * 10_i64.pow(6 - digits.len().min(3) as u32),
            "US" => clock += value * 10_i64.pow(6 - digits.len().min(6) as u32),
            _ => {}
        }
    }
    if let Some(afternoon) = afternoon {
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    let date = match ordinal {
        Some(ordinal) => NaiveDate::from_yo_opt(year, ordinal),
        None => NaiveDate::from_ymd_opt(year, month, day),
    };
    let date = date.ok_or(Error::DatetimeOutOfRange("date/time field value"))?;
    Ok(i64::from(datetime::days_of(date)) * DAY + hour * 3_600 * SECOND + clock)
}

fn invalid(input: &str, pattern: &str) -> Error {
    let shown: String = input.chars().take(pattern.len()).collect();
    Error::InvalidParameter(format!("invalid value \"{shown}\" for \"{pattern}\""))
}
