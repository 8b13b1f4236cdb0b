use std::time::Duration;

use mantissa_core::Grant;
use mantissa_store::{Role, RoleCeilings};

use super::{Failure, print};
use crate::cli::RoleCommand;
use crate::config::Config;
use crate::wiring;

/// `mantissa role add|remove|list`.
pub async fn run(config: &Config, command: RoleCommand, json: bool) -> Result<(), Failure> {
    let store = wiring::open_store(config).await?;
    match command {
        RoleCommand::Add { name, tables, max_rows, timeout, max_nesting, max_usd, admin } => {
            let lake = wiring::open_lake(config, mantissa_lake::GeoSource::None)?;
            let catalog = lake.snapshot().catalog.clone();
            let grants = tables.iter().map(|table| grant(table)).collect::<Result<Vec<_>, _>>()?;
            if let Some(grant) =
                grants.iter().find(|grant| grant.table != "*" && !wiring::has_table(&catalog, &grant.table))
            {
                return Err(Failure::message(format!("there is no table {}", grant.table))
                    .hint("mantissa sources lists the tables."));
            }
            let ceilings = RoleCeilings {
                max_rows,
                statement_timeout: timeout.map(Duration::from_secs),
                max_nesting,
                max_usd_per_query: max_usd,
                ..RoleCeilings::default()
            };
            store.add_role(&Role { name: name.clone(), admin, grants, ceilings }).await?;
            say!("role {name} added");
        }
        RoleCommand::Remove { name } => {
            store.remove_role(&name).await?;
            say!("role {name} removed");
        }
        RoleCommand::List => {
            let roles = store.list_roles().await?;
            let rows: Vec<_> = roles
                .iter()
                .map(|role| {
                    let tables: Vec<String> = role.grants.iter().map(grant_text).collect();
                    let max_rows = role.ceilings.max_rows.map_or_else(|| "default".to_owned(), |rows| rows.to_string());
                    vec![role.name.clone(), tables.join(" "), max_rows, role.admin.to_string()]
                })
                .collect();
            print::table(&["role", "tables", "max rows", "admin"], &rows, json)?;
        }
    }
    store.close().await?;
    Ok(())
}

/// Reads `okta` or `okta(time,actor_name)`.
fn grant(text: &str) -> Result<Grant, Failure> {
    let Some((table, columns)) = text.split_once('(') else {
        return Ok(Grant { table: text.trim().to_owned(), columns: None });
    };
    let columns = columns.strip_suffix(')').ok_or_else(|| {
        Failure::message(format!("\"{text}\" has no closing bracket")).hint("Write --table 'okta(time,actor_name)'.")
    })?;
    let columns = columns.split(',').map(|column| column.trim().to_owned()).collect();
    Ok(Grant { table: table.trim().to_owned(), columns: Some(columns) })
}

fn grant_text(grant: &Grant) -> String {
    match &grant.columns {
        None => grant.table.clone(),
        Some(columns) => format!("{}({})", grant.table, columns.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_and_printed() {
        for text in ["*", "okta", "okta(time,actor_name)"] {
            assert_eq!(grant(text).map(|grant| grant_text(&grant)).ok().as_deref(), Some(text));
        }
        assert!(grant("okta(time").is_err());
    }
}
