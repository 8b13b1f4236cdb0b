use dialects::ast::Query;
use mantissa_core::{ErrorKind, Identity, Problem, Result, TableName};

use crate::limit::cap_rows;
use crate::{Approved, Bounds};

/// Catalogs that PostgreSQL shows to superusers only.
const TABLES_FOR_ADMINISTRATORS: &[&str] = &["pg_authid", "pg_statistic", "pg_user_mapping", "pg_largeobject"];
const VIEWS_FOR_ADMINISTRATORS: &[&str] = &[
    "pg_shadow",
    "pg_backend_memory_contexts",
    "pg_config",
    "pg_file_settings",
    "pg_hba_file_rules",
    "pg_ident_file_mappings",
    "pg_replication_origin_status",
    "pg_shmem_allocations",
];

fn is_for_administrators(schema: &str, name: &str) -> bool {
    schema == "mantissa"
        || schema == "pg_catalog"
            && (TABLES_FOR_ADMINISTRATORS.contains(&name) || VIEWS_FOR_ADMINISTRATORS.contains(&name))
}

/// Approves a query over the system's own relations (`pg_catalog`, `information_schema`, `mantissa`, or none at all).
///
/// Their engine holds nothing but metadata, knows no function with a side effect outside the session, and counts its
/// work; so names, functions and nesting are left to it. What stays here: only reading, the row cap, and that schema
/// `mantissa` belongs to administrators.
///
/// # Errors
/// `InsufficientPrivilege` for `mantissa.*` without the right, `UndefinedTable` for a schema that is not the system's.
pub fn check_system(mut query: Query, identity: &Identity, bounds: &Bounds) -> Result<Approved> {
    let mut tables = Vec::new();
    for relation in dialects::relations(&query).tables {
        let schema = relation.schema.unwrap_or_else(|| "pg_catalog".to_owned());
        if !identity.admin && is_for_administrators(&schema, &relation.name) {
            let kind = if VIEWS_FOR_ADMINISTRATORS.contains(&relation.name.as_str()) { "view" } else { "table" };
            let message = format!("permission denied for {kind} {}", relation.name);
            return Err(Problem::new(ErrorKind::InsufficientPrivilege, message)
                .hint("Administrators read it.")
                .at(relation.position));
        }
        tables.push(TableName::new(schema, relation.name));
    }
    crate::reading::only_reads(&query)?;
    let ceilings = &identity.ceilings;
    let max_rows = bounds.max_rows.map_or(ceilings.max_rows, |rows| rows.min(ceilings.max_rows));
    cap_rows(&mut query, max_rows.saturating_add(1))?;
    Ok(Approved {
        query,
        tables,
        user: identity.user.clone(),
        max_rows,
        timeout: bounds.timeout.map_or(ceilings.statement_timeout, |time| time.min(ceilings.statement_timeout)),
        max_usd: 0.0,
    })
}
