//! Tokens to pieces: each with its senses, or as the value it is.

use chrono::{DateTime, Utc};

use crate::lexicon::{LEXICON, Word};
use crate::time::{self, Period};
use crate::token::{Kind, Token};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Words(Vec<Word>),
    Period(Period),
    Place(&'static str),
    Number(f64),
    Ip,
    Cidr,
    Email,
    Quoted,
    /// A word the lexicon does not know: a name, or something not understood.
    Name,
    Possessive,
    Symbol,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub item: Item,
    /// As typed.
    pub text: String,
}

impl Piece {
    pub fn has(&self, test: impl Fn(Word) -> bool) -> bool {
        matches!(&self.item, Item::Words(words) if words.iter().any(|word| test(*word)))
    }

    pub fn is(&self, wanted: Word) -> bool {
        self.has(|word| word == wanted)
    }

    pub fn find<T>(&self, test: impl Fn(Word) -> Option<T>) -> Option<T> {
        match &self.item {
            Item::Words(words) => words.iter().find_map(|word| test(*word)),
            _ => None,
        }
    }
}

pub(crate) fn scan(tokens: &[Token], now: DateTime<Utc>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (item, end) = piece(tokens, at, now);
        let end = end.clamp(at + 1, tokens.len());
        let text = tokens[at..end].iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ");
        pieces.push(Piece { item, text });
        at = end;
    }
    pieces
}

fn piece(tokens: &[Token], at: usize, now: DateTime<Utc>) -> (Item, usize) {
    let token = &tokens[at];
    match token.kind {
        Kind::Quoted => return (Item::Quoted, at + 1),
        Kind::Ip => return (Item::Ip, at + 1),
        Kind::Cidr => return (Item::Cidr, at + 1),
        Kind::Email => return (Item::Email, at + 1),
        Kind::Symbol if token.low == "'s" => return (Item::Possessive, at + 1),
        _ => {}
    }
    let period = time::period(tokens, at, now);
    let senses = LEXICON.senses(tokens, at);
    let place = LEXICON.place(tokens, at);
    let reach = senses.as_ref().map_or(0, |(_, end)| *end);
    if let Some((period, end)) = period.filter(|(_, end)| *end >= reach) {
        return (Item::Period(period), end);
    }
    if let Some((code, end)) = place.filter(|(_, end)| *end >= reach) {
        return (Item::Place(code), end);
    }
    if let Some((words, end)) = senses {
        return (Item::Words(words), end);
    }
    match token.kind {
        Kind::Number(value) => (Item::Number(value), at + 1),
        Kind::Symbol => (Item::Symbol, at + 1),
        _ => (Item::Name, at + 1),
    }
}
