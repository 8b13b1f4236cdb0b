//! The views' SELECTs, run by PostgreSQL itself, against the views of the same names that it has.

use std::fs;
use std::path::Path;

use tokio_postgres::Client;

use crate::corpus;
use crate::fixture::Fixture;
use crate::server::Server;
use crate::tables::{TextRow, text_rows};

/// Views whose rows differ by design, with the reason; columns and types are compared all the same.
const OTHER_ROWS: &[(&str, &str)] = &[
    ("pg_available_extension_versions", "only what is installed is offered"),
    ("pg_available_extensions", "only what is installed is offered"),
    ("pg_stat_all_indexes", "counts of what a running server did"),
    ("pg_stat_all_tables", "counts of what a running server did"),
    ("pg_stat_sys_indexes", "counts of what a running server did"),
    ("pg_stat_sys_tables", "counts of what a running server did"),
    ("pg_stat_user_indexes", "counts of what a running server did"),
    ("pg_stat_user_tables", "counts of what a running server did"),
    ("pg_stat_database", "counts of what a running server did"),
    ("pg_statio_all_indexes", "counts of what a running server did"),
    ("pg_statio_all_tables", "counts of what a running server did"),
    ("pg_statio_sys_indexes", "counts of what a running server did"),
    ("pg_statio_sys_tables", "counts of what a running server did"),
    ("pg_statio_user_indexes", "counts of what a running server did"),
    ("pg_statio_user_tables", "counts of what a running server did"),
];

#[tokio::test]
async fn views_select_what_those_of_postgresql_show() {
    const TEST: &str = "views_select_what_those_of_postgresql_show";
    let (Some(folder), Some(server)) = (corpus::folder(TEST), Server::start(TEST)) else { return };
    Fixture::load_demo(&server, &folder).await;
    let client = server.connect("demo").await;
    let mut differences = Vec::new();
    let views = Path::new(env!("CARGO_MANIFEST_DIR")).join("views");
    for schema in ["pg_catalog", "information_schema"] {
        for file in fs::read_dir(views.join(schema)).expect("views") {
            let file = file.expect("a view").path();
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            let select = fs::read_to_string(&file).expect("a readable view");
            if let Err(difference) = compare(&client, schema, &name, &select).await {
                differences.push(format!("{schema}.{name}: {difference}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

async fn query(client: &Client, sql: &str) -> Result<Vec<TextRow>, String> {
    let failure = |error: tokio_postgres::Error| error.as_db_error().map_or(error.to_string(), ToString::to_string);
    client.simple_query(sql).await.map(text_rows).map_err(failure)
}

async fn compare(client: &Client, schema: &str, name: &str, select: &str) -> Result<(), String> {
    let columns = query(
        client,
        &format!(
            "SELECT attname, CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod)
                             ELSE format_type(atttypid, atttypmod) END AS type
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
             WHERE attrelid = '{schema}.{name}'::regclass AND attnum > 0 ORDER BY attnum"
        ),
    )
    .await?;
    let text = |row: &TextRow, column: &str| row[column].clone().unwrap_or_default();
    let names = client.prepare(select).await.map_err(|error| error.to_string())?;
    let names: Vec<&str> = names.columns().iter().map(|column| column.name()).collect();
    let expected: Vec<String> = columns.iter().map(|column| text(column, "attname")).collect();
    if names != expected {
        return Err(format!("columns {names:?}, not {expected:?}"));
    }
    if OTHER_ROWS.iter().any(|(other, _)| *other == name) {
        return Ok(());
    }
    let cast = |column: &TextRow| {
        let (name, ty) = (text(column, "attname"), text(column, "type"));
        format!("(\"{name}\"::text::{ty})::text")
    };
    let casts: Vec<String> = columns.iter().map(cast).collect();
    let texts: Vec<String> = expected.iter().map(|name| format!("\"{name}\"::text")).collect();
    let ours = format!("SELECT {} FROM ({select}) ours", casts.join(", "));
    let theirs = format!("SELECT {} FROM {schema}.{name}", texts.join(", "));
    let either = format!(
        "(SELECT 'ours', * FROM ({ours} EXCEPT ALL {theirs}) x LIMIT 3)
         UNION ALL (SELECT 'theirs', * FROM ({theirs} EXCEPT ALL {ours}) x LIMIT 3)"
    );
    match query(client, &either).await?.as_slice() {
        [] => Ok(()),
        rows => Err(format!("{rows:?}")),
    }
}
