//! Dates, times and timestamps as Postgres prints them, over its whole range (4713 BC to 294276 AD and infinity).

use bytes::{BufMut, BytesMut};

use super::number::put_int;
use super::style::{DateFormat, DateOrder, Offsets, Style};

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// Days from 1970-01-01 to 2000-01-01, where Postgres's binary dates start.
pub(crate) const POSTGRES_EPOCH_DAYS: i32 = 10_957;
pub(crate) const POSTGRES_EPOCH_MICROS: i64 = POSTGRES_EPOCH_DAYS as i64 * MICROS_PER_DAY;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A date of the proleptic Gregorian calendar. Year 0 is 1 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub year: i64,
    pub month: u8,
    pub day: u8,
}

impl Civil {
    /// From days since 1970-01-01. The calendar is counted in eras of 400 years that start on 1 March, so that the leap
    /// day is the last of its year.
    pub fn from_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u8;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    /// Days since 1970-01-01.
    pub fn to_days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = i64::from((self.month + 9) % 12);
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// As Postgres prints it: there is no year 0.
    fn printed_year(self) -> i64 {
        if self.year > 0 { self.year } else { 1 - self.year }
    }
}

fn put_two(value: u8, out: &mut BytesMut) {
    out.put_slice(&[b'0' + value / 10, b'0' + value % 10]);
}

fn put_year(year: i64, out: &mut BytesMut) {
    if (0..10_000).contains(&year) {
        put_two((year / 100) as u8, out);
        put_two((year % 100) as u8, out);
    } else {
        put_int(year, out);
    }
}

/// Prints days since 1970-01-01. The two ends of the range are the infinities.
pub(crate) fn put_date(days: i32, style: &Style, out: &mut BytesMut) {
    match days {
        i32::MAX => return out.put_slice(b"infinity"),
        i32::MIN => return out.put_slice(b"-infinity"),
        _ => {}
    }
    let date = Civil::from_days(i64::from(days));
    match style.dates {
        // For a bare date `Postgres` differs from `SQL` only in its dashes.
        DateFormat::Postgres => put_day_and_month(date, b'-', style.order, out),
        _ => put_calendar(date, style, out),
    }
    put_era(date, out);
}

/// The date in front of a time, for all formats that put it there.
fn put_calendar(date: Civil, style: &Style, out: &mut BytesMut) {
    match style.dates {
        DateFormat::Iso | DateFormat::Postgres => {
            put_year(date.printed_year(), out);
            out.put_u8(b'-');
            put_two(date.month, out);
            out.put_u8(b'-');
            put_two(date.day, out);
        }
        DateFormat::Sql => put_day_and_month(date, b'/', style.order, out),
        DateFormat::German => put_day_and_month(date, b'.', DateOrder::Dmy, out),
    }
}

fn put_day_and_month(date: Civil, separator: u8, order: DateOrder, out: &mut BytesMut) {
    let (first, second) = if order == DateOrder::Dmy { (date.day, date.month) } else { (date.month, date.day) };
    put_two(first, out);
    out.put_u8(separator);
    put_two(second, out);
    out.put_u8(separator);
    put_year(date.printed_year(), out);
}

fn put_era(date: Civil, out: &mut BytesMut) {
    if date.year <= 0 {
        out.put_slice(b" BC");
    }
}

/// Prints microseconds since midnight: "04:05:06.789".
pub(crate) fn put_time(micros: i64, out: &mut BytesMut) {
    let seconds = micros / MICROS_PER_SECOND;
    put_two((seconds / 3_600) as u8, out);
    out.put_u8(b':');
    put_two((seconds / 60 % 60) as u8, out);
    out.put_u8(b':');
    put_two((seconds % 60) as u8, out);
    put_fraction((micros % MICROS_PER_SECOND) as u32, out);
}

/// Prints a point and up to six digits, without trailing zeros; nothing for zero.
pub(crate) fn put_fraction(micros: u32, out: &mut BytesMut) {
    if micros == 0 {
        return;
    }
    let mut digits = [b'0'; 6];
    let mut rest = micros;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    out.put_u8(b'.');
    out.put_slice(&digits[..kept]);
}

/// Prints microseconds since 1970-01-01 00:00 without a zone.
pub(crate) fn put_timestamp(micros: i64, style: &Style, out: &mut BytesMut) {
    if !put_infinity(micros, out) {
        put_moment(micros, None, style, out);
    }
}

/// Prints an instant in the zone of the session.
pub(crate) fn put_timestamptz(micros: i64, offsets: &mut Offsets, style: &Style, out: &mut BytesMut) {
    if put_infinity(micros, out) {
        return;
    }
    let unix_seconds = micros.div_euclid(MICROS_PER_SECOND);
    let offset = offsets.at(unix_seconds);
    let local = micros.saturating_add(i64::from(offset) * MICROS_PER_SECOND);
    put_moment(local, Some((unix_seconds, offset)), style, out);
}

fn put_infinity(micros: i64, out: &mut BytesMut) -> bool {
    match micros {
        i64::MAX => out.put_slice(b"infinity"),
        i64::MIN => out.put_slice(b"-infinity"),
        _ => return false,
    }
    true
}

fn put_moment(local: i64, zone: Option<(i64, i32)>, style: &Style, out: &mut BytesMut) {
    let days = local.div_euclid(MICROS_PER_DAY);
    let time = local.rem_euclid(MICROS_PER_DAY);
    let date = Civil::from_days(days);
    if style.dates == DateFormat::Postgres {
        out.put_slice(WEEKDAYS[(days + 4).rem_euclid(7) as usize].as_bytes());
        out.put_u8(b' ');
        let month = MONTHS[usize::from(date.month) - 1];
        if style.order == DateOrder::Dmy {
            put_two(date.day, out);
            out.put_u8(b' ');
            out.put_slice(month.as_bytes());
        } else {
            out.put_slice(month.as_bytes());
            out.put_u8(b' ');
            put_two(date.day, out);
        }
        out.put_u8(b' ');
        put_time(time, out);
        out.put_u8(b' ');
        put_year(date.printed_year(), out);
    } else {
        put_calendar(date, style, out);
        out.put_u8(b' ');
        put_time(time, out);
    }
    if let Some((unix_seconds, offset)) = zone {
        put_zone(unix_seconds, offset, style, out);
    }
    put_era(date, out);
}

fn put_zone(unix_seconds: i64, offset: i32, style: &Style, out: &mut BytesMut) {
    if style.dates != DateFormat::Iso {
        out.put_u8(b' ');
        if let Some(name) = style.zone.abbreviation_at(unix_seconds) {
            return out.put_slice(name.as_bytes());
        }
    }
    put_offset(offset, out);
}

/// Prints seconds east of UTC: "+00", "-03:30", "+00:19:32".
pub(crate) fn put_offset(offset: i32, out: &mut BytesMut) {
    out.put_u8(if offset < 0 { b'-' } else { b'+' });
    let seconds = offset.unsigned_abs();
    put_two((seconds / 3_600) as u8, out);
    if !seconds.is_multiple_of(3_600) {
        out.put_u8(b':');
        put_two((seconds / 60 % 60) as u8, out);
    }
    if !seconds.is_multiple_of(60) {
        out.put_u8(b':');
        put_two((seconds % 60) as u8, out);
    }
}

/// Postgres's binary date: days since 2000-01-01.
pub(crate) fn binary_date(days: i32) -> i32 {
    match days {
        i32::MAX | i32::MIN => days,
        _ => days.saturating_sub(POSTGRES_EPOCH_DAYS),
    }
}

/// Postgres's binary timestamp: microseconds since 2000-01-01.
pub(crate) fn binary_timestamp(micros: i64) -> i64 {
    match micros {
        i64::MAX | i64::MIN => micros,
        _ => micros.saturating_sub(POSTGRES_EPOCH_MICROS),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::super::style::Zone;
    use super::*;

    fn text(put: impl FnOnce(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        put(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn put_instant(micros: i64, style: &Style, out: &mut BytesMut) {
        put_timestamptz(micros, &mut Offsets::of(style.zone), style, out);
    }

    // 2024-02-29 13:04:05.678
    const MOMENT: i64 = 1_709_211_845_678_000;

    #[test]
    fn dates_print_over_the_whole_range() {
        let iso = Style::default();
        for (days, expected) in [
            (0, "1970-01-01"),
            (19_782, "2024-02-29"),
            (2_932_897, "10000-01-01"),
            (-719_162, "0001-01-01"),
            (-719_163, "0001-12-31 BC"),
            (-719_528, "0001-01-01 BC"),
            (i32::MAX, "infinity"),
            (i32::MIN, "-infinity"),
        ] {
            assert_eq!(text(|out| put_date(days, &iso, out)), expected);
        }
    }

    #[test]
    fn each_date_style_prints_as_in_postgres() {
        // PostgreSQL 15 with TimeZone 'Europe/Berlin'.
        let zone = Zone::Named(Tz::Europe__Berlin);
        for (dates, order, date, stamp, instant) in [
            (DateFormat::Iso, DateOrder::Mdy, "2024-02-29", "2024-02-29 13:04:05.678", "2024-02-29 14:04:05.678+01"),
            (
                DateFormat::Postgres,
                DateOrder::Mdy,
                "02-29-2024",
                "Thu Feb 29 13:04:05.678 2024",
                "Thu Feb 29 14:04:05.678 2024 CET",
            ),
            (
                DateFormat::Postgres,
                DateOrder::Dmy,
                "29-02-2024",
                "Thu 29 Feb 13:04:05.678 2024",
                "Thu 29 Feb 14:04:05.678 2024 CET",
            ),
            (DateFormat::Sql, DateOrder::Mdy, "02/29/2024", "02/29/2024 13:04:05.678", "02/29/2024 14:04:05.678 CET"),
            (DateFormat::Sql, DateOrder::Dmy, "29/02/2024", "29/02/2024 13:04:05.678", "29/02/2024 14:04:05.678 CET"),
            (
                DateFormat::German,
                DateOrder::Mdy,
                "29.02.2024",
                "29.02.2024 13:04:05.678",
                "29.02.2024 14:04:05.678 CET",
            ),
        ] {
            let style = Style { dates, order, zone, ..Style::default() };
            assert_eq!(text(|out| put_date(19_782, &style, out)), date);
            assert_eq!(text(|out| put_timestamp(MOMENT, &style, out)), stamp);
            assert_eq!(text(|out| put_instant(MOMENT, &style, out)), instant);
        }
    }

    #[test]
    fn offsets_show_minutes_and_seconds_only_where_they_are() {
        let at = |zone| text(|out| put_instant(MOMENT, &Style { zone, ..Style::default() }, out));
        assert_eq!(at(Zone::UTC), "2024-02-29 13:04:05.678+00");
        assert_eq!(at(Zone::Named(Tz::Asia__Kolkata)), "2024-02-29 18:34:05.678+05:30");
        assert_eq!(at(Zone::Fixed(-12_600)), "2024-02-29 09:34:05.678-03:30");
        let old = Style { zone: Zone::Named(Tz::Europe__Amsterdam), ..Style::default() };
        assert!(text(|out| put_instant(-3_000_000_000_000_000, &old, out)).contains("+00:1"));
        assert_eq!(text(|out| put_instant(i64::MIN, &old, out)), "-infinity");
    }

    #[test]
    fn times_drop_trailing_zeros() {
        assert_eq!(text(|out| put_time(0, out)), "00:00:00");
        assert_eq!(text(|out| put_time(MICROS_PER_DAY, out)), "24:00:00");
        assert_eq!(text(|out| put_time(14_706_789_010, out)), "04:05:06.78901");
        assert_eq!(text(|out| put_timestamp(-1, &Style::default(), out)), "1969-12-31 23:59:59.999999");
    }

    proptest! {
        #[test]
        fn days_and_dates_go_both_ways(days in -10_000_000i64..200_000_000) {
            let date = Civil::from_days(days);
            prop_assert!((1..=12).contains(&date.month) && (1..=31).contains(&date.day));
            prop_assert_eq!(date.to_days(), days);
        }

        #[test]
        fn any_bits_print_without_a_panic(days: i32, micros: i64, offset in -60_000i32..60_000) {
            let style = Style { zone: Zone::Fixed(offset), ..Style::default() };
            let printed = text(|out| { put_date(days, &style, out); put_timestamp(micros, &style, out); put_instant(micros, &style, out) });
            prop_assert!(!printed.is_empty());
        }
    }
}
