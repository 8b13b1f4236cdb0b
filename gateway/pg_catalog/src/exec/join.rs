//! FROM: scans, index lookups, joins.

use std::collections::HashMap;
use std::sync::Arc;

use super::select::keep;
use super::{Frame, eval, eval::holds};
use crate::context::Context;
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::plan::{Ex, Fields, From, Item, ItemSource, Join, JoinKind, TableCall};
use crate::relation::Row;

/// A row for each slot of a SELECT; slots not joined yet hold an empty row.
pub type Tuple = Vec<Row>;

/// Joined tuples that a SELECT holds at once.
const MAX_TUPLES: usize = 2_000_000;

fn bounded(joined: &[Tuple]) -> Result<()> {
    if joined.len() > MAX_TUPLES { Err(Error::TooMuchWork) } else { Ok(()) }
}

/// The tuples of a FROM tree, each `base` with the tree's slots filled.
pub fn from(context: &Context<'_>, tree: &From, base: &Tuple, outer: &Frame<'_>) -> Result<Vec<Tuple>> {
    match tree {
        // Every bound query is optimised before it runs, which leaves no raw tree.
        From::Nothing | From::Raw(..) => Ok(vec![base.clone()]),
        From::Item(item) => scan(context, item, base, outer),
        From::Join(join) => crate::stack::deep(|| self::join(context, join, base, outer)),
    }
}

pub fn passes(context: &Context<'_>, conditions: &[Ex], tuple: &Tuple, outer: &Frame<'_>) -> Result<bool> {
    let frame = Frame { slots: tuple, outer: Some(outer), locals: &[] };
    for condition in conditions {
        if !holds(context, condition, &frame)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn scan(context: &Context<'_>, item: &Item, base: &Tuple, outer: &Frame<'_>) -> Result<Vec<Tuple>> {
    let frame = Frame { slots: base, outer: Some(outer), locals: &[] };
    let mut tuples = Vec::new();
    let mut tuple = base.clone();
    let mut take = |row: &Row| -> Result<()> {
        context.step()?;
        tuple[item.slot] = Arc::clone(row);
        if passes(context, &item.filters, &tuple, outer)? {
            tuples.push(tuple.clone());
        }
        Ok(())
    };
    match &item.source {
        ItemSource::Relation(shape) => {
            let relation = context.rows(&shape.schema, &shape.name)?;
            let relation = relation.ok_or_else(|| Error::UndefinedTable(format!("{}.{}", shape.schema, shape.name)))?;
            match &item.lookup {
                Some((column, value)) => {
                    let Some(key) = Key::of(&eval(context, value, &frame)?) else { return Ok(tuples) };
                    let index = relation.index(*column);
                    for number in index.get(&key).into_iter().flatten() {
                        take(&relation.rows[*number as usize])?;
                    }
                }
                None => relation.rows.iter().try_for_each(take)?,
            }
        }
        ItemSource::Query(query) => super::query(context, query, &frame)?.iter().try_for_each(take)?,
        ItemSource::Cte(id) => {
            let rows = context.ctes.borrow().get(id).cloned().unwrap_or_default();
            rows.iter().try_for_each(take)?;
        }
        ItemSource::Functions { calls, ordinality } => {
            function_rows(context, calls, *ordinality, &frame)?.iter().try_for_each(take)?;
        }
    }
    Ok(tuples)
}

fn function_rows(context: &Context<'_>, calls: &[TableCall], ordinality: bool, frame: &Frame<'_>) -> Result<Vec<Row>> {
    let results =
        calls.iter().map(|call| super::table_call(context, call, frame)).collect::<Result<Vec<Vec<Datum>>>>()?;
    let longest = results.iter().map(Vec::len).max().unwrap_or(0);
    let mut rows = Vec::with_capacity(longest);
    for index in 0..longest {
        context.step()?;
        let mut row = Vec::new();
        for (call, values) in calls.iter().zip(&results) {
            spread(values.get(index).unwrap_or(&Datum::Null), call.fields.as_ref(), &mut row);
        }
        if ordinality {
            row.push(Datum::Int8(index as i64 + 1));
        }
        rows.push(row.into());
    }
    Ok(rows)
}

/// A record's fields as columns; another value as one column.
fn spread(value: &Datum, fields: Option<&Fields>, row: &mut Vec<Datum>) {
    match (value, fields) {
        (Datum::Record(record), Some(_)) => row.extend(record.values.iter().cloned()),
        (_, Some(fields)) => row.extend(fields.iter().map(|_| Datum::Null)),
        (value, None) => row.push(value.clone()),
    }
}

fn join(context: &Context<'_>, join: &Join, base: &Tuple, outer: &Frame<'_>) -> Result<Vec<Tuple>> {
    let left = from(context, &join.left, base, outer)?;
    let joined = if join.lateral {
        nested(context, join, left, outer)?
    } else if left.is_empty() && matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
        left
    } else {
        let right = from(context, &join.right, base, outer)?;
        matched(context, join, left, right, base, outer)?
    };
    keep(context, &join.filters, joined, outer)
}

/// The right side is looked up for each tuple of the left.
fn nested(context: &Context<'_>, join: &Join, left: Vec<Tuple>, outer: &Frame<'_>) -> Result<Vec<Tuple>> {
    let mut joined = Vec::with_capacity(left.len());
    for tuple in left {
        let matches = from(context, &join.right, &tuple, outer)?;
        let before = joined.len();
        for candidate in matches {
            context.step()?;
            if passes(context, &join.conditions, &candidate, outer)? {
                joined.push(candidate);
                bounded(&joined)?;
            }
        }
        if joined.len() == before && join.kind == JoinKind::Left {
            joined.push(with_nulls(tuple, &join.right_slots));
        }
    }
    Ok(joined)
}

fn with_nulls(mut tuple: Tuple, slots: &[(usize, usize)]) -> Tuple {
    for (slot, width) in slots {
        tuple[*slot] = vec![Datum::Null; *width].into();
    }
    tuple
}

/// Both sides are there: by hash of the keys, or every pair.
fn matched(
    context: &Context<'_>,
    join: &Join,
    left: Vec<Tuple>,
    right: Vec<Tuple>,
    base: &Tuple,
    outer: &Frame<'_>,
) -> Result<Vec<Tuple>> {
    let every: Vec<usize> = if join.keys.is_empty() { (0..right.len()).collect() } else { Vec::new() };
    let mut table: HashMap<Vec<Key>, Vec<usize>> = HashMap::new();
    if !join.keys.is_empty() {
        for (number, tuple) in right.iter().enumerate() {
            context.step()?;
            if let Some(key) = key(context, join.keys.iter().map(|pair| &pair.1), tuple, outer)? {
                table.entry(key).or_default().push(number);
            }
        }
    }
    let mut used = vec![false; right.len()];
    let mut joined = Vec::new();
    for tuple in left {
        let candidates: &[usize] = if join.keys.is_empty() {
            &every
        } else {
            let key = key(context, join.keys.iter().map(|pair| &pair.0), &tuple, outer)?;
            key.and_then(|key| table.get(&key)).map_or(&[], Vec::as_slice)
        };
        let mut found = false;
        for number in candidates {
            context.step()?;
            let mut pair = tuple.clone();
            for (slot, _) in &join.right_slots {
                pair[*slot] = Arc::clone(&right[*number][*slot]);
            }
            if passes(context, &join.conditions, &pair, outer)? {
                found = true;
                used[*number] = true;
                joined.push(pair);
                bounded(&joined)?;
            }
        }
        if !found && matches!(join.kind, JoinKind::Left | JoinKind::Full) {
            joined.push(with_nulls(tuple, &join.right_slots));
        }
    }
    if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
        for (tuple, _) in right.into_iter().zip(used).filter(|(_, used)| !used) {
            let mut alone = with_nulls(base.clone(), &join.left_slots);
            for (slot, _) in &join.right_slots {
                alone[*slot] = Arc::clone(&tuple[*slot]);
            }
            joined.push(alone);
        }
    }
    Ok(joined)
}

fn key<'e>(
    context: &Context<'_>,
    parts: impl Iterator<Item = &'e Ex>,
    tuple: &Tuple,
    outer: &Frame<'_>,
) -> Result<Option<Vec<Key>>> {
    let frame = Frame { slots: tuple, outer: Some(outer), locals: &[] };
    let mut key = Vec::new();
    for part in parts {
        match Key::of(&eval(context, part, &frame)?) {
            Some(part) => key.push(part),
            None => return Ok(None),
        }
    }
    Ok(Some(key))
}
