//! Parameters of a statement as literals of its syntax tree. A value never becomes SQL text that is parsed again.

use chrono::{DateTime, NaiveDate, NaiveTime};
use dialects::ast::{
    self, ArrayElemTypeDef, CastKind, DataType, ExactNumberInfo, Expr, Ident, ObjectName, TimezoneInfo,
};
use mantissa_core::{ErrorKind, Interval, PgType, Problem, Value};

use crate::outcome::Result;

/// `value` as an expression of type `ty`.
pub(crate) fn literal(value: &Value, ty: PgType) -> Result<Expr> {
    let text = match value {
        Value::Null => return Ok(cast(Expr::Value(ast::Value::Null.with_empty_span()), ty)),
        Value::Bool(on) => return Ok(Expr::Value(ast::Value::Boolean(*on).with_empty_span())),
        Value::Int(number) => return Ok(cast(integer(*number), ty)),
        Value::Array(element, items) => return array(items, *element, ty),
        Value::Float(number) => float_text(*number),
        Value::Numeric(text) | Value::Text(text) => text.clone(),
        Value::Bytea(bytes) => bytea_text(bytes),
        Value::Date(days) => date_text(*days)?,
        Value::Time(micros) => time_text(*micros)?,
        Value::Timestamp(micros) => instant_text(*micros)?,
        Value::TimestampTz(micros) => format!("{}+00", instant_text(*micros)?),
        Value::Interval(interval) => interval_text(*interval),
    };
    Ok(cast(string(text), ty))
}

/// An argument of EXECUTE as the type that its parameter has.
pub(crate) fn cast_to(expr: &Expr, ty: PgType) -> Expr {
    cast(Expr::Nested(Box::new(expr.clone())), ty)
}

/// LIMIT and OFFSET keep bare numbers: engines and the guard read them without evaluating a cast.
pub(crate) fn plain_limits(query: &mut ast::Query) {
    if let Some(ast::LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
        let bounds = limit.iter_mut().chain(offset.iter_mut().map(|offset| &mut offset.value));
        for bound in bounds {
            if let Some(number) = bare_number(bound) {
                *bound = number;
            }
        }
    }
}

/// Takes the parameters out of every LIMIT and OFFSET, where nothing but a number may stand, and gives their numbers
/// (from 1). Used to describe a statement: they are bigint, whatever the engine would guess.
pub(crate) fn take_limit_parameters(query: &mut ast::Query) -> Vec<usize> {
    struct Take(Vec<usize>);
    impl ast::VisitorMut for Take {
        type Break = ();
        fn pre_visit_query(&mut self, query: &mut ast::Query) -> std::ops::ControlFlow<()> {
            let fetched = query.fetch.iter_mut().filter_map(|fetch| fetch.quantity.as_mut());
            let limited = match &mut query.limit_clause {
                Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
                    limit.iter_mut().chain(offset.iter_mut().map(|offset| &mut offset.value)).collect()
                }
                _ => Vec::new(),
            };
            for bound in fetched.chain(limited) {
                if let Some(number) = placeholder(bound) {
                    self.0.push(number);
                    *bound = integer(1);
                }
            }
            std::ops::ControlFlow::Continue(())
        }
    }
    let mut take = Take(Vec::new());
    let _ = ast::VisitMut::visit(query, &mut take);
    take.0
}

/// Turns `x op ANY ($n)` into `x op $n` and gives the numbers: an engine then infers the element's type, and the parameter
/// is an array of it. Used to describe a statement, where an engine cannot look into the array.
pub(crate) fn take_array_parameters(query: &mut ast::Query) -> Vec<usize> {
    struct Take(Vec<usize>);
    impl ast::VisitorMut for Take {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &mut Expr) -> std::ops::ControlFlow<()> {
            let (Expr::AnyOp { left, compare_op, right, .. } | Expr::AllOp { left, compare_op, right }) = &*expr else {
                return std::ops::ControlFlow::Continue(());
            };
            if let Some(number) = placeholder(right) {
                self.0.push(number);
                let element = Expr::Value(ast::Value::Placeholder(format!("${number}")).with_empty_span());
                *expr = Expr::BinaryOp { left: left.clone(), op: compare_op.clone(), right: Box::new(element) };
            }
            std::ops::ControlFlow::Continue(())
        }
    }
    let mut take = Take(Vec::new());
    let _ = ast::VisitMut::visit(query, &mut take);
    take.0
}

fn placeholder(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Nested(inner) => placeholder(inner),
        Expr::Cast { expr, .. } => placeholder(expr),
        Expr::Value(value) => match &value.value {
            ast::Value::Placeholder(name) => name.trim_start_matches('$').parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn bare_number(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Nested(inner) => bare_number(inner),
        Expr::Cast { expr, .. } if matches!(expr.as_ref(), Expr::Value(value) if matches!(value.value, ast::Value::Number(..))) => {
            Some((**expr).clone())
        }
        _ => None,
    }
}

/// The type's name in a cast. Types without a keyword of their own are named as Postgres names them.
pub(crate) fn data_type(ty: PgType) -> DataType {
    if let Some(element) = ty.element() {
        return DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(data_type(element)), None));
    }
    match ty {
        PgType::BOOL => DataType::Boolean,
        PgType::INT2 => DataType::SmallInt(None),
        PgType::INT4 => DataType::Integer(None),
        PgType::INT8 => DataType::BigInt(None),
        PgType::FLOAT4 => DataType::Real,
        PgType::FLOAT8 => DataType::DoublePrecision,
        PgType::NUMERIC => DataType::Numeric(ExactNumberInfo::None),
        PgType::TEXT | PgType::UNKNOWN => DataType::Text,
        PgType::VARCHAR => DataType::Varchar(None),
        PgType::BYTEA => DataType::Bytea,
        PgType::DATE => DataType::Date,
        PgType::TIME => DataType::Time(None, TimezoneInfo::None),
        PgType::TIMESTAMP => DataType::Timestamp(None, TimezoneInfo::None),
        PgType::TIMESTAMPTZ => DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        PgType::INTERVAL => DataType::Interval { fields: None, precision: None },
        PgType::UUID => DataType::Uuid,
        PgType::JSON => DataType::JSON,
        PgType::JSONB => DataType::JSONB,
        other => DataType::Custom(ObjectName::from(vec![Ident::new(other.name())]), Vec::new()),
    }
}

fn cast(expr: Expr, ty: PgType) -> Expr {
    if matches!(ty, PgType::UNKNOWN) {
        return expr;
    }
    Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(expr),
        data_type: data_type(ty),
        array: false,
        format: None,
    }
}

fn string(text: String) -> Expr {
    Expr::Value(ast::Value::SingleQuotedString(text).with_empty_span())
}

fn integer(number: i64) -> Expr {
    let digits = Expr::Value(ast::Value::Number(number.unsigned_abs().to_string(), false).with_empty_span());
    if number >= 0 {
        return digits;
    }
    Expr::Nested(Box::new(Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr: Box::new(digits) }))
}

fn array(items: &[Value], element: PgType, ty: PgType) -> Result<Expr> {
    let elem = items.iter().map(|item| literal(item, element)).collect::<Result<Vec<_>>>()?;
    Ok(cast(Expr::Array(ast::Array { elem, named: true }), element.array().unwrap_or(ty)))
}

fn float_text(number: f64) -> String {
    match number {
        n if n.is_nan() => "NaN".to_owned(),
        n if n == f64::INFINITY => "Infinity".to_owned(),
        n if n == f64::NEG_INFINITY => "-Infinity".to_owned(),
        n => format!("{n:?}"),
    }
}

fn bytea_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2 + 2);
    text.push_str("\\x");
    for byte in bytes {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}

fn out_of_range(what: &str) -> Problem {
    Problem::new(ErrorKind::DatetimeOverflow, format!("{what} out of range"))
}

fn date_text(days: i32) -> Result<String> {
    let date = NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(i64::from(days)));
    Ok(date.ok_or_else(|| out_of_range("date"))?.to_string())
}

fn time_text(micros: i64) -> Result<String> {
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).map_err(|_| out_of_range("time"))?;
    let nanos = micros.rem_euclid(1_000_000) as u32 * 1000;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos);
    Ok(time.ok_or_else(|| out_of_range("time"))?.to_string())
}

fn instant_text(micros: i64) -> Result<String> {
    let instant = DateTime::from_timestamp_micros(micros).ok_or_else(|| out_of_range("timestamp"))?;
    Ok(instant.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

fn interval_text(interval: Interval) -> String {
    let Interval { months, days, micros } = interval;
    format!("{months} months {days} days {micros} microseconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_canonical_sql() {
        for (value, ty, printed) in [
            (Value::Null, PgType::TEXT, "NULL::TEXT"),
            (Value::Int(-5), PgType::INT8, "(-5)::BIGINT"),
            (Value::Bool(true), PgType::BOOL, "true"),
            (Value::Text("o'b".into()), PgType::TEXT, "'o''b'::TEXT"),
            (Value::Float(1.5), PgType::FLOAT8, "'1.5'::DOUBLE PRECISION"),
            (Value::Bytea(vec![0xde, 1]), PgType::BYTEA, "'\\xde01'::BYTEA"),
            (Value::Date(1), PgType::DATE, "'1970-01-02'::DATE"),
            (Value::TimestampTz(1), PgType::TIMESTAMPTZ, "'1970-01-01 00:00:00.000001+00'::TIMESTAMP WITH TIME ZONE"),
            (Value::Array(PgType::INT4, vec![Value::Int(1)]), PgType(1007), "ARRAY[1::INTEGER]::INTEGER[]"),
        ] {
            assert_eq!(literal(&value, ty).unwrap().to_string(), printed);
        }
    }
}
