//! Runs one SELECT: FROM and WHERE, groups, windows, target list, DISTINCT, ORDER BY.

use std::collections::HashSet;
use std::sync::Arc;

use super::join::{self, Tuple};
use super::{Frame, eval, eval::holds, group, sort, window};
use crate::context::Context;
use crate::datum::Datum;
use crate::error::Result;
use crate::key::Key;
use crate::plan::{Distinct, Ex, Select, SortBy, SortKey};
use crate::relation::Row;

/// A row of the result with the values it is sorted by.
struct Sorted {
    keys: Vec<Datum>,
    on: Vec<Key>,
    row: Row,
}

pub fn run(context: &Context<'_>, select: &Select, order: &[SortKey], outer: &Frame<'_>) -> Result<Vec<Row>> {
    let base: Tuple = vec![Arc::from([]); select.slots];
    let mut tuples = if open(context, &select.gates, &base, outer)? {
        join::from(context, &select.from, &base, outer)?
    } else {
        Vec::new()
    };
    if let Some(grouping) = &select.grouping {
        tuples = group::group(context, grouping, tuples, &base, outer)?;
    }
    if let Some(having) = &select.having {
        tuples = keep(context, std::slice::from_ref(having), tuples, outer)?;
    }
    for part in &select.windows {
        window::compute(context, part, &mut tuples, outer)?;
    }
    if !select.sets.is_empty() {
        tuples = expand(context, select, tuples, outer)?;
    }
    finish(context, select, order, tuples, outer)
}

fn open(context: &Context<'_>, gates: &[Ex], base: &Tuple, outer: &Frame<'_>) -> Result<bool> {
    let frame = Frame { slots: base, outer: Some(outer), locals: &[] };
    for gate in gates {
        if !holds(context, gate, &frame)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tuples for which every condition holds.
pub fn keep(context: &Context<'_>, conditions: &[Ex], tuples: Vec<Tuple>, outer: &Frame<'_>) -> Result<Vec<Tuple>> {
    if conditions.is_empty() {
        return Ok(tuples);
    }
    let mut kept = Vec::with_capacity(tuples.len());
    for tuple in tuples {
        context.step()?;
        if join::passes(context, conditions, &tuple, outer)? {
            kept.push(tuple);
        }
    }
    Ok(kept)
}

/// Set-returning functions of the target list run side by side; the shorter give NULL at the end.
fn expand(context: &Context<'_>, select: &Select, tuples: Vec<Tuple>, outer: &Frame<'_>) -> Result<Vec<Tuple>> {
    let mut expanded = Vec::new();
    for tuple in tuples {
        let frame = Frame { slots: &tuple, outer: Some(outer), locals: &[] };
        let results = select
            .sets
            .iter()
            .map(|set| super::table_call(context, &set.call, &frame))
            .collect::<Result<Vec<Vec<Datum>>>>()?;
        let longest = results.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..longest {
            context.step()?;
            let mut next = tuple.clone();
            for (set, values) in select.sets.iter().zip(&results) {
                next[set.slot] = Arc::from([values.get(index).cloned().unwrap_or(Datum::Null)]);
            }
            expanded.push(next);
        }
    }
    Ok(expanded)
}

fn finish(
    context: &Context<'_>,
    select: &Select,
    order: &[SortKey],
    tuples: Vec<Tuple>,
    outer: &Frame<'_>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(tuples.len());
    for tuple in &tuples {
        context.step()?;
        let frame = Frame { slots: tuple, outer: Some(outer), locals: &[] };
        let row: Row = select.targets.iter().map(|target| eval(context, target, &frame)).collect::<Result<_>>()?;
        let keys = sort_values(context, order, &row, &frame)?;
        let on = match &select.distinct {
            Distinct::On(items) => {
                items.iter().map(|item| Ok(Key::grouping(&eval(context, item, &frame)?))).collect::<Result<_>>()?
            }
            Distinct::Yes => row.iter().map(Key::grouping).collect(),
            Distinct::No => Vec::new(),
        };
        rows.push(Sorted { keys, on, row });
    }
    let mut seen = HashSet::new();
    if matches!(select.distinct, Distinct::Yes) {
        rows.retain(|row| seen.insert(row.on.clone()));
    }
    if !order.is_empty() {
        rows.sort_by(|a, b| sort::order(order, &a.keys, &b.keys));
    }
    if matches!(select.distinct, Distinct::On(_)) {
        rows.retain(|row| seen.insert(row.on.clone()));
    }
    Ok(rows.into_iter().map(|sorted| sorted.row).collect())
}

/// The values that the sort keys have for a row.
pub fn sort_values(context: &Context<'_>, order: &[SortKey], row: &[Datum], frame: &Frame<'_>) -> Result<Vec<Datum>> {
    order
        .iter()
        .map(|key| match &key.by {
            SortBy::Output(index) => Ok(row.get(*index).cloned().unwrap_or(Datum::Null)),
            SortBy::Expression(ex) => eval(context, ex, frame),
        })
        .collect()
}
