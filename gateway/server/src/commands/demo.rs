use std::path::PathBuf;

use chrono::{DateTime, Utc};
use mantissa_core::UserName;
use mantissa_lake::{GeoRange, GeoSource, Lake, Place};
use mantissa_sample::{SampleSpec, generate, geo_ranges};
use mantissa_store::NewUser;
use tokio::net::TcpListener;

use super::{Failure, serve};
use crate::cli::DemoArguments;
use crate::config::Config;
use crate::progress;
use crate::wiring::{self, Mantissa};

/// The user who needs no password, on loopback only.
const USER: &str = "demo";

/// Questions that the sample has rows for.
const QUESTIONS: [&str; 3] = [
    "failed console logins by root",
    "failed logins from outside the US this week",
    "top 10 source IPs by failed logins",
];

/// `mantissa demo`: a sample lake, served on loopback to user `demo`.
pub async fn run(mut config: Config, arguments: DemoArguments, data_given: bool) -> Result<(), Failure> {
    if !data_given {
        config.data = demo_folder(&arguments);
    }
    let listener = listen(arguments.port).await?;
    let address = listener.local_addr().map_err(|error| Failure::message(error.to_string()))?;
    let mantissa = wiring::open(&config, demo_geo()?).await?;
    if arguments.events > 0 {
        let (lake, spec) = (mantissa.lake.clone(), spec(&arguments, Utc::now()));
        let work = tokio::task::spawn_blocking(move || fill(&lake, &spec));
        work.await.map_err(|error| Failure::message(format!("the generator ended abruptly: {error}")))??;
    }
    ensure_user(&mantissa).await?;
    let wire = mantissa_wire::WireConfig { trust: Some(USER.to_owned()), ..serve::wire_config(&config)? };
    greet(address.port(), &mantissa.lake);
    serve::serve(mantissa, vec![listener], wire).await
}

/// One folder a sample: a second start with the same numbers finds its events there.
fn demo_folder(arguments: &DemoArguments) -> PathBuf {
    let day = Utc::now().format("%Y-%m-%d");
    std::env::temp_dir().join(format!("mantissa-demo-{}-{}-{day}", arguments.events, arguments.seed))
}

/// The sample ends at the last full hour, so that a restart within the hour finds the same events.
fn spec(arguments: &DemoArguments, now: DateTime<Utc>) -> SampleSpec {
    let hour = now.timestamp() / 3600 * 3600;
    let end = DateTime::from_timestamp(hour, 0).unwrap_or(now);
    SampleSpec { events: arguments.events, days: SampleSpec::DAYS, seed: arguments.seed, end }
}

fn demo_geo() -> Result<GeoSource, Failure> {
    let ranges = geo_ranges()
        .into_iter()
        .map(|range| GeoRange {
            cidr: range.cidr.to_string(),
            place: Place {
                country: Some(range.country.to_string()),
                city: Some(range.city.to_string()),
                asn: Some(i64::from(range.asn)),
                as_org: Some(range.as_org.to_string()),
            },
        })
        .collect();
    Ok(GeoSource::from_ranges(ranges)?)
}

/// Generates the events and loads them like anyone's logs. Does nothing where the lake holds a sample already.
fn fill(lake: &Lake, spec: &SampleSpec) -> Result<(), Failure> {
    let held: u64 = rows(lake);
    if held > 0 {
        eprintln!("mantissa: serving the {held} events that the folder holds");
        return Ok(());
    }
    let bar = progress::bar(spec.events, "generating");
    let mut session = lake.session()?;
    for chunk in generate(spec) {
        session.push_bytes(chunk.source, &chunk.name, &chunk.bytes)?;
        bar.inc(chunk.events);
    }
    session.commit()?;
    bar.finish_and_clear();
    Ok(())
}

async fn ensure_user(mantissa: &Mantissa) -> Result<(), Failure> {
    let name = UserName::new(USER);
    if mantissa.store.user(&name).await?.is_none() {
        let roles = vec![mantissa_store::Role::READER.to_owned()];
        mantissa.store.add_user(NewUser { name, password: None, roles }).await?;
    }
    Ok(())
}

async fn listen(port: Option<u16>) -> Result<TcpListener, Failure> {
    if let Some(port) = port {
        let mut listeners = serve::bind(&[format!("127.0.0.1:{port}")]).await?;
        return listeners.pop().ok_or_else(|| Failure::message("no address to listen on"));
    }
    if let Ok(listener) = TcpListener::bind("127.0.0.1:5432").await {
        return Ok(listener);
    }
    TcpListener::bind("127.0.0.1:0").await.map_err(|error| Failure::message(format!("no port is free: {error}")))
}

fn rows(lake: &Lake) -> u64 {
    lake.snapshot().tables.values().map(|table| table.rows).sum()
}

fn greet(port: u16, lake: &Lake) {
    say!("Serving {} events. Connect with", rows(lake));
    say!("");
    say!("  psql -h 127.0.0.1 -p {port} -U {USER} {}", wiring::LAKE);
    say!(
        "  postgresql://{USER}@127.0.0.1:{port}/{}        (DBeaver, Grafana, Metabase, drivers; no password)",
        wiring::LAKE
    );
    say!("");
    say!("and try");
    say!("");
    for question in QUESTIONS {
        say!("  ASK '{question}';");
    }
    say!("");
    say!("docs/demo.md lists the attacks hidden in the events. Stop with Ctrl-C.");
}
