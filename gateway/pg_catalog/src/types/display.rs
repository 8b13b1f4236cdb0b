//! A value as text, as each type's output function prints it.

use mantissa_core::PgType;

use super::{category, datetime};
use crate::context::Context;
use crate::datum::{Array, Datum, Record};
use crate::error::Result;
use crate::functions::names;

/// The text of a value that is not NULL. `ty` says how `reg*` types and vectors print.
pub fn text(context: &Context<'_>, value: &Datum, ty: PgType) -> Result<String> {
    Ok(match value {
        Datum::Null => String::new(),
        Datum::Bool(value) => if *value { "t" } else { "f" }.to_owned(),
        Datum::Int2(value) => value.to_string(),
        Datum::Int4(value) => value.to_string(),
        Datum::Int8(value) => value.to_string(),
        Datum::Oid(value) if ty.is_reg() => names::reg_text(context, *value, ty)?,
        Datum::Oid(value) => value.to_string(),
        Datum::Float4(value) => float(f64::from(*value), &format!("{value:e}"), 6),
        Datum::Float8(value) => float(*value, &format!("{value:e}"), 15),
        Datum::Numeric(value) => value.to_string(),
        Datum::Char(0) => String::new(),
        Datum::Char(value) if value.is_ascii() => char::from(*value).to_string(),
        Datum::Char(value) => format!("\\{value:03o}"),
        Datum::Text(value) => value.to_string(),
        Datum::Bytea(bytes) => bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}")),
        Datum::Date(days) => datetime::print_date(*days),
        Datum::Time(micros) => datetime::print_time(*micros),
        Datum::Timestamp(micros) => datetime::print_timestamp(*micros),
        Datum::TimestampTz(micros) => datetime::print_timestamptz(*micros, context.time_zone()),
        Datum::Interval(value) => datetime::print_interval(value),
        Datum::Uuid(bytes) => uuid(bytes),
        Datum::Array(array) if matches!(ty, PgType::INT2VECTOR | PgType::OIDVECTOR) => vector(context, array)?,
        Datum::Array(array) => array_text(context, array, category::element(ty).unwrap_or(array.element))?,
        Datum::Record(record) => record_text(context, record)?,
    })
}

/// Shortest digits that read back the same; an exponent outside -4..`digits` is written as one.
fn float(value: f64, scientific: &str, digits: i32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && (exponent < -4 || exponent >= digits) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let figures: String = mantissa.chars().filter(|c| *c != '.').collect();
    let point = exponent + 1;
    let text = if point <= 0 {
        format!("0.{}{figures}", "0".repeat(point.unsigned_abs() as usize))
    } else if figures.len() as i32 <= point {
        format!("{figures}{}", "0".repeat(point as usize - figures.len()))
    } else {
        format!("{}.{}", &figures[..point as usize], &figures[point as usize..])
    };
    format!("{sign}{text}")
}

pub fn uuid(bytes: &[u8; 16]) -> String {
    let hex = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn vector(context: &Context<'_>, array: &Array) -> Result<String> {
    let texts = array.values.iter().map(|value| text(context, value, array.element));
    Ok(texts.collect::<Result<Vec<_>>>()?.join(" "))
}

fn array_text(context: &Context<'_>, array: &Array, element: PgType) -> Result<String> {
    if array.dimensions.is_empty() {
        return Ok("{}".to_owned());
    }
    let mut out = String::new();
    if array.dimensions.iter().any(|dimension| dimension.lower != 1) {
        for dimension in &array.dimensions {
            let upper = i64::from(dimension.lower) + dimension.length as i64 - 1;
            out.push_str(&format!("[{}:{upper}]", dimension.lower));
        }
        out.push('=');
    }
    let mut values = array.values.iter();
    nested(context, array, element, 0, &mut values, &mut out)?;
    Ok(out)
}

fn nested(
    context: &Context<'_>,
    array: &Array,
    element: PgType,
    depth: usize,
    values: &mut std::slice::Iter<'_, Datum>,
    out: &mut String,
) -> Result<()> {
    out.push('{');
    for index in 0..array.dimensions[depth].length {
        if index > 0 {
            out.push(',');
        }
        if depth + 1 < array.dimensions.len() {
            nested(context, array, element, depth + 1, values, out)?;
            continue;
        }
        match values.next() {
            None | Some(Datum::Null) => out.push_str("NULL"),
            Some(value) => push_element(&text(context, value, element)?, out),
        }
    }
    out.push('}');
    Ok(())
}

fn push_element(text: &str, out: &mut String) {
    let special = |c: char| matches!(c, '"' | '\\' | '{' | '}' | ',') || is_space(c);
    if text.is_empty() || text.eq_ignore_ascii_case("null") || text.contains(special) {
        out.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    } else {
        out.push_str(text);
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn record_text(context: &Context<'_>, record: &Record) -> Result<String> {
    let mut out = "(".to_owned();
    for (index, value) in record.values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if value.is_null() {
            continue;
        }
        let ty = record.fields.get(index).map_or(PgType::TEXT, |field| field.1);
        let text = text(context, value, ty)?;
        let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',') || is_space(c);
        if text.is_empty() || text.contains(special) {
            out.push('"');
            for c in text.chars() {
                if matches!(c, '"' | '\\') {
                    out.push(c);
                }
                out.push(c);
            }
            out.push('"');
        } else {
            out.push_str(&text);
        }
    }
    out.push(')');
    Ok(out)
}
