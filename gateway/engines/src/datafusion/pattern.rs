//! The patterns of `to_char`, `to_timestamp` and `to_date`.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

/// Keywords, the longer before the shorter that begin like them.
const KEYWORDS: &[&str] = &[
    "YYYY", "IYYY", "Y,YYY", "YYY", "YY", "IYY", "IY", "HH24", "HH12", "HH", "MI", "SSSSS", "SSSS", "SS", "MS", "US",
    "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "AM", "PM", "A.M.", "P.M.", "MONTH", "MON", "MM", "DAY", "DDD", "IDDD",
    "DD", "DY", "ID", "D", "IW", "WW", "W", "Q", "CC", "J", "TZH", "TZM", "TZ", "OF", "Y", "I",
];

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

/// One piece of a pattern.
enum Piece<'a> {
    /// Keyword in capitals, as written, without padding (`FM`), with an ordinal ending (`th`).
    Field {
        keyword: &'static str,
        written: &'a str,
        fill: bool,
        ordinal: bool,
    },
    Text(&'a str),
}

fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            found.push(Piece::Text(&quoted[..end]));
            rest = quoted.get(end + 1..).unwrap_or_default();
            continue;
        }
        let (fill, after) = match rest.get(..2) {
            Some(prefix) if prefix.eq_ignore_ascii_case("FM") => (false, &rest[2..]),
            _ => (true, rest),
        };
        let starts =
            |keyword: &&&str| after.get(..keyword.len()).is_some_and(|text| text.eq_ignore_ascii_case(keyword));
        match KEYWORDS.iter().find(starts) {
            Some(keyword) => {
                let (written, after) = after.split_at(keyword.len());
                let ordinal = after.get(..2).is_some_and(|ending| ending.eq_ignore_ascii_case("th"));
                rest = if ordinal { &after[2..] } else { after };
                found.push(Piece::Field { keyword, written, fill, ordinal });
            }
            None => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                found.push(Piece::Text(&rest[..length]));
                rest = &rest[length..];
            }
        }
    }
    found
}

/// Prints a time by a pattern. The zone is UTC.
pub(crate) fn format(at: &NaiveDateTime, pattern: &str, has_zone: bool) -> String {
    let mut text = String::new();
    for piece in pieces(pattern) {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Field { keyword, written, fill, ordinal } => {
                let field = format_field(at, keyword, written, fill, has_zone);
                text.push_str(&field);
                if ordinal {
                    text.push_str(ordinal_ending(&field));
                }
            }
        }
    }
    text
}

/// Prints an interval by a pattern: hours are not limited to a day.
pub(crate) fn format_interval(value: arrow::datatypes::IntervalMonthDayNano, pattern: &str) -> String {
    let micros = value.nanoseconds / 1_000;
    let seconds = micros / 1_000_000;
    let mut text = String::new();
    for piece in pieces(pattern) {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Field { keyword, fill, .. } => {
                let (number, width) = match keyword {
                    "YYYY" => (i64::from(value.months / 12), 4),
                    "MM" => (i64::from(value.months % 12), 2),
                    "DD" | "DDD" => (i64::from(value.days), 2),
                    "HH24" => (seconds / 3600, 2),
                    "HH" | "HH12" => (seconds / 3600 % 12, 2),
                    "MI" => (seconds / 60 % 60, 2),
                    "SS" => (seconds % 60, 2),
                    "SSSS" | "SSSSS" => (seconds, 1),
                    "MS" => (micros / 1_000 % 1_000, 3),
                    "US" => (micros % 1_000_000, 6),
                    _ => continue,
                };
                text.push_str(&if fill { format!("{number:0width$}") } else { number.to_string() });
            }
        }
    }
    text
}

fn format_field(at: &NaiveDateTime, keyword: &str, written: &str, fill: bool, has_zone: bool) -> String {
    let number = |value: i64, width: usize| if fill { format!("{value:0width$}") } else { value.to_string() };
    let name = |name: &str, width: usize| {
        let cased = like_case(name, written);
        if fill { format!("{cased:<width$}") } else { cased }
    };
    let (year, iso) = (i64::from(at.year()), at.iso_week());
    let micros = i64::from(at.nanosecond() / 1_000);
    let hour12 = i64::from((at.hour() + 11) % 12 + 1);
    match keyword {
        "YYYY" => number(year, 4),
        "Y,YYY" => format!("{},{:03}", year / 1000, year % 1000),
        "YYY" => number(year % 1000, 3),
        "YY" => number(year % 100, 2),
        "Y" => number(year % 10, 1),
        "IYYY" => number(i64::from(iso.year()), 4),
        "IYY" => number(i64::from(iso.year()) % 1000, 3),
        "IY" => number(i64::from(iso.year()) % 100, 2),
        "I" => number(i64::from(iso.year()) % 10, 1),
        "CC" => number((year + 99) / 100, 2),
        "Q" => number(i64::from(at.month0() / 3 + 1), 1),
        "MM" => number(i64::from(at.month()), 2),
        "MONTH" => name(MONTHS[at.month0() as usize], 9),
        "MON" => like_case(&MONTHS[at.month0() as usize][..3], written),
        "DD" => number(i64::from(at.day()), 2),
        "DDD" => number(i64::from(at.ordinal()), 3),
        "IDDD" => number(i64::from(iso.week() - 1) * 7 + i64::from(at.weekday().number_from_monday()), 3),
        "DAY" => name(DAYS[at.weekday().num_days_from_sunday() as usize], 9),
        "DY" => like_case(&DAYS[at.weekday().num_days_from_sunday() as usize][..3], written),
        "D" => number(i64::from(at.weekday().number_from_sunday()), 1),
        "ID" => number(i64::from(at.weekday().number_from_monday()), 1),
        "IW" => number(i64::from(iso.week()), 2),
        "WW" => number(i64::from(at.ordinal0() / 7 + 1), 2),
        "W" => number(i64::from(at.day0() / 7 + 1), 1),
        "J" => number(i64::from(at.num_days_from_ce()) + 1_721_425, 1),
        "HH24" => number(i64::from(at.hour()), 2),
        "HH12" | "HH" => number(hour12, 2),
        "MI" => number(i64::from(at.minute()), 2),
        "SS" => number(i64::from(at.second()), 2),
        "SSSS" | "SSSSS" => number(i64::from(at.num_seconds_from_midnight()), 1),
        "MS" => number(micros / 1_000, 3),
        "US" | "FF6" => number(micros, 6),
        "FF1" => number(micros / 100_000, 1),
        "FF2" => number(micros / 10_000, 2),
        "FF3" => number(micros / 1_000, 3),
        "FF4" => number(micros / 100, 4),
        "FF5" => number(micros / 10, 5),
        "AM" | "PM" => like_case(if at.hour() < 12 { "AM" } else { "PM" }, written),
        "A.M." | "P.M." => like_case(if at.hour() < 12 { "A.M." } else { "P.M." }, written),
        "TZ" if has_zone => like_case("UTC", written),
        "TZH" if has_zone => "+00".to_owned(),
        "TZM" if has_zone => "00".to_owned(),
        "OF" => "+00".to_owned(),
        _ => String::new(),
    }
}

/// Gives a word the letter case of its keyword: `MONTH`, `Month` or `month`.
fn like_case(word: &str, written: &str) -> String {
    let mut letters = written.chars().filter(|c| c.is_alphabetic());
    match (letters.next().is_some_and(char::is_uppercase), letters.next().is_some_and(char::is_uppercase)) {
        (true, true) => word.to_uppercase(),
        (true, false) => word.to_owned(),
        _ => word.to_lowercase(),
    }
}

fn ordinal_ending(number: &str) -> &'static str {
    let teens = number.len() >= 2 && number.as_bytes()[number.len() - 2] == b'1';
    match number.as_bytes().last() {
        _ if teens => "th",
        Some(b'1') => "st",
        Some(b'2') => "nd",
        Some(b'3') => "rd",
        _ => "th",
    }
}

/// What has been read of a time so far.
struct Read {
    year: i32,
    month: u32,
    day: u32,
    day_of_year: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
    is_pm: Option<bool>,
    offset: i64,
}

/// Reads a time by a pattern; `None` where the text does not follow it.
pub(crate) fn parse(text: &str, pattern: &str) -> Option<NaiveDateTime> {
    let mut read = Read {
        year: 1,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        minute: 0,
        second: 0,
        micros: 0,
        is_pm: None,
        offset: 0,
    };
    let mut rest = text;
    for piece in pieces(pattern) {
        match piece {
            // Any separator stands for any other, and for none at the text's end.
            Piece::Text(plain) if plain.chars().all(|c| !c.is_alphanumeric()) => {
                rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '+' && c != '-');
                if plain == "-" {
                    rest = rest.strip_prefix('-').unwrap_or(rest);
                }
            }
            Piece::Text(plain) => rest = rest.strip_prefix(plain)?,
            Piece::Field { keyword, .. } => {
                if rest.is_empty() {
                    break;
                }
                rest = read.field(keyword, rest.trim_start())?;
            }
        }
    }
    read.finish()
}

impl Read {
    fn field<'a>(&mut self, keyword: &str, text: &'a str) -> Option<&'a str> {
        let mut rest = text;
        let mut number = |width: usize| {
            let length = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
            let value = rest.get(..length)?.parse::<u32>().ok();
            rest = &rest[length..];
            value
        };
        match keyword {
            "YYYY" | "IYYY" => self.year = i32::try_from(number(4)?).ok()?,
            "YY" => {
                self.year =
                    i32::try_from(number(2)?).map(|year| if year < 70 { 2000 + year } else { 1900 + year }).ok()?
            }
            "MM" => self.month = number(2)?,
            "DD" => self.day = number(2)?,
            "DDD" => self.day_of_year = Some(number(3)?),
            "HH24" | "HH12" | "HH" => self.hour = number(2)?,
            "MI" => self.minute = number(2)?,
            "SS" => self.second = number(2)?,
            "MS" | "US" | "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6" => {
                let digits: String = rest.chars().take(6).take_while(char::is_ascii_digit).collect();
                rest = &rest[digits.len()..];
                self.micros = format!("{digits:0<6}").parse().ok()?;
            }
            "MONTH" | "MON" => {
                let is_month = |name: &&str| rest.get(..3).is_some_and(|text| text.eq_ignore_ascii_case(&name[..3]));
                let index = MONTHS.iter().position(is_month)?;
                let full = MONTHS[index];
                let is_full = rest.get(..full.len()).is_some_and(|text| text.eq_ignore_ascii_case(full));
                self.month = u32::try_from(index).ok()? + 1;
                rest = &rest[if is_full { full.len() } else { 3 }..];
            }
            "DAY" | "DY" => rest = rest.trim_start_matches(char::is_alphabetic),
            "AM" | "PM" | "A.M." | "P.M." => {
                self.is_pm = Some(rest.get(..1)?.eq_ignore_ascii_case("p"));
                rest = rest.get(keyword.len()..)?;
            }
            "TZH" | "OF" => {
                let west = rest.starts_with('-');
                rest = rest.trim_start_matches(['+', '-']);
                let hours = rest.get(..2)?.parse::<i64>().ok()?;
                rest = &rest[2..];
                self.offset = if west { -hours } else { hours } * 3600;
            }
            _ => return None,
        }
        Some(rest)
    }

    fn finish(self) -> Option<NaiveDateTime> {
        let date = match self.day_of_year {
            Some(day) => NaiveDate::from_yo_opt(self.year, day)?,
            None => NaiveDate::from_ymd_opt(self.year, self.month, self.day)?,
        };
        let hour = match self.is_pm {
            Some(is_pm) => self.hour % 12 + if is_pm { 12 } else { 0 },
            None => self.hour,
        };
        let local = date.and_hms_micro_opt(hour, self.minute, self.second, self.micros)?;
        local.checked_sub_signed(chrono::Duration::seconds(self.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_print() {
        let at = NaiveDate::from_ymd_opt(2026, 3, 4).unwrap().and_hms_micro_opt(15, 5, 9, 70_500).unwrap();
        let cases = [
            ("YYYY-MM-DD HH24:MI:SS", "2026-03-04 15:05:09"),
            ("YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"", "2026-03-04T15:05:09.070Z"),
            ("Dy, DD Mon YYYY HH12:MI AM", "Wed, 04 Mar 2026 03:05 PM"),
            ("FMDay FMDDth FMMonth", "Wednesday 4th March"),
            ("Month|", "March    |"),
            ("IYYY-IW-ID Q", "2026-10-3 1"),
            ("US TZ", "070500 UTC"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(format(&at, pattern, true), expected, "{pattern}");
        }
    }

    #[test]
    fn patterns_read() {
        let cases = [
            ("2026-11-18 15:42", "YYYY-MM-DD HH24:MI", Some("2026-11-18 15:42:00")),
            ("18/Nov/2026:03:42:01 PM", "DD/Mon/YYYY:HH12:MI:SS PM", Some("2026-11-18 15:42:01")),
            ("20261118", "YYYYMMDD", Some("2026-11-18 00:00:00")),
            ("2026-13-01", "YYYY-MM-DD", None),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(parse(text, pattern).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }
}
