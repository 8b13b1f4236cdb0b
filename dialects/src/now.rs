use sqlparser::ast::{DataType, Expr, FunctionArguments, ObjectName, Query, TimezoneInfo, TypedString, Value};

use crate::identifier::name_parts;
use crate::visit::each_expr;

/// A moment, in microseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

/// Replaces everything that means "now" by one instant, so that a statement sees one time throughout, and so that engines
/// can prune on it. The session's time zone is UTC.
pub fn freeze_now(query: &mut Query, instant: Instant) {
    let frozen = each_expr(query, |expr| {
        if let Some(literal) = now_literal(expr, instant) {
            *expr = literal;
        }
        Ok(())
    });
    debug_assert!(frozen.is_ok());
}

fn now_literal(expr: &Expr, instant: Instant) -> Option<Expr> {
    let Expr::Function(function) = expr else { return None };
    let takes_nothing = match &function.args {
        FunctionArguments::None => true,
        // `current_timestamp(3)` asks for fewer digits of the same instant.
        FunctionArguments::List(list) => list.args.is_empty() || is_keyword(&function.name),
        FunctionArguments::Subquery(_) => false,
    };
    if !takes_nothing || function.over.is_some() || function.filter.is_some() {
        return None;
    }
    let parts = name_parts(&function.name)?;
    let name = match parts.as_slice() {
        [name] => name.as_str(),
        [schema, name] if schema == "pg_catalog" => name.as_str(),
        _ => return None,
    };
    let Clock { date, time } = Clock::of(instant);
    let (data_type, text) = match name {
        "now" | "current_timestamp" | "transaction_timestamp" | "statement_timestamp" | "clock_timestamp" => {
            (DataType::Timestamp(None, TimezoneInfo::WithTimeZone), format!("{date} {time}+00"))
        }
        "localtimestamp" => (DataType::Timestamp(None, TimezoneInfo::None), format!("{date} {time}")),
        "current_date" => (DataType::Date, date),
        "localtime" => (DataType::Time(None, TimezoneInfo::None), time),
        "current_time" => (DataType::Time(None, TimezoneInfo::WithTimeZone), format!("{time}+00")),
        _ => return None,
    };
    Some(Expr::TypedString(TypedString {
        data_type,
        value: Value::SingleQuotedString(text).into(),
        uses_odbc_syntax: false,
    }))
}

/// Written without brackets, these take a precision in them.
fn is_keyword(name: &ObjectName) -> bool {
    const KEYWORDS: &[&str] = &["current_timestamp", "localtimestamp", "current_time", "localtime"];
    name_parts(name).is_some_and(|parts| matches!(parts.as_slice(), [name] if KEYWORDS.contains(&name.as_str())))
}

/// An instant as the calendar writes it.
struct Clock {
    date: String,
    time: String,
}

impl Clock {
    fn of(Instant(micros): Instant) -> Self {
        const DAY: i64 = 86_400_000_000;
        let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let (year, month, day) = civil_date(days);
        let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
        let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let time = if fraction == 0 { time } else { format!("{time}.{fraction:06}") };
        Self { date: format!("{year:04}-{month:02}-{day:02}"), time }
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Counts years from March, so that the
/// leap day is the last of its year.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_query;

    #[test]
    fn every_spelling_of_now_becomes_the_same_instant() {
        let cases = [
            ("select now()", "SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00'"),
            ("select pg_catalog.NOW()", "SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00'"),
            ("select CURRENT_TIMESTAMP(3)", "SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00'"),
            ("select current_date - 1", "SELECT DATE '2026-11-18' - 1"),
            ("select localtimestamp", "SELECT TIMESTAMP '2026-11-18 15:42:00.000001'"),
            ("select 'now()', \"now\", now from t", "SELECT 'now()', \"now\", now FROM t"),
            (
                "select 1 where a > (select now())",
                "SELECT 1 WHERE a > (SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00')",
            ),
        ];
        for (sql, expected) in cases {
            let mut query = parse_query(sql).unwrap();
            freeze_now(&mut query, Instant(1_795_016_520_000_001));
            assert_eq!(query.to_string(), expected);
        }
    }

    #[test]
    fn dates_around_leap_days_and_before_1970() {
        let cases = [(0, (1970, 1, 1)), (-1, (1969, 12, 31)), (11_016, (2000, 2, 29)), (19_782, (2024, 2, 29))];
        for (days, expected) in cases {
            assert_eq!(civil_date(days), expected);
        }
    }
}
