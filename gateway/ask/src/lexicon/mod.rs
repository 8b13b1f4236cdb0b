//! The vocabulary, compiled once from its tables. Everything the translator knows about a vendor or about English is a
//! line in `words.rs`, `nouns.rs`, `verbs.rs`, `events.rs` or `places.rs`.

mod conditions;
mod events;
mod nouns;
mod places;
mod verbs;
mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use conditions::parse_conditions;

use crate::intent::{Expr, Filter, Op, Unit};
use crate::token::{Kind, Token};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    /// A failure where somebody or something said no; REJECT for network flows.
    Denied,
    Allowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prep {
    By,
    Per,
    From,
    Leaving,
    To,
    In,
    On,
    Of,
    Using,
    With,
    As,
    Between,
    Outside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Sum,
    Average,
    Largest,
    Smallest,
}

/// One sense of a word or phrase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Word {
    /// A table, with a condition where a product is only a part of it.
    Source(&'static str, &'static str),
    /// A table, unless one is named.
    Hint(&'static str),
    Everything,
    Service(&'static str),
    Noun(&'static str),
    Verb(&'static str, bool),
    Concept(&'static str),
    Login {
        done: bool,
    },
    Console,
    Root,
    Outcome(Outcome),
    Severity(Op, u8),
    Finding,
    Category(&'static str),
    Condition(&'static str, &'static str),
    Internal,
    External,
    Prep(Prep),
    And,
    Or,
    Versus,
    Not,
    Except,
    Else,
    Contains,
    StartsWith,
    EndsWith,
    Missing,
    Present,
    Compare(Op),
    OrMore,
    OrLess,
    Times,
    Count,
    Distinct,
    Aggregate(Aggregate),
    First,
    Last,
    Percent,
    Most,
    Least,
    Top,
    Bucket(Unit),
    Timeline,
    Who,
    When,
    Where,
    Which,
    Did,
    Anyone,
    Same,
    Ever,
    Unsupported,
    InsteadOf,
    Referred(&'static str),
    Later,
    WhereTo,
    Pronoun,
    Then,
    ButNo,
    NeverBefore,
    Be,
    That,
    Stop,
}

/// What vendors call a thing that happens in one table.
#[derive(Debug)]
pub(crate) struct Event {
    pub table: &'static str,
    /// Each need is met by any one of its concepts.
    pub needs: Vec<Vec<&'static str>>,
    pub conditions: Vec<Filter>,
}

#[derive(Debug)]
pub(crate) struct Noun {
    /// `(tables, expression, stored text ends with the name)`; `*` for every table.
    pub fields: Vec<(&'static str, Expr, bool)>,
}

pub(crate) struct Lexicon {
    phrases: HashMap<&'static str, Vec<(Vec<&'static str>, Word)>>,
    places: HashMap<&'static str, Vec<(Vec<&'static str>, &'static str)>>,
    nouns: HashMap<&'static str, Noun>,
    pub events: Vec<Event>,
    vocabulary: std::collections::HashSet<&'static str>,
}

pub(crate) static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::compile);

impl Lexicon {
    fn compile() -> Self {
        let mut lexicon = Self {
            phrases: HashMap::new(),
            places: HashMap::new(),
            nouns: HashMap::new(),
            events: Vec::new(),
            vocabulary: std::collections::HashSet::new(),
        };
        for (word, phrases) in words::WORDS {
            lexicon.add(phrases, *word);
        }
        for (concept, phrases, fields) in nouns::NOUNS {
            lexicon.add(phrases, Word::Noun(concept));
            lexicon.nouns.insert(concept, Noun { fields: conditions::parse_fields(fields) });
        }
        for (concept, done, other) in verbs::VERBS {
            lexicon.add(done, Word::Verb(concept, true));
            lexicon.add(other, Word::Verb(concept, false));
        }
        for (code, names) in places::PLACES {
            for name in names.split('|') {
                let parts: Vec<&'static str> = name.split(' ').collect();
                lexicon.places.entry(parts[0]).or_default().push((parts, code));
            }
        }
        for senses in lexicon.phrases.values_mut() {
            senses.sort_by_key(|(parts, _)| std::cmp::Reverse(parts.len()));
        }
        for names in lexicon.places.values_mut() {
            names.sort_by_key(|(parts, _)| std::cmp::Reverse(parts.len()));
        }
        lexicon.events = events::EVENTS
            .iter()
            .map(|(table, needs, conditions)| Event {
                table,
                needs: needs.split(' ').map(|need| need.split('|').collect()).collect(),
                conditions: parse_conditions(conditions),
            })
            .collect();
        lexicon
    }

    fn add(&mut self, phrases: &'static str, word: Word) {
        for phrase in phrases.split('|').filter(|phrase| !phrase.is_empty()) {
            let parts: Vec<&'static str> = phrase.split(' ').collect();
            self.vocabulary.extend(parts.iter().copied());
            self.phrases.entry(parts[0]).or_default().push((parts, word));
        }
    }

    /// The senses of the longest phrase that starts at `at`, and where it ends.
    pub fn senses(&self, tokens: &[Token], at: usize) -> Option<(Vec<Word>, usize)> {
        let mut best: Option<(Vec<Word>, usize)> = None;
        for first in forms(&tokens[at]) {
            for (parts, word) in self.phrases.get(first.as_str()).into_iter().flatten() {
                let end = at + parts.len();
                if best.as_ref().is_some_and(|(_, found)| *found > end) {
                    break;
                }
                if !matches(parts, tokens, at) {
                    continue;
                }
                match &mut best {
                    Some((words, found)) if *found == end => words.push(*word),
                    _ => best = Some((vec![*word], end)),
                }
            }
            if best.is_some() && forms(&tokens[at]).first() == Some(&first) {
                // A word known as it stands is not read as a plural.
                break;
            }
        }
        best
    }

    /// The country whose name starts at `at`. Its code counts only in capitals, and `us` only where it can be no pronoun.
    pub fn place(&self, tokens: &[Token], at: usize) -> Option<(&'static str, usize)> {
        let token = &tokens[at];
        if !matches!(token.kind, Kind::Word | Kind::Quoted) {
            return None;
        }
        for first in forms(token) {
            for (parts, code) in self.places.get(first.as_str()).into_iter().flatten() {
                if matches(parts, tokens, at) {
                    return Some((code, at + parts.len()));
                }
            }
        }
        let before = at.checked_sub(1).map(|i| tokens[i].low.as_str()).unwrap_or_default();
        let spoken_of = matches!(before, "the" | "from" | "outside" | "country" | "non" | "of" | "or" | "in" | "not");
        let code =
            places::PLACES.iter().find(|(code, _)| token.low.eq_ignore_ascii_case(code)).map(|(code, _)| *code)?;
        let capital = token.text.len() == 2 && token.text.chars().all(|c| c.is_ascii_uppercase());
        let us = code == "US" && matches!(before, "the" | "from" | "outside" | "non" | "of");
        ((capital && spoken_of) || us || (capital && code == "US")).then_some((code, at + 1))
    }

    /// Where `table` keeps what `noun` names, and whether the stored text only ends with the name.
    pub fn field(&self, noun: &str, table: &str) -> Option<(Expr, bool)> {
        let fields = &self.nouns.get(noun)?.fields;
        let find = |name: &str| {
            fields.iter().find(|(table, _, _)| *table == name).map(|(_, expr, tail)| (expr.clone(), *tail))
        };
        find(table).or_else(|| find("*"))
    }

    /// The tables that keep `noun`, `*` left out.
    pub fn tables_of(&self, noun: &str) -> Vec<&'static str> {
        let fields = self.nouns.get(noun).map(|noun| noun.fields.as_slice()).unwrap_or_default();
        if fields.iter().any(|(table, _, _)| *table == "*") {
            return Vec::new();
        }
        fields.iter().map(|(table, _, _)| *table).collect()
    }

    pub fn default_table(&self, concepts: &[&str]) -> Option<&'static str> {
        events::DEFAULT_TABLE.iter().find(|(concept, _)| concepts.contains(concept)).map(|(_, table)| *table)
    }

    /// Whether a word is part of any phrase.
    pub fn knows(&self, word: &str) -> bool {
        self.vocabulary.contains(word.to_lowercase().as_str())
    }

    /// The one known word that an unknown word is a slip of the keyboard away from.
    pub fn correction(&self, word: &str) -> Option<&'static str> {
        if word.chars().count() < 7 || !word.chars().all(char::is_alphabetic) {
            return None;
        }
        let mut near = self.vocabulary.iter().filter(|known| known.len() >= 6 && one_slip(word, known));
        let found = near.next()?;
        near.next().is_none().then_some(*found)
    }
}

/// A token as it may stand in a phrase: as written, and as a singular.
fn forms(token: &Token) -> Vec<String> {
    let low = &token.low;
    if token.kind == Kind::Quoted {
        return Vec::new();
    }
    let mut forms = vec![low.clone()];
    if token.kind == Kind::Word && low.len() > 2 {
        if let Some(stem) = low.strip_suffix("ies") {
            forms.push(format!("{stem}y"));
        }
        if let Some(stem) = low.strip_suffix("es") {
            forms.push(stem.to_owned());
        }
        if let Some(stem) = low.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
            forms.push(stem.to_owned());
        }
    }
    forms
}

fn matches(parts: &[&str], tokens: &[Token], at: usize) -> bool {
    parts.iter().enumerate().all(|(i, part)| {
        tokens
            .get(at + i)
            .is_some_and(|token| token.kind != Kind::Quoted && forms(token).iter().any(|form| form == part))
    })
}

/// One letter more, less, other, or two swapped.
fn one_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a == b || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (rest_a, rest_b) = (&a[start..], &b[start..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Less => rest_a == &rest_b[1..],
        std::cmp::Ordering::Greater => &rest_a[1..] == rest_b,
        std::cmp::Ordering::Equal => {
            rest_a[1..] == rest_b[1..]
                || (rest_a.len() > 1 && rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0] && rest_a[2..] == rest_b[2..])
        }
    }
}
