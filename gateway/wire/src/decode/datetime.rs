//! Dates and times in ISO 8601, as drivers send them. Any other spelling goes on as text: the statement's cast reads it.

use mantissa_core::{PgType, Value};

use super::DecodeError;
use crate::encode::{Civil, MICROS_PER_DAY, MICROS_PER_SECOND, Style};

pub(super) fn value(text: &str, ty: PgType, style: &Style) -> Result<Value, DecodeError> {
    let trimmed = text.trim_ascii();
    let Some(parsed) = parse(trimmed, ty) else { return Ok(Value::Text(trimmed.to_owned())) };
    let moment = parsed.map_err(|OutOfRange| DecodeError::OutOfRange { ty, text: text.to_owned() })?;
    let local = moment.days * MICROS_PER_DAY + moment.micros;
    Ok(match ty {
        // Postgres takes a date out of a timestamp's text.
        PgType::DATE => Value::Date(moment.days as i32),
        PgType::TIME => Value::Time(moment.micros),
        // Without a zone, the offset in the text is ignored.
        PgType::TIMESTAMP => Value::Timestamp(local),
        _ => {
            let offset = match moment.offset {
                Some(offset) => offset,
                None => style.zone.offset_of_local(local.div_euclid(MICROS_PER_SECOND)),
            };
            Value::TimestampTz(local - i64::from(offset) * MICROS_PER_SECOND)
        }
    })
}

struct Moment {
    days: i64,
    micros: i64,
    offset: Option<i32>,
}

struct OutOfRange;

/// `None` where the text is of another form.
fn parse(text: &str, ty: PgType) -> Option<Result<Moment, OutOfRange>> {
    let mut rest = text;
    let mut date = Civil { year: 1970, month: 1, day: 1 };
    let mut in_range = true;
    if ty != PgType::TIME {
        let (year, month, day);
        (year, rest) = digits(rest, 4, 6)?;
        rest = rest.strip_prefix('-')?;
        (month, rest) = digits(rest, 2, 2)?;
        rest = rest.strip_prefix('-')?;
        (day, rest) = digits(rest, 2, 2)?;
        date = Civil { year: i64::from(year), month: month as u8, day: day as u8 };
        in_range = year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day);
    }
    let mut micros = 0;
    let mut offset = None;
    let at_time = if ty == PgType::TIME {
        Some(rest)
    } else {
        rest.strip_prefix(['T', ' ']).filter(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
    };
    if let Some(at_time) = at_time {
        let time;
        (time, rest) = clock(at_time)?;
        in_range &= (0..=MICROS_PER_DAY).contains(&time);
        micros = time;
        (offset, rest) = zone(rest)?;
    }
    if let Some(before) = rest.strip_suffix(" BC").filter(|_| ty != PgType::TIME) {
        date.year = 1 - date.year;
        rest = before;
    }
    if !rest.is_empty() {
        return None;
    }
    if !in_range {
        return Some(Err(OutOfRange));
    }
    let days = date.to_days();
    // A day that its month does not have.
    if Civil::from_days(days) != date {
        return Some(Err(OutOfRange));
    }
    Some(Ok(Moment { days, micros, offset }))
}

/// `least` to `most` digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(least..=most).contains(&count) {
        return None;
    }
    let (number, rest) = text.split_at(count);
    Some((number.parse().ok()?, rest))
}

/// `HH:MM[:SS[.ffffff]]` in microseconds; more than a day where a field is out of its range.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (hours, rest) = digits(text, 2, 2)?;
    let (minutes, mut rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let mut seconds = 0;
    let mut fraction = 0;
    if let Some(at_seconds) = rest.strip_prefix(':') {
        (seconds, rest) = digits(at_seconds, 2, 2)?;
        if let Some(at_fraction) = rest.strip_prefix('.') {
            let count = at_fraction.bytes().take_while(u8::is_ascii_digit).count();
            // More digits than microseconds have need rounding: left to the cast.
            if !(1..=6).contains(&count) {
                return None;
            }
            let (number, after) = at_fraction.split_at(count);
            fraction = number.parse::<i64>().ok()? * 10i64.pow(6 - count as u32);
            rest = after;
        }
    }
    if minutes > 59 || seconds > 60 {
        return Some((i64::MAX, rest));
    }
    Some(((i64::from(hours * 3_600 + minutes * 60 + seconds)) * MICROS_PER_SECOND + fraction, rest))
}

/// `Z`, `+HH`, `+HHMM`, `+HH:MM`, `+HH:MM:SS`, with a space in front or not; nothing where there is none.
fn zone(text: &str) -> Option<(Option<i32>, &str)> {
    let bare = text.strip_prefix(' ').unwrap_or(text);
    if let Some(rest) = bare.strip_prefix(['Z', 'z']) {
        return Some((Some(0), rest));
    }
    let Some(sign) = bare.chars().next().filter(|char| matches!(char, '+' | '-')) else {
        return Some((None, text));
    };
    let (hours, mut rest) = digits(&bare[1..], 1, 2).or_else(|| {
        let (number, rest) = digits(&bare[1..], 4, 4)?;
        Some((number / 100 + (number % 100) * 1_000, rest))
    })?;
    let (hours, mut minutes) = (hours % 1_000, hours / 1_000);
    let mut seconds = 0;
    if let Some(at_minutes) = rest.strip_prefix(':') {
        (minutes, rest) = digits(at_minutes, 2, 2)?;
        if let Some(at_seconds) = rest.strip_prefix(':') {
            (seconds, rest) = digits(at_seconds, 2, 2)?;
        }
    }
    // Postgres's own bound, MAX_TZDISP_HOUR.
    if hours > 15 || minutes > 59 || seconds > 59 {
        return None;
    }
    let offset = (hours * 3_600 + minutes * 60 + seconds) as i32;
    Some((Some(if sign == '-' { -offset } else { offset }), rest))
}
