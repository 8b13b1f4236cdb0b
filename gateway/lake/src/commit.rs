//! The commit log: one checksummed line a commit, appended and synced. A commit is there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{LakeError, Result};
use crate::layout::{Layout, sync_folder};
use crate::schema::ColumnSpec;
use crate::timestamp::Micros;

/// One change of the lake.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// When it was made.
    pub at: Micros,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<FileRecord>,
    /// Names of files that others of this commit replace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Inferred columns that are new or wider, by table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<(String, ColumnSpec)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quarantine_add: Vec<QuarantineFile>,
    /// Ids of quarantine files that were retried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quarantine_remove: Vec<String>,
}

impl Commit {
    pub fn is_empty(&self) -> bool {
        *self == Commit { at: self.at, ..Commit::default() }
    }
}

/// An input that was taken in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    pub table: String,
    pub name: String,
    /// Hash of the decompressed content.
    pub hash: Hash,
    pub rows: u64,
    pub quarantined: u64,
    /// Set where the input was cut off: events up to this length of its content are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// How much of a cut-off input was taken in. An input that starts with the same content goes on from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    pub length: u64,
    pub hash: Hash,
    /// The quarantine file that holds the rest.
    pub rest: Option<String>,
}

/// A 128-bit content hash, written in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub u128);

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        format!("{:032x}", hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Hash)
    }
}

/// A Parquet file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    pub table: String,
    pub name: String,
    /// UTC day, counted from 1970-01-01.
    pub day: i64,
    pub rows: u64,
    pub bytes: u64,
    pub min_time: Micros,
    pub max_time: Micros,
    /// Inferred columns that the file has.
    #[serde(default)]
    pub inferred: u32,
}

/// A file of quarantined bytes with its list of reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuarantineFile {
    pub id: String,
    pub table: String,
    pub events: u64,
    pub bytes: u64,
}

/// Reads the commits that follow `offset`, with the offset after the last whole one. A last line that is not whole is a
/// commit that never happened.
pub fn read_from(layout: &Layout, offset: u64) -> Result<(Vec<Commit>, u64)> {
    let path = layout.log();
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(source) => return Err(LakeError::io("open", &path, source)),
    };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))
        .and_then(|_| file.read_to_end(&mut bytes))
        .map_err(|source| LakeError::io("read", &path, source))?;
    let (mut commits, mut at) = (Vec::new(), 0);
    while let Some(length) = memchr::memchr(b'\n', &bytes[at..]) {
        match decode(&bytes[at..at + length]) {
            Some(commit) => commits.push(commit),
            None if memchr::memchr(b'\n', &bytes[at + length + 1..]).is_none() => break,
            None => return Err(LakeError::LogDamaged { path, offset: offset + at as u64 }),
        }
        at += length + 1;
    }
    Ok((commits, offset + at as u64))
}

fn decode(line: &[u8]) -> Option<Commit> {
    let (sum, json) = (line.get(..16)?, line.get(17..)?);
    let expected = u64::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (xxhash_rust::xxh3::xxh3_64(json) == expected).then(|| serde_json::from_slice(json).ok())?
}

fn encode(commit: &Commit) -> std::result::Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_vec(commit)?;
    let mut line = format!("{:016x} ", xxhash_rust::xxh3::xxh3_64(&json)).into_bytes();
    line.extend(json);
    line.push(b'\n');
    Ok(line)
}

/// Appends a commit behind `offset`, the end of the last whole one, and makes it durable. The caller holds the lock.
pub fn append(layout: &Layout, offset: u64, commit: &Commit) -> Result<u64> {
    let path: PathBuf = layout.log();
    let line = encode(commit).map_err(|error| LakeError::io("write", &path, error.into()))?;
    let is_new = !path.exists();
    let attempt = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        let written = file.write_all(&line).and_then(|()| file.sync_all());
        if written.is_err() {
            file.set_len(offset)?;
        }
        written
    };
    attempt().map_err(|source| LakeError::io("write", &path, source))?;
    if is_new {
        sync_folder(layout.root())?;
    }
    Ok(offset + line.len() as u64)
}

/// Identity and length of the log, to see cheaply whether it changed.
pub fn length(layout: &Layout) -> u64 {
    fs::metadata(layout.log()).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(at: i64) -> Commit {
        Commit { at, remove: vec!["x".into()], ..Commit::default() }
    }

    #[test]
    fn commits_read_back_and_a_torn_last_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        let first = append(&layout, 0, &commit(1)).unwrap();
        let second = append(&layout, first, &commit(2)).unwrap();
        assert_eq!(read_from(&layout, 0).unwrap(), (vec![commit(1), commit(2)], second));
        assert_eq!(read_from(&layout, first).unwrap(), (vec![commit(2)], second));
        let whole = fs::read(layout.log()).unwrap();
        for length in first as usize..whole.len() {
            fs::write(layout.log(), &whole[..length]).unwrap();
            assert_eq!(read_from(&layout, 0).unwrap(), (vec![commit(1)], first), "{length}");
        }
        append(&layout, first, &commit(3)).unwrap();
        assert_eq!(read_from(&layout, 0).unwrap().0, [commit(1), commit(3)]);
    }

    #[test]
    fn a_damaged_line_before_the_last_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        let end = append(&layout, 0, &commit(1)).unwrap();
        append(&layout, end, &commit(2)).unwrap();
        let mut bytes = fs::read(layout.log()).unwrap();
        bytes[20] ^= 1;
        fs::write(layout.log(), bytes).unwrap();
        assert!(matches!(read_from(&layout, 0), Err(LakeError::LogDamaged { offset: 0, .. })));
    }
}
