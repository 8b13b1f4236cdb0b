//! The little language of the tables: `path = value & path in a,b & path like pattern & path missing`.

use crate::intent::{Expr, Filter, Literal, Op, Test};

const OPERATORS: &[(&str, Op)] = &[
    (" not like ", Op::NotLike),
    (" ilike ", Op::ILike),
    (" like ", Op::Like),
    (" in ", Op::Is),
    (" != ", Op::IsNot),
    (" >= ", Op::AtLeast),
    (" > ", Op::Above),
    (" < ", Op::Below),
    (" = ", Op::Is),
];

/// Columns that hold numbers; every other compares as text.
const NUMERIC: &[&str] = &["status", "severity", "bytes", "packets", "dst_port", "src_port", "protocol", "src_asn"];

pub(crate) fn parse_conditions(text: &'static str) -> Vec<Filter> {
    text.split(" & ").filter(|part| !part.is_empty()).filter_map(parse_condition).collect()
}

fn parse_condition(text: &str) -> Option<Filter> {
    for (word, op) in [(" missing", Op::Missing), (" present", Op::Present)] {
        if let Some(path) = text.strip_suffix(word) {
            return Some(Filter::new(path, expr_of(path), op, Vec::new()));
        }
    }
    let (operator, op) = OPERATORS.iter().find(|(operator, _)| text.contains(operator))?;
    let (path, values) = text.split_once(operator)?;
    let several = matches!(op, Op::Like | Op::NotLike | Op::ILike) || *operator == " in ";
    let values = if several { values.split(',').collect() } else { vec![values] };
    let values = values.into_iter().map(|value| literal(path, value)).collect();
    Some(Filter { slot: path.to_owned(), test: Test::Compare { expr: expr_of(path), op: *op, values } })
}

fn literal(path: &str, value: &str) -> Literal {
    match value {
        "true" | "false" if path == "mfa" => Literal::Bool(value == "true"),
        _ if NUMERIC.contains(&path) => value.parse().map_or_else(|_| Literal::Text(value.into()), Literal::Number),
        _ => Literal::Text(value.to_owned()),
    }
}

pub(crate) fn expr_of(path: &str) -> Expr {
    let parts = |path: &str| path.split('.').map(str::to_owned).collect();
    if path == "raw" {
        Expr::RawText
    } else if let Some(rest) = path.strip_prefix("num:raw.") {
        Expr::RawNumber(parts(rest))
    } else if let Some(rest) = path.strip_prefix("raw.") {
        Expr::Raw(parts(rest))
    } else {
        Expr::Column(path.to_owned())
    }
}

/// `table,table=path; *=path`.
pub(super) fn parse_fields(text: &'static str) -> Vec<(&'static str, Expr, bool)> {
    let mut fields = Vec::new();
    for part in text.split("; ").filter(|part| !part.is_empty()) {
        let Some((tables, path)) = part.split_once('=') else { continue };
        let (path, tail) = path.strip_prefix("name:").map_or((path, false), |path| (path, true));
        fields.extend(tables.split(',').map(|table| (table, expr_of(path), tail)));
    }
    fields
}
