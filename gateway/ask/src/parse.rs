//! Pieces to a draft: one rule per joint of grammar, left to right. A piece that no rule takes is reported as not
//! understood; nothing is skipped but the words that the lexicon lists as without meaning.

mod joints;
mod measures;
mod negation;
mod things;
mod values;

use crate::draft::Draft;
use crate::intent::{Filter, Literal, Op, Test};
use crate::lexicon::{LEXICON, Outcome, Word};
use crate::scan::{Item, Piece};
use crate::time::Period;

pub(crate) fn parse(pieces: &[Piece], table: Option<&str>) -> Draft {
    let mut named: Vec<String> = pieces
        .iter()
        .filter_map(|piece| piece.find(|word| matches!(word, Word::Source(..)).then_some(word)))
        .filter_map(|word| if let Word::Source(table, _) = word { Some(table.to_owned()) } else { None })
        .collect();
    if named.is_empty() {
        named.extend(table.map(str::to_owned));
    }
    let mut parser = Parser { pieces, named, draft: Draft::default() };
    let mut at = 0;
    while at < pieces.len() {
        at = parser.step(at).filter(|end| *end > at).unwrap_or_else(|| {
            parser.draft.unknown.push(pieces[at].text.clone());
            at + 1
        });
    }
    parser.draft
}

pub(crate) struct Parser<'a> {
    pub(crate) pieces: &'a [Piece],
    pub(crate) named: Vec<String>,
    pub(crate) draft: Draft,
}

pub(crate) fn region_like(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), [a, .., n] if parts.len() >= 3 && a.len() == 2 && n.len() == 1 && n.parse::<u8>().is_ok())
}
impl Parser<'_> {
    pub(super) fn get(&self, at: usize) -> Option<&Piece> {
        self.pieces.get(at)
    }

    pub(super) fn is(&self, at: usize, word: Word) -> bool {
        self.get(at).is_some_and(|piece| piece.is(word))
    }

    pub(super) fn is_stop(&self, at: usize) -> bool {
        self.get(at).is_some_and(|piece| piece.is(Word::Stop) || piece.is(Word::Be))
    }

    /// The first piece at or after `at` that is no filler.
    pub(super) fn skip(&self, mut at: usize) -> usize {
        while self.is(at, Word::Stop) {
            at += 1;
        }
        at
    }

    pub(super) fn noun(&self, at: usize) -> Option<&'static str> {
        let piece = self.get(at)?;
        let Item::Words(words) = &piece.item else { return None };
        let nouns: Vec<&'static str> =
            words.iter().filter_map(|word| if let Word::Noun(noun) = word { Some(*noun) } else { None }).collect();
        let fits =
            |noun: &&&'static str| self.named.iter().any(|table| LEXICON.tables_of(noun).contains(&table.as_str()));
        nouns.iter().find(fits).or_else(|| nouns.first()).copied()
    }

    pub(super) fn text(&self, at: usize) -> String {
        self.get(at).map(|piece| piece.text.clone()).unwrap_or_default()
    }

    pub(super) fn names_table(&self, table: &str) -> bool {
        self.named.iter().any(|name| name == table)
    }

    pub(super) fn step(&mut self, at: usize) -> Option<usize> {
        let piece = self.get(at)?.clone();
        match &piece.item {
            Item::Period(period) => Some(self.period(period, at)),
            Item::Ip | Item::Cidr => self.address(at, "src_ip", Op::Is),
            Item::Email | Item::Name | Item::Quoted => self.loose_name(at),
            Item::Number(value) => self.loose_number(at, *value),
            Item::Place(code) => self.adjective_place(at, code),
            Item::Possessive | Item::Symbol => None,
            Item::Words(_) => self.words(at, &piece),
        }
    }

    pub(super) fn period(&mut self, period: &Period, at: usize) -> usize {
        match period {
            Period::Range(range) => self.draft.times.push(range.clone()),
            Period::Hours(hours) => self.draft.hours = Some(hours.clone()),
            Period::Gap(count, unit) => self.draft.gap = Some((*count, *unit)),
        }
        at + 1
    }

    pub(super) fn words(&mut self, at: usize, piece: &Piece) -> Option<usize> {
        if let Some(prep) = piece.find(|word| if let Word::Prep(prep) = word { Some(prep) } else { None })
            && let Some(end) = self.prep(at, prep)
        {
            return Some(end);
        }
        self.negation(at)
            .or_else(|| self.compare(at))
            .or_else(|| self.measure(at))
            .or_else(|| self.question(at))
            .or_else(|| self.noun_rule(at))
            .or_else(|| self.subject_matter(at, piece))
            .or_else(|| self.marker(at, piece))
    }
}

/// Nouns that can be followed by the name of one of their kind.
pub(crate) fn names_things(noun: &str) -> bool {
    LEXICON.field(noun, "cloudtrail").is_some() || !LEXICON.tables_of(noun).is_empty()
}

pub(crate) fn private(column: &str) -> Filter {
    Filter::column(column, Op::Like, vec![Literal::Text("10.%".into())])
}

pub(crate) fn negate(filter: &Filter) -> Option<Filter> {
    let Test::Compare { expr, op, values } = &filter.test else { return None };
    let op = match op {
        Op::Is => Op::IsNot,
        Op::IsNot => Op::Is,
        Op::Like => Op::NotLike,
        Op::ILike => Op::NotILike,
        Op::Missing => Op::Present,
        Op::Present => Op::Missing,
        _ => return None,
    };
    Some(Filter::new(filter.slot.clone(), expr.clone(), op, values.clone()))
}

pub(crate) fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// What a word of outcome means in a table.
pub(crate) fn outcome_filter(outcome: Outcome, table: &str) -> Filter {
    let flow = table == "vpc_flow";
    match outcome {
        Outcome::Denied | Outcome::Failure if flow => Filter::text("action", "REJECT"),
        Outcome::Allowed | Outcome::Success if flow => Filter::text("action", "ACCEPT"),
        Outcome::Denied | Outcome::Failure => Filter::text("outcome", "failure"),
        Outcome::Allowed | Outcome::Success => Filter::text("outcome", "success"),
    }
}
