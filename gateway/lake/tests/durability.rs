//! Nothing acknowledged is lost, nothing half done is seen, nothing comes in twice.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mantissa_lake::{Lake, LakeError, LakeOptions};
use support::{column, lake, options};

fn flow(port: usize, second: usize) -> String {
    format!(
        "2 1 eni-1 10.0.0.1 10.0.0.2 {port} 443 6 1 1 {} {} ACCEPT OK\n",
        1_700_000_000 + second,
        1_700_000_001 + second
    )
}

fn record(id: usize) -> String {
    format!(
        r#"{{"eventID":"e{id}","eventTime":"2026-01-02T03:04:05Z","eventName":"GetUser","eventSource":"iam.amazonaws.com"}}"#
    )
}

fn records(ids: std::ops::Range<usize>) -> String {
    format!(r#"{{"Records":[{}]}}"#, ids.map(record).collect::<Vec<_>>().join(","))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(parquet_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_same_content_adds_nothing_whatever_its_name_and_compression() {
    let (folder, lake) = lake();
    let text = records(0..3);
    assert_eq!(lake.ingest_bytes("cloudtrail", "a.json", text.as_bytes()).unwrap().rows, 3);
    let again = lake.ingest_bytes("cloudtrail", "b.json.gz", &gzip(&text)).unwrap();
    assert_eq!((again.rows, again.known_inputs), (0, 1));
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    assert_eq!(Lake::open(folder.path(), options()).unwrap().ingest_bytes("cloudtrail", "c", &zstd).unwrap().rows, 0);
    assert_eq!(lake.snapshot().table("cloudtrail").unwrap().rows, 3);
}

#[test]
fn a_truncated_gzip_gives_its_events_and_the_whole_file_the_rest() {
    let (_folder, lake) = lake();
    let ids: Vec<String> = (0..3000).map(|id| format!("e{id}")).collect();
    let whole = gzip(&records(0..3000));
    let cut = lake.ingest_bytes("cloudtrail", "cut.gz", &whole[..whole.len() / 2]).unwrap();
    assert!(cut.rows > 500 && cut.rows < 3000, "{cut:?}");
    assert_eq!(cut.quarantined, 1);
    assert!(lake.quarantined().unwrap()[0].1.reason.contains("compressed input ends"));
    assert_eq!(lake.ingest_bytes("cloudtrail", "cut.gz", &whole[..whole.len() / 2]).unwrap().known_inputs, 1);
    let rest = lake.ingest_bytes("cloudtrail", "whole.gz", &whole).unwrap();
    assert_eq!((rest.rows, rest.known_events, rest.quarantined), (3000 - cut.rows, cut.rows, 0));
    let mut found = column(&lake, "cloudtrail", "event_id");
    found.sort_by_key(|id| id[1..].parse::<usize>().unwrap());
    assert_eq!(found, ids);
    assert_eq!(lake.snapshot().quarantined, 0);
}

#[test]
fn what_does_not_parse_is_kept_with_reason_and_offset_and_can_be_retried() {
    let (_folder, lake) = lake();
    let text = b"{\"time\":\"9999-12-31T00:00:00Z\"}\n{\"time\":\"0000-01-01T00:00:00Z\"}\n{broken\n\xff\xfe\n{\"a\":\"\xff\"}\n{\"a\":1}\n";
    let report = lake.ingest_bytes("json", "bad.json", text).unwrap();
    assert_eq!((report.rows, report.quarantined), (1, 4));
    let entries: Vec<(u64, String)> =
        lake.quarantined().unwrap().into_iter().map(|(_, entry)| (entry.offset, entry.reason)).collect();
    let offsets: Vec<u64> = entries.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, [0, 32, 64, 75]);
    assert_eq!(entries[0].1, "the time is outside 1970 to 2199");
    assert_eq!(entries[3].1, "invalid UTF-8");
    let retried = lake.retry_quarantine().unwrap();
    assert_eq!((retried.rows, retried.quarantined), (0, 4));
    assert_eq!(lake.snapshot().quarantined, 4);
    assert_eq!(lake.quarantined().unwrap().len(), 4);
}

#[test]
fn a_retry_takes_in_what_parses_by_now() {
    let folder = tempfile::tempdir().unwrap();
    let small = LakeOptions { max_event_bytes: 50, ..options() };
    let line = format!("{{\"time\":\"2026-01-01\",\"text\":\"{}\"}}\n", "x".repeat(100));
    let lake = Lake::create(folder.path(), small).unwrap();
    assert_eq!(lake.ingest_bytes("json", "long", line.as_bytes()).unwrap().quarantined, 1);
    drop(lake);
    let lake = Lake::open(folder.path(), options()).unwrap();
    assert_eq!(lake.retry_quarantine().unwrap().rows, 1);
    assert_eq!(lake.snapshot().quarantined, 0);
    assert_eq!(column(&lake, "json", "text"), ["x".repeat(100)]);
}

#[test]
fn rows_are_sorted_and_split_by_day_and_compaction_keeps_them_all() {
    let (folder, lake) = lake();
    let day = 86_400;
    for part in 0..4 {
        let text: String = (0..10).map(|row| flow(part * 10 + row, (9 - row) * 7 + (row % 2) * day)).collect();
        lake.ingest_bytes("vpc_flow", "f", text.as_bytes()).unwrap();
    }
    let before = lake.snapshot();
    let mut ports_before = column(&lake, "vpc_flow", "src_port");
    let files = before.table("vpc_flow").unwrap().files.clone();
    assert_eq!(files.len(), 8);
    assert_eq!(files[0].dt, "2023-11-14");
    let report = lake.compact().unwrap();
    assert_eq!((report.files_before, report.files_after), (8, 2));
    let after = lake.snapshot().table("vpc_flow").unwrap().clone();
    assert_eq!((after.files.len(), after.rows), (2, 40));
    let mut ports = column(&lake, "vpc_flow", "src_port");
    ports.sort();
    ports_before.sort();
    assert_eq!(ports, ports_before);
    let times = column(&lake, "vpc_flow", "time");
    assert!(times.is_sorted(), "{times:?}");
    for file in files.iter() {
        assert!(file.path.exists(), "readers of the snapshot before still find their files");
    }
    let at_once = LakeOptions {
        keep_replaced: Duration::ZERO,
        clock: std::sync::Arc::new(mantissa_core::SystemClock),
        ..options()
    };
    let reopened = Lake::open(folder.path(), at_once).unwrap();
    assert_eq!(parquet_files(&folder.path().join("lake")).len(), 2);
    assert_eq!(reopened.snapshot().table("vpc_flow").unwrap().rows, 40);
}

#[test]
fn files_carry_what_engines_skip_by() {
    use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
    let (_folder, lake) = lake();
    let text: String = (0..50).map(|row| flow(row, 50 - row)).collect();
    lake.ingest_bytes("vpc_flow", "f", text.as_bytes()).unwrap();
    let table = lake.snapshot().table("vpc_flow").unwrap().clone();
    let file = fs::File::open(&table.files[0].path).unwrap();
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader.try_parse(&file).unwrap();
    let metadata = reader.finish().unwrap();
    assert!(metadata.column_index().is_some() && metadata.offset_index().is_some());
    let group = metadata.row_group(0);
    assert_eq!(group.sorting_columns().unwrap()[0].column_idx, 0);
    let with_bloom: Vec<String> = group
        .columns()
        .iter()
        .filter(|column| column.bloom_filter_offset().is_some())
        .map(|column| column.column_path().string())
        .collect();
    assert_eq!(with_bloom, ["event_id", "src_ip", "dst_ip", "interface_id"]);
    let has_dictionary = |name: &str| {
        let column = group.columns().iter().find(|column| column.column_path().string() == name).unwrap();
        column.dictionary_page_offset().is_some()
    };
    assert!(
        has_dictionary("action") && has_dictionary("src_ip") && !has_dictionary("event_id") && !has_dictionary("raw")
    );
    let (file, rows) = (&table.files[0], table.rows);
    assert_eq!((file.rows, rows), (50, 50));
    assert_eq!((file.min_time, file.max_time), (1_700_000_001_000_000, 1_700_000_050_000_000));
}

#[test]
fn another_process_sees_commits_by_refreshing() {
    let (folder, writer) = lake();
    let reader = Lake::open(folder.path(), options()).unwrap();
    assert!(!reader.refresh().unwrap());
    writer.ingest_bytes("json", "a", br#"{"time":"2026-01-01","n":1}"#).unwrap();
    assert_eq!(reader.snapshot().table("json").unwrap().rows, 0);
    assert!(reader.refresh().unwrap());
    assert_eq!(reader.snapshot().table("json").unwrap().rows, 1);
    assert!(
        reader.snapshot().catalog.tables.iter().any(|table| table.name.name == "json" && table.column("n").is_some())
    );
    reader.ingest_bytes("json", "b", br#"{"time":"2026-01-02","n":2}"#).unwrap();
    writer.ingest_bytes("json", "c", br#"{"time":"2026-01-03","n":3}"#).unwrap();
    assert_eq!(column(&writer, "json", "n"), ["1", "2", "3"]);
}

#[test]
fn a_second_writer_is_told_who_is_in_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let impatient = LakeOptions { lock_wait: Duration::ZERO, ..options() };
    let lake = Lake::create(folder.path(), impatient).unwrap();
    let first = lake.session().unwrap();
    let Err(LakeError::Locked(path)) = lake.session() else { panic!("two writers at once") };
    assert_eq!(path, folder.path());
    drop(first);
    lake.session().unwrap();
}

#[test]
fn a_dropped_session_leaves_nothing() {
    let (folder, lake) = lake();
    let mut session = lake.session().unwrap();
    session.push_bytes("cloudtrail", "x", records(0..5).as_bytes()).unwrap();
    session.push_bytes("cloudtrail", "y", b"{broken").unwrap();
    drop(session);
    assert_eq!(lake.ingest_bytes("cloudtrail", "x", records(0..5).as_bytes()).unwrap().rows, 5);
    assert_eq!(fs::read_dir(folder.path().join("lake/tmp")).unwrap().count(), 0);
    assert_eq!(lake.snapshot().quarantined, 0);
}

#[test]
fn a_missing_folder_is_named_with_what_to_do() {
    let Err(error) = Lake::open(Path::new("/nowhere/at/all"), LakeOptions::default()) else { panic!() };
    let problem = mantissa_core::Problem::from(error);
    assert_eq!(problem.message, "data folder \"/nowhere/at/all\" does not exist");
    assert!(problem.hint.unwrap().contains("mkdir -p /nowhere/at/all"));
}

#[test]
fn a_full_or_read_only_folder_is_named_with_what_to_do() {
    for (kind, sqlstate) in
        [(std::io::ErrorKind::StorageFull, "53100"), (std::io::ErrorKind::ReadOnlyFilesystem, "42501")]
    {
        let problem = mantissa_core::Problem::from(LakeError::io("write", Path::new("/data/lake/x"), kind.into()));
        assert_eq!(problem.kind.sqlstate(), sqlstate);
        assert!(problem.message.contains("/data/lake/x") && problem.hint.is_some());
        let wrapped = parquet::errors::ParquetError::External(Box::new(std::io::Error::from(kind)));
        let problem = mantissa_core::Problem::from(LakeError::parquet(Path::new("/data/lake/x"), wrapped));
        assert_eq!(problem.kind.sqlstate(), sqlstate);
    }
}

#[test]
fn a_line_longer_than_an_event_may_be_costs_bounded_memory_and_itself_only() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::create(folder.path(), LakeOptions { max_event_bytes: 1 << 20, ..options() }).unwrap();
    let path = folder.path().join("long.json");
    let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    file.write_all(b"{\"time\":\"2026-01-01\",\"n\":1}\n{\"text\":\"").unwrap();
    for _ in 0..100 {
        file.write_all(&[b'x'; 1 << 20]).unwrap();
    }
    file.write_all(b"\"}\n{\"time\":\"2026-01-01\",\"n\":2}\n").unwrap();
    file.flush().unwrap();
    let report = lake.ingest("json", &[path.display().to_string()], &mut |_| {}).unwrap();
    assert_eq!((report.rows, report.quarantined), (2, 1));
    let (_, entry) = &lake.quarantined().unwrap()[0];
    assert_eq!((entry.offset, entry.length), (28, 9 + (100 << 20) + 3));
}

/// Kills a process that ingests at ever later moments, goes on where it stopped, and checks what the lake holds.
#[test]
fn a_killed_writer_loses_nothing_acknowledged_and_shows_nothing_half_done() {
    let example = std::env::current_exe().unwrap().parent().unwrap().join("../examples/ingest");
    assert!(example.exists(), "build the example first: cargo build --example ingest");
    let folder = tempfile::tempdir().unwrap();
    let (data, inputs) = (folder.path().join("data"), folder.path().join("inputs"));
    fs::create_dir(&inputs).unwrap();
    const INPUTS: usize = 120;
    const EVENTS: usize = 40;
    let paths: Vec<String> = (0..INPUTS)
        .map(|input| {
            let path = inputs.join(format!("{input:03}"));
            let text: String = (0..EVENTS).map(|event| flow(input, event * 2161)).collect();
            fs::write(&path, text).unwrap();
            path.display().to_string()
        })
        .collect();
    let mut acknowledged: Vec<usize> = Vec::new();
    let mut kills = 0;
    for attempt in 0.. {
        let from = acknowledged.len().saturating_sub(2);
        let mut child = Command::new(&example)
            .arg(&data)
            .arg("vpc_flow")
            .args(&paths[from..])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The victim runs on for a varying number of acknowledgements and a varying moment after the last.
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        for _ in 0..2 + attempt % 5 {
            line.clear();
            if output.read_line(&mut line).unwrap() == 0 {
                break;
            }
            let input: usize = line.trim().parse().unwrap();
            if !acknowledged.contains(&input) {
                acknowledged.push(input);
            }
        }
        (0..attempt * 40_000).for_each(|spin| {
            std::hint::black_box(spin);
        });
        kills += usize::from(child.kill().is_ok());
        child.wait().unwrap();
        let lake = Lake::open(&data, options()).unwrap();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for port in column(&lake, "vpc_flow", "src_port") {
            *counts.entry(port).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count == EVENTS), "{counts:?}");
        for input in &acknowledged {
            assert!(counts.contains_key(&input.to_string()), "{input} was acknowledged and is gone");
        }
        drop(lake);
        if acknowledged.len() == INPUTS {
            break;
        }
        acknowledged.sort();
        assert!(attempt < 200);
    }
    assert!(kills > 10, "{kills}");
    Lake::open(&data, options()).unwrap();
}
