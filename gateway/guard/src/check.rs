use std::time::Duration;

use dialects::ast::Query;
use mantissa_core::{Catalog, Identity, Result, TableName};

use crate::limit::cap_rows;
use crate::scope::Scopes;
use crate::tables::{Tables, is_system_schema};
use crate::{Approved, Error};

/// Levels of subqueries in a statement over the system's own tables: what database tools send is deep, and small.
const SYSTEM_NESTING: u32 = 16;

/// What a session or a caller narrows below its identity's ceilings. It can raise none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bounds {
    pub max_rows: Option<u64>,
    pub timeout: Option<Duration>,
    pub max_usd: Option<f64>,
}

/// Approves a query for a user, or says why not. `search_path` is where bare table names are looked up; the query has its
/// parameters bound already.
pub fn check(
    mut query: Query,
    identity: &Identity,
    catalog: &Catalog,
    search_path: &[String],
    bounds: &Bounds,
) -> Result<Approved> {
    let ceilings = &identity.ceilings;
    let mut walk = Walk::new(&query, Tables { identity, catalog, search_path });
    walk.statement(&mut query)?;
    let max_rows = bounds.max_rows.map_or(ceilings.max_rows, |rows| rows.min(ceilings.max_rows));
    cap_rows(&mut query, max_rows.saturating_add(1))?;
    Ok(Approved {
        query,
        tables: walk.read,
        user: identity.user.clone(),
        max_rows,
        timeout: bounds.timeout.map_or(ceilings.statement_timeout, |time| time.min(ceilings.statement_timeout)),
        max_usd: bounds.max_usd.map_or(ceilings.max_usd_per_query, |usd| usd.min(ceilings.max_usd_per_query)),
    })
}

/// One pass over a statement: names are resolved in place, everything else is only looked at.
pub(crate) struct Walk<'a> {
    pub tables: Tables<'a>,
    pub scopes: Scopes,
    /// Every table read so far, each once.
    pub read: Vec<TableName>,
    /// No log table is named: functions about the catalog may be called.
    pub is_catalog_only: bool,
    /// A system table is named.
    pub reads_system: bool,
    pub max_nesting: u32,
    /// WITH queries that are being looked at, each inside the one before.
    pub open_ctes: u32,
    /// Expressions seen so far.
    pub nodes: usize,
    /// Rows and characters that calls with a size may make, multiplied over the statement.
    pub growth: u64,
}

/// What reading from a query costs in levels and scans.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weight {
    pub depth: u32,
    pub scans: u64,
}

impl Weight {
    pub fn beside(self, other: Weight) -> Weight {
        Weight { depth: self.depth.max(other.depth), scans: self.scans.saturating_add(other.scans) }
    }
}

impl<'a> Walk<'a> {
    fn new(query: &Query, tables: Tables<'a>) -> Self {
        let named = dialects::relations(query).tables;
        let is_system = |relation: &dialects::RelationRef| match &relation.schema {
            Some(schema) => is_system_schema(schema),
            None => match tables.catalog.resolve(tables.search_path, &relation.name) {
                Some(table) => is_system_schema(&table.name.schema),
                None => relation.name.starts_with("pg_"),
            },
        };
        let reads_system = named.iter().any(is_system);
        let is_catalog_only = named.iter().all(is_system);
        let max_nesting = if is_catalog_only {
            tables.identity.ceilings.max_nesting.max(SYSTEM_NESTING)
        } else {
            tables.identity.ceilings.max_nesting
        };
        Self {
            tables,
            scopes: Scopes::default(),
            read: Vec::new(),
            is_catalog_only,
            reads_system,
            max_nesting,
            open_ctes: 0,
            nodes: 0,
            growth: 1,
        }
    }

    pub fn note_read(&mut self, name: &TableName) {
        if !self.read.contains(name) {
            self.read.push(name.clone());
        }
    }

    pub fn bound_depth(&self, depth: u32, position: Option<u32>) -> Result<(), Error> {
        if depth > self.max_nesting {
            return Err(Error::TooNested { limit: self.max_nesting, position });
        }
        Ok(())
    }
}
