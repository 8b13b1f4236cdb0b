use chrono::Utc;
use mantissa_core::{Identity, Secret, UserName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::{SqliteStore, check_name, closed_or, time};
use crate::users::union;
use crate::{NewUser, Result, ScramVerifier, StoreError, User};

const SELECT_USERS: &str = "
SELECT name, disabled, verifier IS NOT NULL AS has_password, created_at,
       (SELECT json_group_array(role) FROM user_roles WHERE user_name = name) AS roles
FROM users WHERE ?1 IS NULL OR name = ?1 ORDER BY name";

impl SqliteStore {
    pub(super) async fn read_identity(&self, user: &UserName) -> Result<Option<Identity>> {
        let Some(found) = self.read_user(user).await?.filter(|user| !user.disabled) else { return Ok(None) };
        let mut roles = self.read_roles().await?;
        roles.retain(|role| found.roles.contains(&role.name));
        Ok(Some(Identity {
            user: found.name,
            admin: roles.iter().any(|role| role.admin),
            ceilings: union(roles.iter(), &self.options.default_ceilings),
            grants: roles.into_iter().flat_map(|role| role.grants).collect(),
        }))
    }

    pub(super) async fn read_verifier(&self, user: &UserName) -> Result<Option<ScramVerifier>> {
        let row = sqlx::query("SELECT verifier FROM users WHERE name = ? AND NOT disabled AND verifier IS NOT NULL")
            .bind(user.as_str())
            .fetch_optional(&self.read)
            .await
            .map_err(closed_or)?;
        row.map(|row| row.try_get::<&str, _>(0)?.parse()).transpose()
    }

    pub(super) async fn read_user(&self, user: &UserName) -> Result<Option<User>> {
        let row = sqlx::query(SELECT_USERS).bind(user.as_str()).fetch_optional(&self.read).await.map_err(closed_or)?;
        row.as_ref().map(user_of).transpose()
    }

    pub(super) async fn read_users(&self) -> Result<Vec<User>> {
        let rows = sqlx::query(SELECT_USERS).bind(None::<&str>).fetch_all(&self.read).await.map_err(closed_or)?;
        rows.iter().map(user_of).collect()
    }

    pub(super) async fn insert_user(&self, user: NewUser) -> Result<()> {
        check_name(user.name.as_str())?;
        let verifier = match &user.password {
            Some(password) => Some(verifier_of(password).await?.to_string()),
            None => None,
        };
        let mut transaction = self.begin().await?;
        let added = sqlx::query("INSERT OR IGNORE INTO users (name, verifier, created_at) VALUES (?, ?, ?)")
            .bind(user.name.as_str())
            .bind(verifier)
            .bind(Utc::now().timestamp_micros())
            .execute(&mut *transaction)
            .await?;
        if added.rows_affected() == 0 {
            return Err(StoreError::DuplicateUser(user.name.as_str().to_owned()));
        }
        insert_user_roles(&mut transaction, &user.name, &user.roles).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn delete_user(&self, user: &UserName) -> Result<()> {
        let deleted = sqlx::query("DELETE FROM users WHERE name = ?")
            .bind(user.as_str())
            .execute(&self.write)
            .await
            .map_err(closed_or)?;
        known(user, deleted.rows_affected())
    }

    pub(super) async fn update_password(&self, user: &UserName, password: &Secret) -> Result<()> {
        let verifier = verifier_of(password).await?.to_string();
        let updated = sqlx::query("UPDATE users SET verifier = ? WHERE name = ?")
            .bind(verifier)
            .bind(user.as_str())
            .execute(&self.write)
            .await
            .map_err(closed_or)?;
        known(user, updated.rows_affected())
    }

    pub(super) async fn update_disabled(&self, user: &UserName, disabled: bool) -> Result<()> {
        let updated = sqlx::query("UPDATE users SET disabled = ? WHERE name = ?")
            .bind(disabled)
            .bind(user.as_str())
            .execute(&self.write)
            .await
            .map_err(closed_or)?;
        known(user, updated.rows_affected())
    }

    pub(super) async fn replace_roles(&self, user: &UserName, roles: &[String]) -> Result<()> {
        let mut transaction = self.begin().await?;
        let found = sqlx::query("SELECT 1 FROM users WHERE name = ?")
            .bind(user.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        known(user, found.iter().len() as u64)?;
        sqlx::query("DELETE FROM user_roles WHERE user_name = ?")
            .bind(user.as_str())
            .execute(&mut *transaction)
            .await?;
        insert_user_roles(&mut transaction, user, roles).await?;
        Ok(transaction.commit().await?)
    }
}

async fn insert_user_roles(
    transaction: &mut Transaction<'static, Sqlite>,
    user: &UserName,
    roles: &[String],
) -> Result<()> {
    for role in roles {
        let added = sqlx::query(
            "INSERT INTO user_roles SELECT ?, name FROM roles WHERE name = ? ON CONFLICT DO UPDATE SET role = role",
        )
        .bind(user.as_str())
        .bind(role)
        .execute(&mut **transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Err(StoreError::UnknownRole(role.clone()));
        }
    }
    Ok(())
}

/// Hashing takes milliseconds of processor time, so it leaves the runtime's own threads alone.
async fn verifier_of(password: &Secret) -> Result<ScramVerifier> {
    if password.expose().is_empty() {
        return Err(StoreError::EmptyPassword);
    }
    if let Ok(verifier) = password.expose().parse() {
        return Ok(verifier);
    }
    let password = password.clone();
    tokio::task::spawn_blocking(move || ScramVerifier::new(password.expose())).await.map_err(|_| StoreError::Cancelled)
}

fn known(user: &UserName, rows: u64) -> Result<()> {
    if rows == 0 { Err(StoreError::UnknownUser(user.as_str().to_owned())) } else { Ok(()) }
}

fn user_of(row: &SqliteRow) -> Result<User> {
    Ok(User {
        name: UserName::new(row.try_get::<String, _>("name")?),
        roles: serde_json::from_str(row.try_get("roles")?).map_err(|_| StoreError::Corrupt("roles"))?,
        disabled: row.try_get("disabled")?,
        has_password: row.try_get("has_password")?,
        created_at: time(row.try_get("created_at")?)?,
    })
}
