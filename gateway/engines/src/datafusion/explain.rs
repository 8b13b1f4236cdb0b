//! A plan in the shape of Postgres's EXPLAIN.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use futures::TryStreamExt;
use mantissa_core::Problem;

use super::statement::{Planned, Statement};

/// A row's width where nothing is known of it.
const WIDTH: usize = 32;

/// Postgres's cost of reading a row, so that figures have its order of magnitude.
const COST_PER_ROW: f64 = 0.01;

pub(crate) async fn of(statement: Arc<Statement>, analyze: bool) -> Result<Vec<String>, Problem> {
    let Planned { statement, plan, .. } = statement.planned(None).await?;
    let mut footer = Vec::new();
    if analyze {
        let started = std::time::Instant::now();
        let batches = statement.start(Arc::clone(&plan))?;
        let rows = batches.try_fold(0, |rows, batch| async move { Ok(rows + batch.num_rows()) }).await?;
        footer.push(format!("Result Rows: {rows}"));
        footer.push(format!("Execution Time: {:.3} ms", started.elapsed().as_secs_f64() * 1_000.0));
    }
    let mut lines = Vec::new();
    describe(&plan, 0, analyze, &mut lines);
    lines.extend(footer);
    Ok(lines)
}

fn describe(plan: &Arc<dyn ExecutionPlan>, depth: usize, analyze: bool, lines: &mut Vec<String>) {
    let rows = rows_of(plan);
    let width = plan.schema().fields().iter().map(|field| width_of(field.data_type())).sum::<usize>();
    let cost = cost_of(plan);
    let actual = if analyze { actual_of(plan) } else { String::new() };
    let arrow = if depth == 0 { String::new() } else { format!("{}->  ", "  ".repeat(depth * 3 - 2)) };
    lines.push(format!("{arrow}{} (cost=0.00..{cost:.2} rows={rows} width={width}){actual}", name_of(plan)));
    let indent = " ".repeat(depth * 6 + 2);
    for detail in details_of(plan) {
        lines.push(format!("{indent}{detail}"));
    }
    for child in plan.children() {
        describe(child, depth + 1, analyze, lines);
    }
}

fn rows_of(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let statistics = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new());
    match statistics.map(|statistics| statistics.num_rows) {
        Ok(Precision::Exact(rows) | Precision::Inexact(rows)) => rows,
        _ => plan.children().into_iter().map(rows_of).max().unwrap_or(1),
    }
}

fn cost_of(plan: &Arc<dyn ExecutionPlan>) -> f64 {
    let below: f64 = plan.children().into_iter().map(cost_of).sum();
    below + (rows_of(plan) as f64).max(1.0) * COST_PER_ROW
}

fn width_of(data_type: &arrow::datatypes::DataType) -> usize {
    data_type.primitive_width().unwrap_or(WIDTH)
}

fn actual_of(plan: &Arc<dyn ExecutionPlan>) -> String {
    let Some(metrics) = plan.metrics() else { return String::new() };
    let rows = metrics.output_rows().unwrap_or(0);
    let time = metrics.elapsed_compute().map_or(0.0, |nanos| nanos as f64 / 1e6);
    format!(" (actual time=0.000..{time:.3} rows={rows} loops=1)")
}

/// The node's name as Postgres would call what it does.
fn name_of(plan: &Arc<dyn ExecutionPlan>) -> String {
    match plan.name() {
        "AggregateExec" => "HashAggregate".to_owned(),
        "SortExec" => "Sort".to_owned(),
        "SortPreservingMergeExec" => "Gather Merge".to_owned(),
        "CoalescePartitionsExec" => "Gather".to_owned(),
        "HashJoinExec" => "Hash Join".to_owned(),
        "NestedLoopJoinExec" | "CrossJoinExec" => "Nested Loop".to_owned(),
        "SortMergeJoinExec" => "Merge Join".to_owned(),
        "FilterExec" => "Filter".to_owned(),
        "ProjectionExec" => "Result".to_owned(),
        "GlobalLimitExec" | "LocalLimitExec" => "Limit".to_owned(),
        "UnionExec" | "InterleaveExec" => "Append".to_owned(),
        "DataSourceExec" => "Parquet Scan".to_owned(),
        "EmptyExec" | "PlaceholderRowExec" => "Result".to_owned(),
        "BoundedWindowAggExec" | "WindowAggExec" => "WindowAgg".to_owned(),
        "RepartitionExec" => "Redistribute".to_owned(),
        other => other.trim_end_matches("Exec").to_owned(),
    }
}

/// What a node works by. File names stay inside.
fn details_of(plan: &Arc<dyn ExecutionPlan>) -> Vec<String> {
    struct Show<'a>(&'a dyn ExecutionPlan);
    impl std::fmt::Display for Show<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt_as(DisplayFormatType::Default, f)
        }
    }
    let text = Show(plan.as_ref()).to_string();
    if plan.name() != "DataSourceExec" {
        let detail = text.split_once(": ").map(|(_, detail)| detail.to_owned());
        return detail.into_iter().filter(|detail| !detail.is_empty()).collect();
    }
    let part = |key: &str, label: &str| {
        let (_, rest) = text.split_once(&format!("{key}="))?;
        let end = [
            "], ",
            ", file_type",
            ", limit=",
            ", predicate=",
            ", pruning_predicate=",
            ", required_guarantees",
            ", output_ordering",
        ]
        .iter()
        .filter_map(|stop| rest.find(stop).map(|at| if *stop == "], " { at + 1 } else { at }))
        .min();
        Some(format!("{label}: {}", &rest[..end.unwrap_or(rest.len())]))
    };
    let files = text.split_once("file_groups={").and_then(|(_, rest)| {
        let groups = rest.split_once('}')?.0;
        Some(format!("Files: {}", groups.matches(".parquet").count()))
    });
    [files, part("projection", "Columns"), part("predicate", "Filter"), part("limit", "Limit")]
        .into_iter()
        .flatten()
        .collect()
}
