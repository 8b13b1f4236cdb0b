//! Subqueries as values, IN, ANY, ALL.

use std::collections::HashSet;
use std::sync::Arc;

use dialects::ast::{self, BinaryOperator, Expr};
use mantissa_core::PgType;

use super::operator::symbol;
use super::select::same;
use super::{Binder, expr, optimize, strip, types};
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::plan::*;
use crate::types::category;

/// An IN list of fewer constants is compared one by one.
const MIN_SET: usize = 3;

impl Binder<'_> {
    /// Binds a subquery that stands in an expression.
    pub(super) fn subquery(&mut self, query: &ast::Query) -> Result<Subquery> {
        let clause = self.scopes.last_mut().map(|scope| std::mem::replace(&mut scope.in_aggregate, false));
        let bound = self.query(query);
        if let (Some(scope), Some(clause)) = (self.scopes.last_mut(), clause) {
            scope.in_aggregate = clause;
        }
        let mut bound = bound?;
        self.resolve_unknown(&mut bound)?;
        Ok(Subquery { id: self.new_id(), query: Arc::new(bound), free: Vec::new() })
    }

    pub(super) fn scalar_subquery(&mut self, query: &ast::Query) -> Result<Ex> {
        let subquery = self.subquery(query)?;
        let output = single_column(&subquery)?.clone();
        let mut ex = Ex::new(Node::Scalar(subquery), output.field.ty);
        ex.typmod = output.field.typmod;
        ex.fields = output.fields;
        Ok(ex)
    }

    /// ARRAY(SELECT ...).
    pub(super) fn array_subquery(&mut self, query: &ast::Query) -> Result<Ex> {
        let subquery = self.subquery(query)?;
        let element = single_column(&subquery)?.field.ty;
        if element.element().is_some() {
            return Ok(Ex::new(Node::ArrayOf(subquery, element), element));
        }
        let array = types::array_of(self.context, element)?;
        let array = array.ok_or_else(|| Error::UndefinedType(format!("{element}[]")))?;
        Ok(Ex::new(Node::ArrayOf(subquery, element), array))
    }

    pub(super) fn in_list(&mut self, left: &Expr, list: &[Expr], negated: bool) -> Result<Ex> {
        let left = self.expr(left)?;
        let items = list.iter().map(|item| self.expr(item)).collect::<Result<Vec<_>>>()?;
        // Literals of one common type with the left side, where there is one.
        let mut tests = Vec::with_capacity(items.len());
        for item in items {
            tests.push(self.compare(Comparison::Eq, left.clone(), item, None)?);
        }
        if let Some(set) = constant_set(&tests) {
            return Ok(Ex::new(Node::InSet { left: Box::new(set.0), set: Arc::new(set.1), negated }, PgType::BOOL));
        }
        let any = match tests.len() {
            1 => tests.remove(0),
            _ => Ex::new(Node::Or(tests), PgType::BOOL),
        };
        Ok(if negated { not(any) } else { any })
    }

    pub(super) fn in_subquery(&mut self, left: &Expr, query: &ast::Query, negated: bool) -> Result<Ex> {
        let test = self.subquery_test(left, "=", query, false)?;
        Ok(if negated { not(test) } else { test })
    }

    pub(super) fn quantified(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, all: bool) -> Result<Ex> {
        let symbol = symbol(op)?;
        if let Expr::Subquery(query) = strip(right) {
            return self.subquery_test(left, &symbol, query, all);
        }
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let right = if right.is_unknown() {
            let element = if left.is_unknown() { PgType::TEXT } else { left.ty };
            let element = if element.is_reg() { PgType::OID } else { element };
            let array = types::array_of(self.context, element)?.unwrap_or(PgType(1009));
            self.cast(right, array, -1)?
        } else {
            right
        };
        let element = match category::element(right.ty) {
            Some(element) => element,
            None if right.ty == PgType::ANYARRAY => PgType::TEXT,
            None => {
                let message = "op ANY/ALL (array) requires array on right side".to_owned();
                return Err(Error::WrongObject(message).at(right.position));
            }
        };
        let left = if left.is_unknown() { self.cast(left, element, -1)? } else { left };
        let mut locals = [Ex::new(Node::Local(0), left.ty), Ex::new(Node::Local(1), element)];
        locals[0].fields = left.fields.clone();
        let [a, b] = locals;
        let test = self.operator_call(&symbol, a, b, None)?;
        let test = self.boolean(test, "ANY/ALL")?;
        let is_plain = matches!(&test.node, Node::Compare(Comparison::Eq, a, b)
            if matches!(a.node, Node::Local(0)) && matches!(b.node, Node::Local(1)) && optimize::same_keys(a.ty, b.ty));
        if is_plain
            && !all
            && let Node::Const(Datum::Array(array)) = &right.node
        {
            let set = Set {
                keys: array.values.iter().filter_map(Key::of).collect(),
                has_null: array.values.iter().any(Datum::is_null),
            };
            return Ok(Ex::new(Node::InSet { left: Box::new(left), set: Arc::new(set), negated: false }, PgType::BOOL));
        }
        let node = Node::Quantified { left: Box::new(left), array: Box::new(right), test: Box::new(test), all };
        Ok(Ex::new(node, PgType::BOOL))
    }

    fn subquery_test(&mut self, left: &Expr, symbol: &str, query: &ast::Query, all: bool) -> Result<Ex> {
        let left = match strip(left) {
            Expr::Tuple(items) => items.iter().map(|item| self.expr(item)).collect::<Result<Vec<_>>>()?,
            other => vec![self.expr(other)?],
        };
        let subquery = self.subquery(query)?;
        let outputs = &subquery.query.fields;
        let width = left.len();
        if outputs.len() != width {
            let few = if outputs.len() < width { "few" } else { "many" };
            return Err(Error::Syntax(format!("subquery has too {few} columns")));
        }
        let outputs = outputs.clone();
        let mut typed = Vec::with_capacity(width);
        let mut pairs = (Vec::new(), Vec::new());
        for (index, (ex, output)) in left.into_iter().zip(&outputs).enumerate() {
            let ex = if ex.is_unknown() { self.cast(ex, output.field.ty, -1)? } else { ex };
            let mut a = Ex::new(Node::Local(index), ex.ty);
            a.fields = ex.fields.clone();
            let mut b = Ex::new(Node::Local(width + index), output.field.ty);
            b.fields = output.fields.clone();
            pairs.0.push(a);
            pairs.1.push(b);
            typed.push(ex);
        }
        let (a, b) = match width {
            1 => (pairs.0.remove(0), pairs.1.remove(0)),
            _ => (expr::row(pairs.0), expr::row(pairs.1)),
        };
        let test = self.operator_call(symbol, a, b, None)?;
        let test = self.boolean(test, "ANY/ALL")?;
        let hashable = symbol == "=" && !all && is_hashable(&test, width);
        let node = Node::SubqueryTest { left: typed, subquery, test: Box::new(test), all, hashable };
        Ok(Ex::new(node, PgType::BOOL))
    }
}

fn is_hashable(test: &Ex, width: usize) -> bool {
    let pair = |ex: &Ex, index: usize| match &ex.node {
        Node::Compare(Comparison::Eq, a, b) => {
            matches!(a.node, Node::Local(local) if local == index)
                && matches!(b.node, Node::Local(local) if local == width + index)
                && optimize::same_keys(a.ty, b.ty)
        }
        _ => false,
    };
    match &test.node {
        Node::And(items) => items.iter().enumerate().all(|(index, item)| pair(item, index)),
        _ => pair(test, 0),
    }
}

fn not(ex: Ex) -> Ex {
    Ex::new(Node::Not(Box::new(ex)), PgType::BOOL)
}

fn single_column(subquery: &Subquery) -> Result<&Output> {
    match subquery.query.fields.as_slice() {
        [output] => Ok(output),
        _ => Err(Error::Syntax("subquery must return only one column".into())),
    }
}

/// `x = a OR x = b OR ...` over constants as a set.
fn constant_set(tests: &[Ex]) -> Option<(Ex, Set)> {
    if tests.len() < MIN_SET {
        return None;
    }
    let mut set = Set { keys: HashSet::new(), has_null: false };
    let mut left: Option<&Ex> = None;
    for test in tests {
        let Node::Compare(Comparison::Eq, a, b) = &test.node else { return None };
        let Node::Const(value) = &b.node else { return None };
        if !optimize::same_keys(a.ty, b.ty) || left.is_some_and(|left| !same(left, a)) {
            return None;
        }
        left = Some(a);
        match Key::of(value) {
            Some(key) => {
                set.keys.insert(key);
            }
            None => set.has_null = true,
        }
    }
    left.map(|left| (left.clone(), set))
}
