//! What an engine reports.

use mantissa_core::{ErrorKind, Problem};

/// What goes wrong inside an engine before or beside a query engine's own errors.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not start the query engine's threads")]
    Runtime(#[source] std::io::Error),

    #[error("could not prepare the query engine's environment")]
    Environment(#[source] ::datafusion::error::DataFusionError),

    #[error("there is no dialect named \"{0}\"")]
    Dialect(&'static str),

    #[error("a lake file could not be opened: {path}")]
    LakeFile { path: String, source: std::io::Error },

    #[error("the query engine stopped without an answer")]
    Stopped,
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Runtime(_) | Error::Environment(_) | Error::Dialect(_) => ErrorKind::ConfigurationInvalid,
            Error::LakeFile { .. } => ErrorKind::IoError,
            Error::Stopped => ErrorKind::Internal,
        }
    }

    /// The message without paths, for a client.
    pub fn client_message(&self) -> String {
        match self {
            Error::LakeFile { .. } => "could not read a file of the lake".to_owned(),
            other => other.to_string(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::new(error.kind(), error.client_message()).caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_does_not_see_paths() {
        let source = std::io::Error::other("no such file");
        let problem = Problem::from(Error::LakeFile { path: "/srv/lake/a.parquet".into(), source });
        assert_eq!((problem.kind, problem.message.as_str()), (ErrorKind::IoError, "could not read a file of the lake"));
    }
}
