//! Catalog queries in sessions: what each user may read, settings that a statement changes, statements run again.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use futures::StreamExt;
use mantissa_core::{
    Catalog, Ceilings, Column, Grant, Identity, PgType, Problem, SystemClock, Table, TableKind, TableName, UserName,
};
use mantissa_pg_catalog::PgCatalogEngine;
use mantissa_query::{Database, Gateway, GatewayParts, Login, Outcome, Prepared, Session};
use mantissa_store::{SqliteStore, StoreOptions};

fn catalog() -> Arc<Catalog> {
    let columns = vec![Column::new("time", PgType::TIMESTAMPTZ), Column::new("actor", PgType::TEXT)];
    let table = |name: &str| {
        let name = TableName::new("logs", name);
        Arc::new(Table { name, kind: TableKind::Table, columns: columns.clone(), comment: None })
    };
    Arc::new(Catalog { tables: vec![table("okta"), table("github"), table("dns")] })
}

/// Reads `okta` whole and one column of `github`.
fn ann() -> Identity {
    let grants = vec![
        Grant { table: "okta".into(), columns: None },
        Grant { table: "github".into(), columns: Some(vec!["time".into()]) },
    ];
    Identity { user: UserName::new("ann"), admin: false, grants, ceilings: Ceilings::default() }
}

async fn session() -> Session {
    let store = SqliteStore::in_memory(StoreOptions::default()).await.expect("a store");
    let engine = || Arc::new(PgCatalogEngine::new(Arc::new(catalog()), Vec::new()));
    let gateway = Gateway::new(GatewayParts {
        catalog: Arc::new(catalog()),
        databases: vec![Database { name: "lake".into(), engine: engine() }],
        system: engine(),
        store: Arc::new(store),
        clock: Arc::new(SystemClock),
        max_connections: 1,
    });
    let login = Login {
        identity: ann(),
        database: "lake".into(),
        application_name: "test".into(),
        client: None,
        options: Vec::new(),
    };
    gateway.open(login).await.expect("a session")
}

/// Runs a statement whose columns are all text.
async fn run(session: &mut Session, prepared: &Prepared) -> Result<Vec<Vec<Option<String>>>, Problem> {
    let outcome = session.execute(prepared, Vec::new()).await?;
    let Outcome::Rows { mut rows, .. } = outcome else { return Ok(Vec::new()) };
    let mut texts = Vec::new();
    while let Some(batch) = rows.batches.next().await.transpose()? {
        for row in 0..batch.num_rows() {
            let value = |column: &Arc<dyn Array>| {
                let column = column.as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            texts.push(batch.columns().iter().map(value).collect());
        }
    }
    Ok(texts)
}

/// The last statement's rows as `a|b`, or the SQLSTATE and message of the first error.
async fn ask(session: &mut Session, sql: &str) -> Vec<String> {
    let mut answer = Vec::new();
    for parsed in session.parse(sql).expect("syntax") {
        let prepared = match session.prepare(parsed, &[]).await {
            Ok(prepared) => prepared,
            Err(problem) => return vec![format!("{}: {}", problem.kind.sqlstate(), problem.message)],
        };
        answer = match run(session, &prepared).await {
            Ok(rows) => rows.into_iter().map(line).collect(),
            Err(problem) => {
                session.fail(&problem);
                vec![format!("{}: {}", problem.kind.sqlstate(), problem.message)]
            }
        };
    }
    session.finish_implicit();
    answer
}

fn line(row: Vec<Option<String>>) -> String {
    row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join("|")
}

#[tokio::test]
async fn privileges_are_those_granted() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT relname::text, has_table_privilege(oid, 'SELECT')::text, has_any_column_privilege(oid, 'SELECT')::text,
                    has_column_privilege(oid, 'time', 'SELECT')::text, has_column_privilege(oid, 2::int2, 'SELECT')::text
             FROM pg_class WHERE relnamespace = 'logs'::regnamespace AND relkind = 'r' ORDER BY 1",
            &["dns|false|false|false|false", "github|false|true|true|false", "okta|true|true|true|true"],
        ),
        (
            "SELECT relname::text, relacl::text FROM pg_class WHERE relnamespace = 'logs'::regnamespace AND relkind = 'r'
             ORDER BY 1",
            &[
                "dns|{postgres=arwdDxt/postgres}",
                "github|{postgres=arwdDxt/postgres}",
                "okta|{postgres=arwdDxt/postgres,ann=r/postgres}",
            ],
        ),
        (
            "SELECT attrelid::regclass::text, attname::text, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL
             AND attrelid >= 16384",
            &["github|time|{ann=r/postgres}"],
        ),
        (
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'logs'
             ORDER BY 1, 2",
            &["github|time", "okta|actor", "okta|time"],
        ),
        (
            "SELECT grantee::text, table_name::text, privilege_type::text FROM information_schema.role_table_grants",
            &["ann|okta|SELECT"],
        ),
        ("SELECT has_table_privilege('logs.okta', 'INSERT, UPDATE')::text", &["false"]),
        ("SELECT has_table_privilege('logs.okta', 'SELECT WITH GRANT OPTION')::text", &["false"]),
        ("SELECT has_table_privilege('postgres', 'logs.dns', 'SELECT')::text", &["true"]),
        ("SELECT has_table_privilege('public', 'logs.okta', 'SELECT')::text", &["false"]),
        ("SELECT has_table_privilege('bob', 'logs.okta', 'SELECT')::text", &["42704: role \"bob\" does not exist"]),
        ("SELECT has_table_privilege('pg_catalog.pg_class', 'SELECT')::text", &["true"]),
        ("SELECT has_table_privilege('logs.okta', 'READ')::text", &["22023: unrecognized privilege type: \"READ\""]),
    ];
    let mut session = session().await;
    for (sql, expected) in cases {
        assert_eq!(ask(&mut session, sql).await, *expected, "{sql}");
    }
}

#[tokio::test]
async fn settings_change_for_the_statement_and_after_it() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT set_config('work_mem', '8192', false), current_setting('work_mem')", &["8MB|8MB"]),
        ("SELECT current_setting('work_mem')", &["8MB"]),
        ("SELECT set_config('work_mem', NULL, false), current_setting('work_mem')", &["4MB|4MB"]),
        ("SELECT set_config('app.user', 'x', false), current_setting('app.user', true)", &["x|x"]),
        ("SELECT set_config('app.user', 'y', true), current_setting('app.user')", &["y|y"]),
        ("SELECT current_setting('app.user')", &["x"]),
        ("BEGIN; SELECT set_config('app.user', 'z', true); SELECT current_setting('app.user')", &["z"]),
        ("ROLLBACK; SELECT current_setting('app.user')", &["x"]),
        ("SELECT set_config('nosuch', 'x', false)", &["42704: unrecognized configuration parameter \"nosuch\""]),
        (
            "SELECT set_config('statement_timeout', 'soon', false)",
            &["22023: invalid value for parameter \"statement_timeout\": \"soon\""],
        ),
        ("SELECT set_config('role', 'postgres', false)", &["42501: permission denied to set role \"postgres\""]),
        ("SELECT set_config('app.user', 'lost', false), (1 / 0)::text", &["22012: division by zero"]),
        ("SELECT current_setting('app.user')", &["x"]),
    ];
    let mut session = session().await;
    for (sql, expected) in cases {
        assert_eq!(ask(&mut session, sql).await, *expected, "{sql}");
    }
}

#[tokio::test]
async fn a_statement_run_again_sees_what_changed() {
    let mut session = session().await;
    let mut prepare = Vec::new();
    for sql in ["SELECT current_setting('app.user', true)", "SELECT current_schemas(false)::text"] {
        let parsed = session.parse(sql).expect("syntax").remove(0);
        prepare.push(session.prepare(parsed, &[]).await.expect("a plan"));
    }
    let steps = [
        ("SELECT 1", "NULL", "{logs,public}"),
        ("SET app.user = 'x'", "x", "{logs,public}"),
        ("SET search_path = public", "x", "{public}"),
    ];
    for (change, user, schemas) in steps {
        ask_nothing(&mut session, change).await;
        for (prepared, expected) in prepare.iter().zip([user, schemas]) {
            for _ in 0..2 {
                let rows = run(&mut session, prepared).await.expect("rows");
                assert_eq!(rows.into_iter().map(line).collect::<Vec<_>>(), [expected], "after {change}");
            }
        }
    }
}

async fn ask_nothing(session: &mut Session, sql: &str) {
    for parsed in session.parse(sql).expect("syntax") {
        let prepared = session.prepare(parsed, &[]).await.expect("a statement");
        session.execute(&prepared, Vec::new()).await.expect("no error");
    }
    session.finish_implicit();
}
