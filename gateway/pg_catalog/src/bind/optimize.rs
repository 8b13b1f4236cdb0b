//! Chooses the order of joins, puts conditions where they can be looked at first, and finds index lookups.

use std::sync::Arc;

use mantissa_core::PgType;

use super::from::conjuncts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::plan::*;
use crate::types::category;
use crate::walk;

/// FROM items of one SELECT, a bit each.
type Slots = u128;
const MAX_SLOTS: usize = 128;

/// Optimises every SELECT of a query, innermost first, and notes what each subquery reads of its surroundings.
pub fn query(target: &mut Query, context: &Context<'_>) -> Result<()> {
    for cte in &mut target.ctes {
        query(&mut cte.query, context)?;
        if let Some((step, _)) = &mut cte.recursive {
            query(step, context)?;
        }
    }
    match &mut target.body {
        Body::Select(body) => select(body, context)?,
        Body::Values(_) => {}
        Body::Query(inner) => query(inner, context)?,
        Body::SetOperation { left, right, .. } => {
            crate::stack::deep(|| query(left, context))?;
            crate::stack::deep(|| query(right, context))?;
        }
    }
    let mut result = Ok(());
    walk_own(target, &mut |ex| {
        if result.is_ok() {
            result = subqueries(ex, context);
        }
    });
    result
}

/// Visits the expressions of a query that no nested query holds.
fn walk_own(target: &mut Query, visit: &mut dyn FnMut(&mut Ex)) {
    match &mut target.body {
        Body::Select(_) => {
            let shallow = &mut |ex: &mut Ex, depth: usize| {
                if depth <= 1 {
                    visit(ex);
                }
            };
            own_of_select(target, shallow);
        }
        Body::Values(rows) => rows.iter_mut().flatten().for_each(&mut *visit),
        _ => {}
    }
    target.limit.iter_mut().chain(&mut target.offset).for_each(visit);
}

fn own_of_select(target: &mut Query, visit: &mut dyn FnMut(&mut Ex, usize)) {
    // Items that are queries of their own are done already; `walk::query` would enter them again.
    let Body::Select(body) = &mut target.body else { return };
    let mut held = Vec::new();
    take_queries(&mut body.from, &mut held);
    let ctes = std::mem::take(&mut target.ctes);
    let limits = (target.limit.take(), target.offset.take());
    walk::query(target, 0, visit);
    target.ctes = ctes;
    (target.limit, target.offset) = limits;
    let Body::Select(body) = &mut target.body else { return };
    held.reverse();
    give_queries(&mut body.from, &mut held);
}

fn take_queries(from: &mut From, held: &mut Vec<Arc<Query>>) {
    match from {
        From::Item(item) => {
            if let ItemSource::Query(query) = &mut item.source {
                held.push(std::mem::replace(query, Arc::new(super::empty_query())));
            }
        }
        From::Join(join) => {
            take_queries(&mut join.left, held);
            take_queries(&mut join.right, held);
        }
        From::Raw(..) | From::Nothing => {}
    }
}

fn give_queries(from: &mut From, held: &mut Vec<Arc<Query>>) {
    match from {
        From::Item(item) => {
            if let (ItemSource::Query(query), Some(own)) = (&mut item.source, held.last().cloned()) {
                held.pop();
                *query = own;
            }
        }
        From::Join(join) => {
            give_queries(&mut join.left, held);
            give_queries(&mut join.right, held);
        }
        From::Raw(..) | From::Nothing => {}
    }
}

/// Optimises the subqueries of an expression.
fn subqueries(ex: &mut Ex, context: &Context<'_>) -> Result<()> {
    let nested = match &mut ex.node {
        Node::Scalar(subquery) | Node::Exists(subquery, _) | Node::ArrayOf(subquery, _) => Some(subquery),
        Node::SubqueryTest { subquery, .. } => Some(subquery),
        _ => None,
    };
    if let Some(subquery) = nested {
        let inner = Arc::make_mut(&mut subquery.query);
        crate::stack::deep(|| query(inner, context))?;
        subquery.free = walk::query_columns(inner);
        if let Node::SubqueryTest { left, test, .. } = &mut ex.node {
            left.iter_mut().try_for_each(|item| subqueries(item, context))?;
            subqueries(test, context)?;
        }
        return Ok(());
    }
    let mut result = Ok(());
    walk::children(ex, 0, &mut |child, _| {
        if result.is_ok() {
            result = crate::stack::deep(|| subqueries(child, context));
        }
    });
    result
}

fn select(target: &mut Select, context: &Context<'_>) -> Result<()> {
    let From::Raw(tree, conditions) = std::mem::replace(&mut target.from, From::Nothing) else { return Ok(()) };
    if target.slots > MAX_SLOTS {
        return Err(Error::TooMuchWork);
    }
    let (gates, conditions): (Vec<Ex>, Vec<Ex>) = conditions.into_iter().partition(|ex| slots(ex) == 0);
    target.gates = gates;
    match tree {
        Some(tree) => target.from = self::tree(tree, conditions, context)?,
        None => debug_assert!(conditions.is_empty()),
    }
    Ok(())
}

/// The FROM items of the SELECT that `ex` stands in which it reads.
fn slots(ex: &Ex) -> Slots {
    let mut ex = ex.clone();
    bits(walk::columns(&mut ex))
}

fn bits(columns: Vec<ColumnRef>) -> Slots {
    columns.iter().filter(|column| column.level == 0).fold(0, |bits, column| bits | bit(column.slot))
}

fn bit(slot: usize) -> Slots {
    1_u128.checked_shl(slot as u32).unwrap_or(0)
}

/// A part of FROM that is joined as a whole.
struct Leaf {
    from: From,
    slots: Slots,
    widths: Vec<(usize, usize)>,
    /// Items to the left that it reads (LATERAL).
    needs: Slots,
    estimate: usize,
}

fn tree(tree: Tree, conditions: Vec<Ex>, context: &Context<'_>) -> Result<From> {
    Ok(leaf_of(tree, conditions, context)?.from)
}

fn leaf_of(tree: Tree, conditions: Vec<Ex>, context: &Context<'_>) -> Result<Leaf> {
    let mut pool: Vec<(Ex, Slots)> = Vec::new();
    let add = |pool: &mut Vec<(Ex, Slots)>, items: Vec<Ex>| {
        for item in items.into_iter().flat_map(conjuncts) {
            let slots = slots(&item);
            pool.push((item, slots));
        }
    };
    add(&mut pool, conditions);
    let mut parts = Vec::new();
    let mut pending = vec![tree];
    while let Some(tree) = pending.pop() {
        match tree {
            Tree::Join { kind: JoinKind::Inner, left, right, on } => {
                add(&mut pool, on);
                pending.push(*right);
                pending.push(*left);
            }
            Tree::Filter(inner, conditions) => {
                add(&mut pool, conditions);
                pending.push(*inner);
            }
            other => parts.push(other),
        }
    }
    let mut leaves = Vec::new();
    for part in parts {
        leaves.push(match part {
            Tree::Item(item) => item_leaf(*item, &mut pool, context)?,
            other => outer_leaf(other, &mut pool, context)?,
        });
    }
    join_all(leaves, pool)
}

/// Conditions of the pool that read only `slots`, and at least one of them.
fn take_within(pool: &mut Vec<(Ex, Slots)>, within: Slots) -> Vec<Ex> {
    let mut taken = Vec::new();
    let mut index = 0;
    while index < pool.len() {
        if pool[index].1 != 0 && pool[index].1 & !within == 0 {
            taken.push(pool.remove(index).0);
        } else {
            index += 1;
        }
    }
    taken
}

fn item_leaf(mut item: Item, pool: &mut Vec<(Ex, Slots)>, context: &Context<'_>) -> Result<Leaf> {
    let own = bit(item.slot);
    if let ItemSource::Query(inner) = &mut item.source {
        query(Arc::make_mut(inner), context)?;
    }
    let needs = match &mut item.source {
        ItemSource::Query(inner) => bits(walk::query_columns(Arc::make_mut(inner))),
        ItemSource::Functions { calls, .. } => {
            calls.iter_mut().flat_map(|call| &mut call.arguments).fold(0, |bits, ex| bits | slots(ex))
        }
        _ => 0,
    };
    item.filters = take_within(pool, own);
    if let ItemSource::Relation(shape) = &item.source {
        let found = item.filters.iter().enumerate().find_map(|(index, filter)| {
            let (column, value) = lookup_of(filter, item.slot)?;
            Some((index, column, value))
        });
        if let Some((index, column, value)) = found {
            item.filters.remove(index);
            item.lookup = Some((column, value));
            item.estimate = if shape.columns[column].name == "oid" { 1 } else { 8 };
        }
    }
    item.filters.sort_by_key(cost);
    for _ in &item.filters {
        item.estimate = (item.estimate / 3).max(1);
    }
    let (slot, width, estimate) = (item.slot, item.width, item.estimate);
    Ok(Leaf { from: From::Item(Box::new(item)), slots: own, widths: vec![(slot, width)], needs, estimate })
}

/// `column = value`, where `value` reads nothing of the item.
fn lookup_of(filter: &Ex, slot: usize) -> Option<(usize, Ex)> {
    let Node::Compare(Comparison::Eq, left, right) = &filter.node else { return None };
    let side = |column: &Ex, value: &Ex| match column.node {
        Node::Column(ColumnRef { level: 0, slot: this, column: index })
            if this == slot && slots(value) & bit(slot) == 0 && same_keys(column.ty, value.ty) =>
        {
            Some((index, value.clone()))
        }
        _ => None,
    };
    side(left, right).or_else(|| side(right, left))
}

/// Whether equal values of two types have equal keys.
pub fn same_keys(a: PgType, b: PgType) -> bool {
    let class = |ty: PgType| {
        if category::is_integer(ty) || category::is_oid(ty) || matches!(ty, PgType::XID | PgType::CID) {
            1
        } else if matches!(ty, PgType::TEXT | PgType::NAME | PgType::VARCHAR) {
            2
        } else {
            ty.0 + 100
        }
    };
    // bpchar compares without its padding; records and arrays by their parts.
    class(a) == class(b) && !matches!(a, PgType::BPCHAR | PgType::RECORD)
}

/// Cheap conditions first.
fn cost(ex: &Ex) -> u32 {
    let mut ex = ex.clone();
    let mut total = 0;
    walk::every(&mut ex, 0, &mut |ex, _| {
        total += match ex.node {
            Node::Scalar(_) | Node::Exists(..) | Node::ArrayOf(..) | Node::SubqueryTest { .. } => 100,
            Node::Call { .. } => 20,
            Node::Cast(_) => 5,
            _ => 1,
        };
    });
    total
}

fn outer_leaf(tree: Tree, pool: &mut Vec<(Ex, Slots)>, context: &Context<'_>) -> Result<Leaf> {
    let Tree::Join { kind, left, right, on } = tree else { return Err(Error::TooDeep) };
    let (left_slots, right_slots) = (tree_slots(&left), tree_slots(&right));
    let on: Vec<Ex> = on.into_iter().flat_map(conjuncts).collect();
    let within = |ex: &Ex, within: Slots| {
        let read = slots(ex);
        read != 0 && read & !within == 0
    };
    // WHERE on the side that keeps its rows may be looked at before the join; ON of the other side too.
    let (mut to_left, mut to_right) = (Vec::new(), Vec::new());
    let mut conditions = Vec::new();
    match kind {
        JoinKind::Left => to_left = take_within(pool, left_slots),
        JoinKind::Right => to_right = take_within(pool, right_slots),
        JoinKind::Inner | JoinKind::Full => {}
    }
    for ex in on {
        if kind == JoinKind::Left && within(&ex, right_slots) {
            to_right.push(ex);
        } else if kind == JoinKind::Right && within(&ex, left_slots) {
            to_left.push(ex);
        } else {
            conditions.push(ex);
        }
    }
    let left = crate::stack::deep(|| leaf_of(*left, to_left, context))?;
    let right = crate::stack::deep(|| leaf_of(*right, to_right, context))?;
    let all = left.slots | right.slots;
    let needs = (left.needs | right.needs) & !all;
    let estimate = left.estimate.max(if kind == JoinKind::Left { 1 } else { right.estimate });
    let mut widths = left.widths.clone();
    widths.extend(right.widths.iter().copied());
    let from = make_join(kind, left, right, conditions);
    let mut leaf = Leaf { from, slots: all, widths, needs, estimate };
    let filters = take_within(pool, all);
    if let From::Join(join) = &mut leaf.from {
        join.filters = filters;
    }
    Ok(leaf)
}

fn tree_slots(tree: &Tree) -> Slots {
    match tree {
        Tree::Item(item) => bit(item.slot),
        Tree::Join { left, right, .. } => tree_slots(left) | tree_slots(right),
        Tree::Filter(inner, _) => tree_slots(inner),
    }
}

/// Joins two sides: by index where the right is one relation, else by hash, else every pair.
fn make_join(kind: JoinKind, left: Leaf, mut right: Leaf, conditions: Vec<Ex>) -> From {
    let mut keys = Vec::new();
    let mut rest = Vec::new();
    for ex in conditions {
        match key_of(&ex, left.slots, right.slots) {
            Some(pair) => keys.push(pair),
            None => rest.push(ex),
        }
    }
    let mut lateral = right.needs & left.slots != 0;
    if matches!(kind, JoinKind::Inner | JoinKind::Left)
        && let From::Item(item) = &mut right.from
        && item.lookup.is_none()
        && matches!(item.source, ItemSource::Relation(_))
    {
        let is_column =
            |ex: &Ex| matches!(ex.node, Node::Column(ColumnRef { level: 0, slot, .. }) if slot == item.slot);
        // The most telling column decides: an oid, else the first.
        let best = keys
            .iter()
            .enumerate()
            .filter(|(_, (_, right))| is_column(right))
            .min_by_key(|(_, (_, right))| u32::from(!category::is_oid(right.ty)))
            .map(|(index, _)| index);
        if let Some(index) = best {
            let (value, column) = keys.remove(index);
            if let Node::Column(column) = column.node {
                item.lookup = Some((column.column, value));
                lateral = true;
            }
        }
    }
    if lateral {
        for (a, b) in keys.drain(..) {
            rest.push(Ex::new(Node::Compare(Comparison::Eq, Box::new(a), Box::new(b)), PgType::BOOL));
        }
    }
    rest.sort_by_key(cost);
    From::Join(Box::new(Join {
        kind,
        left: left.from,
        right: right.from,
        keys,
        conditions: rest,
        filters: vec![],
        left_slots: left.widths,
        right_slots: right.widths,
        lateral,
    }))
}

/// `left = right` with a side each.
fn key_of(ex: &Ex, left: Slots, right: Slots) -> Option<(Ex, Ex)> {
    let Node::Compare(Comparison::Eq, a, b) = &ex.node else { return None };
    let (x, y) = (slots(a), slots(b));
    if x == 0 || y == 0 || !same_keys(a.ty, b.ty) {
        return None;
    }
    if x & !left == 0 && y & !right == 0 {
        return Some(((**a).clone(), (**b).clone()));
    }
    (x & !right == 0 && y & !left == 0).then(|| ((**b).clone(), (**a).clone()))
}

/// Joins leaves one after the other: always one that is connected to what is there, the smallest first.
fn join_all(mut leaves: Vec<Leaf>, mut pool: Vec<(Ex, Slots)>) -> Result<Leaf> {
    let first = (0..leaves.len()).filter(|index| leaves[*index].needs & all_slots(&leaves) == 0);
    let first = first.min_by_key(|index| leaves[*index].estimate).ok_or(Error::TooDeep)?;
    let mut joined = leaves.remove(first);
    while !leaves.is_empty() {
        let others = all_slots(&leaves);
        let ready = |leaf: &Leaf| leaf.needs & others & !leaf.slots == 0;
        let next = (0..leaves.len())
            .filter(|index| ready(&leaves[*index]))
            .min_by_key(|index| {
                let leaf = &leaves[*index];
                let connected = pool.iter().any(|(ex, _)| key_of(ex, joined.slots, leaf.slots).is_some());
                let touched = leaf.needs & joined.slots != 0;
                (!(connected || touched), leaf.estimate)
            })
            .ok_or(Error::TooMuchWork)?;
        let leaf = leaves.remove(next);
        let slots = joined.slots | leaf.slots;
        let needs = (joined.needs | leaf.needs) & !slots;
        let estimate = joined.estimate.max(leaf.estimate);
        let mut widths = joined.widths.clone();
        widths.extend(leaf.widths.iter().copied());
        let conditions = take_within(&mut pool, slots);
        let from = make_join(JoinKind::Inner, joined, leaf, conditions);
        joined = Leaf { from, slots, widths, needs, estimate };
    }
    let rest: Vec<Ex> = pool.into_iter().map(|(ex, _)| ex).collect();
    if !rest.is_empty() {
        attach(&mut joined.from, rest);
    }
    Ok(joined)
}

fn all_slots(leaves: &[Leaf]) -> Slots {
    leaves.iter().fold(0, |slots, leaf| slots | leaf.slots)
}

fn attach(from: &mut From, conditions: Vec<Ex>) {
    match from {
        From::Item(item) => item.filters.extend(conditions),
        From::Join(join) => join.filters.extend(conditions),
        From::Raw(..) | From::Nothing => {}
    }
}
