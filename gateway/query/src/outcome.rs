//! What a session gives back for one statement.

use std::sync::Arc;

use mantissa_core::{ErrorKind, Field, PgType, Problem, Rows};
use parking_lot::Mutex;

use crate::select::CachedPlan;
use crate::statement::{Direction, Fetch, Statement};

/// A statement that has been parsed and described, ready to run any number of times.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) statement: Arc<crate::statement::Statement>,
    pub(crate) text: Arc<str>,
    /// Characters of the batch before the statement.
    pub(crate) offset: u32,
    pub(crate) shape: Arc<Shape>,
}

pub(crate) struct Shape {
    pub parameters: Vec<PgType>,
    pub fields: Option<Arc<[Field]>>,
    /// The plan of the last run, for a statement that means the same each time.
    pub plan: Mutex<Option<CachedPlan>>,
}

impl Shape {
    pub fn new(parameters: Vec<PgType>, fields: Option<Arc<[Field]>>) -> Self {
        Self { parameters, fields, plan: Mutex::default() }
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shape")
            .field("parameters", &self.parameters)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

impl Prepared {
    /// The types of `$1`, `$2`, ...
    pub fn parameters(&self) -> &[PgType] {
        &self.shape.parameters
    }

    /// Result columns; `None` for a statement that returns no rows.
    pub fn fields(&self) -> Option<&Arc<[Field]>> {
        self.shape.fields.as_ref()
    }

    /// The cursor that a MOVE goes forward in, and over how many rows at most; `None` for any other statement.
    pub fn moves_forward(&self) -> Option<(&str, usize)> {
        match self.statement.as_ref() {
            Statement::Fetch(Fetch { cursor, direction, only_move: true }) => match direction {
                Direction::Forward(rows) => Some((cursor, usize::try_from(*rows).ok()?)),
                Direction::ForwardAll => Some((cursor, usize::MAX)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The statement's text, as the client sent it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// What running a statement gives.
#[derive(Debug)]
pub enum Outcome {
    /// Rows to stream. `tag` is the command tag; `counted` says that the number of rows follows it ("SELECT 5").
    /// `binary` asks for binary rows in the simple protocol (FETCH from a BINARY cursor).
    Rows { rows: Rows, tag: &'static str, counted: bool, binary: bool },
    /// Done, nothing to stream: the whole command tag, "SET", "MOVE 3".
    Command(String),
    /// COPY ... TO STDOUT.
    CopyOut { rows: Rows, format: CopyFormat },
    /// An empty query string.
    Empty,
}

#[derive(Debug, Clone, PartialEq)]
pub enum CopyFormat {
    Text { delimiter: u8, null: String, header: bool },
    Csv { delimiter: u8, null: String, header: bool, quote: u8, escape: u8, force_quote: ForceQuote },
    Binary,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ForceQuote {
    None,
    All,
    Columns(Vec<String>),
}

/// The letter of ReadyForQuery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    Idle,
    InTransaction,
    Failed,
}

/// A message to the client beside the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// `NOTICE`, `WARNING`, `INFO`.
    pub severity: &'static str,
    pub sqlstate: &'static str,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

impl Notice {
    pub fn plain(message: impl Into<String>) -> Self {
        Self { severity: "NOTICE", sqlstate: "00000", message: message.into(), detail: None, hint: None }
    }

    pub fn warning(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { severity: "WARNING", sqlstate: kind.sqlstate(), message: message.into(), detail: None, hint: None }
    }
}

pub(crate) type Result<T, E = Problem> = std::result::Result<T, E>;
