//! Canonical SQL printed: the language that people write and that a Postgres server takes.

use std::ops::ControlFlow;

use sqlparser::ast::{Query, Value, ValueWithSpan, VisitMut, VisitorMut};

use crate::{Dialect, Error, Rendering};

#[derive(Debug, Clone, Copy)]
pub struct Postgres;

impl Dialect for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn engine(&self) -> &'static str {
        "PostgreSQL"
    }

    fn render(&self, query: &Query) -> Result<Rendering, Error> {
        let mut tree = query.clone();
        let _ = tree.visit(&mut PlainStrings);
        let sql = tree.to_string();
        Ok(Rendering { tree, sql })
    }
}

/// Turns every spelling of a string into one that prints back to the same characters. sqlparser prints a quote that
/// follows a quote or a backslash as it stands, for other dialects' sake.
pub(crate) struct PlainStrings;

impl VisitorMut for PlainStrings {
    type Break = ();

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        let text = match &mut value.value {
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => std::mem::take(text),
            Value::DollarQuotedString(quoted) => std::mem::take(&mut quoted.value),
            _ => return ControlFlow::Continue(()),
        };
        let needs_escapes = text.contains("''") || text.contains("\\'");
        value.value = if needs_escapes { Value::EscapedStringLiteral(text) } else { Value::SingleQuotedString(text) };
        ControlFlow::Continue(())
    }
}
