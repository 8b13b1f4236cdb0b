//! Long chains of AND and OR, made as shallow as they can be. `a AND b AND c` parses to a tree as deep as the chain is
//! long; both operators are associative, also over NULL, so the tree may be halved again and again.

use std::mem;
use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Value, VisitMut, VisitorMut};

/// A chain shorter than this stays as it was written.
const SHORT: usize = 16;

pub(crate) fn balance(tree: &mut impl VisitMut) {
    let _ = tree.visit(&mut Balance);
}

struct Balance;

impl VisitorMut for Balance {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let operator = match expr {
            Expr::BinaryOp { op, .. } if is_logical(op) => op.clone(),
            _ => return ControlFlow::Continue(()),
        };
        if chain_length(expr, &operator) >= SHORT {
            let mut terms = take_terms(mem::replace(expr, null()), &operator);
            *expr = join(&mut terms, &operator);
        }
        ControlFlow::Continue(())
    }
}

fn is_logical(operator: &BinaryOperator) -> bool {
    matches!(operator, BinaryOperator::And | BinaryOperator::Or)
}

fn chain_length(expr: &Expr, operator: &BinaryOperator) -> usize {
    let mut length = 1;
    let mut current = expr;
    while let Expr::BinaryOp { left, op, .. } = current
        && op == operator
    {
        length += 1;
        current = left;
    }
    length
}

/// The operands in order. Without recursion, because the chain is as deep as it is long.
fn take_terms(expr: Expr, operator: &BinaryOperator) -> Vec<Expr> {
    let mut terms = Vec::new();
    let mut current = expr;
    loop {
        match current {
            Expr::BinaryOp { left, op, right } if op == *operator => {
                terms.push(*right);
                current = *left;
            }
            last => {
                terms.push(last);
                break;
            }
        }
    }
    terms.reverse();
    terms
}

fn join(terms: &mut [Expr], operator: &BinaryOperator) -> Expr {
    match terms {
        [] => null(),
        [only] => mem::replace(only, null()),
        _ => {
            let (left, right) = terms.split_at_mut(terms.len() / 2);
            let (left, right) = (join(left, operator), join(right, operator));
            Expr::BinaryOp { left: Box::new(left), op: operator.clone(), right: Box::new(right) }
        }
    }
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}
