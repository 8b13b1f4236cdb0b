use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::config::{ChannelBinding as Binding, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{ChannelBinding, TlsConnect};
use tokio_postgres::{Config, NoTls};

use super::harness::*;
use crate::{Listeners, RequireTls, Tls, WireConfig, WireError, serve};

/// TLS for tokio-postgres: trusts one certificate, and binds SCRAM to it.
#[derive(Clone)]
struct Connector {
    tls: tokio_rustls::TlsConnector,
    certificate: CertificateDer<'static>,
}

struct Encrypted(tokio_rustls::client::TlsStream<TcpStream>, Vec<u8>);

impl TlsConnect<TcpStream> for Connector {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from("localhost").unwrap();
            let stream = self.tls.connect(name, stream).await?;
            Ok(Encrypted(stream, Sha256::digest(&self.certificate).to_vec()))
        })
    }
}

impl tokio_postgres::tls::TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::tls_server_end_point(self.1.clone())
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

struct Secured {
    server: TestServer,
    connector: Connector,
    _files: tempfile::TempDir,
}

async fn secured(config: WireConfig) -> Secured {
    let files = tempfile::tempdir().unwrap();
    let tls = Tls::self_signed(files.path(), &[]).unwrap();
    let certificate = CertificateDer::from_pem_file(files.path().join("server.crt")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = Connector { tls: Arc::new(client).into(), certificate };
    let server = start(WireConfig { tls: Some(tls), ..config }).await;
    Secured { server, connector, _files: files }
}

impl Secured {
    /// Logs in over TLS and runs a statement.
    async fn log_in(&self, password: &str, binding: Binding) -> Result<usize, tokio_postgres::Error> {
        let socket = TcpStream::connect(self.server.address).await.unwrap();
        let mut config = config(USER, password);
        config.ssl_mode(SslMode::Require).channel_binding(binding);
        let (client, connection) = config.connect_raw(socket, self.connector.clone()).await?;
        tokio::spawn(connection);
        client.query("SELECT n FROM numbers", &[]).await.map(|rows| rows.len())
    }
}

fn config(user: &str, password: &str) -> Config {
    let mut config = Config::new();
    config.user(user).password(password).dbname("lake");
    config
}

async fn plain(server: &TestServer, config: &Config) -> Result<(), tokio_postgres::Error> {
    let socket = TcpStream::connect(server.address).await.unwrap();
    let (client, connection) = config.connect_raw(socket, NoTls).await?;
    tokio::spawn(connection);
    client.query("SELECT n FROM numbers", &[]).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn scram_lets_in_who_knows_the_password() {
    let server = start(WireConfig::default()).await;
    plain(&server, &config(USER, PASSWORD)).await.unwrap();
    for (user, password) in [(USER, "wrong"), ("nobody", PASSWORD), (USER, "")] {
        let error = plain(&server, &config(user, password)).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code(), &SqlState::INVALID_PASSWORD);
        assert_eq!(error.message(), format!("password authentication failed for user \"{user}\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scram_plus_binds_to_the_certificate() {
    let secured = secured(WireConfig::default()).await;
    for binding in [Binding::Require, Binding::Prefer, Binding::Disable] {
        assert_eq!(secured.log_in(PASSWORD, binding).await.unwrap(), 25);
    }
    let error = secured.log_in("wrong", Binding::Require).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::INVALID_PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificates_binding_is_refused() {
    let mut secured = secured(WireConfig::default()).await;
    let right = secured.log_in(PASSWORD, Binding::Require).await;
    assert!(right.is_ok());
    secured.connector.certificate = CertificateDer::from(b"a certificate in the middle".to_vec());
    let error = secured.log_in(PASSWORD, Binding::Require).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION));
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_is_refused_where_tls_is_required() {
    let refused = secured(WireConfig { require_tls: RequireTls::Always, ..trusting() }).await;
    let error = plain(&refused.server, &config(USER, PASSWORD)).await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code(), &SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
    assert!(error.hint().unwrap().contains("sslmode=require"));
    let local = secured(WireConfig { require_tls: RequireTls::ExceptLoopback, ..WireConfig::default() }).await;
    plain(&local.server, &config(USER, PASSWORD)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_is_for_one_user() {
    let server = start(trusting()).await;
    plain(&server, &config(USER, "whatever")).await.unwrap();
    let error = plain(&server, &config("nobody", "whatever")).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::INVALID_PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_database_is_named() {
    let server = start(trusting()).await;
    let error = plain(&server, config(USER, "").dbname("attic")).await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!((error.code(), error.severity()), (&SqlState::INVALID_CATALOG_NAME, "FATAL"));
    let mut raw = Raw::connect(server.address);
    raw.send(&startup(3 << 16, b"user\0ann\0\0"));
    assert_eq!(raw.letters().chars().next(), Some('R'));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_before_the_start_are_answered() {
    let server = start(trusting()).await;
    let mut raw = Raw::connect(server.address);
    for request in [b"\0\0\0\x08\x04\xd2\x16\x30", b"\0\0\0\x08\x04\xd2\x16\x2f"] {
        raw.send(request);
        let mut answer = [0];
        io::Read::read_exact(&mut raw.0, &mut answer).unwrap();
        assert_eq!(&answer, b"N");
    }
    raw.send(&startup(3 << 16 | 9999, b"user\0ann\0_pq_.later\x001\0\0"));
    let messages = raw.until(b'Z');
    assert_eq!(messages[0], (b'v', b"\0\x03\0\x02\0\0\0\x01_pq_.later\0".to_vec()));
    let key = messages.iter().find(|(kind, _)| *kind == b'K').unwrap();
    assert_eq!(key.1.len(), 4 + 32);
    for name in ["server_version", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"] {
        assert!(messages.iter().any(|(kind, body)| *kind == b'S' && body.starts_with(name.as_bytes())), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_always_gets_the_same_salt() {
    let server = start(WireConfig::default()).await;
    let salt = |user: &str| {
        let mut raw = Raw::connect(server.address);
        raw.send(&startup(3 << 16, format!("user\0{user}\0\0").as_bytes()));
        raw.next().unwrap();
        let first = b"n,,n=,r=abc";
        let body = [&b"SCRAM-SHA-256\0\0\0\0\x0b"[..], first].concat();
        raw.send(&frame(b'p', &body));
        let (_, answer) = raw.next().unwrap();
        String::from_utf8_lossy(&answer).split(',').find(|part| part.starts_with("s=")).unwrap().to_owned()
    };
    assert_eq!(salt("nobody"), salt("nobody"));
    assert_ne!(salt("nobody"), salt("nobody2"));
    assert_eq!(salt("nobody").len(), salt(USER).len());
}

#[tokio::test(flavor = "multi_thread")]
async fn unix_sockets_are_this_machine() {
    let server = start(trusting()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".s.PGSQL.5432");
    let listeners = Listeners { tcp: vec![], unix: vec![tokio::net::UnixListener::bind(&path).unwrap()] };
    let config = WireConfig { require_tls: RequireTls::Always, ..trusting() };
    tokio::spawn(serve(listeners, Arc::clone(&server.gateway), config, server.shutdown.clone()));
    let mut config = config_of_host(directory.path());
    let (client, connection) = config.user(USER).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(client.query("SELECT n FROM numbers", &[]).await.unwrap().len(), 25);
}

fn config_of_host(directory: &std::path::Path) -> Config {
    let mut config = Config::new();
    config.host_path(directory).port(5432).dbname("lake");
    config
}

#[tokio::test]
async fn a_server_without_an_address_does_not_start() {
    let server = start(trusting()).await;
    let gateway = Arc::clone(&server.gateway);
    let served = serve(Listeners::default(), gateway, trusting(), server.shutdown.clone()).await;
    assert!(matches!(served, Err(WireError::NoListener)));
}
