//! Parquet files as they are opened, and what their footers say.
//!
//! Lake files never change, so a footer is read once and kept, and so are the statistics made of it.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use moka::future::Cache;

use crate::Error;

/// Footers read at once.
const READ_AHEAD: usize = 16;

/// Footers by file, shared by every query.
#[derive(Debug, Clone)]
pub(crate) struct Footers {
    metadata: Cache<Arc<str>, Arc<ParquetMetaData>>,
    statistics: Cache<(Arc<str>, u64), Arc<Statistics>>,
}

impl Footers {
    /// `limit` is in bytes of memory, for all footers together.
    pub(crate) fn new(limit: u64) -> Self {
        let weigh =
            |_: &Arc<str>, footer: &Arc<ParquetMetaData>| u32::try_from(footer.memory_size()).unwrap_or(u32::MAX);
        Self {
            metadata: Cache::builder().max_capacity(limit).weigher(weigh).build(),
            statistics: Cache::builder().max_capacity(100_000).build(),
        }
    }

    /// The footer with its page index.
    pub(crate) async fn of(&self, path: &Arc<str>) -> Result<Arc<ParquetMetaData>> {
        let read = async {
            let path = PathBuf::from(format!("/{path}"));
            let task = tokio::task::spawn_blocking(move || read_footer(path));
            task.await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?
        };
        self.metadata.try_get_with(Arc::clone(path), read).await.map_err(DataFusionError::Shared)
    }

    /// Rows, minima, maxima and null counts of a file in terms of `schema`, whose identity is `version`.
    async fn statistics(&self, path: &Arc<str>, schema: &SchemaRef, version: u64) -> Result<Arc<Statistics>> {
        let read = async {
            let footer = self.of(path).await?;
            Ok::<_, DataFusionError>(Arc::new(DFParquetMetadata::statistics_from_parquet_metadata(&footer, schema)?))
        };
        let key = (Arc::clone(path), version);
        self.statistics.try_get_with(key, read).await.map_err(DataFusionError::Shared)
    }

    /// The statistics of many files, in their order.
    pub(crate) async fn statistics_of(
        &self,
        paths: &[Arc<str>],
        schema: &SchemaRef,
        version: u64,
    ) -> Result<Vec<Arc<Statistics>>> {
        // Owned, so that the future does not depend on the lifetime of each path.
        let reads = paths.iter().cloned().map(|path| {
            let (footers, schema) = (self.clone(), Arc::clone(schema));
            async move { footers.statistics(&path, &schema, version).await }
        });
        stream::iter(reads).buffered(READ_AHEAD).try_collect().await
    }
}

fn read_footer(path: PathBuf) -> Result<Arc<ParquetMetaData>> {
    let file = open(&path)?;
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
    reader.try_parse(&file)?;
    Ok(Arc::new(reader.finish()?))
}

fn open(path: &std::path::Path) -> Result<File> {
    File::open(path).map_err(|source| {
        DataFusionError::External(Box::new(Error::LakeFile { path: path.display().to_string(), source }))
    })
}

/// Opens local files for the scan. Reads happen in place: they are short, mostly served by the page cache, and run on the
/// engine's own threads.
#[derive(Debug)]
pub(crate) struct LocalFiles {
    pub footers: Footers,
}

impl ParquetFileReaderFactory for LocalFiles {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let path: Arc<str> = file.object_meta.location.as_ref().into();
        let bytes_scanned = MetricBuilder::new(metrics).counter("bytes_scanned", partition_index);
        Ok(Box::new(LocalFile { path, file: None, footers: self.footers.clone(), bytes_scanned }))
    }
}

struct LocalFile {
    path: Arc<str>,
    file: Option<File>,
    footers: Footers,
    bytes_scanned: Count,
}

impl LocalFile {
    fn read(&mut self, range: &Range<u64>) -> Result<bytes::Bytes, ParquetError> {
        if self.file.is_none() {
            self.file =
                Some(open(&PathBuf::from(format!("/{}", self.path))).map_err(|e| ParquetError::External(Box::new(e)))?);
        }
        let Some(file) = &self.file else { return Err(ParquetError::General("file is not open".to_owned())) };
        let length = usize::try_from(range.end.saturating_sub(range.start))?;
        let mut buffer = vec![0; length];
        file.read_exact_at(&mut buffer, range.start).map_err(|e| ParquetError::External(Box::new(e)))?;
        self.bytes_scanned.add(length);
        Ok(buffer.into())
    }
}

impl AsyncFileReader for LocalFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<bytes::Bytes, ParquetError>> {
        futures::future::ready(self.read(&range)).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<bytes::Bytes>, ParquetError>> {
        futures::future::ready(ranges.iter().map(|range| self.read(range)).collect()).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async { self.footers.of(&self.path).await.map_err(|e| ParquetError::External(Box::new(e))) }.boxed()
    }
}
