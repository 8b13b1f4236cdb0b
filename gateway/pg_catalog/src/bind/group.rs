//! GROUP BY: its keys, its aggregates, and what may stand outside them.

use dialects::ast::{self, GroupByExpr};
use mantissa_core::PgType;

use super::Binder;
use super::select::{Target, same};
use crate::error::{Error, Result};
use crate::plan::*;
use crate::walk;

/// GROUP BY as bound: expressions, and which of them each grouping set has.
pub(super) struct Keys {
    keys: Vec<Ex>,
    sets: Vec<Vec<usize>>,
}

impl Binder<'_> {
    pub(super) fn group_keys(&mut self, group_by: &GroupByExpr, targets: &[Target]) -> Result<Option<Keys>> {
        let GroupByExpr::Expressions(items, modifiers) = group_by else {
            return Err(Error::Unsupported("GROUP BY ALL".into()));
        };
        if !modifiers.is_empty() {
            return Err(Error::Unsupported("GROUP BY modifiers".into()));
        }
        if items.is_empty() {
            return Ok(None);
        }
        self.scope()?.no_aggregates = Some("GROUP BY");
        let mut keys = Keys { keys: Vec::new(), sets: vec![Vec::new()] };
        for item in items {
            let sets: Vec<Vec<usize>> = match item {
                ast::Expr::GroupingSets(sets) => self.key_lists(sets, targets, &mut keys)?,
                ast::Expr::Rollup(parts) => {
                    let parts = self.key_lists(parts, targets, &mut keys)?;
                    (0..=parts.len()).rev().map(|count| parts[..count].concat()).collect()
                }
                ast::Expr::Cube(parts) => {
                    let parts = self.key_lists(parts, targets, &mut keys)?;
                    let masks = (0..1_usize << parts.len().min(10)).rev();
                    masks
                        .map(|mask| {
                            let chosen = parts.iter().rev().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
                            chosen.flat_map(|(_, part)| part.clone()).collect()
                        })
                        .collect()
                }
                ast::Expr::Tuple(parts) if parts.is_empty() => vec![vec![]],
                other => vec![vec![self.group_key(other, targets, &mut keys)?]],
            };
            let crossed = keys.sets.iter().flat_map(|left| sets.iter().map(move |right| [&left[..], right].concat()));
            keys.sets = crossed.collect();
        }
        self.scope()?.no_aggregates = None;
        Ok(Some(keys))
    }

    fn key_lists(&mut self, lists: &[Vec<ast::Expr>], targets: &[Target], keys: &mut Keys) -> Result<Vec<Vec<usize>>> {
        let bind = |list: &Vec<ast::Expr>| list.iter().map(|item| self.group_key(item, targets, keys)).collect();
        lists.iter().map(bind).collect()
    }

    /// A column of FROM wins over an output column of the same name.
    fn group_key(&mut self, item: &ast::Expr, targets: &[Target], keys: &mut Keys) -> Result<usize> {
        let is_name = matches!(super::strip(item), ast::Expr::Identifier(_));
        let ex = if is_name {
            match self.expr(item) {
                Ok(ex) => ex,
                Err(error) => match self.output_reference(item, targets, "GROUP BY")? {
                    Some(index) => targets[index].ex.clone(),
                    None => return Err(error),
                },
            }
        } else {
            match self.output_reference(item, targets, "GROUP BY")? {
                Some(index) => targets[index].ex.clone(),
                None => self.expr(item)?,
            }
        };
        let ex = if ex.is_unknown() { self.cast(ex, PgType::TEXT, -1)? } else { ex };
        Ok(match keys.keys.iter().position(|known| same(known, &ex)) {
            Some(index) => index,
            None => {
                keys.keys.push(ex);
                keys.keys.len() - 1
            }
        })
    }

    /// Makes the grouping, and checks that what is read outside aggregates is grouped.
    pub(super) fn grouping(
        &mut self,
        keys: Option<Keys>,
        targets: &mut [Target],
        having: &mut Option<Ex>,
        sort: &mut [SortKey],
    ) -> Result<Option<Grouping>> {
        let scope = self.scope()?;
        if keys.is_none() && scope.aggregates.is_empty() && having.is_none() {
            return Ok(None);
        }
        let slot = match scope.aggregate_slot {
            Some(slot) => slot,
            None => scope.new_slot(),
        };
        let aggregates = std::mem::take(&mut scope.aggregates);
        let keys = keys.unwrap_or(Keys { keys: vec![], sets: vec![vec![]] });
        let own: Vec<usize> = scope.space.tables.iter().filter_map(keyed_slot(&keys.keys)).collect();
        let replace = keys.sets.len() > 1;
        let check = Check { keys: &keys.keys, dependent: own, slot, first: aggregates.len(), replace };
        for target in targets.iter_mut() {
            check.visit(&mut target.ex, 0).map_err(|column| self.ungrouped(column))?;
        }
        if let Some(having) = having {
            check.visit(having, 0).map_err(|column| self.ungrouped(column))?;
        }
        for key in sort {
            if let SortBy::Expression(ex) = &mut key.by {
                check.visit(ex, 0).map_err(|column| self.ungrouped(column))?;
            }
        }
        Ok(Some(Grouping { slot, keys: keys.keys, sets: keys.sets, aggregates }))
    }

    fn ungrouped(&mut self, (column, position): (ColumnRef, Option<u32>)) -> Error {
        let mut name = "column".to_owned();
        if let Ok(scope) = self.scope() {
            for table in &scope.space.tables {
                let fits = |ex: &Ex| matches!(ex.node, Node::Column(other) if other == column);
                if let Some(found) = table.columns.iter().find(|named| fits(&named.ex)) {
                    name = format!("{}.{}", table.name, found.name);
                }
            }
        }
        let message =
            format!("column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function");
        Error::Grouping(message).at(position)
    }
}

/// The slot of a relation whose `oid`, its primary key, is grouped: its other columns depend on it.
fn keyed_slot(keys: &[Ex]) -> impl Fn(&super::scope::NamedTable) -> Option<usize> + '_ {
    move |table| {
        let oid = table.columns.iter().find(|column| column.name == "oid" && table.oid != 0)?;
        let Node::Column(column) = oid.ex.node else { return None };
        keys.iter().any(|key| same(key, &oid.ex)).then_some(column.slot)
    }
}

struct Check<'k> {
    keys: &'k [Ex],
    dependent: Vec<usize>,
    slot: usize,
    /// Where the keys' values begin in the grouping's row.
    first: usize,
    /// Several grouping sets: keys are read from the grouping's row, where they may be NULL.
    replace: bool,
}

impl Check<'_> {
    fn visit(&self, ex: &mut Ex, depth: usize) -> Result<(), (ColumnRef, Option<u32>)> {
        if depth == 0
            && let Some(index) = self.keys.iter().position(|key| same(key, ex))
        {
            if self.replace {
                ex.node = Node::Column(ColumnRef { level: 0, slot: self.slot, column: self.first + index });
            }
            return Ok(());
        }
        if let Node::Column(column) = ex.node {
            let inner = ColumnRef { level: 0, ..column };
            let is_key = || self.keys.iter().any(|key| matches!(key.node, Node::Column(other) if other == inner));
            let is_own = column.level == depth && column.slot != self.slot && !self.dependent.contains(&column.slot);
            // Windows and set-returning results come after the grouping and have higher slots.
            if is_own && column.slot < self.slot && !is_key() {
                return Err((inner, ex.position));
            }
            return Ok(());
        }
        let mut result = Ok(());
        walk::children(ex, depth, &mut |child, depth| {
            if result.is_ok() {
                result = self.visit(child, depth);
            }
        });
        result
    }
}
