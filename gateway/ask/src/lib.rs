//! English questions to canonical SQL. The built-in translator knows no engine and does no I/O: it reads the question with
//! a fixed vocabulary, accounts for every word of it or refuses, and prints SQL from what it understood.

mod draft;
mod error;
mod examples;
mod explain;
mod follow;
mod intent;
mod lexicon;
mod parse;
mod print;
mod relate;
mod scan;
mod shape;
mod time;
mod token;
mod translator;

pub use error::AskError;
pub use examples::examples;
pub use intent::{
    Edge, Expr, Filter, Hours, Intent, Key, Literal, Measure, Op, Output, Ranking, Relation, Sequence, Test, Threshold,
    TimeRange, Unit,
};
pub use translator::{AskContext, Builtin, Conversation, Cost, Origin, Proposal, Translator, propose};
