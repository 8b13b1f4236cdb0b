//! Bytes that did not parse, with why and where from. Nothing is dropped; everything can be tried again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::commit::QuarantineFile;
use crate::error::{LakeError, Result};
use crate::layout::{Layout, new_id, publish};

/// One quarantined stretch of an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quarantined {
    pub input: String,
    /// Where it starts in the input's decompressed bytes.
    pub offset: u64,
    pub length: u64,
    pub reason: String,
    /// A line that must stand before it so that it parses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// Collects what one session quarantines for one table.
pub struct QuarantineWriter {
    id: String,
    table: String,
    bytes: zstd::stream::write::Encoder<'static, BufWriter<File>>,
    list: BufWriter<File>,
    paths: [PathBuf; 2],
    open: Option<Quarantined>,
    events: u64,
    total: u64,
}

fn names(id: &str) -> [String; 2] {
    [format!("{id}.bin.zst"), format!("{id}.ndjson")]
}

impl QuarantineWriter {
    pub fn create(layout: &Layout, table: &str) -> Result<QuarantineWriter> {
        let id = new_id();
        let paths = names(&id).map(|name| layout.tmp().join(name));
        let create = |path: &PathBuf| File::create(path).map_err(|source| LakeError::io("create", path, source));
        let encoder = zstd::stream::write::Encoder::new(BufWriter::new(create(&paths[0])?), 3)
            .map_err(|source| LakeError::io("write", &paths[0], source))?;
        let list = BufWriter::new(create(&paths[1])?);
        let table = table.to_owned();
        Ok(QuarantineWriter { id, table, bytes: encoder, list, paths, open: None, events: 0, total: 0 })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Adds bytes. With `more`, the next call goes on with the same stretch.
    pub fn add(&mut self, entry: Quarantined, bytes: &[u8], more: bool) -> Result<()> {
        self.bytes.write_all(bytes).map_err(|source| LakeError::io("write", &self.paths[0], source))?;
        self.total += bytes.len() as u64;
        let mut entry = self.open.take().unwrap_or(Quarantined { length: 0, ..entry });
        entry.length += bytes.len() as u64;
        if more {
            self.open = Some(entry);
            return Ok(());
        }
        self.events += 1;
        serde_json::to_writer(&mut self.list, &entry)
            .map_err(std::io::Error::from)
            .and_then(|()| self.list.write_all(b"\n"))
            .map_err(|source| LakeError::io("write", &self.paths[1], source))
    }

    /// Makes the files durable and puts them in place.
    pub fn finish(mut self, layout: &Layout) -> Result<QuarantineFile> {
        if let Some(open) = self.open.take() {
            self.add(open, &[], false)?;
        }
        let [bytes_path, list_path] = &self.paths;
        let write_fault = |source| LakeError::io("write", bytes_path, source);
        let buffered = self.bytes.finish().map_err(write_fault)?;
        let file = buffered.into_inner().map_err(|error| write_fault(error.into_error()))?;
        file.sync_all().map_err(write_fault)?;
        let list = self.list.into_inner().map_err(|error| LakeError::io("write", list_path, error.into_error()))?;
        list.sync_all().map_err(|source| LakeError::io("write", list_path, source))?;
        for (from, name) in self.paths.iter().zip(names(&self.id)) {
            publish(from, &layout.quarantine().join(name))?;
        }
        Ok(QuarantineFile { id: self.id, table: self.table, events: self.events, bytes: self.total })
    }
}

/// Hands every quarantined stretch of a file to `each`, with its bytes.
pub fn read(layout: &Layout, id: &str, mut each: impl FnMut(Quarantined, Vec<u8>) -> Result<()>) -> Result<()> {
    let [bytes_path, list_path] = names(id).map(|name| layout.quarantine().join(name));
    let open = |path: &PathBuf| File::open(path).map_err(|source| LakeError::io("open", path, source));
    let mut bytes = zstd::stream::read::Decoder::new(open(&bytes_path)?)
        .map_err(|source| LakeError::io("read", &bytes_path, source))?;
    for line in BufReader::new(open(&list_path)?).lines() {
        let line = line.map_err(|source| LakeError::io("read", &list_path, source))?;
        let entry: Quarantined =
            serde_json::from_str(&line).map_err(|error| LakeError::io("read", &list_path, error.into()))?;
        let mut stretch = Vec::new();
        bytes
            .by_ref()
            .take(entry.length)
            .read_to_end(&mut stretch)
            .map_err(|source| LakeError::io("read", &bytes_path, source))?;
        each(entry, stretch)?;
    }
    Ok(())
}

/// Lists a file's entries without their bytes.
pub fn list(layout: &Layout, id: &str) -> Result<Vec<Quarantined>> {
    let path = layout.quarantine().join(&names(id)[1]);
    let text = fs::read_to_string(&path).map_err(|source| LakeError::io("read", &path, source))?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| LakeError::io("read", &path, error.into())))
        .collect()
}

/// The files that a quarantine id stands for.
pub fn file_names(id: &str) -> [String; 2] {
    names(id)
}
