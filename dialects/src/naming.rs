//! The names that Postgres gives to columns nobody named.

use sqlparser::ast::{AccessExpr, ArrayElemTypeDef, DataType, Expr, Subscript};

use crate::identifier::{fold, name_parts};

/// The name of a select list's item without alias: the column's own, the function's, the type of a cast, or `?column?`.
pub fn column_name(expr: &Expr) -> String {
    name_of(expr).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// How much a name says. The type of a cast gives way to what is cast, CASE to its ELSE.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Weak,
    Strong,
}

use Strength::{Strong, Weak};

fn name_of(expr: &Expr) -> Option<(String, Strength)> {
    let fixed = match expr {
        Expr::Identifier(ident) => return Some((fold(ident), Strong)),
        Expr::CompoundIdentifier(parts) => return parts.last().map(|part| (fold(part), Strong)),
        Expr::Function(call) => return name_parts(&call.name)?.pop().map(|name| (name, Strong)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => return name_of(inner),
        Expr::Cast { expr: inner, data_type, .. } => {
            return strong_name_of(inner).or_else(|| type_name(data_type).map(|name| (name, Weak)));
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            return match access_chain.last() {
                Some(AccessExpr::Dot(Expr::Identifier(field))) => Some((fold(field), Strong)),
                Some(AccessExpr::Subscript(Subscript::Index { .. } | Subscript::Slice { .. })) => name_of(root),
                _ => None,
            };
        }
        Expr::Subquery(query) => return subquery_name(query),
        Expr::Case { else_result, .. } => {
            let otherwise = else_result.as_deref().and_then(strong_name_of);
            return otherwise.or_else(|| Some(("case".to_owned(), Weak)));
        }
        Expr::TypedString(typed) => return type_name(&typed.data_type).map(|name| (name, Weak)),
        Expr::Interval(_) => return Some(("interval".to_owned(), Weak)),
        Expr::Extract { .. } => "extract",
        Expr::Ceil { .. } => "ceil",
        Expr::Floor { .. } => "floor",
        Expr::Position { .. } => "position",
        Expr::Substring { shorthand: true, .. } => "substr",
        Expr::Substring { .. } => "substring",
        Expr::Overlay { .. } => "overlay",
        Expr::Trim { trim_where, .. } => match trim_where {
            Some(sqlparser::ast::TrimWhereField::Leading) => "ltrim",
            Some(sqlparser::ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        },
        Expr::Exists { negated: false, .. } => "exists",
        Expr::Array(_) => "array",
        Expr::Tuple(_) => "row",
        Expr::AtTimeZone { .. } => "timezone",
        Expr::IsNormalized { negated: false, .. } => "is_normalized",
        _ => return None,
    };
    Some((fixed.to_owned(), Strong))
}

fn strong_name_of(expr: &Expr) -> Option<(String, Strength)> {
    name_of(expr).filter(|(_, strength)| *strength == Strong)
}

fn subquery_name(query: &sqlparser::ast::Query) -> Option<(String, Strength)> {
    let sqlparser::ast::SetExpr::Select(select) = query.body.as_ref() else { return None };
    match select.projection.first()? {
        // The subquery's own column has a name by then, if only `?column?`, and that name counts.
        sqlparser::ast::SelectItem::UnnamedExpr(expr) => {
            Some((name_of(expr).map_or_else(|| "?column?".to_owned(), |(name, _)| name), Strong))
        }
        sqlparser::ast::SelectItem::ExprWithAlias { alias, .. } => Some((fold(alias), Strong)),
        _ => None,
    }
}

/// `typname` of the types that are spelled otherwise in a cast.
fn type_name(data_type: &DataType) -> Option<String> {
    let name = match data_type {
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => "int4",
        DataType::BigInt(_) | DataType::Int8(_) => "int8",
        DataType::SmallInt(_) | DataType::Int2(_) => "int2",
        DataType::Real | DataType::Float4 => "float4",
        DataType::DoublePrecision | DataType::Double(_) | DataType::Float8 | DataType::Float(_) => "float8",
        DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_) => "numeric",
        DataType::Boolean | DataType::Bool => "bool",
        DataType::Varchar(_) | DataType::CharacterVarying(_) | DataType::CharVarying(_) => "varchar",
        DataType::Char(_) | DataType::Character(_) => "bpchar",
        DataType::Timestamp(_, zone) => match zone {
            sqlparser::ast::TimezoneInfo::WithTimeZone | sqlparser::ast::TimezoneInfo::Tz => "timestamptz",
            _ => "timestamp",
        },
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => return type_name(element),
        DataType::Array(_) => return None,
        DataType::Custom(name, _) => return name_parts(name)?.pop(),
        DataType::Time(_, zone) => match zone {
            sqlparser::ast::TimezoneInfo::WithTimeZone | sqlparser::ast::TimezoneInfo::Tz => "timetz",
            _ => "time",
        },
        DataType::Interval { .. } => "interval",
        other => return Some(other.to_string().to_ascii_lowercase()),
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instant, freeze_now, parse_query};

    /// The name, and the one that is left once `now()` is a constant.
    fn names(expr: &str) -> [String; 2] {
        let mut query = parse_query(&format!("select {expr}")).unwrap_or_else(|e| panic!("{expr}: {e}"));
        let name = |query: &sqlparser::ast::Query| {
            let sqlparser::ast::SetExpr::Select(select) = query.body.as_ref() else { panic!("no SELECT") };
            match &select.projection[0] {
                sqlparser::ast::SelectItem::UnnamedExpr(expr) => column_name(expr),
                sqlparser::ast::SelectItem::ExprWithAlias { alias, .. } => fold(alias),
                other => panic!("{other}"),
            }
        };
        let written = name(&query);
        freeze_now(&mut query, Instant(0));
        [written, name(&query)]
    }

    /// The names that PostgreSQL 15 gives.
    const NAMES: &[(&str, &str)] = &[
        ("true", "?column?"),
        ("not exists(select 1)", "?column?"),
        ("exists(select 1)", "exists"),
        ("not true", "?column?"),
        ("'1'::int::text", "text"),
        ("(1::int)::bigint::text", "text"),
        ("substr('abc', 1)", "substr"),
        ("substring('abc' from 1 for 2)", "substring"),
        ("now()", "now"),
        ("current_date", "current_date"),
        ("current_timestamp", "current_timestamp"),
        ("current_timestamp(3)", "current_timestamp"),
        ("localtimestamp", "localtimestamp"),
        ("current_time", "current_time"),
        ("localtime", "localtime"),
        ("now()::text", "now"),
        ("now()::date", "now"),
        ("current_date::text", "current_date"),
        ("now() - interval '1 day'", "?column?"),
        ("date_trunc('day', now())", "date_trunc"),
        ("extract(day from now())", "extract"),
        ("case when true then 1 end", "case"),
        ("case when true then 1 else length('a') end", "length"),
        ("coalesce(now(), null)", "coalesce"),
        ("coalesce(1, 2)", "coalesce"),
        ("count(*)", "count"),
        ("array[1]", "array"),
        ("row(1, 2)", "row"),
        ("(1, 2)", "row"),
        ("(now())", "now"),
        ("(select now())", "now"),
        ("(select 1)", "?column?"),
        ("(select current_date::text)", "current_date"),
        ("nullif(1, 2)", "nullif"),
        ("greatest(1, 2)", "greatest"),
        ("least(1,2)", "least"),
        ("-1", "?column?"),
        ("-now()::date::text::int", "?column?"),
        ("'a'", "?column?"),
        ("null", "?column?"),
        ("1 in (1)", "?column?"),
        ("1 between 1 and 2", "?column?"),
        ("'a' like 'b'", "?column?"),
        ("interval '1 day'", "interval"),
        ("interval '1' day", "interval"),
        ("date '2020-01-01'", "date"),
        ("timestamp '2020-01-01'", "timestamp"),
        ("timestamptz '2020-01-01'", "timestamptz"),
        ("timestamp with time zone '2020-01-01'", "timestamptz"),
        ("time '10:00'", "time"),
        ("trim('a')", "btrim"),
        ("trim(both 'a' from 'a')", "btrim"),
        ("trim(leading 'a' from 'a')", "ltrim"),
        ("trim(trailing 'a' from 'a')", "rtrim"),
        ("position('a' in 'b')", "position"),
        ("overlay('abc' placing 'x' from 1)", "overlay"),
        ("ceil(1.5)", "ceil"),
        ("ceiling(1.5)", "ceiling"),
        ("floor(1.5)", "floor"),
        ("now() at time zone 'UTC'", "timezone"),
        ("(array[1,2])[1]", "array"),
        ("array(select 1)", "array"),
        ("array[1]::text[]", "array"),
        ("'{1}'::int[]", "int4"),
        ("1::numeric(3,1)", "numeric"),
        ("'a'::varchar(3)", "varchar"),
        ("'a'::character varying", "varchar"),
        ("'a'::char(2)", "bpchar"),
        ("'a'::char", "bpchar"),
        ("'a'::bpchar", "bpchar"),
        ("1::float", "float8"),
        ("1::real", "float4"),
        ("1::double precision", "float8"),
        ("'1'::smallint", "int2"),
        ("'1'::int2", "int2"),
        ("'1'::int4", "int4"),
        ("'1'::bigint", "int8"),
        ("'1'::dec", "numeric"),
        ("'1'::decimal", "numeric"),
        ("'1'::numeric", "numeric"),
        ("'t'::boolean", "bool"),
        ("'t'::bool", "bool"),
        ("'1'::json", "json"),
        ("'1'::jsonb", "jsonb"),
        ("'::1'::inet", "inet"),
        ("'10.0.0.0/8'::cidr", "cidr"),
        (r#"'a' collate "C""#, "?column?"),
        ("cast(1 as text)", "text"),
        ("cast(null as timestamp)", "timestamp"),
        ("'2020-01-01'::timestamp", "timestamp"),
        ("'2020-01-01'::timestamptz", "timestamptz"),
        ("'2020-01-01'::timestamp(3)", "timestamp"),
        ("'2020-01-01'::date", "date"),
        ("'10:00'::time", "time"),
        ("'10:00'::timetz", "timetz"),
        ("'1 day'::interval", "interval"),
        ("'x'::bytea", "bytea"),
        ("'x'::name", "name"),
        ("'b0c1c2b8-0000-0000-0000-000000000000'::uuid", "uuid"),
        ("'1' is null", "?column?"),
        ("true is true", "?column?"),
        ("1 = any(array[1])", "?column?"),
        (r#"'{"a":1}'::json->'a'"#, "?column?"),
        (r#"'{"a":1}'::json->>'a'"#, "?column?"),
        ("current_user", "current_user"),
        ("session_user", "session_user"),
        ("current_schema", "current_schema"),
        ("current_schema()", "current_schema"),
        ("current_database()", "current_database"),
        ("current_catalog", "current_catalog"),
        ("user", "user"),
        ("version()", "version"),
        ("pg_catalog.now()", "now"),
        ("string_agg('a', ',')", "string_agg"),
        ("count(*) filter (where true)", "count"),
        ("row_number() over ()", "row_number"),
        ("percentile_cont(0.5) within group (order by 1)", "percentile_cont"),
        ("mode() within group (order by 1)", "mode"),
        ("1::oid", "oid"),
        ("1::regclass", "regclass"),
        (r#"'a'::"char""#, "char"),
        ("'a' similar to 'b'", "?column?"),
        ("date_part('day', now())", "date_part"),
        ("to_char(now(), 'YYYY')", "to_char"),
        ("age(now())", "age"),
        ("normalize('a')", "normalize"),
        ("case when true then case when false then 2 end end", "case"),
        ("case 1 when 1 then 2 else (select 3) end", "?column?"),
        ("case 1 when 1 then 2 else (select 3 as z) end", "z"),
        ("(select 3 as z)::text", "z"),
        ("(case when true then 1 end)::text", "text"),
        ("array[1,2]::text", "array"),
        ("row(1)::text", "row"),
        ("exists(select 1)::text", "exists"),
    ];

    #[test]
    fn columns_are_named_as_postgres_names_them() {
        let wrong: Vec<_> = NAMES
            .iter()
            .map(|(expr, expected)| (expr, names(expr), expected))
            .filter(|(_, names, expected)| names.iter().any(|name| name != *expected))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
