//! The one path of a reading statement: parameters, guard, estimate, render, engine, rows.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use dialects::ast;
use futures::StreamExt;
use mantissa_core::{Catalog, ErrorKind, PgType, Problem, Rows, Value};
use mantissa_guard::{Approved, Bounds};

use crate::audit::Record;
use crate::engine::{Description, Engine, Estimate, ExecContext, Rendered};
use crate::outcome::{Notice, Prepared, Result};
use crate::session::Session;
use crate::statement::{Explain, ExplainFormat, ExplainTarget};
use crate::stream::{Leash, Leashed};
use crate::values;

/// Schemas that the system engine answers for.
const SYSTEM_SCHEMAS: &[&str] = &["pg_catalog", "information_schema", "mantissa"];

/// Who answers a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Lake,
    System,
    /// No table at all: the system engine, or the lake's where the system engine lacks a function.
    Either,
}

/// A statement that is ready for its engine.
struct Planned {
    approved: Approved,
    rendered: Rendered,
    engine: Arc<dyn Engine>,
}

impl Session {
    /// Result columns and parameter types of a query.
    pub(crate) async fn describe_query(
        &mut self,
        query: &ast::Query,
        types: &[PgType],
        text: &str,
    ) -> Result<Description> {
        let leash = self.leash(text);
        let mut query = self.with_questions_answered(query.clone())?;
        let count = dialects::parameter_count(&query).max(types.len());
        let limits = values::take_limit_parameters(&mut query);
        let context = self.context(&leash);
        let mut last = None;
        for planned in self.plan(query, self.bounds(false))? {
            let described = planned.engine.describe(&planned.rendered, types, &context);
            match leash.hold(described).await {
                Ok(mut description) => {
                    settle_parameters(&mut description.parameters, types, count, &limits);
                    return Ok(description);
                }
                Err(problem) if is_missing(&problem) => last = last.or(Some(problem)),
                Err(problem) => return Err(problem),
            }
        }
        Err(last.unwrap_or_else(|| Problem::new(ErrorKind::Internal, "no engine describes this statement")))
    }

    /// Runs a query. The rows are leashed: cancellable, timed, capped and audited.
    pub(crate) async fn run_query(&mut self, query: &ast::Query, prepared: &Prepared, values: &[Value]) -> Result<Rows> {
        let record = self.record(&prepared.text, None).await?;
        let bounds = self.bounds(false);
        self.run_bound(query.clone(), prepared.parameters(), values, &prepared.text, bounds, record).await
    }

    pub(crate) async fn run_bound(
        &mut self,
        mut query: ast::Query,
        types: &[PgType],
        values: &[Value],
        text: &str,
        bounds: Bounds,
        mut record: Record,
    ) -> Result<Rows> {
        let leash = self.leash(text);
        let outcome = match self.bind(&mut query, types, values) {
            Ok(()) => self.start(query, bounds, &leash, &mut record).await,
            Err(problem) => Err(problem),
        };
        match outcome {
            Ok((rows, ceiling)) => {
                let fields = Arc::clone(&rows.fields);
                let leashed = Leashed::new(rows.batches, leash, ceiling, Arc::clone(&self.notices), record);
                Ok(Rows::new(fields, Box::pin(leashed)))
            }
            Err(problem) => {
                record.failed(&problem);
                Err(problem)
            }
        }
    }

    async fn start(
        &mut self,
        query: ast::Query,
        bounds: Bounds,
        leash: &Leash,
        record: &mut Record,
    ) -> Result<(Rows, u64)> {
        let query = self.with_questions_answered(query)?;
        let context = self.context(leash);
        let mut last = None;
        for planned in self.plan(query, bounds)? {
            record.reads(planned.approved.tables(), planned.engine.name());
            let estimate = leash.hold(planned.engine.estimate(&planned.rendered, &context)).await;
            let estimate = match estimate {
                Ok(estimate) => estimate,
                Err(problem) if is_missing(&problem) => {
                    last = last.or(Some(problem));
                    continue;
                }
                Err(problem) => return Err(problem),
            };
            record.estimated(estimate);
            self.check_cost(&planned.approved, estimate)?;
            match leash.hold(planned.engine.execute(&planned.rendered, &context)).await {
                Ok(rows) => {
                    let rows = self.first_batch(rows, leash).await?;
                    return Ok((rows, planned.approved.max_rows()));
                }
                Err(problem) if is_missing(&problem) => last = last.or(Some(problem)),
                Err(problem) => return Err(problem),
            }
        }
        Err(last.unwrap_or_else(|| Problem::new(ErrorKind::Internal, "no engine answers this statement")))
    }

    /// System rows are there at once: functions with an effect on the session (`set_config`) have run when they are.
    async fn first_batch(&mut self, mut rows: Rows, leash: &Leash) -> Result<Rows> {
        if rows.fields.is_empty() {
            return Ok(rows);
        }
        let first = leash.hold(async { rows.batches.next().await.transpose() }).await?;
        self.apply_effects();
        let rest = rows.batches;
        let first: Option<Result<RecordBatch>> = first.map(Ok);
        Ok(Rows::new(rows.fields, futures::stream::iter(first).chain(rest).boxed()))
    }

    /// The statement for each engine that may answer it, best first.
    fn plan(&self, mut query: ast::Query, bounds: Bounds) -> Result<Vec<Planned>> {
        dialects::freeze_now(&mut query, dialects::Instant(self.now().timestamp_micros()));
        let catalog = self.gateway.parts.catalog.current();
        let search_path = self.search_path();
        let system = &self.gateway.parts.system;
        let lake = &self.database.engine;
        let route = route(&query, &catalog, &search_path)?;
        let mut plans = Vec::with_capacity(2);
        if route != Route::Lake {
            let approved = mantissa_guard::check_system(query.clone(), &self.identity, &bounds)?;
            plans.push(planned(approved, system)?);
        }
        if route != Route::System {
            match mantissa_guard::check(query, &self.identity, &catalog, &search_path, &bounds)
                .and_then(|approved| planned(approved, lake))
            {
                Ok(plan) => plans.push(plan),
                // The system engine may still know what the guard does not let through to the lake.
                Err(_) if route == Route::Either => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(plans)
    }

    fn bind(&self, query: &mut ast::Query, types: &[PgType], values: &[Value]) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        let text = PgType::TEXT;
        let literals = values
            .iter()
            .enumerate()
            .map(|(index, value)| values::literal(value, types.get(index).copied().unwrap_or(text)))
            .collect::<Result<Vec<_>>>()?;
        dialects::bind_parameters(query, &literals).map_err(mantissa_guard::problem)?;
        values::plain_limits(query);
        Ok(())
    }

    pub(crate) fn bounds(&self, asked: bool) -> Bounds {
        let mut max_rows = self.settings.integer("mantissa.max_rows").max(1) as u64;
        if asked {
            max_rows = max_rows.min(self.settings.integer("mantissa.ask_rows").max(1) as u64);
        }
        Bounds { max_rows: Some(max_rows), ..Bounds::default() }
    }

    pub(crate) fn context(&mut self, leash: &Leash) -> ExecContext {
        ExecContext {
            identity: Arc::clone(&self.identity),
            now: self.now(),
            cancel: leash.statement.clone(),
            session: self.view(),
        }
    }

    fn check_cost(&self, approved: &Approved, estimate: Estimate) -> Result<()> {
        let Some(usd) = estimate.usd.filter(|usd| *usd > approved.max_usd()) else { return Ok(()) };
        let ceiling = approved.max_usd();
        let message = format!("this statement would cost about {usd:.2} USD, more than your ceiling of {ceiling:.2} USD");
        Err(Problem::new(ErrorKind::CostLimitExceeded, message)
            .hint("Narrow the time range or name fewer columns; an administrator can raise the ceiling of your role."))
    }

    pub(crate) async fn run_explain(
        &mut self,
        explain: &Explain,
        prepared: &Prepared,
        values: &[Value],
    ) -> Result<Rows> {
        let record = self.record(&prepared.text, None).await?;
        let lines = match &explain.target {
            ExplainTarget::Ask(question) => self.explain_ask(question, &prepared.text).await,
            ExplainTarget::Query(query) => {
                self.explain_query(explain, (**query).clone(), prepared, values).await
            }
        };
        match lines {
            Ok(lines) => {
                record.succeeded();
                explain_rows(lines, explain.format)
            }
            Err(problem) => {
                record.failed(&problem);
                Err(problem)
            }
        }
    }

    async fn explain_query(
        &mut self,
        explain: &Explain,
        mut query: ast::Query,
        prepared: &Prepared,
        values: &[Value],
    ) -> Result<Vec<String>> {
        self.bind(&mut query, prepared.parameters(), values)?;
        let leash = self.leash(&prepared.text);
        let query = self.with_questions_answered(query)?;
        let context = self.context(&leash);
        let plans = self.plan(query, self.bounds(false))?;
        if let Some(name) = &explain.dialect {
            let dialect = dialects::dialect(name).ok_or_else(|| unknown_dialect(name))?;
            let planned = plans.last().ok_or_else(|| Problem::new(ErrorKind::Internal, "no plan"))?;
            let rendering = dialect.render(planned.approved.query()).map_err(mantissa_guard::problem)?;
            return Ok(rendering.sql.lines().map(str::to_owned).collect());
        }
        let mut last = None;
        for planned in plans {
            match leash.hold(planned.engine.explain(&planned.rendered, explain.analyze, &context)).await {
                Ok(lines) => return Ok(lines),
                Err(problem) if is_missing(&problem) => last = last.or(Some(problem)),
                Err(problem) => return Err(problem),
            }
        }
        Err(last.unwrap_or_else(|| Problem::new(ErrorKind::Internal, "no engine explains this statement")))
    }

    /// What `EXPLAIN ASK` and the NOTICE of an ASK say about a query: the engine's SQL and the estimate.
    pub(crate) async fn preview(&mut self, query: ast::Query, bounds: Bounds, text: &str) -> Result<(String, Estimate)> {
        let leash = self.leash(text);
        let context = self.context(&leash);
        let plans = self.plan(query, bounds)?;
        let planned = plans.last().ok_or_else(|| Problem::new(ErrorKind::Internal, "no plan"))?;
        let estimate = leash.hold(planned.engine.estimate(&planned.rendered, &context)).await?;
        Ok((planned.rendered.sql().to_owned(), estimate))
    }
}

/// Completes the inferred parameter types: what the client declared stands, LIMIT and OFFSET are bigint, the rest is text.
fn settle_parameters(inferred: &mut Vec<PgType>, declared: &[PgType], count: usize, limits: &[usize]) {
    inferred.resize(count, PgType::TEXT);
    for number in limits {
        inferred[number - 1] = PgType::INT8;
    }
    for (index, ty) in inferred.iter_mut().enumerate() {
        match declared.get(index) {
            Some(declared) if declared.0 != 0 && *declared != PgType::UNKNOWN => *ty = *declared,
            _ if ty.0 == 0 || *ty == PgType::UNKNOWN => *ty = PgType::TEXT,
            _ => {}
        }
    }
}

fn planned(approved: Approved, engine: &Arc<dyn Engine>) -> Result<Planned> {
    let rendered = Rendered::new(&approved, engine.dialect())?;
    Ok(Planned { approved, rendered, engine: Arc::clone(engine) })
}

/// A failure after which the other engine may be asked.
fn is_missing(problem: &Problem) -> bool {
    matches!(problem.kind, ErrorKind::UndefinedFunction | ErrorKind::FeatureNotSupported)
}

fn route(query: &ast::Query, catalog: &Catalog, search_path: &[String]) -> Result<Route> {
    let relations = dialects::relations(query);
    let (mut lake, mut system) = (None, None);
    for relation in &relations.tables {
        let is_system = match &relation.schema {
            Some(schema) => SYSTEM_SCHEMAS.contains(&schema.as_str()),
            None => catalog.resolve(search_path, &relation.name).is_none(),
        };
        *(if is_system { &mut system } else { &mut lake }) = Some(relation);
    }
    match (lake, system) {
        (Some(_), None) => Ok(Route::Lake),
        (None, Some(_)) => Ok(Route::System),
        (None, None) => Ok(Route::Either),
        (Some(_), Some(relation)) => {
            let known = relation.schema.is_some() || relation.name.starts_with("pg_");
            if !known {
                // Not a system relation either: the guard says what is nearest.
                return Ok(Route::Lake);
            }
            let message = "log tables and system catalogs cannot be read in one statement";
            Err(Problem::new(ErrorKind::FeatureNotSupported, message)
                .hint("Read them in two statements.")
                .at(relation.position))
        }
    }
}

fn unknown_dialect(name: &str) -> Problem {
    let known: Vec<&str> = dialects::DIALECTS.iter().map(|dialect| dialect.name()).collect();
    Problem::new(ErrorKind::InvalidParameterValue, format!("dialect \"{name}\" does not exist"))
        .hint(format!("Dialects: {}.", known.join(", ")))
}

fn explain_rows(lines: Vec<String>, format: ExplainFormat) -> Result<Rows> {
    let lines = match format {
        ExplainFormat::Text => lines,
        ExplainFormat::Json => {
            let plan: Vec<String> = lines.iter().map(|line| format!("{:?}", line)).collect();
            vec![format!("[{{\"Plan\": [{}]}}]", plan.join(", "))]
        }
    };
    crate::dispatch::text_rows(&["QUERY PLAN"], vec![lines])
}

pub(crate) fn estimate_text(estimate: Estimate) -> String {
    let bytes = estimate.bytes.map_or_else(|| "unknown".to_owned(), bytes_text);
    let usd = estimate.usd.map_or_else(|| "no charge known".to_owned(), |usd| format!("{usd:.4} USD"));
    format!("{bytes} to scan, {usd}")
}

fn bytes_text(bytes: u64) -> String {
    const STEPS: &[(u64, &str)] = &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    STEPS
        .iter()
        .find(|(size, _)| bytes >= *size)
        .map_or_else(|| format!("{bytes} bytes"), |(size, unit)| format!("{:.1} {unit}", bytes as f64 / *size as f64))
}

impl Session {
    pub(crate) fn announce(&self, sql: &str, explanation: &str, estimate: Estimate) {
        let mut notice = Notice::notice(format!("SQL: {sql}"));
        notice.detail = Some(format!("{explanation} Estimate: {}.", estimate_text(estimate)));
        self.notice(notice);
    }
}
