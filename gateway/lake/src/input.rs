//! Where raw bytes come from: files, folders, patterns, standard input; compressed or not.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::commit::Hash;
use crate::error::{LakeError, Result};

/// Decompressed bytes up to this length are held in memory and read once.
const IN_MEMORY: u64 = 64 * 1024 * 1024;

/// One thing to take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    File(PathBuf),
    Stdin,
    /// `s3://`, `gs://`, `az://` and the like.
    Remote(String),
}

impl Input {
    pub fn name(&self) -> String {
        match self {
            Input::File(path) => path.display().to_string(),
            Input::Stdin => "-".to_owned(),
            Input::Remote(url) => url.clone(),
        }
    }
}

/// Turns what a person typed into inputs: folders give their files (hidden ones apart), patterns what they match, in
/// the order of names.
pub fn expand(inputs: &[String]) -> Result<Vec<Input>> {
    let mut found = Vec::new();
    for input in inputs {
        if input == "-" {
            found.push(Input::Stdin);
            continue;
        }
        if input.contains("://") {
            found.push(Input::Remote(input.clone()));
            continue;
        }
        let path = Path::new(input);
        if path.exists() {
            add_path(path, &mut found)?;
            continue;
        }
        let matches = glob::glob(input).map_err(|_| LakeError::InputPattern(input.clone()))?;
        let mut paths: Vec<PathBuf> = matches.filter_map(|path| path.ok()).collect();
        if paths.is_empty() {
            return Err(LakeError::InputMissing(input.clone()));
        }
        paths.sort();
        paths.iter().try_for_each(|path| add_path(path, &mut found))?;
    }
    Ok(found)
}

fn add_path(path: &Path, found: &mut Vec<Input>) -> Result<()> {
    if !path.is_dir() {
        found.push(Input::File(path.to_owned()));
        return Ok(());
    }
    let read_fault = |source| LakeError::io("read", path, source);
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(read_fault)?;
    entries.retain(|entry| !entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")));
    entries.sort();
    entries.iter().try_for_each(|entry| add_path(entry, found))
}

/// Stored bytes that can be read more than once.
#[derive(Clone, Copy)]
pub enum Stored<'b> {
    Bytes(&'b [u8]),
    File(&'b Path),
}

impl<'b> Stored<'b> {
    /// Opens the decompressed content. Gzip and zstd are told by their first bytes.
    fn decompressed(self) -> io::Result<Box<dyn Read + 'b>> {
        let mut stored: Box<dyn Read + 'b> = match self {
            Stored::Bytes(bytes) => Box::new(bytes),
            Stored::File(path) => Box::new(BufReader::with_capacity(256 * 1024, File::open(path)?)),
        };
        let mut magic = Vec::new();
        stored.by_ref().take(4).read_to_end(&mut magic)?;
        let whole = Cursor::new(magic.clone()).chain(stored);
        Ok(match magic[..] {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
            [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole)?),
            _ => Box::new(whole),
        })
    }
}

/// Bytes, and the error that reading ended with.
type Held = (Vec<u8>, Option<(io::ErrorKind, String)>);

/// An input's content, with its hash.
pub struct Content<'b> {
    stored: Stored<'b>,
    /// The content, where it is short enough, and the error it ended with.
    held: Option<Held>,
    pub hash: Hash,
    /// The longest of the prefixes asked for that the content starts with.
    pub known_prefix: u64,
    pub length: u64,
}

/// A prefix that an earlier input had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    pub length: u64,
    pub hash: Hash,
}

impl<'b> Content<'b> {
    /// Reads the content through once.
    pub fn read(stored: Stored<'b>, prefixes: &[Prefix]) -> io::Result<Content<'b>> {
        let mut reader = stored.decompressed()?;
        let mut held = Vec::new();
        let ended = reader.by_ref().take(IN_MEMORY).read_to_end(&mut held);
        let error = match ended {
            Ok(_) => None,
            Err(error) if is_cut(&error) => Some((error.kind(), error.to_string())),
            Err(error) => return Err(error),
        };
        if error.is_some() || (held.len() as u64) < IN_MEMORY {
            let hash = Hash(xxhash_rust::xxh3::xxh3_128(&held));
            let known = prefixes.iter().filter(|prefix| {
                let start = usize::try_from(prefix.length).ok().and_then(|length| held.get(..length));
                start.is_some_and(|start| Hash(xxhash_rust::xxh3::xxh3_128(start)) == prefix.hash)
            });
            let known_prefix = known.map(|prefix| prefix.length).max().unwrap_or(0);
            let length = held.len() as u64;
            return Ok(Content { stored, held: Some((held, error)), hash, known_prefix, length });
        }
        let (hash, known_prefix, length) = hash_stream(Cursor::new(held).chain(reader), prefixes)?;
        Ok(Content { stored, held: None, hash, known_prefix, length })
    }

    /// Opens the content, to be read from its start.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match &self.held {
            None => self.stored.decompressed(),
            Some((bytes, None)) => Ok(Box::new(&bytes[..])),
            Some((bytes, Some((kind, message)))) => {
                Ok(Box::new(bytes.chain(Failing { kind: *kind, message: message.clone() })))
            }
        }
    }

    /// Hash of the first `length` bytes.
    pub fn hash_of_prefix(&self, length: u64) -> io::Result<Hash> {
        Ok(hash_stream(self.open()?.take(length), &[])?.0)
    }
}

/// Whether an error means that compressed bytes end early or are damaged.
fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput | Other)
}

struct Failing {
    kind: io::ErrorKind,
    message: String,
}

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(self.kind, self.message.clone()))
    }
}

/// Hash, longest known prefix and length of a stream, in bounded memory.
fn hash_stream(mut reader: impl Read, prefixes: &[Prefix]) -> io::Result<(Hash, u64, u64)> {
    let mut waiting: Vec<Prefix> = prefixes.to_vec();
    waiting.sort();
    waiting.reverse();
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut buffer = vec![0; 256 * 1024];
    let (mut length, mut known) = (0u64, 0u64);
    loop {
        let room = waiting.last().map_or(u64::MAX, |prefix| prefix.length - length).min(buffer.len() as u64);
        if room == 0 {
            if let Some(prefix) = waiting.pop().filter(|prefix| Hash(hasher.digest128()) == prefix.hash) {
                known = prefix.length;
            }
            continue;
        }
        match reader.read(&mut buffer[..room as usize]) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_cut(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok((Hash(hasher.digest128()), known, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_give_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("b")).unwrap();
        for name in ["c.json", "a.json", "b/x.log", ".hidden"] {
            fs::write(at(name), "").unwrap();
        }
        let files = |inputs: &[String]| expand(inputs).unwrap().iter().map(Input::name).collect::<Vec<_>>();
        let name = |name: &str| at(name).display().to_string();
        assert_eq!(files(&[folder.path().display().to_string()]), [name("a.json"), name("b/x.log"), name("c.json")]);
        assert_eq!(files(&[name("*.json")]), [name("a.json"), name("c.json")]);
        assert!(matches!(expand(&[name("*.csv")]), Err(LakeError::InputMissing(_))));
    }

    #[test]
    fn a_stream_is_hashed_as_its_bytes_and_prefixes_are_known() {
        let bytes: Vec<u8> = (0..700_000u32).flat_map(u32::to_le_bytes).collect();
        let hash = |bytes: &[u8]| Hash(xxhash_rust::xxh3::xxh3_128(bytes));
        let prefixes = [5, 300_000, 2_000_000].map(|length| Prefix { length, hash: hash(&bytes[..length as usize]) });
        let wrong = Prefix { length: 2_500_000, hash: Hash(1) };
        let all = [prefixes[1], wrong, prefixes[2], prefixes[0]];
        assert_eq!(hash_stream(&bytes[..], &all).unwrap(), (hash(&bytes), 2_000_000, bytes.len() as u64));
        assert_eq!(Content::read(Stored::Bytes(&bytes), &all).unwrap().known_prefix, 2_000_000);
    }
}
