//! The engine of the query path that answers catalog queries.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    AsArray, BooleanArray, Float64Array, Int16Array, Int32Array, Int64Array, TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use mantissa_core::{Catalog, CatalogSource, ErrorKind, PgType, Problem, Rows, TableName};
use mantissa_query::{Description, Engine, Estimate, ExecContext, Rendered, SessionView, SettingChange, SystemTable};
use parking_lot::Mutex;

use crate::bind::{Plan, bind};
use crate::context::{Context, Session};
use crate::datum::Datum;
use crate::relation::{Relation, Relations, Row, Shape, Source};
use crate::relations::{DatabaseRelations, Objects, RelationObject, SessionRelations};

/// Plans kept.
const PLANS: usize = 1024;
/// The schema of this server's own relations.
const SYSTEM_SCHEMA: &str = "mantissa";

/// Answers `pg_catalog`, `information_schema`, `mantissa` and statements that read no table.
pub struct PgCatalogEngine {
    catalog: Arc<dyn CatalogSource>,
    tables: Vec<Arc<dyn SystemTable>>,
    database: Mutex<Option<Database>>,
    plans: Mutex<HashMap<PlanKey, Arc<Plan>>>,
}

/// The relations of one state of the catalog.
#[derive(Clone)]
struct Database {
    catalog: Arc<Catalog>,
    relations: Arc<DatabaseRelations>,
}

/// What a plan depends on.
#[derive(PartialEq, Eq, Hash)]
struct PlanKey {
    sql: String,
    search_path: Vec<String>,
    database: String,
    user: String,
    hints: Vec<PgType>,
    generation: u64,
}

/// The session of one statement, for SQL functions.
struct StatementSession {
    view: Arc<SessionView>,
    context: ExecContext,
}

/// A statement with what it reads.
struct Scene {
    relations: SessionRelations,
    session: StatementSession,
}

impl PgCatalogEngine {
    pub fn new(catalog: Arc<dyn CatalogSource>, tables: Vec<Arc<dyn SystemTable>>) -> Self {
        Self { catalog, tables, database: Mutex::default(), plans: Mutex::default() }
    }

    fn database(&self) -> Result<Arc<DatabaseRelations>, Problem> {
        let current = self.catalog.current();
        let mut kept = self.database.lock();
        if let Some(database) = kept.as_ref().filter(|database| Arc::ptr_eq(&database.catalog, &current)) {
            return Ok(Arc::clone(&database.relations));
        }
        let mut objects = Objects::from(&*current);
        for table in &self.tables {
            let known = |object: &RelationObject| {
                object.schema == table.table().name.schema && object.name == table.table().name.name
            };
            if !objects.relations.iter().any(known) {
                objects.relations.push(RelationObject::from(table.table()));
            }
        }
        let relations = Arc::new(DatabaseRelations::new(&objects)?);
        *kept = Some(Database { catalog: current, relations: Arc::clone(&relations) });
        self.plans.lock().clear();
        Ok(relations)
    }

    /// What a statement may read. Rows of system tables are fetched only `with_rows`, and only of those it names.
    async fn scene(&self, query: &Rendered, context: &ExecContext, with_rows: bool) -> Result<Scene, Problem> {
        let database = self.database()?;
        let mut relations = SessionRelations::new(database, Arc::new((*context.session).clone()));
        if !self.tables.is_empty() {
            for named in dialects::relations(query.tree()).tables {
                let is = |table: &&Arc<dyn SystemTable>| {
                    let name = &table.table().name;
                    name.name == named.name && named.schema.as_ref().is_none_or(|schema| *schema == name.schema)
                };
                if let Some(table) = self.tables.iter().find(is) {
                    let source = self.system_source(&relations, table, context, with_rows).await?;
                    relations = relations.with(source);
                }
            }
        }
        let session = StatementSession { view: Arc::clone(&context.session), context: context.clone() };
        Ok(Scene { relations, session })
    }

    async fn system_source(
        &self,
        relations: &SessionRelations,
        table: &Arc<dyn SystemTable>,
        context: &ExecContext,
        with_rows: bool,
    ) -> Result<Source, Problem> {
        let description = table.table();
        let columns: Vec<(&str, PgType)> =
            description.columns.iter().map(|column| (column.name.as_str(), column.ty)).collect();
        let oid = class_oid(relations, &description.name);
        let shape = Shape::new(oid, &description.name.schema, &description.name.name, &columns);
        let rows = match with_rows {
            true => rows_of(&table.rows(context).await?, &columns)?,
            false => Vec::new(),
        };
        Ok(Source::Rows(Arc::new(Relation::new(shape, rows))))
    }

    fn plan(&self, query: &Rendered, hints: &[PgType], scene: &Scene) -> Result<Arc<Plan>, Problem> {
        let view = &scene.session.view;
        let key = PlanKey {
            sql: query.sql().to_owned(),
            search_path: view.search_path.clone(),
            database: view.database.clone(),
            user: view.user.clone(),
            hints: hints.to_vec(),
            generation: scene.relations.generation(),
        };
        if let Some(plan) = self.plans.lock().get(&key) {
            return Ok(Arc::clone(plan));
        }
        let context = scene.context();
        let plan = Arc::new(bind(&context, query.tree(), hints)?);
        if !context.is_timed() {
            let mut plans = self.plans.lock();
            if plans.len() >= PLANS {
                plans.clear();
            }
            plans.insert(key, Arc::clone(&plan));
        }
        Ok(plan)
    }
}

impl Scene {
    fn context(&self) -> Context<'_> {
        let statement = &self.session.context;
        Context::new(&self.relations, &self.session, statement.now.timestamp_micros(), &statement.cancel, &[])
    }
}

/// The OID under which `pg_class` has a table.
fn class_oid(relations: &SessionRelations, name: &TableName) -> u32 {
    let Some(Source::Rows(classes)) = relations.lookup(Some("pg_catalog"), "pg_class", &[]) else { return 0 };
    let Some(Source::Rows(schemas)) = relations.lookup(Some("pg_catalog"), "pg_namespace", &[]) else { return 0 };
    let schema = schemas.find("nspname", &Datum::text(&name.schema)).next();
    let schema = schema.map(|row| schemas.value(row, "oid").clone());
    let mut found = classes.find("relname", &Datum::text(&name.name));
    let row = found.find(|row| Some(classes.value(row, "relnamespace")) == schema.as_ref());
    row.and_then(|row| classes.value(row, "oid").as_oid()).unwrap_or(0)
}

/// The rows of a system table's batch.
fn rows_of(batch: &RecordBatch, columns: &[(&str, PgType)]) -> Result<Vec<Row>, Problem> {
    let bad = |name: &str| Problem::new(ErrorKind::Internal, format!("system column \"{name}\" cannot be read"));
    let mut values: Vec<Vec<Datum>> = Vec::with_capacity(columns.len());
    for (index, (name, _)) in columns.iter().enumerate() {
        let array = batch.columns().get(index).ok_or_else(|| bad(name))?;
        values.push(datums(array.as_ref()).ok_or_else(|| bad(name))?);
    }
    Ok((0..batch.num_rows()).map(|row| values.iter().map(|column| column[row].clone()).collect()).collect())
}

fn datums(array: &dyn arrow::array::Array) -> Option<Vec<Datum>> {
    macro_rules! primitive {
        ($kind:ty, $variant:path) => {
            if let Some(values) = array.as_any().downcast_ref::<$kind>() {
                return Some(values.iter().map(|value| value.map_or(Datum::Null, $variant)).collect());
            }
        };
    }
    primitive!(BooleanArray, Datum::Bool);
    primitive!(Int16Array, Datum::Int2);
    primitive!(Int32Array, Datum::Int4);
    primitive!(Int64Array, Datum::Int8);
    primitive!(Float64Array, Datum::Float8);
    if let Some(values) = array.as_any().downcast_ref::<TimestampMicrosecondArray>() {
        let zoned = values.timezone().is_some();
        let moment = |value: i64| if zoned { Datum::TimestampTz(value) } else { Datum::Timestamp(value) };
        return Some(values.iter().map(|value| value.map_or(Datum::Null, moment)).collect());
    }
    let texts = array.as_string_opt::<i32>()?;
    Some(texts.iter().map(|value| value.map_or(Datum::Null, Datum::text)).collect())
}

#[async_trait]
impl Engine for PgCatalogEngine {
    fn name(&self) -> &'static str {
        "pg_catalog"
    }

    fn dialect(&self) -> &'static dyn dialects::Dialect {
        dialects::dialect("postgres").unwrap_or(dialects::DIALECTS[0])
    }

    async fn describe(
        &self,
        query: &Rendered,
        hints: &[PgType],
        context: &ExecContext,
    ) -> Result<Description, Problem> {
        let scene = self.scene(query, context, false).await?;
        let plan = self.plan(query, hints, &scene)?;
        Ok(Description { fields: Arc::clone(&plan.fields), parameters: plan.parameters.clone() })
    }

    async fn estimate(&self, _query: &Rendered, _context: &ExecContext) -> Result<Estimate, Problem> {
        Ok(Estimate { bytes: Some(0), rows: None, usd: Some(0.0) })
    }

    async fn explain(&self, query: &Rendered, analyze: bool, context: &ExecContext) -> Result<Vec<String>, Problem> {
        let scene = self.scene(query, context, analyze).await?;
        let plan = self.plan(query, &[], &scene)?;
        let (node, rows) = plan.outline();
        let cost = rows as f64 * 0.01;
        let width: usize = plan.fields.iter().map(|field| usize::try_from(field.ty.len()).unwrap_or(32)).sum();
        let mut line = format!("{node}  (cost=0.00..{:.2} rows={rows} width={width})", cost.max(0.01));
        if analyze {
            let start = std::time::Instant::now();
            let found = plan.run(&scene.context())?.len();
            let elapsed = start.elapsed().as_secs_f64() * 1000.0;
            line.push_str(&format!(" (actual time=0.000..{elapsed:.3} rows={found} loops=1)"));
        }
        Ok(vec![line])
    }

    async fn execute(&self, query: &Rendered, context: &ExecContext) -> Result<Rows, Problem> {
        let scene = self.scene(query, context, true).await?;
        let plan = self.plan(query, &[], &scene)?;
        let fields = Arc::clone(&plan.fields);
        // What reads no relation takes microseconds; the rest must not hold up the runtime.
        let batches = if plan.reads_nothing() {
            plan.batches(&scene.context())?
        } else {
            let work = tokio::task::spawn_blocking(move || plan.batches(&scene.context()));
            let done = work.await;
            done.map_err(|error| Problem::new(ErrorKind::Internal, "catalog query failed").caused_by(error))??
        };
        Ok(Rows::from_batches(fields, batches))
    }
}

impl Session for StatementSession {
    fn pid(&self) -> i32 {
        self.view.pid
    }

    fn database(&self) -> &str {
        &self.view.database
    }

    fn user(&self) -> &str {
        &self.view.user
    }

    fn is_superuser(&self) -> bool {
        self.view.admin
    }

    fn search_path(&self) -> &[String] {
        &self.view.search_path
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.view.setting(name).map(|setting| setting.value)
    }

    fn set(&self, name: &str, value: &str, local: bool) -> Result<String, Problem> {
        if self.view.setting(name).is_none() && !name.contains('.') {
            let message = format!("unrecognized configuration parameter \"{name}\"");
            return Err(Problem::new(ErrorKind::UndefinedObject, message));
        }
        self.view.effects.set(SettingChange { name: name.to_owned(), value: value.to_owned(), local });
        Ok(value.to_owned())
    }

    fn cancel_backend(&self, pid: i32) -> Result<bool, Problem> {
        self.view.signal(pid, false)
    }

    fn terminate_backend(&self, pid: i32) -> Result<bool, Problem> {
        self.view.signal(pid, true)
    }

    fn client_addr(&self) -> Option<std::net::IpAddr> {
        self.view.client_addr
    }

    fn client_port(&self) -> Option<u16> {
        self.view.client_port
    }

    fn backend_start(&self) -> i64 {
        self.view.backend_start.timestamp_micros()
    }

    fn may_read(&self, schema: &str, table: &str) -> bool {
        match schema {
            "pg_catalog" | "information_schema" => true,
            SYSTEM_SCHEMA => self.view.admin,
            _ => self.context.identity.may_read(&TableName::new(schema, table)),
        }
    }
}
