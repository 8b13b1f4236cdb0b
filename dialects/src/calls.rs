//! Function calls for DataFusion: names that differ, and meanings that do.

use std::mem;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    TimezoneInfo, Value,
};

use crate::Error;
use crate::build::{call, cast, number};
use crate::datafusion::{first_match, literal, unsupported};
use crate::patterns::translate_regex;

/// Postgres's name, DataFusion's name or an engine function's.
const RENAMED: &[(&str, &str)] = &[
    ("array_cat", "array_concat"),
    ("array_remove", "array_remove_all"),
    ("array_replace", "array_replace_all"),
    ("ceiling", "ceil"),
    ("every", "bool_and"),
    ("gen_random_uuid", "uuid"),
    ("jsonb_agg", "json_agg"),
    ("jsonb_array_length", "json_array_length"),
    ("jsonb_build_array", "json_build_array"),
    ("jsonb_build_object", "json_build_object"),
    ("jsonb_object_agg", "json_object_agg"),
    ("jsonb_typeof", "json_typeof"),
    ("to_jsonb", "to_json"),
    ("to_char", "pg_to_char"),
    ("to_date", "pg_to_date"),
    ("variance", "var_samp"),
];

const NOT_HERE: &[(&str, &str)] = &[
    ("percentile_disc", "Use percentile_cont."),
    ("normalize", "Compare the text itself."),
    ("to_number", "Cast with ::numeric."),
    ("bit_count", "Count with arithmetic."),
    ("get_byte", "Use substr."),
    ("trim_array", "Use a slice: a[1:n]."),
    ("timeofday", "Use now()::text."),
];

pub(crate) fn rewrite_call(expr: &mut Expr) -> Result<(), Error> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let Some(name) = crate::name_parts(&function.name).and_then(|mut parts| parts.pop()) else { return Ok(()) };
    if let Some((name, hint)) = NOT_HERE.iter().find(|(missing, _)| *missing == name) {
        return Err(unsupported(format!("function {name} on this engine"), hint, expr));
    }
    // `pg_catalog.count` is `count`.
    let own = RENAMED.iter().find(|(from, _)| *from == name).map_or(name.as_str(), |(_, to)| to);
    function.name = ObjectName::from(Ident::new(own));
    match name.as_str() {
        "json_extract_path" | "jsonb_extract_path" => json_path(expr, "json_path"),
        "json_extract_path_text" | "jsonb_extract_path_text" => json_path(expr, "json_path_text"),
        "to_timestamp" => to_timestamp(expr),
        "timezone" => swap_timezone(expr),
        "num_nulls" => count_nulls(expr, true),
        "num_nonnulls" => count_nulls(expr, false),
        "substring" | "substr" => return regex_substring(expr),
        "regexp_replace" | "regexp_match" | "regexp_like" | "regexp_count" | "regexp_substr" => {
            return regex_argument(expr);
        }
        "mode" => ordered_set(expr),
        _ => {}
    }
    Ok(())
}

/// The plain arguments, taken out.
fn take_args(function: &mut Function) -> Vec<Expr> {
    let FunctionArguments::List(list) = &mut function.args else { return Vec::new() };
    let args = mem::take(&mut list.args).into_iter();
    args.filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    })
    .collect()
}

fn arg_mut(function: &mut Function, index: usize) -> Option<&mut Expr> {
    let FunctionArguments::List(list) = &mut function.args else { return None };
    match list.args.get_mut(index)? {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn arg_count(function: &Function) -> usize {
    match &function.args {
        FunctionArguments::List(list) => list.args.len(),
        _ => 0,
    }
}

fn json_path(expr: &mut Expr, name: &str) {
    let Expr::Function(function) = expr else { return };
    let mut args = take_args(function).into_iter();
    let Some(document) = args.next() else { return };
    let path = Expr::Array(sqlparser::ast::Array { elem: args.collect(), named: true });
    *expr = call(name, [document, path]);
}

/// With a format it reads text; without one it is seconds since 1970. Both give an instant.
fn to_timestamp(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if arg_count(function) == 2 {
        function.name = ObjectName::from(Ident::new("pg_to_timestamp"));
        return;
    }
    let args = take_args(function);
    *expr = cast(call("to_timestamp", args), DataType::Timestamp(None, TimezoneInfo::WithTimeZone));
}

fn swap_timezone(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let mut args = take_args(function);
    args.reverse();
    *expr = call("pg_timezone", args);
}

fn count_nulls(expr: &mut Expr, nulls: bool) {
    let Expr::Function(function) = expr else { return };
    let tests = take_args(function).into_iter().map(|arg| {
        let test = if nulls { Expr::IsNull(Box::new(arg)) } else { Expr::IsNotNull(Box::new(arg)) };
        cast(Expr::Nested(Box::new(test)), DataType::Integer(None))
    });
    let sum = tests.reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::Plus,
        right: Box::new(right),
    });
    *expr = Expr::Nested(Box::new(sum.unwrap_or_else(|| number(0))));
}

/// `substring(text, 'pattern')` is a regular expression where its second argument is text.
fn regex_substring(expr: &mut Expr) -> Result<(), Error> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let pattern = arg_mut(function, 1).and_then(|pattern| literal(pattern));
    let Some(pattern) = pattern.filter(|_| arg_count(function) == 2) else { return Ok(()) };
    let regex = translate_regex(&pattern).map_err(|what| unsupported(what, "Write a simpler expression.", expr))?;
    let Expr::Function(function) = expr else { return Ok(()) };
    if let Some(value) = take_args(function).into_iter().next() {
        *expr = first_match(value, regex);
    }
    Ok(())
}

fn regex_argument(expr: &mut Expr) -> Result<(), Error> {
    let Expr::Function(function) = &mut *expr else { return Ok(()) };
    let Some(argument) = arg_mut(function, 1) else { return Ok(()) };
    let Some(pattern) = literal(argument) else { return Ok(()) };
    match translate_regex(&pattern) {
        Ok(regex) => {
            *argument = Expr::value(Value::SingleQuotedString(regex));
            Ok(())
        }
        Err(what) => Err(unsupported(what, "Write a simpler expression.", argument)),
    }
}

/// `mode() WITHIN GROUP (ORDER BY x)` is `mode(x)`.
fn ordered_set(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let ordered = mem::take(&mut function.within_group);
    if let (Some(by), FunctionArguments::List(list)) = (ordered.into_iter().next(), &mut function.args) {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(by.expr))];
    }
}
