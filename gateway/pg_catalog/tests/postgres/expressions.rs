//! Expressions and small queries, each answered as PostgreSQL answers it: names, types, values, or the SQLSTATE.

use crate::corpus;
use crate::evaluate;
use crate::fixture::{Fixture, demo_objects};
use crate::replay::{Order, Statement, ask_postgres, difference};
use crate::server::Server;

const CASES: &str = include_str!("../expressions/cases.sql");

#[tokio::test]
async fn expressions_are_those_of_postgresql() {
    const TEST: &str = "expressions_are_those_of_postgresql";
    let (Some(folder), Some(server)) = (corpus::folder(TEST), Server::start(TEST)) else { return };
    Fixture::load_demo(&server, &folder).await;
    let client = server.connect("demo").await;
    let fixture = Fixture::new(&server, &demo_objects()).await;
    let mut differences = Vec::new();
    for line in CASES.lines().filter(|line| !line.is_empty()) {
        let mut statement = Statement::plain(line);
        if line.contains("$2") {
            statement.parameters = vec![Some("41".to_owned()), Some("x".to_owned())];
        }
        let expected = ask_postgres(&client, &statement).await;
        let found = evaluate::ask(&fixture, &statement).map_err(|state| state[..5].to_owned());
        if expected != found {
            let difference = difference(&expected, &found, &Order::none());
            differences.push(format!("{line}\n    {}", difference.unwrap_or("other order".to_owned())));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
