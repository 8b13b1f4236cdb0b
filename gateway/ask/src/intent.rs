//! What a question means, before any SQL: one table, filters, a time range and a shape. Follow-ups work on this.

use chrono::NaiveDate;

/// A value to compare or to group by.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Column(String),
    /// A path in the event as delivered.
    Raw(Vec<String>),
    /// A path in `raw` compared as a number.
    RawNumber(Vec<String>),
    /// The whole event as text.
    RawText,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// One value or one of several.
    Is,
    /// None of the values; rows without a value stay in.
    IsNot,
    /// A known value that is none of these.
    Differs,
    Like,
    NotLike,
    ILike,
    NotILike,
    Above,
    AtLeast,
    Below,
    AtMost,
    Missing,
    Present,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    Number(f64),
    Bool(bool),
}

/// One condition. `slot` names what it constrains: a follow-up that says the same slot anew replaces it.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub slot: String,
    pub test: Test,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Compare {
        expr: Expr,
        op: Op,
        values: Vec<Literal>,
    },
    /// At least one of the conjunctions holds.
    Any(Vec<Vec<Filter>>),
}

impl Filter {
    pub fn new(slot: impl Into<String>, expr: Expr, op: Op, values: Vec<Literal>) -> Self {
        Self { slot: slot.into(), test: Test::Compare { expr, op, values } }
    }

    pub fn column(name: &str, op: Op, values: Vec<Literal>) -> Self {
        Self::new(name, Expr::Column(name.into()), op, values)
    }

    pub fn text(name: &str, value: &str) -> Self {
        Self::column(name, Op::Is, vec![Literal::Text(value.into())])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Quarter => "quarter",
            Unit::Year => "year",
        }
    }
}

/// An instant in relation to `now()`, or a UTC date.
#[derive(Debug, Clone, PartialEq)]
pub enum Edge {
    /// `now()` less so many of a unit (hours, days, ...).
    Ago(u32, Unit),
    /// Start of the current unit, moved by whole units and then by hours.
    Start {
        unit: Unit,
        shift: i32,
        step: Unit,
        hours: i32,
    },
    Date(NaiveDate),
}

impl Edge {
    pub fn start(unit: Unit, shift: i32) -> Self {
        Edge::Start { unit, shift, step: unit, hours: 0 }
    }
}

/// Half-open: from `from` on, before `to`.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeRange {
    pub from: Option<Edge>,
    pub to: Option<Edge>,
    /// As understood, for the explanation: "in the last 7 days".
    pub text: String,
}

/// Hours of the day (UTC), of any day.
#[derive(Debug, Clone, PartialEq)]
pub enum Hours {
    Between(u32, u32),
    Business,
    AfterHours,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    Field(Expr),
    Bucket(Unit),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    Count,
    CountDistinct(Expr),
    CountWhere(Vec<Filter>),
    CountWithin(TimeRange),
    Sum(Expr),
    Average(Expr),
    Largest(Expr),
    Smallest(Expr),
    FirstSeen,
    LastSeen,
    /// Share of rows that pass, in percent with two digits.
    Percent(Vec<Filter>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    Most,
    Least,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// `Above`, `AtLeast`, `Below`, `AtMost` or `Is`.
    pub op: Op,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Events, newest first; `limit` keeps the newest (or oldest) ones.
    Rows { limit: Option<u64>, oldest: bool },
    /// Each value once.
    Distinct(Vec<Key>),
    Groups {
        keys: Vec<Key>,
        measures: Vec<Measure>,
        having: Vec<(Measure, Threshold)>,
        ranking: Option<Ranking>,
        limit: Option<u64>,
        /// The measure is only tested, not shown.
        keys_only: bool,
    },
}

/// Rows that have (or lack) a matching row elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    pub negated: bool,
    pub other: Box<Intent>,
    pub on: String,
    /// Where the other row stands in time: before or after this one, at most so far away.
    pub order: Option<Sequence>,
    /// A column whose known values differ.
    pub differs: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    pub after: bool,
    pub within: Option<(u32, Unit)>,
}

/// One question, understood. Kept per session as the ground of follow-ups.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// A table of schema `logs`.
    pub table: String,
    pub filters: Vec<Filter>,
    pub time: Option<TimeRange>,
    pub hours: Option<Hours>,
    pub output: Output,
    pub relation: Option<Relation>,
}
