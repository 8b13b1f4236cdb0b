use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, VisitMut, VisitorMut};

use crate::Error;

/// Applies `change` to every expression of a query, inner ones first.
pub(crate) fn each_expr(query: &mut Query, change: impl FnMut(&mut Expr) -> Result<(), Error>) -> Result<(), Error> {
    match query.visit(&mut Each { change }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Each<F> {
    change: F,
}

impl<F: FnMut(&mut Expr) -> Result<(), Error>> VisitorMut for Each<F> {
    type Break = Error;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match (self.change)(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}
