use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use futures::{StreamExt, stream};
use mantissa_core::{
    Catalog, Ceilings, Column, ErrorKind, Field, PgType, Problem, Rows, Secret, SystemClock, Table, TableKind,
    TableName, UserName,
};
use mantissa_query::{Database, Description, Engine, Estimate, ExecContext, Gateway, GatewayParts, Rendered};
use mantissa_store::{NewUser, SqliteStore, Store, StoreOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Listeners, WireConfig, serve};

pub const USER: &str = "ann";
pub const PASSWORD: &str = "correct horse";
/// Longer than anything here takes, shorter than a test that hangs may.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What the test tables do when they are read.
const TABLES: [&str; 5] = ["numbers", "endless", "stuck", "broken", "panics"];

/// Counts result streams that are open, so that tests see an engine stop.
#[derive(Default)]
pub struct Open(AtomicUsize);

impl Open {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until no stream is open.
    pub async fn none(&self) {
        let closed = async {
            while self.count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.expect("the engine did not stop");
    }
}

struct OpenStream(Arc<Open>);

impl OpenStream {
    fn new(open: &Arc<Open>) -> Self {
        open.0.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Five tables of one column `n`; a statement without a table gives its own SQL as a row.
struct TestEngine {
    open: Arc<Open>,
}

fn table_of(query: &Rendered) -> Option<&'static str> {
    TABLES.into_iter().find(|table| query.sql().contains(table))
}

fn fields(query: &Rendered) -> Arc<[Field]> {
    Arc::new([match table_of(query) {
        Some(_) => Field::new("n", PgType::INT8),
        None => Field::new("sql", PgType::TEXT),
    }])
}

fn batch(column: ArrayRef, ty: DataType) -> RecordBatch {
    let schema = Schema::new(vec![ArrowField::new("c", ty, true)]);
    RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap()
}

fn numbers(from: i64, count: i64) -> RecordBatch {
    batch(Arc::new(Int64Array::from_iter_values(from..from + count)), DataType::Int64)
}

#[async_trait]
impl Engine for TestEngine {
    fn name(&self) -> &'static str {
        "test"
    }

    fn dialect(&self) -> &'static dyn dialects::Dialect {
        dialects::dialect("postgres").unwrap()
    }

    async fn describe(&self, query: &Rendered, hints: &[PgType], _: &ExecContext) -> Result<Description, Problem> {
        let count = (1..=9).filter(|number| query.sql().contains(&format!("${number}"))).count();
        let declared = |index| hints.get(index).copied().filter(|ty: &PgType| ty.0 != 0);
        let parameters = (0..count).map(|index| declared(index).unwrap_or(PgType::TEXT)).collect();
        Ok(Description { fields: fields(query), parameters })
    }

    async fn estimate(&self, _: &Rendered, _: &ExecContext) -> Result<Estimate, Problem> {
        Ok(Estimate::default())
    }

    async fn explain(&self, _: &Rendered, _: bool, _: &ExecContext) -> Result<Vec<String>, Problem> {
        Ok(vec!["Result  (cost=0.00..0.01 rows=1 width=4)".into()])
    }

    async fn execute(&self, query: &Rendered, _: &ExecContext) -> Result<Rows, Problem> {
        let open = OpenStream::new(&self.open);
        let fields = fields(query);
        let batches = match table_of(query) {
            Some("numbers") => stream::iter([numbers(0, 10), numbers(10, 10), numbers(20, 5)].map(Ok)).boxed(),
            Some("endless") => stream::iter((0..).map(|chunk| Ok(numbers(chunk * 1000, 1000)))).boxed(),
            Some("stuck") => stream::pending().boxed(),
            Some("broken") => {
                let problem = Problem::new(ErrorKind::DivisionByZero, "division by zero").detail("Row 11.").at(8);
                stream::iter([Ok(numbers(0, 10)), Err(problem)]).boxed()
            }
            Some(_) => panic!("the engine panics"),
            None => {
                let sql: ArrayRef = Arc::new(StringArray::from(vec![query.sql()]));
                stream::iter([Ok(batch(sql, DataType::Utf8))]).boxed()
            }
        };
        let held = batches.inspect(move |_| {
            let _ = &open;
        });
        Ok(Rows::new(fields, held.boxed()))
    }
}

pub struct TestServer {
    pub address: SocketAddr,
    pub gateway: Arc<Gateway>,
    pub open: Arc<Open>,
    pub shutdown: CancellationToken,
    pub running: JoinHandle<Result<(), crate::WireError>>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub async fn start(config: WireConfig) -> TestServer {
    let ceilings = Ceilings { max_rows: u64::MAX >> 2, ..Ceilings::default() };
    let store = SqliteStore::in_memory(StoreOptions { default_ceilings: ceilings }).await.unwrap();
    let password = Some(Secret::new(PASSWORD));
    let roles = store.list_roles().await.unwrap();
    let reader = roles.iter().find(|role| !role.admin).map(|role| role.name.clone()).unwrap();
    store.add_user(NewUser { name: UserName::new(USER), password, roles: vec![reader] }).await.unwrap();
    let tables = TABLES.map(|name| {
        Arc::new(Table {
            name: TableName::new(Catalog::LOGS, name),
            kind: TableKind::Table,
            columns: vec![Column::new("n", PgType::INT8)],
            comment: None,
        })
    });
    let open = Arc::<Open>::default();
    let engine: Arc<dyn Engine> = Arc::new(TestEngine { open: Arc::clone(&open) });
    let gateway = Gateway::new(GatewayParts {
        catalog: Arc::new(Arc::new(Catalog { tables: tables.to_vec() })),
        databases: vec![Database { name: "lake".into(), engine: Arc::clone(&engine) }],
        system: engine,
        store: Arc::new(store),
        clock: Arc::new(SystemClock),
        max_connections: 5_000,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let listeners = Listeners { tcp: vec![listener], unix: vec![] };
    let running = tokio::spawn(serve(listeners, Arc::clone(&gateway), config, shutdown.clone()));
    TestServer { address, gateway, open, shutdown, running }
}

/// Ann is trusted on loopback.
pub fn trusting() -> WireConfig {
    WireConfig { trust: Some(USER.into()), ..WireConfig::default() }
}

impl TestServer {
    pub fn url(&self) -> String {
        format!("host=127.0.0.1 port={} user={USER} dbname=lake", self.address.port())
    }

    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub async fn raw(&self) -> Raw {
        let address = self.address;
        tokio::task::spawn_blocking(move || Raw::log_in(address)).await.unwrap()
    }
}

/// A client that speaks in bytes.
pub struct Raw(pub TcpStream);

pub fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

pub fn startup(version: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

impl Raw {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn log_in(address: SocketAddr) -> Self {
        let mut raw = Self::connect(address);
        raw.send(&startup(3 << 16, b"user\0ann\0database\0lake\0\0"));
        raw.until(b'Z');
        raw
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// The next message; `None` at the end of the connection.
    pub fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.0.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some((head[0], body))
    }

    /// Messages up to and with the first of `kind`.
    pub fn until(&mut self, kind: u8) -> Vec<(u8, Vec<u8>)> {
        let mut messages = Vec::new();
        loop {
            let message = self.next().expect("the connection ended early");
            let done = message.0 == kind;
            messages.push(message);
            if done {
                return messages;
            }
        }
    }

    /// The letters of the messages up to ReadyForQuery.
    pub fn letters(&mut self) -> String {
        self.until(b'Z').iter().map(|(kind, _)| char::from(*kind)).collect()
    }

    /// Everything until the server hangs up.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes);
        bytes
    }
}

/// A field of an ErrorResponse's body.
pub fn error_field(body: &[u8], code: u8) -> Option<String> {
    body.split(|byte| *byte == 0)
        .find(|field| field.first() == Some(&code))
        .map(|field| String::from_utf8_lossy(&field[1..]).into_owned())
}
