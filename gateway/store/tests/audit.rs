#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mantissa_core::{UserName, Value};
use mantissa_store::{
    AUDIT_COLUMNS, AuditEnd, AuditFilter, AuditStart, NewUser, Outcome, SqliteStore, Store, StoreError, StoreOptions,
    audit_table,
};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn start(user: &str, second: i64, statement: &str) -> AuditStart {
    AuditStart {
        at: at(second),
        user: UserName::new(user),
        client_addr: Some("127.0.0.1:5000".into()),
        application: Some("psql".into()),
        database: "lake".into(),
        session_id: None,
        statement: statement.into(),
        question: None,
    }
}

fn end(second: i64, rows: u64) -> AuditEnd {
    AuditEnd {
        at: at(second),
        outcome: Outcome::Ok,
        sqlstate: None,
        tables: vec!["cloudtrail".into(), "okta".into()],
        rows,
        bytes: 10,
        duration: Duration::from_micros(1234),
        engine: Some("datafusion".into()),
        estimated_bytes: Some(u64::MAX),
        usd: Some(0.5),
    }
}

async fn open(data: &std::path::Path) -> SqliteStore {
    SqliteStore::open(data, StoreOptions::default()).await.unwrap()
}

#[tokio::test]
async fn a_statement_is_one_row_from_accept_to_end() {
    let store = SqliteStore::in_memory(StoreOptions::default()).await.unwrap();
    let id = store.audit_begin(start("ann", 0, "SELECT 1")).await.unwrap();
    let running = store.audit_rows(&AuditFilter::default()).await.unwrap();
    assert_eq!((running.len(), running[0].id, running[0].outcome), (1, id, None));
    store.audit_end(id, end(1, 7)).await.unwrap();
    let quick = store.audit_begin(start("bob", 2, "SELECT 2")).await.unwrap();
    let failed = AuditEnd { outcome: Outcome::Canceled, sqlstate: Some("57014"), ..end(3, 0) };
    store.audit_end(quick, failed).await.unwrap();

    let rows = store.audit_rows(&AuditFilter::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [quick, id]);
    assert_eq!(rows[0].outcome, Some(Outcome::Canceled));
    assert_eq!(rows[0].sqlstate.as_deref(), Some("57014"));
    assert_eq!(rows[1].tables.as_deref(), Some("cloudtrail,okta"));
    assert_eq!((rows[1].rows, rows[1].duration_us, rows[1].usd), (Some(7), Some(1234), Some(0.5)));
    assert_eq!(rows[1].estimated_bytes, Some(i64::MAX));
    assert_eq!(rows[1].ended_at, Some(at(1)));
}

#[tokio::test]
async fn the_filter_narrows_and_pages() {
    let store = SqliteStore::in_memory(StoreOptions::default()).await.unwrap();
    for second in 0..10 {
        store.audit_begin(start(if second % 2 == 0 { "ann" } else { "bob" }, second, "SELECT 1")).await.unwrap();
    }
    let seconds = async |filter: AuditFilter| -> Vec<i64> {
        let rows = store.audit_rows(&filter).await.unwrap();
        rows.iter().map(|row| (row.started_at - at(0)).num_seconds()).collect()
    };
    let ann = Some(UserName::new("ann"));
    assert_eq!(seconds(AuditFilter { user: ann, since: Some(at(3)), ..Default::default() }).await, [8, 6, 4]);
    assert_eq!(seconds(AuditFilter { until: Some(at(2)), ..Default::default() }).await, [1, 0]);
    let page = store.audit_rows(&AuditFilter { limit: Some(4), ..Default::default() }).await.unwrap();
    let before = Some(page[3].id);
    assert_eq!(seconds(AuditFilter { before, limit: Some(2), ..Default::default() }).await, [5, 4]);
    assert_eq!(store.prune_audit(at(7)).await.unwrap(), 7);
    assert_eq!(seconds(AuditFilter::default()).await, [9, 8, 7]);
}

#[tokio::test]
async fn columns_and_values_agree() {
    let store = SqliteStore::in_memory(StoreOptions::default()).await.unwrap();
    let id = store.audit_begin(start("ann", 0, "SELECT 1")).await.unwrap();
    store.audit_end(id, end(1, 7)).await.unwrap();
    let values = store.audit_rows(&AuditFilter::default()).await.unwrap()[0].values();
    assert_eq!(values.len(), AUDIT_COLUMNS.len());
    let column = |name: &str| &values[AUDIT_COLUMNS.iter().position(|(column, _)| *column == name).unwrap()];
    assert_eq!(column("statement"), &Value::Text("SELECT 1".into()));
    assert_eq!(column("rows"), &Value::Int(7));
    assert_eq!(column("started_at"), &Value::TimestampTz(at(0).timestamp_micros()));
    assert_eq!(column("usd"), &Value::Float(0.5));
    assert_eq!(audit_table().columns.len(), AUDIT_COLUMNS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_many_write_more_than_the_queue_holds() {
    const TASKS: u64 = 8;
    const EACH: u64 = 4000;
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(open(data.path()).await);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..EACH {
                    let id = store.audit_begin(start("ann", 0, &format!("{task}/{number}"))).await.unwrap();
                    store.audit_end(id, end(1, number)).await.unwrap();
                }
            })
        })
        .collect();
    futures::future::try_join_all(tasks).await.unwrap();
    let rows = store.audit_rows(&AuditFilter::default()).await.unwrap();
    let statements: HashSet<_> = rows.iter().map(|row| &row.statement).collect();
    assert_eq!(statements.len() as u64, TASKS * EACH);
    assert!(rows.iter().all(|row| row.outcome == Some(Outcome::Ok)));
    assert!(rows.iter().all(|row| row.statement.ends_with(&format!("/{}", row.rows.unwrap()))));
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_reopening_finds_it() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path()).await;
    store.add_user(NewUser { name: UserName::new("ann"), password: None, roles: vec!["reader".into()] }).await.unwrap();
    let salt = store.mock_verifier(&UserName::new("ghost")).salt;
    let first = store.audit_begin(start("ann", 0, "SELECT 1")).await.unwrap();
    store.audit_end(first, end(1, 1)).await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.audit_begin(start("ann", 1, "late")).await, Err(StoreError::Closed)));
    assert!(matches!(store.list_users().await, Err(StoreError::Closed)));

    let store = open(data.path()).await;
    assert_eq!(store.list_users().await.unwrap()[0].roles, ["reader"]);
    assert_eq!(store.mock_verifier(&UserName::new("ghost")).salt, salt);
    let second = store.audit_begin(start("ann", 2, "SELECT 2")).await.unwrap();
    let rows = store.audit_rows(&AuditFilter::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(rows[1].outcome, Some(Outcome::Ok));
}

#[tokio::test]
async fn two_processes_on_one_file_never_share_an_audit_id() {
    let data = tempfile::tempdir().unwrap();
    let (one, two) = (open(data.path()).await, open(data.path()).await);
    one.audit_begin(start("ann", 0, "one")).await.unwrap();
    two.audit_begin(start("bob", TimeDelta::minutes(1).num_seconds(), "two")).await.unwrap();
    two.flush().await.unwrap();
    let rows = one.audit_rows(&AuditFilter::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| &*row.statement).collect::<Vec<_>>(), ["two", "one"]);
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused() {
    let data = tempfile::tempdir().unwrap();
    open(data.path()).await.close().await.unwrap();
    // The schema's version is the big-endian number at byte 60 of the file (SQLite's file format, "user version").
    let path = data.path().join("mantissa.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&900_u32.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    let refused = SqliteStore::open(data.path(), StoreOptions::default()).await.map(drop);
    assert!(matches!(refused, Err(StoreError::NewerSchema { found: 900, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_a_named_error_without_its_path() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = SqliteStore::open(&file.join("deeper"), StoreOptions::default()).await.map(drop).unwrap_err();
    assert!(!error.client_message().contains("deeper"));
    std::fs::write(data.path().join("mantissa.db"), b"this is no database, and long enough to be read as a header")
        .unwrap();
    assert!(matches!(
        SqliteStore::open(data.path(), StoreOptions::default()).await.map(drop),
        Err(StoreError::Database(_))
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path()).await;
    store.audit_begin(start("ann", 0, "SELECT 1")).await.unwrap();
    store.flush().await.unwrap();
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
