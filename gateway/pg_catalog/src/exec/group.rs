//! GROUP BY and aggregates.

use std::collections::{HashMap, HashSet};

use super::join::Tuple;
use super::select::sort_values;
use super::{Frame, eval, eval::holds, sort};
use crate::context::Context;
use crate::datum::Datum;
use crate::error::Result;
use crate::functions::aggregate::State;
use crate::key::Key;
use crate::plan::{Aggregate, Grouping};

/// One tuple a group: its first, with the aggregates' results in the grouping's slot. Grouped columns are read from that
/// first tuple, which has them like every other of the group.
pub fn group(
    context: &Context<'_>,
    grouping: &Grouping,
    tuples: Vec<Tuple>,
    base: &Tuple,
    outer: &Frame<'_>,
) -> Result<Vec<Tuple>> {
    let mut groups = Vec::new();
    for set in &grouping.sets {
        groups.extend(one_set(context, grouping, set, &tuples, base, outer)?);
    }
    Ok(groups)
}

fn one_set(
    context: &Context<'_>,
    grouping: &Grouping,
    set: &[usize],
    tuples: &[Tuple],
    base: &Tuple,
    outer: &Frame<'_>,
) -> Result<Vec<Tuple>> {
    let mut numbers: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (number, tuple) in tuples.iter().enumerate() {
        context.step()?;
        let frame = Frame { slots: tuple, outer: Some(outer), locals: &[] };
        let key = set
            .iter()
            .map(|index| Ok(Key::grouping(&eval(context, &grouping.keys[*index], &frame)?)))
            .collect::<Result<Vec<_>>>()?;
        let group = *numbers.entry(key).or_insert(members.len());
        if group == members.len() {
            members.push(Vec::new());
        }
        members[group].push(number);
    }
    if set.is_empty() && members.is_empty() {
        members.push(Vec::new());
    }
    let mut groups = Vec::with_capacity(members.len());
    for group in members {
        let mut result = group.first().map_or_else(|| base.clone(), |first| tuples[*first].clone());
        let mut row = Vec::with_capacity(grouping.aggregates.len() + grouping.keys.len());
        for aggregate in &grouping.aggregates {
            row.push(run(context, aggregate, group.iter().map(|number| &tuples[*number]), outer)?);
        }
        let frame = Frame { slots: &result, outer: Some(outer), locals: &[] };
        for (index, key) in grouping.keys.iter().enumerate() {
            let present = set.contains(&index) && !group.is_empty();
            row.push(if present { eval(context, key, &frame)? } else { Datum::Null });
        }
        result[grouping.slot] = row.into();
        groups.push(result);
    }
    Ok(groups)
}

/// An aggregate over the tuples of a group.
pub fn run<'t>(
    context: &Context<'_>,
    aggregate: &Aggregate,
    tuples: impl Iterator<Item = &'t Tuple>,
    outer: &Frame<'_>,
) -> Result<Datum> {
    let mut inputs: Vec<(Vec<Datum>, Vec<Datum>)> = Vec::new();
    let mut state = State::new(aggregate);
    let mut seen: HashSet<Vec<Key>> = HashSet::new();
    for tuple in tuples {
        context.step()?;
        let frame = Frame { slots: tuple, outer: Some(outer), locals: &[] };
        if let Some(filter) = &aggregate.filter
            && !holds(context, filter, &frame)?
        {
            continue;
        }
        let values = aggregate.arguments.iter().map(|item| eval(context, item, &frame)).collect::<Result<Vec<_>>>()?;
        if aggregate.distinct && !seen.insert(values.iter().map(Key::grouping).collect()) {
            continue;
        }
        if aggregate.order.is_empty() && !aggregate.distinct {
            state.add(context, &values)?;
        } else {
            inputs.push((sort_values(context, &aggregate.order, &values, &frame)?, values));
        }
    }
    if aggregate.distinct && aggregate.order.is_empty() {
        inputs.sort_by(|a, b| {
            a.1.iter()
                .zip(&b.1)
                .map(|(a, b)| crate::types::compare::compare(a, b))
                .find(|o| o.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
    } else {
        inputs.sort_by(|a, b| sort::order(&aggregate.order, &a.0, &b.0));
    }
    for (_, values) in inputs {
        state.add(context, &values)?;
    }
    state.finish(context)
}
