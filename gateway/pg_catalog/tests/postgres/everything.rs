//! Every system relation, read whole through the crate and through PostgreSQL.

use std::collections::BTreeMap;

use crate::corpus;
use crate::evaluate;
use crate::fixture::{Fixture, demo_objects};
use crate::replay::{Order, Statement, ask_postgres, check_known, difference, forget_sentences, normal};
use crate::server::Server;
use crate::tables::{Labels, text_rows};

/// Relations whose rows differ by design, with the reason; columns and types are compared all the same.
const OTHER_ROWS: &[(&str, &str)] = &[
    ("pg_available_extensions", "only what is installed is offered"),
    ("pg_available_extension_versions", "only what is installed is offered"),
    ("pg_backend_memory_contexts", "the inside of a running server"),
    ("pg_config", "the build of the server"),
    ("pg_depend", "what a view's SELECT reads is not analysed"),
    ("pg_file_settings", "the inside of a running server"),
    ("pg_hba_file_rules", "the inside of a running server"),
    ("pg_locks", "the inside of a running server"),
    ("pg_prepared_statements", "the statement that asks"),
    ("pg_proc", "bodies of PostgreSQL's own SQL functions are not carried"),
    ("pg_rewrite", "a parsed tree in PostgreSQL, the SELECT's text here"),
    ("pg_rules", "rules of pg_settings, on which nothing is ever written"),
    ("pg_shmem_allocations", "the inside of a running server"),
    ("pg_stat_", "counts of what a running server did"),
    ("pg_statio_", "counts of what a running server did"),
    ("pg_statistic", "what ANALYZE found"),
    ("pg_stats", "what ANALYZE found"),
    ("pg_timezone_names", "rules of time zones change from release to release"),
    ("pg_views", "definitions of system views are this project's own"),
    ("views", "definitions of system views are this project's own"),
    ("view_column_usage", "what a view's SELECT reads is not analysed"),
    ("view_routine_usage", "what a view's SELECT reads is not analysed"),
    ("routine_routine_usage", "what a function's body calls is not analysed"),
    ("view_table_usage", "what a view's SELECT reads is not analysed"),
    ("routines", "bodies of PostgreSQL's own SQL functions are not carried"),
];

/// Relations that are known to differ: name, a tab, and why.
const KNOWN: &str = include_str!("known_relations.tsv");

#[tokio::test]
async fn system_relations_are_those_of_postgresql() {
    const TEST: &str = "system_relations_are_those_of_postgresql";
    let (Some(folder), Some(server)) = (corpus::folder(TEST), Server::start(TEST)) else { return };
    Fixture::load_demo(&server, &folder).await;
    let client = server.connect("demo").await;
    forget_sentences(&client).await;
    let fixture = Fixture::new(&server, &demo_objects()).await;
    let theirs = Labels::of_postgres(&client).await;
    let ours = Labels::of_crate(&fixture.relations);
    let names = "SELECT relnamespace::regnamespace::text AS schema, relname FROM pg_class
                 WHERE relkind IN ('r', 'v') AND relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema')
                 ORDER BY 1, 2";
    let mut differences = BTreeMap::new();
    for row in text_rows(client.simple_query(names).await.expect("names of relations")) {
        let (schema, name) = (row["schema"].clone().unwrap_or_default(), row["relname"].clone().unwrap_or_default());
        let other_rows =
            OTHER_ROWS.iter().any(|(other, _)| name == *other || (other.ends_with('_') && name.starts_with(other)));
        let limit = if other_rows { " LIMIT 0" } else { "" };
        let statement = Statement::plain(&format!("SELECT * FROM {schema}.{name}{limit}"));
        let expected = normal(ask_postgres(&client, &statement).await, &theirs);
        let found = normal(evaluate::ask(&fixture, &statement), &ours);
        if let Some(difference) = difference(&expected, &found, &Order::none()) {
            differences.insert(format!("{schema}.{name}"), difference);
        }
    }
    check_known(KNOWN, &differences);
}
