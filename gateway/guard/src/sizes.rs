//! Calls whose result is as large as a number says.

use dialects::Position;
use dialects::ast::{Expr, FunctionArg, FunctionArgExpr, Spanned, UnaryOperator, Value};

use crate::Error;
use crate::check::Walk;

/// Characters that repeat, lpad and rpad may make, and rows that generate_series may, multiplied over a statement: one
/// call may feed another.
const MAX_GROWTH: u64 = 1_000_000;

impl Walk<'_> {
    pub fn bound_growth(
        &mut self,
        function: &'static str,
        args: &[FunctionArg],
        position: Option<u32>,
    ) -> Result<(), Error> {
        let args: Vec<&Expr> = args.iter().filter_map(plain_argument).collect();
        match function {
            "repeat" | "lpad" | "rpad" => {
                let times = args.get(1).map_or(Some(1.0), |arg| constant(arg));
                self.grow(function, times, "characters", position)
            }
            "generate_series" => {
                // Over the catalog its bounds come from small arrays.
                let rows = series_length(&args);
                if rows.is_none() && self.reads_system && self.is_catalog_only {
                    return Ok(());
                }
                self.grow(function, rows, "rows", position)
            }
            "format" => match args.first().and_then(|arg| text(arg)) {
                Some(pattern) => self.grow(function, Some(widest(pattern)), "characters", position),
                None => self.grow(function, None, "characters", position),
            },
            _ => Ok(()),
        }
    }

    fn grow(
        &mut self,
        function: &'static str,
        by: Option<f64>,
        unit: &'static str,
        position: Option<u32>,
    ) -> Result<(), Error> {
        let too_much = Error::TooMuch { function, limit: MAX_GROWTH, unit, position };
        let by = by.ok_or_else(|| too_much.clone())?;
        if !by.is_finite() || by > MAX_GROWTH as f64 {
            return Err(too_much);
        }
        self.growth = self.growth.saturating_mul((by as u64).max(1));
        if self.growth > MAX_GROWTH { Err(too_much) } else { Ok(()) }
    }
}

fn plain_argument(arg: &FunctionArg) -> Option<&Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => Some(expr),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
            Value::DollarQuotedString(quoted) => Some(&quoted.value),
            _ => None,
        },
        Expr::TypedString(typed) => match &typed.value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => text(inner),
        _ => None,
    }
}

/// The largest number in a pattern of format(): a width.
fn widest(pattern: &str) -> f64 {
    pattern.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<f64>().ok()).fold(1.0, f64::max)
}

/// Rows between two bounds: of numbers, or of times.
fn series_length(args: &[&Expr]) -> Option<f64> {
    let (start, stop) = (args.first()?, args.get(1)?);
    let (span, step) = match (constant(start), constant(stop)) {
        (Some(start), Some(stop)) => (stop - start, args.get(2).map_or(Some(1.0), |step| constant(step))?),
        _ => (seconds(stop)? - seconds(start)?, interval_seconds(args.get(2)?)?),
    };
    // A step of 0 is Postgres's error to make; a step away from the end gives no row.
    if step == 0.0 { Some(1.0) } else { Some((span / step).max(0.0) + 1.0) }
}

/// A number that is written, in any spelling, or computed from such.
fn constant(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => constant(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => constant(expr).map(|number| -number),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => constant(expr),
        Expr::BinaryOp { left, op, right } => {
            use dialects::ast::BinaryOperator as Op;
            let (left, right) = (constant(left)?, constant(right)?);
            match op {
                Op::Plus => Some(left + right),
                Op::Minus => Some(left - right),
                Op::Multiply => Some(left * right),
                Op::PGExp => Some(left.powf(right)),
                Op::Divide => Some(left / right),
                _ => None,
            }
        }
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.replace('_', "").parse().ok(),
            Value::SingleQuotedString(number) => number.trim().parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// A moment in seconds, near enough to count rows: dates as written, now() as 2026, date_trunc as its argument.
fn seconds(expr: &Expr) -> Option<f64> {
    const YEAR: f64 = 365.25 * 86_400.0;
    debug_assert!(Position::of(expr.span()).is_none_or(|position| position > 0));
    match expr {
        Expr::Nested(inner) => seconds(inner),
        Expr::BinaryOp { left, op, right } => {
            use dialects::ast::BinaryOperator as Op;
            match op {
                Op::Plus => Some(seconds(left)? + interval_seconds(right)?),
                Op::Minus => Some(seconds(left)? - interval_seconds(right)?),
                _ => None,
            }
        }
        Expr::Function(call) => {
            let name = dialects::name_parts(&call.name)?.pop()?;
            match (name.as_str(), &call.args) {
                ("date_trunc", dialects::ast::FunctionArguments::List(list)) => {
                    seconds(plain_argument(list.args.get(1)?)?)
                }
                ("now" | "current_timestamp" | "current_date" | "localtimestamp", _) => Some(2026.0 * YEAR),
                _ => None,
            }
        }
        _ => {
            if let Expr::Cast { expr: inner, .. } = expr
                && text(inner).is_none()
            {
                return seconds(inner);
            }
            let written = text(expr)?;
            let mut numbers = written.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<f64>().ok());
            let year = numbers.next().filter(|year| *year >= 1000.0 && *year < 10_000.0)?;
            let (month, day) = (numbers.next().unwrap_or(1.0), numbers.next().unwrap_or(1.0));
            let (hour, minute) = (numbers.next().unwrap_or(0.0), numbers.next().unwrap_or(0.0));
            Some(year * YEAR + (month - 1.0) * YEAR / 12.0 + day * 86_400.0 + hour * 3600.0 + minute * 60.0)
        }
    }
}

fn interval_seconds(expr: &Expr) -> Option<f64> {
    let written = match expr {
        Expr::Nested(inner) => return interval_seconds(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => return interval_seconds(expr).map(|seconds| -seconds),
        Expr::Interval(interval) => match &interval.leading_field {
            Some(unit) => format!("{} {unit}", text(&interval.value)?),
            None => text(&interval.value)?.to_owned(),
        },
        other => text(other)?.to_owned(),
    };
    dialects::interval_seconds(&written)
}
