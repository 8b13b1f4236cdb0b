//! The tree that makes DataFusion 55's planner mean what Postgres means. What the two agree on stays as it is; where a
//! Postgres operator or function is missing or means something else, a function of [`crate::ENGINE_FUNCTIONS`] stands in.

use std::collections::HashMap;
use std::mem;
use std::ops::ControlFlow;

use sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CharacterLength, DataType, ExactNumberInfo, Expr, Ident, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SetExpr, Spanned, TimezoneInfo, UnaryOperator, Value, ValueWithSpan,
    VisitMut, VisitorMut, WindowType,
};

use crate::build::{call, number, text};
use crate::calls::rewrite_call;
use crate::naming::column_name;
use crate::patterns::{like_to_backslash, regex_of_similar, translate_regex};
use crate::postgres::PlainStrings;
use crate::{Dialect, Error, Position, Rendering, interval};

#[derive(Debug, Clone, Copy)]
pub struct DataFusion;

impl Dialect for DataFusion {
    fn name(&self) -> &'static str {
        "datafusion"
    }

    fn engine(&self) -> &'static str {
        "Apache DataFusion"
    }

    fn render(&self, query: &Query) -> Result<Rendering, Error> {
        let mut tree = query.clone();
        // Names first: they are made from what the user wrote.
        let _ = tree.visit(&mut Names);
        pad_characters(&mut tree);
        if let ControlFlow::Break(error) = tree.visit(&mut Meaning) {
            return Err(error);
        }
        let mut printed = tree.clone();
        let _ = printed.visit(&mut PlainStrings);
        let _ = tree.visit(&mut SimpleStrings);
        Ok(Rendering { sql: printed.to_string(), tree })
    }
}

/// DataFusion reads no other kind of string literal in a tree.
struct SimpleStrings;

impl VisitorMut for SimpleStrings {
    type Break = ();

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        if let Some(text) = string(&value.value) {
            value.value = Value::SingleQuotedString(text.to_owned());
        }
        ControlFlow::Continue(())
    }
}

/// Gives every column without a name the name that Postgres gives it. DataFusion wants names to differ: a repeated one
/// gets a suffix that [`crate::plain_column_name`] takes off again.
struct Names;

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for item in &mut select.projection {
            let (name, is_plain) = match item {
                SelectItem::UnnamedExpr(expr) => {
                    (column_name(expr), matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
                }
                SelectItem::ExprWithAlias { alias, .. } => (crate::fold(alias), true),
                _ => continue,
            };
            let times = seen.entry(name.clone()).and_modify(|times| *times += 1).or_insert(0);
            if is_plain && *times == 0 {
                continue;
            }
            let unique = if *times == 0 { name } else { format!("{name}{REPEATED}{times}") };
            let placeholder = SelectItem::UnnamedExpr(Expr::value(Value::Null));
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } =
                mem::replace(item, placeholder)
            {
                *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', unique) };
            }
        }
        ControlFlow::Continue(())
    }
}

/// Separates a repeated column name from its number.
const REPEATED: char = '\u{1f}';

/// The name of a result column as the user is to see it.
pub fn plain_column_name(name: &str) -> &str {
    name.split_once(REPEATED).map_or(name, |(plain, _)| plain)
}

/// `x::char(n)` as a column of the result: what it is padded to. Elsewhere its blanks would have to be passed over.
fn pad_characters(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    for item in &mut select.projection {
        if let SelectItem::ExprWithAlias { expr: Expr::Cast { expr: inner, data_type, .. }, alias } = item
            && let Some(("pg_char", length)) = limit_of(data_type)
        {
            let padded = call("pg_char", [as_text(take(inner)), number(length)]);
            *item = SelectItem::ExprWithAlias { expr: padded, alias: alias.clone() };
        }
    }
}

/// The function that brings a text to the length of its type, and that length.
fn limit_of(data_type: &DataType) -> Option<(&'static str, i64)> {
    let characters = |length: &Option<CharacterLength>| match length {
        Some(CharacterLength::IntegerLength { length, .. }) => Some(i64::try_from(*length).unwrap_or(i64::MAX)),
        _ => None,
    };
    match data_type {
        DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::CharVarying(length) => {
            characters(length).map(|length| ("pg_varchar", length))
        }
        DataType::Char(length) | DataType::Character(length) => Some(("pg_char", characters(length).unwrap_or(1))),
        _ => None,
    }
}

fn as_text(expr: Expr) -> Expr {
    crate::build::cast(expr, DataType::Text)
}

struct Meaning;

impl VisitorMut for Meaning {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if let Some(OrderByKind::Expressions(exprs)) = query.order_by.as_mut().map(|order_by| &mut order_by.kind) {
            nulls_as_largest(exprs);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        // Before the number in it is looked at: floats go where exact numbers do not.
        if let Expr::Cast { expr: inner, data_type, .. } = expr
            && is_float_type(data_type)
            && let Some(written) = numeral(inner)
            && written.contains(['e', 'E', '.'])
        {
            **inner = text(written);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match rewrite(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// Postgres sorts NULL as larger than any value, which `DESC` puts first.
fn nulls_as_largest(exprs: &mut [OrderByExpr]) {
    for OrderByExpr { options, .. } in exprs {
        let is_descending = options.asc == Some(false);
        options.nulls_first.get_or_insert(is_descending);
    }
}

fn take(expr: &mut Expr) -> Expr {
    mem::replace(expr, Expr::value(Value::Null))
}

pub(crate) fn unsupported(feature: impl Into<String>, hint: &str, at: &Expr) -> Error {
    Error::Unsupported { feature: feature.into(), hint: Some(hint.to_owned()), position: Position::of(at.span()) }
}

fn rewrite(expr: &mut Expr) -> Result<(), Error> {
    match expr {
        Expr::BinaryOp { .. } => binary(expr),
        Expr::UnaryOp { op, expr: inner } => {
            let function = match op {
                UnaryOperator::PGAbs => "abs",
                UnaryOperator::PGSquareRoot => "sqrt",
                UnaryOperator::PGCubeRoot => "cbrt",
                UnaryOperator::BitwiseNot => {
                    let flipped =
                        Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(Expr::Nested(inner.clone())) };
                    *expr = nested(flipped, BinaryOperator::Minus, number(1));
                    return Ok(());
                }
                _ => return Ok(()),
            };
            *expr = call(function, [take(inner)]);
            Ok(())
        }
        Expr::Like { any: true, .. } | Expr::ILike { any: true, .. } => like_any(expr),
        Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
            like_escape(pattern, escape_char)
        }
        Expr::SimilarTo { .. } => similar_to(expr),
        Expr::Cast { .. } => cast(expr),
        Expr::Value(ValueWithSpan { value: Value::Number(digits, false), .. }) if digits.contains(['.', 'e', 'E']) => {
            if let Some(exact) = exact_number(&digits.clone(), expr)? {
                *expr = exact;
            }
            Ok(())
        }
        Expr::TypedString(typed) if limit_of(&typed.data_type).is_some() || is_number_type(&typed.data_type) => {
            let written = string(&typed.value.value).unwrap_or_default().to_owned();
            let written = Expr::Value(Value::SingleQuotedString(written).with_span(typed.value.span));
            *expr = crate::build::cast(written, typed.data_type.clone());
            cast(expr)
        }
        Expr::TypedString(typed) => {
            if let Some(plain) = plain_type(&typed.data_type) {
                typed.data_type = plain;
            }
            let written = string(&typed.value.value).unwrap_or_default().to_owned();
            if matches!(typed.data_type, DataType::Interval { .. }) {
                *expr = interval_literal(&written, None, expr)?;
            } else if let Some(check) = checked_type(&typed.data_type) {
                *expr = call(check, [text(written)]);
            }
            Ok(())
        }
        Expr::Interval(literal) => {
            let written = match literal.value.as_ref() {
                Expr::Value(value) => match &value.value {
                    Value::Number(number, _) => Some(number.clone()),
                    other => string(other).map(str::to_owned),
                },
                _ => None,
            };
            let hint = "Write an interval as a literal, or multiply one: n * INTERVAL '1 day'.";
            let written = written.ok_or_else(|| unsupported("a computed INTERVAL", hint, expr))?;
            let unit = match expr {
                Expr::Interval(literal) => literal
                    .last_field
                    .as_ref()
                    .or(literal.leading_field.as_ref())
                    .map(|unit| unit.to_string().to_lowercase()),
                _ => None,
            };
            *expr = interval_literal(&written, unit.as_deref(), expr)?;
            Ok(())
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            *expr = call("pg_timezone", [take(timestamp), take(time_zone)]);
            Ok(())
        }
        Expr::Collate { expr: inner, collation } => {
            let name = crate::name_parts(collation).and_then(|mut parts| parts.pop()).unwrap_or_default();
            if !matches!(name.as_str(), "C" | "POSIX" | "default" | "ucs_basic" | "c") {
                return Err(unsupported(
                    format!("collation \"{name}\""),
                    "Strings are ordered by byte, as COLLATE \"C\" does.",
                    expr,
                ));
            }
            *expr = take(inner);
            Ok(())
        }
        // In brackets, so that the text too is read back as it is meant.
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => {
            *expr = Expr::Nested(Box::new(take(expr)));
            Ok(())
        }
        Expr::InSubquery { expr: left, .. } if matches!(left.as_ref(), Expr::Tuple(_)) => {
            Err(unsupported("a row IN (SELECT ...)", "Write EXISTS (SELECT 1 FROM ... WHERE a = x AND b = y).", left))
        }
        Expr::IsNormalized { .. } => Err(unsupported("IS NORMALIZED", "Compare the text itself.", expr)),
        Expr::Position { expr: needle, r#in: text } => {
            *expr = call("strpos", [take(text), take(needle)]);
            Ok(())
        }
        Expr::Substring { expr: text, substring_from: Some(from), substring_for: None, .. } => {
            if let Some(pattern) = literal(from) {
                let pattern = translate_regex(&pattern).map_err(|what| unsupported(what, REGEX_HINT, from))?;
                *expr = first_match(take(text), pattern);
            }
            Ok(())
        }
        Expr::Function(function) => {
            if let Some(WindowType::WindowSpec(spec)) = &mut function.over {
                nulls_as_largest(&mut spec.order_by);
            }
            rewrite_call(expr)
        }
        Expr::AnyOp { left, compare_op, right, .. } => match elements(right) {
            Some(items) => set_comparison(expr, items, true),
            None if matches!(compare_op, BinaryOperator::Eq) || matches!(right.as_ref(), Expr::Subquery(_)) => {
                debug_assert!(left.span().start.line <= 1);
                Ok(())
            }
            None => Ok(()),
        },
        Expr::AllOp { right, .. } => match elements(right) {
            Some(items) => set_comparison(expr, items, false),
            None => Ok(()),
        },
        Expr::InList { expr: left, list, negated } if matches!(left.as_ref(), Expr::Tuple(_)) => {
            let pairs = list.iter_mut().map(|item| equal_tuples(left, item)).collect::<Option<Vec<_>>>();
            let Some(pairs) = pairs else { return Ok(()) };
            let any = join(pairs, BinaryOperator::Or);
            *expr = if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(any) } } else { any };
            Ok(())
        }
        _ => Ok(()),
    }
}

const REGEX_HINT: &str = "Expressions run in linear time: no look-around and no back-references.";

/// What a string literal of any kind says.
fn string(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
        Value::UnicodeStringLiteral(text) | Value::NationalStringLiteral(text) => Some(text),
        Value::DollarQuotedString(quoted) => Some(&quoted.value),
        _ => None,
    }
}

/// The text of a string literal, also behind brackets and a cast to text.
pub(crate) fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => string(&value.value).map(str::to_owned),
        Expr::Nested(inner) => literal(inner),
        Expr::Cast { expr: inner, data_type: DataType::Text | DataType::Varchar(None), .. } => literal(inner),
        _ => None,
    }
}

fn nested(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }))
}

fn join(terms: Vec<Expr>, op: BinaryOperator) -> Expr {
    let joined = terms.into_iter().reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: op.clone(),
        right: Box::new(right),
    });
    Expr::Nested(Box::new(joined.unwrap_or_else(|| Expr::value(Value::Boolean(false)))))
}

fn binary(expr: &mut Expr) -> Result<(), Error> {
    use BinaryOperator as Op;
    let Expr::BinaryOp { left, op, right } = expr else { return Ok(()) };
    let is_array = |side: &Expr| {
        matches!(side, Expr::Array(_)) || matches!(side, Expr::Cast { data_type: DataType::Array(_), .. })
    };
    let arrays = is_array(left) || is_array(right);
    let function = match op {
        Op::Arrow => "json_get",
        Op::LongArrow => "json_get_text",
        Op::HashArrow | Op::HashLongArrow => {
            if let Some(path) = literal(right) {
                **right = array_literal(&path).ok_or_else(|| invalid_array(&path, right))?;
            }
            if *op == Op::HashArrow { "json_path" } else { "json_path_text" }
        }
        Op::Question => "json_exists",
        Op::AtArrow if arrays => "array_has_all",
        Op::AtArrow => "json_contains",
        Op::ArrowAt => {
            mem::swap(left, right);
            if arrays { "array_has_all" } else { "json_contains" }
        }
        Op::PGOverlap => "array_has_any",
        Op::PGExp => "power",
        Op::PGStartsWith => "starts_with",
        Op::Custom(name) if name == "<<=" => "inet_contains",
        Op::Custom(name) if name == ">>=" => {
            mem::swap(left, right);
            "inet_contains"
        }
        Op::PGBitwiseShiftLeft if is_address(left) || is_address(right) => "inet_contains_strictly",
        Op::PGBitwiseShiftRight if is_address(left) || is_address(right) => {
            mem::swap(left, right);
            "inet_contains_strictly"
        }
        Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch => {
            if let Some(pattern) = literal(right) {
                let pattern = translate_regex(&pattern).map_err(|what| unsupported(what, REGEX_HINT, right))?;
                **right = text(pattern);
            }
            return Ok(());
        }
        Op::PGLikeMatch | Op::PGILikeMatch | Op::PGNotLikeMatch | Op::PGNotILikeMatch => {
            let negated = matches!(op, Op::PGNotLikeMatch | Op::PGNotILikeMatch);
            let folds = matches!(op, Op::PGILikeMatch | Op::PGNotILikeMatch);
            let (left, pattern) = (Box::new(take(left)), Box::new(take(right)));
            *expr = match folds {
                true => Expr::ILike { negated, any: false, expr: left, pattern, escape_char: None },
                false => Expr::Like { negated, any: false, expr: left, pattern, escape_char: None },
            };
            return Ok(());
        }
        Op::Plus | Op::Minus => return date_arithmetic(expr),
        Op::Eq | Op::NotEq if matches!((left.as_ref(), right.as_ref()), (Expr::Tuple(_), Expr::Tuple(_))) => {
            let negated = *op == Op::NotEq;
            if let Some(equal) = equal_tuples(left, right) {
                *expr = if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(equal) } } else { equal };
            }
            return Ok(());
        }
        Op::Overlaps => {
            return Err(unsupported("OVERLAPS", "Compare the ends: a.start < b.stop AND b.start < a.stop.", expr));
        }
        _ => return Ok(()),
    };
    *expr = call(function, [take(left), take(right)]);
    Ok(())
}

fn is_address(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(function) if matches!(function.name.to_string().as_str(), "pg_inet" | "network"))
        || matches!(expr, Expr::Nested(inner) if is_address(inner))
}

fn invalid_array(value: &str, at: &Expr) -> Error {
    Error::InvalidLiteral { ty: "text[]", value: value.to_owned(), position: Position::of(at.span()) }
}

/// `date + 7`: whole days.
fn date_arithmetic(expr: &mut Expr) -> Result<(), Error> {
    let Expr::BinaryOp { left, op, right } = expr else { return Ok(()) };
    if *op == BinaryOperator::Plus && is_date(right) && !is_date(left) {
        mem::swap(left, right);
    }
    let days = match right.as_ref() {
        Expr::Value(value) => match &value.value {
            Value::Number(days, _) => days.parse::<i64>().ok(),
            _ => None,
        },
        _ => None,
    };
    if let Some(days) = days.filter(|_| is_date(left)) {
        **right = interval_literal(&format!("{days} days"), None, right)?;
        // A date and days are a date; a date and an interval would be a timestamp.
        let sum = Expr::Nested(Box::new(take(expr)));
        *expr = crate::build::cast(sum, DataType::Date);
    }
    Ok(())
}

fn is_date(expr: &Expr) -> bool {
    match expr {
        Expr::TypedString(typed) => typed.data_type == DataType::Date,
        Expr::Cast { data_type, .. } => *data_type == DataType::Date,
        Expr::Nested(inner) => is_date(inner),
        _ => false,
    }
}

fn interval_literal(written: &str, unit: Option<&str>, at: &Expr) -> Result<Expr, Error> {
    let position = Position::of(at.span());
    let invalid = || Error::InvalidLiteral { ty: "interval", value: written.to_owned(), position };
    let parsed = interval::parse(written, unit).ok_or_else(invalid)?;
    let sign = if parsed.micros < 0 { "-" } else { "" };
    let (seconds, fraction) = (parsed.micros.unsigned_abs() / 1_000_000, parsed.micros.unsigned_abs() % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    let parts = [
        (parsed.months != 0).then(|| format!("{} months", parsed.months)),
        (parsed.days != 0).then(|| format!("{} days", parsed.days)),
        (parsed.micros != 0).then(|| format!("{sign}{seconds}{fraction} seconds")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let canonical = if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") };
    Ok(Expr::Interval(sqlparser::ast::Interval {
        value: Box::new(text(canonical)),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    }))
}

fn like_escape(pattern: &mut Expr, escape: &mut Option<ValueWithSpan>) -> Result<(), Error> {
    let Some(value) = escape.take() else { return Ok(()) };
    let escape = string(&value.value).unwrap_or_default();
    if escape == "\\" {
        return Ok(());
    }
    let position = Position::of(value.span);
    let mut characters = escape.chars();
    let (character, is_single) = (characters.next(), characters.next().is_none());
    if !is_single {
        return Err(Error::InvalidEscape { position: position.unwrap_or(1) });
    }
    let hint = "Write the pattern as a literal, or escape with a backslash.";
    let written = literal(pattern).ok_or_else(|| unsupported("ESCAPE with a computed pattern", hint, pattern))?;
    *pattern = text(like_to_backslash(&written, character));
    Ok(())
}

/// `x LIKE ANY (ARRAY[...])`: one LIKE for each pattern.
fn like_any(expr: &mut Expr) -> Result<(), Error> {
    let (Expr::Like { pattern, .. } | Expr::ILike { pattern, .. }) = &*expr else { return Ok(()) };
    let patterns = match pattern.as_ref() {
        Expr::Tuple(patterns) => Some(patterns.clone()),
        other => elements(other),
    };
    let hint = "Write the patterns out: ARRAY['a%', 'b%'].";
    let patterns = patterns.ok_or_else(|| unsupported("LIKE ANY over a computed array", hint, expr))?;
    let each = patterns.into_iter().map(|one| {
        let mut term = expr.clone();
        if let Expr::Like { any, pattern, .. } | Expr::ILike { any, pattern, .. } = &mut term {
            (*any, **pattern) = (false, one);
        }
        term
    });
    *expr = join(each.collect(), BinaryOperator::Or);
    Ok(())
}

fn similar_to(expr: &mut Expr) -> Result<(), Error> {
    let Expr::SimilarTo { negated, expr: left, pattern, escape_char } = expr else { return Ok(()) };
    let escape =
        escape_char.as_ref().map_or(Some('\\'), |value| string(&value.value).and_then(|text| text.chars().next()));
    let regex = match literal(pattern) {
        Some(written) => text(regex_of_similar(&written, escape)),
        None => {
            let escape = escape.map(String::from).unwrap_or_default();
            call("similar_to_regexp", [take(pattern), text(escape)])
        }
    };
    let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
    *expr = Expr::BinaryOp { left: Box::new(take(left)), op, right: Box::new(regex) };
    Ok(())
}

/// `(regexp_match(text, pattern))[1]`: the first group, or the whole match where there is none.
pub(crate) fn first_match(value: Expr, pattern: String) -> Expr {
    call("array_element", [call("regexp_match", [value, text(pattern)]), number(1)])
}

fn cast(expr: &mut Expr) -> Result<(), Error> {
    let Expr::Cast { expr: inner, data_type, .. } = expr else { return Ok(()) };
    match limit_of(data_type) {
        Some(("pg_varchar", length)) => {
            *expr = call("pg_varchar", [as_text(take(inner)), number(length)]);
            return Ok(());
        }
        Some(_) => {
            let hint = "Use varchar(n), or rpad(x, n) for the blanks.";
            return Err(unsupported("char(n) inside of an expression", hint, expr));
        }
        None => {}
    }
    if let DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) = data_type
        && limit_of(element).is_some()
    {
        return Err(unsupported(format!("a cast to {data_type}"), "Cast to text[].", expr));
    }
    if let Some(exact) = constant(inner, data_type)? {
        *expr = exact;
        return Ok(());
    }
    if let Some(plain) = plain_type(data_type) {
        *data_type = plain;
    }
    if matches!(data_type, DataType::Interval { .. })
        && let Some(written) = literal(inner)
    {
        *expr = interval_literal(&written, None, expr)?;
        return Ok(());
    }
    if let Some(check) = checked_type(data_type) {
        *expr = call(check, [take(inner)]);
        return Ok(());
    }
    if matches!(data_type, DataType::Array(_))
        && let Some(written) = literal(inner)
    {
        **inner = array_literal(&written).ok_or_else(|| invalid_array(&written, inner))?;
        return Ok(());
    }
    if matches!(data_type, DataType::Regclass | DataType::Custom(..)) {
        let hint = "Cast to text, a number, a boolean, a date or time, inet or json.";
        return Err(unsupported(format!("a cast to {data_type}"), hint, expr));
    }
    Ok(())
}

/// A constant that the engine would round on its way to `data_type`, written so that it does not.
fn constant(inner: &Expr, data_type: &DataType) -> Result<Option<Expr>, Error> {
    let is_numeric = matches!(
        data_type,
        DataType::Numeric(ExactNumberInfo::None)
            | DataType::Decimal(ExactNumberInfo::None)
            | DataType::Dec(ExactNumberInfo::None)
    );
    match literal(inner).or_else(|| numeral(inner)) {
        Some(written) if is_numeric => exact_number(&written, inner),
        _ => Ok(None),
    }
}

fn is_float_type(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::DoublePrecision
            | DataType::Double(_)
            | DataType::Float8
            | DataType::Float4
            | DataType::Real
            | DataType::Float(_)
    )
}

fn is_number_type(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_))
}

/// The digits of a number that is written out, with its sign.
fn numeral(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => Some(digits.clone()),
            _ => None,
        },
        Expr::Nested(inner) => numeral(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => Some(format!("-{}", numeral(inner)?)),
        _ => None,
    }
}

/// The digits that the engine's exact numbers hold.
const PRECISION: usize = 38;

/// An exact number as the engine reads it without loss: digits and a point. `None` for what is no number.
fn exact_number(written: &str, at: &Expr) -> Result<Option<Expr>, Error> {
    let Some((negative, digits, point)) = decimal_parts(written.trim()) else { return Ok(None) };
    let hint = "Exact numbers have at most 38 digits. Cast to float8 where fewer will do: '1.5e-300'::float8.";
    let too_precise = || unsupported("a numeric constant of more than 38 digits of precision", hint, at);
    let decimals = usize::try_from(point).unwrap_or(0);
    let zeros = usize::try_from(-point).unwrap_or(0);
    let whole = digits.len().saturating_sub(decimals);
    if decimals > PRECISION || zeros > PRECISION || whole + zeros + decimals > PRECISION {
        return Err(too_precise());
    }
    let digits = format!("{digits}{}", "0".repeat(zeros));
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let number = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
    // A number without a point would be an integer.
    let number = if fraction.is_empty() {
        let exact = ExactNumberInfo::PrecisionAndScale(whole.len() as u64, 0);
        crate::build::cast(text(number), DataType::Decimal(exact))
    } else {
        Expr::value(Value::Number(number, false))
    };
    Ok(Some(match negative {
        true => Expr::Nested(Box::new(Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number) })),
        false => number,
    }))
}

/// Sign, digits without leading zeros, and how many of them are decimals (negative: zeros that follow).
fn decimal_parts(written: &str) -> Option<(bool, String, i64)> {
    let (negative, rest) = match written.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, written.strip_prefix('+').unwrap_or(written)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let significant = if significant.is_empty() { "0" } else { significant };
    Some((negative, significant.to_owned(), i64::try_from(fraction.len()).ok()? - i64::from(exponent)))
}

/// Types whose values are text that has been looked at.
fn checked_type(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::JSON | DataType::JSONB => Some("pg_json"),
        DataType::Custom(name, _) => {
            let name = crate::name_parts(name)?.pop()?;
            matches!(name.as_str(), "inet" | "cidr").then_some("pg_inet")
        }
        _ => None,
    }
}

/// The type that DataFusion has under another name.
fn plain_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Character(None) | DataType::CharacterVarying(None) | DataType::CharVarying(None) | DataType::Uuid => {
            DataType::Text
        }
        DataType::Dec(info) => DataType::Decimal(*info),
        DataType::Time(Some(_), zone) => DataType::Time(None, *zone),
        DataType::Float(ExactNumberInfo::None) => DataType::DoublePrecision,
        DataType::Custom(name, _) => match crate::name_parts(name)?.pop()?.as_str() {
            "name" | "bpchar" | "macaddr" => DataType::Text,
            "timestamptz" => DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
            "int2" => DataType::SmallInt(None),
            "int4" => DataType::Integer(None),
            "int8" => DataType::BigInt(None),
            _ => return None,
        },
        _ => return None,
    })
}

/// `{a,"b c",NULL}` as an array of text.
pub(crate) fn array_literal(written: &str) -> Option<Expr> {
    let inner = written.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let mut characters = inner.chars().peekable();
    while characters.peek().is_some() || !items.is_empty() {
        let (mut item, mut quoted) = (String::new(), false);
        let mut in_quotes = false;
        let mut ended = true;
        while let Some(character) = characters.next() {
            match character {
                '"' => (in_quotes, quoted) = (!in_quotes, true),
                '\\' => item.push(characters.next()?),
                ',' if !in_quotes => {
                    ended = false;
                    break;
                }
                '{' | '}' if !in_quotes => return None,
                _ => item.push(character),
            }
        }
        let plain = if quoted { item.as_str() } else { item.trim() };
        items.push(match plain {
            "" if !quoted => return None,
            null if !quoted && null.eq_ignore_ascii_case("null") => Expr::value(Value::Null),
            _ => text(plain.to_owned()),
        });
        if ended {
            break;
        }
    }
    Some(Expr::Array(sqlparser::ast::Array { elem: items, named: true }))
}

/// The elements of an array that is written out.
fn elements(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Array(array) => Some(array.elem.clone()),
        Expr::Nested(inner) => elements(inner),
        Expr::Cast { expr: inner, data_type: DataType::Array(kind), .. } => {
            let element = match kind {
                sqlparser::ast::ArrayElemTypeDef::SquareBracket(element, _) => element.as_ref().clone(),
                _ => return None,
            };
            let items = elements(inner)?.into_iter();
            Some(items.map(|item| crate::build::cast(item, element.clone())).collect())
        }
        Expr::Value(value) => match array_literal(string(&value.value)?)? {
            Expr::Array(array) => Some(array.elem),
            _ => None,
        },
        _ => None,
    }
}

/// `x op ANY (ARRAY[...])` and `x op ALL (ARRAY[...])`, spelled out.
fn set_comparison(expr: &mut Expr, items: Vec<Expr>, any: bool) -> Result<(), Error> {
    let (Expr::AnyOp { left, compare_op, .. } | Expr::AllOp { left, compare_op, .. }) = expr else { return Ok(()) };
    if items.is_empty() {
        *expr = Expr::value(Value::Boolean(!any));
        return Ok(());
    }
    let is_in = any && *compare_op == BinaryOperator::Eq;
    let is_not_in = !any && *compare_op == BinaryOperator::NotEq;
    if is_in || is_not_in {
        *expr = Expr::InList { expr: Box::new(take(left)), list: items, negated: is_not_in };
        return Ok(());
    }
    let mut terms = Vec::with_capacity(items.len());
    for item in items {
        let mut term = Expr::BinaryOp { left: left.clone(), op: compare_op.clone(), right: Box::new(item) };
        binary(&mut term)?;
        terms.push(term);
    }
    *expr = join(terms, if any { BinaryOperator::Or } else { BinaryOperator::And });
    Ok(())
}

/// `(a, b) = (c, d)` is `a = c AND b = d`.
fn equal_tuples(left: &Expr, right: &Expr) -> Option<Expr> {
    let (Expr::Tuple(left), Expr::Tuple(right)) = (left, right) else { return None };
    if left.len() != right.len() || left.is_empty() {
        return None;
    }
    let pairs = left.iter().zip(right).map(|(left, right)| Expr::BinaryOp {
        left: Box::new(left.clone()),
        op: BinaryOperator::Eq,
        right: Box::new(right.clone()),
    });
    Some(join(pairs.collect(), BinaryOperator::And))
}
