//! Names of result columns, as Postgres chooses them.

use dialects::ast::{DataType, Expr, FunctionArguments, ObjectName, SelectItem, SetExpr, TrimWhereField};
use dialects::{fold, name_parts};

/// The name of a column that has no alias.
pub fn of(expr: &Expr) -> String {
    choose(expr).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// The name and whether it is a strong one (casts give weak names).
fn choose(expr: &Expr) -> Option<(String, bool)> {
    let strong = |name: &str| Some((name.to_owned(), true));
    match expr {
        Expr::Identifier(ident) => Some((fold(ident), true)),
        Expr::CompoundIdentifier(idents) => idents.last().map(|ident| (fold(ident), true)),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let field = access_chain.iter().rev().find_map(|access| match access {
                dialects::ast::AccessExpr::Dot(Expr::Identifier(ident)) => Some(fold(ident)),
                _ => None,
            });
            field.map(|name| (name, true)).or_else(|| choose(root))
        }
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => choose(inner),
        Expr::Function(function) => {
            let name = last(&function.name);
            match (&function.args, name.as_str()) {
                (FunctionArguments::Subquery(_), "array") => strong("array"),
                _ => Some((name, true)),
            }
        }
        Expr::Cast { expr, data_type, .. } => match choose(expr) {
            Some((name, true)) => Some((name, true)),
            _ => Some((type_name(data_type), false)),
        },
        Expr::TypedString(typed) => Some((type_name(&typed.data_type), false)),
        Expr::Interval(_) => Some(("interval".to_owned(), false)),
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(choose) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".to_owned(), false)),
        },
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::Exists { .. } => strong("exists"),
        Expr::Subquery(query) => match &*query.body {
            SetExpr::Select(select) => match select.projection.first()? {
                SelectItem::UnnamedExpr(expr) => choose(expr).map(|(name, _)| (name, true)),
                SelectItem::ExprWithAlias { alias, .. } => Some((fold(alias), true)),
                _ => None,
            },
            _ => None,
        },
        Expr::Extract { .. } => strong("extract"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Position { .. } => strong("position"),
        Expr::Substring { shorthand: true, .. } => strong("substr"),
        Expr::Substring { .. } => strong("substring"),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Trim { trim_where, .. } => strong(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        _ => None,
    }
}

pub fn last(name: &ObjectName) -> String {
    name_parts(name).and_then(|parts| parts.into_iter().next_back()).unwrap_or_default()
}

fn type_name(ty: &DataType) -> String {
    match ty {
        DataType::Array(dialects::ast::ArrayElemTypeDef::SquareBracket(element, _)) => type_name(element),
        DataType::Custom(name, _) => last(name),
        DataType::Bool | DataType::Boolean => "bool".into(),
        DataType::SmallInt(_) | DataType::Int2(_) => "int2".into(),
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => "int4".into(),
        DataType::BigInt(_) | DataType::Int8(_) => "int8".into(),
        DataType::Real | DataType::Float4 => "float4".into(),
        DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 | DataType::Float(_) => "float8".into(),
        DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_) => "numeric".into(),
        DataType::Varchar(_) | DataType::CharacterVarying(_) | DataType::CharVarying(_) => "varchar".into(),
        DataType::Char(_) | DataType::Character(_) => "bpchar".into(),
        DataType::Time(_, zone) if zoned(zone) => "timetz".into(),
        DataType::Time(..) => "time".into(),
        DataType::Timestamp(_, zone) if zoned(zone) => "timestamptz".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Interval { .. } => "interval".into(),
        other => other.to_string().to_lowercase(),
    }
}

fn zoned(zone: &dialects::ast::TimezoneInfo) -> bool {
    use dialects::ast::TimezoneInfo::{Tz, WithTimeZone};
    matches!(zone, Tz | WithTimeZone)
}
