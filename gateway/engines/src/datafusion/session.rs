//! DataFusion's configuration and everything that is registered with it.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::config::Dialect;
use datafusion::error::Result;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::planner::{ExprPlanner, TypePlanner};
use datafusion::prelude::SessionConfig;
use mantissa_core::PgType;

use super::{functions, semantics, types};
use crate::Error;

/// What the embedded engine may use of the machine.
#[derive(Debug, Clone)]
pub struct Config {
    /// Threads that queries run on, and partitions that a query is split into.
    pub threads: usize,
    /// Bytes that all running queries share for sorts, joins and aggregates. Beyond it they spill to disk; what cannot
    /// spill fails with SQLSTATE 53200.
    pub memory_limit: usize,
    /// Where they spill to; the system's own place for temporary files by default.
    pub spill_directory: Option<PathBuf>,
    /// Bytes on disk that all running queries share for spilling.
    pub spill_limit: u64,
    /// Bytes of memory for Parquet footers.
    pub footer_cache: u64,
    /// Rows of one Arrow batch.
    pub batch_size: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            memory_limit: 2 << 30,
            spill_directory: None,
            spill_limit: 20 << 30,
            footer_cache: 256 << 20,
            batch_size: 8192,
        }
    }
}

/// Consumers that an out-of-memory error names in the log.
const NAMED_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(4);

pub(crate) fn environment(config: &Config) -> Result<Arc<RuntimeEnv>, Error> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(config.memory_limit), NAMED_CONSUMERS);
    let mode = match &config.spill_directory {
        Some(directory) => DiskManagerMode::Directories(vec![directory.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let disk = DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(config.spill_limit);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(Error::Environment)
}

/// The state that every statement starts from.
pub(crate) fn state(config: &Config, environment: Arc<RuntimeEnv>) -> SessionState {
    let mut state = SessionStateBuilder::new()
        .with_config(session_config(config))
        .with_runtime_env(environment)
        .with_default_features()
        .with_type_planner(Arc::new(PostgresTypes))
        .with_expr_planners(expr_planners())
        .build();
    functions::register(&mut state);
    for rule in semantics::rules() {
        state.add_analyzer_rule(rule);
    }
    state
}

/// This engine's meaning of an operator comes before DataFusion's.
fn expr_planners() -> Vec<Arc<dyn ExprPlanner>> {
    let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(semantics::Operators)];
    planners.extend(SessionStateDefaults::default_expr_planners());
    planners
}

fn session_config(config: &Config) -> SessionConfig {
    let mut session = SessionConfig::new()
        .with_target_partitions(config.threads)
        .with_batch_size(config.batch_size.max(1))
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false);
    let options = session.options_mut();
    options.execution.time_zone = Some(types::UTC.to_owned());
    options.execution.collect_statistics = true;
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.parquet.enable_page_index = true;
    options.execution.parquet.bloom_filter_on_read = true;
    options.execution.parquet.schema_force_view_types = true;
    options.sql_parser.dialect = Dialect::PostgreSQL;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = true;
    options.sql_parser.support_varchar_with_length = true;
    session
}

/// Types that a statement names, as this engine holds them.
#[derive(Debug)]
pub(crate) struct PostgresTypes;

impl TypePlanner for PostgresTypes {
    fn plan_type_field(&self, sql_type: &sqlparser::ast::DataType) -> Result<Option<FieldRef>> {
        use arrow::datatypes::{DataType, Field};
        use sqlparser::ast::{DataType as Sql, ExactNumberInfo, TimezoneInfo};
        let plain = |data_type: DataType| Ok(Some(Arc::new(Field::new("", data_type, true))));
        match sql_type {
            Sql::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => plain(types::timestamptz()),
            Sql::Timestamp(..) => plain(types::timestamp()),
            Sql::Time(..) => plain(DataType::Time64(arrow::datatypes::TimeUnit::Microsecond)),
            Sql::Numeric(ExactNumberInfo::None) | Sql::Decimal(ExactNumberInfo::None) => {
                plain(DataType::Decimal128(38, 10))
            }
            Sql::JSON | Sql::JSONB => named("json", DataType::Utf8View),
            Sql::Uuid => named("uuid", DataType::Utf8View),
            Sql::Bytea => plain(DataType::Binary),
            Sql::Custom(name, arguments) if arguments.is_empty() => {
                let name = name.0.last().map(ToString::to_string).unwrap_or_default().to_lowercase();
                match PgType::by_name(&name) {
                    Some(ty @ (PgType::INET | PgType::CIDR | PgType::MACADDR | PgType::NAME)) => {
                        named(&ty.name(), DataType::Utf8View)
                    }
                    Some(ty) => types::to_arrow(ty).map_or(Ok(None), plain),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }
}

fn named(pg_type: &str, data_type: arrow::datatypes::DataType) -> Result<Option<FieldRef>> {
    let metadata = [(types::PG_TYPE.to_owned(), pg_type.to_owned())];
    Ok(Some(Arc::new(arrow::datatypes::Field::new("", data_type, true).with_metadata(metadata.into()))))
}
