//! Accepts connections, logs them in, keeps them apart, and ends them in order.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt, stream};
use mantissa_core::{ErrorKind, Problem};
use mantissa_query::{Gateway, Login, Session};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auth::Authenticator;
use crate::backend;
use crate::config::{RequireTls, WireConfig};
use crate::connection::{Connection, Limits};
use crate::error::{Stop, WireError};
use crate::startup::{self, Opening, Startup};
use crate::transport::{Socket, Transport};

/// After the grace time statements are cancelled, and get this long to say so.
const CANCEL_GRACE: Duration = Duration::from_secs(2);
/// A pause after accept fails, as it does while the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// Where clients come in.
#[derive(Debug, Default)]
pub struct Listeners {
    pub tcp: Vec<TcpListener>,
    pub unix: Vec<UnixListener>,
}

type Accepted = io::Result<(Socket, Option<SocketAddr>)>;

impl Listeners {
    fn accept(self) -> SelectAll<BoxStream<'static, Accepted>> {
        let tcp = self.tcp.into_iter().map(|listener| {
            stream::unfold(listener, |listener| async move {
                let accepted = listener.accept().await.map(|(stream, peer)| (Socket::Tcp(stream), Some(peer)));
                Some((accepted, listener))
            })
            .boxed()
        });
        let unix = self.unix.into_iter().map(|listener| {
            stream::unfold(listener, |listener| async move {
                let accepted = listener.accept().await.map(|(stream, _)| (Socket::Unix(stream), None));
                Some((accepted, listener))
            })
            .boxed()
        });
        stream::select_all(tcp.chain(unix))
    }
}

/// What every connection shares.
struct Server {
    gateway: Arc<Gateway>,
    config: WireConfig,
    limits: Arc<Limits>,
    /// Makes the salts of users that do not exist: fixed as long as the certificate is, so that a restart tells nothing.
    seed: [u8; 32],
}

/// Serves clients on `listeners` until `shutdown` fires. Then idle sessions end at once, running statements within
/// `shutdown_grace`; returns when the last connection is gone.
///
/// # Errors
/// `NoListener`. Trouble of single connections ends only these.
pub async fn serve(
    listeners: Listeners,
    gateway: Arc<Gateway>,
    config: WireConfig,
    shutdown: CancellationToken,
) -> Result<(), WireError> {
    if listeners.tcp.is_empty() && listeners.unix.is_empty() {
        return Err(WireError::NoListener);
    }
    let seed = config.tls.as_ref().map_or_else(rand::random, |tls| tls.seed);
    let limits = Arc::new(Limits {
        max_message_bytes: config.max_message_bytes,
        idle_session_timeout: config.idle_session_timeout,
    });
    let server = Arc::new(Server { gateway, config, limits, seed });
    let mut connections = JoinSet::new();
    let mut incoming = listeners.accept();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => reap(ended),
            Some(accepted) = incoming.next() => match accepted {
                Ok((socket, peer)) => {
                    let full = connections.len() >= server.config.max_sockets;
                    let draining = shutdown.child_token();
                    connections.spawn(connection(Arc::clone(&server), socket, peer, draining, full));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(incoming);
    drain(&server, connections).await;
    Ok(())
}

async fn drain(server: &Server, mut connections: JoinSet<()>) {
    let all_gone = async |connections: &mut JoinSet<()>, time: Duration| {
        let gone = async {
            while let Some(ended) = connections.join_next().await {
                reap(ended);
            }
        };
        tokio::time::timeout(time, gone).await.is_ok()
    };
    if all_gone(&mut connections, server.config.shutdown_grace).await {
        return;
    }
    server.gateway.activity().terminate_all();
    if !all_gone(&mut connections, CANCEL_GRACE).await {
        tracing::warn!(connections = connections.len(), "connections cut off at shutdown");
        connections.shutdown().await;
    }
}

fn reap(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended.as_ref()
        && error.is_panic()
    {
        tracing::error!(%error, "a connection panicked while logging in");
    }
}

async fn connection(
    server: Arc<Server>,
    socket: Socket,
    peer: Option<SocketAddr>,
    draining: CancellationToken,
    full: bool,
) {
    if let Socket::Tcp(stream) = &socket
        && let Err(error) = tune(stream)
    {
        tracing::debug!(%error, "socket options could not be set");
    }
    let mut transport = Transport::new(socket, server.config.stalled_client_timeout);
    if full {
        let problem = Problem::new(ErrorKind::TooManyConnections, "sorry, too many clients already");
        return transport.farewell(&problem).await;
    }
    let login = Box::pin(log_in(&server, transport, peer));
    let opened = tokio::select! {
        opened = tokio::time::timeout(server.config.authentication_timeout, login) => opened,
        () = draining.cancelled() => return,
    };
    let (mut transport, session) = match opened {
        Ok(Ok(Some(opened))) => opened,
        Ok(Ok(None)) => return,
        Ok(Err((Some(mut transport), Stop::Fatal(problem)))) => return transport.farewell(&problem).await,
        Ok(Err(_)) => return,
        Err(_) => return tracing::debug!(?peer, "authentication timed out"),
    };
    let limits = Arc::clone(&server.limits);
    drop(server);
    let running = Connection::new(&mut transport, session, draining, limits).run();
    let ended = AssertUnwindSafe(running).catch_unwind().await;
    Box::pin(end(transport, ended)).await;
}

async fn end(mut transport: Transport, ended: Result<Stop, Box<dyn Any + Send>>) {
    match ended {
        Ok(Stop::Goodbye | Stop::Gone) => transport.close().await,
        Ok(Stop::Fatal(problem)) => transport.farewell(&problem).await,
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().copied();
            let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown");
            tracing::error!(panic = said, "a session panicked");
            // A message may be half written.
            transport.output.clear();
            let problem = Problem::new(ErrorKind::Internal, "the session ended because of an internal error")
                .hint("Connect again. Other sessions are not affected.");
            transport.farewell(&problem).await;
        }
    }
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

type Refused = (Option<Transport>, Stop);

/// From the first byte to the first ReadyForQuery. `None` where the connection was for a cancel request.
async fn log_in(
    server: &Server,
    transport: Transport,
    peer: Option<SocketAddr>,
) -> Result<Option<(Transport, Box<Session>)>, Refused> {
    let (mut transport, opening) = startup::receive(transport, server.config.tls.as_ref()).await?;
    match opening {
        Opening::Cancel { pid, secret } => {
            // No answer either way, as in Postgres: it would tell which keys exist.
            server.gateway.activity().cancel(pid, &secret);
            transport.close().await;
            Ok(None)
        }
        Opening::Session(startup) => match open(server, &mut transport, startup, peer).await {
            Ok(session) => Ok(Some((transport, Box::new(session)))),
            Err(stop) => Err((Some(transport), stop)),
        },
    }
}

async fn open(
    server: &Server,
    transport: &mut Transport,
    startup: Startup,
    peer: Option<SocketAddr>,
) -> Result<Session, Stop> {
    let config = &server.config;
    // IPv4 clients of a dual-stack listener are loopback in their mapped form too.
    let local = peer.is_none_or(|peer| peer.ip().to_canonical().is_loopback());
    check_tls(config.require_tls, transport, peer.is_none(), local)?;
    startup.negotiate(&mut transport.output);
    let channel_binding =
        config.tls.as_ref().filter(|_| transport.is_tls()).and_then(|tls| tls.channel_binding.as_ref());
    let authenticator = Authenticator {
        gateway: &server.gateway,
        trusted: config.trust.as_deref().filter(|_| local),
        channel_binding,
        seed: &server.seed,
    };
    let identity = authenticator.authenticate(&startup.user, transport).await?;
    let long_key = startup.takes_long_key();
    let login = Login {
        identity,
        database: startup.database.unwrap_or_else(|| config.default_database.clone()),
        application_name: startup.application_name,
        client: peer,
        options: startup.options,
    };
    let mut session = server.gateway.open(login).await?;
    if !long_key {
        session.use_short_key();
    }
    for (name, value) in session.parameter_status() {
        backend::parameter_status(name, &value, &mut transport.output);
    }
    backend::backend_key(session.pid(), session.secret_key(), &mut transport.output);
    for notice in session.take_notices() {
        backend::notice(&notice, &mut transport.output);
    }
    backend::ready(session.status(), &mut transport.output);
    Ok(session)
}

fn check_tls(require: RequireTls, transport: &Transport, unix: bool, local: bool) -> Result<(), Stop> {
    let refused = match require {
        RequireTls::No => false,
        RequireTls::ExceptLoopback => !local,
        RequireTls::Always => !unix,
    };
    if !refused || transport.is_tls() {
        return Ok(());
    }
    Err(Problem::new(ErrorKind::InvalidAuthorization, "connection without encryption refused")
        .hint("Connect with sslmode=require or stronger.")
        .into())
}
