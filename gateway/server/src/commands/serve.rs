use std::sync::Arc;
use std::time::Duration;

use mantissa_wire::{Listeners, RequireTls, Tls, WireConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::cli::ServeArguments;
use crate::config::Config;
use crate::wiring::{self, Mantissa};

/// `mantissa serve`: until SIGINT or SIGTERM.
pub async fn run(mut config: Config, arguments: ServeArguments) -> Result<(), Failure> {
    if !arguments.listen.is_empty() {
        config.server.listen = arguments.listen;
    }
    let listeners = bind(&config.server.listen).await?;
    let mantissa = wiring::open(&config, wiring::geo_source(&config)?).await?;
    if mantissa.store.list_users().await?.is_empty() {
        eprintln!("mantissa: there is no user yet; add one with: mantissa user add NAME");
    }
    let wire = wire_config(&config)?;
    for listener in &listeners {
        if let Ok(address) = listener.local_addr() {
            eprintln!("mantissa: listening on {address}, database {}", wiring::LAKE);
        }
    }
    serve(mantissa, listeners, wire).await
}

/// Serves until a signal, then drains what runs and writes what is queued.
pub async fn serve(mantissa: Mantissa, listeners: Vec<TcpListener>, wire: WireConfig) -> Result<(), Failure> {
    wiring::follow(mantissa.lake.clone());
    let shutdown = CancellationToken::new();
    tokio::spawn(signals(shutdown.clone()));
    let listeners = Listeners { tcp: listeners, unix: Vec::new() };
    mantissa_wire::serve(listeners, Arc::clone(&mantissa.gateway), wire, shutdown)
        .await
        .map_err(|error| Failure::message(error.to_string()))?;
    mantissa.store.close().await?;
    Ok(())
}

pub async fn bind(addresses: &[String]) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::message(format!("cannot listen on {address}: {error}"))
                .hint("Choose another one: serve --listen HOST:PORT, demo --port N.")
        })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// The wire's configuration: TLS from the configured files, or from a self-signed certificate in the data folder.
pub fn wire_config(config: &Config) -> Result<WireConfig, Failure> {
    let tls = match (&config.server.tls_certificate, &config.server.tls_key) {
        (Some(certificate), Some(key)) => Tls::load(certificate, key),
        _ => Tls::self_signed(&config.data, &["localhost".to_owned(), "127.0.0.1".to_owned()]),
    };
    let tls = tls.map_err(|error| Failure::message(error.to_string()))?;
    let idle = config.server.idle_timeout;
    Ok(WireConfig {
        tls: Some(tls),
        require_tls: if config.server.require_tls { RequireTls::ExceptLoopback } else { RequireTls::No },
        authentication_timeout: Duration::from_secs(config.server.authentication_timeout),
        idle_session_timeout: (idle > 0).then(|| Duration::from_secs(idle)),
        max_sockets: config.server.max_connections + 100,
        ..WireConfig::default()
    })
}

/// Waits for SIGINT or SIGTERM.
async fn signals(shutdown: CancellationToken) {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be caught");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
    shutdown.cancel();
}
