//! Interval literals in every spelling that Postgres reads.

/// An interval in the three parts that do not convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interval {
    pub months: i64,
    pub days: i64,
    pub micros: i64,
}

const SECOND: f64 = 1e6;
const DAY: f64 = 86_400e6;

/// The length of an interval literal in seconds, with months of 30 days; `None` where it is no interval.
pub fn interval_seconds(text: &str) -> Option<f64> {
    let Interval { months, days, micros } = parse(text, None)?;
    Some((months as f64 * 30.0 + days as f64) * 86_400.0 + micros as f64 / 1e6)
}

/// Reads an interval; `unit` is what a number without unit counts (`INTERVAL '7' DAY`), seconds by default.
pub(crate) fn parse(text: &str, unit: Option<&str>) -> Option<Interval> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix('@').map_or(text.as_str(), str::trim_start);
    if let Some(iso) = text.strip_prefix('p') {
        return parse_iso(iso);
    }
    let (text, is_ago) = match text.strip_suffix("ago") {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let words = words(text);
    let mut total = Interval::default();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        index += 1;
        if word.contains(':') {
            total = total.plus(clock(word)?)?;
            continue;
        }
        if let Some((years, months)) = year_month(word) {
            total.months = total.months.checked_add(years * 12 + months)?;
            continue;
        }
        let number: f64 = word.parse().ok()?;
        let named = words.get(index).filter(|next| next.starts_with(|c: char| c.is_ascii_alphabetic()));
        // `1 02:03:04`: a bare number before a time is days.
        let is_before_clock = words.get(index).is_some_and(|next| next.contains(':'));
        let unit = match named {
            Some(name) => {
                index += 1;
                name.as_str()
            }
            None if is_before_clock => "day",
            None => unit.unwrap_or("second"),
        };
        total = total.plus(amount(number, unit)?)?;
    }
    if words.is_empty() {
        return None;
    }
    Some(if is_ago { Interval { months: -total.months, days: -total.days, micros: -total.micros } } else { total })
}

impl Interval {
    fn plus(self, other: Interval) -> Option<Interval> {
        Some(Interval {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            micros: self.micros.checked_add(other.micros)?,
        })
    }
}

/// Splits at spaces and between a number and its unit (`1h`, `7days`).
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in text.split_whitespace() {
        let letters = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(part.len());
        let (number, unit) = part.split_at(letters);
        words.extend([number, unit].into_iter().filter(|word| !word.is_empty()).map(str::to_owned));
    }
    words
}

fn amount(number: f64, unit: &str) -> Option<Interval> {
    let months = |number: f64| -> Option<Interval> {
        let whole = number.trunc();
        let days = (number - whole) * 30.0;
        in_days(days)?.plus(Interval { months: fits(whole)?, ..Interval::default() })
    };
    match unit {
        "us" | "usec" | "usecs" | "microsecond" | "microseconds" => in_micros(number),
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => in_micros(number * 1e3),
        "s" | "sec" | "secs" | "second" | "seconds" => in_micros(number * SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => in_micros(number * 60.0 * SECOND),
        "h" | "hr" | "hrs" | "hour" | "hours" => in_micros(number * 3600.0 * SECOND),
        "d" | "day" | "days" => in_days(number),
        "w" | "week" | "weeks" => in_days(number * 7.0),
        "mon" | "mons" | "month" | "months" => months(number),
        "y" | "yr" | "yrs" | "year" | "years" => months(number * 12.0),
        "dec" | "decs" | "decade" | "decades" => months(number * 120.0),
        "c" | "cent" | "century" | "centuries" => months(number * 1_200.0),
        "mil" | "mils" | "millennium" | "millennia" => months(number * 12_000.0),
        _ => None,
    }
}

fn in_days(days: f64) -> Option<Interval> {
    let whole = days.trunc();
    Some(Interval { days: fits(whole)?, micros: fits(((days - whole) * DAY).round())?, months: 0 })
}

fn in_micros(micros: f64) -> Option<Interval> {
    Some(Interval { micros: fits(micros.round())?, ..Interval::default() })
}

fn fits(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9e18).then_some(number as i64)
}

/// `[-]HH:MM[:SS[.ffffff]]`
fn clock(word: &str) -> Option<Interval> {
    let (word, sign) = match word.strip_prefix('-') {
        Some(rest) => (rest, -1.0),
        None => (word.strip_prefix('+').unwrap_or(word), 1.0),
    };
    let mut parts = word.split(':').map(|part| part.parse::<f64>().ok().filter(|number| *number >= 0.0));
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = match parts.next() {
        Some(seconds) => seconds?,
        None => 0.0,
    };
    if parts.next().is_some() {
        return None;
    }
    in_micros(sign * (hours * 3600.0 + minutes * 60.0 + seconds) * SECOND)
}

/// `1-2`: a year and two months.
fn year_month(word: &str) -> Option<(i64, i64)> {
    let (sign, plain) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word),
    };
    let (years, months) = plain.split_once('-')?;
    let (years, months): (i64, i64) = (years.parse().ok()?, months.parse().ok()?);
    ((0..100_000).contains(&years) && (0..12).contains(&months)).then_some((sign * years, sign * months))
}

/// `P1Y2M3DT4H5M6S` behind its P.
fn parse_iso(text: &str) -> Option<Interval> {
    let (date, time) = text.split_once('t').unwrap_or((text, ""));
    let mut total = Interval::default();
    for (part, units) in [(date, ["y", "mon", "w", "d"]), (time, ["h", "min", "s", "s"])] {
        let mut number = String::new();
        for character in part.chars() {
            if !character.is_ascii_alphabetic() {
                number.push(character);
                continue;
            }
            let unit = units.into_iter().find(|unit| unit.starts_with(character))?;
            total = total.plus(amount(number.parse().ok()?, unit)?)?;
            number.clear();
        }
        if !number.is_empty() {
            return None;
        }
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_postgres_is_read() {
        let cases = [
            ("7 days", None, (0, 7, 0)),
            ("24 hours", None, (0, 0, 86_400_000_000)),
            ("1 year 2 mons -3 days 04:05:06.5", None, (14, -3, 14_706_500_000)),
            ("1h", None, (0, 0, 3_600_000_000)),
            ("P1Y2M3DT4H5M6S", None, (14, 3, 14_706_000_000)),
            ("7", Some("day"), (0, 7, 0)),
            ("90", None, (0, 0, 90_000_000)),
            ("1 day ago", None, (0, -1, 0)),
            ("1-2", None, (14, 0, 0)),
            ("3 04:05:06", None, (0, 3, 14_706_000_000)),
            ("1.5 months", None, (1, 15, 0)),
            ("-00:30", None, (0, 0, -1_800_000_000)),
            ("@ 1 minute", None, (0, 0, 60_000_000)),
            ("2 weeks", None, (0, 14, 0)),
        ];
        for (text, unit, (months, days, micros)) in cases {
            assert_eq!(parse(text, unit), Some(Interval { months, days, micros }), "{text}");
        }
    }

    #[test]
    fn what_is_no_interval_is_none() {
        for text in ["", "soon", "7 dayz", "1:2:3:4", "P", "P1X", "1e400 days", "day 7 8 bananas"] {
            assert_eq!(parse(text, None), None, "{text}");
        }
    }
}
