use dialects::ast::Query;
use mantissa_core::{Catalog, Identity, Result, TableName};

use crate::limit::cap_rows;
use crate::{Approved, Error};

/// What a session or a caller narrows below its identity's ceilings. It can raise none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bounds {
    pub max_rows: Option<u64>,
    pub timeout: Option<std::time::Duration>,
    pub max_usd: Option<f64>,
}

/// Approves a query for a user, or says why not.
pub fn check(
    mut query: Query,
    identity: &Identity,
    catalog: &Catalog,
    search_path: &[String],
    bounds: &Bounds,
) -> Result<Approved> {
    let mut tables = Vec::new();
    for relation in dialects::relations(&query).tables {
        let name = match relation.schema {
            Some(schema) => TableName::new(schema, relation.name),
            None => match catalog.resolve(search_path, &relation.name) {
                Some(table) => table.name.clone(),
                None => {
                    let (name, position) = (relation.name, relation.position);
                    return Err(Error::UndefinedTable { name, nearest: None, position }.into());
                }
            },
        };
        if !is_system_schema(&name.schema) && !identity.may_read(&name) {
            return Err(Error::TableDenied { table: name.name, position: relation.position }.into());
        }
        tables.push(name);
    }
    let ceilings = &identity.ceilings;
    let max_rows = bounds.max_rows.map_or(ceilings.max_rows, |rows| rows.min(ceilings.max_rows));
    cap_rows(&mut query, max_rows.saturating_add(1));
    Ok(Approved {
        query,
        tables,
        user: identity.user.clone(),
        max_rows,
        timeout: bounds.timeout.map_or(ceilings.statement_timeout, |time| time.min(ceilings.statement_timeout)),
        max_usd: bounds.max_usd.map_or(ceilings.max_usd_per_query, |usd| usd.min(ceilings.max_usd_per_query)),
    })
}

pub(crate) fn is_system_schema(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema")
}
