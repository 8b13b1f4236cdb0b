//! tokio-postgres against the server: prints one line of JSON a check. `tests/clients/test_tokio_postgres.py` runs it.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;
use tokio_postgres::types::{Oid, Type};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

const HEAVY: &str = "SELECT count(*) FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source \
     JOIN cloudtrail c ON b.source = c.source WHERE a.event_id < b.event_id AND b.event_id < c.event_id";
const STREAM: &str = "SELECT a.event_id, b.src_ip FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source";

type Checked = Result<(), Box<dyn Error>>;

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn config(user: &str) -> Config {
    let mut config = Config::new();
    config.host(setting("E2E_HOST")).port(setting("E2E_PORT").parse().unwrap_or(5432)).dbname(setting("E2E_DATABASE"));
    config.user(setting(user)).connect_timeout(Duration::from_secs(10));
    let password = setting(&format!("{user}_PASSWORD"));
    if !password.is_empty() {
        config.password(password);
    }
    config
}

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn demo() -> Result<Client, tokio_postgres::Error> {
    connect(&config("E2E_USER")).await
}

fn expect<T: PartialEq + std::fmt::Debug>(expected: T, got: T) -> Checked {
    if expected == got { Ok(()) } else { Err(format!("expected {expected:?}, got {got:?}").into()) }
}

fn state(error: &tokio_postgres::Error) -> &str {
    error.code().map_or("", |code| code.code())
}

async fn parameters_in_binary() -> Checked {
    let client = demo().await?;
    let moment: DateTime<Utc> = "2026-11-18T15:42:00.123456Z".parse()?;
    let day = NaiveDate::from_ymd_opt(2026, 2, 3).ok_or("no such day")?;
    let bytes: &[u8] = &[0, 1, 255];
    let names: Vec<Option<&str>> = vec![Some("a,b"), None, Some("")];
    let row = client
        .query_one(
            "SELECT $1::int2, $2::int4, $3::int8, $4::float4, $5::float8, $6::bool, $7::text, $8::bytea, $9::timestamptz, \
             $10::date, $11::text[], $12::oid, $13::text",
            &[&7i16, &-8i32, &(1i64 << 40), &0.5f32, &1e-9f64, &true, &"é 漢 🙂", &bytes, &moment, &day, &names, &(42 as Oid), &None::<&str>],
        )
        .await?;
    expect((7i16, -8i32, 1i64 << 40), (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))?;
    expect((0.5f32, 1e-9f64, true), (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?))?;
    expect("é 漢 🙂", row.try_get::<_, &str>(6)?)?;
    expect(bytes, row.try_get::<_, &[u8]>(7)?)?;
    expect((moment, day), (row.try_get(8)?, row.try_get(9)?))?;
    expect(names, row.try_get::<_, Vec<Option<&str>>>(10)?)?;
    expect((42 as Oid, None::<&str>), (row.try_get(11)?, row.try_get(12)?))
}

async fn json_in_binary() -> Checked {
    let given = json!({"a": [1, null, "x"]});
    let row = demo().await?.query_one("SELECT $1::jsonb, $2::json", &[&given, &given]).await?;
    expect((given.clone(), given), (row.try_get(0)?, row.try_get(1)?))
}

async fn inferred_parameters() -> Checked {
    let client = demo().await?;
    let statement = client
        .prepare("SELECT event_id, severity FROM cloudtrail WHERE action = ANY($1) AND \"time\" > $2 LIMIT $3")
        .await?;
    expect(&[Type::TEXT_ARRAY, Type::TIMESTAMPTZ, Type::INT8][..], statement.params())?;
    expect(vec![Type::TEXT, Type::INT2], statement.columns().iter().map(|column| column.type_().clone()).collect())?;
    let since: DateTime<Utc> = "2020-01-01T00:00:00Z".parse()?;
    let rows = client.query(&statement, &[&vec!["ConsoleLogin"], &since, &3i64]).await?;
    expect(3, rows.len())
}

async fn pipelined_queries() -> Checked {
    let client = demo().await?;
    let numbers = futures::future::try_join_all((0..50i32).map(|n| {
        let client = &client;
        async move { client.query_one("SELECT $1::int4 * 2", &[&n]).await?.try_get::<_, i32>(0) }
    }))
    .await?;
    expect((0..50).map(|n| n * 2).collect::<Vec<i32>>(), numbers)
}

async fn portals() -> Checked {
    let mut client = demo().await?;
    let transaction = client.transaction().await?;
    let portal = transaction.bind("SELECT event_id FROM cloudtrail ORDER BY event_id LIMIT 95", &[]).await?;
    let mut parts = Vec::new();
    loop {
        let rows = transaction.query_portal(&portal, 40).await?;
        if rows.is_empty() {
            break;
        }
        parts.push(rows.len());
    }
    expect(vec![40, 40, 15], parts)?;
    Ok(transaction.commit().await?)
}

async fn savepoints() -> Checked {
    let mut client = demo().await?;
    let mut transaction = client.transaction().await?;
    let inner = transaction.savepoint("before").await?;
    let failed = inner.query("SELECT 1/0", &[]).await.err().ok_or("no error")?;
    expect("22012", state(&failed))?;
    inner.rollback().await?;
    expect(3, transaction.query_one("SELECT 3", &[]).await?.try_get(0)?)?;
    Ok(transaction.rollback().await?)
}

async fn copy_out() -> Checked {
    let client = demo().await?;
    let stream = client.copy_out("COPY (SELECT event_id FROM cloudtrail LIMIT 77) TO STDOUT").await?;
    let parts: Vec<_> = stream.try_collect().await?;
    expect(77, parts.concat().iter().filter(|byte| **byte == b'\n').count())
}

async fn simple_queries() -> Checked {
    let messages = demo().await?.simple_query("SELECT 1 AS one; SHOW server_version; SELECT NULL").await?;
    let rows: Vec<_> = messages
        .iter()
        .filter_map(|message| if let SimpleQueryMessage::Row(row) = message { Some(row.get(0)) } else { None })
        .collect();
    expect(3, rows.len())?;
    expect((Some("1"), None), (rows[0], rows[2]))
}

async fn error_fields() -> Checked {
    let client = demo().await?;
    let error = client.query("SELECT actr_name FROM cloudtrail", &[]).await.err().ok_or("no error")?;
    let told = error.as_db_error().ok_or("no error of the server")?;
    expect("42703", told.code().code())?;
    expect(Some(&tokio_postgres::error::ErrorPosition::Original(8)), told.position())?;
    expect(true, told.hint().is_some_and(|hint| hint.contains("actor_name")))?;
    expect(1, client.query_one("SELECT 1", &[]).await?.try_get(0)?)
}

async fn cancel_token() -> Checked {
    let client = demo().await?;
    let token = client.cancel_token();
    let started = Instant::now();
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        token.cancel_query(NoTls).await
    };
    let (result, cancelled) = tokio::join!(client.query(HEAVY, &[]), cancel);
    cancelled?;
    expect("57014", state(&result.err().ok_or("no error")?))?;
    expect(true, started.elapsed() < Duration::from_millis(1800))?;
    expect(1, client.query_one("SELECT 1", &[]).await?.try_get(0)?)
}

async fn cancel_while_streaming() -> Checked {
    let client = connect(&config("E2E_WIDE")).await?;
    let token = client.cancel_token();
    let mut rows = std::pin::pin!(client.query_raw(STREAM, std::iter::empty::<i32>()).await?);
    for _ in 0..100 {
        rows.next().await.ok_or("no row")??;
    }
    let started = Instant::now();
    token.cancel_query(NoTls).await?;
    let error = loop {
        match rows.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => return Err("the rows came to an end".into()),
        }
    };
    expect("57014", state(&error))?;
    expect(true, started.elapsed() < Duration::from_millis(1500))
}

async fn scram() -> Checked {
    if setting("E2E_PRODUCT").is_empty() {
        return Ok(());
    }
    let ann = config("E2E_ANN");
    let row = connect(&ann).await?.query_one("SELECT current_user::text", &[]).await?;
    expect(setting("E2E_ANN"), row.try_get(0)?)?;
    let mut mallory = config("E2E_MALLORY");
    mallory.password("wrong");
    expect("28P01", state(&connect(&mallory).await.err().ok_or("let in")?))
}

macro_rules! checks {
    ($($name:literal $check:ident,)*) => {
        async fn run_all() {
            $(report($name, $check()).await;)*
        }
    };
}

checks! {
    "parameters of every type in binary" parameters_in_binary,
    "JSON in binary" json_in_binary,
    "parameter types are inferred" inferred_parameters,
    "pipelined queries" pipelined_queries,
    "a portal with a row limit" portals,
    "savepoints" savepoints,
    "COPY gives the rows" copy_out,
    "simple queries" simple_queries,
    "an error has its fields" error_fields,
    "a cancel token stops a statement" cancel_token,
    "a cancel token stops a stream" cancel_while_streaming,
    "SCRAM with the right and the wrong password" scram,
}

async fn report(name: &str, check: impl Future<Output = Checked>) {
    let error = match tokio::time::timeout(Duration::from_secs(20), check).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error} ({error:?})")),
        Err(_) => Some("not within 20 s".to_owned()),
    };
    println!("{}", json!({"name": name, "error": error}));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    run_all().await;
}
