//! Temporary: the shape of mantissa-ask until it compiles.
use chrono::{DateTime, Utc};
use mantissa_core::{Catalog, ErrorKind, Identity, Problem};
#[derive(Debug, Clone, Default)]
pub struct Conversation {}
impl Conversation { pub fn remember(&mut self, _p: &Proposal) {} }
pub struct AskContext<'a> { pub catalog: &'a Catalog, pub now: DateTime<Utc>, pub conversation: &'a Conversation, pub identity: &'a Identity }
pub struct Proposal { pub sql: String, pub explanation: String }
pub fn propose(_q: &str, _c: &AskContext<'_>) -> Result<Proposal, Problem> { Err(Problem::new(ErrorKind::QuestionNotUnderstood, "not there yet")) }
