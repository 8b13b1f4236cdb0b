//! Text.

use crate::context::Context;
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::{Arguments, ScalarFn};
use crate::types::display;

/// No text function gives more than this many bytes.
const MAX_TEXT: usize = 16 << 20;

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("op ||(text, text) text", |_, a| Ok(Datum::from(text(&a[0]).to_owned() + text(&a[1])))),
    ("op ||(bytea, bytea) bytea", |_, a| Ok(Datum::Bytea([bytes(&a[0]), bytes(&a[1])].concat().into()))),
    ("lower(text) text", |_, a| Ok(Datum::from(text(&a[0]).to_lowercase()))),
    ("upper(text) text", |_, a| Ok(Datum::from(text(&a[0]).to_uppercase()))),
    ("initcap(text) text", |_, a| Ok(Datum::from(initcap(text(&a[0]))))),
    ("length(text) int4", |_, a| Ok(Datum::Int4(text(&a[0]).chars().count() as i32))),
    ("length(bytea) int4", |_, a| Ok(Datum::Int4(bytes(&a[0]).len() as i32))),
    ("char_length(text) int4", |_, a| Ok(Datum::Int4(text(&a[0]).chars().count() as i32))),
    ("character_length(text) int4", |_, a| Ok(Datum::Int4(text(&a[0]).chars().count() as i32))),
    ("octet_length(text) int4", |_, a| Ok(Datum::Int4(text(&a[0]).len() as i32))),
    ("octet_length(bytea) int4", |_, a| Ok(Datum::Int4(bytes(&a[0]).len() as i32))),
    ("bit_length(text) int4", |_, a| Ok(Datum::Int4(text(&a[0]).len() as i32 * 8))),
    ("btrim(text) text", |_, a| Ok(Datum::text(text(&a[0]).trim_matches(' ')))),
    ("btrim(text, text) text", |_, a| Ok(Datum::text(text(&a[0]).trim_matches(|c| text(&a[1]).contains(c))))),
    ("ltrim(text) text", |_, a| Ok(Datum::text(text(&a[0]).trim_start_matches(' ')))),
    ("ltrim(text, text) text", |_, a| Ok(Datum::text(text(&a[0]).trim_start_matches(|c| text(&a[1]).contains(c))))),
    ("rtrim(text) text", |_, a| Ok(Datum::text(text(&a[0]).trim_end_matches(' ')))),
    ("rtrim(text, text) text", |_, a| Ok(Datum::text(text(&a[0]).trim_end_matches(|c| text(&a[1]).contains(c))))),
    ("replace(text, text, text) text", |_, a| match text(&a[1]) {
        "" => Ok(a[0].clone()),
        from => bounded(text(&a[0]).replace(from, text(&a[2]))),
    }),
    ("translate(text, text, text) text", |_, a| Ok(translate(a))),
    ("substring(text, int4) text", |_, a| substring(a)),
    ("substring(text, int4, int4) text", |_, a| substring(a)),
    ("substr(text, int4) text", |_, a| substring(a)),
    ("substr(text, int4, int4) text", |_, a| substring(a)),
    ("left(text, int4) text", |_, a| Ok(side(a, true))),
    ("right(text, int4) text", |_, a| Ok(side(a, false))),
    ("lpad(text, int4) text", |_, a| pad(a, true)),
    ("lpad(text, int4, text) text", |_, a| pad(a, true)),
    ("rpad(text, int4) text", |_, a| pad(a, false)),
    ("rpad(text, int4, text) text", |_, a| pad(a, false)),
    ("repeat(text, int4) text", |_, a| {
        let count = a[1].as_int().unwrap_or(0).max(0) as usize;
        if count.saturating_mul(text(&a[0]).len()) > MAX_TEXT {
            return Err(Error::InvalidParameter("requested length too large".into()));
        }
        Ok(Datum::from(text(&a[0]).repeat(count)))
    }),
    ("reverse(text) text", |_, a| Ok(Datum::from(text(&a[0]).chars().rev().collect::<String>()))),
    ("position(text, text) int4", |_, a| Ok(strpos(text(&a[0]), text(&a[1])))),
    ("strpos(text, text) int4", |_, a| Ok(strpos(text(&a[0]), text(&a[1])))),
    ("split_part(text, text, int4) text", |_, a| split_part(a)),
    ("starts_with(text, text) bool", |_, a| Ok(Datum::Bool(text(&a[0]).starts_with(text(&a[1]))))),
    ("overlay(text, text, int4) text", |_, a| overlay(a)),
    ("overlay(text, text, int4, int4) text", |_, a| overlay(a)),
    ("ascii(text) int4", |_, a| Ok(Datum::Int4(text(&a[0]).chars().next().map_or(0, |c| c as i32)))),
    ("chr(int4) text", |_, a| {
        match a[0].as_int().and_then(|code| char::from_u32(code as u32)).filter(|c| *c != '\0') {
            Some(c) => Ok(Datum::from(c.to_string())),
            None => Err(Error::InvalidParameter("requested character not valid for encoding".into())),
        }
    }),
    ("!concat(variadic any) text", |c, a| joined(c, a, 0, "")),
    ("!concat_ws(text, variadic any) text", |c, a| match a[0].as_str() {
        Some(separator) => joined(c, a, 1, separator),
        None => Ok(Datum::Null),
    }),
    ("!format(text) text", |c, a| format(c, a)),
    ("!format(text, variadic any) text", |c, a| format(c, a)),
    ("quote_ident(text) text", |_, a| Ok(Datum::from(super::names::quote_ident(text(&a[0]))))),
    ("quote_literal(text) text", |_, a| Ok(Datum::from(quote_literal(text(&a[0]))))),
    ("quote_literal(anyelement) text", |c, a| Ok(Datum::from(quote_literal(&display::text(c, &a[0], a.types[0])?)))),
    ("!quote_nullable(text) text", |_, a| Ok(Datum::from(a[0].as_str().map_or("NULL".to_owned(), quote_literal)))),
    ("parse_ident(text) _text", |_, a| super::array::parse_ident(text(&a[0]))),
    ("parse_ident(text, bool) _text", |_, a| super::array::parse_ident(text(&a[0]))),
    ("to_hex(int4) text", |_, a| Ok(Datum::from(format!("{:x}", a[0].as_int().unwrap_or(0) as i32)))),
    ("to_hex(int8) text", |_, a| Ok(Datum::from(format!("{:x}", a[0].as_int().unwrap_or(0))))),
    ("md5(text) text", |_, a| Ok(Datum::from(super::digest::md5(text(&a[0]).as_bytes())))),
    ("md5(bytea) text", |_, a| Ok(Datum::from(super::digest::md5(bytes(&a[0]))))),
    ("encode(bytea, text) text", |_, a| encode(a)),
    ("decode(text, text) bytea", |_, a| decode(a)),
    ("convert_from(bytea, name) text", |_, a| match std::str::from_utf8(bytes(&a[0])) {
        Ok(text) => Ok(Datum::text(text)),
        Err(_) => Err(Error::InvalidParameter("invalid byte sequence for encoding \"UTF8\"".into())),
    }),
    ("convert_to(text, name) bytea", |_, a| Ok(Datum::Bytea(text(&a[0]).as_bytes().into()))),
    ("nameeqtext(name, text) bool", |_, a| Ok(Datum::Bool(a[0] == a[1]))),
];

fn text(value: &Datum) -> &str {
    value.as_str().unwrap_or_default()
}

fn bytes(value: &Datum) -> &[u8] {
    match value {
        Datum::Bytea(bytes) => bytes,
        _ => &[],
    }
}

fn bounded(text: String) -> Result<Datum> {
    if text.len() > MAX_TEXT {
        return Err(Error::InvalidParameter("requested length too large".into()));
    }
    Ok(Datum::from(text))
}

fn initcap(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric();
    }
    out
}

fn translate(a: &[Datum]) -> Datum {
    let from: Vec<char> = text(&a[1]).chars().collect();
    let to: Vec<char> = text(&a[2]).chars().collect();
    let change = |c: char| match from.iter().position(|other| *other == c) {
        Some(index) => to.get(index).copied(),
        None => Some(c),
    };
    Datum::from(text(&a[0]).chars().filter_map(change).collect::<String>())
}

fn substring(a: &[Datum]) -> Result<Datum> {
    let start = a[1].as_int().unwrap_or(1);
    let end = match a.get(2).and_then(Datum::as_int) {
        Some(count) if count < 0 => {
            return Err(Error::InvalidParameter("negative substring length not allowed".into()));
        }
        Some(count) => start.saturating_add(count),
        None => i64::MAX,
    };
    let skip = (start - 1).max(0) as usize;
    let take = (end - start.max(1)).max(0) as usize;
    Ok(Datum::from(text(&a[0]).chars().skip(skip).take(take).collect::<String>()))
}

fn side(a: &[Datum], left: bool) -> Datum {
    let chars: Vec<char> = text(&a[0]).chars().collect();
    let count = a[1].as_int().unwrap_or(0);
    let size = chars.len() as i64;
    let keep = if count < 0 { (size + count).max(0) } else { count.min(size) } as usize;
    let part = if left { &chars[..keep] } else { &chars[chars.len() - keep..] };
    Datum::from(part.iter().collect::<String>())
}

fn pad(a: &[Datum], left: bool) -> Result<Datum> {
    let chars: Vec<char> = text(&a[0]).chars().collect();
    let width = a[1].as_int().unwrap_or(0).max(0) as usize;
    if width > MAX_TEXT {
        return Err(Error::InvalidParameter("requested length too large".into()));
    }
    let fill: Vec<char> = a.get(2).map_or(" ", text).chars().collect();
    if width <= chars.len() || fill.is_empty() {
        return Ok(Datum::from(chars.into_iter().take(width).collect::<String>()));
    }
    let padding: String = fill.iter().cycle().take(width - chars.len()).collect();
    let own: String = chars.into_iter().collect();
    Ok(Datum::from(if left { padding + &own } else { own + &padding }))
}

fn strpos(text: &str, part: &str) -> Datum {
    Datum::Int4(text.find(part).map_or(0, |index| text[..index].chars().count() as i32 + 1))
}

fn split_part(a: &[Datum]) -> Result<Datum> {
    let number = a[2].as_int().unwrap_or(0);
    let parts: Vec<&str> = match text(&a[1]) {
        "" => vec![text(&a[0])],
        separator => text(&a[0]).split(separator).collect(),
    };
    let index = match number {
        0 => return Err(Error::InvalidParameter("field position must not be zero".into())),
        number if number < 0 => parts.len() as i64 + number,
        number => number - 1,
    };
    Ok(Datum::text(usize::try_from(index).ok().and_then(|index| parts.get(index)).copied().unwrap_or_default()))
}

fn overlay(a: &[Datum]) -> Result<Datum> {
    let with = text(&a[1]);
    let start = a[2].as_int().unwrap_or(1);
    let count = a.get(3).and_then(Datum::as_int).unwrap_or(with.chars().count() as i64);
    if start < 1 {
        return Err(Error::InvalidParameter("negative substring length not allowed".into()));
    }
    let chars: Vec<char> = text(&a[0]).chars().collect();
    let head = (start as usize - 1).min(chars.len());
    let tail = (head as i64 + count).clamp(0, chars.len() as i64) as usize;
    let out: String = chars[..head].iter().copied().chain(with.chars()).chain(chars[tail..].iter().copied()).collect();
    Ok(Datum::from(out))
}

fn joined(context: &Context<'_>, a: &Arguments<'_>, from: usize, separator: &str) -> Result<Datum> {
    let mut parts = Vec::new();
    for (value, ty) in a.iter().zip(a.types).skip(from) {
        if !value.is_null() {
            parts.push(display::text(context, value, *ty)?);
        }
    }
    bounded(parts.join(separator))
}

pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// `format`: %s, %I, %L, %%, with positions and widths.
fn format(context: &Context<'_>, a: &Arguments<'_>) -> Result<Datum> {
    let Some(template) = a[0].as_str() else { return Ok(Datum::Null) };
    let mut out = String::new();
    let mut next = 1;
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = String::new();
        let kind = loop {
            match chars.next() {
                Some(c) if c.is_ascii_digit() || matches!(c, '$' | '-') => spec.push(c),
                Some(c) => break c,
                None => return Err(Error::InvalidParameter("unterminated format() type specifier".into())),
            }
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let (position, width) = match spec.split_once('$') {
            Some((position, width)) => (position.parse().ok(), width.to_owned()),
            None => (None, spec),
        };
        let index = position.unwrap_or(next);
        next = index + 1;
        let Some(value) = a.get(index) else {
            return Err(Error::InvalidParameter("too few arguments for format()".into()));
        };
        let shown = if value.is_null() { None } else { Some(display::text(context, value, a.types[index])?) };
        let shown = match (kind, shown) {
            ('s', shown) => shown.unwrap_or_default(),
            ('L', Some(shown)) => quote_literal(&shown),
            ('L', None) => "NULL".to_owned(),
            ('I', Some(shown)) => super::names::quote_ident(&shown),
            ('I', None) => {
                return Err(Error::InvalidParameter("null values cannot be formatted as an SQL identifier".into()));
            }
            (other, _) => {
                return Err(Error::InvalidParameter(format!("unrecognized format() type specifier \"{other}\"")));
            }
        };
        let left = width.starts_with('-');
        let width: usize = width.trim_start_matches('-').parse().unwrap_or(0);
        let gap = " ".repeat(width.min(MAX_TEXT).saturating_sub(shown.chars().count()));
        out.push_str(&if left { shown + &gap } else { gap + &shown });
    }
    bounded(out)
}

fn encode(a: &[Datum]) -> Result<Datum> {
    let data = bytes(&a[0]);
    match text(&a[1]) {
        "hex" => Ok(Datum::from(data.iter().map(|byte| format!("{byte:02x}")).collect::<String>())),
        "base64" => Ok(Datum::from(base64(data))),
        "escape" => {
            let show = |byte: &u8| match byte {
                b'\\' => "\\\\".to_owned(),
                0 | 128..=255 => format!("\\{byte:03o}"),
                other => char::from(*other).to_string(),
            };
            Ok(Datum::from(data.iter().map(show).collect::<String>()))
        }
        other => Err(Error::InvalidParameter(format!("unrecognized encoding: \"{other}\""))),
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(data: &[u8]) -> String {
    let mut out = String::new();
    for chunk in data.chunks(3) {
        let word =
            chunk.iter().enumerate().fold(0_u32, |word, (index, byte)| word | u32::from(*byte) << (16 - 8 * index));
        for index in 0..4 {
            if index <= chunk.len() {
                out.push(char::from(BASE64[(word >> (18 - 6 * index) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

fn decode(a: &[Datum]) -> Result<Datum> {
    let (data, format) = (text(&a[0]), text(&a[1]));
    match format {
        "hex" => {
            let invalid = || Error::InvalidParameter("invalid hexadecimal data".into());
            let digits: Option<Vec<u8>> = data.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
            let digits = digits.filter(|digits| digits.len().is_multiple_of(2)).ok_or_else(invalid)?;
            Ok(Datum::Bytea(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
        }
        "base64" => {
            let mut out = Vec::new();
            let (mut word, mut bits) = (0_u32, 0);
            for byte in data.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
                let value = BASE64.iter().position(|other| *other == byte);
                let value = value.ok_or_else(|| {
                    Error::InvalidParameter(format!(
                        "invalid symbol \"{}\" found while decoding base64 sequence",
                        char::from(byte)
                    ))
                })?;
                word = word << 6 | value as u32;
                bits += 6;
                if bits >= 8 {
                    bits -= 8;
                    out.push((word >> bits) as u8);
                }
            }
            Ok(Datum::Bytea(out.into()))
        }
        "escape" => {
            let context_free = data.replace("\\\\", "\u{0}");
            Ok(Datum::Bytea(context_free.replace('\u{0}', "\\").into_bytes().into()))
        }
        other => Err(Error::InvalidParameter(format!("unrecognized encoding: \"{other}\""))),
    }
}
