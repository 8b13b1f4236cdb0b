//! Walks over bound expressions and queries.

use std::sync::Arc;

use crate::plan::*;

/// Calls `visit` on every expression below (not on `ex` itself), with the number of SELECTs entered on the way.
pub fn children(ex: &mut Ex, depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    match &mut ex.node {
        Node::Const(_) | Node::Column(_) | Node::WholeRow { .. } | Node::Parameter(_) | Node::Local(_) => {}
        Node::Call { arguments, .. } => arguments.iter_mut().for_each(|item| visit(item, depth)),
        Node::And(items) | Node::Or(items) | Node::Coalesce(items) | Node::Extreme(items, _) | Node::Row(items) => {
            items.iter_mut().for_each(|item| visit(item, depth));
        }
        Node::Array { items, .. } => items.iter_mut().for_each(|item| visit(item, depth)),
        Node::Cast(inner) | Node::Not(inner) | Node::IsNull(inner, _) | Node::IsBool(inner, ..) => visit(inner, depth),
        Node::Field(inner, _) | Node::InSet { left: inner, .. } => visit(inner, depth),
        Node::Compare(_, left, right) | Node::Distinct(left, right, _) => {
            visit(left, depth);
            visit(right, depth);
        }
        Node::Quantified { left, array, test, .. } => {
            visit(left, depth);
            visit(array, depth);
            visit(test, depth);
        }
        Node::Case { operand, whens, otherwise } => {
            operand.iter_mut().for_each(|item| visit(item, depth));
            for (when, then) in whens {
                visit(when, depth);
                visit(then, depth);
            }
            otherwise.iter_mut().for_each(|item| visit(item, depth));
        }
        Node::Subscript(inner, subscripts) => {
            visit(inner, depth);
            for subscript in subscripts {
                match subscript {
                    Subscript::Index(index) => visit(index, depth),
                    Subscript::Slice(low, high) => low.iter_mut().chain(high).for_each(|item| visit(item, depth)),
                }
            }
        }
        Node::Scalar(subquery) | Node::Exists(subquery, _) | Node::ArrayOf(subquery, _) => {
            query(Arc::make_mut(&mut subquery.query), depth, visit);
        }
        Node::SubqueryTest { left, subquery, test, .. } => {
            left.iter_mut().for_each(|item| visit(item, depth));
            query(Arc::make_mut(&mut subquery.query), depth, visit);
            visit(test, depth);
        }
    }
}

/// Calls `visit` on every outermost expression of a query.
pub fn query(target: &mut Query, depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    for cte in &mut target.ctes {
        query(&mut cte.query, depth, visit);
        if let Some((recursive, _)) = &mut cte.recursive {
            query(recursive, depth, visit);
        }
    }
    let inner = match &target.body {
        Body::Select(_) => depth + 1,
        _ => depth,
    };
    match &mut target.body {
        Body::Select(body) => select(body, inner, visit),
        Body::Values(rows) => rows.iter_mut().flatten().for_each(|item| visit(item, depth)),
        Body::SetOperation { left, right, .. } => {
            query(left, depth, visit);
            query(right, depth, visit);
        }
        Body::Query(body) => query(body, depth, visit),
    }
    sort_keys(&mut target.order, inner, visit);
    target.limit.iter_mut().chain(&mut target.offset).for_each(|item| visit(item, depth));
}

fn sort_keys(keys: &mut [SortKey], depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    for key in keys {
        if let SortBy::Expression(ex) = &mut key.by {
            visit(ex, depth);
        }
    }
}

fn select(target: &mut Select, depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    from(&mut target.from, depth, visit);
    target.gates.iter_mut().for_each(|item| visit(item, depth));
    if let Some(grouping) = &mut target.grouping {
        grouping.keys.iter_mut().for_each(|item| visit(item, depth));
        for aggregate in &mut grouping.aggregates {
            aggregate.arguments.iter_mut().chain(&mut aggregate.filter).for_each(|item| visit(item, depth));
            sort_keys(&mut aggregate.order, depth, visit);
        }
    }
    target.having.iter_mut().for_each(|item| visit(item, depth));
    for window in &mut target.windows {
        let parts = window.arguments.iter_mut().chain(&mut window.partition).chain(&mut window.filter);
        parts.for_each(|item| visit(item, depth));
        sort_keys(&mut window.order, depth, visit);
    }
    for set in &mut target.sets {
        set.call.arguments.iter_mut().for_each(|item| visit(item, depth));
    }
    target.targets.iter_mut().for_each(|item| visit(item, depth));
    if let Distinct::On(items) = &mut target.distinct {
        items.iter_mut().for_each(|item| visit(item, depth));
    }
}

pub fn from(target: &mut From, depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    match target {
        From::Raw(raw, conditions) => {
            raw.iter_mut().for_each(|raw| tree(raw, depth, visit));
            conditions.iter_mut().for_each(|item| visit(item, depth));
        }
        From::Nothing => {}
        From::Item(target) => item(target, depth, visit),
        From::Join(join) => {
            from(&mut join.left, depth, visit);
            from(&mut join.right, depth, visit);
            for (left, right) in &mut join.keys {
                visit(left, depth);
                visit(right, depth);
            }
            join.conditions.iter_mut().chain(&mut join.filters).for_each(|item| visit(item, depth));
        }
    }
}

pub fn tree(target: &mut Tree, depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    match target {
        Tree::Item(target) => item(target, depth, visit),
        Tree::Join { left, right, on, .. } => {
            tree(left, depth, visit);
            tree(right, depth, visit);
            on.iter_mut().for_each(|item| visit(item, depth));
        }
        Tree::Filter(inner, conditions) => {
            tree(inner, depth, visit);
            conditions.iter_mut().for_each(|item| visit(item, depth));
        }
    }
}

pub fn item(target: &mut Item, depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    target.filters.iter_mut().for_each(|item| visit(item, depth));
    if let Some((_, value)) = &mut target.lookup {
        visit(value, depth);
    }
    match &mut target.source {
        ItemSource::Relation(_) | ItemSource::Cte(_) => {}
        ItemSource::Query(inner) => query(Arc::make_mut(inner), depth, visit),
        ItemSource::Functions { calls, .. } => {
            calls.iter_mut().flat_map(|call| &mut call.arguments).for_each(|item| visit(item, depth));
        }
    }
}

/// Calls `visit` on `ex` and everything below it, outermost first.
pub fn every(ex: &mut Ex, depth: usize, visit: &mut dyn FnMut(&mut Ex, usize)) {
    visit(ex, depth);
    crate::stack::deep(|| children(ex, depth, &mut |child, depth| every(child, depth, visit)));
}

/// The columns of enclosing SELECTs that `ex` reads, `depth` 0 being where it stands.
pub fn columns(ex: &mut Ex) -> Vec<ColumnRef> {
    let mut found = Vec::new();
    every(ex, 0, &mut |ex, depth| note(ex, depth, &mut found));
    found
}

/// The columns of enclosing SELECTs that a query reads.
pub fn query_columns(target: &mut Query) -> Vec<ColumnRef> {
    let mut found = Vec::new();
    query(target, 0, &mut |ex, depth| every(ex, depth, &mut |ex, depth| note(ex, depth, &mut found)));
    found
}

fn note(ex: &Ex, depth: usize, found: &mut Vec<ColumnRef>) {
    let column = match &ex.node {
        Node::Column(column) => *column,
        Node::WholeRow { level, slot } => ColumnRef { level: *level, slot: *slot, column: usize::MAX },
        _ => return,
    };
    if column.level >= depth {
        let seen = ColumnRef { level: column.level - depth, ..column };
        if !found.contains(&seen) {
            found.push(seen);
        }
    }
}
