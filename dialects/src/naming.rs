//! The names that Postgres gives to columns nobody named.

use sqlparser::ast::{AccessExpr, DataType, Expr, Subscript};

use crate::identifier::{fold, name_parts};

/// The name of a select list's item without alias: the column's own, the function's, the type of a cast, or `?column?`.
pub fn column_name(expr: &Expr) -> String {
    name_of(expr).unwrap_or_else(|| "?column?".to_owned())
}

fn name_of(expr: &Expr) -> Option<String> {
    let fixed = match expr {
        Expr::Identifier(ident) => return Some(fold(ident)),
        Expr::CompoundIdentifier(parts) => return parts.last().map(fold),
        Expr::Function(call) => return name_parts(&call.name)?.pop(),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => return name_of(inner),
        Expr::Cast { expr: inner, data_type, .. } => return name_of(inner).or_else(|| type_name(data_type)),
        Expr::CompoundFieldAccess { root, access_chain } => {
            return match access_chain.last() {
                Some(AccessExpr::Dot(Expr::Identifier(field))) => Some(fold(field)),
                Some(AccessExpr::Subscript(Subscript::Index { .. } | Subscript::Slice { .. })) => name_of(root),
                _ => None,
            };
        }
        Expr::Subquery(query) => return subquery_name(query),
        Expr::Case { else_result, .. } => {
            return else_result.as_deref().and_then(name_of).or_else(|| Some("case".to_owned()));
        }
        Expr::TypedString(typed) => return type_name(&typed.data_type),
        Expr::Interval(_) => "interval",
        Expr::Extract { .. } => "extract",
        Expr::Ceil { .. } => "ceil",
        Expr::Floor { .. } => "floor",
        Expr::Position { .. } => "position",
        Expr::Substring { .. } => "substring",
        Expr::Overlay { .. } => "overlay",
        Expr::Trim { trim_where, .. } => match trim_where {
            Some(sqlparser::ast::TrimWhereField::Leading) => "ltrim",
            Some(sqlparser::ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        },
        Expr::Exists { .. } => "exists",
        Expr::Array(_) => "array",
        Expr::Tuple(_) => "row",
        Expr::AtTimeZone { .. } => "timezone",
        Expr::Value(value) if matches!(value.value, sqlparser::ast::Value::Boolean(_)) => "bool",
        _ => return None,
    };
    Some(fixed.to_owned())
}

fn subquery_name(query: &sqlparser::ast::Query) -> Option<String> {
    let sqlparser::ast::SetExpr::Select(select) = query.body.as_ref() else { return None };
    match select.projection.first()? {
        sqlparser::ast::SelectItem::UnnamedExpr(expr) => name_of(expr),
        sqlparser::ast::SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
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
        DataType::Array(_) => return None,
        DataType::Custom(name, _) => return name_parts(name)?.pop(),
        other => return Some(other.to_string().to_ascii_lowercase()),
    };
    Some(name.to_owned())
}
