//! The embedded engine as the query path sees it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::TypePlanner;
use dialects::ast::Query;
use mantissa_core::{Catalog, PgType, Problem, Rows, TableKind, TableName};
use mantissa_lake::{ColumnType, Lake, Snapshot, TableSnapshot};
use mantissa_query::{Description, Engine, Estimate, ExecContext, Rendered};
use tokio_util::sync::CancellationToken;

use super::footers::Footers;
use super::session::{self, Config, PostgresTypes};
use super::statement::{OriginOf, Planned, Statement};
use super::table::{LakeTable, TableFile};
use super::tables::Tables;
use super::workers::Workers;
use super::{errors, estimate, explain};
use crate::Error;

/// The engine's name and its dialect's.
const NAME: &str = "datafusion";

/// Runs statements in this process, over a lake's files.
pub struct DataFusionEngine {
    lake: Arc<Lake>,
    dialect: &'static dyn dialects::Dialect,
    state: SessionState,
    types: Arc<dyn TypePlanner>,
    workers: Workers,
    footers: Footers,
    origin: Option<OriginOf>,
    /// The tables of the newest snapshot seen.
    tables: Mutex<Option<(u64, Arc<Tables>)>>,
}

impl DataFusionEngine {
    /// # Errors
    /// Threads or the place for spilled data that could not be had.
    pub fn new(lake: Arc<Lake>, config: &Config) -> Result<Self, Error> {
        let environment = session::environment(config)?;
        Ok(Self {
            lake,
            dialect: dialects::dialect(NAME).ok_or(Error::Dialect(NAME))?,
            state: session::state(config, environment),
            types: Arc::new(PostgresTypes),
            workers: Workers::new(config.threads)?,
            footers: Footers::new(config.footer_cache),
            origin: None,
            tables: Mutex::new(None),
        })
    }

    /// Lets result columns say which column of the catalog they are.
    pub fn with_origins(mut self, origin: OriginOf) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Tables as of now. One statement sees one snapshot throughout.
    fn tables(&self) -> Result<Arc<Tables>, Problem> {
        let snapshot = self.lake.snapshot();
        let mut kept = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, tables)) = kept.as_ref()
            && *version == snapshot.version
        {
            return Ok(Arc::clone(tables));
        }
        let tables = Arc::new(tables_of(&snapshot, &self.footers)?);
        *kept = Some((snapshot.version, Arc::clone(&tables)));
        Ok(tables)
    }

    pub(super) fn statement(
        &self,
        query: &Query,
        search_path: &[String],
        now: DateTime<Utc>,
    ) -> Result<Arc<Statement>, Problem> {
        let mut search_path = search_path.to_vec();
        if search_path.is_empty() {
            search_path.push(Catalog::LOGS.to_owned());
        }
        let types = Arc::clone(&self.types);
        Ok(Arc::new(Statement::new(query, &self.state, self.tables()?, search_path, types, now)))
    }

    pub(super) async fn describe_tree(
        &self,
        query: &Query,
        hints: &[PgType],
        search_path: &[String],
        now: DateTime<Utc>,
    ) -> Result<Description, Problem> {
        let statement = self.statement(query, search_path, now)?;
        let (fields, parameters) = statement.describe(hints, self.origin.as_ref())?;
        Ok(Description { fields: fields.into(), parameters })
    }

    /// The estimate, and the plan that it was made from.
    pub(super) async fn estimate_tree(
        &self,
        query: &Query,
        search_path: &[String],
        now: DateTime<Utc>,
        cancel: &CancellationToken,
    ) -> Result<(Estimate, Planned), Problem> {
        let statement = self.statement(query, search_path, now)?;
        let (footers, origin) = (self.footers.clone(), self.origin.clone());
        self.workers
            .run(cancel, async move {
                let planned = statement.planned(origin.as_ref()).await?;
                let estimate = estimate::of(&planned.plan, &footers).await.map_err(errors::to_problem)?;
                Ok((estimate, planned))
            })
            .await
    }

    pub(super) async fn explain_tree(
        &self,
        query: &Query,
        analyze: bool,
        search_path: &[String],
        now: DateTime<Utc>,
        cancel: &CancellationToken,
    ) -> Result<Vec<String>, Problem> {
        let statement = self.statement(query, search_path, now)?;
        self.workers.run(cancel, async move { explain::of(statement, analyze).await }).await
    }

    /// Runs `kept`, where it was planned for the same moment, schemas and snapshot, or plans anew.
    pub(super) async fn execute_tree(
        &self,
        query: &Query,
        kept: Option<&Kept>,
        search_path: &[String],
        now: DateTime<Utc>,
        cancel: &CancellationToken,
    ) -> Result<Rows, Problem> {
        let statement = self.statement(query, search_path, now)?;
        let origin = self.origin.clone();
        let kept = kept.and_then(Kept::take).filter(|planned| planned.statement.sees_what(&statement));
        let started = async move {
            let planned = match kept {
                Some(planned) => planned,
                None => statement.planned(origin.as_ref()).await?,
            };
            let rows = planned.statement.start(planned.plan)?;
            Ok((planned.fields, rows))
        };
        let (fields, rows) = self.workers.run(cancel, started).await?;
        Ok(Rows::new(fields, self.workers.stream(cancel.clone(), rows)?))
    }
}

/// The plan of an estimate, for the execution that follows. A plan runs once, so it is taken out.
pub(super) struct Kept(Mutex<Option<Planned>>);

impl Kept {
    pub(super) fn new(planned: Planned) -> Self {
        Self(Mutex::new(Some(planned)))
    }

    fn take(&self) -> Option<Planned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    #[cfg(test)]
    pub(super) fn is_taken(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

fn tables_of(snapshot: &Snapshot, footers: &Footers) -> Result<Tables, Problem> {
    let tables =
        snapshot.tables.values().map(|table| (TableName::new(Catalog::LOGS, &table.name), lake_table(table, footers)));
    let views = snapshot.catalog.tables.iter().filter(|table| matches!(table.kind, TableKind::View(_)));
    let views = views.map(|view| (view.name.clone(), view.columns.iter().map(|column| column.name.clone()).collect()));
    Tables::new(tables.collect(), views.collect()).map_err(errors::to_problem)
}

fn lake_table(table: &TableSnapshot, footers: &Footers) -> LakeTable {
    let json: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.ty == ColumnType::Json)
        .map(|column| column.name.as_str())
        .collect();
    let files = table.files.iter().filter_map(|file| {
        let path = std::path::absolute(&file.path).ok()?;
        Some(TableFile {
            path: path.to_string_lossy().trim_start_matches('/').into(),
            bytes: file.bytes,
            min_time: file.min_time,
            max_time: file.max_time,
        })
    });
    LakeTable::new(&table.schema, &json, files.collect(), footers.clone())
}

#[async_trait]
impl Engine for DataFusionEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn dialect(&self) -> &'static dyn dialects::Dialect {
        self.dialect
    }

    async fn describe(
        &self,
        query: &Rendered,
        hints: &[PgType],
        context: &ExecContext,
    ) -> Result<Description, Problem> {
        self.describe_tree(query.tree(), hints, &context.session.search_path, context.now).await
    }

    async fn estimate(&self, query: &Rendered, context: &ExecContext) -> Result<Estimate, Problem> {
        let path = &context.session.search_path;
        let (estimate, planned) = self.estimate_tree(query.tree(), path, context.now, &context.cancel).await?;
        query.keep(Arc::new(Kept::new(planned)));
        Ok(estimate)
    }

    async fn explain(&self, query: &Rendered, analyze: bool, context: &ExecContext) -> Result<Vec<String>, Problem> {
        self.explain_tree(query.tree(), analyze, &context.session.search_path, context.now, &context.cancel).await
    }

    async fn execute(&self, query: &Rendered, context: &ExecContext) -> Result<Rows, Problem> {
        let (path, kept) = (&context.session.search_path, query.kept::<Kept>());
        self.execute_tree(query.tree(), kept.as_deref(), path, context.now, &context.cancel).await
    }
}
