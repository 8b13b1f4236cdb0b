use std::time::Duration;

use crate::tls::Tls;

/// Who may connect without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequireTls {
    /// Everybody may.
    #[default]
    No,
    /// Only clients on this machine: loopback addresses and Unix sockets.
    ExceptLoopback,
    /// Nobody. Unix sockets still are: they never leave the machine.
    Always,
}

/// How the server talks to clients.
#[derive(Debug, Clone)]
pub struct WireConfig {
    /// `None`: TLS is refused, and SCRAM runs without channel binding.
    pub tls: Option<Tls>,
    pub require_tls: RequireTls,
    /// The one user who needs no password, on loopback and Unix sockets only.
    pub trust: Option<String>,
    /// Where a client goes that names no database.
    pub default_database: String,
    /// Sockets open at once, those still logging in included. The gateway counts sessions on its own.
    pub max_sockets: usize,
    /// From the connection to the end of the login.
    pub authentication_timeout: Duration,
    /// Ends a session that waits longer between statements, outside a transaction; `None` for never.
    pub idle_session_timeout: Option<Duration>,
    /// Ends a connection whose client takes no byte for so long.
    pub stalled_client_timeout: Duration,
    /// Bytes of one message of a logged-in client (a statement, the parameters of a Bind).
    pub max_message_bytes: usize,
    /// How long `serve` waits for statements to end once it is told to stop.
    pub shutdown_grace: Duration,
}

impl Default for WireConfig {
    fn default() -> Self {
        Self {
            tls: None,
            require_tls: RequireTls::No,
            trust: None,
            default_database: "lake".to_owned(),
            max_sockets: 10_000,
            authentication_timeout: Duration::from_secs(60),
            idle_session_timeout: None,
            stalled_client_timeout: Duration::from_secs(15 * 60),
            max_message_bytes: 64 << 20,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
