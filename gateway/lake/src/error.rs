use std::io;
use std::path::{Path, PathBuf};

use mantissa_core::{ErrorKind, Problem};

pub type Result<T, E = LakeError> = std::result::Result<T, E>;

/// What can go wrong between raw bytes and a committed Parquet file.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error("data folder \"{}\" does not exist", .0.display())]
    FolderMissing(PathBuf),
    #[error("data folder \"{}\" cannot be written", .path.display())]
    FolderReadOnly {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("no space left for \"{}\"", .path.display())]
    FolderFull {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another process is writing to the lake in \"{}\"", .0.display())]
    Locked(PathBuf),
    #[error("cannot {action} \"{}\"", .path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("commit log \"{}\" is damaged at byte {offset}", .path.display())]
    LogDamaged { path: PathBuf, offset: u64 },
    #[error("cannot write Parquet file \"{}\"", .path.display())]
    Parquet {
        path: PathBuf,
        #[source]
        source: parquet::errors::ParquetError,
    },
    #[error("cannot build rows of table \"{table}\"")]
    Arrow {
        table: String,
        #[source]
        source: arrow::error::ArrowError,
    },
    #[error("an input failed half way, so nothing of this transaction is committed")]
    HalfDone,
    #[error("source \"{0}\" does not exist")]
    UnknownSource(String),
    #[error("source \"{0}\" has no parser yet")]
    NoParser(String),
    #[error("declaration of source \"{name}\" is wrong: {reason}")]
    SourceInvalid { name: String, reason: String },
    #[error("nothing found at \"{0}\"")]
    InputMissing(String),
    #[error("cannot read \"{name}\"")]
    InputUnreadable {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("\"{0}\" is not a valid pattern")]
    InputPattern(String),
    #[error("cannot read \"{url}\"")]
    Remote {
        url: String,
        #[source]
        source: object_store::Error,
    },
    #[error("reading \"{0}\" needs a build with the cloud feature")]
    RemoteUnsupported(String),
    #[error("geo database \"{}\" cannot be read", .path.display())]
    GeoDatabase {
        path: PathBuf,
        #[source]
        source: maxminddb::MaxMindDbError,
    },
    #[error("\"{0}\" is not a network such as 203.0.113.0/24")]
    GeoRange(String),
}

impl LakeError {
    /// Names an input or output failure by what a person can do about it.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                if !matches!(action, "read" | "open") =>
            {
                LakeError::FolderReadOnly { path, source }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LakeError::FolderFull { path, source },
            _ => LakeError::Io { action, path, source },
        }
    }

    /// Finds a full or read-only folder behind the Parquet writer's own error.
    pub fn parquet(path: &Path, source: parquet::errors::ParquetError) -> Self {
        match source {
            parquet::errors::ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(cause) => LakeError::io("write", path, *cause),
                Err(inner) => {
                    LakeError::Parquet { path: path.to_owned(), source: parquet::errors::ParquetError::External(inner) }
                }
            },
            source => LakeError::Parquet { path: path.to_owned(), source },
        }
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            LakeError::FolderMissing(_) | LakeError::SourceInvalid { .. } => ErrorKind::ConfigurationInvalid,
            LakeError::FolderReadOnly { .. } => ErrorKind::InsufficientPrivilege,
            LakeError::FolderFull { .. } => ErrorKind::DiskFull,
            LakeError::Locked(_) => ErrorKind::CannotConnectNow,
            LakeError::InputUnreadable { .. }
            | LakeError::Io { .. }
            | LakeError::Parquet { .. }
            | LakeError::Remote { .. } => ErrorKind::IoError,
            LakeError::LogDamaged { .. } => ErrorKind::DataCorrupted,
            LakeError::Arrow { .. } | LakeError::HalfDone => ErrorKind::Internal,
            LakeError::UnknownSource(_) | LakeError::InputMissing(_) => ErrorKind::UndefinedObject,
            LakeError::NoParser(_) | LakeError::RemoteUnsupported(_) => ErrorKind::FeatureNotSupported,
            LakeError::InputPattern(_) | LakeError::GeoRange(_) => ErrorKind::InvalidParameterValue,
            LakeError::GeoDatabase { .. } => ErrorKind::ConfigurationInvalid,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            LakeError::FolderMissing(path) => {
                format!("Create it (mkdir -p {}) or name another folder with --data.", path.display())
            }
            LakeError::FolderReadOnly { .. } => {
                "Give the user that runs mantissa write permission, or name another folder with --data.".to_owned()
            }
            LakeError::FolderFull { .. } => {
                "Free some space and run the same command again: what was acknowledged is kept, the rest is added."
                    .to_owned()
            }
            LakeError::Locked(_) => "Wait until it ends, then run the command again.".to_owned(),
            LakeError::LogDamaged { .. } => "Restore the file from a copy; no data file was changed.".to_owned(),
            LakeError::UnknownSource(_) => "mantissa sources lists them.".to_owned(),
            LakeError::NoParser(_) => "Load rows that have the table's columns with ingest --rows.".to_owned(),
            LakeError::InputMissing(_) => {
                "Name an existing file, folder or pattern, or - for standard input.".to_owned()
            }
            LakeError::GeoDatabase { .. } => "Name an existing MMDB file, or remove the setting.".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

impl From<LakeError> for Problem {
    fn from(error: LakeError) -> Self {
        let mut problem = Problem::new(error.kind(), error.to_string());
        problem.hint = error.hint();
        // The operating system's words are safe to show; an object store's may name hosts.
        if let LakeError::FolderReadOnly { source, .. }
        | LakeError::FolderFull { source, .. }
        | LakeError::InputUnreadable { source, .. }
        | LakeError::Io { source, .. } = &error
        {
            problem.detail = Some(format!("{source}."));
        }
        problem.caused_by(error)
    }
}
