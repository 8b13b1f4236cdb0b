//! What a plan will read, from footers alone.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::ExecutionPlan;
use mantissa_query::Estimate;

use super::footers::Footers;
use super::row_groups;

/// Sums the compressed bytes of the columns and row groups that are left after pruning. Nothing is paid for local files.
pub(crate) async fn of(plan: &Arc<dyn ExecutionPlan>, footers: &Footers) -> Result<Estimate> {
    let mut bytes = 0;
    let mut rows = 0;
    for scan in scans(plan) {
        let (scan_bytes, scan_rows) = of_scan(&scan, footers).await?;
        bytes += scan_bytes;
        rows += scan_rows;
    }
    Ok(Estimate { bytes: Some(bytes), rows: Some(rows), usd: Some(0.0) })
}

struct Scan {
    files: Vec<PartitionedFile>,
    columns: HashSet<String>,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    schema: arrow::datatypes::SchemaRef,
}

fn scans(plan: &Arc<dyn ExecutionPlan>) -> Vec<Scan> {
    let mut found: Vec<Scan> = plan.children().into_iter().flat_map(scans).collect();
    let any = plan.as_ref() as &dyn std::any::Any;
    if let Some(scan) = any.downcast_ref::<DataSourceExec>().and_then(scan_of) {
        found.push(scan);
    }
    found
}

fn scan_of(exec: &DataSourceExec) -> Option<Scan> {
    let (config, source) = exec.downcast_to_file_source::<ParquetSource>()?;
    let mut columns = projected(config);
    let predicate = source.filter();
    if let Some(predicate) = &predicate {
        columns.extend(collect_columns(predicate).iter().map(|column| column.name().to_owned()));
    }
    let files = config.file_groups.iter().flat_map(|group| group.files().iter().cloned()).collect();
    Some(Scan { files, columns, predicate, schema: Arc::clone(config.file_schema()) })
}

fn projected(config: &FileScanConfig) -> HashSet<String> {
    let fields = config.file_schema().fields();
    match config.file_source().projection().map(|projection| projection.column_indices()) {
        Some(indices) => {
            indices.iter().filter_map(|index| fields.get(*index)).map(|field| field.name().clone()).collect()
        }
        None => fields.iter().map(|field| field.name().clone()).collect(),
    }
}

async fn of_scan(scan: &Scan, footers: &Footers) -> Result<(u64, u64)> {
    let mut bytes = 0;
    let mut rows = 0;
    for file in &scan.files {
        let path: Arc<str> = file.object_meta.location.as_ref().into();
        let footer = footers.of(&path).await?;
        let kept = row_groups::kept(&footer, &scan.schema, scan.predicate.as_ref());
        for (group, _) in footer.row_groups().iter().zip(kept).filter(|(_, kept)| *kept) {
            rows += u64::try_from(group.num_rows()).unwrap_or(0);
            let wanted = group
                .columns()
                .iter()
                .filter(|column| column.column_path().parts().first().is_some_and(|name| scan.columns.contains(name)));
            bytes += wanted.map(|column| u64::try_from(column.compressed_size()).unwrap_or(0)).sum::<u64>();
        }
    }
    Ok((bytes, rows))
}
