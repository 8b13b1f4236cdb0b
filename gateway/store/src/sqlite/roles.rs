use std::time::Duration;

use mantissa_core::Grant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::{SqliteStore, check_name, closed_or};
use crate::audit::{micros, saturated};
use crate::{Result, Role, RoleCeilings, StoreError};

impl SqliteStore {
    pub(super) async fn read_roles(&self) -> Result<Vec<Role>> {
        let rows = sqlx::query(
            "SELECT r.*, (SELECT json_group_array(json_array(table_name, json(columns)))
                          FROM (SELECT * FROM role_grants WHERE role = r.name ORDER BY position)) AS grants
             FROM roles r ORDER BY r.name",
        )
        .fetch_all(&self.read)
        .await
        .map_err(closed_or)?;
        rows.iter().map(role_of).collect()
    }

    pub(super) async fn insert_role(&self, role: &Role) -> Result<()> {
        check_role(role)?;
        let mut transaction = self.begin().await?;
        let added = sqlx::query("INSERT OR IGNORE INTO roles (name) VALUES (?)")
            .bind(&role.name)
            .execute(&mut *transaction)
            .await?;
        if added.rows_affected() == 0 {
            return Err(StoreError::DuplicateRole(role.name.clone()));
        }
        write_role(&mut transaction, role).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn replace_role(&self, role: &Role) -> Result<()> {
        check_role(role)?;
        not_built_in(&role.name)?;
        let mut transaction = self.begin().await?;
        write_role(&mut transaction, role).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn delete_role(&self, name: &str) -> Result<()> {
        not_built_in(name)?;
        let mut transaction = self.begin().await?;
        let holders: i64 = sqlx::query("SELECT count(*) FROM user_roles WHERE role = ?")
            .bind(name)
            .fetch_one(&mut *transaction)
            .await?
            .try_get(0)?;
        if holders > 0 {
            return Err(StoreError::RoleInUse { role: name.to_owned(), holders });
        }
        let deleted = sqlx::query("DELETE FROM roles WHERE name = ?").bind(name).execute(&mut *transaction).await?;
        if deleted.rows_affected() == 0 {
            return Err(StoreError::UnknownRole(name.to_owned()));
        }
        Ok(transaction.commit().await?)
    }
}

async fn write_role(transaction: &mut Transaction<'static, Sqlite>, role: &Role) -> Result<()> {
    let ceilings = &role.ceilings;
    let updated = sqlx::query(
        "UPDATE roles SET admin = ?, max_rows = ?, ask_rows = ?, statement_timeout_us = ?, max_nesting = ?,
                          max_usd_per_query = ?, max_usd_per_day = ? WHERE name = ?",
    )
    .bind(role.admin)
    .bind(ceilings.max_rows.map(saturated))
    .bind(ceilings.ask_rows.map(saturated))
    .bind(ceilings.statement_timeout.map(micros))
    .bind(ceilings.max_nesting)
    .bind(ceilings.max_usd_per_query)
    .bind(ceilings.max_usd_per_day)
    .bind(&role.name)
    .execute(&mut **transaction)
    .await?;
    if updated.rows_affected() == 0 {
        return Err(StoreError::UnknownRole(role.name.clone()));
    }
    sqlx::query("DELETE FROM role_grants WHERE role = ?").bind(&role.name).execute(&mut **transaction).await?;
    for (position, grant) in role.grants.iter().enumerate() {
        let columns = grant.columns.as_ref().map(|columns| serde_json::json!(columns).to_string());
        sqlx::query("INSERT INTO role_grants VALUES (?, ?, ?, ?)")
            .bind(&role.name)
            .bind(position as i64)
            .bind(&grant.table)
            .bind(columns)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

fn check_role(role: &Role) -> Result<()> {
    check_name(&role.name)?;
    for grant in &role.grants {
        check_name(&grant.table)?;
    }
    let money =
        [("max_usd_per_query", role.ceilings.max_usd_per_query), ("max_usd_per_day", role.ceilings.max_usd_per_day)];
    for (name, usd) in money {
        if usd.is_some_and(|usd| !usd.is_finite() || usd < 0.0) {
            return Err(StoreError::InvalidCeiling(name));
        }
    }
    Ok(())
}

fn not_built_in(name: &str) -> Result<()> {
    if Role::BUILT_IN.contains(&name) { Err(StoreError::BuiltInRole(name.to_owned())) } else { Ok(()) }
}

fn role_of(row: &SqliteRow) -> Result<Role> {
    let grants: Vec<(String, Option<Vec<String>>)> =
        serde_json::from_str(row.try_get("grants")?).map_err(|_| StoreError::Corrupt("grants"))?;
    let unsigned = |name: &str| -> Result<Option<u64>> {
        row.try_get::<Option<i64>, _>(name)?
            .map(|v| v.try_into().map_err(|_| StoreError::Corrupt("ceiling")))
            .transpose()
    };
    Ok(Role {
        name: row.try_get("name")?,
        admin: row.try_get("admin")?,
        grants: grants.into_iter().map(|(table, columns)| Grant { table, columns }).collect(),
        ceilings: RoleCeilings {
            max_rows: unsigned("max_rows")?,
            ask_rows: unsigned("ask_rows")?,
            statement_timeout: unsigned("statement_timeout_us")?.map(Duration::from_micros),
            max_nesting: row.try_get("max_nesting")?,
            max_usd_per_query: row.try_get("max_usd_per_query")?,
            max_usd_per_day: row.try_get("max_usd_per_day")?,
        },
    })
}
