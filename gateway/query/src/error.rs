//! How this crate names failures of its own and of the crates it joins.

use mantissa_core::{ErrorKind, Problem};

pub(crate) fn in_failed_transaction() -> Problem {
    Problem::new(
        ErrorKind::InFailedTransaction,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
}

pub(crate) fn read_only(command: &str) -> Problem {
    Problem::new(ErrorKind::ReadOnlyTransaction, format!("cannot execute {command} in a read-only transaction"))
        .hint("This server only reads: SELECT, ASK, EXPLAIN, SHOW and COPY ... TO STDOUT.")
}

pub(crate) fn canceled_by_user() -> Problem {
    Problem::new(ErrorKind::QueryCanceled, "canceling statement due to user request")
}

pub(crate) fn timed_out() -> Problem {
    Problem::new(ErrorKind::QueryCanceled, "canceling statement due to statement timeout")
        .hint("Narrow the time range, or raise statement_timeout up to your role's ceiling.")
}

pub(crate) fn terminated() -> Problem {
    Problem::new(ErrorKind::AdminShutdown, "terminating connection due to administrator command")
}

pub(crate) fn no_transaction(command: &str) -> Problem {
    Problem::new(ErrorKind::NoActiveTransaction, format!("{command} can only be used in transaction blocks"))
}
