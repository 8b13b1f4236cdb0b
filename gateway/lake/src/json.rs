//! A JSON reader over borrowed text: one checking pass, then walks that allocate nothing.

use std::borrow::Cow;

/// Nesting that a value may have; deeper ones are not events but attacks.
pub const MAX_DEPTH: usize = 128;

/// What a checking scan over bytes found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// The value ends before this index.
    Done(usize),
    /// The bytes end inside the value.
    Incomplete,
    Fault {
        at: usize,
        what: &'static str,
    },
}

/// Finds the end of the JSON value that starts at `start`, checking its grammar.
pub fn scan_value(bytes: &[u8], start: usize) -> Scan {
    match check_value(bytes, start, 0) {
        Ok(end) => Scan::Done(end),
        Err(None) => Scan::Incomplete,
        Err(Some((at, what))) => Scan::Fault { at, what },
    }
}

type Check = Result<usize, Option<(usize, &'static str)>>;

fn fault(at: usize, what: &'static str) -> Check {
    Err(Some((at, what)))
}

pub fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

fn check_value(bytes: &[u8], at: usize, depth: usize) -> Check {
    match bytes.get(at) {
        None => Err(None),
        Some(b'"') => check_string(bytes, at),
        Some(b'{') => check_object(bytes, at, depth),
        Some(b'[') => check_array(bytes, at, depth),
        Some(b't') => check_word(bytes, at, b"true"),
        Some(b'f') => check_word(bytes, at, b"false"),
        Some(b'n') => check_word(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => check_number(bytes, at),
        Some(_) => fault(at, "not JSON"),
    }
}

fn check_word(bytes: &[u8], at: usize, word: &'static [u8]) -> Check {
    let rest = &bytes[at..];
    if rest.len() < word.len() {
        return if word.starts_with(rest) { Err(None) } else { fault(at, "not JSON") };
    }
    if rest.starts_with(word) { Ok(at + word.len()) } else { fault(at, "not JSON") }
}

fn check_number(bytes: &[u8], start: usize) -> Check {
    let digits = |mut at: usize| {
        let from = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at, at > from)
    };
    let mut at = start + usize::from(bytes[start] == b'-');
    let leading_zero = bytes.get(at) == Some(&b'0');
    let first = at;
    let mut some;
    (at, some) = digits(at);
    if leading_zero && at > first + 1 {
        return fault(first, "a number starts with zero");
    }
    if some && bytes.get(at) == Some(&b'.') {
        (at, some) = digits(at + 1);
    }
    if some && matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        (at, some) = digits(at);
    }
    match (some, at == bytes.len()) {
        (_, true) => Err(None),
        (true, false) => Ok(at),
        (false, false) => fault(at, "a number has no digits"),
    }
}

/// Bytes that need a look inside a string: quote, backslash and control characters.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

fn check_string(bytes: &[u8], start: usize) -> Check {
    let mut at = start + 1;
    loop {
        while let Some(byte) = bytes.get(at) {
            if SPECIAL[*byte as usize] {
                break;
            }
            at += 1;
        }
        match bytes.get(at) {
            None => return Err(None),
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = check_escape(bytes, at)?,
            Some(_) => return fault(at, "a string holds a control character"),
        }
    }
}

fn check_escape(bytes: &[u8], at: usize) -> Check {
    match bytes.get(at + 1) {
        None => Err(None),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            for index in at + 2..at + 6 {
                match bytes.get(index) {
                    None => return Err(None),
                    Some(byte) if byte.is_ascii_hexdigit() => {}
                    Some(_) => return fault(index, "a \\u escape is not four hex digits"),
                }
            }
            Ok(at + 6)
        }
        Some(_) => fault(at, "an unknown escape"),
    }
}

fn check_object(bytes: &[u8], start: usize, depth: usize) -> Check {
    if depth >= MAX_DEPTH {
        return fault(start, "nested too deeply");
    }
    let mut at = skip_space(bytes, start + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        match bytes.get(at) {
            None => return Err(None),
            Some(b'"') => at = check_string(bytes, at)?,
            Some(_) => return fault(at, "a key is missing"),
        }
        at = skip_space(bytes, at);
        match bytes.get(at) {
            None => return Err(None),
            Some(b':') => at = skip_space(bytes, at + 1),
            Some(_) => return fault(at, "a colon is missing"),
        }
        at = skip_space(bytes, check_value(bytes, at, depth + 1)?);
        match bytes.get(at) {
            None => return Err(None),
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            Some(_) => return fault(at, "a comma is missing"),
        }
    }
}

fn check_array(bytes: &[u8], start: usize, depth: usize) -> Check {
    if depth >= MAX_DEPTH {
        return fault(start, "nested too deeply");
    }
    let mut at = skip_space(bytes, start + 1);
    if bytes.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        at = skip_space(bytes, check_value(bytes, at, depth + 1)?);
        match bytes.get(at) {
            None => return Err(None),
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b']') => return Ok(at + 1),
            Some(_) => return fault(at, "a comma is missing"),
        }
    }
}

/// A JSON value, borrowed from checked text. Containers and strings are their text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Value<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(&'a str),
    /// What stands between the quotes, escapes and all.
    String(&'a str),
    Object(&'a str),
    Array(&'a str),
}

impl<'a> Value<'a> {
    /// Reads checked text; anything else reads as null.
    pub fn of(text: &'a str) -> Value<'a> {
        let start = skip_space(text.as_bytes(), 0);
        value_at(text, start).map_or(Value::Null, |(value, _)| value)
    }

    /// The text of a scalar; nothing for null, an empty string, an object or an array.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Value::String("") | Value::Null | Value::Object(_) | Value::Array(_) => None,
            Value::String(inner) => Some(unescape(inner)),
            Value::Number(number) => Some(Cow::Borrowed(number)),
            Value::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
        }
    }

    /// A whole number, also from a string that holds one.
    pub fn integer(self) -> Option<i64> {
        match self {
            Value::Number(text) | Value::String(text) => text.parse().ok().or_else(|| whole(text.parse::<f64>().ok()?)),
            _ => None,
        }
    }

    pub fn number(self) -> Option<f64> {
        match self {
            Value::Number(text) | Value::String(text) => text.parse().ok().filter(|value: &f64| value.is_finite()),
            _ => None,
        }
    }

    /// A truth value, also from a string as some deliveries write it.
    pub fn boolean(self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(value),
            Value::String(text) if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("yes") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") || text.eq_ignore_ascii_case("no") => Some(false),
            _ => None,
        }
    }

    /// Members of an object, in order; of anything else none.
    pub fn members(self) -> Members<'a> {
        match self {
            Value::Object(text) => Members { text, at: 1 },
            _ => Members { text: "", at: 0 },
        }
    }

    /// Elements of an array, in order; of anything else none.
    pub fn elements(self) -> Elements<'a> {
        match self {
            Value::Array(text) => Elements { text, at: 1 },
            _ => Elements { text: "", at: 0 },
        }
    }

    /// The value of the first member called `key`; null where there is none.
    pub fn get(self, key: &str) -> Value<'a> {
        self.members().find(|(name, _)| *name == key).map_or(Value::Null, |(_, value)| value)
    }

    /// The value at the end of a path of keys.
    pub fn at(self, path: &[&str]) -> Value<'a> {
        path.iter().fold(self, |value, key| value.get(key))
    }
}

fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 9.0e15).then_some(value as i64)
}

/// Walks the members of an object.
pub struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    /// Key (between its quotes) and value.
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let key_start = next_item(bytes, self.at)?;
        if bytes.get(key_start) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(bytes, key_start)?;
        let colon = skip_space(bytes, key_end);
        let (value, end) = value_at(self.text, skip_space(bytes, colon + 1))?;
        self.at = end;
        Some((&self.text[key_start + 1..key_end - 1], value))
    }
}

/// Walks the elements of an array.
pub struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let start = next_item(bytes, self.at)?;
        let (value, end) = value_at(self.text, start)?;
        self.at = end;
        Some(value)
    }
}

fn next_item(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = skip_space(bytes, at);
    if bytes.get(at) == Some(&b',') {
        at = skip_space(bytes, at + 1);
    }
    (!matches!(bytes.get(at), None | Some(b'}' | b']'))).then_some(at)
}

fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Reads the value at `start` of checked text, with the index after it.
fn value_at(text: &str, start: usize) -> Option<(Value<'_>, usize)> {
    let bytes = text.as_bytes();
    let (value, end) = match bytes.get(start)? {
        b'"' => {
            let end = string_end(bytes, start)?;
            (Value::String(text.get(start + 1..end - 1)?), end)
        }
        b'{' => {
            let end = container_end(bytes, start)?;
            (Value::Object(text.get(start..end)?), end)
        }
        b'[' => {
            let end = container_end(bytes, start)?;
            (Value::Array(text.get(start..end)?), end)
        }
        b't' => (Value::Bool(true), start + 4),
        b'f' => (Value::Bool(false), start + 5),
        b'n' => (Value::Null, start + 4),
        _ => {
            let length = bytes[start..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'))
                .unwrap_or(bytes.len() - start);
            (Value::Number(text.get(start..start + length)?), start + length)
        }
    };
    Some((value, end))
}

fn container_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Resolves the escapes of a string's inner text. A lone surrogate becomes U+FFFD, a NUL is dropped (no Postgres text
/// holds one).
pub fn unescape(inner: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(backslash) = rest.find('\\') {
        out.push_str(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        let Some(kind) = rest.chars().next() else { break };
        rest = &rest[kind.len_utf8()..];
        match kind {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => rest = push_code_point(&mut out, rest),
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Pushes the character of the hex digits that `rest` starts with, and returns what follows them.
fn push_code_point<'a>(out: &mut String, rest: &'a str) -> &'a str {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let Some(high) = unit(rest) else { return rest };
    let after = &rest[4..];
    if (0xd800..0xdc00).contains(&high)
        && let Some(low) = after.strip_prefix("\\u").and_then(unit)
        && (0xdc00..0xe000).contains(&low)
    {
        out.extend(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
        return &after[6..];
    }
    if high != 0 {
        out.push(char::from_u32(high).unwrap_or('\u{fffd}'));
    }
    after
}

/// Appends `text` to `out` as a JSON string, quotes included.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(text: &str) -> bool {
        scan_value(format!("{text} ").as_bytes(), 0) == Scan::Done(text.len())
    }

    #[test]
    fn valid_values_end_where_they_should() {
        for text in ["{}", "[]", r#"{"a":[1,-2.5e3,"x\"\u00e9",true,null]}"#, "0", "-0.5", "{ \"a\" : { } }"] {
            assert!(done(text), "{text}");
        }
    }

    #[test]
    fn what_serde_rejects_is_a_fault() {
        for text in
            ["{\"a\":01}", "{a:1}", "{\"a\" 1}", "[1 2]", "\"\\x\"", "{\"a\":tru}", "[1,]", "{\"a\":1,}", "\"\n\""]
        {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err());
            assert!(matches!(scan_value(format!("{text} ").as_bytes(), 0), Scan::Fault { .. }), "{text}");
        }
    }

    #[test]
    fn a_cut_value_is_incomplete() {
        let text = r#"{"a":[1,"x\u00e9"],"b":true}"#;
        for length in 1..text.len() {
            assert_eq!(scan_value(&text.as_bytes()[..length], 0), Scan::Incomplete, "{length}");
        }
    }

    #[test]
    fn deep_nesting_is_a_fault_and_not_a_stack_overflow() {
        let text = "[".repeat(1_000_000);
        assert!(matches!(scan_value(text.as_bytes(), 0), Scan::Fault { what: "nested too deeply", .. }));
    }

    #[test]
    fn members_are_found_by_path() {
        let value = Value::of(r#"{"a": {"b": [1, {"c": "x\ty"}]}, "n": null, "s": "false", "i": "17"}"#);
        let inner = value.at(&["a", "b"]).elements().nth(1).unwrap();
        assert_eq!(inner.get("c").text().unwrap(), "x\ty");
        assert_eq!(value.get("s").boolean(), Some(false));
        assert_eq!(value.get("i").integer(), Some(17));
        assert_eq!(value.at(&["n", "deeper"]), Value::Null);
    }

    #[test]
    fn escapes_resolve_and_write_back() {
        assert_eq!(unescape(r"\u00e9\ud83d\ude00\ud800x\u0000"), "\u{e9}\u{1f600}\u{fffd}x");
        let mut out = String::new();
        push_string(&mut out, "a\"\\\n\u{1}é");
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), "a\"\\\n\u{1}é");
    }
}
