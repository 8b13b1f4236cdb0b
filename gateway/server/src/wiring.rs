//! What is made of what: store, lake, engines, gateway.

use std::sync::Arc;
use std::time::Duration;

use mantissa_core::{Catalog, CatalogSource, Identity, Problem, SystemClock, UserName};
use mantissa_engines::datafusion::{Config as EngineConfig, DataFusionEngine};
use mantissa_lake::{GeoSource, Lake, LakeOptions};
use mantissa_pg_catalog::PgCatalogEngine;
use mantissa_query::{AuditTable, Database, Engine, Gateway, GatewayParts, SystemTable};
use mantissa_store::{SqliteStore, Store, StoreOptions};

use crate::commands::Failure;
use crate::config::{Config, prepare_data_folder};

/// Name of the database on the embedded engine; the default.
pub const LAKE: &str = "lake";

/// How often the server looks for what another process has loaded.
const REFRESH: Duration = Duration::from_secs(1);

/// The parts of a running installation.
pub struct Mantissa {
    pub gateway: Arc<Gateway>,
    pub lake: Lake,
    pub store: Arc<dyn Store>,
}

/// Opens store, lake and engines over the data folder.
pub async fn open(config: &Config, geo: GeoSource) -> Result<Mantissa, Failure> {
    let lake = open_lake(config, geo)?;
    let store = open_store(config).await?;
    let engine = DataFusionEngine::new(Arc::new(lake.clone()), &engine_config(config)).map_err(Problem::from)?;
    let engine: Arc<dyn Engine> = Arc::new(
        engine.with_origins(Arc::new(|table, column| Some(mantissa_pg_catalog::relations::origin(table, column)))),
    );
    let tables: Vec<Arc<dyn SystemTable>> = vec![Arc::new(AuditTable::new(Arc::clone(&store)))];
    let catalog: Arc<dyn CatalogSource> = Arc::new(lake.clone());
    let system = PgCatalogEngine::new(Arc::clone(&catalog), tables);
    let gateway = Gateway::new(GatewayParts {
        catalog,
        databases: vec![Database { name: LAKE.to_owned(), engine }],
        system: Arc::new(system),
        store: Arc::clone(&store),
        clock: Arc::new(SystemClock),
        max_connections: config.server.max_connections,
    });
    Ok(Mantissa { gateway, lake, store })
}

fn engine_config(config: &Config) -> EngineConfig {
    EngineConfig { memory_limit: config.engine.memory_mib << 20, ..EngineConfig::default() }
}

pub fn open_lake(config: &Config, geo: GeoSource) -> Result<Lake, Failure> {
    prepare_data_folder(&config.data).map_err(Failure::message)?;
    let options = LakeOptions { geo, ..LakeOptions::default() };
    Ok(Lake::create(&config.data, options)?)
}

pub async fn open_store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    prepare_data_folder(&config.data).map_err(Failure::message)?;
    let options = StoreOptions { default_ceilings: config.limits.ceilings() };
    let store = SqliteStore::open(&config.data, options).await?;
    Ok(Arc::new(store))
}

/// The MMDB files of the configuration.
pub fn geo_source(config: &Config) -> Result<GeoSource, Failure> {
    let files: Vec<_> = [&config.geo.city_mmdb, &config.geo.asn_mmdb].into_iter().flatten().collect();
    if files.is_empty() {
        return Ok(GeoSource::None);
    }
    Ok(GeoSource::open_mmdb(&files)?)
}

/// Keeps the lake up to date with what other processes load, until dropped with its runtime.
pub fn follow(lake: Lake) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(REFRESH);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let lake = lake.clone();
            match tokio::task::spawn_blocking(move || lake.refresh()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::error!(%error, "the lake could not be refreshed"),
                Err(error) => tracing::error!(%error, "the lake's refresh ended abruptly"),
            }
        }
    });
}

/// The person at the command line: reads everything, because they own the files.
pub fn operator(config: &Config) -> Identity {
    let name = std::env::var("USER").unwrap_or_else(|_| "operator".to_owned());
    Identity {
        user: UserName::new(name),
        admin: true,
        ceilings: config.limits.ceilings(),
        ..Identity::reader("operator")
    }
}

/// Tables of the lake's catalog by bare name.
pub fn has_table(catalog: &Catalog, name: &str) -> bool {
    catalog.tables.iter().any(|table| table.name.schema == Catalog::LOGS && table.name.name == name)
}
