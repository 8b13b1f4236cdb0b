//! LIKE, SIMILAR TO, regular expressions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use mantissa_core::PgType;
use regex::Regex;

use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::ScalarFn;

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("op ~(text, text) bool", |_, a| matches(text(&a[0]), text(&a[1]), "")),
    ("op ~*(text, text) bool", |_, a| matches(text(&a[0]), text(&a[1]), "i")),
    ("op like(text, text) bool", |_, a| like(text(&a[0]), text(&a[1]), "\\", false)),
    ("op like(text, text, text) bool", |_, a| like(text(&a[0]), text(&a[1]), text(&a[2]), false)),
    ("op ilike(text, text) bool", |_, a| like(text(&a[0]), text(&a[1]), "\\", true)),
    ("op ilike(text, text, text) bool", |_, a| like(text(&a[0]), text(&a[1]), text(&a[2]), true)),
    ("op similar(text, text) bool", |_, a| matches(text(&a[0]), &similar(text(&a[1]), Some('\\')), "")),
    ("op similar(text, text, text) bool", |_, a| {
        matches(text(&a[0]), &similar(text(&a[1]), text(&a[2]).chars().next()), "")
    }),
    ("op ^@(text, text) bool", |_, a| Ok(Datum::Bool(text(&a[0]).starts_with(text(&a[1]))))),
    ("like_escape(text, text) text", |_, a| Ok(a[0].clone())),
    ("regexp_replace(text, text, text) text", |_, a| replace(text(&a[0]), text(&a[1]), text(&a[2]), "")),
    ("regexp_replace(text, text, text, text) text", |_, a| replace(text(&a[0]), text(&a[1]), text(&a[2]), text(&a[3]))),
    ("regexp_match(text, text) _text", |_, a| captures(text(&a[0]), text(&a[1]), "")),
    ("regexp_match(text, text, text) _text", |_, a| captures(text(&a[0]), text(&a[1]), text(&a[2]))),
    ("regexp_split_to_array(text, text) _text", |_, a| {
        let pattern = compiled(text(&a[1]), "")?;
        Ok(Datum::text_array(pattern.split(text(&a[0]))))
    }),
    ("regexp_like(text, text) bool", |_, a| matches(text(&a[0]), text(&a[1]), "")),
    ("regexp_count(text, text) int4", |_, a| {
        Ok(Datum::Int4(compiled(text(&a[1]), "")?.find_iter(text(&a[0])).count() as i32))
    }),
    ("regexp_substr(text, text) text", |_, a| {
        Ok(compiled(text(&a[1]), "")?
            .find(text(&a[0]))
            .map(|found| found.as_str())
            .map(Datum::from)
            .unwrap_or(Datum::Null))
    }),
    ("substring(text, text) text", |_, a| {
        let pattern = compiled(text(&a[1]), "")?;
        let found = pattern.captures(text(&a[0]));
        let group =
            found.and_then(|found| found.get(1).or_else(|| found.get(0)).map(|group| group.as_str().to_owned()));
        Ok(group.into())
    }),
];

fn text(value: &Datum) -> &str {
    value.as_str().unwrap_or_default()
}

/// Patterns kept compiled, a thread's worth.
const KEPT: usize = 256;

/// Compiles a Postgres regular expression; `flags` are Postgres's (`i`, `g`, `n`, `s`, `x`, `q`).
pub fn compiled(pattern: &str, flags: &str) -> Result<Rc<Regex>> {
    thread_local! {
        static PATTERNS: RefCell<HashMap<String, Rc<Regex>>> = RefCell::default();
    }
    let mut options = String::from("s");
    if flags.contains('i') {
        options.push('i');
    }
    if flags.contains('n') || flags.contains('m') {
        options = options.replace('s', "m");
    }
    if flags.contains('x') {
        options.push('x');
    }
    let body = if flags.contains('q') { regex::escape(pattern) } else { translate(pattern) };
    let key = format!("(?{options}){body}");
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(found) = patterns.get(&key) {
            return Ok(Rc::clone(found));
        }
        let built = regex::RegexBuilder::new(&key).size_limit(1 << 20).build();
        let built = Rc::new(built.map_err(|error| Error::InvalidRegex(reason(&error)))?);
        if patterns.len() >= KEPT {
            patterns.clear();
        }
        patterns.insert(key, Rc::clone(&built));
        Ok(built)
    })
}

fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    match last.trim_start_matches("error: ") {
        "unclosed group" | "unopened group" => "parentheses () not balanced".into(),
        "unclosed character class" => "brackets [] not balanced".into(),
        "repetition operator missing expression" => "quantifier operand invalid".into(),
        other => other.to_owned(),
    }
}

/// Postgres's own escapes in the words of the regex crate.
fn translate(pattern: &str) -> String {
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('m' | 'M' | 'y') if !in_class => out.push_str("\\b"),
                Some('Y') if !in_class => out.push_str("\\B"),
                Some('Z') if !in_class => out.push_str("\\z"),
                Some('e') => out.push_str("\\x1b"),
                Some(next) => {
                    out.push('\\');
                    out.push(next);
                }
                None => out.push_str("\\\\"),
            },
            '[' if in_class && !out.ends_with('[') => {
                out.push_str(if chars.as_str().starts_with(':') { "[" } else { "\\[" })
            }
            '[' => {
                in_class = true;
                out.push('[');
            }
            ']' if in_class => {
                // The closing bracket of a named class does not close the class around it.
                if out.ends_with(':') && out.rfind("[:").is_some_and(|at| !out[at + 2..].contains(']')) {
                    out.push(']');
                } else {
                    in_class = false;
                    out.push(']');
                }
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

fn matches(value: &str, pattern: &str, flags: &str) -> Result<Datum> {
    Ok(Datum::Bool(compiled(pattern, flags)?.is_match(value)))
}

fn like(value: &str, pattern: &str, escape: &str, fold: bool) -> Result<Datum> {
    let mut escapes = escape.chars();
    let escape = escapes.next();
    if escapes.next().is_some() {
        return Err(Error::InvalidEscape);
    }
    let lower = |text: &str| if fold { text.to_lowercase() } else { text.to_owned() };
    let (value, pattern) = (lower(value), lower(pattern));
    let parts = like_parts(&pattern, escape)?;
    let chars: Vec<char> = value.chars().collect();
    Ok(Datum::Bool(wild(&chars, &parts)))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Any,
    One,
    Exactly(char),
}

fn like_parts(pattern: &str, escape: Option<char>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(if Some(c) == escape {
            let literal = chars.next();
            Part::Exactly(
                literal
                    .ok_or_else(|| Error::InvalidParameter("LIKE pattern must not end with escape character".into()))?,
            )
        } else {
            match c {
                '%' => Part::Any,
                '_' => Part::One,
                other => Part::Exactly(other),
            }
        });
    }
    Ok(parts)
}

/// Matches in time linear in value times pattern: the last `%` takes one character more whenever the rest fails.
fn wild(value: &[char], parts: &[Part]) -> bool {
    let (mut at, mut part) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < value.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                retry = Some((part + 1, at));
                part += 1;
            }
            Some(Part::One) => {
                at += 1;
                part += 1;
            }
            Some(Part::Exactly(c)) if *c == value[at] => {
                at += 1;
                part += 1;
            }
            _ => match &mut retry {
                Some((after, start)) => {
                    *start += 1;
                    at = *start;
                    part = *after;
                }
                None => return false,
            },
        }
    }
    parts[part.min(parts.len())..].iter().all(|part| *part == Part::Any)
}

/// SIMILAR TO as a regular expression.
fn similar(pattern: &str, escape: Option<char>) -> String {
    let mut out = String::from("^(?:");
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            _ if Some(c) == escape => {
                if let Some(literal) = chars.next() {
                    out.push_str(&regex::escape(&literal.to_string()));
                }
            }
            '[' => {
                in_class = true;
                out.push('[');
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            _ if in_class => out.push(c),
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '.' | '^' | '$' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out + ")$"
}

/// `\1` and `\&` in a replacement are `${1}` and `${0}`; a dollar is itself.
fn replacement(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some('&') => out.push_str("${0}"),
                Some(digit) if digit.is_ascii_digit() => out.push_str(&format!("${{{digit}}}")),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

fn replace(value: &str, pattern: &str, with: &str, flags: &str) -> Result<Datum> {
    let pattern = compiled(pattern, flags)?;
    let with = replacement(with);
    let limit = if flags.contains('g') { 0 } else { 1 };
    Ok(Datum::text(pattern.replacen(value, limit, with.as_str())))
}

fn captures(value: &str, pattern: &str, flags: &str) -> Result<Datum> {
    let pattern = compiled(pattern, flags)?;
    Ok(pattern.captures(value).map_or(Datum::Null, |found| groups(&found)))
}

/// The groups of a match; the whole where there are none.
pub fn groups(found: &regex::Captures<'_>) -> Datum {
    let skip = usize::from(found.len() > 1);
    let values = found.iter().skip(skip).map(|group| group.map(|group| group.as_str().to_owned()).into()).collect();
    Datum::array(PgType::TEXT, values)
}
