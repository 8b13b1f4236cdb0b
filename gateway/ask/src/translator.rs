//! The way in: question and context to a proposal, or a refusal that says why.

use chrono::{DateTime, Utc};
use mantissa_core::{Catalog, Identity, TableName};

use crate::draft::Draft;
use crate::error::AskError;
use crate::explain::explain;
use crate::follow;
use crate::intent::Intent;
use crate::lexicon::LEXICON;
use crate::parse::parse;
use crate::scan::{Item, Piece, scan};
use crate::shape::{self, Unclear};
use crate::token::{Kind, Token, tokenise};
use crate::{examples, print};

/// Longer than any question; what is longer is text, not a question.
const MAX_CHARS: usize = 2_000;

/// What is known beside the question.
#[derive(Debug, Clone, Copy)]
pub struct AskContext<'a> {
    pub catalog: &'a Catalog,
    /// Places days without a year; the SQL itself says `now()`.
    pub now: DateTime<Utc>,
    pub conversation: &'a Conversation,
    pub identity: &'a Identity,
}

/// Who made the SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Builtin,
    Cache,
    Llm,
}

/// What making the SQL cost; running it is estimated elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    pub usd: f64,
    pub tokens: u64,
}

/// SQL for a question. It has been checked by nobody yet: it goes to guard like typed SQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Canonical SQL.
    pub sql: String,
    pub tables: Vec<TableName>,
    /// One sentence that lists every filter as understood.
    pub explanation: String,
    pub origin: Origin,
    pub cost: Cost,
    turn: Turn,
}

impl Proposal {
    pub fn intent(&self) -> &Intent {
        &self.turn.intent
    }
}

#[derive(Debug, Clone)]
struct Turn {
    intent: Intent,
    draft: Draft,
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.intent == other.intent
    }
}

/// What a session has asked so far, as the ground of "and last week?".
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    last: Option<Turn>,
}

impl Conversation {
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps an accepted proposal as the turn that the next question may refer to.
    pub fn remember(&mut self, proposal: &Proposal) {
        self.last = Some(proposal.turn.clone());
    }

    pub fn clear(&mut self) {
        self.last = None;
    }
}

/// A maker of SQL from questions.
pub trait Translator: Send + Sync {
    fn origin(&self) -> Origin;
    fn translate(&self, question: &str, context: &AskContext<'_>) -> Result<Proposal, AskError>;
}

/// The translator that needs no network and no key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Builtin;

impl Translator for Builtin {
    fn origin(&self) -> Origin {
        Origin::Builtin
    }

    fn translate(&self, question: &str, context: &AskContext<'_>) -> Result<Proposal, AskError> {
        propose(question, context)
    }
}

/// Translates a question with the built-in translator.
pub fn propose(question: &str, context: &AskContext<'_>) -> Result<Proposal, AskError> {
    if question.chars().count() > MAX_CHARS {
        return Err(AskError::TooLong { limit: MAX_CHARS });
    }
    let tokens = tokenise(question);
    if let Some(word) = asks_for_change(&tokens) {
        return Err(AskError::NotReading { word });
    }
    let turn = understand(&tokens, context).or_else(|unclear| match corrected(&tokens, context.now) {
        Some(tokens) => understand(&tokens, context),
        None => Err(unclear),
    });
    let turn = turn.map_err(|unclear| refusal(unclear, question))?;
    proposal(turn, context)
}

fn proposal(turn: Turn, context: &AskContext<'_>) -> Result<Proposal, AskError> {
    let mut tables = vec![TableName::new(Catalog::LOGS, &turn.intent.table)];
    if let Some(relation) = &turn.intent.relation {
        let other = TableName::new(Catalog::LOGS, &relation.other.table);
        if !tables.contains(&other) {
            tables.push(other);
        }
    }
    for table in &tables {
        if context.catalog.table(table).is_none() || !context.identity.may_read(table) {
            return Err(AskError::NotAllowed { table: table.to_string() });
        }
    }
    Ok(Proposal {
        sql: print::sql(&turn.intent),
        tables,
        explanation: explain(&turn.intent),
        origin: Origin::Builtin,
        cost: Cost::default(),
        turn,
    })
}

fn understand(tokens: &[Token], context: &AskContext<'_>) -> Result<Turn, Unclear> {
    let pieces = scan(tokens, context.now);
    let previous = context.conversation.last.as_ref();
    let alone = parse(&pieces, None);
    let standing = match crate::relate::intent(&pieces) {
        Some(related) => related,
        None => complete(&alone).and_then(|()| shape::intent(&alone, None)),
    };
    let Some(previous) = previous else {
        if refers_back(&alone) {
            return Err(Unclear::Nothing);
        }
        return standing.map(|intent| Turn { intent, draft: alone });
    };
    if !follow::continues(&previous.intent, &alone)
        && let Ok(intent) = standing
    {
        return Ok(Turn { intent, draft: alone });
    }
    let mut draft = parse(&pieces, Some(&previous.intent.table));
    if draft.sources.iter().any(|(table, _)| *table != previous.intent.table) {
        return Err(standing.err().unwrap_or(Unclear::Nothing));
    }
    follow::adopt_names(&previous.intent, &mut draft);
    complete(&draft)?;
    follow::inherit(&previous.draft, &mut draft);
    let intent = follow::refine(&previous.intent, &draft)?;
    let mut kept = draft;
    if kept.concepts.is_empty() {
        kept.concepts = previous.draft.concepts.clone();
    }
    Ok(Turn { intent, draft: kept })
}

/// "them", "everyone else": words that need a turn before.
fn refers_back(draft: &Draft) -> bool {
    draft.others || draft.referred.is_some() || draft.pronoun || follow::is_fragment(draft)
}

fn complete(draft: &Draft) -> Result<(), Unclear> {
    if draft.unknown.is_empty() { Ok(()) } else { Err(Unclear::Unused(draft.unknown.clone())) }
}

/// The tokens with slips of the keyboard mended, where there are any.
fn corrected(tokens: &[Token], now: DateTime<Utc>) -> Option<Vec<Token>> {
    let unknown: Vec<Piece> = scan(tokens, now).into_iter().filter(|piece| piece.item == Item::Name).collect();
    let mut mended = tokens.to_vec();
    let mut changed = false;
    for token in mended.iter_mut().filter(|token| token.kind == Kind::Word) {
        if unknown.iter().any(|piece| piece.text == token.text)
            && let Some(word) = LEXICON.correction(&token.low)
        {
            token.low = word.to_owned();
            token.text = word.to_owned();
            changed = true;
        }
    }
    changed.then_some(mended)
}

/// Verbs that, said as an order, ask for a change. A question about such a deed names it otherwise ("buckets deleted").
const ORDERS: &[&str] = &[
    "drop",
    "delete",
    "update",
    "insert",
    "truncate",
    "alter",
    "grant",
    "revoke",
    "create",
    "disable",
    "enable",
    "block",
    "unblock",
    "kill",
    "reset",
    "add",
    "remove",
    "set",
    "quarantine",
    "isolate",
    "suspend",
    "lock",
    "unlock",
    "rotate",
    "terminate",
    "wipe",
    "erase",
    "purge",
    "change",
    "modify",
    "ban",
    "sleep",
    "execute",
    "run",
    "send",
    "email",
    "stop",
    "start",
    "install",
    "repeat",
    "ignore",
    "forget",
    "pretend",
    "write",
    "vacuum",
    "copy",
    "call",
    "shutdown",
    "restart",
];
const POLITE: &[&str] = &[
    "please", "pls", "plz", "can", "could", "would", "you", "now", "ok", "okay", "hey", "then", "and", "just", "go",
    "i", "want", "to", "need", "let", "us", "lets",
];
/// Words after which an order's verb is the name of an event: "delete trail events".
const EVENT_WORDS: &[&str] =
    &["events", "event", "calls", "call", "actions", "operations", "attempts", "requests", "api"];

fn asks_for_change(tokens: &[Token]) -> Option<String> {
    let first = tokens.iter().find(|token| !POLITE.contains(&token.low.as_str()))?;
    let order = ORDERS.contains(&first.low.as_str()) && first.kind == Kind::Word;
    let named = tokens.iter().any(|token| EVENT_WORDS.contains(&token.low.as_str()));
    (order && !named).then(|| first.text.clone())
}

fn refusal(unclear: Unclear, question: &str) -> AskError {
    let suggestions = examples::nearest(question);
    match unclear {
        Unclear::Unused(unknown) => AskError::NotUnderstood { unknown, suggestions },
        Unclear::Nothing => AskError::NotUnderstood { unknown: Vec::new(), suggestions },
        Unclear::Tables(tables) | Unclear::TwoSources(tables) => {
            AskError::Ambiguous { choices: tables.into_iter().map(str::to_owned).collect(), suggestions }
        }
        Unclear::NoField(column, table) => AskError::NoSuchField { column: column.to_owned(), table, suggestions },
    }
}
