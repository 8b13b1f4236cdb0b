//! What was read off a question, before a table is chosen.

use crate::intent::{Filter, Hours, Literal, Op, Ranking, TimeRange, Unit};
use crate::lexicon::{Aggregate, Outcome};

/// A deed or a thing. What it is in SQL depends on the others said with it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Concept {
    pub name: &'static str,
    /// Said as a thing that was done.
    pub done: bool,
    pub verb: bool,
    /// Stands where a question names what it wants listed: after "which", "top 5", "how many".
    pub head: bool,
    /// Is the one that did it: "users who deleted buckets".
    pub subject: bool,
    /// Already used by a filter or a grouping: an event may claim it too, nothing must.
    pub spent: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Actor {
    pub values: Vec<Name>,
    pub negated: bool,
    /// The one to whom it was done.
    pub target: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Name {
    Root,
    Text(String),
    Email(String),
}

/// A condition on what a noun names; the column depends on the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldTest {
    pub noun: &'static str,
    pub op: Op,
    pub values: Vec<Literal>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grouping {
    Noun(&'static str),
    Bucket(Unit),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Having {
    pub op: Op,
    pub value: f64,
    /// Counts the different values of this, not events.
    pub distinct: Option<&'static str>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub sources: Vec<(&'static str, &'static str)>,
    pub hints: Vec<&'static str>,
    pub services: Vec<&'static str>,
    pub concepts: Vec<Concept>,
    pub conditions: Vec<(&'static str, Vec<Filter>)>,
    pub fields: Vec<FieldTest>,
    pub filters: Vec<Filter>,
    pub actors: Vec<Actor>,
    pub outcomes: Vec<Outcome>,
    pub severities: Vec<(Op, u8)>,
    pub category: Option<&'static str>,
    pub finding: bool,
    pub login: Option<bool>,
    pub console: bool,
    pub root: bool,
    pub times: Vec<TimeRange>,
    pub hours: Option<Hours>,
    pub gap: Option<(u32, Unit)>,
    pub groups: Vec<Grouping>,
    pub having: Vec<Having>,
    pub count: bool,
    pub distinct: bool,
    pub percent: bool,
    pub aggregate: Option<Aggregate>,
    pub first: bool,
    pub last: bool,
    pub when: bool,
    pub who: bool,
    pub which: bool,
    pub ranking: Option<Ranking>,
    pub top: Option<u64>,
    pub newest: Option<u64>,
    pub versus: bool,
    pub rows: bool,
    pub everything: bool,
    pub timeline: bool,
    /// Refers to what was said before.
    pub follow: bool,
    pub others: bool,
    pub ever: bool,
    /// "those users": the values of this in the turn before.
    pub referred: Option<&'static str>,
    pub later: bool,
    /// "where did it send": asks for destinations.
    pub sent_where: bool,
    /// "them", "it": means nothing without a turn before.
    pub pronoun: bool,
    /// Words that no rule could account for.
    pub unknown: Vec<String>,
}

impl Draft {
    pub fn concept(&mut self, name: &'static str, verb: bool, done: bool) -> &mut Concept {
        self.concepts.push(Concept { name, done, verb, head: false, subject: false, spent: false });
        let last = self.concepts.len() - 1;
        &mut self.concepts[last]
    }
}
