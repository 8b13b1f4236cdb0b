use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlitePool};

use super::writer::Writer;
use super::{SqliteStore, StoreOptions, migrations};
use crate::{Result, StoreError};

const FILE: &str = "mantissa.db";
const READERS: u32 = 4;
/// How long a write waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Each opening gets its own range of audit ids, so that two processes on one file never meet.
const AUDIT_IDS_PER_OPENING: i64 = 1 << 36;

impl SqliteStore {
    /// Opens `data/mantissa.db`, or creates it for its owner's eyes only.
    pub async fn open(data: &Path, options: StoreOptions) -> Result<Self> {
        let path = data.join(FILE);
        create(data, &path).map_err(|source| StoreError::Create { path: path.display().to_string(), source })?;
        let connect = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(connect.clone()).await?;
        let read = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(connect);
        Self::start(read, write, options).await
    }

    /// A store that is gone with the process.
    pub async fn in_memory(options: StoreOptions) -> Result<Self> {
        let connect = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        // Each connection to `:memory:` would have a database of its own, so there is one, and it is never closed.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(connect)
            .await?;
        Self::start(pool.clone(), pool, options).await
    }

    async fn start(read: SqlitePool, write: SqlitePool, options: StoreOptions) -> Result<Self> {
        migrations::migrate(&write).await?;
        let instance = sqlx::query("UPDATE instance SET opened = opened + 1 RETURNING mock_secret, opened")
            .fetch_one(&write)
            .await?;
        let opened: i64 = instance.try_get("opened")?;
        Ok(Self {
            read,
            options,
            mock_secret: instance.try_get("mock_secret")?,
            next_audit_id: AtomicI64::new(opened.saturating_mul(AUDIT_IDS_PER_OPENING)),
            writer: Writer::start(write.clone()),
            write,
        })
    }
}

/// SQLite gives `-wal` and `-shm` the mode of the file itself.
fn create(data: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(data)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    restrict(&file)?;
    drop(file);
    Ok(())
}

#[cfg(unix)]
fn restrict(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}
