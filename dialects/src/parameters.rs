use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Spanned, Value, Visit, Visitor};

use crate::visit::each_expr;
use crate::{Error, Position};

/// The highest `$n` that a query names; 0 for none.
pub fn parameter_count(query: &Query) -> usize {
    let mut count = Count(0);
    let _ = query.visit(&mut count);
    count.0 as usize
}

/// Puts `values[n - 1]` in the place of every `$n`. Values that bind weaker than a cast are put in brackets.
pub fn bind_parameters(query: &mut Query, values: &[Expr]) -> Result<(), Error> {
    each_expr(query, |expr| {
        let Expr::Value(value) = &*expr else { return Ok(()) };
        let Value::Placeholder(name) = &value.value else { return Ok(()) };
        let number = number_of(name).unwrap_or(0);
        let bound = (number as usize).checked_sub(1).and_then(|index| values.get(index));
        let position = Position::of(value.span);
        let bound = bound.ok_or(Error::UndefinedParameter { number, position })?;
        *expr = if binds_tightly(bound) { bound.clone() } else { Expr::Nested(Box::new(bound.clone())) };
        Ok(())
    })
}

struct Count(u32);

impl Visitor for Count {
    type Break = ();

    fn pre_visit_value(&mut self, value: &sqlparser::ast::ValueWithSpan) -> ControlFlow<()> {
        if let Value::Placeholder(name) = &value.value {
            self.0 = self.0.max(number_of(name).unwrap_or(0));
        }
        ControlFlow::Continue(())
    }
}

/// `$12` is 12. Postgres knows no other spelling, and no parameter above 65535.
fn number_of(name: &str) -> Option<u32> {
    name.strip_prefix('$')?.parse().ok().filter(|number| *number <= 65_535)
}

fn binds_tightly(expr: &Expr) -> bool {
    let is_negative = matches!(expr, Expr::Value(v) if matches!(&v.value, Value::Number(n, _) if n.starts_with('-')));
    let is_atom = matches!(
        expr,
        Expr::Value(_)
            | Expr::Cast { .. }
            | Expr::Nested(_)
            | Expr::TypedString(_)
            | Expr::Array(_)
            | Expr::Function(_)
    );
    debug_assert!(expr.span().start.line <= 1);
    is_atom && !is_negative
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_query;

    #[test]
    fn parameters_are_counted_and_replaced_everywhere() {
        let mut query = parse_query("select $2::int, (select $1) from t where a = any($3) limit $4").unwrap();
        assert_eq!(parameter_count(&query), 4);
        let number = |n: &str| Expr::Value(Value::Number(n.into(), false).into());
        bind_parameters(&mut query, &[number("1"), number("-2"), Expr::value(Value::Null), number("9")]).unwrap();
        assert_eq!(query.to_string(), "SELECT (-2)::INT, (SELECT 1) FROM t WHERE a = ANY(NULL) LIMIT 9");
        assert_eq!(parameter_count(&query), 0);
    }

    #[test]
    fn a_parameter_without_value_is_named() {
        let mut query = parse_query("select $1, $3").unwrap();
        let error = bind_parameters(&mut query, &[Expr::value(Value::Null)]).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.position()), ("there is no parameter $3", Some(12)));
    }
}
