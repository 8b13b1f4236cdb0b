use std::ops::ControlFlow;

use dialects::ast::{Query, SetExpr, Visit, Visitor};
use mantissa_core::{ErrorKind, Problem, Result};

/// Refuses what is no pure read anywhere in the tree: INTO, row locks, INSERT, UPDATE, DELETE or MERGE in a CTE.
pub(crate) fn only_reads(query: &Query) -> Result<()> {
    match query.visit(&mut OnlyReads) {
        ControlFlow::Break(command) => Err(Problem::new(
            ErrorKind::ReadOnlyTransaction,
            format!("cannot execute {command} in a read-only transaction"),
        )),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct OnlyReads;

impl Visitor for OnlyReads {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if !query.locks.is_empty() {
            return ControlFlow::Break("SELECT FOR UPDATE");
        }
        body(&query.body)
    }
}

fn body(expr: &SetExpr) -> ControlFlow<&'static str> {
    match expr {
        SetExpr::Select(select) if select.into.is_some() => ControlFlow::Break("SELECT INTO"),
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) | SetExpr::Query(_) => ControlFlow::Continue(()),
        SetExpr::SetOperation { left, right, .. } => {
            body(left)?;
            body(right)
        }
        SetExpr::Insert(_) => ControlFlow::Break("INSERT"),
        SetExpr::Update(_) => ControlFlow::Break("UPDATE"),
        SetExpr::Delete(_) => ControlFlow::Break("DELETE"),
        SetExpr::Merge(_) => ControlFlow::Break("MERGE"),
    }
}
