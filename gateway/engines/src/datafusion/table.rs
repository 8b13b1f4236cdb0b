//! One log table as DataFusion scans it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Statistics, project_schema};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::footers::{Footers, LocalFiles};
use super::prune::TimeRange;
use super::types::PG_TYPE;

/// The column by which files are sorted and pruned.
pub(crate) const TIME: &str = "time";

/// A committed file.
#[derive(Debug, Clone)]
pub(crate) struct TableFile {
    /// Absolute, without the leading slash.
    pub path: Arc<str>,
    pub bytes: u64,
    pub min_time: i64,
    pub max_time: i64,
}

/// A table at one moment.
#[derive(Debug)]
pub(crate) struct LakeTable {
    schema: SchemaRef,
    /// Tells apart the schemas that one file is read with over time.
    version: u64,
    files: Vec<TableFile>,
    footers: Footers,
}

impl LakeTable {
    /// `schema` is the table's, with text as the lake writes it; `raw` names the columns of JSON.
    pub(crate) fn new(schema: &Schema, json: &[&str], files: Vec<TableFile>, footers: Footers) -> Self {
        let schema = Arc::new(reading_schema(schema, json));
        let version = {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hasher = DefaultHasher::new();
            schema.hash(&mut hasher);
            hasher.finish()
        };
        Self { schema, version, files, footers }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    async fn groups(
        &self,
        range: TimeRange,
        partitions: usize,
        columns: &[usize],
    ) -> Result<(Vec<FileGroup>, Statistics)> {
        let files: Vec<&TableFile> =
            self.files.iter().filter(|file| range.touches(file.min_time, file.max_time)).collect();
        let paths: Vec<Arc<str>> = files.iter().map(|file| Arc::clone(&file.path)).collect();
        let statistics = self.footers.statistics_of(&paths, &self.schema, self.version).await?;
        let summary = summarize(&statistics, &self.schema, columns);
        let parts = files.iter().zip(statistics).map(|(file, statistics)| {
            PartitionedFile::new(file.path.to_string(), file.bytes).with_statistics(statistics)
        });
        let group = FileGroup::new(parts.collect());
        Ok((self.spread(group, partitions)?, summary))
    }

    /// Spreads files over the partitions so that each reads its files one after the other in the order of time; where
    /// files overlap too much for that, evenly.
    fn spread(&self, group: FileGroup, partitions: usize) -> Result<Vec<FileGroup>> {
        let Some(ordering) = self.ordering() else { return Ok(group.split_files(partitions)) };
        let sorted = FileScanConfig::split_groups_by_statistics_with_target_partitions(
            &self.schema,
            std::slice::from_ref(&group),
            &ordering,
            partitions,
        );
        match sorted {
            Ok(groups) if groups.len() <= partitions => Ok(groups),
            _ => Ok(group.split_files(partitions)),
        }
    }

    fn ordering(&self) -> Option<LexOrdering> {
        let index = self.schema.index_of(TIME).ok()?;
        LexOrdering::new([PhysicalSortExpr::new_default(Arc::new(Column::new(TIME, index)))])
    }
}

/// Text is read as views, which share the page's buffer; JSON columns say what they are.
fn reading_schema(schema: &Schema, json: &[&str]) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
            other => other.clone(),
        };
        let read = Field::new(field.name(), data_type, field.is_nullable());
        if json.contains(&field.name().as_str()) {
            return read.with_metadata([(PG_TYPE.to_owned(), "json".to_owned())].into());
        }
        read
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// Adds the files' statistics up, for the columns that matter.
fn summarize(files: &[Arc<Statistics>], schema: &Schema, columns: &[usize]) -> Statistics {
    let mut summary = Statistics::new_unknown(schema);
    let Some((first, rest)) = files.split_first() else {
        summary.num_rows = Precision::Exact(0);
        return summary;
    };
    summary.num_rows = rest.iter().fold(first.num_rows, |sum, file| sum.add(&file.num_rows));
    summary.total_byte_size = rest.iter().fold(first.total_byte_size, |sum, file| sum.add(&file.total_byte_size));
    for &index in columns {
        let Some(mut column) = first.column_statistics.get(index).cloned() else { continue };
        for file in rest {
            let Some(other) = file.column_statistics.get(index) else { continue };
            column.null_count = column.null_count.add(&other.null_count);
            column.min_value = column.min_value.min(&other.min_value);
            column.max_value = column.max_value.max(&other.max_value);
            column.byte_size = column.byte_size.add(&other.byte_size);
        }
        column.distinct_count = Precision::Absent;
        column.sum_value = Precision::Absent;
        summary.column_statistics[index] = column;
    }
    summary
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let columns = projection.unwrap_or(&all);
        let partitions = state.config().target_partitions();
        let (groups, statistics) = self.groups(TimeRange::of(filters, TIME), partitions, columns).await?;
        if groups.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)));
        }
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(LocalFiles { footers: self.footers.clone() }));
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_output_ordering(self.ordering().into_iter().collect())
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
