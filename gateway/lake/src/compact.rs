//! Joins the small files of a day into large ones, as one commit a day.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::{LakeError, Result};
use crate::ingest::Session;
use crate::lake::Lake;
use crate::manifest::{DataFile, TableSnapshot};
use crate::writer::{GROUP_ROWS, write_joined};

/// Files of at least this many rows are left alone.
const LARGE_ROWS: u64 = 4 * GROUP_ROWS as u64;
/// Or of at least this many bytes.
const LARGE_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of decoded columns joined into one file, which bounds memory.
const JOINED_BYTES: usize = 512 * 1024 * 1024;
/// Small files that a day may gather before an ingest joins them.
const CROWD: usize = 8;

/// What compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactReport {
    pub files_before: usize,
    pub files_after: usize,
}

impl Lake {
    /// Joins the small files of every day that has two or more.
    pub fn compact(&self) -> Result<CompactReport> {
        self.compact_days(2)
    }

    pub(crate) fn compact_crowded(&self) -> Result<CompactReport> {
        self.compact_days(CROWD)
    }

    fn compact_days(&self, at_least: usize) -> Result<CompactReport> {
        let mut report = CompactReport::default();
        if groups(self, at_least).is_empty() {
            return Ok(report);
        }
        let mut session = self.session()?;
        for (table, files) in groups(self, at_least) {
            let after = join(self, &mut session, &table, &files)?;
            session.commit_pushed()?;
            report.files_before += files.len();
            report.files_after += after;
        }
        session.commit()?;
        Ok(report)
    }
}

type Group = (Arc<TableSnapshot>, Vec<Arc<DataFile>>);

/// Runs of small files of one day, each small enough to join in memory.
fn groups(lake: &Lake, at_least: usize) -> Vec<Group> {
    let mut groups = Vec::new();
    for table in lake.snapshot().tables.values() {
        let mut days: BTreeMap<i64, Vec<Arc<DataFile>>> = BTreeMap::new();
        for file in table.files.iter().filter(|file| file.rows < LARGE_ROWS && file.bytes < LARGE_BYTES) {
            days.entry(file.day).or_default().push(file.clone());
        }
        for files in days.into_values().filter(|files| files.len() >= at_least) {
            let mut run: Vec<Arc<DataFile>> = Vec::new();
            for file in files {
                let rows: u64 = run.iter().map(|file| file.rows).sum();
                let bytes: u64 = run.iter().map(|file| file.bytes).sum();
                if rows + file.rows > 2 * LARGE_ROWS || bytes + file.bytes > 2 * LARGE_BYTES {
                    groups.push((table.clone(), std::mem::take(&mut run)));
                }
                run.push(file);
            }
            groups.push((table.clone(), run));
        }
    }
    groups.retain(|(_, files)| files.len() > 1);
    groups
}

fn join(lake: &Lake, session: &mut Session, table: &TableSnapshot, files: &[Arc<DataFile>]) -> Result<usize> {
    let inferred = files.iter().map(|file| file.schema_version).max().unwrap_or(0);
    let layout = &lake.inner().layout;
    let (mut written, mut batches, mut held) = (Vec::new(), Vec::new(), 0);
    for file in files {
        for batch in read(file, &table.schema)? {
            held += batch.get_array_memory_size();
            batches.push(batch);
        }
        if held >= JOINED_BYTES {
            written.extend(write_joined(layout, &table.name, &table.schema, &batches, inferred)?);
            batches.clear();
            held = 0;
        }
    }
    if !batches.is_empty() {
        written.extend(write_joined(layout, &table.name, &table.schema, &batches, inferred)?);
    }
    let after = written.len();
    let pending = session.pending_mut();
    pending.add.extend(written);
    pending.remove.extend(files.iter().map(|file| file.name.clone()));
    Ok(after)
}

/// Reads a file whole, with the columns and types that its table has now.
pub fn read(file: &DataFile, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let fault = |source| LakeError::parquet(&file.path, source);
    let opened = File::open(&file.path).map_err(|source| LakeError::io("open", &file.path, source))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened)
        .map_err(fault)?
        .with_batch_size(64 * 1024)
        .build()
        .map_err(fault)?;
    reader
        .map(|batch| {
            let batch = batch.map_err(|error| fault(error.into()))?;
            adapt(&batch, schema).map_err(|source| LakeError::Arrow { table: file.name.clone(), source })
        })
        .collect()
}

fn adapt(batch: &RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
            Some(column) => cast(column, field.data_type()),
        })
        .collect::<std::result::Result<Vec<ArrayRef>, _>>()?;
    RecordBatch::try_new(schema.clone(), columns)
}
