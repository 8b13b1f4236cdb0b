//! Canonical SQL in, each engine's SQL out. Canonical SQL is Postgres syntax with Postgres semantics.
//!
//! Pure: no I/O, no async, no catalog, no users. Every position is a 1-based character of the statement's own text.

mod balance;
mod build;
mod calls;
mod canonical;
mod complexity;
mod datafusion;
mod dialect;
mod error;
mod functions;
mod identifier;
mod interval;
mod lex;
mod naming;
mod now;
mod parameters;
mod parse;
mod patterns;
mod position;
mod postgres;
mod relations;
mod rewrite;
mod split;
mod visit;

pub use sqlparser::ast;

pub use calls::written_function;
pub use datafusion::plain_column_name;
pub use dialect::{DIALECTS, Dialect, Rendering, dialect};
pub use error::Error;
pub use functions::{
    Access, ENGINE_FUNCTIONS, Function, FunctionKind, Volatility, function, functions, nearest, nearest_function,
    table_function,
};
pub use identifier::{fold, ident, name_parts};
pub use interval::interval_seconds;
pub use naming::column_name;
pub use now::{Instant, freeze_now};
pub use parameters::{bind_parameters, parameter_count};
pub use parse::{parse_query, parse_statement};
pub use patterns::regex_of_similar;
pub use position::Position;
pub use relations::{RelationRef, Relations, relations};
pub use split::{Fragment, split};
