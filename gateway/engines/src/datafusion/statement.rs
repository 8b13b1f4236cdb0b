//! One statement on its way through the engine: planned, described, run.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::common::{ParamValues, ScalarValue, TableReference};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use dialects::ast::Query;
use futures::StreamExt;
use mantissa_core::{Field, Origin, PgType, Problem, RowStream, TableName};

use super::planning::Planner;
use super::tables::Tables;
use super::{errors, names, output, types};

/// Finds the catalog's number for a column, counted from 0, of a table.
pub type OriginOf = Arc<dyn Fn(&TableName, usize) -> Option<Origin> + Send + Sync>;

/// A statement with everything that planning it takes.
pub(crate) struct Statement {
    query: Query,
    state: SessionState,
    tables: Arc<Tables>,
    search_path: Vec<String>,
    types: Arc<dyn TypePlanner>,
    now: DateTime<Utc>,
}

/// A statement that is ready to run.
pub(crate) struct Planned {
    pub statement: Arc<Statement>,
    pub fields: Vec<Field>,
    pub plan: Arc<dyn ExecutionPlan>,
}

impl Statement {
    pub(crate) fn new(
        query: &Query,
        base: &SessionState,
        tables: Arc<Tables>,
        search_path: Vec<String>,
        types: Arc<dyn TypePlanner>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut query = query.clone();
        names::prepare(&mut query);
        let mut state = base.clone();
        state.execution_props_mut().query_execution_start_time = Some(now);
        Self { query, state, tables, search_path, types, now }
    }

    fn problem(&self, error: DataFusionError) -> Problem {
        errors::locate(errors::to_problem(error), |name| names::find_name(&self.query, name))
    }

    fn plan(&self) -> Result<LogicalPlan> {
        let planner = Planner {
            state: &self.state,
            tables: &self.tables,
            search_path: &self.search_path,
            types: Arc::clone(&self.types),
        };
        planner.plan(&self.query)
    }

    fn analyze(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        self.state.analyzer().execute_and_check(plan, self.state.config_options(), |_, _| {})
    }

    /// Columns of the result and types of the parameters.
    pub(crate) fn describe(
        &self,
        hints: &[PgType],
        origin: Option<&OriginOf>,
    ) -> Result<(Vec<Field>, Vec<PgType>), Problem> {
        let parameters = self.parameters(hints).map_err(|e| self.problem(e))?;
        let analyzed = self.plan_with_nulls(&parameters).and_then(|plan| self.analyze(plan));
        let plan = analyzed.map_err(|e| self.problem(e))?;
        Ok((self.fields(&plan, origin), parameters))
    }

    fn plan_with_nulls(&self, parameters: &[PgType]) -> Result<LogicalPlan> {
        let plan = self.plan()?;
        if parameters.is_empty() {
            return Ok(plan);
        }
        let nulls = parameters.iter().map(|ty| match types::to_arrow(*ty) {
            Some(arrow) => types::null_of(&arrow).into(),
            None => ScalarValue::Utf8View(None).into(),
        });
        plan.with_param_values(ParamValues::List(nulls.collect()))
    }

    /// The type of each `$n`: what the client declared, else what the place asks for, else text.
    fn parameters(&self, hints: &[PgType]) -> Result<Vec<PgType>> {
        let count = dialects::parameter_count(&self.query).max(hints.len());
        if count == 0 {
            return Ok(Vec::new());
        }
        let inferred: HashMap<String, _> = self.plan()?.get_parameter_types()?;
        let placed = names::typed_parameters(&self.query);
        let of_place = |number: usize| {
            let (_, sql_type) = placed.iter().find(|(placed, _)| *placed == number)?;
            match self.types.plan_type_field(sql_type) {
                Ok(Some(field)) => Some(types::of_field(&field).0),
                _ => PgType::by_name(&sql_type.to_string().to_lowercase()),
            }
        };
        let types = (1..=count).map(|number| {
            let declared = hints.get(number - 1).copied().filter(|ty| ty.0 != 0 && *ty != PgType::UNKNOWN);
            let from_plan = || inferred.get(&format!("${number}")).cloned().flatten().map(|ty| types::of_arrow(&ty));
            declared.or_else(|| of_place(number)).or_else(from_plan).unwrap_or(PgType::TEXT)
        });
        Ok(types.collect())
    }

    fn fields(&self, plan: &LogicalPlan, origin: Option<&OriginOf>) -> Vec<Field> {
        let schema = plan.schema();
        let fields = schema.fields().iter().enumerate().map(|(index, field)| {
            let (ty, typmod) = types::of_field(field);
            let origin = origin.and_then(|origin| {
                let (table, column) = column_of(plan, index)?;
                origin(&self.tables.resolve(table.schema(), table.table(), &self.search_path)?, column)
            });
            Field { name: dialects::plain_column_name(field.name()).to_owned(), ty, typmod, origin }
        });
        fields.collect()
    }

    /// Whether the statement's tables, schemas and moment are those of `other`.
    pub(crate) fn sees_what(&self, other: &Statement) -> bool {
        Arc::ptr_eq(&self.tables, &other.tables) && self.search_path == other.search_path && self.now == other.now
    }

    /// The plan as it will run, with the fields it gives.
    pub(crate) async fn planned(self: Arc<Self>, origin: Option<&OriginOf>) -> Result<Planned, Problem> {
        let (fields, plan) = self.physical_plan(origin).await.map_err(|e| self.problem(e))?;
        Ok(Planned { statement: self, fields, plan })
    }

    async fn physical_plan(&self, origin: Option<&OriginOf>) -> Result<(Vec<Field>, Arc<dyn ExecutionPlan>)> {
        let plan = self.analyze(self.plan()?)?;
        let fields = self.fields(&plan, origin);
        let optimized = self.state.optimizer().optimize(plan, &self.state, |_, _| {})?;
        let physical = self.state.query_planner().create_physical_plan(&optimized, &self.state).await?;
        Ok((fields, physical))
    }

    /// Starts the plan; nothing is computed before the first batch is asked for.
    pub(crate) fn start(&self, plan: Arc<dyn ExecutionPlan>) -> Result<RowStream, Problem> {
        let stream = execute_stream(plan, self.state.task_ctx()).map_err(errors::to_problem)?;
        Ok(rows_of(stream))
    }
}

fn rows_of(stream: SendableRecordBatchStream) -> RowStream {
    let output = output::Output::new(&stream.schema());
    let batches = stream.map(move |batch| {
        let batch = batch.map_err(errors::to_problem)?;
        output.apply(batch).map_err(|e| errors::to_problem(e.into()))
    });
    Box::pin(batches)
}

/// The table and column that an output column is, where it is one and nothing else.
fn column_of(plan: &LogicalPlan, index: usize) -> Option<(&TableReference, usize)> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let column = column_in(projection.expr.get(index)?)?;
            column_of(&projection.input, projection.input.schema().maybe_index_of_column(column)?)
        }
        LogicalPlan::SubqueryAlias(alias) => column_of(&alias.input, index),
        LogicalPlan::Filter(filter) => column_of(&filter.input, index),
        LogicalPlan::Sort(sort) => column_of(&sort.input, index),
        LogicalPlan::Limit(limit) => column_of(&limit.input, index),
        LogicalPlan::Distinct(Distinct::All(input)) => column_of(input, index),
        LogicalPlan::Join(join) => match index.checked_sub(join.left.schema().fields().len()) {
            None => column_of(&join.left, index),
            Some(index) => column_of(&join.right, index),
        },
        LogicalPlan::TableScan(scan) => {
            let column = match &scan.projection {
                Some(projection) => *projection.get(index)?,
                None => index,
            };
            Some((&scan.table_name, column))
        }
        _ => None,
    }
}

fn column_in(expr: &Expr) -> Option<&datafusion::common::Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => column_in(&alias.expr),
        _ => None,
    }
}
