use dialects::ast::{Expr, LimitClause, Query, Value};

/// Bounds the rows of a query from outside: its own LIMIT or FETCH stays where it is a smaller number.
pub(crate) fn cap_rows(query: &mut Query, cap: u64) {
    let own = match (&query.limit_clause, &query.fetch) {
        (_, Some(_)) => None,
        (Some(LimitClause::LimitOffset { limit: Some(limit), .. }), None) => literal(limit),
        (Some(LimitClause::OffsetCommaLimit { .. }), None) => None,
        _ => None,
    };
    let rows = own.map_or(cap, |own| own.min(cap));
    let number = Expr::value(Value::Number(rows.to_string(), false));
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, .. }) => *limit = Some(number),
        other => *other = Some(LimitClause::LimitOffset { limit: Some(number), offset: None, limit_by: Vec::new() }),
    }
}

fn literal(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
