//! Function calls for DataFusion: names that differ, and meanings that do.

use std::mem;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    OrderByExpr, Spanned, TimezoneInfo, Value,
};
use sqlparser::tokenizer::Span;

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
    ("jsonb_array_length", "json_array_length"),
    ("jsonb_build_array", "json_build_array"),
    ("jsonb_build_object", "json_build_object"),
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
    let span = function.name.0.first().map_or_else(Span::empty, Spanned::span);
    function.name = ObjectName::from(Ident::with_span(span, own));
    if let Some(parameters) = PARAMETERS.iter().find(|(function, ..)| *function == own) {
        positional(expr, parameters)?;
        return Ok(());
    }
    let Expr::Function(function) = expr else { return Ok(()) };
    let named = |arg: &FunctionArg| !matches!(arg, FunctionArg::Unnamed(_));
    if matches!(&function.args, FunctionArguments::List(list) if list.args.iter().any(named)) {
        return Err(unsupported("an argument by name", "Give the arguments in their order.", expr));
    }
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
        "mode" => return ordered_set(expr),
        "json_agg" | "jsonb_agg" => collected(expr, "to_json", "json_array_of"),
        "json_object_agg" | "jsonb_object_agg" => collected(expr, "json_member", "json_object_of"),
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

/// `mode() WITHIN GROUP (ORDER BY x)` is `mode(x)`: of several that are as frequent, the first in ascending order.
fn ordered_set(expr: &mut Expr) -> Result<(), Error> {
    let descends = |by: &OrderByExpr| by.options.asc == Some(false);
    if matches!(expr, Expr::Function(function) if function.within_group.iter().any(descends)) {
        return Err(unsupported("mode() in descending order", "Order it ascending.", expr));
    }
    let Expr::Function(function) = expr else { return Ok(()) };
    let ordered = mem::take(&mut function.within_group);
    if let (Some(by), FunctionArguments::List(list)) = (ordered.into_iter().next(), &mut function.args) {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(by.expr))];
    }
    Ok(())
}

/// `json_agg(x ...)` is `json_array_of(array_agg(to_json(x) ...))`, with its ORDER BY, FILTER and OVER.
fn collected(expr: &mut Expr, each: &str, all: &str) {
    let Expr::Function(mut function) = mem::replace(expr, Expr::value(Value::Null)) else { return };
    if let FunctionArguments::List(list) = &mut function.args {
        let args = mem::take(&mut list.args).into_iter().filter_map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        });
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(call(each, args)))];
    }
    let span = function.name.0.first().map_or_else(Span::empty, Spanned::span);
    function.name = ObjectName::from(Ident::with_span(span, "array_agg"));
    *expr = call(all, [Expr::Function(function)]);
}

/// A function that may be called with its arguments by name: the names in their order, and the value of one left out.
type Parameters = (&'static str, &'static [&'static str], Option<i64>);

const PARAMETERS: &[Parameters] = &[
    ("make_interval", &["years", "months", "weeks", "days", "hours", "mins", "secs"], Some(0)),
    ("make_date", &["year", "month", "day"], None),
    ("make_time", &["hour", "min", "sec"], None),
    ("make_timestamp", &["year", "month", "mday", "hour", "min", "sec"], None),
    ("make_timestamptz", &["year", "month", "mday", "hour", "min", "sec", "timezone"], None),
];

/// Puts arguments that are given by name into their order.
fn positional(expr: &mut Expr, (name, parameters, default): &Parameters) -> Result<(), Error> {
    let undefined = |argument: &str, at: &Expr| {
        let hint = format!("Its arguments are {}.", parameters.join(", "));
        unsupported(format!("the argument {argument} of {name}"), &hint, at)
    };
    let Expr::Function(function) = &*expr else { return Ok(()) };
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    if list.args.iter().all(|arg| matches!(arg, FunctionArg::Unnamed(_))) {
        return Ok(());
    }
    let mut values: Vec<Option<Expr>> = vec![None; parameters.len()];
    for (index, arg) in list.args.iter().enumerate() {
        let (place, value) = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (index, value),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => (place_of(name, parameters), value),
            FunctionArg::ExprNamed { name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(value), .. } => {
                (place_of(name, parameters), value)
            }
            other => return Err(undefined(&other.to_string(), expr)),
        };
        match values.get_mut(place) {
            Some(slot @ None) => *slot = Some(value.clone()),
            _ => return Err(undefined(&arg.to_string(), value)),
        }
    }
    let last = values.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let missing = |index: usize| undefined(parameters[index], expr);
    let given = values.into_iter().take(last).enumerate();
    let given = given.map(|(index, value)| value.or(default.map(number)).ok_or_else(|| missing(index)));
    let given: Vec<Expr> = given.collect::<Result<_, _>>()?;
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = expr {
        list.args = given.into_iter().map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value))).collect();
    }
    Ok(())
}

fn place_of(name: &Ident, parameters: &[&str]) -> usize {
    let name = crate::fold(name);
    parameters.iter().position(|parameter| *parameter == name).unwrap_or(usize::MAX)
}

/// What Postgres calls a function that an engine has under another name.
pub fn written_function(own: &str) -> &str {
    let renamed = RENAMED.iter().find(|(from, to)| *to == own && !from.starts_with("jsonb"));
    match own {
        "json_array_of" => "json_agg",
        "json_object_of" | "json_member" => "json_object_agg",
        "pg_timezone" => "timezone",
        "pg_to_timestamp" => "to_timestamp",
        "var_samp" | "ceil" | "bool_and" => own,
        _ => renamed.map_or(own, |(from, _)| from),
    }
}
