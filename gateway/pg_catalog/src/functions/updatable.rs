//! What could be written if this server wrote: `information_schema` tells it of tables and views.

use dialects::ast;

use crate::context::{Context, Found};
use crate::datum::Datum;
use crate::error::Result;
use crate::plan::ScalarFn;

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("pg_relation_is_updatable(regclass, bool) int4", |c, a| {
        let oid = a[0].as_oid().unwrap_or(0);
        Ok(Datum::Int4(c.by_oid("pg_class", oid)?.map_or(Ok(0), |row| events(c, &row, oid))?))
    }),
    ("pg_column_is_updatable(regclass, int2, bool) bool", |c, a| {
        let (oid, number) = (a[0].as_oid().unwrap_or(0), a[1].as_int().unwrap_or(0));
        column(c, oid, number).map(Datum::Bool)
    }),
];

const UPDATE: i32 = 4;
const INSERT: i32 = 8;
const DELETE: i32 = 16;
const ALL: i32 = UPDATE | INSERT | DELETE;

/// Below are the objects of Postgres itself.
const FIRST_USER_OID: u32 = 16_384;

/// System views that PostgreSQL lets be written, and the columns of them that it does not.
const SYSTEM_VIEWS: &[(&str, i32, &[&str])] = &[
    ("pg_settings", UPDATE, &[]),
    ("pg_group", ALL, &["grolist"]),
    (
        "pg_stat_database_conflicts",
        ALL,
        &["confl_tablespace", "confl_lock", "confl_snapshot", "confl_bufferpin", "confl_deadlock"],
    ),
    ("enabled_roles", DELETE, &["role_name"]),
];

/// The bits of the commands that could change rows of the relation.
fn events(context: &Context<'_>, row: &Found, oid: u32) -> Result<i32> {
    match row.char("relkind") {
        'r' | 'p' => Ok(ALL),
        'v' if oid < FIRST_USER_OID => Ok(system_view(&row.text("relname")).map_or(0, |(_, events, _)| *events)),
        'v' => Ok(match simple_view(context, oid) {
            Some(select) if select.projection.iter().any(is_column) => ALL,
            Some(_) => DELETE,
            None => 0,
        }),
        _ => Ok(0),
    }
}

/// Whether a column could be written: its relation takes both UPDATE and DELETE, and it is no expression.
fn column(context: &Context<'_>, oid: u32, number: i64) -> Result<bool> {
    let Some(row) = context.by_oid("pg_class", oid)? else { return Ok(false) };
    if number <= 0 || events(context, &row, oid)? & (UPDATE | DELETE) != UPDATE | DELETE {
        return Ok(false);
    }
    if row.char("relkind") != 'v' {
        return Ok(true);
    }
    if oid < FIRST_USER_OID {
        let name = column_name(context, oid, number)?;
        return Ok(system_view(&row.text("relname")).is_some_and(|(.., fixed)| !fixed.contains(&name.as_str())));
    }
    let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
    Ok(simple_view(context, oid).and_then(|select| select.projection.get(place).map(is_column)).unwrap_or(false))
}

fn system_view(name: &str) -> Option<&'static (&'static str, i32, &'static [&'static str])> {
    SYSTEM_VIEWS.iter().find(|(view, ..)| *view == name)
}

fn column_name(context: &Context<'_>, oid: u32, number: i64) -> Result<String> {
    let columns = context.find_all("pg_attribute", "attrelid", &Datum::Oid(oid))?;
    let column = columns.iter().find(|column| column.int("attnum") == number);
    Ok(column.map(|column| column.text("attname")).unwrap_or_default())
}

/// The view's SELECT, where it is columns and conditions over one relation.
fn simple_view(context: &Context<'_>, oid: u32) -> Option<ast::Select> {
    let definition = context.relations.view_definition(oid)?;
    let query = dialects::parse_query(definition.trim().trim_end_matches(';')).ok()?;
    let plain = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    let ast::SetExpr::Select(select) = *query.body else { return None };
    let ungrouped = matches!(&select.group_by, ast::GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let whole = select.distinct.is_none() && select.having.is_none() && ungrouped;
    let [from] = select.from.as_slice() else { return None };
    let single = from.joins.is_empty() && matches!(from.relation, ast::TableFactor::Table { args: None, .. });
    (plain && whole && single).then_some(*select)
}

fn is_column(item: &ast::SelectItem) -> bool {
    match item {
        ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. } => {
            matches!(expr, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_))
        }
        ast::SelectItem::Wildcard(_) | ast::SelectItem::QualifiedWildcard(..) => true,
        _ => false,
    }
}
