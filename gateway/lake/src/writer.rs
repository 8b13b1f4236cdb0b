//! Batches into Parquet files, one a UTC day, sorted by time.

use std::fs::File;
use std::io::{BufWriter, Write};

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::{SortOptions, concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::commit::FileRecord;
use crate::error::{LakeError, Result};
use crate::layout::{Layout, new_id, publish};
use crate::schema::{BLOOM, RAW, UNIQUE, common};
use crate::timestamp::{Micros, day_of};

/// Rows of a row group: small enough to skip by statistics, large enough to scan.
pub const GROUP_ROWS: usize = 128 * 1024;
const PAGE_ROWS: usize = 10_000;

/// Writes a batch as one file a day. The files are durable when this returns, and invisible until a commit names them.
pub fn write_days(layout: &Layout, table: &str, batch: &RecordBatch, inferred: u32) -> Result<Vec<FileRecord>> {
    let arrow_fault = |source| LakeError::Arrow { table: table.to_owned(), source };
    let sorted = sort_by_time(batch).map_err(arrow_fault)?;
    let times = times_of(&sorted).to_vec();
    let mut files = Vec::new();
    let mut from = 0;
    while from < times.len() {
        let day = day_of(times[from]);
        let length = times[from..].partition_point(|time| day_of(*time) == day);
        let rows = sorted.slice(from, length);
        let name = Layout::file_name(table, day, &new_id());
        let bytes = write_file(layout, &name, &rows)?;
        let (min_time, max_time) = (times[from], times[from + length - 1]);
        let (table, rows) = (table.to_owned(), length as u64);
        files.push(FileRecord { table, name, day, rows, bytes, min_time, max_time, inferred });
        from += length;
    }
    Ok(files)
}

/// Joins batches of one schema and writes them as files of their days.
pub fn write_joined(
    layout: &Layout,
    table: &str,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    inferred: u32,
) -> Result<Vec<FileRecord>> {
    let joined =
        concat_batches(schema, batches).map_err(|source| LakeError::Arrow { table: table.to_owned(), source })?;
    write_days(layout, table, &joined, inferred)
}

fn times_of(batch: &RecordBatch) -> &[Micros] {
    batch.column(common::TIME).as_primitive::<TimestampMicrosecondType>().values()
}

fn sort_by_time(batch: &RecordBatch) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
    if times_of(batch).is_sorted() {
        return Ok(batch.clone());
    }
    let order: UInt32Array = sort_to_indices(batch.column(common::TIME), Some(SortOptions::default()), None)?;
    take_record_batch(batch, &order)
}

fn write_file(layout: &Layout, name: &str, rows: &RecordBatch) -> Result<u64> {
    let tmp = layout.tmp().join(new_id());
    let path = layout.path(name);
    let io_fault = |source| LakeError::io("write", &path, source);
    let parquet_fault = |source| LakeError::parquet(&path, source);
    let file = File::create(&tmp).map_err(io_fault)?;
    let properties = properties(rows);
    let mut writer =
        ArrowWriter::try_new(BufWriter::new(file), rows.schema(), Some(properties)).map_err(parquet_fault)?;
    writer.write(rows).map_err(parquet_fault)?;
    let mut buffered = writer.into_inner().map_err(parquet_fault)?;
    buffered.flush().map_err(io_fault)?;
    let file = buffered.get_ref();
    file.sync_all().map_err(io_fault)?;
    let bytes = file.metadata().map_err(io_fault)?.len();
    publish(&tmp, &path)?;
    Ok(bytes)
}

fn properties(rows: &RecordBatch) -> WriterProperties {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let time_first = SortingColumn { column_idx: common::TIME as i32, descending: false, nulls_first: false };
    let mut builder = WriterProperties::builder()
        .set_created_by("mantissa".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_column_statistics_enabled(ColumnPath::from(RAW), EnabledStatistics::None)
        .set_sorting_columns(Some(vec![time_first]));
    for column in UNIQUE {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    with_bloom_filters(builder, rows).build()
}

/// Bloom filters where a column has values at all, sized by how many there may be.
fn with_bloom_filters(mut builder: WriterPropertiesBuilder, rows: &RecordBatch) -> WriterPropertiesBuilder {
    for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
        let values = column.len() - column.null_count();
        if !BLOOM.contains(&field.name().as_str()) || values == 0 {
            continue;
        }
        let distinct = if field.name() == "event_id" { values } else { values.div_ceil(8) };
        let path = ColumnPath::from(field.name().as_str());
        builder = builder
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), 0.01)
            .set_column_bloom_filter_max_ndv(path, distinct.min(GROUP_ROWS) as u64);
    }
    builder
}
