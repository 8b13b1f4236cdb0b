use std::io;
use std::path::PathBuf;

use mantissa_core::{ErrorKind, Problem};

/// Why the server does not start or stopped accepting.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("could not read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} holds no certificate in PEM form")]
    NoCertificate { path: PathBuf },
    #[error("{path} holds no private key in PEM form")]
    NoPrivateKey { path: PathBuf },
    #[error("certificate {certificate} and key {key} do not serve TLS")]
    UnusableCertificate { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("a self-signed certificate could not be made")]
    SelfSigned { source: rcgen::Error },
    #[error("no address to listen on")]
    NoListener,
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        let kind = match &error {
            WireError::Read { .. } | WireError::Write { .. } => ErrorKind::IoError,
            WireError::SelfSigned { .. } => ErrorKind::Internal,
            _ => ErrorKind::ConfigurationInvalid,
        };
        Problem::new(kind, error.to_string()).caused_by(error)
    }
}

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Terminate, or a closed socket between messages.
    Goodbye,
    /// The socket broke or closed in the middle of something.
    Gone,
    /// The client is told, as FATAL.
    Fatal(Box<Problem>),
}

impl Stop {
    pub fn fatal(kind: ErrorKind, message: impl Into<String>) -> Self {
        Stop::Fatal(Box::new(Problem::new(kind, message)))
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Stop::Fatal(Box::new(problem))
    }
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Stop::Gone
    }
}

/// What ends a statement early: an error that the client is told of, or the connection's own end.
#[derive(Debug)]
pub(crate) enum Interrupt {
    Problem(Box<Problem>),
    Stop(Stop),
}

impl From<Problem> for Interrupt {
    fn from(problem: Problem) -> Self {
        // A session that is told to end says so through the statement that runs.
        match problem.kind {
            ErrorKind::AdminShutdown => Interrupt::Stop(problem.into()),
            _ => Interrupt::Problem(Box::new(problem)),
        }
    }
}

impl From<Stop> for Interrupt {
    fn from(stop: Stop) -> Self {
        Interrupt::Stop(stop)
    }
}

impl From<crate::encode::EncodeError> for Interrupt {
    fn from(error: crate::encode::EncodeError) -> Self {
        Problem::from(error).into()
    }
}
