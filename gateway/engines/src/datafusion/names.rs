//! What Postgres calls the columns of a result.

use std::collections::HashSet;

use dialects::ast::{Expr, Ident, ObjectName, Query, SelectItem, SetExpr};
use dialects::fold;

/// Marks a name that stands only to tell two columns of one name apart. No name of a client holds it.
const MARK: char = '\u{1}';

/// The name of a column that no name can be made for.
const UNNAMED: &str = "?column?";

/// Gives the columns of the outermost SELECT the names that Postgres gives them. Names that occur twice are marked, since
/// DataFusion wants them unique; [`plain`] takes the mark off.
pub(crate) fn name_columns(query: &mut Query) {
    name_columns_of(&mut query.body);
}

fn name_columns_of(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let mut taken = HashSet::new();
            for (index, item) in select.projection.iter_mut().enumerate() {
                name_item(item, index, &mut taken);
            }
        }
        SetExpr::Query(query) => name_columns(query),
        SetExpr::SetOperation { left, right, .. } => {
            name_columns_of(left);
            name_columns_of(right);
        }
        _ => {}
    }
}

fn name_item(item: &mut SelectItem, index: usize, taken: &mut HashSet<String>) {
    let (expr, name, is_written) = match item {
        SelectItem::UnnamedExpr(expr) => {
            let name = name_of(expr).unwrap_or_else(|| UNNAMED.to_owned());
            (expr.clone(), name, false)
        }
        SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), fold(alias), true),
        _ => return,
    };
    let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    let is_first = taken.insert(name.clone());
    if is_first && (is_written || is_column) {
        return;
    }
    let name = if is_first { name } else { format!("{name}{MARK}{index}") };
    *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) };
}

/// A column's name as the client sees it.
pub(crate) fn plain(name: &str) -> &str {
    name.split(MARK).next().unwrap_or(name)
}

/// The name that Postgres derives from an expression.
fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(fold(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(fold),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => name_of(inner),
        Expr::Cast { expr: inner, data_type, .. } => name_of(inner).or_else(|| type_name(&data_type.to_string())),
        Expr::TypedString(typed) => type_name(&typed.data_type.to_string()),
        Expr::Interval(_) => Some("interval".to_owned()),
        Expr::Function(function) => match function_name(&function.name) {
            // An operator that the dialect has written as a call.
            name if name.starts_with("json_get") || name == "json_path" || name == "json_path_text" => None,
            name => Some(name),
        },
        Expr::Case { else_result, .. } => {
            else_result.as_deref().and_then(name_of_column).or_else(|| Some("case".to_owned()))
        }
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Position { .. } => Some("position".to_owned()),
        Expr::Substring { .. } => Some("substring".to_owned()),
        Expr::Overlay { .. } => Some("overlay".to_owned()),
        Expr::Ceil { .. } => Some("ceil".to_owned()),
        Expr::Floor { .. } => Some("floor".to_owned()),
        Expr::Trim { trim_where, .. } => Some(match trim_where {
            Some(dialects::ast::TrimWhereField::Leading) => "ltrim".to_owned(),
            Some(dialects::ast::TrimWhereField::Trailing) => "rtrim".to_owned(),
            _ => "btrim".to_owned(),
        }),
        Expr::AtTimeZone { .. } => Some("timezone".to_owned()),
        Expr::Exists { .. } => Some("exists".to_owned()),
        Expr::Array(_) => Some("array".to_owned()),
        Expr::Tuple(_) => Some("row".to_owned()),
        Expr::Value(value) if matches!(value.value, dialects::ast::Value::Boolean(_)) => Some("bool".to_owned()),
        Expr::Subquery(query) => first_name(&query.body),
        _ => None,
    }
}

/// CASE takes the name of its ELSE where that is a column.
fn name_of_column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => name_of(expr),
        _ => None,
    }
}

fn first_name(body: &SetExpr) -> Option<String> {
    match body {
        SetExpr::Select(select) => match select.projection.first()? {
            SelectItem::UnnamedExpr(expr) => name_of(expr),
            SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
            _ => None,
        },
        SetExpr::Query(query) => first_name(&query.body),
        SetExpr::SetOperation { left, .. } => first_name(left),
        _ => None,
    }
}

fn function_name(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default()
}

fn type_name(sql: &str) -> Option<String> {
    let name = sql.split('(').next()?.trim().to_lowercase();
    let name = if sql.to_lowercase().contains("with time zone") && name.starts_with("timestamp") {
        "timestamptz".to_owned()
    } else {
        name
    };
    Some(mantissa_core::PgType::by_name(&name).map_or(name, |ty| ty.name()))
}

/// Names of the tables and columns in a tree, to find where a name in an error was written.
pub(crate) fn find_name(query: &Query, name: &str) -> Option<sqlparser::tokenizer::Span> {
    use dialects::ast::{Visit, Visitor};
    use std::ops::ControlFlow;

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
    use dialects::ast::{DataType, LimitClause, Value, Visit, Visitor};
    use std::ops::ControlFlow;

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
    fn columns_are_named_as_postgres_names_them() {
        let cases = [
            ("select 1", vec![UNNAMED]),
            ("select a, t.b, \"C\"", vec!["a", "b", "C"]),
            ("select count(*), max(x), a + 1", vec!["count", "max", UNNAMED]),
            ("select x::int, '1'::text, true", vec!["x", "text", "bool"]),
            ("select case when a then 1 else b end, case when a then 1 end", vec!["b", "case"]),
            ("select coalesce(a, b), extract(year from t), (select max(z) from y)", vec!["coalesce", "extract", "max"]),
            ("select 1 as x, 2 as x", vec!["x", "x"]),
            ("select count(*), count(*)", vec!["count", "count"]),
        ];
        for (sql, expected) in cases {
            let mut query = parse_query(sql).unwrap();
            name_columns(&mut query);
            let SetExpr::Select(select) = query.body.as_ref() else { panic!("{sql}") };
            let names: Vec<String> = select
                .projection
                .iter()
                .map(|item| match item {
                    SelectItem::UnnamedExpr(expr) => name_of(expr).unwrap(),
                    SelectItem::ExprWithAlias { alias, .. } => plain(&fold(alias)).to_owned(),
                    other => panic!("{other}"),
                })
                .collect();
            assert_eq!(names, expected, "{sql}");
        }
    }
}
