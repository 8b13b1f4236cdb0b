//! Text to tokens. Values (addresses, dates, quoted text, names) keep their spelling; words are compared in lower case.

use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::NaiveDate;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Word,
    /// A count: digits, with thousands separators and a decimal multiplier (`10k`) already resolved.
    Number(f64),
    Ip,
    Cidr,
    Email,
    Quoted,
    Date(NaiveDate),
    /// Hour and minute of a day.
    Clock(u32, u32),
    Symbol,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// As typed, without the quotes.
    pub text: String,
    pub low: String,
    pub kind: Kind,
}

impl Token {
    fn new(text: &str, kind: Kind) -> Self {
        Self { text: text.to_owned(), low: text.to_lowercase(), kind }
    }

    pub fn number(&self) -> Option<f64> {
        match self.kind {
            Kind::Number(value) => Some(value),
            _ => None,
        }
    }
}

const UNITS: &[&str] = &[
    "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs", "d", "w", "mo", "ms", "b", "kb", "mb", "gb", "tb", "kib",
    "mib", "gib",
];

/// Words whose contraction hides a negation or a verb.
const CONTRACTIONS: &[(&str, &str)] = &[
    ("what's", "what is"),
    ("whats", "what is"),
    ("who's", "who is"),
    ("where's", "where is"),
    ("that's", "that is"),
    ("it's", "it is"),
    ("there's", "there is"),
    ("i'm", "i am"),
    ("we're", "we are"),
    ("exec'd", "exec"),
    ("can't", "can not"),
    ("won't", "will not"),
    ("cannot", "can not"),
    ("w/o", "without"),
    ("w/", "with"),
];

pub(crate) fn tokenise(question: &str) -> Vec<Token> {
    let text: Vec<char> = question.chars().map(straighten).collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let c = text[at];
        if c.is_whitespace() {
            at += 1;
        } else if let Some(end) = quoted_end(&text, at) {
            let inner: String = text[at + 1..end].iter().collect();
            tokens.push(Token::new(&inner, Kind::Quoted));
            at = end + 1;
        } else if is_word_char(c) && is_word_part(&text, at) {
            let end = (at..text.len()).find(|&i| !is_word_part(&text, i)).unwrap_or(text.len());
            let word: String = text[at..end].iter().collect();
            push_word(&word, &mut tokens);
            at = end;
        } else {
            at = push_symbol(&text, at, &mut tokens);
        }
    }
    tokens
}

fn straighten(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2013}' | '\u{2014}' => '-',
        other => other,
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || "_-./:@*%+$&#\\~".contains(c)
}

/// An apostrophe belongs to a word only between letters (`alice's`, `weren't`), a comma only between digits (`1,000`).
fn is_word_part(text: &[char], i: usize) -> bool {
    let c = text[i];
    if is_word_char(c) {
        // `->` is a symbol, also right after a word.
        return !(c == '-' && text.get(i + 1) == Some(&'>'));
    }
    let between = |test: fn(&char) -> bool| i > 0 && test(&text[i - 1]) && text.get(i + 1).is_some_and(test);
    match c {
        '\'' => between(|c| c.is_alphanumeric()),
        ',' => {
            between(|c| c.is_ascii_digit())
                && text[i + 1..].iter().take_while(|c| c.is_ascii_digit()).count() == 3
                && !text[..i].iter().rev().take_while(|c| !c.is_whitespace()).any(|c| *c == '.')
        }
        _ => false,
    }
}

/// Where a quote that opens a value at `at` closes.
fn quoted_end(text: &[char], at: usize) -> Option<usize> {
    let quote = text[at];
    if !matches!(quote, '\'' | '"' | '`') {
        return None;
    }
    let opens = at == 0 || !text[at - 1].is_alphanumeric();
    let close = (at + 1..text.len())
        .find(|&i| text[i] == quote && text.get(i + 1).is_none_or(|next| !next.is_alphanumeric() && *next != quote))?;
    (opens && close > at + 1).then_some(close)
}

fn push_symbol(text: &[char], at: usize, tokens: &mut Vec<Token>) -> usize {
    let two: String = text[at..text.len().min(at + 2)].iter().collect();
    if matches!(two.as_str(), ">=" | "<=" | "!=" | "<>" | "==" | "->") {
        tokens.push(Token::new(&two, Kind::Symbol));
        return at + 2;
    }
    // Sentence marks carry no meaning here; everything else must be understood by the grammar.
    if !matches!(text[at], '?' | '!' | '(' | ')' | ',') || text[at] == ',' {
        tokens.push(Token::new(&text[at].to_string(), Kind::Symbol));
    }
    at + 1
}

fn push_word(word: &str, tokens: &mut Vec<Token>) {
    if let Some(arrow) = word.strip_suffix('-').filter(|rest| rest.ends_with(char::is_alphanumeric)) {
        return push_word(arrow, tokens);
    }
    let low = word.to_lowercase();
    if let Some((_, expanded)) = CONTRACTIONS.iter().find(|(short, _)| *short == low) {
        tokens.extend(expanded.split(' ').map(|part| Token::new(part, Kind::Word)));
        return;
    }
    let trimmed = word.trim_end_matches(['.', ':']);
    if trimmed.is_empty() {
        return;
    }
    if let Some(stem) = trimmed.strip_suffix("'s").or_else(|| trimmed.strip_suffix("'S")) {
        push_word(stem, tokens);
        tokens.push(Token::new("'s", Kind::Symbol));
        return;
    }
    if let Some(stem) = low.strip_suffix("n't") {
        let stem = if stem == "ca" { "can" } else { stem };
        tokens.push(Token::new(stem, Kind::Word));
        tokens.push(Token::new("not", Kind::Word));
        return;
    }
    if !trimmed.chars().any(char::is_alphanumeric) {
        // A lone dash, slash or dot separates; anything else (`--`, `*`) must be understood.
        if !matches!(trimmed, "-" | "/" | "." | "&" | "+") {
            tokens.push(Token::new(trimmed, Kind::Symbol));
        } else if trimmed == "/" || trimmed == "&" {
            tokens.push(Token::new(if trimmed == "&" { "and" } else { "/" }, Kind::Symbol));
        }
        return;
    }
    push_value(trimmed, tokens);
}

fn push_value(word: &str, tokens: &mut Vec<Token>) {
    if let Some(kind) = value_kind(word) {
        tokens.push(Token::new(word, kind));
        return;
    }
    if let Some(stem) = word.strip_suffix('+').filter(|stem| stem.parse::<f64>().is_ok()) {
        push_value(stem, tokens);
        tokens.push(Token::new("+", Kind::Symbol));
        return;
    }
    if let Some(stem) = word.strip_suffix('%').filter(|stem| stem.parse::<f64>().is_ok()) {
        push_value(stem, tokens);
        tokens.push(Token::new("percent", Kind::Word));
        return;
    }
    if !split_number(word, tokens) {
        tokens.push(Token::new(word, Kind::Word));
    }
}

fn value_kind(word: &str) -> Option<Kind> {
    if word.parse::<Ipv4Addr>().is_ok() || (word.matches(':').count() >= 2 && word.parse::<Ipv6Addr>().is_ok()) {
        return Some(Kind::Ip);
    }
    if let Some((address, bits)) = word.split_once('/')
        && (address.parse::<Ipv4Addr>().is_ok() || address.parse::<Ipv6Addr>().is_ok())
        && bits.parse::<u8>().is_ok_and(|bits| bits <= 128)
    {
        return Some(Kind::Cidr);
    }
    if let Some((name, domain)) = word.split_once('@')
        && !name.is_empty()
        && !domain.is_empty()
    {
        return Some(Kind::Email);
    }
    if let Ok(date) = NaiveDate::parse_from_str(word, "%Y-%m-%d") {
        return Some(Kind::Date(date));
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        if let Some(clock) = clock(word) {
            return Some(clock);
        }
        // An account number may start with a zero and must keep it; its text is what is used.
        return word.replace(',', "").parse::<f64>().ok().filter(|value| value.is_finite()).map(Kind::Number);
    }
    None
}

fn clock(word: &str) -> Option<Kind> {
    let low = word.to_lowercase();
    let (digits, half) = match (low.strip_suffix("am"), low.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        _ => (low.as_str(), None),
    };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?),
        Some(_) => return None,
        None if half.is_some() => (digits.parse::<u32>().ok()?, 0),
        None => return None,
    };
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    (hour <= 24 && minute < 60).then_some(Kind::Clock(hour, minute))
}

/// `30d`, `500MB`, `3rd`, `404s`, `10k`: a number with something written against it.
fn split_number(word: &str, tokens: &mut Vec<Token>) -> bool {
    let digits = word.chars().take_while(|c| c.is_ascii_digit() || *c == '.').count();
    let (number, suffix) = word.split_at(digits);
    let Ok(value) = number.parse::<f64>() else { return false };
    let low = suffix.to_lowercase();
    match low.as_str() {
        "st" | "nd" | "rd" | "th" => tokens.push(Token::new(number, Kind::Number(value))),
        "s" if value >= 100.0 => tokens.push(Token::new(number, Kind::Number(value))),
        "k" => tokens.push(Token::new(number, Kind::Number(value * 1000.0))),
        unit if UNITS.contains(&unit) => {
            tokens.push(Token::new(number, Kind::Number(value)));
            tokens.push(Token::new(suffix, Kind::Word));
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(question: &str) -> Vec<String> {
        tokenise(question).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn values_keep_their_spelling() {
        for value in [
            "10.0.0.1",
            "0.0.0.0/0",
            "Ann@Corp.com",
            "arn:aws:iam::1:role/Ops",
            "sg-0a1b",
            "us-east-1",
            "2026-11-01",
            "db/main",
        ] {
            assert_eq!(texts(&format!("what about {value}, then?")), ["what", "about", value, ",", "then"], "{value}");
        }
    }

    #[test]
    fn numbers_split_from_their_units() {
        assert_eq!(
            texts("last 30d over 500MB, 3+ times, 404s, 3rd, 1,000"),
            ["last", "30", "d", "over", "500", "MB", ",", "3", "+", "times", ",", "404", ",", "3", ",", "1,000"]
        );
        assert_eq!(
            tokenise("9am 22:00 12pm").iter().map(|t| t.kind.clone()).collect::<Vec<_>>(),
            [Kind::Clock(9, 0), Kind::Clock(22, 0), Kind::Clock(12, 0)]
        );
    }

    #[test]
    fn quotes_hold_values_and_apostrophes_hold_words() {
        assert_eq!(texts("who used 'db admin' or \"x y\""), ["who", "used", "db admin", "or", "x y"]);
        assert_eq!(texts("alice's logins weren't ok"), ["alice", "'s", "logins", "were", "not", "ok"]);
        assert_eq!(texts("logins'; drop"), ["logins", "'", ";", "drop"]);
    }
}
