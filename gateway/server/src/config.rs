//! Configuration: mantissa.toml, then the environment (`MANTISSA__SECTION__KEY`), then flags. Every fault is listed.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use crate::cli::Arguments;

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the lake and the metadata.
    pub data: PathBuf,
    pub server: Server,
    pub engine: Engine,
    pub geo: Geo,
    pub limits: Limits,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    pub listen: Vec<String>,
    /// PEM files. Without them a self-signed certificate is made in the data folder.
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    /// Refuse clients without TLS. Loopback is exempt.
    pub require_tls: bool,
    pub max_connections: usize,
    /// Seconds that a session may stay idle; 0 for ever.
    pub idle_timeout: u64,
    /// Seconds from connect to the end of authentication.
    pub authentication_timeout: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// MiB that all running statements may use together.
    pub memory_mib: usize,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Geo {
    /// MaxMind databases that fill the country, city and network columns at ingest.
    pub city_mmdb: Option<PathBuf>,
    pub asn_mmdb: Option<PathBuf>,
}

/// Ceilings of roles that set none of their own.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub max_rows: u64,
    pub ask_rows: u64,
    /// Seconds.
    pub statement_timeout: u64,
    pub max_nesting: u32,
    pub max_usd_per_query: f64,
    pub max_usd_per_day: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "mantissa-data".into(),
            server: Server::default(),
            engine: Engine::default(),
            geo: Geo::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: vec!["127.0.0.1:5432".to_owned()],
            tls_certificate: None,
            tls_key: None,
            require_tls: true,
            max_connections: 2_500,
            idle_timeout: 0,
            authentication_timeout: 30,
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self { memory_mib: 2048 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let ceilings = mantissa_core::Ceilings::default();
        Self {
            max_rows: ceilings.max_rows,
            ask_rows: ceilings.ask_rows,
            statement_timeout: ceilings.statement_timeout.as_secs(),
            max_nesting: ceilings.max_nesting,
            max_usd_per_query: ceilings.max_usd_per_query,
            max_usd_per_day: ceilings.max_usd_per_day,
        }
    }
}

impl Limits {
    pub fn ceilings(&self) -> mantissa_core::Ceilings {
        mantissa_core::Ceilings {
            max_rows: self.max_rows,
            ask_rows: self.ask_rows,
            statement_timeout: std::time::Duration::from_secs(self.statement_timeout),
            max_nesting: self.max_nesting,
            max_usd_per_query: self.max_usd_per_query,
            max_usd_per_day: self.max_usd_per_day,
        }
    }
}

/// Everything that is wrong with a configuration, a line each, with where it was said.
#[derive(Debug, PartialEq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

/// Variables of the predecessor that keep working under their own names.
const INHERITED: &[(&str, &str)] = &[("MAX_RESULT_ROWS", "limits.ask_rows")];

impl Config {
    /// Reads and checks the configuration.
    pub fn load(arguments: &Arguments) -> Result<Self, Faults> {
        let file = match &arguments.config {
            Some(path) if !path.is_file() => {
                return Err(Faults(vec![format!("{}: there is no such file", path.display())]));
            }
            Some(path) => path.clone(),
            None => PathBuf::from("mantissa.toml"),
        };
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if file.is_file() {
            figment = figment.merge(Toml::file_exact(&file));
        }
        for (variable, key) in INHERITED {
            if let Ok(value) = std::env::var(variable) {
                let value = value
                    .parse::<i64>()
                    .map_or_else(|_| figment::value::Value::from(value), figment::value::Value::from);
                figment = figment.merge((key, value));
            }
        }
        figment = figment.merge(Env::prefixed("MANTISSA__").split("__"));
        if let Some(data) = &arguments.data {
            figment = figment.merge(("data", data));
        }
        let config: Config = figment.extract().map_err(|errors| Faults(errors.into_iter().map(describe).collect()))?;
        let faults = config.faults();
        if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, what: String| faults.push(format!("{key}: {what}"));
        if self.server.listen.is_empty() {
            fault("server.listen", "give at least one address".into());
        }
        for address in &self.server.listen {
            if address.parse::<SocketAddr>().is_err() {
                fault("server.listen", format!("\"{address}\" is no address; write 127.0.0.1:5432 or [::1]:5432"));
            }
        }
        if self.server.tls_certificate.is_some() != self.server.tls_key.is_some() {
            fault("server.tls_certificate", "give tls_certificate and tls_key together".into());
        }
        let files = [
            ("server.tls_certificate", &self.server.tls_certificate),
            ("server.tls_key", &self.server.tls_key),
            ("geo.city_mmdb", &self.geo.city_mmdb),
            ("geo.asn_mmdb", &self.geo.asn_mmdb),
        ];
        for (key, path) in files {
            if let Some(path) = path.as_ref().filter(|path| !path.is_file()) {
                fault(key, format!("there is no file {}", path.display()));
            }
        }
        let positive = [
            ("server.max_connections", self.server.max_connections as u64),
            ("server.authentication_timeout", self.server.authentication_timeout),
            ("limits.max_rows", self.limits.max_rows),
            ("limits.ask_rows", self.limits.ask_rows),
            ("limits.statement_timeout", self.limits.statement_timeout),
        ];
        for (key, value) in positive {
            if value == 0 {
                fault(key, "must be more than 0".into());
            }
        }
        if self.engine.memory_mib < 64 {
            fault("engine.memory_mib", format!("{} MiB is too little; give at least 64", self.engine.memory_mib));
        }
        faults
    }
}

/// One figment error: where it was said, and what is wrong.
fn describe(error: figment::Error) -> String {
    let key = error.path.join(".");
    let place = error.metadata.as_ref().map(|metadata| {
        metadata.source.as_ref().map_or_else(|| metadata.name.to_string(), |source| source.to_string())
    });
    match (place, key.is_empty()) {
        (Some(place), false) => format!("{place}: {key}: {}", error.kind),
        (Some(place), true) => format!("{place}: {}", error.kind),
        (None, _) => format!("{key}: {}", error.kind),
    }
}

/// Whether `path` can be used as the data folder: made where it is missing.
pub fn prepare_data_folder(path: &Path) -> Result<(), String> {
    std::fs::create_dir_all(path).map_err(|error| {
        format!("the data folder {} cannot be made: {error}; name another with --data", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_listed() {
        let mut config = Config::default();
        config.server.listen = vec!["nowhere".into()];
        config.server.tls_key = Some("/missing".into());
        config.limits.max_rows = 0;
        let faults = config.faults();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(faults.iter().any(|fault| fault.starts_with("server.tls_key: there is no file /missing")));
    }

    #[test]
    fn the_default_has_no_fault() {
        assert_eq!(Config::default().faults(), Vec::<String>::new());
    }
}
