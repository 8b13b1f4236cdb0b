//! From a syntax tree to DataFusion's logical plan.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableFunctionArgs;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, LogicalPlanBuilder, ScalarUDF, TableSource, Union, WindowUDF,
};
use datafusion::logical_expr::{ExprSchemable, WindowFunctionDefinition};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use dialects::ast::{Query, Statement};
use mantissa_core::{ErrorKind, Problem};

use super::fault::problem;
use super::tables::Tables;

/// What one statement is planned against.
pub(crate) struct Planner<'a> {
    pub state: &'a SessionState,
    pub tables: &'a Tables,
    pub search_path: &'a [String],
    pub types: Arc<dyn TypePlanner>,
}

impl Planner<'_> {
    /// Plans a tree. Types are not coerced yet.
    pub(crate) fn plan(&self, query: &Query) -> Result<LogicalPlan> {
        let sql = &self.state.config_options().sql_parser;
        let options = ParserOptions {
            parse_float_as_decimal: sql.parse_float_as_decimal,
            enable_ident_normalization: sql.enable_ident_normalization,
            support_varchar_with_length: sql.support_varchar_with_length,
            map_string_types_to_utf8view: sql.map_string_types_to_utf8view,
            collect_spans: sql.collect_spans,
            default_null_ordering: sql.default_null_ordering.as_str().into(),
            ..ParserOptions::default()
        };
        let plan = SqlToRel::new_with_options(self, options)
            .sql_statement_to_plan(Statement::Query(Box::new(query.clone())))?;
        narrow_integers(plan)
    }
}

/// Gives integer literals the type that Postgres gives them: int4 where they fit. DataFusion makes all of them int8.
fn narrow_integers(plan: LogicalPlan) -> Result<LogicalPlan> {
    let narrowed = plan.transform_up_with_subqueries(|plan| {
        if matches!(plan, LogicalPlan::Limit(_)) {
            return Ok(Transformed::no(plan));
        }
        let names = NamePreserver::new(&plan);
        let inputs = merge_schema(&plan.inputs());
        let changed = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let changed =
                narrow(expr)?.transform_data(|expr| expr.transform_up(|expr| exact_aggregate(expr, &inputs)))?;
            Ok(changed.update_data(|expr| name.restore(expr)))
        })?;
        changed.map_data(retype)
    })?;
    Ok(narrowed.data)
}

/// Scale at which averages are summed; DataFusion adds four decimals to it.
const AVERAGED: DataType = DataType::Decimal128(34, 13);

/// Sums of int8 and averages of exact numbers are numeric, so that they neither overflow nor round.
fn exact_aggregate(expr: Expr, inputs: &DFSchema) -> Result<Transformed<Expr>> {
    let (name, args) = match &expr {
        Expr::AggregateFunction(call) => (call.func.name(), &call.params.args),
        Expr::WindowFunction(call) => match &call.fun {
            WindowFunctionDefinition::AggregateUDF(function) => (function.name(), &call.params.args),
            WindowFunctionDefinition::WindowUDF(_) => return Ok(Transformed::no(expr)),
        },
        _ => return Ok(Transformed::no(expr)),
    };
    let Some(Ok(ty)) = args.first().map(|arg| arg.get_type(inputs)) else { return Ok(Transformed::no(expr)) };
    let exact = match (name, &ty) {
        ("sum", DataType::Int64) => DataType::Decimal128(20, 0),
        ("avg", ty) if ty.is_integer() => AVERAGED,
        ("avg", DataType::Decimal128(_, scale)) if *scale < 13 => AVERAGED,
        _ => return Ok(Transformed::no(expr)),
    };
    let widen = |args: &mut Vec<Expr>| {
        for arg in args.iter_mut().take(1) {
            *arg = datafusion::logical_expr::cast(std::mem::take(arg), exact.clone());
        }
    };
    let mut expr = expr;
    match &mut expr {
        Expr::AggregateFunction(call) => widen(&mut call.params.args),
        Expr::WindowFunction(call) => widen(&mut call.params.args),
        _ => {}
    }
    Ok(Transformed::yes(expr))
}

/// Takes up the types that expressions and inputs have now.
fn retype(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Values(values) => LogicalPlanBuilder::values(values.values)?.build(),
        LogicalPlan::Union(union) => Ok(LogicalPlan::Union(Union::try_new_with_loose_types(union.inputs)?)),
        other => other.recompute_schema(),
    }
}

fn narrow(expr: Expr) -> Result<Transformed<Expr>> {
    expr.transform_down(|expr| match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) => Ok(match i32::try_from(value) {
            Ok(value) => Transformed::yes(Expr::Literal(ScalarValue::Int32(Some(value)), metadata)),
            Err(_) => Transformed::no(Expr::Literal(ScalarValue::Int64(Some(value)), metadata)),
        }),
        // Their constant arguments are read by position and type while planning.
        Expr::WindowFunction(_) => {
            Ok(Transformed::new(expr, false, datafusion::common::tree_node::TreeNodeRecursion::Jump))
        }
        other => Ok(Transformed::no(other)),
    })
}

impl ContextProvider for Planner<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let found = self.tables.get(name.schema(), name.table(), self.search_path);
        found.cloned().ok_or_else(|| {
            let written = match name.schema() {
                Some(schema) => format!("{schema}.{}", name.table()),
                None => name.table().to_owned(),
            };
            problem(Problem::new(ErrorKind::UndefinedTable, format!("relation \"{written}\" does not exist")))
        })
    }

    fn get_table_function_source(&self, name: &str, args: Vec<Expr>) -> Result<Arc<dyn TableSource>> {
        let function = self.state.table_functions().get(name).ok_or_else(|| {
            problem(Problem::new(ErrorKind::UndefinedFunction, format!("function {name} does not exist")))
        })?;
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(self.state.config_options()))
            .with_query_execution_start_time(self.state.execution_props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(context);
        let schema = DFSchema::empty();
        let simplify = |arg| simplifier.coerce(arg, &schema).and_then(|arg| simplifier.simplify(arg));
        let args = args.into_iter().map(simplify).collect::<Result<Vec<_>>>()?;
        let provider = function.create_table_provider_with_args(TableFunctionArgs::new(&args, self.state))?;
        Ok(provider_as_source(provider))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        self.state.relation_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::clone(&self.types))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
