//! Which span of time a query asks for, read off its filters, so that files outside it are never touched.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// A closed range of microseconds since 1970-01-01 UTC. Empty where `from > to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeRange {
    pub from: i64,
    pub to: i64,
}

impl TimeRange {
    pub(crate) const ALL: TimeRange = TimeRange { from: i64::MIN, to: i64::MAX };
    const NONE: TimeRange = TimeRange { from: i64::MAX, to: i64::MIN };

    /// The narrowest range known to hold every row that passes all of `filters`.
    pub(crate) fn of(filters: &[Expr], column: &str) -> TimeRange {
        filters.iter().fold(TimeRange::ALL, |range, filter| range.and(of_filter(filter, column)))
    }

    /// Whether a file whose times lie between `min` and `max` may hold a wanted row.
    pub(crate) fn touches(self, min: i64, max: i64) -> bool {
        min <= self.to && max >= self.from
    }

    fn and(self, other: TimeRange) -> TimeRange {
        TimeRange { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    fn or(self, other: TimeRange) -> TimeRange {
        if self.from > self.to {
            return other;
        }
        if other.from > other.to {
            return self;
        }
        TimeRange { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

fn of_filter(filter: &Expr, column: &str) -> TimeRange {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            of_filter(left, column).and(of_filter(right, column))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            of_filter(left, column).or(of_filter(right, column))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => of_comparison(left, *op, right, column),
        Expr::Between(between) if !between.negated && is_column(&between.expr, column) => {
            let low = of_comparison(&between.expr, Operator::GtEq, &between.low, column);
            low.and(of_comparison(&between.expr, Operator::LtEq, &between.high, column))
        }
        Expr::InList(list) if !list.negated && is_column(&list.expr, column) => {
            let each = list.list.iter().map(|item| of_comparison(&list.expr, Operator::Eq, item, column));
            each.fold(TimeRange::NONE, TimeRange::or)
        }
        Expr::Literal(ScalarValue::Boolean(Some(false) | None), _) => TimeRange::NONE,
        _ => TimeRange::ALL,
    }
}

fn of_comparison(left: &Expr, op: Operator, right: &Expr, column: &str) -> TimeRange {
    let (instant, op) = match (is_column(left, column), is_column(right, column)) {
        (true, false) => (right, Some(op)),
        (false, true) => (left, op.swap()),
        _ => return TimeRange::ALL,
    };
    let (Some(instant), Some(op)) = (micros(instant), op) else { return TimeRange::ALL };
    match op {
        Operator::Eq | Operator::IsNotDistinctFrom => TimeRange { from: instant, to: instant },
        Operator::Gt => TimeRange { from: instant.saturating_add(1), to: i64::MAX },
        Operator::GtEq => TimeRange { from: instant, to: i64::MAX },
        Operator::Lt => TimeRange { from: i64::MIN, to: instant.saturating_sub(1) },
        Operator::LtEq => TimeRange { from: i64::MIN, to: instant },
        _ => TimeRange::ALL,
    }
}

fn is_column(expr: &Expr, column: &str) -> bool {
    match expr {
        Expr::Column(found) => found.name == column,
        Expr::Alias(alias) => is_column(&alias.expr, column),
        _ => false,
    }
}

fn micros(expr: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = expr else { return None };
    match value.cast_to(&DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()))) {
        Ok(ScalarValue::TimestampMicrosecond(instant, _)) => instant,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::{col, lit};

    fn at(micros: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
    }

    #[test]
    fn ranges_follow_comparisons() {
        let time = || col("t.time");
        let cases = [
            (time().gt_eq(at(10)), (10, i64::MAX)),
            (time().gt_eq(at(10)).and(time().lt(at(20))), (10, 19)),
            (at(10).lt_eq(time()), (10, i64::MAX)),
            (time().eq(at(7)), (7, 7)),
            (time().between(at(1), at(2)), (1, 2)),
            (time().eq(at(5)).or(time().eq(at(9))), (5, 9)),
            (time().eq(at(5)).or(col("a").eq(lit(1))), (i64::MIN, i64::MAX)),
            (time().in_list(vec![at(3), at(8)], false), (3, 8)),
            (time().in_list(vec![at(3)], true), (i64::MIN, i64::MAX)),
            (time().gt_eq(at(10)).and(lit(false)), (i64::MAX, i64::MIN)),
        ];
        for (filter, (from, to)) in cases {
            assert_eq!(TimeRange::of(std::slice::from_ref(&filter), "time"), TimeRange { from, to }, "{filter}");
        }
    }

    #[test]
    fn files_outside_the_range_are_left_out() {
        let range = TimeRange { from: 10, to: 20 };
        assert!(range.touches(0, 10) && range.touches(20, 30) && range.touches(0, 99));
        assert!(!range.touches(0, 9) && !range.touches(21, 22));
    }
}
