//! Every reading statement that clients sent, answered by the crate and by PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use tokio_postgres::Client;

use crate::corpus::{self, Captured};
use crate::evaluate::{self, Answer, Rows};
use crate::fixture::{Fixture, demo_objects};
use crate::server::Server;
use crate::tables::Labels;

/// OIDs in the captured statements, and what they stood for when they were captured.
const CAPTURED_OIDS: &[(&str, &str)] = &[
    ("16385", "<pg_namespace sales>"),
    ("16386", "<pg_class 2200.users>"),
    ("16387", "<pg_type 2200._users>"),
    ("16388", "<pg_type 2200.users>"),
    ("16393", "<pg_class 2200.users_pkey>"),
    ("16395", "<pg_class <pg_namespace sales>.orders>"),
    ("16396", "<pg_type <pg_namespace sales>._orders>"),
    ("16397", "<pg_type <pg_namespace sales>.orders>"),
    ("16400", "<pg_class <pg_namespace sales>.orders_pkey>"),
    ("16407", "<pg_class <pg_namespace sales>.orders_placed_idx>"),
    ("16408", "<pg_class 2200.v_active>"),
    ("16409", "<pg_type 2200._v_active>"),
    ("16410", "<pg_type 2200.v_active>"),
    ("16412", "<pg_proc 2200.add1.23>"),
];

/// Statements left out: text that tells them, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("pg_sleep", "waits; cancellation is tested through the wire"),
    ("pg_terminate_backend", "ends a session; tested through the wire"),
    ("pg_cancel_backend", "ends a statement; tested through the wire"),
];

/// Columns whose values are not compared: name, and why.
const VOLATILE: &[(&str, &str)] = &[
    ("attoptions", "since 15.19 PostgreSQL keeps a log position there for its own use"),
    ("version", "the build of the server"),
    ("pg_backend_pid", "the process"),
    ("pid", "the process"),
    ("backend_start", "a time"),
    ("xact_start", "a time"),
    ("query_start", "a time"),
    ("state_change", "a time"),
    ("now", "a time"),
    ("current_timestamp", "a time"),
    ("short_desc", "sentences about settings are not carried"),
    ("extra_desc", "sentences about settings are not carried"),
    ("relfrozenxid", "transaction ids differ from run to run"),
    ("relminmxid", "transaction ids differ from run to run"),
    ("datfrozenxid", "transaction ids differ from run to run"),
    ("datminmxid", "transaction ids differ from run to run"),
    ("backend_xmin", "transaction ids differ from run to run"),
    ("age", "transaction ids differ from run to run"),
    ("relpages", "ANALYZE's count of a system catalog; those of users' tables are compared in objects.rs"),
    ("reltuples", "ANALYZE's count of a system catalog; those of users' tables are compared in objects.rs"),
    ("relallvisible", "VACUUM's count of a system catalog"),
    ("source", "where a server's configuration came from"),
    ("sourcefile", "where a server's configuration came from"),
    ("reset_val", "where a server's configuration came from"),
    ("sourceline", "where a server's configuration came from"),
    ("relfilenode", "files of mapped catalogs are numbered as they are rewritten"),
];

/// Statements that are known to differ: place, a tab, and why.
const KNOWN: &str = include_str!("known_differences.tsv");

/// Tables of the schema that hold users' data: reading them is another engine's work.
fn reads_data(sql: &str) -> bool {
    static TABLES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)\b(from|join)\s+(only\s+)?("?(public|sales)"?\s*\.\s*)?"?(users|orders|v_active)"?(\s|$|;|\))"#,
        )
        .expect("a pattern")
    });
    TABLES.is_match(sql)
}

fn is_reading(sql: &str) -> bool {
    let code: String = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let code = code.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word = code.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("").to_ascii_lowercase();
    matches!(word.as_str(), "select" | "with" | "values" | "table")
}

/// The statement with captured OIDs replaced by those of one side.
fn with_oids(text: &str, labels: &Labels) -> String {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9]{5}\b").expect("a pattern"));
    let replace = |number: &regex::Captures<'_>| {
        let label = CAPTURED_OIDS.iter().find(|(oid, _)| *oid == &number[0]).map(|(_, label)| *label);
        label.and_then(|label| labels.oid(label)).unwrap_or(&number[0]).to_owned()
    };
    NUMBER.replace_all(text, replace).into_owned()
}

/// What one side is asked.
pub struct Statement {
    pub sql: String,
    /// Text forms of `$1`, `$2`, ...
    pub parameters: Vec<Option<String>>,
}

impl Statement {
    pub fn plain(sql: &str) -> Self {
        Self { sql: sql.to_owned(), parameters: Vec::new() }
    }
}

/// For one side: its OIDs; a parameter without a captured value is the schema `public`, as when the corpus was made.
fn localized(captured: &Captured, labels: &Labels) -> Statement {
    let mut sql = with_oids(&without_undefined_limit(&captured.sql), labels);
    if captured.parameters.is_empty() && sql.contains("$1") {
        sql = sql.replace("$1", "(select oid from pg_namespace where nspname='public')");
    }
    let parameters =
        captured.parameters.iter().map(|value| value.as_ref().map(|text| with_oids(text, labels))).collect();
    Statement { sql, parameters }
}

pub async fn ask_postgres(client: &Client, statement: &Statement) -> Answer {
    let state =
        |error: tokio_postgres::Error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned());
    let prepared = client.prepare(&statement.sql).await.map_err(state)?;
    let columns = prepared.columns().iter();
    let fields = columns.map(|column| (column.name().to_owned(), column.type_().oid())).collect();
    let sql = if statement.parameters.is_empty() {
        statement.sql.clone()
    } else {
        let quote = |value: &Option<String>| match value {
            Some(text) => format!("'{}'", text.replace('\'', "''")),
            None => "NULL".to_owned(),
        };
        let values: Vec<String> = statement.parameters.iter().map(quote).collect();
        client.batch_execute(&format!("PREPARE replayed AS {}", statement.sql)).await.map_err(state)?;
        format!("EXECUTE replayed({})", values.join(", "))
    };
    let messages = client.simple_query(&sql).await;
    if !statement.parameters.is_empty() {
        client.batch_execute("DEALLOCATE replayed").await.map_err(state)?;
    }
    let mut rows = Vec::new();
    for message in messages.map_err(state)? {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            rows.push((0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect());
        }
    }
    Ok((fields, rows))
}

pub fn normal(answer: Answer, labels: &Labels) -> Answer {
    let (fields, mut rows) = answer?;
    for row in &mut rows {
        for ((name, ty), value) in fields.iter().zip(row.iter_mut()) {
            // PostgreSQL prints a parsed tree, we the expression that it stands for.
            let tree = *ty == mantissa_core::PgType::PG_NODE_TREE.0 && value.is_some();
            let volatile = tree || VOLATILE.iter().any(|(column, _)| name.eq_ignore_ascii_case(column));
            if let Some(text) = value {
                *text = if volatile { "...".to_owned() } else { labels.apply(text) };
            } else if volatile {
                *value = Some("...".to_owned());
            }
        }
    }
    Ok((fields, rows))
}

/// What differs, in a line; `None` where nothing does.
pub fn difference(expected: &Answer, found: &Answer, order: &Order) -> Option<String> {
    let (expected, found) = match (expected, found) {
        (Err(expected), Err(found)) if expected == found => return None,
        (Err(expected), Err(found)) => return Some(format!("error {found}, not {expected}")),
        (Err(expected), Ok(_)) => return Some(format!("no error, but PostgreSQL has {expected}")),
        (Ok(_), Err(found)) => return Some(format!("error {found}")),
        (Ok(expected), Ok(found)) => (expected, found),
    };
    if expected.0 != found.0 {
        let pairs = expected.0.iter().zip(&found.0);
        let first = pairs.filter(|(expected, found)| expected != found).map(|pair| format!("{pair:?}")).next();
        return Some(format!("columns ({} and {}): {first:?}", expected.0.len(), found.0.len()));
    }
    if expected.1 == found.1 {
        return None;
    }
    let sorted = |rows: &[Vec<Option<String>>]| {
        let mut rows = rows.to_vec();
        rows.sort();
        rows
    };
    let (all_expected, all_found) = (sorted(&expected.1), sorted(&found.1));
    if all_expected == all_found {
        return (!order.agree(expected, found)).then(|| "other order".to_owned());
    }
    let missing = all_expected.iter().find(|row| !all_found.contains(row));
    let extra = all_found.iter().find(|row| !all_expected.contains(row));
    Some(format!(
        "rows ({} and {}): PostgreSQL has {missing:?}, we have {extra:?}",
        all_expected.len(),
        all_found.len()
    ))
}

/// What a statement says about the order of its rows.
pub struct Order {
    /// Ordinals from 0 and names of output columns, as far as the ORDER BY names such.
    keys: Vec<Result<usize, String>>,
}

impl Order {
    pub fn none() -> Self {
        Self { keys: Vec::new() }
    }

    pub fn of(sql: &str) -> Self {
        let Ok(query) = dialects::parse_query(sql) else { return Self::none() };
        let Some(dialects::ast::OrderBy { kind: dialects::ast::OrderByKind::Expressions(items), .. }) = query.order_by
        else {
            return Self::none();
        };
        let key = |item: &dialects::ast::OrderByExpr| {
            let text = item.expr.to_string().replace('"', "");
            match text.parse::<usize>() {
                Ok(ordinal) => Some(Ok(ordinal - 1)),
                Err(_) => text.rsplit('.').next().map(|name| Err(name.to_ascii_lowercase())),
            }
        };
        Self { keys: items.iter().map_while(key).collect() }
    }

    /// Whether rows that are the same stand in an order that the ORDER BY cannot tell from the other. Rows of users'
    /// objects are left out: they may be ordered by OIDs, which differ.
    fn agree(&self, expected: &Rows, found: &Rows) -> bool {
        let name = |name: &String| expected.0.iter().position(|(column, _)| column.eq_ignore_ascii_case(name));
        let places = self.keys.iter().map(|key| key.as_ref().map_or_else(name, |ordinal| Some(*ordinal)));
        let places: Vec<usize> = places.map_while(|place| place).collect();
        let keys = |rows: &Rows| -> Vec<Vec<Option<String>>> {
            let plain = rows.1.iter().filter(|row| !row.iter().flatten().any(|value| value.contains("<pg_")));
            plain.map(|row| places.iter().filter_map(|place| row.get(*place).cloned()).collect()).collect()
        };
        keys(expected) == keys(found)
    }
}

/// Without ORDER BY it is not defined which rows a LIMIT keeps: such a statement is compared without it.
fn without_undefined_limit(sql: &str) -> String {
    static LIMIT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\s+limit\s+[0-9]+\s*$").expect("a pattern"));
    let ordered = dialects::parse_query(sql).is_ok_and(|query| query.order_by.is_some());
    if ordered { sql.to_owned() } else { LIMIT.replace(sql, "").into_owned() }
}

/// Sentences about PostgreSQL's own objects are not carried: the reference forgets them too.
pub async fn forget_sentences(client: &Client) {
    let forget = "SET allow_system_table_mods = on;
                  DELETE FROM pg_description WHERE objoid < 16384; DELETE FROM pg_shdescription;
                  RESET allow_system_table_mods";
    client.batch_execute(forget).await.expect("a reference without sentences");
}

#[tokio::test]
async fn clients_get_what_postgresql_gives_them() {
    const TEST: &str = "clients_get_what_postgresql_gives_them";
    let (Some(folder), Some(server)) = (corpus::folder(TEST), Server::start(TEST)) else { return };
    Fixture::load_demo(&server, &folder).await;
    let client = server.connect("demo").await;
    forget_sentences(&client).await;
    let fixture = Fixture::new(&server, &demo_objects()).await;
    let theirs = Labels::of_postgres(&client).await;
    let ours = Labels::of_crate(&fixture.relations);
    let only = std::env::var("REPLAY").ok();
    let mut scores: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut failures = BTreeMap::new();
    let mut other_engine = 0;
    for captured in corpus::statements(&folder) {
        if only.as_ref().is_some_and(|only| !captured.place.contains(only.as_str())) || !is_reading(&captured.sql) {
            continue;
        }
        if LEFT_OUT.iter().any(|(text, _)| captured.sql.contains(text)) {
            continue;
        }
        if reads_data(&captured.sql) {
            other_engine += 1;
            continue;
        }
        let expected = normal(ask_postgres(&client, &localized(&captured, &theirs)).await, &theirs);
        let found = normal(evaluate::ask(&fixture, &localized(&captured, &ours)), &ours);
        if only.is_some() {
            println!("{}: {:?}", captured.place, expected.as_ref().map(|(_, rows)| rows.len()));
        }
        let score = scores.entry(captured.client.clone()).or_default();
        score.1 += 1;
        match difference(&expected, &found, &Order::of(&captured.sql)) {
            None => score.0 += 1,
            Some(difference) => {
                failures.insert(captured.place.clone(), difference);
            }
        }
    }
    let (passed, total) = scores.values().fold((0, 0), |sum, score| (sum.0 + score.0, sum.1 + score.1));
    for (client, (passed, total)) in &scores {
        println!("{client:<16} {passed:>4}/{total}");
    }
    println!("{:<16} {passed:>4}/{total}; {other_engine} statements read data of users", "all");
    if only.is_some() {
        panic!("{failures:#?}");
    }
    check_known(KNOWN, &failures);
}

/// Every difference must be listed, and every one listed must be there.
pub fn check_known(known: &str, failures: &BTreeMap<String, String>) {
    let lines = known.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let known: BTreeSet<&str> = lines.map(|line| line.split('\t').next().unwrap_or("")).collect();
    let found: BTreeSet<&str> = failures.keys().map(String::as_str).collect();
    let new: Vec<String> = found.difference(&known).map(|place| format!("{place}\t{}", failures[*place])).collect();
    let gone: Vec<&&str> = known.difference(&found).collect();
    assert!(new.is_empty(), "{} new differences:\n{}", new.len(), new.join("\n"));
    assert!(gone.is_empty(), "these no longer differ, take them off the list: {gone:?}");
}
