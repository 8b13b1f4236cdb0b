//! Prints the SQL of each question of a JSON Lines file as `id`, tab, SQL; refusals as `id`, tab, `-- ` and why.
//! Turns of one conversation are read in order.

use std::collections::HashMap;
use std::sync::Arc;

use mantissa_ask::{AskContext, Conversation, propose};
use mantissa_core::{Catalog, Identity, Problem, Table, TableKind, TableName};

const TABLES: &[&str] = &[
    "events",
    "cloudtrail",
    "vpc_flow",
    "guardduty",
    "gcp_audit",
    "azure_activity",
    "okta",
    "google_workspace",
    "microsoft365",
    "duo",
    "crowdstrike",
    "jamf",
    "slack",
    "snowflake",
    "salesforce",
    "onepassword",
    "github",
    "kubernetes",
    "docker",
    "syslog",
    "windows",
    "dns",
    "web",
    "json",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: ask_sql FILE.jsonl [NOW]")?;
    let now = std::env::args().nth(2).unwrap_or_else(|| "2026-11-18T15:42:00Z".into()).parse()?;
    let table = |name: &&str| {
        Arc::new(Table {
            name: TableName::new(Catalog::LOGS, *name),
            kind: TableKind::Table,
            columns: Vec::new(),
            comment: None,
        })
    };
    let catalog = Catalog { tables: TABLES.iter().map(table).collect() };
    let identity = Identity::reader("demo");
    let mut talks: HashMap<String, Conversation> = HashMap::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let text = |key: &str| record.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let mut fresh = Conversation::new();
        let conversation = match text("conversation_id") {
            id if id.is_empty() => &mut fresh,
            id => talks.entry(id).or_default(),
        };
        let answer =
            propose(&text("question"), &AskContext { catalog: &catalog, now, conversation, identity: &identity });
        match answer {
            Ok(proposal) => {
                conversation.remember(&proposal);
                println!("{}\t{}", text("id"), proposal.sql);
            }
            Err(error) => {
                let problem = Problem::from(error);
                println!("{}\t-- {} {}", text("id"), problem.message, problem.detail.unwrap_or_default());
            }
        }
    }
    Ok(())
}
