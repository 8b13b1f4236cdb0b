//! Intervals in the four styles of `IntervalStyle`.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};
use mantissa_core::Interval;

use super::datetime::{MICROS_PER_SECOND, put_fraction};
use super::number::put_int;
use super::style::IntervalFormat;

pub(crate) fn put_interval(interval: Interval, format: IntervalFormat, out: &mut BytesMut) {
    let parts = Parts::of(interval);
    match format {
        IntervalFormat::Postgres => parts.put_postgres(out),
        IntervalFormat::PostgresVerbose => parts.put_verbose(out),
        IntervalFormat::SqlStandard => parts.put_sql_standard(out),
        IntervalFormat::Iso8601 => parts.put_iso(out),
    }
}

/// The fields as they are printed. Every one carries its own sign.
struct Parts {
    years: i32,
    months: i32,
    days: i32,
    hours: i64,
    minutes: i64,
    seconds: i64,
    micros: i64,
}

impl Parts {
    fn of(interval: Interval) -> Self {
        let seconds = interval.micros / MICROS_PER_SECOND;
        Self {
            years: interval.months / 12,
            months: interval.months % 12,
            days: interval.days,
            hours: seconds / 3_600,
            minutes: seconds / 60 % 60,
            seconds: seconds % 60,
            micros: interval.micros % MICROS_PER_SECOND,
        }
    }

    fn has_time(&self) -> bool {
        self.hours != 0 || self.minutes != 0 || self.seconds != 0 || self.micros != 0
    }

    fn time_is_negative(&self) -> bool {
        self.hours < 0 || self.minutes < 0 || self.seconds < 0 || self.micros < 0
    }

    /// `1 year 2 mons -3 days +04:05:06`. A field after a negative one shows its plus.
    fn put_postgres(&self, out: &mut BytesMut) {
        let start = out.len();
        let mut after_negative = false;
        for (value, unit) in [(self.years, "year"), (self.months, "mon"), (self.days, "day")] {
            if value == 0 {
                continue;
            }
            if out.len() > start {
                out.put_u8(b' ');
            }
            if after_negative && value > 0 {
                out.put_u8(b'+');
            }
            after_negative = value < 0;
            put_int(value, out);
            out.put_u8(b' ');
            out.put_slice(unit.as_bytes());
            if value != 1 {
                out.put_u8(b's');
            }
        }
        if self.has_time() || out.len() == start {
            if out.len() > start {
                out.put_u8(b' ');
            }
            if self.time_is_negative() {
                out.put_u8(b'-');
            } else if after_negative {
                out.put_u8(b'+');
            }
            self.put_clock(2, out);
        }
    }

    /// `HH:MM:SS.ffffff` without sign.
    fn put_clock(&self, hour_digits: usize, out: &mut BytesMut) {
        let (hours, minutes, seconds) =
            (self.hours.unsigned_abs(), self.minutes.unsigned_abs(), self.seconds.unsigned_abs());
        // Writing into memory cannot fail.
        let _ = write!(out, "{hours:0hour_digits$}:{minutes:02}:{seconds:02}");
        put_fraction(self.micros.unsigned_abs() as u32, out);
    }

    /// `@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs ago`: the first field's sign becomes `ago`.
    fn put_verbose(&self, out: &mut BytesMut) {
        out.put_u8(b'@');
        let mut ago = None;
        let fields = [
            (i64::from(self.years), "year"),
            (i64::from(self.months), "mon"),
            (i64::from(self.days), "day"),
            (self.hours, "hour"),
            (self.minutes, "min"),
        ];
        for (value, unit) in fields.into_iter().filter(|(value, _)| *value != 0) {
            let flipped = *ago.get_or_insert(value < 0);
            let shown = if flipped { -value } else { value };
            let _ = write!(out, " {shown} {unit}{}", if shown == 1 { "" } else { "s" });
        }
        if self.seconds != 0 || self.micros != 0 {
            let negative = self.seconds < 0 || self.micros < 0;
            let flipped = *ago.get_or_insert(negative);
            out.put_slice(if negative == flipped { b" " } else { b" -" });
            put_int(self.seconds.unsigned_abs(), out);
            put_fraction(self.micros.unsigned_abs() as u32, out);
            let one = self.seconds.unsigned_abs() == 1 && self.micros == 0;
            out.put_slice(if one { b" sec" } else { b" secs" });
        }
        match ago {
            None => out.put_slice(b" 0"),
            Some(true) => out.put_slice(b" ago"),
            Some(false) => {}
        }
    }

    /// `1-2 3 4:05:06` where the standard has a form for it, else every field with its sign.
    fn put_sql_standard(&self, out: &mut BytesMut) {
        let negative = self.years < 0 || self.months < 0 || self.days < 0 || self.time_is_negative();
        let positive = self.years > 0
            || self.months > 0
            || self.days > 0
            || self.hours > 0
            || self.minutes > 0
            || self.seconds > 0
            || self.micros > 0;
        let year_month = self.years != 0 || self.months != 0;
        let day_time = self.days != 0 || self.has_time();
        if !negative && !positive {
            out.put_u8(b'0');
        } else if (negative && positive) || (year_month && day_time) {
            self.put_signed_fields(out);
        } else {
            if negative {
                out.put_u8(b'-');
            }
            if year_month {
                let _ = write!(out, "{}-{}", self.years.unsigned_abs(), self.months.unsigned_abs());
            } else {
                if self.days != 0 {
                    let _ = write!(out, "{} ", self.days.unsigned_abs());
                }
                self.put_clock(1, out);
            }
        }
    }

    fn put_signed_fields(&self, out: &mut BytesMut) {
        let sign = |negative: bool| if negative { '-' } else { '+' };
        let _ = write!(
            out,
            "{}{}-{} {}{} {}",
            sign(self.years < 0 || self.months < 0),
            self.years.unsigned_abs(),
            self.months.unsigned_abs(),
            sign(self.days < 0),
            self.days.unsigned_abs(),
            sign(self.time_is_negative()),
        );
        self.put_clock(1, out);
    }

    /// `P1Y2M3DT4H5M6S`.
    fn put_iso(&self, out: &mut BytesMut) {
        let start = out.len();
        out.put_u8(b'P');
        for (value, unit) in [(self.years, 'Y'), (self.months, 'M'), (self.days, 'D')] {
            if value != 0 {
                let _ = write!(out, "{value}{unit}");
            }
        }
        if self.has_time() {
            out.put_u8(b'T');
            for (value, unit) in [(self.hours, 'H'), (self.minutes, 'M')] {
                if value != 0 {
                    let _ = write!(out, "{value}{unit}");
                }
            }
            if self.seconds != 0 || self.micros != 0 {
                if self.seconds < 0 || self.micros < 0 {
                    out.put_u8(b'-');
                }
                put_int(self.seconds.unsigned_abs(), out);
                put_fraction(self.micros.unsigned_abs() as u32, out);
                out.put_u8(b'S');
            }
        }
        if out.len() == start + 1 {
            out.put_slice(b"T0S");
        }
    }
}

pub(crate) fn put_interval_binary(interval: Interval, out: &mut BytesMut) {
    out.put_i64(interval.micros);
    out.put_i32(interval.days);
    out.put_i32(interval.months);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(months: i32, days: i32, micros: i64, format: IntervalFormat) -> String {
        let mut out = BytesMut::new();
        put_interval(Interval { months, days, micros }, format, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn each_style_prints_as_in_postgres() {
        // PostgreSQL 15, with every IntervalStyle.
        let time = 14_706_000_000;
        let rows: [(i32, i32, i64, [&str; 4]); 10] = [
            (
                14,
                3,
                time,
                [
                    "1 year 2 mons 3 days 04:05:06",
                    "@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs",
                    "+1-2 +3 +4:05:06",
                    "P1Y2M3DT4H5M6S",
                ],
            ),
            (
                -14,
                3,
                -time,
                [
                    "-1 years -2 mons +3 days -04:05:06",
                    "@ 1 year 2 mons -3 days 4 hours 5 mins 6 secs ago",
                    "-1-2 +3 -4:05:06",
                    "P-1Y-2M3DT-4H-5M-6S",
                ],
            ),
            (0, 0, 0, ["00:00:00", "@ 0", "0", "PT0S"]),
            (1, 0, 0, ["1 mon", "@ 1 mon", "0-1", "P1M"]),
            (0, 1, 0, ["1 day", "@ 1 day", "1 0:00:00", "P1D"]),
            (0, -1, 3_600_000_000, ["-1 days +01:00:00", "@ 1 day -1 hours ago", "+0-0 -1 +1:00:00", "P-1DT1H"]),
            (0, 0, -500_000, ["-00:00:00.5", "@ 0.5 secs ago", "-0:00:00.5", "PT-0.5S"]),
            (0, 0, 1_000_000, ["00:00:01", "@ 1 sec", "0:00:01", "PT1S"]),
            (-13, 0, 0, ["-1 years -1 mons", "@ 1 year 1 mon ago", "-1-1", "P-1Y-1M"]),
            (0, 0, 360_000_000_000, ["100:00:00", "@ 100 hours", "100:00:00", "PT100H"]),
        ];
        let formats = [
            IntervalFormat::Postgres,
            IntervalFormat::PostgresVerbose,
            IntervalFormat::SqlStandard,
            IntervalFormat::Iso8601,
        ];
        for (months, days, micros, expected) in rows {
            for (format, expected) in formats.into_iter().zip(expected) {
                assert_eq!(printed(months, days, micros, format), expected, "{format:?}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_print() {
        assert!(printed(i32::MIN, i32::MIN, i64::MIN, IntervalFormat::Postgres).starts_with("-178956970 years"));
    }
}
