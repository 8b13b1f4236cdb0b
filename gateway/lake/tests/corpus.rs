//! Every event of the corpora is a row or a quarantine entry.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{corpora, lake};

const SOURCES: &[(&str, &str)] = &[
    ("cloudtrail", "logs/aws_cloudtrail"),
    ("vpc_flow", "logs/vpc_flow"),
    ("okta", "logs/okta"),
    ("github", "logs/github"),
    ("kubernetes", "logs/kubernetes_audit"),
    ("guardduty", "logs/guardduty"),
    ("syslog", "logs/syslog"),
    ("json", "logs/generic"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, found);
        } else if name != "MANIFEST.md" && !name.contains(".index.") {
            found.push(path);
        }
    }
    found.sort();
}

fn content(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
    text
}

/// Counts events with another JSON reader: whole documents, arrays and `Records` opened; else non-blank lines.
fn expected_events(source: &str, path: &Path) -> u64 {
    let bytes = content(path);
    let lines = || bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(&bytes).into_iter().collect();
    match documents {
        Ok(documents) => documents.iter().map(events_in).sum(),
        Err(_) if source == "vpc_flow" => lines().filter(|line| !line.starts_with(b"version")).count() as u64,
        Err(_) => lines().count() as u64,
    }
}

fn events_in(document: &Value) -> u64 {
    match document {
        Value::Array(elements) => elements.len() as u64,
        Value::Object(members) => {
            members.get("Records").and_then(Value::as_array).map_or(1, |records| records.len() as u64)
        }
        _ => 1,
    }
}

#[test]
fn every_event_is_accounted_for() {
    let Some(corpora) = corpora("corpus: every_event_is_accounted_for") else { return };
    for (source, folder) in SOURCES {
        let (_folder, lake) = lake();
        let mut paths = Vec::new();
        files(&corpora.join(folder), &mut paths);
        assert!(!paths.is_empty(), "{source}");
        let (mut rows, mut quarantined) = (0, 0);
        let mut session = lake.session().unwrap();
        for path in &paths {
            let report = session.push_file(source, &path.display().to_string(), path).unwrap();
            let expected = if report.known_inputs == 1 { 0 } else { expected_events(source, path) };
            assert_eq!(report.rows + report.quarantined, expected, "{}", path.display());
            rows += report.rows;
            quarantined += report.quarantined;
        }
        session.commit().unwrap();
        assert_eq!(lake.snapshot().table(source).unwrap().rows, rows);
        assert_eq!(lake.snapshot().quarantined, quarantined);
        eprintln!("{source}: {} files, {rows} rows, {quarantined} quarantined", paths.len());
        if *source != "json" {
            assert!(
                quarantined * 20 <= rows,
                "{source}: {:?}",
                lake.quarantined().unwrap().iter().take(5).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn raw_is_json_and_times_and_ids_are_there() {
    let Some(corpora) = corpora("corpus: raw_is_json_and_times_and_ids_are_there") else { return };
    for (source, folder) in SOURCES {
        let (_folder, lake) = lake();
        lake.ingest(source, &[corpora.join(folder).display().to_string()], &mut |_| {}).unwrap();
        for raw in support::column(&lake, source, "raw") {
            serde_json::from_str::<Value>(&raw).unwrap_or_else(|error| panic!("{source}: {error}: {raw}"));
        }
        assert!(support::column(&lake, source, "event_id").iter().all(|id| id != "-"), "{source}");
        assert!(support::column(&lake, source, "category").iter().all(|category| category != "-"), "{source}");
    }
}

#[test]
fn cloudtrail_of_the_corpus_reads_as_its_vendor_means() {
    let Some(corpora) = corpora("corpus: cloudtrail_of_the_corpus_reads_as_its_vendor_means") else { return };
    let (_folder, lake) = lake();
    let folder = corpora.join("logs/aws_cloudtrail/invictus_aws_dataset").display().to_string();
    let report = lake.ingest("cloudtrail", &[folder], &mut |_| {}).unwrap();
    assert_eq!((report.rows, report.quarantined), (2900, 0));
    let names = support::column(&lake, "cloudtrail", "actor_name");
    assert!(names.iter().filter(|name| *name == "bert-jan").count() > 1000);
    assert!(support::column(&lake, "cloudtrail", "src_ip").iter().any(|ip| ip == "AWS Internal"));
}

#[test]
fn rows_of_the_fixture_load_into_every_table() {
    let Some(corpora) = corpora("corpus: rows_of_the_fixture_load_into_every_table") else { return };
    let (_folder, lake) = lake();
    let mut total = 0;
    for table in lake.tables() {
        let path = corpora.join(format!("questions/fixture/rows/{table}.ndjson.gz"));
        let expected = content(&path).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64;
        let report = lake.ingest_rows(&table, &[path.display().to_string()], &mut |_| {}).unwrap();
        assert_eq!(
            (report.rows, report.quarantined),
            (expected, 0),
            "{table}: {:?}",
            lake.quarantined().unwrap().first()
        );
        total += report.rows;
    }
    assert_eq!(total, 10_200);
    assert!(support::column(&lake, "vpc_flow", "bytes").iter().any(|bytes| bytes != "-"));
}
