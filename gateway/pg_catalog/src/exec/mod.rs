//! Runs bound queries.

mod eval;
mod group;
mod join;
mod select;
mod sort;
mod window;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::context::Context;
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::plan::{Body, Cte, Query, SetOperator, Subquery};
use crate::relation::Row;

pub use eval::{eval, table_call};

/// The current row of a SELECT, a row for each FROM item, inside the rows of enclosing SELECTs.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    pub slots: &'a [Row],
    pub outer: Option<&'a Frame<'a>>,
    pub locals: &'a [Datum],
}

impl Frame<'_> {
    pub const EMPTY: Frame<'static> = Frame { slots: &[], outer: None, locals: &[] };
}

/// Results of one subquery by the values of the outer columns it reads.
#[derive(Default)]
pub struct Memo {
    results: HashMap<Vec<Key>, Rc<Rows>>,
}

/// More results than this of one subquery are not kept.
const MEMO_LIMIT: usize = 20_000;

/// A subquery's rows, with a hash of them once membership is asked.
#[derive(Default)]
pub struct Rows {
    pub rows: Vec<Row>,
    members: OnceCell<(HashSet<Vec<Key>>, bool)>,
}

// Rows are shared within one statement on one thread; the cell is filled once.
impl Rows {
    /// Keys of the rows without NULL, and whether a row has one.
    pub fn members(&self) -> &(HashSet<Vec<Key>>, bool) {
        self.members.get_or_init(|| {
            let keys: Vec<Option<Vec<Key>>> = self.rows.iter().map(|row| row.iter().map(Key::of).collect()).collect();
            let has_null = keys.iter().any(Option::is_none);
            (keys.into_iter().flatten().collect(), has_null)
        })
    }
}

/// Runs a query and gives its rows.
pub fn query(context: &Context<'_>, query: &Query, frame: &Frame<'_>) -> Result<Vec<Row>> {
    crate::stack::deep(|| run(context, query, frame))
}

fn run(context: &Context<'_>, query: &Query, frame: &Frame<'_>) -> Result<Vec<Row>> {
    for cte in &query.ctes {
        let rows = run_cte(context, cte, frame)?;
        context.ctes.borrow_mut().insert(cte.id, Arc::new(rows));
    }
    let mut rows = match &query.body {
        Body::Select(body) => select::run(context, body, &query.order, frame)?,
        Body::Values(rows) => values(context, rows, frame)?,
        Body::Query(inner) => self::query(context, inner, frame)?,
        Body::SetOperation { operator, all, left, right } => {
            let left = self::query(context, left, frame)?;
            let right = self::query(context, right, frame)?;
            combine(*operator, *all, left, right)
        }
    };
    if !query.order.is_empty() && !matches!(query.body, Body::Select(_)) {
        rows = sort::by_outputs(rows, &query.order);
    }
    cut(context, query, rows, frame)
}

fn cut(context: &Context<'_>, query: &Query, mut rows: Vec<Row>, frame: &Frame<'_>) -> Result<Vec<Row>> {
    let count = |ex: &Option<crate::plan::Ex>, name: &str| -> Result<Option<usize>> {
        let Some(ex) = ex else { return Ok(None) };
        match eval(context, ex, frame)?.as_int() {
            Some(number) if number < 0 => Err(Error::InvalidParameter(format!("{name} must not be negative"))),
            other => Ok(other.map(|number| number as usize)),
        }
    };
    if let Some(offset) = count(&query.offset, "OFFSET")? {
        rows.drain(..offset.min(rows.len()));
    }
    if let Some(limit) = count(&query.limit, "LIMIT")? {
        rows.truncate(limit);
    }
    Ok(rows)
}

fn values(context: &Context<'_>, rows: &[Vec<crate::plan::Ex>], frame: &Frame<'_>) -> Result<Vec<Row>> {
    rows.iter().map(|row| row.iter().map(|ex| eval(context, ex, frame)).collect::<Result<Row>>()).collect()
}

fn keys(row: &Row) -> Vec<Key> {
    row.iter().map(Key::grouping).collect()
}

fn combine(operator: SetOperator, all: bool, left: Vec<Row>, right: Vec<Row>) -> Vec<Row> {
    if operator == SetOperator::Union {
        let mut rows = left;
        rows.extend(right);
        return if all { rows } else { distinct(rows) };
    }
    let mut counts: HashMap<Vec<Key>, usize> = HashMap::new();
    for row in &right {
        *counts.entry(keys(row)).or_default() += 1;
    }
    let keep_matches = operator == SetOperator::Intersect;
    let left = if all { left } else { distinct(left) };
    left.into_iter()
        .filter(|row| match counts.get_mut(&keys(row)) {
            Some(count) if all && *count > 0 => {
                *count -= 1;
                keep_matches
            }
            Some(_) if all => !keep_matches,
            Some(_) => keep_matches,
            None => !keep_matches,
        })
        .collect()
}

fn distinct(rows: Vec<Row>) -> Vec<Row> {
    let mut seen = HashSet::new();
    rows.into_iter().filter(|row| seen.insert(keys(row))).collect()
}

fn run_cte(context: &Context<'_>, cte: &Cte, frame: &Frame<'_>) -> Result<Vec<Row>> {
    let mut all = query(context, &cte.query, frame)?;
    let Some((step, unique)) = &cte.recursive else { return Ok(all) };
    let mut seen: HashSet<Vec<Key>> = HashSet::new();
    if *unique {
        all.retain(|row| seen.insert(keys(row)));
    }
    let mut working = all.clone();
    while !working.is_empty() {
        context.step()?;
        context.ctes.borrow_mut().insert(cte.id, Arc::new(working));
        context.memo.borrow_mut().clear();
        let mut next = query(context, step, frame)?;
        if *unique {
            next.retain(|row| seen.insert(keys(row)));
        }
        for _ in &next {
            context.step()?;
        }
        all.extend(next.iter().cloned());
        working = next;
    }
    Ok(all)
}

/// Runs a subquery, or gives the rows that it gave for the same outer values.
pub fn subquery(context: &Context<'_>, subquery: &Subquery, frame: &Frame<'_>) -> Result<Rc<Rows>> {
    let key = subquery
        .free
        .iter()
        .map(|column| {
            let row = eval::row_at(frame, column.level, column.slot)?;
            Ok(match row.get(column.column) {
                Some(value) => Key::grouping(value),
                None => Key::List(keys(row)),
            })
        })
        .collect::<Result<Vec<Key>>>()?;
    if let Some(rows) = context.memo.borrow().get(&subquery.id).and_then(|memo| memo.results.get(&key)) {
        return Ok(Rc::clone(rows));
    }
    let rows = query(context, &subquery.query, frame)?;
    let rows = Rc::new(Rows { rows, members: OnceCell::new() });
    let mut memos = context.memo.borrow_mut();
    let memo = memos.entry(subquery.id).or_default();
    if memo.results.len() < MEMO_LIMIT {
        memo.results.insert(key, Rc::clone(&rows));
    }
    Ok(rows)
}
