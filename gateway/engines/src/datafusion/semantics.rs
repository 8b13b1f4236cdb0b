//! Where DataFusion's operators and casts mean something else than Postgres's, the plan is changed to say what Postgres
//! means: before types are coerced ([`Operators`], where the types of operands decide the meaning) and after
//! ([`Casts`], where every implicit cast has become visible).

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ExprSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;
use sqlparser::ast::BinaryOperator;

use super::functions::udf;
use super::types;

/// Operators on dates, times and intervals.
#[derive(Debug)]
pub(crate) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let Some(function) = temporal(&expr.op, &left, &right) else { return Ok(PlannerResult::Original(expr)) };
        let RawBinaryExpr { op, left, right } = expr;
        let planned = match function {
            Temporal::Call(name) => udf(name).call(vec![left, right]),
            Temporal::Swapped(name) => udf(name).call(vec![right, left]),
            Temporal::Compare => {
                let span = |expr| udf("interval_span").call(vec![expr]);
                Expr::BinaryExpr(BinaryExpr::new(Box::new(span(left)), comparison(&op), Box::new(span(right))))
            }
        };
        Ok(PlannerResult::Planned(planned))
    }

    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(udf("extract").call(args)))
    }
}

enum Temporal {
    Call(&'static str),
    Swapped(&'static str),
    Compare,
}

fn temporal(op: &BinaryOperator, left: &DataType, right: &DataType) -> Option<Temporal> {
    use BinaryOperator as B;
    use DataType as D;
    match op {
        B::Arrow => return Some(Temporal::Call("json_get")),
        B::LongArrow => return Some(Temporal::Call("json_get_text")),
        B::HashArrow => return Some(Temporal::Call("json_path")),
        B::HashLongArrow => return Some(Temporal::Call("json_path_text")),
        _ => {}
    }
    let is_stamp = |ty: &D| matches!(ty, D::Timestamp(..));
    let is_interval = |ty: &D| matches!(ty, D::Interval(_) | D::Duration(_));
    let is_exact = |ty: &D| ty.is_decimal() || ty.is_integer();
    let is_number = |ty: &D| ty.is_numeric();
    match (op, left, right) {
        (B::Divide, l, r) if (l.is_decimal() && is_exact(r)) || (is_exact(l) && r.is_decimal()) => {
            Some(Temporal::Call("numeric_divide"))
        }
        (B::Minus, D::Date32, D::Date32) => Some(Temporal::Call("date_difference")),
        (B::Minus, l, r) if (is_stamp(l) && (is_stamp(r) || *r == D::Date32)) || (*l == D::Date32 && is_stamp(r)) => {
            Some(Temporal::Call("timestamp_difference"))
        }
        (B::Plus, D::Date32, r) if r.is_integer() => Some(Temporal::Call("date_add_days")),
        (B::Plus, l, D::Date32) if l.is_integer() => Some(Temporal::Swapped("date_add_days")),
        (B::Minus, D::Date32, r) if r.is_integer() => Some(Temporal::Call("date_subtract_days")),
        (B::Multiply, l, r) if is_interval(l) && is_number(r) => Some(Temporal::Call("interval_multiply")),
        (B::Multiply, l, r) if is_number(l) && is_interval(r) => Some(Temporal::Swapped("interval_multiply")),
        (B::Divide, l, r) if is_interval(l) && is_number(r) => Some(Temporal::Call("interval_divide")),
        (B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq, l, r) if is_interval(l) && is_interval(r) => {
            Some(Temporal::Compare)
        }
        _ => None,
    }
}

fn comparison(op: &BinaryOperator) -> Operator {
    match op {
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => Operator::Eq,
    }
}

/// Casts and arithmetic.
#[derive(Debug)]
pub(crate) struct Casts;

impl AnalyzerRule for Casts {
    fn name(&self) -> &str {
        "postgres_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let changed = plan.transform_up_with_subqueries(|plan| {
            let schema = schema_of(&plan);
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let changed = expr.transform_up(|expr| change(expr, &schema))?;
                Ok(changed.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(changed.data)
    }
}

/// What the expressions of a plan may name: its inputs' columns, or the table's own.
fn schema_of(plan: &LogicalPlan) -> DFSchema {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = plan {
        let reference = scan.table_name.clone();
        if let Ok(table) = DFSchema::try_from_qualified_schema(reference, &scan.source.schema()) {
            schema.merge(&table);
        }
    }
    schema.merge(plan.schema());
    schema
}

fn change(expr: Expr, schema: &dyn ExprSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(Cast { expr, field }) => {
            let from = expr.get_type(schema)?;
            match cast_function(&from, field.data_type()) {
                Some(CastBy::Function(name)) => Ok(Transformed::yes(udf(name).call(vec![*expr]))),
                Some(CastBy::RoundFirst) => {
                    let rounded = udf("round_to_integer").call(vec![*expr]);
                    Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(rounded), field })))
                }
                None => Ok(Transformed::no(Expr::Cast(Cast { expr, field }))),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let name = match op {
                Operator::Plus => "checked_add",
                Operator::Minus => "checked_subtract",
                Operator::Multiply => "checked_multiply",
                Operator::Divide | Operator::Modulo => "checked_divide",
                _ => return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
            };
            let (l, r) = (left.get_type(schema)?, right.get_type(schema)?);
            let is_checked = match op {
                Operator::Divide => l.is_floating() && l == r,
                Operator::Modulo => false,
                _ => l.is_integer() && l == r,
            };
            if is_checked {
                return Ok(Transformed::yes(udf(name).call(vec![*left, *right])));
            }
            Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })))
        }
        other => Ok(Transformed::no(other)),
    }
}

enum CastBy {
    Function(&'static str),
    RoundFirst,
}

fn cast_function(from: &DataType, to: &DataType) -> Option<CastBy> {
    use DataType as D;
    match (from, to) {
        (
            D::Timestamp(..)
            | D::Float32
            | D::Float64
            | D::Interval(_)
            | D::Duration(_)
            | D::Binary
            | D::BinaryView
            | D::LargeBinary
            | D::List(_)
            | D::Time64(_)
            | D::Boolean,
            to,
        ) if types::is_text(to) => Some(CastBy::Function("to_text")),
        (from, D::Timestamp(_, Some(_))) if types::is_text(from) => Some(CastBy::Function("text_to_timestamptz")),
        (from, D::Timestamp(_, None)) if types::is_text(from) => Some(CastBy::Function("text_to_timestamp")),
        (from, D::Binary) if types::is_text(from) => Some(CastBy::Function("text_to_bytea")),
        (from, D::Interval(_)) if types::is_text(from) => Some(CastBy::Function("text_to_interval")),
        (D::Float32 | D::Float64, to) if to.is_integer() => Some(CastBy::RoundFirst),
        (from, to) if from.is_decimal() && to.is_integer() => Some(CastBy::RoundFirst),
        _ => None,
    }
}

/// Rules that a session needs beside DataFusion's own.
pub(crate) fn rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    vec![Arc::new(Casts)]
}
