use std::mem;
use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, FunctionArguments, ObjectName, Query, Select, SelectItem, TimezoneInfo, TypedString, Value,
    VisitMut, VisitorMut,
};

use crate::identifier::{ident, name_parts};
use crate::naming::column_name;

/// A moment, in microseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

/// Replaces everything that means "now" by one instant, so that a statement sees one time throughout, and so that engines
/// can prune on it. A column that is called after such a function keeps that name. The session's time zone is UTC.
pub fn freeze_now(query: &mut Query, instant: Instant) {
    let _ = query.visit(&mut Freeze { instant, names: Vec::new() });
}

struct Freeze {
    instant: Instant,
    /// What the columns of each enclosing SELECT were called before.
    names: Vec<Vec<Option<String>>>,
}

impl VisitorMut for Freeze {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let names = select.projection.iter().map(|item| match item {
            SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => None,
            SelectItem::UnnamedExpr(expr) => Some(column_name(expr)),
            _ => None,
        });
        self.names.push(names.collect());
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let names = self.names.pop().unwrap_or_default();
        for (item, name) in select.projection.iter_mut().zip(names) {
            if let (SelectItem::UnnamedExpr(expr), Some(name)) = (&mut *item, name)
                && column_name(expr) != name
            {
                let expr = mem::replace(expr, Expr::value(Value::Null));
                *item = SelectItem::ExprWithAlias { expr, alias: ident(name) };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(literal) = now_literal(expr, self.instant) {
            *expr = literal;
        }
        ControlFlow::Continue(())
    }
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
            ("select now()", "SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00' AS now"),
            ("select pg_catalog.NOW()", "SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00' AS now"),
            (
                "select CURRENT_TIMESTAMP(3)",
                "SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00' AS \"current_timestamp\"",
            ),
            (
                "select now() + interval '1 day', now() as n",
                "SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00' + INTERVAL '1 day', TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00' AS n",
            ),
            ("select current_date - 1", "SELECT DATE '2026-11-18' - 1"),
            ("select localtimestamp", "SELECT TIMESTAMP '2026-11-18 15:42:00.000001' AS localtimestamp"),
            ("select 'now()', \"now\", now from t", "SELECT 'now()', \"now\", now FROM t"),
            (
                "select 1 where a > (select now())",
                "SELECT 1 WHERE a > (SELECT TIMESTAMP WITH TIME ZONE '2026-11-18 15:42:00.000001+00' AS now)",
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
