use mantissa_core::{ErrorKind, Problem};

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("metadata database failed")]
    Database(#[from] sqlx::Error),
    #[error("cannot create the metadata database {path}")]
    Create {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("metadata database has schema version {found}, this program knows {known}")]
    NewerSchema { found: i64, known: i64 },
    #[error("metadata database holds a value that cannot be read: {0}")]
    Corrupt(&'static str),
    #[error("user \"{0}\" already exists")]
    DuplicateUser(String),
    #[error("user \"{0}\" does not exist")]
    UnknownUser(String),
    #[error("role \"{0}\" already exists")]
    DuplicateRole(String),
    #[error("role \"{0}\" does not exist")]
    UnknownRole(String),
    #[error("role \"{0}\" is built in")]
    BuiltInRole(String),
    #[error("role \"{role}\" is still held by {holders} users")]
    RoleInUse { role: String, holders: i64 },
    #[error("invalid name \"{0}\"")]
    InvalidName(String),
    #[error("password is empty")]
    EmptyPassword,
    #[error("malformed SCRAM-SHA-256 verifier")]
    MalformedVerifier,
    #[error("invalid value for {0}")]
    InvalidCeiling(&'static str),
    #[error("cost ceiling of {ceiling:.2} USD per day exceeded")]
    DayCeiling { ceiling: f64, spent: f64, asked: f64 },
    #[error("the audit trail cannot be written")]
    AuditUnavailable,
    #[error("the metadata database is closed")]
    Closed,
    #[error("background work was cancelled")]
    Cancelled,
}

impl StoreError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Database(_) | Self::Cancelled => ErrorKind::Internal,
            Self::Create { .. } | Self::AuditUnavailable => ErrorKind::IoError,
            Self::NewerSchema { .. } => ErrorKind::ConfigurationInvalid,
            Self::Corrupt(_) => ErrorKind::DataCorrupted,
            Self::DuplicateUser(_) | Self::DuplicateRole(_) => ErrorKind::DuplicateObject,
            Self::UnknownUser(_) | Self::UnknownRole(_) => ErrorKind::UndefinedObject,
            Self::BuiltInRole(_) | Self::RoleInUse { .. } => ErrorKind::WrongObjectType,
            Self::InvalidName(_) | Self::EmptyPassword | Self::MalformedVerifier | Self::InvalidCeiling(_) => {
                ErrorKind::InvalidParameterValue
            }
            Self::DayCeiling { .. } => ErrorKind::CostLimitExceeded,
            Self::Closed => ErrorKind::AdminShutdown,
        }
    }

    /// What a client may read: no path of this machine and no text of the database driver.
    pub fn client_message(&self) -> String {
        match self {
            Self::Create { .. } => "cannot create the metadata database".into(),
            other => other.to_string(),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NewerSchema { .. } => "Run the newer version of the program, or restore a backup of mantissa.db.",
            Self::RoleInUse { .. } => "Take the role away from its users first.",
            Self::InvalidName(_) => "A name has 1 to 63 bytes and no control characters.",
            Self::MalformedVerifier => {
                "The form is SCRAM-SHA-256$iterations:salt$stored key:server key, the last three in base64."
            }
            Self::DayCeiling { .. } => "The day ends at 00:00 UTC. An administrator can raise the role's ceiling.",
            Self::AuditUnavailable => "No statement runs without its audit row. Look for a full or read-only disk.",
            _ => return None,
        })
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::DayCeiling { spent, asked, .. } => Some(format!(
                "{spent:.4} USD are spent or reserved today; this statement is estimated at {asked:.4} USD."
            )),
            _ => None,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let mut problem = Problem::new(error.kind(), error.client_message());
        if let Some(detail) = error.detail() {
            problem = problem.detail(detail);
        }
        if let Some(hint) = error.hint() {
            problem = problem.hint(hint);
        }
        problem.caused_by(error)
    }
}
