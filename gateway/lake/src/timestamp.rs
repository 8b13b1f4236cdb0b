//! Reads the times that log sources write.

/// Microseconds since 1970-01-01 00:00 UTC.
pub type Micros = i64;

const DAY: i64 = 86_400_000_000;
/// Events are kept from 1970-01-01 on ...
pub const EARLIEST: Micros = 0;
/// ... and before 2200-01-01. A time outside is a vendor's "never" or a fault: the event goes to quarantine.
pub const LATEST: Micros = 7_258_118_400_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFault {
    Unreadable,
    OutOfRange,
}

impl TimeFault {
    pub fn reason(self) -> &'static str {
        match self {
            TimeFault::Unreadable => "the time cannot be read",
            TimeFault::OutOfRange => "the time is outside 1970 to 2199",
        }
    }
}

pub fn in_range(micros: Micros) -> Result<Micros, TimeFault> {
    if (EARLIEST..LATEST).contains(&micros) { Ok(micros) } else { Err(TimeFault::OutOfRange) }
}

/// Reads ISO 8601 and its common variants (blank for T, no zone meaning UTC, comma fractions), Apache's
/// `04/Apr/2024:14:30:18 +0000`, and epoch seconds, milliseconds, microseconds or nanoseconds told apart by size.
pub fn parse(text: &str) -> Result<Micros, TimeFault> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let micros = if bytes.get(4) == Some(&b'-') && bytes.len() >= 10 {
        iso(bytes)
    } else if bytes.get(2) == Some(&b'/') {
        apache(bytes)
    } else {
        text.parse().ok().and_then(epoch)
    };
    in_range(micros.ok_or(TimeFault::Unreadable)?)
}

/// Epoch seconds, milliseconds, microseconds or nanoseconds: the unit follows from the size of the number.
pub fn epoch(number: f64) -> Option<Micros> {
    if !number.is_finite() {
        return None;
    }
    let size = number.abs();
    let micros = match size {
        _ if size < 1.0e11 => number * 1.0e6,
        _ if size < 1.0e14 => number * 1.0e3,
        _ if size < 1.0e17 => number,
        _ => number / 1.0e3,
    };
    Some(micros.round() as i64)
}

/// Days since 1970-01-01 of a civil date (proleptic Gregorian).
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a count of days since 1970-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The UTC day of a time, counted from 1970-01-01.
pub fn day_of(micros: Micros) -> i64 {
    micros.div_euclid(DAY)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn instant(year: i64, month: i64, day: i64, clock: i64) -> Option<Micros> {
    let valid = (1..=12).contains(&month) && day >= 1 && day <= month_length(year, month);
    valid.then(|| days(year, month, day) * DAY + clock)
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<i64> {
    let slice = bytes.get(from..from + count)?;
    slice.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn iso(bytes: &[u8]) -> Option<Micros> {
    let year = digits(bytes, 0, 4)?;
    let month = digits(bytes, 5, 2)?;
    let day = digits(bytes, 8, 2)?;
    if bytes[7] != b'-' {
        return None;
    }
    if bytes.len() == 10 {
        return instant(year, month, day, 0);
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let (clock, at) = clock(bytes, 11)?;
    Some(instant(year, month, day, clock)? - zone(&bytes[at..])?)
}

/// Reads `HH:MM[:SS[.fraction]]` into microseconds, with the index after it. A leap second counts as the next one.
fn clock(bytes: &[u8], from: usize) -> Option<(i64, usize)> {
    let hour = digits(bytes, from, 2)?;
    let minute = digits(bytes, from + 3, 2)?;
    if bytes[from + 2] != b':' || hour > 23 || minute > 59 {
        return None;
    }
    let mut at = from + 5;
    let mut micros = (hour * 3600 + minute * 60) * 1_000_000;
    if bytes.get(at) == Some(&b':') {
        let second = digits(bytes, at + 1, 2).filter(|second| *second <= 60)?;
        micros += second * 1_000_000;
        at += 3;
    }
    if matches!(bytes.get(at), Some(b'.' | b',')) {
        at += 1;
        let mut unit = 100_000;
        while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
            micros += i64::from(digit - b'0') * unit;
            unit /= 10;
            at += 1;
        }
    }
    Some((micros, at))
}

/// Microseconds east of UTC.
fn zone(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if matches!(text, "" | "Z" | "z" | "UTC" | "GMT" | "+0000 UTC") {
        return Some(0);
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let rest = &text.as_bytes()[1..];
    let hours = digits(rest, 0, 2)?;
    let minutes = match rest.len() {
        2 => 0,
        4 => digits(rest, 2, 2)?,
        5 if rest[2] == b':' => digits(rest, 3, 2)?,
        _ => return None,
    };
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000_000)
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn month_number(name: &[u8]) -> Option<i64> {
    MONTHS.iter().position(|month| name.eq_ignore_ascii_case(&month[..])).map(|index| index as i64 + 1)
}

fn apache(bytes: &[u8]) -> Option<Micros> {
    let day = digits(bytes, 0, 2)?;
    let month = month_number(bytes.get(3..6)?)?;
    let year = digits(bytes, 7, 4)?;
    let (clock, at) = clock(bytes, 12)?;
    Some(instant(year, month, day, clock)? - zone(&bytes[at..])?)
}

/// Reads RFC 3164's `Mmm dd hh:mm:ss` at the start of `text`, with the length read. The year, which the format leaves
/// out, is the latest that does not put the event more than a day after `received`.
pub fn rfc3164(text: &str, received: Micros) -> Option<(Micros, usize)> {
    let bytes = text.as_bytes();
    let month = month_number(bytes.get(..3)?)?;
    if bytes.get(3) != Some(&b' ') {
        return None;
    }
    let (day, mut at) = match (bytes.get(4)?, bytes.get(5)?) {
        (b' ', digit) if digit.is_ascii_digit() => (i64::from(digit - b'0'), 6),
        (digit, b' ') if digit.is_ascii_digit() => (i64::from(digit - b'0'), 5),
        _ => (digits(bytes, 4, 2)?, 6),
    };
    if bytes.get(at) != Some(&b' ') {
        return None;
    }
    let written_year = digits(bytes, at + 1, 4).filter(|_| bytes.get(at + 5) == Some(&b' '));
    if written_year.is_some() {
        at += 5;
    }
    let (clock, end) = clock(bytes, at + 1)?;
    let (this_year, _, _) = civil(day_of(received));
    let years = written_year.map_or_else(|| (this_year - 7..=this_year + 1).rev().collect(), |year| vec![year]);
    let limit = if written_year.is_some() { i64::MAX } else { received + DAY };
    let time = years.into_iter().filter_map(|year| instant(year, month, day, clock)).find(|time| *time <= limit)?;
    Some((time, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_one_instant_read_the_same() {
        let expected = 1_700_000_000_123_000;
        for text in [
            "2023-11-14T22:13:20.123Z",
            "2023-11-14 22:13:20.123",
            "2023-11-14T22:13:20,123+00:00",
            "2023-11-15T00:13:20.123+0200",
            "2023-11-14 22:13:20.123000000",
            "1700000000123",
            "1700000000.123",
            "1700000000123000",
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        assert_eq!(parse("14/Nov/2023:22:13:20 +0000"), Ok(1_700_000_000_000_000));
    }

    #[test]
    fn impossible_and_extreme_times_are_faults() {
        for text in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(parse(text), Err(TimeFault::OutOfRange), "{text}");
        }
        for text in ["", "yesterday", "2023-02-30", "2023-13-01", "2023-11-14T25:00:00Z", "NaN", "2023-11-14X22:13:20"]
        {
            assert_eq!(parse(text), Err(TimeFault::Unreadable), "{text}");
        }
    }

    #[test]
    fn days_and_civil_dates_are_inverse() {
        for day in (-800_000..3_000_000).step_by(97) {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), day);
        }
    }

    #[test]
    fn a_year_is_found_for_rfc3164() {
        let received = parse("2026-01-02T00:00:00Z").unwrap();
        let read = |text| rfc3164(text, received).map(|(time, _)| time);
        assert_eq!(read("Dec 31 23:59:59 host"), parse("2025-12-31T23:59:59Z").ok());
        assert_eq!(read("Jan  2 12:00:00 host"), parse("2026-01-02T12:00:00Z").ok());
        assert_eq!(read("Feb 29 01:15:43:"), parse("2024-02-29T01:15:43Z").ok());
        assert_eq!(read("MMM 22 07:54:32 h"), None);
    }
}
