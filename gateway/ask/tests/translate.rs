//! Questions to SQL, as a table: one line a question, the SQL beside it under review in the snapshot.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use mantissa_ask::{AskContext, AskError, Conversation, Proposal, examples, propose};
use mantissa_core::{Catalog, ErrorKind, Identity, Problem, Table, TableKind, TableName};
use proptest::prelude::*;

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

fn catalog() -> Catalog {
    let table = |name: &&str| {
        Arc::new(Table {
            name: TableName::new(Catalog::LOGS, *name),
            kind: TableKind::Table,
            columns: Vec::new(),
            comment: None,
        })
    };
    Catalog { tables: TABLES.iter().map(table).collect() }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_016_520, 0).unwrap()
}

fn ask_in(conversation: &Conversation, question: &str) -> Result<Proposal, AskError> {
    let (catalog, identity) = (catalog(), Identity::reader("ann"));
    propose(question, &AskContext { catalog: &catalog, now: now(), conversation, identity: &identity })
}

fn ask(question: &str) -> Result<Proposal, AskError> {
    ask_in(&Conversation::new(), question)
}

fn shown(answer: Result<Proposal, AskError>) -> String {
    match answer {
        Ok(proposal) => format!("{}\n    -- {}", proposal.sql, proposal.explanation),
        Err(error) => {
            let problem = Problem::from(error);
            format!("refused: {}. {}", problem.message, problem.detail.unwrap_or_default())
        }
    }
}

#[test]
fn questions_become_sql() {
    let questions = [
        "failed logins by erika since Friday",
        "who deleted the snapshot snap-77",
        "console logins from France or Italy last month",
        "how many buckets were created this quarter",
        "accounts with more than 40 console logins this week",
        "rejected flows to port 8443 from 198.51.100.9 yesterday",
        "web requests with path starting with /api this week",
        "top 4 countries by okta failures",
        "average bytes per flow for each region",
        "logins between 1am and 4am this month, not from Japan",
        "events where region is ap-south-1 today",
        "okta events with user agent containing 'Head\\less_100%' today",
        "share of failed console logins per day this month",
        "latest 20 github events",
        "users who cloned repos and then logged in to okta within 2 hours",
        "repos cloned by someone@else.example, o'neil or x",
        "first time each country appeared in duo logins",
        "account changes outside business hours last week",
    ];
    let text: Vec<String> =
        questions.iter().map(|question| format!("{question}\n    {}", shown(ask(question)))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn follow_ups_keep_what_they_do_not_replace() {
    let talks: &[&[&str]] = &[
        &["failed okta logins this week", "only the ones by root", "and last week?", "count them by country", "top 2"],
        &["vpc flows to port 23", "today", "by source ip", "how many"],
        &["guardduty findings this month", "delete them", "now show github events today"],
    ];
    let mut text = String::new();
    for talk in talks {
        let mut conversation = Conversation::new();
        for question in *talk {
            let answer = ask_in(&conversation, question);
            if let Ok(proposal) = &answer {
                conversation.remember(proposal);
            }
            text.push_str(&format!("{question}\n    {}\n", shown(answer)));
        }
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_not_understood_is_refused() {
    let questions = [
        "failed logins wearing purple hats",
        "logins from neither Chile nor Peru",
        "logins to Norway",
        "drop table okta",
        "please delete the failed logins",
        "logins'; select 1; --",
        "what is the weather in Oslo",
        "and by country?",
        "deleted users",
        "failed logins from okta or with mfa",
        "medium or critical guardduty findings",
        "failed or successful okta logins",
        "web requests without status 200",
        "",
    ];
    for question in questions {
        let error = ask(question).expect_err(question);
        let problem = Problem::from(error);
        assert!(
            matches!(problem.kind, ErrorKind::QuestionNotUnderstood | ErrorKind::ReadOnlyTransaction),
            "{question}: {problem:?}"
        );
        assert!(problem.detail.is_some() || problem.hint.is_some(), "{question}");
    }
}

#[test]
fn examples_are_answered_and_their_sql_parses() {
    for question in examples() {
        let proposal = ask(question).unwrap_or_else(|error| panic!("{question}: {error:?}"));
        dialects::parse_query(&proposal.sql).unwrap_or_else(|error| panic!("{}: {error:?}", proposal.sql));
    }
}

#[test]
fn a_table_that_may_not_be_read_is_refused() {
    let (catalog, mut identity) = (catalog(), Identity::reader("ann"));
    identity.grants[0].table = "okta".into();
    let conversation = Conversation::new();
    let context = AskContext { catalog: &catalog, now: now(), conversation: &conversation, identity: &identity };
    assert!(propose("okta events today", &context).is_ok());
    assert!(matches!(propose("github events today", &context), Err(AskError::NotAllowed { .. })));
}

fn corpus(file: &str) -> Option<Vec<serde_json::Value>> {
    let root = std::env::var("MANTISSA_CORPORA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("questions").join(file)) else {
        eprintln!("skipped: questions/{file} is not there (set MANTISSA_CORPORA)");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn corpus_questions_parse_or_are_refused_where_they_must() {
    let Some(records) = corpus("questions_open.jsonl") else { return };
    let mut conversations: std::collections::HashMap<String, Conversation> = Default::default();
    let (mut asked, mut answered) = (0, 0);
    for record in records {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let talk = if text("conversation_id").is_empty() { text("id") } else { text("conversation_id") };
        let conversation = conversations.entry(talk).or_default();
        let answer = ask_in(conversation, &text("question"));
        if text("judge") == "refuse" {
            assert!(answer.is_err(), "{}", text("question"));
            continue;
        }
        asked += 1;
        if let Ok(proposal) = answer {
            answered += 1;
            dialects::parse_query(&proposal.sql).unwrap_or_else(|error| panic!("{}: {error:?}", proposal.sql));
            conversation.remember(&proposal);
        }
    }
    assert!(answered * 100 >= asked * 85, "{answered} of {asked} answered");
}

proptest! {
    #[test]
    fn any_text_is_answered_or_refused(question in ".{0,120}") {
        let _ = ask(&question);
    }

    #[test]
    fn any_mix_of_known_words_is_answered_or_refused(words in prop::collection::vec(
        prop::sample::select(vec![
            "failed", "logins", "by", "from", "outside", "the", "US", "not", "except", "root", "top", "5", "users", "bytes",
            "between", "and", "or", "10.0.0.1", "last", "7", "days", "bucket", "deleted", "per", "hour", "->", "more", "than",
            "'x y'", "a@b.c", "this", "week", "vs", "port", "who", "when", "okta", "aws", "count", "percent", "those", "ips",
        ]), 0..12))
    {
        let question = words.join(" ");
        if let Ok(proposal) = ask(&question) {
            prop_assert!(dialects::parse_query(&proposal.sql).is_ok(), "{question}: {}", proposal.sql);
        }
    }

    #[test]
    fn every_value_said_stands_in_the_sql(user in "[a-z]{3}-[0-9]{3}", ip in "(1[0-9]|20)\\.[1-9]\\.[1-9]\\.[1-9]", port in 1024u16..60000) {
        let proposal = ask(&format!("connections from {ip} to port {port} today")).unwrap();
        let said = format!("'{ip}'");
        prop_assert!(proposal.sql.contains(&said) && proposal.sql.contains(&port.to_string()));
        let quoted = format!("okta logins by '{user}''--' from {ip}");
        if let Ok(proposal) = ask(&quoted) {
            prop_assert!(proposal.sql.contains(&user) && dialects::parse_query(&proposal.sql).is_ok());
        }
        let proposal = ask(&format!("okta logins by {user} from {ip}")).unwrap();
        let name = format!("'{user}'");
        prop_assert!(proposal.sql.contains(&name) && proposal.sql.contains(&said));
    }
}
