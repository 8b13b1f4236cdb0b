//! The session settings that text output depends on.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};
pub(crate) use mantissa_query::{DateOrder, DateStyle as DateFormat, IntervalStyle as IntervalFormat};
use mantissa_query::{OutputStyle, TimeZone as SessionZone};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ByteaFormat {
    #[default]
    Hex,
    Escape,
}

/// A time zone: a named one of the zone database, or seconds east of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Named(Tz),
    Fixed(i32),
}

impl Zone {
    pub const UTC: Zone = Zone::Fixed(0);

    /// Seconds east of UTC at an instant.
    pub fn offset_at(self, unix_seconds: i64) -> i32 {
        match self {
            Zone::Fixed(seconds) => seconds,
            Zone::Named(Tz::UTC) => 0,
            Zone::Named(tz) => {
                let instant = DateTime::from_timestamp(unix_seconds, 0).unwrap_or_default();
                tz.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
            }
        }
    }

    /// Seconds east of UTC where a local clock shows `local_seconds` (counted as if it were UTC). Of two answers, and in
    /// the gap when clocks go forward, Postgres takes standard time: the offset that held before.
    pub fn offset_of_local(self, local_seconds: i64) -> i32 {
        match self {
            Zone::Fixed(seconds) => seconds,
            Zone::Named(_) => {
                const DAY: i64 = 86_400;
                let before = self.offset_at(local_seconds - DAY);
                let after = self.offset_at(local_seconds + DAY);
                let fits = |offset: i32| self.offset_at(local_seconds - i64::from(offset)) == offset;
                match (fits(before), fits(after)) {
                    (true, true) => before.min(after),
                    (false, true) => after,
                    _ => before,
                }
            }
        }
    }

    /// "CET"; `None` where the zone has no letters for it.
    pub fn abbreviation_at(self, unix_seconds: i64) -> Option<String> {
        match self {
            Zone::Fixed(0) => Some("UTC".to_owned()),
            Zone::Fixed(_) => None,
            Zone::Named(tz) => {
                let instant = DateTime::from_timestamp(unix_seconds, 0)?;
                let offset = tz.offset_from_utc_datetime(&instant.naive_utc());
                let name = offset.abbreviation()?.to_owned();
                name.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(name)
            }
        }
    }
}

/// Remembers the offset of the hour that was asked for last: rows in order of time ask for the same one again and again,
/// and drivers often set a zone whose rules take a search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offsets {
    zone: Zone,
    from: i64,
    to: i64,
    offset: i32,
}

impl Offsets {
    const SPAN: i64 = 3_600;

    pub fn of(zone: Zone) -> Self {
        Self { zone, from: 0, to: 0, offset: 0 }
    }

    pub fn at(&mut self, unix_seconds: i64) -> i32 {
        if (self.from..self.to).contains(&unix_seconds) {
            return self.offset;
        }
        let offset = self.zone.offset_at(unix_seconds);
        let from = unix_seconds.div_euclid(Self::SPAN).saturating_mul(Self::SPAN);
        let to = from.saturating_add(Self::SPAN);
        // An hour in which clocks change is not remembered.
        if self.zone.offset_at(from) == offset && self.zone.offset_at(to - 1) == offset {
            (self.from, self.to, self.offset) = (from, to, offset);
        }
        offset
    }
}

/// How values are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub dates: DateFormat,
    pub order: DateOrder,
    pub intervals: IntervalFormat,
    pub zone: Zone,
    pub extra_float_digits: i32,
    pub bytea: ByteaFormat,
}

impl From<&OutputStyle> for Style {
    fn from(session: &OutputStyle) -> Self {
        Self {
            dates: session.date_style,
            order: session.date_order,
            intervals: session.interval_style,
            zone: match session.time_zone {
                SessionZone::Named(tz) => Zone::Named(tz),
                SessionZone::Fixed(seconds) => Zone::Fixed(seconds),
            },
            extra_float_digits: session.extra_float_digits,
            bytea: if session.bytea_hex { ByteaFormat::Hex } else { ByteaFormat::Escape },
        }
    }
}

impl Default for Style {
    /// PostgreSQL's own defaults, in UTC.
    fn default() -> Self {
        Self {
            dates: DateFormat::Iso,
            order: DateOrder::Mdy,
            intervals: IntervalFormat::Postgres,
            zone: Zone::UTC,
            extra_float_digits: 1,
            bytea: ByteaFormat::Hex,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn remembered_offsets_are_the_zones_own(instants in prop::collection::vec(-5_000_000_000i64..5_000_000_000, 1..50), step in 0i64..5_000) {
            for zone in [Zone::Named(Tz::Europe__Berlin), Zone::Named(Tz::Australia__Lord_Howe), Zone::Fixed(1_800)] {
                let mut offsets = Offsets::of(zone);
                for instant in instants.iter().flat_map(|instant| [*instant, instant + step]) {
                    prop_assert_eq!(offsets.at(instant), zone.offset_at(instant));
                }
            }
        }
    }

    #[test]
    fn local_times_take_the_offset_that_postgres_takes() {
        let berlin = Zone::Named(Tz::Europe__Berlin);
        let at = |text: &str| chrono::NaiveDateTime::parse_from_str(text, "%F %T").unwrap().and_utc().timestamp();
        assert_eq!(berlin.offset_of_local(at("2024-01-15 12:00:00")), 3600);
        assert_eq!(berlin.offset_of_local(at("2024-07-15 12:00:00")), 7200);
        // PostgreSQL 15: 2024-10-27 02:30 (twice) is +01, 2024-03-31 02:30 (never) is read with +01.
        assert_eq!(berlin.offset_of_local(at("2024-10-27 02:30:00")), 3600);
        assert_eq!(berlin.offset_of_local(at("2024-03-31 02:30:00")), 3600);
        assert_eq!(berlin.abbreviation_at(at("2024-07-15 12:00:00")).as_deref(), Some("CEST"));
    }
}
