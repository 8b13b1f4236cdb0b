//! Answers catalog queries (`pg_catalog`, `information_schema`, `mantissa`) and SELECTs that read no log table, with
//! Postgres's types and semantics: a small relational evaluator over rows in memory.

pub mod datum;
mod key;
pub mod relation;
mod types;

pub use datum::{Array, Datum, Dimension, Numeric, Record};
pub use key::Key;
pub use relation::{Lazy, Relation, RelationColumn, Relations, Row, Shape, Source};
