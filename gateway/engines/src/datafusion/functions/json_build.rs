//! Making JSON text: `to_json`, what `json_agg` and `json_object_agg` are made of, and the functions that build a document.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use mantissa_core::{ErrorKind, Problem};
use serde_json::Value;

use super::args::{Texts, map_bool, map_text, row_count};
use super::{Function, Param, cast};
use crate::datafusion::fault::{fault, problem};
use crate::datafusion::{output, types};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("to_json", &[&[Param::Any]], text, to_json).pg_type("json"),
    Function::new("json_member", &[&[Param::Any, Param::Any]], text, member),
    Function::new("json_array_of", &[&[Param::TextArray]], text, array_of).pg_type("json"),
    Function::new("json_object_of", &[&[Param::TextArray]], text, object_of).pg_type("json"),
    Function::new("json_build_array", ANY, text, build_array).variadic().pg_type("json"),
    Function::new("json_build_object", ANY, text, build_object).variadic().pg_type("json"),
    Function::new("json_contains", &[&[Param::Text, Param::Text]], |_| DataType::Boolean, contains),
];

const ANY: &[&[Param]] = &[&[Param::Any], &[]];

fn text(_: &[DataType]) -> DataType {
    DataType::Utf8View
}

fn to_json(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = argument(args, 0)?;
    map_text(args, |row| Ok(values[row].clone().map(Cow::Owned)))
}

/// One argument as JSON text, row by row.
fn argument(args: &ScalarFunctionArgs, index: usize) -> Result<Vec<Option<String>>> {
    let array = args.args[index].to_array(row_count(args))?;
    let pg_type = args.arg_fields[index].metadata().get(types::PG_TYPE);
    if pg_type.is_some_and(|name| matches!(name.as_str(), "json" | "jsonb")) {
        let texts = Texts::new(&ColumnarValue::Array(array.clone()))?;
        return Ok((0..array.len()).map(|row| texts.get(row).map(str::to_owned)).collect());
    }
    values(&array, args)
}

fn values(array: &ArrayRef, args: &ScalarFunctionArgs) -> Result<Vec<Option<String>>> {
    match array.data_type() {
        DataType::Null => return Ok(vec![None; array.len()]),
        DataType::List(_) => return lists(array, args),
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            return lists(&arrow::compute::cast(array, &DataType::List(item.clone()))?, args);
        }
        _ => {}
    }
    let printed = Texts::new(&cast::print(array, args)?)?;
    let data_type = array.data_type();
    let json = |text: &str| match data_type {
        DataType::Boolean => text.to_owned(),
        DataType::Decimal128(_, scale) => output::print_decimal(text, *scale),
        ty if ty.is_floating() && !text.ends_with(|last: char| last.is_ascii_digit()) => quote(text),
        ty if ty.is_numeric() => text.to_owned(),
        DataType::Timestamp(_, zone) => {
            let local = text.trim_end_matches("+00").replacen(' ', "T", 1);
            quote(&format!("{local}{}", if zone.is_some() { "+00:00" } else { "" }))
        }
        _ => quote(text),
    };
    Ok((0..array.len()).map(|row| printed.get(row).filter(|_| array.is_valid(row)).map(json)).collect())
}

fn lists(array: &ArrayRef, args: &ScalarFunctionArgs) -> Result<Vec<Option<String>>> {
    let lists = array.as_list::<i32>();
    let printed = (0..lists.len()).map(|row| {
        if lists.is_null(row) {
            return Ok(None);
        }
        let items = values(&lists.value(row), args)?.into_iter().map(or_null);
        Ok(Some(format!("[{}]", items.collect::<Vec<_>>().join(","))))
    });
    printed.collect()
}

fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "null".to_owned())
}

fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// A value as the name of a member.
fn key(value: &str) -> String {
    if value.starts_with('"') { value.to_owned() } else { quote(value) }
}

fn member(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (keys, values) = (argument(args, 0)?, argument(args, 1)?);
    map_text(args, |row| {
        let name = keys[row].as_deref();
        let name = name.ok_or_else(|| fault(ErrorKind::InvalidParameterValue, "field name must not be null"))?;
        Ok(Some(Cow::Owned(format!("{} : {}", key(name), or_null(values[row].clone())))))
    })
}

fn array_of(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    joined(args, "[", "]")
}

fn object_of(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    joined(args, "{ ", " }")
}

fn joined(args: &ScalarFunctionArgs, open: &str, close: &str) -> Result<ColumnarValue> {
    let array = args.args[0].to_array(row_count(args))?;
    let lists = array.as_list::<i32>();
    map_text(args, |row| {
        if lists.is_null(row) {
            return Ok(None);
        }
        let items = lists.value(row);
        let items: Vec<&str> = items.as_string::<i32>().iter().map(|item| item.unwrap_or("null")).collect();
        Ok(Some(Cow::Owned(format!("{open}{}{close}", items.join(", ")))))
    })
}

fn build_array(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = (0..args.args.len()).map(|index| argument(args, index)).collect::<Result<Vec<_>>>()?;
    map_text(args, |row| {
        let items: Vec<String> = values.iter().map(|value| or_null(value[row].clone())).collect();
        Ok(Some(Cow::Owned(format!("[{}]", items.join(", ")))))
    })
}

fn build_object(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    if !args.args.len().is_multiple_of(2) {
        let uneven = Problem::new(ErrorKind::InvalidParameterValue, "argument list must have even number of elements");
        let hint = "The arguments of json_build_object() must consist of alternating keys and values.";
        return Err(problem(uneven.hint(hint)));
    }
    let values = (0..args.args.len()).map(|index| argument(args, index)).collect::<Result<Vec<_>>>()?;
    map_text(args, |row| {
        let members = values.chunks(2).enumerate().map(|(pair, member)| {
            let [name, value] = member else { return Ok(String::new()) };
            let name = name[row].as_deref().ok_or_else(|| null_key(pair * 2 + 1))?;
            Ok(format!("{} : {}", key(name), or_null(value[row].clone())))
        });
        let members = members.collect::<Result<Vec<_>>>()?;
        Ok(Some(Cow::Owned(format!("{{{}}}", members.join(", ")))))
    })
}

fn null_key(argument: usize) -> datafusion::error::DataFusionError {
    let message = format!("argument {argument} cannot be null");
    problem(Problem::new(ErrorKind::InvalidParameterValue, message).hint("Object keys should be text."))
}

fn contains(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (wholes, parts) = (Texts::new(&args.args[0])?, Texts::new(&args.args[1])?);
    map_bool(args, |row| {
        let (Some(whole), Some(part)) = (wholes.get(row), parts.get(row)) else { return Ok(None) };
        let (whole, part) = (read(whole)?, read(part)?);
        let is_element = matches!(&whole, Value::Array(items) if items.iter().any(|item| same(item, &part)));
        Ok(Some(is_element || holds(&whole, &part)))
    })
}

fn read(text: &str) -> Result<Value> {
    let invalid = |_| fault(ErrorKind::InvalidTextRepresentation, "invalid input syntax for type json");
    serde_json::from_str(text).map_err(invalid)
}

/// Whether two values that are neither objects nor arrays are one. Numbers are compared by value: `1` is `1.0`.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Object(_) | Value::Array(_), _) => false,
        (left, right) => left == right,
    }
}

fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|own| holds(own, value)))
        }
        (Value::Array(whole), Value::Array(part)) => part.iter().all(|item| whole.iter().any(|own| holds(own, item))),
        (whole, part) => same(whole, part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_hold_parts_as_jsonb_does() {
        let cases = [
            (r#"{"a":1,"b":[1,2]}"#, r#"{"b":[2]}"#, true),
            ("[1,2,[3]]", "[[3],1]", true),
            ("1", "1.0", true),
            (r#"{"a":{"b":1}}"#, r#"{"b":1}"#, false),
            ("[1]", "{}", false),
            ("[[1]]", "[1]", false),
            ("{}", "{}", true),
        ];
        for (whole, part, expected) in cases {
            assert_eq!(holds(&read(whole).unwrap(), &read(part).unwrap()), expected, "{whole} {part}");
        }
    }
}
