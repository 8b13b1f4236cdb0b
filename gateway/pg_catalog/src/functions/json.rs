//! JSON.

use mantissa_core::PgType;
use serde_json::Value;

use crate::context::Context;
use crate::datum::{Array, Datum};
use crate::error::{Error, Result};
use crate::plan::{Arguments, ScalarFn};
use crate::types::{category, display};

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("!json_build_object() json", |c, a| build_object(c, a, false)),
    ("!json_build_object(variadic any) json", |c, a| build_object(c, a, false)),
    ("!jsonb_build_object() jsonb", |c, a| build_object(c, a, true)),
    ("!jsonb_build_object(variadic any) jsonb", |c, a| build_object(c, a, true)),
    ("!json_build_array(variadic any) json", |c, a| build_array(c, a, false)),
    ("!jsonb_build_array(variadic any) jsonb", |c, a| build_array(c, a, true)),
    ("to_json(anyelement) json", |c, a| to_json(c, &a[0], a.types[0]).map(Datum::from)),
    ("to_jsonb(anyelement) jsonb", |c, a| Ok(Datum::from(normalize(&to_json(c, &a[0], a.types[0])?)))),
    ("row_to_json(record) json", |c, a| to_json(c, &a[0], a.types[0]).map(Datum::from)),
    ("row_to_json(record, bool) json", |c, a| to_json(c, &a[0], a.types[0]).map(Datum::from)),
    ("array_to_json(anyarray) json", |c, a| to_json(c, &a[0], a.types[0]).map(Datum::from)),
    ("op ->(json, text) json", |_, a| Ok(get(&a[0], &a[1], false))),
    ("op ->(json, int4) json", |_, a| Ok(get(&a[0], &a[1], false))),
    ("op ->(jsonb, text) jsonb", |_, a| Ok(get(&a[0], &a[1], false))),
    ("op ->(jsonb, int4) jsonb", |_, a| Ok(get(&a[0], &a[1], false))),
    ("op ->>(json, text) text", |_, a| Ok(get(&a[0], &a[1], true))),
    ("op ->>(json, int4) text", |_, a| Ok(get(&a[0], &a[1], true))),
    ("op ->>(jsonb, text) text", |_, a| Ok(get(&a[0], &a[1], true))),
    ("op ->>(jsonb, int4) text", |_, a| Ok(get(&a[0], &a[1], true))),
    ("op #>(json, _text) json", |_, a| Ok(path(&a[0], &a[1], false))),
    ("op #>(jsonb, _text) jsonb", |_, a| Ok(path(&a[0], &a[1], false))),
    ("op #>>(json, _text) text", |_, a| Ok(path(&a[0], &a[1], true))),
    ("op #>>(jsonb, _text) text", |_, a| Ok(path(&a[0], &a[1], true))),
    ("op ?(jsonb, text) bool", |_, a| {
        let key = a[1].as_str().unwrap_or_default();
        Ok(Datum::Bool(match parsed(&a[0]) {
            Value::Object(object) => object.contains_key(key),
            Value::Array(items) => items.iter().any(|item| item.as_str() == Some(key)),
            Value::String(text) => text == key,
            _ => false,
        }))
    }),
    ("op @>(jsonb, jsonb) bool", |_, a| Ok(Datum::Bool(contains(&parsed(&a[0]), &parsed(&a[1]))))),
    ("op <@(jsonb, jsonb) bool", |_, a| Ok(Datum::Bool(contains(&parsed(&a[1]), &parsed(&a[0]))))),
    ("op ||(jsonb, jsonb) jsonb", |_, a| Ok(Datum::from(print_jsonb(&merged(parsed(&a[0]), parsed(&a[1])))))),
    ("json_typeof(json) text", |_, a| Ok(Datum::text(kind(&parsed(&a[0]))))),
    ("jsonb_typeof(jsonb) text", |_, a| Ok(Datum::text(kind(&parsed(&a[0]))))),
    ("json_array_length(json) int4", |_, a| length(&a[0])),
    ("jsonb_array_length(jsonb) int4", |_, a| length(&a[0])),
    ("json_extract_path_text(json, variadic text) text", |_, a| Ok(variadic(a, true))),
    ("jsonb_extract_path_text(jsonb, variadic text) text", |_, a| Ok(variadic(a, true))),
    ("json_extract_path(json, variadic text) json", |_, a| Ok(variadic(a, false))),
    ("jsonb_extract_path(jsonb, variadic text) jsonb", |_, a| Ok(variadic(a, false))),
    ("jsonb_pretty(jsonb) text", |_, a| {
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut out = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
        serde::Serialize::serialize(&parsed(&a[0]), &mut serializer)
            .map_err(|error| Error::InvalidParameter(error.to_string()))?;
        Ok(Datum::from(String::from_utf8_lossy(&out).into_owned()))
    }),
    ("json_strip_nulls(json) json", |_, a| {
        let mut value = parsed(&a[0]);
        strip(&mut value);
        Ok(Datum::from(value.to_string()))
    }),
];

pub fn parsed(value: &Datum) -> Value {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn length(value: &Datum) -> Result<Datum> {
    match parsed(value) {
        Value::Array(items) => Ok(Datum::Int4(items.len() as i32)),
        Value::Object(_) => Err(Error::InvalidParameter("cannot get array length of a non-array".into())),
        _ => Err(Error::InvalidParameter("cannot get array length of a scalar".into())),
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, item| !item.is_null());
            object.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// jsonb's text: a space after each colon and comma, keys by length and then by bytes.
pub fn print_jsonb(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut items: Vec<_> = object.iter().collect();
            items.sort_by(|a, b| (a.0.len(), a.0).cmp(&(b.0.len(), b.0)));
            let parts: Vec<String> =
                items.iter().map(|(key, item)| format!("{}: {}", quote(key), print_jsonb(item))).collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(print_jsonb).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// JSON text as jsonb prints it.
pub fn normalize(text: &str) -> String {
    serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value: Value| print_jsonb(&value))
}

pub fn quote(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A value as JSON.
pub fn to_json(context: &Context<'_>, value: &Datum, ty: PgType) -> Result<String> {
    Ok(match value {
        Datum::Null => "null".to_owned(),
        Datum::Bool(value) => value.to_string(),
        Datum::Int2(_) | Datum::Int4(_) | Datum::Int8(_) => display::text(context, value, ty)?,
        Datum::Float4(_) | Datum::Float8(_) | Datum::Numeric(_) => {
            let text = display::text(context, value, ty)?;
            if text.parse::<f64>().is_ok_and(f64::is_finite) { text } else { quote(&text) }
        }
        Datum::Text(text) if matches!(ty, PgType::JSON | PgType::JSONB) => text.to_string(),
        Datum::Array(array) => {
            let element = category::element(ty).unwrap_or(array.element);
            let mut values = array.values.iter();
            array_json(context, array, element, 0, &mut values)?
        }
        Datum::Record(record) => {
            let mut parts = Vec::new();
            for ((name, ty), value) in record.fields.iter().zip(&record.values) {
                parts.push(format!("{}:{}", quote(name), to_json(context, value, *ty)?));
            }
            format!("{{{}}}", parts.join(","))
        }
        Datum::Timestamp(_) | Datum::TimestampTz(_) => {
            let text = display::text(context, value, ty)?.replacen(' ', "T", 1);
            let zoned = matches!(value, Datum::TimestampTz(_)) && text.len() > 3;
            let short = zoned && matches!(text.as_bytes()[text.len() - 3], b'+' | b'-');
            quote(&if short { text + ":00" } else { text })
        }
        other => quote(&display::text(context, other, ty)?),
    })
}

fn array_json(
    context: &Context<'_>,
    array: &Array,
    element: PgType,
    depth: usize,
    values: &mut std::slice::Iter<'_, Datum>,
) -> Result<String> {
    let Some(dimension) = array.dimensions.get(depth) else { return Ok("[]".to_owned()) };
    let mut parts = Vec::new();
    for _ in 0..dimension.length {
        parts.push(if depth + 1 < array.dimensions.len() {
            array_json(context, array, element, depth + 1, values)?
        } else {
            to_json(context, values.next().unwrap_or(&Datum::Null), element)?
        });
    }
    Ok(format!("[{}]", parts.join(",")))
}

fn build_object(context: &Context<'_>, a: &Arguments<'_>, binary: bool) -> Result<Datum> {
    if !a.len().is_multiple_of(2) {
        return Err(Error::InvalidParameter("argument list must have even number of elements".into()));
    }
    let mut parts = Vec::new();
    for (index, pair) in a.chunks(2).enumerate() {
        if pair[0].is_null() {
            return Err(Error::InvalidParameter(format!("argument {} cannot be null", index * 2 + 1)));
        }
        let key = display::text(context, &pair[0], a.types[index * 2])?;
        parts.push(format!("{} : {}", quote(&key), to_json(context, &pair[1], a.types[index * 2 + 1])?));
    }
    let text = format!("{{{}}}", parts.join(", "));
    Ok(Datum::from(if binary { normalize(&text) } else { text }))
}

fn build_array(context: &Context<'_>, a: &Arguments<'_>, binary: bool) -> Result<Datum> {
    let items = a.iter().zip(a.types).map(|(value, ty)| to_json(context, value, *ty));
    let text = format!("[{}]", items.collect::<Result<Vec<_>>>()?.join(", "));
    Ok(Datum::from(if binary { normalize(&text) } else { text }))
}

fn step(value: &Value, key: &Datum) -> Option<Value> {
    match (value, key) {
        (Value::Object(object), Datum::Text(key)) => object.get(&**key).cloned(),
        (Value::Array(items), key) => {
            let index = match key {
                Datum::Text(text) => text.parse::<i64>().ok()?,
                other => other.as_int()?,
            };
            let index = if index < 0 { items.len() as i64 + index } else { index };
            items.get(usize::try_from(index).ok()?).cloned()
        }
        _ => None,
    }
}

fn show(value: Option<Value>, text: bool) -> Datum {
    match value {
        None => Datum::Null,
        Some(Value::Null) if text => Datum::Null,
        Some(Value::String(value)) if text => Datum::from(value),
        Some(value) => Datum::from(print_jsonb(&value)),
    }
}

fn get(value: &Datum, key: &Datum, text: bool) -> Datum {
    if let (Datum::Text(_), Value::Array(_)) = (key, parsed(value)) {
        return Datum::Null;
    }
    show(step(&parsed(value), key), text)
}

fn path(value: &Datum, keys: &Datum, text: bool) -> Datum {
    let keys = keys.as_array().map(|keys| keys.values.clone()).unwrap_or_default();
    show(keys.iter().try_fold(parsed(value), |value, key| step(&value, key)), text)
}

fn variadic(a: &Arguments<'_>, text: bool) -> Datum {
    show(a[1..].iter().try_fold(parsed(&a[0]), |value, key| step(&value, key)), text)
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, item)| whole.get(key).is_some_and(|other| contains(other, item)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|item| whole.iter().any(|other| contains(other, item)))
        }
        (Value::Array(whole), scalar) if !scalar.is_object() => whole.contains(scalar),
        (a, b) => a == b,
    }
}

fn merged(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            left.extend(right);
            Value::Object(left)
        }
        (Value::Array(mut left), Value::Array(right)) => {
            left.extend(right);
            Value::Array(left)
        }
        (Value::Array(mut left), right) => {
            left.push(right);
            Value::Array(left)
        }
        (left, Value::Array(mut right)) => {
            right.insert(0, left);
            Value::Array(right)
        }
        (left, right) => Value::Array(vec![left, right]),
    }
}
