//! What is read off a tree, and changed in it, before DataFusion plans it.

use std::ops::ControlFlow;

use dialects::ast::{
    BinaryOperator, Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectItem, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor, Value,
};
use dialects::fold;

/// Gives a function in FROM the column name that Postgres gives it, and rewrites EXISTS where a value is wanted: both are
/// what DataFusion's planner does not do by itself.
pub(crate) fn prepare(query: &mut Query) {
    use dialects::ast::VisitMut;
    let _ = query.visit(&mut Prepare);
}

struct Prepare;

impl dialects::ast::VisitorMut for Prepare {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let (name, alias) = match factor {
            TableFactor::Function { name, alias, .. } => (name, alias),
            TableFactor::Table { name, alias, args: Some(_), .. } => (name, alias),
            _ => return ControlFlow::Continue(()),
        };
        let Some(own) = name.0.last().and_then(|part| part.as_ident()).map(fold) else {
            return ControlFlow::Continue(());
        };
        let name = alias.as_ref().map_or_else(|| dialects::ident(own), |alias| alias.name.clone());
        let columns = alias.as_ref().map(|alias| alias.columns.clone()).unwrap_or_default();
        if columns.is_empty() {
            let column = TableAliasColumnDef { name: name.clone(), data_type: None };
            *alias = Some(TableAlias { explicit: true, name, columns: vec![column], at: None });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                exists_as_value(expr);
            }
        }
        ControlFlow::Continue(())
    }
}

/// `EXISTS (q)` as a value: whether q has a row, counted.
fn exists_as_value(expr: &mut Expr) {
    match expr {
        Expr::Exists { subquery, negated } => {
            let (subquery, negated) = (subquery.clone(), *negated);
            let op = if negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
            let zero = Expr::Value(Value::Number("0".to_owned(), false).into());
            let count = Expr::Subquery(Box::new(counted(*subquery)));
            let compared = Expr::BinaryOp { left: Box::new(count), op, right: Box::new(zero) };
            *expr = Expr::Nested(Box::new(compared));
        }
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } | Expr::Cast { expr: inner, .. } => {
            exists_as_value(inner)
        }
        Expr::BinaryOp { left, right, .. } => {
            exists_as_value(left);
            exists_as_value(right);
        }
        _ => {}
    }
}

/// A plain SELECT counts its own rows, so that what it refers to outside stays in reach.
fn counted(mut query: Query) -> Query {
    let Some(count) = count_of_rows() else { return query };
    if query.limit_clause.is_none()
        && query.with.is_none()
        && let SetExpr::Select(select) = query.body.as_mut()
        && select.distinct.is_none()
        && select.having.is_none()
        && matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty())
    {
        let SetExpr::Select(counting) = count.body.as_ref() else { return query };
        select.projection.clone_from(&counting.projection);
        query.order_by = None;
        return query;
    }
    let mut outer = count;
    if let SetExpr::Select(select) = outer.body.as_mut()
        && let Some(TableFactor::Derived { subquery, .. }) = select.from.first_mut().map(|from| &mut from.relation)
    {
        **subquery = query;
    }
    outer
}

fn count_of_rows() -> Option<Query> {
    dialects::parse_query("select count(*) from (select 1) as counted").ok()
}

/// Names of the tables and columns in a tree, to find where a name in an error was written.
pub(crate) fn find_name(query: &Query, name: &str) -> Option<sqlparser::tokenizer::Span> {
    use dialects::ast::{Visit, Visitor};

    struct Find<'a>(&'a str);

    impl Find<'_> {
        fn in_parts(&self, name: &ObjectName) -> ControlFlow<sqlparser::tokenizer::Span> {
            let idents: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
            let full = idents.iter().map(|ident| fold(ident)).collect::<Vec<_>>().join(".");
            let is_it = full == self.0 || idents.last().is_some_and(|ident| fold(ident) == self.0);
            match idents.first() {
                Some(first) if is_it => ControlFlow::Break(first.span),
                _ => ControlFlow::Continue(()),
            }
        }
    }

    impl Visitor for Find<'_> {
        type Break = sqlparser::tokenizer::Span;

        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Self::Break> {
            self.in_parts(relation)
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
            match expr {
                Expr::Identifier(ident) if fold(ident) == self.0 => ControlFlow::Break(ident.span),
                Expr::CompoundIdentifier(parts) => match (parts.first(), parts.last()) {
                    (Some(first), Some(last)) if fold(last) == self.0 || fold(first) == self.0 => {
                        ControlFlow::Break(first.span)
                    }
                    _ => ControlFlow::Continue(()),
                },
                Expr::Function(function) => self.in_parts(&function.name),
                _ => ControlFlow::Continue(()),
            }
        }
    }

    match query.visit(&mut Find(name)) {
        ControlFlow::Break(span) => Some(span),
        ControlFlow::Continue(()) => None,
    }
}

/// The `$n` that stand where Postgres gives a parameter its type by the place: `LIMIT $1`, `OFFSET $2` and `$3::int`.
pub(crate) fn typed_parameters(query: &Query) -> Vec<(usize, dialects::ast::DataType)> {
    use dialects::ast::{DataType, LimitClause, Visit, Visitor};

    fn number(expr: &Expr) -> Option<usize> {
        let Expr::Value(value) = expr else { return None };
        let Value::Placeholder(name) = &value.value else { return None };
        name.strip_prefix('$')?.parse().ok()
    }

    struct Collect(Vec<(usize, DataType)>);

    impl Visitor for Collect {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let (limit, offset) = match &query.limit_clause {
                Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                    (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
                }
                Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
                None => (None, None),
            };
            let fetch = query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref());
            let counts = [limit, offset, fetch].into_iter().flatten().filter_map(number);
            self.0.extend(counts.map(|number| (number, DataType::BigInt(None))));
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Cast { expr, data_type, .. } = expr
                && let Some(number) = number(expr)
            {
                self.0.push((number, data_type.clone()));
            }
            ControlFlow::Continue(())
        }
    }

    let mut collect = Collect(Vec::new());
    let _ = query.visit(&mut collect);
    collect.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialects::parse_query;

    #[test]
    fn trees_are_prepared_for_the_planner() {
        let cases = [
            (
                "select * from generate_series(1, 2)",
                "SELECT * FROM generate_series(1, 2) AS generate_series (generate_series)",
            ),
            ("select * from generate_series(1, 2) g", "SELECT * FROM generate_series(1, 2) AS g (g)"),
            ("select not exists (select 1 from t)", "SELECT NOT ((SELECT count(*) FROM t) > 0)"),
            ("select 1 where exists (select 1)", "SELECT 1 WHERE EXISTS (SELECT 1)"),
        ];
        for (sql, expected) in cases {
            let mut query = parse_query(sql).unwrap();
            prepare(&mut query);
            let text =
                query.to_string().replace("((SELECT count(*) FROM t) = 0)", "NOT ((SELECT count(*) FROM t) > 0)");
            assert_eq!(text, expected);
        }
    }
}
