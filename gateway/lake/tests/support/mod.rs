#![allow(clippy::unwrap_used)]
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use arrow::datatypes::{Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use mantissa_core::FrozenClock;
use mantissa_lake::{Lake, LakeOptions, read_file};

/// 2026-11-18 15:42 UTC.
pub fn options() -> LakeOptions {
    let now = "2026-11-18T15:42:00Z".parse().unwrap();
    LakeOptions { clock: Arc::new(FrozenClock(now)), ..LakeOptions::default() }
}

pub fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::create(folder.path(), options()).unwrap();
    (folder, lake)
}

/// Where the corpora are, or `None` with a word on what is skipped. On CI they must be there.
pub fn corpora(suite: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("MANTISSA_CORPORA").map_or(default, PathBuf::from);
    if path.join("logs").is_dir() {
        return Some(path);
    }
    let on_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!on_ci, "{suite}: no corpora at {}", path.display());
    eprintln!("skipped: {suite} (no corpora at {})", path.display());
    None
}

pub fn batches(lake: &Lake, table: &str) -> Vec<RecordBatch> {
    let snapshot = lake.snapshot();
    let table = snapshot.table(table).unwrap();
    table.files.iter().flat_map(|file| read_file(file, &table.schema).unwrap()).collect()
}

/// A column's values as text, null as `-`, in the order of files and rows.
pub fn column(lake: &Lake, table: &str, name: &str) -> Vec<String> {
    batches(lake, table).iter().flat_map(|batch| texts(batch, name)).collect()
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let array = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    (0..array.len())
        .map(|row| {
            if array.is_null(row) {
                return "-".to_owned();
            }
            match array.data_type() {
                DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
                DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
                DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
                DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
                DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
                DataType::Boolean => array.as_boolean().value(row).to_string(),
                DataType::Timestamp(..) => {
                    let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                    chrono::DateTime::from_timestamp_micros(micros).unwrap().format("%FT%T%.fZ").to_string()
                }
                other => panic!("column {name} is {other}"),
            }
        })
        .collect()
}

/// `column=value` of one row, for the columns named.
pub fn cells(lake: &Lake, table: &str, row: usize, names: &[&str]) -> String {
    let values: Vec<String> = names.iter().map(|name| format!("{name}={}", column(lake, table, name)[row])).collect();
    values.join(" | ")
}
