use sqlx::{AssertSqlSafe, Row, SqlitePool};

use crate::{Result, StoreError};

/// In order; appended to, never edited. `PRAGMA user_version` counts how many a file has had.
/// Times are microseconds since 1970 UTC.
const MIGRATIONS: &[&str] = &["
CREATE TABLE instance (
    mock_secret blob NOT NULL,
    opened integer NOT NULL
) STRICT;
INSERT INTO instance VALUES (randomblob(32), 0);

CREATE TABLE users (
    name text PRIMARY KEY,
    verifier text,
    disabled integer NOT NULL DEFAULT 0,
    created_at integer NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
    name text PRIMARY KEY,
    admin integer NOT NULL DEFAULT 0,
    max_rows integer,
    ask_rows integer,
    statement_timeout_us integer,
    max_nesting integer,
    max_usd_per_query real,
    max_usd_per_day real
) STRICT, WITHOUT ROWID;

-- columns: a JSON array of names, null for every column
CREATE TABLE role_grants (
    role text NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
    position integer NOT NULL,
    table_name text NOT NULL,
    columns text,
    PRIMARY KEY (role, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_roles (
    user_name text NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    role text NOT NULL REFERENCES roles (name),
    PRIMARY KEY (user_name, role)
) STRICT, WITHOUT ROWID;

INSERT INTO roles (name, admin) VALUES ('reader', 0), ('admin', 1);
INSERT INTO role_grants VALUES ('reader', 0, '*', NULL), ('admin', 0, '*', NULL);

CREATE TABLE failed_logins (
    user_name text NOT NULL,
    at integer NOT NULL
) STRICT;
CREATE INDEX failed_logins_by_user ON failed_logins (user_name, at);
CREATE INDEX failed_logins_by_time ON failed_logins (at);

-- day: days since 1970-01-01 UTC
CREATE TABLE spend (
    user_name text NOT NULL,
    day integer NOT NULL,
    usd real NOT NULL,
    PRIMARY KEY (user_name, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE reservations (
    id integer PRIMARY KEY,
    user_name text NOT NULL,
    day integer NOT NULL,
    usd real NOT NULL
) STRICT;
CREATE INDEX reservations_by_day ON reservations (user_name, day);

CREATE TABLE audit (
    id integer PRIMARY KEY,
    started_at integer NOT NULL,
    ended_at integer,
    user_name text NOT NULL,
    client_addr text,
    application text,
    database text NOT NULL,
    session_id text,
    statement text NOT NULL,
    question text,
    outcome text,
    sqlstate text,
    tables text,
    rows integer,
    bytes integer,
    duration_us integer,
    engine text,
    estimated_bytes integer,
    usd real
) STRICT;
"];

/// Brings a file up to this program's schema. Two processes may open one file at the same moment.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<()> {
    let known = MIGRATIONS.len() as i64;
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let found: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *transaction).await?.try_get(0)?;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
    }
    sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA user_version = {known}"))).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
