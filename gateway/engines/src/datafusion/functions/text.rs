//! Text functions that DataFusion lacks or answers otherwise.

use std::borrow::Cow;

use arrow::array::{Array, AsArray, BinaryBuilder, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use mantissa_core::ErrorKind;
use regex::{Regex, RegexBuilder};
use std::sync::Arc;

use super::args::{Texts, finish, map_text, row_count};
use super::{Function, Param};
use crate::datafusion::fault::fault;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("encode", &[&[Param::Bytes, Param::Text]], text, encode),
    Function::new("decode", &[&[Param::Text, Param::Text]], |_| DataType::Binary, decode),
    Function::new("quote_ident", &[&[Param::Text]], text, quote_ident),
    Function::new("quote_literal", &[&[Param::Text]], text, quote_literal),
    Function::new("quote_nullable", &[&[Param::Text]], text, quote_nullable),
    Function::new("format", &[&[Param::Text, Param::Any], &[Param::Text]], text, format).variadic(),
    Function::new("regexp_split_to_array", SPLIT, texts, regexp_split),
    Function::new("regexp_replace", REPLACE, text, regexp_replace),
];

const SPLIT: &[&[Param]] = &[&[Param::Text, Param::Text], &[Param::Text, Param::Text, Param::Text]];
const REPLACE: &[&[Param]] =
    &[&[Param::Text, Param::Text, Param::Text], &[Param::Text, Param::Text, Param::Text, Param::Text]];

fn text(_: &[DataType]) -> DataType {
    DataType::Utf8View
}

fn texts(_: &[DataType]) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// The longest line of base64 that Postgres writes.
const BASE64_LINE: usize = 76;

fn encode(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let array = arrow::compute::cast(&args.args[0].to_array(row_count(args))?, &DataType::Binary)?;
    let bytes = array.as_binary::<i32>();
    let formats = Texts::new(&args.args[1])?;
    map_text(args, |row| {
        let Some(format) = formats.get(row).filter(|_| bytes.is_valid(row)) else { return Ok(None) };
        let bytes = bytes.value(row);
        let encoded = match format.to_ascii_lowercase().as_str() {
            "hex" => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            "base64" => in_lines(&STANDARD.encode(bytes)),
            "escape" => bytes
                .iter()
                .map(|byte| match byte {
                    b'\\' => "\\\\".to_owned(),
                    0 | 128.. => format!("\\{byte:03o}"),
                    plain => char::from(*plain).to_string(),
                })
                .collect(),
            other => return Err(unknown_encoding(other)),
        };
        Ok(Some(Cow::Owned(encoded)))
    })
}

fn in_lines(encoded: &str) -> String {
    let lines = encoded.as_bytes().chunks(BASE64_LINE).map(|line| String::from_utf8_lossy(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn unknown_encoding(name: &str) -> datafusion::error::DataFusionError {
    fault(ErrorKind::InvalidParameterValue, format!("unrecognized encoding: \"{name}\""))
}

fn decode(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (values, formats) = (Texts::new(&args.args[0])?, Texts::new(&args.args[1])?);
    let mut builder = BinaryBuilder::new();
    for row in 0..row_count(args) {
        let (Some(value), Some(format)) = (values.get(row), formats.get(row)) else {
            builder.append_null();
            continue;
        };
        let compact: String = value.chars().filter(|c| !c.is_whitespace()).collect();
        let invalid = || fault(ErrorKind::InvalidParameterValue, format!("invalid {format} data"));
        let bytes = match format.to_ascii_lowercase().as_str() {
            "hex" => unhex(&compact).ok_or_else(invalid)?,
            "base64" => STANDARD.decode(&compact).map_err(|_| invalid())?,
            "escape" => unescape(value).ok_or_else(invalid)?,
            other => return Err(unknown_encoding(other)),
        };
        builder.append_value(bytes);
    }
    finish(args, Arc::new(builder.finish()))
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

pub(crate) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                rest = after;
            }
            (b'\\', after) => {
                let octal = std::str::from_utf8(after.get(..3)?).ok()?;
                bytes.push(u8::from_str_radix(octal, 8).ok()?);
                rest = &after[3..];
            }
            (plain, after) => {
                bytes.push(*plain);
                rest = after;
            }
        }
    }
    Some(bytes)
}

fn quote_ident(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = Texts::new(&args.args[0])?;
    map_text(args, |row| Ok(values.get(row).map(|value| Cow::Owned(dialects::ident(value).to_string()))))
}

fn literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if value.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

fn quote_literal(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = Texts::new(&args.args[0])?;
    map_text(args, |row| Ok(values.get(row).map(|value| Cow::Owned(literal(value)))))
}

fn quote_nullable(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = Texts::new(&args.args[0])?;
    map_text(args, |row| Ok(Some(values.get(row).map_or(Cow::Borrowed("NULL"), |value| Cow::Owned(literal(value))))))
}

fn format(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let patterns = Texts::new(&args.args[0])?;
    let rows = row_count(args);
    let values = args.args[1..].iter().map(|arg| {
        let array = arrow::compute::cast(&arg.to_array(rows)?, &DataType::Utf8View)?;
        Texts::new(&ColumnarValue::Array(array))
    });
    let values = values.collect::<Result<Vec<_>>>()?;
    map_text(args, |row| {
        let Some(pattern) = patterns.get(row) else { return Ok(None) };
        let values: Vec<Option<&str>> = values.iter().map(|value| value.get(row)).collect();
        fill(pattern, &values).map(|text| Some(Cow::Owned(text)))
    })
}

/// Puts values into `%s`, `%I`, `%L` and `%2$s`.
fn fill(pattern: &str, values: &[Option<&str>]) -> Result<String> {
    let mut text = String::new();
    let mut next = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && rest[digits..].starts_with('$') {
            next = rest[..digits].parse::<usize>().unwrap_or(0).saturating_sub(1);
            rest = &rest[digits + 1..];
        }
        let conversion = rest.chars().next();
        let value = *values
            .get(next)
            .ok_or_else(|| fault(ErrorKind::InvalidParameterValue, "too few arguments for format()"))?;
        match (conversion, value) {
            (Some('s'), value) => text.push_str(value.unwrap_or_default()),
            (Some('I'), Some(value)) => text.push_str(&dialects::ident(value).to_string()),
            (Some('I'), None) => {
                return Err(fault(
                    ErrorKind::InvalidParameterValue,
                    "null values cannot be formatted as an SQL identifier",
                ));
            }
            (Some('L'), value) => text.push_str(&value.map_or("NULL".to_owned(), literal)),
            _ => {
                return Err(fault(ErrorKind::InvalidParameterValue, "unrecognized format() type specifier"));
            }
        }
        next += 1;
        rest = &rest[1..];
    }
    text.push_str(rest);
    Ok(text)
}

/// A pattern of Postgres's as this process's regular expressions read it.
pub(crate) fn compile(pattern: &str, flags: &str) -> Result<Regex> {
    let mut rust = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            rust.push(character);
            continue;
        }
        match characters.next() {
            Some('y') => rust.push_str("\\b"),
            Some('m') => rust.push_str("\\b{start}"),
            Some('M') => rust.push_str("\\b{end}"),
            Some('Z') => rust.push_str("\\z"),
            Some(other) => rust.extend(['\\', other]),
            None => rust.push('\\'),
        }
    }
    let mut builder = RegexBuilder::new(&rust);
    // Unlike in most dialects, a dot takes a newline too.
    builder.dot_matches_new_line(true);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'c' => builder.case_insensitive(false),
            'n' | 'm' => builder.multi_line(true).dot_matches_new_line(false),
            's' => builder.multi_line(false).dot_matches_new_line(true),
            'x' => builder.ignore_whitespace(true),
            'g' | 'p' | 'w' => &mut builder,
            other => {
                let message = format!("invalid regular expression option: \"{other}\"");
                return Err(fault(ErrorKind::InvalidParameterValue, message));
            }
        };
    }
    builder
        .build()
        .map_err(|_| fault(ErrorKind::InvalidRegularExpression, format!("invalid regular expression: \"{pattern}\"")))
}

/// Patterns of a call, compiled once where they do not change from row to row.
pub(crate) struct Patterns {
    patterns: Texts,
    flags: Option<Texts>,
    last: Option<(String, String, Regex)>,
}

impl Patterns {
    pub(crate) fn new(patterns: &ColumnarValue, flags: Option<&ColumnarValue>) -> Result<Self> {
        Ok(Self { patterns: Texts::new(patterns)?, flags: flags.map(Texts::new).transpose()?, last: None })
    }

    /// The expression for a row with its flags; `None` where either is NULL.
    pub(crate) fn get(&mut self, row: usize) -> Result<Option<(&Regex, bool)>> {
        let Some(pattern) = self.patterns.get(row) else { return Ok(None) };
        let flags = match &self.flags {
            Some(flags) => match flags.get(row) {
                Some(flags) => flags,
                None => return Ok(None),
            },
            None => "",
        };
        let is_last = self.last.as_ref().is_some_and(|(p, f, _)| p == pattern && f == flags);
        let is_global = flags.contains('g');
        if !is_last {
            self.last = Some((pattern.to_owned(), flags.to_owned(), compile(pattern, flags)?));
        }
        Ok(self.last.as_ref().map(|(_, _, regex)| (regex, is_global)))
    }
}

fn regexp_split(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = Texts::new(&args.args[0])?;
    let mut patterns = Patterns::new(&args.args[1], args.args.get(2))?;
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in 0..row_count(args) {
        let (Some(value), Some((regex, _))) = (values.get(row), patterns.get(row)?) else {
            builder.append_null();
            continue;
        };
        let mut start = 0;
        for found in regex.find_iter(value) {
            // An empty match splits between characters, not at the ends.
            if found.is_empty() && (found.start() == 0 || found.end() == value.len()) {
                continue;
            }
            builder.values().append_value(&value[start..found.start()]);
            start = found.end();
        }
        builder.values().append_value(&value[start..]);
        builder.append(true);
    }
    finish(args, Arc::new(builder.finish()))
}

fn regexp_replace(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (values, replacements) = (Texts::new(&args.args[0])?, Texts::new(&args.args[2])?);
    let mut patterns = Patterns::new(&args.args[1], args.args.get(3))?;
    map_text(args, |row| {
        let (Some(value), Some(replacement)) = (values.get(row), replacements.get(row)) else { return Ok(None) };
        let Some((regex, is_global)) = patterns.get(row)? else { return Ok(None) };
        let replacement = replacement_of(replacement);
        let limit = if is_global { 0 } else { 1 };
        Ok(Some(Cow::Owned(regex.replacen(value, limit, replacement.as_str()).into_owned())))
    })
}

/// `\1` and `\&` as this process's regular expressions write them.
fn replacement_of(postgres: &str) -> String {
    let mut rust = String::with_capacity(postgres.len());
    let mut characters = postgres.chars();
    while let Some(character) = characters.next() {
        match character {
            '$' => rust.push_str("$$"),
            '\\' => match characters.next() {
                Some(digit @ '1'..='9') => rust.push_str(&format!("${{{digit}}}")),
                Some('&') => rust.push_str("${0}"),
                Some(other) => rust.push(other),
                None => rust.push('\\'),
            },
            plain => rust.push(plain),
        }
    }
    rust
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_fills_in_values() {
        let cases = [
            ("a %s b %% %L", vec![Some("1"), Some("o'k")], "a 1 b % 'o''k'"),
            ("%2$s %1$s", vec![Some("x"), Some("y")], "y x"),
            ("%I", vec![Some("Select")], "\"Select\""),
            ("%s|%L", vec![None, None], "|NULL"),
        ];
        for (pattern, values, expected) in cases {
            assert_eq!(fill(pattern, &values).unwrap(), expected);
        }
        assert!(fill("%s", &[]).is_err());
        assert!(fill("%q", &[Some("x")]).is_err());
    }

    #[test]
    fn patterns_are_read_as_postgres_reads_them() {
        assert!(compile(r"\yfoo\y", "").unwrap().is_match("a foo b"));
        assert!(compile("a.b", "").unwrap().is_match("a\nb"));
        assert!(!compile("a.b", "n").unwrap().is_match("a\nb"));
        assert!(compile("(", "").is_err());
        assert_eq!(replacement_of(r"<\1$\&>"), "<${1}$$${0}>");
    }

    #[test]
    fn bytes_are_escaped_both_ways() {
        assert_eq!(unhex("00ff").unwrap(), [0, 255]);
        assert_eq!(unhex("0"), None);
        assert_eq!(unescape(r"a\\b\001").unwrap(), b"a\\b\x01");
    }
}
