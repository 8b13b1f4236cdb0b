//! Reading JSON text in place: `->`, `->>`, `#>`, `#>>`, and what asks for a document's shape.
//!
//! A document is walked as bytes and never built up: only the wanted member is decoded. As in Postgres's `json`, of two
//! members with one name the last counts, and a member that is JSON null is NULL for the operators that give text.

use std::borrow::Cow;

use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use mantissa_core::ErrorKind;

use super::args::{Texts, Values, map_bool, map_text, map_values};
use super::{Function, Param};
use crate::datafusion::fault::fault;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("json_get", &[&[Param::Text, Param::Text], &[Param::Text, Param::Int]], text, get).pg_type("json"),
    Function::new("json_get_text", &[&[Param::Text, Param::Text], &[Param::Text, Param::Int]], text, get_text),
    Function::new("json_path", PATH, text, path).pg_type("json"),
    Function::new("json_path_text", PATH, text, path_text),
    Function::new("pg_json", &[&[Param::Text]], text, check).pg_type("json"),
    Function::new("json_exists", &[&[Param::Text, Param::Text]], |_| DataType::Boolean, exists),
    Function::new("json_array_length", &[&[Param::Text]], |_| DataType::Int32, array_length),
    Function::new("jsonb_array_length", &[&[Param::Text]], |_| DataType::Int32, array_length),
    Function::new("json_typeof", &[&[Param::Text]], text, type_of),
    Function::new("jsonb_typeof", &[&[Param::Text]], text, type_of),
];

const PATH: &[&[Param]] = &[&[Param::Text, Param::Text], &[Param::Text, Param::TextArray]];

fn text(_: &[DataType]) -> DataType {
    DataType::Utf8View
}

/// How a found member is given back.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Text,
}

fn get(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    member(args, Form::Json)
}

fn get_text(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    member(args, Form::Text)
}

fn path(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    along_path(args, Form::Json)
}

fn path_text(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    along_path(args, Form::Text)
}

fn member(args: &ScalarFunctionArgs, form: Form) -> Result<ColumnarValue> {
    let documents = Texts::new(&args.args[0])?;
    if args.arg_fields[1].data_type().is_integer() {
        let indexes = Values::<Int64Type>::new(&args.args[1])?;
        return map_text(args, |row| {
            let (Some(document), Some(index)) = (documents.get(row), indexes.get(row)) else { return Ok(None) };
            Ok(element(document.as_bytes(), index).and_then(|found| give(document, found, form)))
        });
    }
    let keys = Texts::new(&args.args[1])?;
    map_text(args, |row| {
        let (Some(document), Some(key)) = (documents.get(row), keys.get(row)) else { return Ok(None) };
        Ok(field(document.as_bytes(), 0, key).and_then(|found| give(document, found, form)))
    })
}

fn along_path(args: &ScalarFunctionArgs, form: Form) -> Result<ColumnarValue> {
    let documents = Texts::new(&args.args[0])?;
    let paths = Paths::new(&args.args[1])?;
    map_text(args, |row| {
        let (Some(document), Some(path)) = (documents.get(row), paths.get(row)?) else { return Ok(None) };
        Ok(walk(document.as_bytes(), &path).and_then(|found| give(document, found, form)))
    })
}

/// The paths of a call, read once where they are constant.
enum Paths {
    One(Option<Vec<String>>),
    Texts(Texts),
    Lists(arrow::array::ArrayRef),
}

impl Paths {
    fn new(value: &ColumnarValue) -> Result<Self> {
        if let ColumnarValue::Scalar(scalar) = value {
            if scalar.data_type().is_nested() {
                let list = scalar.to_array_of_size(1)?;
                return Ok(Paths::One(Paths::Lists(list).get(0)?.map(Cow::into_owned)));
            }
            let texts = Texts::new(value)?;
            return Ok(Paths::One(texts.get(0).map(parse_path).transpose()?));
        }
        match value {
            ColumnarValue::Array(array) if array.data_type().is_nested() => Ok(Paths::Lists(array.clone())),
            other => Ok(Paths::Texts(Texts::new(other)?)),
        }
    }

    fn get(&self, row: usize) -> Result<Option<Cow<'_, [String]>>> {
        use arrow::array::{Array, AsArray};
        match self {
            Paths::One(path) => Ok(path.as_deref().map(Cow::Borrowed)),
            Paths::Texts(texts) => Ok(texts.get(row).map(parse_path).transpose()?.map(Cow::Owned)),
            Paths::Lists(array) => {
                let lists = array.as_list::<i32>();
                if lists.is_null(row) {
                    return Ok(None);
                }
                let items = Texts::new(&ColumnarValue::Array(lists.value(row)))?;
                let steps = (0..lists.value_length(row) as usize).map(|index| items.get(index).map(str::to_owned));
                Ok(steps.collect::<Option<Vec<_>>>().map(Cow::Owned))
            }
        }
    }
}

/// Reads `{a,b,"c d"}`, Postgres's text form of a text array.
fn parse_path(text: &str) -> Result<Vec<String>> {
    let malformed = || fault(ErrorKind::InvalidTextRepresentation, format!("malformed array literal: \"{text}\""));
    let inner = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(malformed)?;
    let mut steps = Vec::new();
    let mut rest = inner.trim_start();
    if rest.is_empty() {
        return Ok(steps);
    }
    loop {
        let (step, after) = parse_step(rest).ok_or_else(malformed)?;
        steps.push(step);
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if after.is_empty() => return Ok(steps),
            None => return Err(malformed()),
        }
    }
}

fn parse_step(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let step = text[..end].trim_end();
        let plain = !step.is_empty() && !step.contains(['"', '{', '}']);
        return plain.then(|| (step.replace('\\', ""), &text[end..]));
    };
    let mut step = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((step, &quoted[index + 1..])),
            '\\' => step.push(characters.next()?.1),
            other => step.push(other),
        }
    }
    None
}

/// Where a value stands in its document: from its first byte to the one after its last.
type Span = (usize, usize);

/// Follows a path. A step into an array is an index; a negative one counts from the end.
fn walk(document: &[u8], path: &[String]) -> Option<Span> {
    let start = blank(document, 0);
    let mut here = (start, skip(document, start)?);
    for step in path {
        here = match document.get(here.0)? {
            b'{' => field(document, here.0, step)?,
            b'[' => element_at(document, here.0, step.parse().ok()?)?,
            _ => return None,
        };
    }
    Some(here)
}

/// The member of the object that begins at `start` (blanks aside).
fn field(document: &[u8], start: usize, key: &str) -> Option<Span> {
    let mut at = blank(document, start);
    if document.get(at) != Some(&b'{') {
        return None;
    }
    let mut found = None;
    at = blank(document, at + 1);
    if document.get(at) == Some(&b'}') {
        return None;
    }
    loop {
        if document.get(at) != Some(&b'"') {
            return None;
        }
        let key_end = skip_string(document, at)?;
        let is_wanted = same_key(&document[at + 1..key_end - 1], key);
        at = blank(document, key_end);
        if document.get(at) != Some(&b':') {
            return None;
        }
        let value = blank(document, at + 1);
        let end = skip(document, value)?;
        if is_wanted {
            found = Some((value, end));
        }
        at = blank(document, end);
        match document.get(at) {
            Some(b',') => at = blank(document, at + 1),
            Some(b'}') => return found,
            _ => return None,
        }
    }
}

fn element(document: &[u8], index: i64) -> Option<Span> {
    element_at(document, blank(document, 0), index)
}

fn element_at(document: &[u8], start: usize, index: i64) -> Option<Span> {
    let wanted = if index < 0 { elements(document, start).count() as i64 + index } else { index };
    elements(document, start).nth(usize::try_from(wanted).ok()?)
}

/// The elements of the array that begins at `start`; none where it is no array.
fn elements(document: &[u8], start: usize) -> impl Iterator<Item = Span> + '_ {
    let mut at = match document.get(start) {
        Some(b'[') => Some(blank(document, start + 1)).filter(|at| document.get(*at) != Some(&b']')),
        _ => None,
    };
    std::iter::from_fn(move || {
        let value = at?;
        let end = skip(document, value)?;
        let next = blank(document, end);
        at = (document.get(next) == Some(&b',')).then(|| blank(document, next + 1));
        Some((value, end))
    })
}

fn same_key(written: &[u8], key: &str) -> bool {
    if !written.contains(&b'\\') {
        return written == key.as_bytes();
    }
    std::str::from_utf8(written).ok().and_then(unescape).is_some_and(|name| name == key)
}

fn blank(document: &[u8], mut at: usize) -> usize {
    while matches!(document.get(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

/// The end of the value that begins at `start`. Brackets are balanced, not parsed: documents were checked on ingest.
fn skip(document: &[u8], start: usize) -> Option<usize> {
    match document.get(start)? {
        b'"' => skip_string(document, start),
        b'{' | b'[' => skip_nested(document, start),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r' | b':');
            let length = document[start..].iter().position(is_end).unwrap_or(document.len() - start);
            Some(start + length)
        }
        _ => None,
    }
}

fn skip_nested(document: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match document.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => {
                at = skip_string(document, at)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

fn skip_string(document: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let rest = document.get(at..)?;
        at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if document[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Gives a value back as `->` (its own text) or as `->>` (a string without quotes, JSON null as NULL).
fn give(document: &str, (start, end): Span, form: Form) -> Option<Cow<'_, str>> {
    let value = document.get(start..end)?;
    match form {
        Form::Json => Some(Cow::Borrowed(value)),
        Form::Text if value == "null" => None,
        Form::Text => match value.strip_prefix('"') {
            Some(inner) => unescape(inner.strip_suffix('"')?),
            None => Some(Cow::Borrowed(value)),
        },
    }
}

/// Decodes the inside of a JSON string.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        decoded.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        rest = &rest[at + 2..];
        decoded.push(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (character, after) = unicode_escape(rest)?;
                rest = after;
                character
            }
            _ => return None,
        });
    }
    decoded.push_str(rest);
    Some(Cow::Owned(decoded))
}

/// Reads the digits after `\u`, and the second half of a surrogate pair where one is due.
fn unicode_escape(rest: &str) -> Option<(char, &str)> {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let high = unit(rest)?;
    let after = &rest[4..];
    if (0xd800..0xdc00).contains(&high)
        && let Some(low) = after.strip_prefix("\\u").and_then(unit)
    {
        let code = 0x1_0000 + ((high - 0xd800) << 10) + low.checked_sub(0xdc00)?;
        return Some((char::from_u32(code)?, &after[6..]));
    }
    Some((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), after))
}

/// A text that claims to be JSON, once it has been read through.
fn check(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let texts = Texts::new(&args.args[0])?;
    map_text(args, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Ok(Some(Cow::Borrowed(text))),
            Err(_) => Err(fault(ErrorKind::InvalidTextRepresentation, "invalid input syntax for type json")),
        }
    })
}

/// Whether an object has the key, or an array the string.
fn exists(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (documents, keys) = (Texts::new(&args.args[0])?, Texts::new(&args.args[1])?);
    map_bool(args, |row| {
        let (Some(document), Some(key)) = (documents.get(row), keys.get(row)) else { return Ok(None) };
        let bytes = document.as_bytes();
        let start = blank(bytes, 0);
        let is_key = |span: Span| {
            document[span.0..span.1].starts_with('"') && give(document, span, Form::Text).as_deref() == Some(key)
        };
        Ok(Some(match bytes.get(start) {
            Some(b'{') => field(bytes, start, key).is_some(),
            Some(b'[') => elements(bytes, start).any(is_key),
            Some(b'"') => skip(bytes, start).is_some_and(|end| is_key((start, end))),
            _ => false,
        }))
    })
}

fn array_length(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let documents = Texts::new(&args.args[0])?;
    map_values::<Int32Type>(args, |row| {
        let Some(document) = documents.get(row).map(str::as_bytes) else { return Ok(None) };
        let start = blank(document, 0);
        match document.get(start) {
            Some(b'[') => Ok(i32::try_from(elements(document, start).count()).ok()),
            Some(b'{') => Err(fault(ErrorKind::InvalidParameterValue, "cannot get array length of a non-array")),
            _ => Err(fault(ErrorKind::InvalidParameterValue, "cannot get array length of a scalar")),
        }
    })
}

fn type_of(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let documents = Texts::new(&args.args[0])?;
    map_text(args, |row| {
        let Some(document) = documents.get(row).map(str::as_bytes) else { return Ok(None) };
        let name = match document.get(blank(document, 0)) {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "number",
            _ => return Ok(None),
        };
        Ok(Some(Cow::Borrowed(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_at(document: &str, path: &str) -> Option<String> {
        let path = parse_path(path).unwrap();
        walk(document.as_bytes(), &path).and_then(|found| give(document, found, Form::Text)).map(Cow::into_owned)
    }

    #[test]
    fn members_are_found_by_path() {
        let document = r#" { "a" : {"b":[1, {"c":"x\"y\u00e9"}, null]}, "n":null, "a2":true, "e": "\ud83d\ude00" } "#;
        let cases = [
            ("{a,b,0}", Some("1")),
            ("{a,b,1,c}", Some("x\"yé")),
            ("{a,b,-3}", Some("1")),
            ("{a,b,2}", None),
            ("{a,b,9}", None),
            ("{n}", None),
            ("{a2}", Some("true")),
            ("{e}", Some("😀")),
            ("{a,b}", Some(r#"[1, {"c":"x\"y\u00e9"}, null]"#)),
            ("{missing,b}", None),
            ("{a2,b}", None),
        ];
        for (path, expected) in cases {
            assert_eq!(text_at(document, path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(text_at(r#"{"a":1,"b":{"a":3},"a":2}"#, "{a}").as_deref(), Some("2"));
    }

    #[test]
    fn broken_documents_have_no_members() {
        for document in ["", "{", "{\"a\"", "{\"a\":", "{\"a\":\"", "[1,", "not json", "{\"a\":1,", "{\"b\":[}"] {
            assert_eq!(text_at(document, "{b}"), None, "{document}");
        }
    }

    #[test]
    fn paths_are_postgres_arrays() {
        assert_eq!(parse_path(r#"{a, "b,c" ,"d\"e"}"#).unwrap(), ["a", "b,c", "d\"e"]);
        assert_eq!(parse_path("{}").unwrap(), Vec::<String>::new());
        assert!(parse_path("a,b").is_err());
        assert!(parse_path("{a,,b}").is_err());
    }
}
