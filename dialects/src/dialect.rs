use sqlparser::ast::Query;

use crate::Error;
use crate::datafusion::DataFusion;
use crate::postgres::Postgres;

/// A statement in one engine's language.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendering {
    /// For engines that take a syntax tree.
    pub tree: Query,
    /// For engines that take text, and for people.
    pub sql: String,
}

/// One engine's language. Named by language, not by product.
pub trait Dialect: Send + Sync {
    /// Lower case; what `EXPLAIN (DIALECT name)` and `translate --dialect name` take.
    fn name(&self) -> &'static str;

    /// The product that speaks it, for people.
    fn engine(&self) -> &'static str;

    /// Says a canonical query in this language, with the meaning that Postgres gives it. What the language cannot say is
    /// an error, never an approximation.
    fn render(&self, query: &Query) -> Result<Rendering, Error>;
}

/// Every dialect there is. Help, checks, docs and tests are made from this list.
pub const DIALECTS: &[&dyn Dialect] = &[&Postgres, &DataFusion];

/// Finds a dialect by name.
pub fn dialect(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name)
}
