//! Faults that this engine's own functions raise, carried through DataFusion's errors.

use datafusion::error::DataFusionError;
use mantissa_core::{ErrorKind, Problem};

/// A fault with the words and the SQLSTATE that Postgres gives it.
#[derive(Debug, Clone)]
pub(crate) struct Fault(pub Problem);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Fault {}

/// An error that reaches the client as it is.
pub(crate) fn fault(kind: ErrorKind, message: impl Into<String>) -> DataFusionError {
    problem(Problem::new(kind, message))
}

pub(crate) fn problem(problem: Problem) -> DataFusionError {
    DataFusionError::External(Box::new(Fault(problem)))
}
