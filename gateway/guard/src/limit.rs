//! The row cap.

use dialects::Position;
use dialects::ast::{Expr, Fetch, LimitClause, OffsetRows, Query, Spanned, UnaryOperator, Value};

use crate::Error;

/// Bounds the rows of a query from outside: its own LIMIT or FETCH stays where it is a smaller number.
pub(crate) fn cap_rows(query: &mut Query, cap: u64) -> Result<(), Error> {
    normalise(query)?;
    let own = match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit: Some(limit), .. }) => Some(row_count(limit, "LIMIT")?),
        _ => None,
    };
    let rows = own.map_or(cap, |own| own.min(cap));
    set_limit(query, Expr::value(Value::Number(rows.to_string(), false)));
    Ok(())
}

/// Gives LIMIT, FETCH and OFFSET of any query one shape: LIMIT and OFFSET with plain numbers. LIMIT ALL disappears.
pub(crate) fn normalise(query: &mut Query) -> Result<(), Error> {
    if let Some(fetch) = query.fetch.take() {
        let rows = fetched_rows(&fetch)?;
        set_limit(query, rows);
    }
    match &mut query.limit_clause {
        None => {}
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
            if !limit_by.is_empty() {
                return Err(unsupported("LIMIT BY", "Use row_number() in a subquery.", limit_by.first()));
            }
            if limit.as_ref().is_some_and(is_null) {
                *limit = None;
            }
            if let Some(limit) = limit {
                *limit = number(row_count(limit, "LIMIT")?);
            }
            if let Some(offset) = offset {
                offset.value = number(row_count(&offset.value, "OFFSET")?);
                offset.rows = OffsetRows::None;
            }
        }
        Some(LimitClause::OffsetCommaLimit { limit, .. }) => {
            return Err(unsupported("LIMIT offset, count", "Write LIMIT count OFFSET offset.", Some(limit)));
        }
    }
    Ok(())
}

/// The LIMIT of a normalised query, where it has one.
pub(crate) fn own_limit(query: &Query) -> Option<u64> {
    match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit: Some(limit), .. }) => row_count(limit, "LIMIT").ok(),
        _ => None,
    }
}

fn fetched_rows(fetch: &Fetch) -> Result<Expr, Error> {
    let Fetch { with_ties, percent, quantity } = fetch;
    if *with_ties || *percent {
        let hint = "Use rank() in a subquery and keep the ranks up to the number.";
        return Err(unsupported("FETCH ... WITH TIES", hint, quantity.as_ref()));
    }
    Ok(quantity.clone().unwrap_or_else(|| number(1)))
}

fn set_limit(query: &mut Query, rows: Expr) {
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, .. }) => *limit = Some(rows),
        other => *other = Some(LimitClause::LimitOffset { limit: Some(rows), offset: None, limit_by: Vec::new() }),
    }
}

fn number(rows: u64) -> Expr {
    Expr::value(Value::Number(rows.to_string(), false))
}

fn unsupported(feature: &'static str, hint: &'static str, at: Option<&Expr>) -> Error {
    Error::Unsupported { feature, hint, position: at.and_then(|expr| Position::of(expr.span())) }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
        || matches!(expr, Expr::Nested(inner) | Expr::Cast { expr: inner, .. } if is_null(inner))
}

/// A number of rows, from a literal in any spelling that a driver binds it in.
fn row_count(expr: &Expr, clause: &'static str) -> Result<u64, Error> {
    let position = Position::of(expr.span());
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => row_count(inner, clause),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => row_count(expr, clause),
        Expr::UnaryOp { op: UnaryOperator::Minus, .. } => Err(Error::NegativeLimit { clause, position }),
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) | Value::SingleQuotedString(text) => parse_rows(text, clause, position),
            // Without a value yet: the statement is only being described.
            Value::Placeholder(_) if clause == "LIMIT" => Ok(u64::MAX),
            Value::Placeholder(_) => Ok(0),
            _ => Err(not_a_number(clause, position)),
        },
        _ => Err(not_a_number(clause, position)),
    }
}

fn parse_rows(text: &str, clause: &'static str, position: Option<u32>) -> Result<u64, Error> {
    let plain = text.trim().replace('_', "");
    if plain.starts_with('-') {
        return Err(Error::NegativeLimit { clause, position });
    }
    if let Ok(rows) = plain.parse::<u64>() {
        return Ok(rows);
    }
    match plain.parse::<f64>() {
        // Postgres rounds halves to even; what is too large for a number of rows is no limit.
        Ok(rows) if rows.is_finite() && rows >= 0.0 => Ok(rows.round_ties_even() as u64),
        _ if plain.bytes().all(|byte| byte.is_ascii_digit()) && !plain.is_empty() => Ok(u64::MAX),
        _ => Err(not_a_number(clause, position)),
    }
}

fn not_a_number(clause: &'static str, position: Option<u32>) -> Error {
    let feature = if clause == "LIMIT" { "a computed LIMIT" } else { "a computed OFFSET" };
    Error::Unsupported { feature, hint: "Write the number of rows as a number.", position }
}
