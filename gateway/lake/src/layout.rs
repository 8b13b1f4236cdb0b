//! Where things stand below the data folder.
//!
//! ```text
//! DATA/lake/commits.log                            what is committed; the only truth
//! DATA/lake/writer.lock                            held while someone writes
//! DATA/lake/<table>/dt=YYYY-MM-DD/<id>.parquet     rows of one UTC day, sorted by time
//! DATA/lake/quarantine/<id>.{bin.zst,ndjson}       bytes that did not parse, and why
//! DATA/lake/tmp/                                   files being written
//! ```

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{LakeError, Result};
use crate::schema::PARTITION;
use crate::timestamp;

#[derive(Debug, Clone)]
pub struct Layout {
    data: PathBuf,
    root: PathBuf,
}

impl Layout {
    /// The layout below an existing data folder. Makes the folders inside it.
    pub fn create(data: &Path) -> Result<Layout> {
        if !data.is_dir() {
            return Err(LakeError::FolderMissing(data.to_owned()));
        }
        let layout = Layout { data: data.to_owned(), root: data.join("lake") };
        for folder in [layout.root.clone(), layout.tmp(), layout.quarantine()] {
            fs::create_dir_all(&folder).map_err(|source| LakeError::io("create", &folder, source))?;
        }
        Ok(layout)
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn log(&self) -> PathBuf {
        self.root.join("commits.log")
    }

    pub fn lock(&self) -> PathBuf {
        self.root.join("writer.lock")
    }

    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// Path of a data file below the root, as commits name it.
    pub fn file_name(table: &str, day: i64, id: &str) -> String {
        format!("{table}/{PARTITION}={}/{id}.parquet", day_name(day))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// `YYYY-MM-DD` of a count of days since 1970-01-01.
pub fn day_name(day: i64) -> String {
    let (year, month, date) = timestamp::civil(day);
    format!("{year:04}-{month:02}-{date:02}")
}

/// A name that no other file has.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Makes a folder's entries durable.
pub fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|source| LakeError::io("sync", folder, source))
}

/// Moves a finished file into place and makes it durable, folders included.
pub fn publish(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        let is_new = !folder.is_dir();
        fs::create_dir_all(folder).map_err(|source| LakeError::io("create", folder, source))?;
        fs::rename(from, to).map_err(|source| LakeError::io("create", to, source))?;
        sync_folder(folder)?;
        if is_new {
            folder.ancestors().skip(1).take(2).try_for_each(sync_folder)?;
        }
    }
    Ok(())
}
