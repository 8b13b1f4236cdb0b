//! Window functions.

use std::collections::HashMap;

use super::join::Tuple;
use super::select::sort_values;
use super::{Frame, eval, sort};
use crate::context::Context;
use crate::datum::Datum;
use crate::error::Result;
use crate::functions::aggregate::{State, WindowKind};
use crate::key::Key;
use crate::plan::{Aggregate, Window};

/// Puts the function's value for each tuple into the window's slot.
pub fn compute(context: &Context<'_>, window: &Window, tuples: &mut [Tuple], outer: &Frame<'_>) -> Result<()> {
    let mut partitions: Vec<Vec<usize>> = Vec::new();
    let mut numbers: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut keys = Vec::with_capacity(tuples.len());
    let mut inputs = Vec::with_capacity(tuples.len());
    for (number, tuple) in tuples.iter().enumerate() {
        context.step()?;
        let frame = Frame { slots: tuple, outer: Some(outer), locals: &[] };
        let partition = window
            .partition
            .iter()
            .map(|ex| Ok(Key::grouping(&eval(context, ex, &frame)?)))
            .collect::<Result<Vec<_>>>()?;
        let index = *numbers.entry(partition).or_insert(partitions.len());
        if index == partitions.len() {
            partitions.push(Vec::new());
        }
        partitions[index].push(number);
        keys.push(sort_values(context, &window.order, &[], &frame)?);
        let kept = match &window.filter {
            Some(filter) => super::eval::holds(context, filter, &frame)?,
            None => true,
        };
        let values = window.arguments.iter().map(|ex| eval(context, ex, &frame)).collect::<Result<Vec<_>>>()?;
        inputs.push(kept.then_some(values));
    }
    for mut partition in partitions {
        partition.sort_by(|a, b| sort::order(&window.order, &keys[*a], &keys[*b]));
        let values = one_partition(context, window, &partition, &keys, &inputs)?;
        for (number, value) in partition.into_iter().zip(values) {
            tuples[number][window.slot] = vec![value].into();
        }
    }
    Ok(())
}

/// Where each row's peers (equal in ORDER BY) end, one past.
fn peer_ends(window: &Window, partition: &[usize], keys: &[Vec<Datum>]) -> Vec<usize> {
    let mut ends = vec![partition.len(); partition.len()];
    let mut end = partition.len();
    for index in (0..partition.len()).rev() {
        if index + 1 < partition.len() {
            let same = sort::order(&window.order, &keys[partition[index]], &keys[partition[index + 1]]).is_eq();
            if !same || window.rows {
                end = index + 1;
            }
        }
        ends[index] = end;
    }
    ends
}

fn one_partition(
    context: &Context<'_>,
    window: &Window,
    partition: &[usize],
    keys: &[Vec<Datum>],
    inputs: &[Option<Vec<Datum>>],
) -> Result<Vec<Datum>> {
    let ends = peer_ends(window, partition, keys);
    let size = partition.len();
    let argument = |row: usize, index: usize| -> Datum {
        inputs[partition[row]].as_ref().and_then(|values| values.get(index)).cloned().unwrap_or(Datum::Null)
    };
    let (mut rank, mut dense) = (1_i64, 1_i64);
    let mut results = Vec::with_capacity(size);
    let mut aggregate = Running::new(window);
    for row in 0..size {
        if row > 0 && ends[row - 1] == row {
            rank = row as i64 + 1;
            dense += 1;
        }
        let frame_end = if window.whole { size } else { ends[row] };
        results.push(match window.kind {
            WindowKind::RowNumber => Datum::Int8(row as i64 + 1),
            WindowKind::Rank => Datum::Int8(rank),
            WindowKind::DenseRank => Datum::Int8(dense),
            WindowKind::PercentRank if size == 1 => Datum::Float8(0.0),
            WindowKind::PercentRank => Datum::Float8((rank - 1) as f64 / (size - 1) as f64),
            WindowKind::CumeDist => Datum::Float8(ends[row] as f64 / size as f64),
            WindowKind::Ntile => ntile(row, size, argument(row, 0).as_int().unwrap_or(1)),
            WindowKind::Lag | WindowKind::Lead => {
                let distance = if window.arguments.len() > 1 { argument(row, 1).as_int().unwrap_or(0) } else { 1 };
                let sign = if window.kind == WindowKind::Lag { -1 } else { 1 };
                match usize::try_from(row as i64 + sign * distance).ok().filter(|target| *target < size) {
                    Some(target) => argument(target, 0),
                    None if window.arguments.len() > 2 => argument(row, 2),
                    None => Datum::Null,
                }
            }
            WindowKind::FirstValue => argument(0, 0),
            WindowKind::LastValue => argument(frame_end - 1, 0),
            WindowKind::NthValue => match argument(row, 1).as_int() {
                Some(n) if n >= 1 && n as usize <= frame_end => argument(n as usize - 1, 0),
                _ => Datum::Null,
            },
            WindowKind::Aggregate(_) => aggregate.upto(context, frame_end, partition, inputs)?,
        });
    }
    Ok(results)
}

fn ntile(row: usize, size: usize, buckets: i64) -> Datum {
    let buckets = buckets.max(1) as usize;
    let (small, extra) = (size / buckets, size % buckets);
    let large_rows = extra * (small + 1);
    let bucket = if row < large_rows { row / (small + 1) } else { extra + (row - large_rows) / small.max(1) };
    Datum::Int4(bucket as i32 + 1)
}

/// An aggregate over a frame that only grows.
struct Running {
    state: Option<State>,
    done: usize,
    value: Datum,
}

impl Running {
    fn new(window: &Window) -> Self {
        let state = match window.kind {
            WindowKind::Aggregate(kind) => Some(State::new(&Aggregate {
                kind,
                arguments: window.arguments.clone(),
                distinct: false,
                filter: None,
                order: Vec::new(),
                result: window.result,
            })),
            _ => None,
        };
        Self { state, done: 0, value: Datum::Null }
    }

    fn upto(
        &mut self,
        context: &Context<'_>,
        end: usize,
        partition: &[usize],
        inputs: &[Option<Vec<Datum>>],
    ) -> Result<Datum> {
        let Some(state) = &mut self.state else { return Ok(Datum::Null) };
        if self.done == 0 || self.done < end {
            for number in &partition[self.done..end] {
                context.step()?;
                if let Some(values) = &inputs[*number] {
                    state.add(context, values)?;
                }
            }
            self.done = end;
            self.value = state.clone().finish(context)?;
        }
        Ok(self.value.clone())
    }
}
