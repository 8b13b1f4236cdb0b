//! Answers catalog queries (`pg_catalog`, `information_schema`, `mantissa`) and SELECTs that read no log table, with
//! Postgres's types and semantics: a small relational evaluator over rows in memory.

mod answer;
mod bind;
mod context;
mod data;
pub mod datum;
mod engine;
mod error;
mod exec;
mod functions;
mod key;
mod plan;
pub mod relation;
pub mod relations;
mod stack;
mod types;
mod walk;

pub use answer::{arrow_type, batch, printed, read};
pub use bind::{Plan, bind};
pub use context::{Access, Context, Session};
pub use datum::{Array, Datum, Dimension, Numeric, Record};
pub use engine::PgCatalogEngine;
pub use error::Error;
pub use functions::function_names;
pub use key::Key;
pub use relation::{Lazy, Relation, RelationColumn, Relations, Row, Shape, Source};
