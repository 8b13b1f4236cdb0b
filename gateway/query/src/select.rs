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
pub(crate) struct Planned {
    approved: Approved,
    rendered: Rendered,
    engine: Arc<dyn Engine>,
}

/// A plan, and what must be unchanged for it to mean the same.
pub(crate) struct CachedPlan {
    planned: Arc<Planned>,
    catalog: Arc<Catalog>,
    generation: u64,
}

/// What is looked at once a statement, whichever engines are tried.
struct Scene {
    query: ast::Query,
    catalog: Arc<Catalog>,
    search_path: Vec<String>,
    route: Route,
    bounds: Bounds,
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
        let mut scene = self.scene(query, self.bounds(false))?;
        let mut types = types.to_vec();
        let arrays =
            if scene.route == Route::Lake { values::take_array_parameters(&mut scene.query) } else { Vec::new() };
        for number in &arrays {
            if let Some(declared) = types.get_mut(number - 1) {
                *declared = declared.element().unwrap_or(PgType(0));
            }
        }
        let types = types.as_slice();
        let mut missing = None;
        for engine in self.engines(scene.route) {
            let described = match self.planned(&scene, engine) {
                Ok(planned) => leash.hold(planned.engine.describe(&planned.rendered, types, &context)).await,
                Err(problem) => Err(problem),
            };
            match described {
                Ok(mut description) => {
                    settle_parameters(&mut description.parameters, types, count, &limits);
                    for number in &arrays {
                        let element = &mut description.parameters[number - 1];
                        *element = element.array().unwrap_or(*element);
                    }
                    return Ok(description);
                }
                Err(problem) => missing = Some(first_missing(missing, problem)?),
            }
        }
        Err(missing.unwrap_or_else(no_engine))
    }

    /// Runs a query. The rows are leashed: cancellable, timed, capped and audited.
    pub(crate) async fn run_query(
        &mut self,
        query: &ast::Query,
        prepared: &Prepared,
        values: &[Value],
    ) -> Result<Rows> {
        let record = self.record(&prepared.text, None).await?;
        let bounds = self.bounds(false);
        if values.is_empty()
            && let Some(planned) = self.cached(prepared)
        {
            let leash = self.leash(&prepared.text);
            return self.run_planned(&planned, leash, record).await;
        }
        let (rows, planned) =
            self.run_bound(query.clone(), prepared.parameters(), values, &prepared.text, bounds, record).await?;
        if values.is_empty() && means_the_same_each_time(query) {
            let (catalog, generation) = (self.gateway.parts.catalog.current(), self.settings.generation());
            *prepared.shape.plan.lock() = Some(CachedPlan { planned, catalog, generation });
        }
        Ok(rows)
    }

    /// The plan of the last run, where nothing that it depends on has changed.
    fn cached(&self, prepared: &Prepared) -> Option<Arc<Planned>> {
        let cached = prepared.shape.plan.lock();
        let cached = cached.as_ref()?;
        let unchanged = cached.generation == self.settings.generation()
            && Arc::ptr_eq(&cached.catalog, &self.gateway.parts.catalog.current());
        unchanged.then(|| Arc::clone(&cached.planned))
    }

    pub(crate) async fn run_bound(
        &mut self,
        mut query: ast::Query,
        types: &[PgType],
        values: &[Value],
        text: &str,
        bounds: Bounds,
        mut record: Record,
    ) -> Result<(Rows, Arc<Planned>)> {
        let leash = self.leash(text);
        let outcome = match self.bind(&mut query, types, values) {
            Ok(()) => self.start(query, bounds, &leash, &mut record).await,
            Err(problem) => Err(problem),
        };
        match outcome {
            Ok((rows, planned)) => Ok((self.leashed(rows, &planned, leash, record), planned)),
            Err(problem) => {
                record.failed(&problem);
                Err(problem)
            }
        }
    }

    async fn run_planned(&mut self, planned: &Planned, leash: Leash, mut record: Record) -> Result<Rows> {
        let context = self.context(&leash);
        match self.start_planned(planned, &leash, &context, &mut record).await {
            Ok(rows) => Ok(self.leashed(rows, planned, leash, record)),
            Err(problem) => {
                record.failed(&problem);
                Err(problem)
            }
        }
    }

    fn leashed(&self, rows: Rows, planned: &Planned, leash: Leash, record: Record) -> Rows {
        let ceiling = planned.approved.max_rows();
        let leashed = Leashed::new(rows.batches, leash, ceiling, Arc::clone(&self.notices), record);
        Rows::new(rows.fields, Box::pin(leashed))
    }

    async fn start(
        &mut self,
        query: ast::Query,
        bounds: Bounds,
        leash: &Leash,
        record: &mut Record,
    ) -> Result<(Rows, Arc<Planned>)> {
        let query = self.with_questions_answered(query)?;
        let context = self.context(leash);
        let scene = self.scene(query, bounds)?;
        let mut missing = None;
        for engine in self.engines(scene.route) {
            let started = match self.planned(&scene, engine) {
                Ok(planned) => {
                    let rows = self.start_planned(&planned, leash, &context, record).await;
                    rows.map(|rows| (rows, Arc::new(planned)))
                }
                Err(problem) => Err(problem),
            };
            match started {
                Ok(started) => return Ok(started),
                Err(problem) => missing = Some(first_missing(missing, problem)?),
            }
        }
        Err(missing.unwrap_or_else(no_engine))
    }

    async fn start_planned(
        &mut self,
        planned: &Planned,
        leash: &Leash,
        context: &ExecContext,
        record: &mut Record,
    ) -> Result<Rows> {
        record.reads(planned.approved.tables(), planned.engine.name());
        let estimate = leash.hold(planned.engine.estimate(&planned.rendered, context)).await?;
        record.estimated(estimate);
        self.check_cost(&planned.approved, estimate)?;
        let rows = leash.hold(planned.engine.execute(&planned.rendered, context)).await?;
        self.first_batch(rows, leash).await
    }

    /// System rows are there at once: functions with an effect on the session (`set_config`) have run when they are.
    async fn first_batch(&mut self, rows: Rows, leash: &Leash) -> Result<Rows> {
        if rows.fields.is_empty() {
            return Ok(rows);
        }
        let mut rest = rows.batches.fuse();
        let first = leash.hold(async { rest.next().await.transpose() }).await?;
        self.apply_effects();
        let first: Option<Result<RecordBatch>> = first.map(Ok);
        Ok(Rows::new(rows.fields, futures::stream::iter(first).chain(rest).boxed()))
    }

    fn scene(&self, mut query: ast::Query, bounds: Bounds) -> Result<Scene> {
        dialects::freeze_now(&mut query, dialects::Instant(self.now().timestamp_micros()));
        let catalog = self.gateway.parts.catalog.current();
        let search_path = self.search_path();
        let route = route(&query, &catalog, &search_path)?;
        Ok(Scene { query, catalog, search_path, route, bounds })
    }

    /// The engines that may answer, best first.
    fn engines(&self, route: Route) -> Vec<Arc<dyn Engine>> {
        let system = Arc::clone(&self.gateway.parts.system);
        let lake = Arc::clone(&self.database.engine);
        match route {
            Route::Lake => vec![lake],
            Route::System => vec![system],
            Route::Either => vec![system, lake],
        }
    }

    fn planned(&self, scene: &Scene, engine: Arc<dyn Engine>) -> Result<Planned> {
        let query = scene.query.clone();
        let approved = if Arc::ptr_eq(&engine, &self.database.engine) {
            mantissa_guard::check(query, &self.identity, &scene.catalog, &scene.search_path, &scene.bounds)?
        } else {
            mantissa_guard::check_system(query, &self.identity, &scene.bounds)?
        };
        let rendered = Rendered::new(&approved, engine.dialect())?;
        Ok(Planned { approved, rendered, engine })
    }

    /// The plan on the engine that comes last: the database's own, where it may answer.
    fn last_planned(&self, query: ast::Query, bounds: Bounds) -> Result<Planned> {
        let scene = self.scene(query, bounds)?;
        let engine = self.engines(scene.route).pop().ok_or_else(no_engine)?;
        self.planned(&scene, engine)
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
        let message =
            format!("this statement would cost about {usd:.2} USD, more than your ceiling of {ceiling:.2} USD");
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
            ExplainTarget::Query(query) => self.explain_query(explain, (**query).clone(), prepared, values).await,
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
        if let Some(name) = &explain.dialect {
            let dialect = dialects::dialect(name).ok_or_else(|| unknown_dialect(name))?;
            let planned = self.last_planned(query, self.bounds(false))?;
            let rendering = dialect.render(planned.approved.query()).map_err(mantissa_guard::problem)?;
            return Ok(rendering.sql.lines().map(str::to_owned).collect());
        }
        let scene = self.scene(query, self.bounds(false))?;
        let mut missing = None;
        for engine in self.engines(scene.route) {
            let explained = match self.planned(&scene, engine) {
                Ok(planned) => leash.hold(planned.engine.explain(&planned.rendered, explain.analyze, &context)).await,
                Err(problem) => Err(problem),
            };
            match explained {
                Ok(lines) => return Ok(lines),
                Err(problem) => missing = Some(first_missing(missing, problem)?),
            }
        }
        Err(missing.unwrap_or_else(no_engine))
    }

    /// What `EXPLAIN ASK` and the NOTICE of an ASK say about a query: the engine's SQL and the estimate.
    pub(crate) async fn preview(
        &mut self,
        query: ast::Query,
        bounds: Bounds,
        text: &str,
    ) -> Result<(String, Estimate)> {
        let leash = self.leash(text);
        let context = self.context(&leash);
        let planned = self.last_planned(query, bounds)?;
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

fn no_engine() -> Problem {
    Problem::new(ErrorKind::Internal, "no engine answers this statement")
}

/// Keeps the first failure after which the next engine may be asked; any other one ends the statement.
fn first_missing(earlier: Option<Problem>, problem: Problem) -> Result<Problem> {
    match (earlier, is_missing(&problem)) {
        // The system engine's answer to a statement without tables is Postgres's own.
        (Some(earlier), _) => Ok(earlier),
        (None, true) => Ok(problem),
        (None, false) => Err(problem),
    }
}

/// Whether a query may be planned once and run again: it asks no question and does not name the time.
fn means_the_same_each_time(query: &ast::Query) -> bool {
    let mut frozen = query.clone();
    dialects::freeze_now(&mut frozen, dialects::Instant(0));
    frozen == *query && !dialects::relations(query).functions.iter().any(|function| function.name == "ask")
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
        let mut notice = Notice::plain(format!("SQL: {sql}"));
        notice.detail = Some(format!("{explanation} Estimate: {}.", estimate_text(estimate)));
        self.notice(notice);
    }
}
