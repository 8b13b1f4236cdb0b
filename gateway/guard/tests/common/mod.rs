#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mantissa_core::{Catalog, Column, Grant, Identity, PgType, Problem, Table, TableKind, TableName};
use mantissa_guard::{Approved, Bounds, check, problem};

const COMMON: &[&str] = &[
    "time",
    "event_id",
    "source",
    "category",
    "action",
    "service",
    "outcome",
    "reason",
    "severity",
    "actor_id",
    "actor_name",
    "actor_type",
    "actor_email",
    "target_id",
    "target_name",
    "target_type",
    "src_ip",
    "src_port",
    "src_country",
    "src_city",
    "src_asn",
    "src_as_org",
    "dst_ip",
    "dst_port",
    "dst_country",
    "user_agent",
    "account_id",
    "region",
    "session_id",
    "mfa",
    "ioc",
];

const TABLES: &[(&str, &[&str])] = &[
    ("cloudtrail", &[]),
    ("vpc_flow", &["bytes", "packets", "protocol", "interface_id"]),
    ("guardduty", &[]),
    ("gcp_audit", &[]),
    ("azure_activity", &[]),
    ("okta", &[]),
    ("google_workspace", &[]),
    ("microsoft365", &[]),
    ("duo", &[]),
    ("crowdstrike", &[]),
    ("jamf", &[]),
    ("slack", &[]),
    ("snowflake", &[]),
    ("salesforce", &[]),
    ("onepassword", &[]),
    ("github", &[]),
    ("kubernetes", &[]),
    ("docker", &[]),
    ("syslog", &["host", "program", "message"]),
    ("windows", &[]),
    ("dns", &["query", "query_type", "response_code"]),
    ("web", &["method", "path", "status", "bytes"]),
    ("json", &[]),
];

fn table(schema: &str, name: &str, columns: impl Iterator<Item = &'static str>) -> Arc<Table> {
    let columns = columns.map(|column| Column::new(column, PgType::TEXT)).collect();
    Arc::new(Table { name: TableName::new(schema, name), kind: TableKind::Table, columns, comment: None })
}

pub fn catalog() -> Catalog {
    let common = || COMMON.iter().copied();
    let mut tables: Vec<_> = TABLES
        .iter()
        .map(|(name, own)| table("logs", name, common().chain(own.iter().copied()).chain(["raw"])))
        .collect();
    tables.push(table("logs", "events", common()));
    tables.push(table("mantissa", "audit", ["time", "user", "statement"].into_iter()));
    tables.push(table("secret", "users", ["name", "password"].into_iter()));
    Catalog { tables }
}

pub fn search_path() -> Vec<String> {
    vec!["logs".to_owned()]
}

pub fn run(sql: &str, identity: &Identity) -> Result<Approved, Problem> {
    let query = dialects::parse_query(sql).map_err(problem)?;
    check(query, identity, &catalog(), &search_path(), &Bounds::default())
}

pub fn reader() -> Identity {
    Identity::reader("ann")
}

/// Reads `okta` whole, and of `cloudtrail` the time and the action.
pub fn clerk() -> Identity {
    let columns = Some(vec!["time".to_owned(), "action".to_owned()]);
    let grants = vec![Grant { table: "okta".into(), columns: None }, Grant { table: "cloudtrail".into(), columns }];
    Identity { grants, ..Identity::reader("clerk") }
}

/// `SQLSTATE position message`
pub fn refusal(sql: &str, identity: &Identity) -> String {
    match run(sql, identity) {
        Ok(approved) => format!("APPROVED {}", approved.query()),
        Err(problem) => {
            let position = problem.position.map_or("-".to_owned(), |position| position.to_string());
            assert!(problem.hint.is_some() || problem.kind.sqlstate() == "42601", "no hint: {sql}: {problem}");
            format!("{} {position} {problem}", problem.kind.sqlstate())
        }
    }
}

pub fn corpora() -> PathBuf {
    std::env::var_os("MANTISSA_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
}
