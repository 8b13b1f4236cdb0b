//! The engine of the query path that answers catalog queries.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    AsArray, BooleanArray, Float64Array, Int16Array, Int32Array, Int64Array, TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use mantissa_core::{Catalog, CatalogSource, ErrorKind, Identity, PgType, Problem, Rows, TableName};
use mantissa_query::{Description, Engine, Estimate, ExecContext, Rendered, SessionView, SettingChange, SystemTable};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::bind::{Plan, bind};
use crate::context::{Access, Context, Session};
use crate::datum::Datum;
use crate::relation::{Relation, Relations, Row, Shape, Source};
use crate::relations::{DatabaseRelations, Objects, RelationObject, SessionRelations, SessionSource};

/// Plans kept.
const PLANS: usize = 1024;
/// Plans kept of one text.
const VARIANTS: usize = 16;

/// Answers `pg_catalog`, `information_schema`, `mantissa` and statements that read no table.
pub struct PgCatalogEngine {
    catalog: Arc<dyn CatalogSource>,
    tables: Vec<Arc<dyn SystemTable>>,
    database: Mutex<Option<Database>>,
    /// By statement; a text means something else on another search path.
    plans: Mutex<HashMap<Box<str>, Vec<Arc<Kept>>>>,
}

/// The relations of one state of the catalog.
#[derive(Clone)]
struct Database {
    catalog: Arc<Catalog>,
    relations: Arc<DatabaseRelations>,
}

/// A plan with what it depends on.
struct Kept {
    plan: Arc<Plan>,
    /// The system tables that the statement names, by place.
    tables: Vec<usize>,
    relations: Arc<DatabaseRelations>,
    search_path: Vec<String>,
    database: String,
    user: String,
    hints: Vec<PgType>,
}

impl Kept {
    fn fits(&self, relations: &Arc<DatabaseRelations>, view: &SessionView, hints: &[PgType]) -> bool {
        Arc::ptr_eq(&self.relations, relations)
            && self.search_path == view.search_path
            && self.database == view.database
            && self.user == view.user
            && self.hints == hints
    }
}

/// The session of one statement, for SQL functions.
struct StatementSession {
    view: Arc<SessionView>,
    identity: Arc<Identity>,
}

/// A statement with what it reads.
struct Scene {
    relations: SessionRelations,
    session: StatementSession,
    now: i64,
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

    /// The plan of a statement, and what it may read. Rows of system tables are fetched only `with_rows`, and only of
    /// those that the statement names.
    async fn prepare(
        &self,
        query: &Rendered,
        hints: &[PgType],
        context: &ExecContext,
        with_rows: bool,
    ) -> Result<(Arc<Plan>, Scene), Problem> {
        let database = self.database()?;
        let view = &context.session;
        let kept = query.kept::<Kept>().filter(|kept| kept.fits(&database, view, hints));
        if let Some(kept) = kept.or_else(|| self.planned(query, hints, &database, view)) {
            let scene = self.scene(&database, &kept.tables, context, with_rows).await?;
            return Ok((Arc::clone(&kept.plan), scene));
        }
        let tables = self.named_tables(query);
        let scene = self.scene(&database, &tables, context, with_rows).await?;
        let around = scene.context(&context.cancel);
        let plan = Arc::new(bind(&around, query.tree(), hints)?);
        // A literal that was read in one time zone means another moment in the next.
        if !around.is_timed() {
            let kept = Kept {
                plan: Arc::clone(&plan),
                tables,
                relations: database,
                search_path: view.search_path.clone(),
                database: view.database.clone(),
                user: view.user.clone(),
                hints: hints.to_vec(),
            };
            self.keep(query, Arc::new(kept));
        }
        drop(around);
        Ok((plan, scene))
    }

    /// The plan of an earlier run of the same text.
    fn planned(
        &self,
        query: &Rendered,
        hints: &[PgType],
        database: &Arc<DatabaseRelations>,
        view: &SessionView,
    ) -> Option<Arc<Kept>> {
        let plans = self.plans.lock();
        let kept = plans.get(query.sql())?.iter().find(|kept| kept.fits(database, view, hints)).cloned();
        drop(plans);
        if let Some(kept) = &kept {
            query.keep(Arc::clone(kept) as Arc<dyn Any + Send + Sync>);
        }
        kept
    }

    fn keep(&self, query: &Rendered, kept: Arc<Kept>) {
        query.keep(Arc::clone(&kept) as Arc<dyn Any + Send + Sync>);
        let mut plans = self.plans.lock();
        if plans.len() >= PLANS {
            plans.clear();
        }
        let same = plans.entry(query.sql().into()).or_default();
        if same.len() >= VARIANTS {
            same.clear();
        }
        same.push(kept);
    }

    /// The system tables that a statement names.
    fn named_tables(&self, query: &Rendered) -> Vec<usize> {
        if self.tables.is_empty() {
            return Vec::new();
        }
        let named = dialects::relations(query.tree()).tables;
        let is_named = |table: &Arc<dyn SystemTable>| {
            let name = &table.table().name;
            named.iter().any(|named| {
                named.name == name.name && named.schema.as_ref().is_none_or(|schema| *schema == name.schema)
            })
        };
        (0..self.tables.len()).filter(|place| is_named(&self.tables[*place])).collect()
    }

    async fn scene(
        &self,
        database: &Arc<DatabaseRelations>,
        tables: &[usize],
        context: &ExecContext,
        with_rows: bool,
    ) -> Result<Scene, Problem> {
        let source: Arc<dyn SessionSource> = Arc::clone(&context.session) as Arc<dyn SessionSource>;
        let identity = Arc::clone(&context.identity);
        let mut relations = SessionRelations::new(Arc::clone(database), source).read_by(Arc::clone(&identity));
        for table in tables.iter().filter_map(|place| self.tables.get(*place)) {
            let source = self.system_source(&relations, table, context, with_rows).await?;
            relations = relations.with(source);
        }
        let session = StatementSession { view: Arc::clone(&context.session), identity };
        Ok(Scene { relations, session, now: context.now.timestamp_micros() })
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
}

impl Scene {
    fn context<'a>(&'a self, cancel: &'a CancellationToken) -> Context<'a> {
        Context::new(&self.relations, &self.session, self.now, cancel, &[])
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
        let (plan, _) = self.prepare(query, hints, context, false).await?;
        Ok(Description { fields: Arc::clone(&plan.fields), parameters: plan.parameters.clone() })
    }

    async fn estimate(&self, _query: &Rendered, _context: &ExecContext) -> Result<Estimate, Problem> {
        Ok(Estimate { bytes: Some(0), rows: None, usd: Some(0.0) })
    }

    async fn explain(&self, query: &Rendered, analyze: bool, context: &ExecContext) -> Result<Vec<String>, Problem> {
        let (plan, scene) = self.prepare(query, &[], context, analyze).await?;
        let (node, rows) = plan.outline();
        let cost = rows as f64 * 0.01;
        let width: usize = plan.fields.iter().map(|field| usize::try_from(field.ty.size()).unwrap_or(32)).sum();
        let mut line = format!("{node}  (cost=0.00..{:.2} rows={rows} width={width})", cost.max(0.01));
        if analyze {
            let start = std::time::Instant::now();
            let found = plan.run(&scene.context(&context.cancel))?.len();
            let elapsed = start.elapsed().as_secs_f64() * 1000.0;
            line.push_str(&format!(" (actual time=0.000..{elapsed:.3} rows={found} loops=1)"));
        }
        Ok(vec![line])
    }

    async fn execute(&self, query: &Rendered, context: &ExecContext) -> Result<Rows, Problem> {
        let (plan, scene) = self.prepare(query, &[], context, true).await?;
        let fields = Arc::clone(&plan.fields);
        // What reads no relation takes microseconds; the rest must not hold up the runtime.
        let batches = if plan.reads_nothing() {
            plan.batches(&scene.context(&context.cancel))?
        } else {
            let cancel = context.cancel.clone();
            let work = tokio::task::spawn_blocking(move || plan.batches(&scene.context(&cancel)));
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
        self.view.shown(name)
    }

    fn set(&self, name: &str, value: Option<&str>, local: bool) -> Result<String, Problem> {
        let change = SettingChange { name: name.to_owned(), value: value.map(str::to_owned), local };
        self.view.set_config(change, &self.identity.ceilings)
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

    fn access(&self, schema: &str, table: &str) -> Access {
        Access::of(&self.identity, schema, table)
    }
}
