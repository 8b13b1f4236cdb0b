//! The tree that makes DataFusion's planner mean what Postgres means.

use sqlparser::ast::{Query, VisitMut};

use crate::postgres::PlainStrings;
use crate::{Dialect, Error, Rendering};

#[derive(Debug, Clone, Copy)]
pub struct DataFusion;

impl Dialect for DataFusion {
    fn name(&self) -> &'static str {
        "datafusion"
    }

    fn engine(&self) -> &'static str {
        "Apache DataFusion"
    }

    fn render(&self, query: &Query) -> Result<Rendering, Error> {
        let mut tree = query.clone();
        let _ = tree.visit(&mut PlainStrings);
        let sql = tree.to_string();
        Ok(Rendering { tree, sql })
    }
}
