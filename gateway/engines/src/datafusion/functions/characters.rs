//! Texts cut to a length, parts of texts by pattern, and characters by their number.

use std::borrow::Cow;

use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use mantissa_core::{ErrorKind, Problem};

use super::args::{Texts, Values, map_text};
use super::text::Patterns;
use super::{Function, Param};
use crate::datafusion::fault::{fault, problem};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("pg_varchar", &[&[Param::Text, Param::Int]], text, varchar).pg_type("varchar"),
    Function::new("pg_char", &[&[Param::Text, Param::Int]], text, character).pg_type("bpchar"),
    Function::new("regexp_substr", SUBSTRING, text, regexp_substr),
    Function::new("similar_to_regexp", &[&[Param::Text, Param::Text]], text, similar_to_regexp),
    Function::new("unistr", &[&[Param::Text]], text, unistr),
    Function::new("pg_size_pretty", &[&[Param::Int]], text, size_pretty),
];

const SUBSTRING: &[&[Param]] = &[
    &[Param::Text, Param::Text],
    &[Param::Text, Param::Text, Param::Int],
    &[Param::Text, Param::Text, Param::Int, Param::Int],
    &[Param::Text, Param::Text, Param::Int, Param::Int, Param::Text],
    &[Param::Text, Param::Text, Param::Int, Param::Int, Param::Text, Param::Int],
];

fn text(_: &[DataType]) -> DataType {
    DataType::Utf8View
}

fn varchar(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    cut(args, "varchar", false)
}

fn character(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    cut(args, "char", true)
}

fn cut(args: &ScalarFunctionArgs, ty: &str, pads: bool) -> Result<ColumnarValue> {
    let (values, lengths) = (Texts::new(&args.args[0])?, Values::<Int64Type>::new(&args.args[1])?);
    map_text(args, |row| {
        let (Some(value), Some(length)) = (values.get(row), lengths.get(row)) else { return Ok(None) };
        let too_short = || format!("length for type {ty} must be at least 1");
        let length = usize::try_from(length).ok().filter(|length| *length > 0);
        let length = length.ok_or_else(|| fault(ErrorKind::InvalidParameterValue, too_short()))?;
        if length > MAX_LENGTH {
            let message = format!("length for type {ty} cannot exceed {MAX_LENGTH}");
            return Err(fault(ErrorKind::InvalidParameterValue, message));
        }
        let end = value.char_indices().nth(length).map_or(value.len(), |(end, _)| end);
        Ok(Some(match pads {
            true => Cow::Owned(format!("{:<length$}", &value[..end])),
            false => Cow::Owned(value[..end].to_owned()),
        }))
    })
}

/// Postgres's limit for `varchar(n)`.
const MAX_LENGTH: usize = 10_485_760;

fn regexp_substr(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = Texts::new(&args.args[0])?;
    let mut patterns = Patterns::new(&args.args[1], args.args.get(4))?;
    let number = |index: usize| args.args.get(index).map(Values::<Int64Type>::new).transpose();
    let (starts, counts, groups) = (number(2)?, number(3)?, number(5)?);
    map_text(args, |row| {
        let given = |values: &Option<Values<Int64Type>>, default| values.as_ref().map_or(Some(default), |v| v.get(row));
        let (start, count, group) = (given(&starts, 1), given(&counts, 1), given(&groups, 0));
        let (Some(value), Some((regex, is_global))) = (values.get(row), patterns.get(row)?) else { return Ok(None) };
        let (Some(start), Some(count), Some(group)) = (start, count, group) else { return Ok(None) };
        if is_global {
            let message = "regexp_substr() does not support the \"global\" option";
            return Err(fault(ErrorKind::InvalidParameterValue, message));
        }
        let start = at_least("start", start, 1)? - 1;
        let nth = at_least("n", count, 1)? - 1;
        let group = at_least("subexpr", group, 0)?;
        let Some(from) = value.char_indices().map(|(at, _)| at).chain([value.len()]).nth(start) else {
            return Ok(None);
        };
        let found = regex.captures_iter(&value[from..]).nth(nth).and_then(|found| found.get(group));
        Ok(found.map(|found| Cow::Owned(found.as_str().to_owned())))
    })
}

fn at_least(name: &str, value: i64, least: i64) -> Result<usize> {
    let invalid = || {
        let message = format!("invalid value for parameter \"{name}\": {value}");
        fault(ErrorKind::InvalidParameterValue, message)
    };
    usize::try_from(value).ok().filter(|_| value >= least).ok_or_else(invalid)
}

fn similar_to_regexp(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (patterns, escapes) = (Texts::new(&args.args[0])?, Texts::new(&args.args[1])?);
    map_text(args, |row| {
        let (Some(pattern), Some(escape)) = (patterns.get(row), escapes.get(row)) else { return Ok(None) };
        Ok(Some(Cow::Owned(dialects::regex_of_similar(pattern, escape.chars().next()))))
    })
}

fn unistr(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = Texts::new(&args.args[0])?;
    map_text(args, |row| values.get(row).map(|value| unescape(value).map(Cow::Owned)).transpose())
}

/// Reads `\0061`, `\+000061`, `\u0061`, `\U00000061` and `\\`.
fn unescape(value: &str) -> Result<String> {
    let mut read = String::with_capacity(value.len());
    let mut high: Option<u32> = None;
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if first != '\\' || after.starts_with('\\') {
            if high.is_some() {
                return Err(broken_pair());
            }
            read.push(first);
            rest = if first == '\\' { &after[1..] } else { after };
            continue;
        }
        let (digits, length) = match after.as_bytes().first() {
            Some(b'+') => (&after[1..], 6),
            Some(b'u') => (&after[1..], 4),
            Some(b'U') => (&after[1..], 8),
            _ => (after, 4),
        };
        let hex = digits.get(..length).filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).ok_or_else(broken_escape)?;
        rest = &digits[length..];
        match (high.take(), code) {
            (None, 0xd800..=0xdbff) => high = Some(code),
            (Some(high), 0xdc00..=0xdfff) => {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (code - 0xdc00);
                read.push(char::from_u32(code).ok_or_else(broken_pair)?);
            }
            (Some(_), _) => return Err(broken_pair()),
            (None, code) => read.push(char::from_u32(code).filter(|_| code != 0).ok_or_else(broken_pair)?),
        }
    }
    if high.is_some() { Err(broken_pair()) } else { Ok(read) }
}

fn broken_escape() -> DataFusionError {
    problem(
        Problem::new(ErrorKind::SyntaxError, "invalid Unicode escape")
            .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX."),
    )
}

fn broken_pair() -> DataFusionError {
    fault(ErrorKind::SyntaxError, "invalid Unicode surrogate pair")
}

fn size_pretty(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let sizes = Values::<Int64Type>::new(&args.args[0])?;
    map_text(args, |row| Ok(sizes.get(row).map(|size| Cow::Owned(pretty(size)))))
}

/// Bytes up to 10 kB, then the unit in which there are fewer than 20,480, rounded half away from zero.
fn pretty(size: i64) -> String {
    if size.unsigned_abs() < 10 * 1024 {
        return format!("{size} bytes");
    }
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    // In halves of the unit, cut off: the last step rounds them.
    let mut halves = size / 512;
    let mut unit = 0;
    while halves.unsigned_abs() >= 20 * 1024 - 1 && unit + 1 < UNITS.len() {
        halves /= 1024;
        unit += 1;
    }
    format!("{} {}", (halves + halves.signum()) / 2, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_a_unit() {
        let cases = [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (1_500_000, "1465 kB"),
            (-1_500_000, "-1465 kB"),
            (20_971_519, "20 MB"),
            (99_999_999_999_999, "91 TB"),
            (i64::MAX, "8192 PB"),
        ];
        for (size, expected) in cases {
            assert_eq!(pretty(size), expected);
        }
    }

    #[test]
    fn escapes_are_read_in_every_spelling() {
        assert_eq!(unescape(r"d\0061t\+000061 \\ \u0061\U00000061\d83d\de00").unwrap(), r"data \ aa😀");
        for broken in [r"\006", r"\", r"\d83d", r"\d83dx", r"\0000", r"\zzzz"] {
            assert!(unescape(broken).is_err(), "{broken}");
        }
    }
}
