use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mantissa_core::{Catalog, CatalogSource, Clock, SystemClock};
use parking_lot::{Mutex, RwLock};

use crate::commit::{self, Commit};
use crate::error::{LakeError, Result};
use crate::geo::GeoSource;
use crate::ingest::{IngestReport, Session};
use crate::input::{Input, expand};
use crate::layout::{Layout, new_id};
use crate::lock::WriterLock;
use crate::manifest::{Manifest, Snapshot};
use crate::quarantine::{self, Quarantined};
use crate::source::{SourceSpec, sources};
use crate::timestamp::Micros;

/// How a lake behaves.
#[derive(Clone)]
pub struct LakeOptions {
    /// Where the countries and networks of addresses come from.
    pub geo: GeoSource,
    /// Bytes that one event may have; longer ones go to quarantine.
    pub max_event_bytes: usize,
    /// How long a writer waits for another one to end.
    pub lock_wait: Duration,
    /// Bytes of events that `ingest` holds before it commits.
    pub commit_bytes: usize,
    /// How long files that compaction replaced stay for readers that still know them.
    pub keep_replaced: Duration,
    pub clock: Arc<dyn Clock>,
    /// Settings of the object store (`aws_region`, `google_service_account`, ...), as its own documentation names them.
    pub remote: Vec<(String, String)>,
}

impl Default for LakeOptions {
    fn default() -> Self {
        Self {
            geo: GeoSource::None,
            max_event_bytes: 32 * 1024 * 1024,
            lock_wait: Duration::from_secs(10),
            commit_bytes: 256 * 1024 * 1024,
            keep_replaced: Duration::from_secs(15 * 60),
            clock: Arc::new(SystemClock),
            remote: Vec::new(),
        }
    }
}

/// Where a long ingest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'p> {
    /// Input just read.
    pub input: &'p str,
    pub inputs_done: usize,
    pub inputs_total: usize,
    /// Totals so far.
    pub report: &'p IngestReport,
    /// Inputs, of those done, that are committed: they stay whatever happens.
    pub inputs_committed: usize,
}

/// The lake in a data folder. Clones share it.
#[derive(Clone)]
pub struct Lake {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub layout: Layout,
    pub options: LakeOptions,
    pub sources: Vec<SourceSpec>,
    pub manifest: RwLock<Manifest>,
    snapshot: RwLock<Snapshot>,
    /// End of the last whole commit in the log as of the last refresh.
    seen_length: AtomicU64,
    refreshing: Mutex<()>,
    /// Whether a writer may have left files that no commit names.
    unclean: AtomicBool,
}

impl Lake {
    /// Opens the lake in an existing folder.
    pub fn open(data: &Path, options: LakeOptions) -> Result<Lake> {
        let layout = Layout::create(data)?;
        let sources = sources()?;
        let mut manifest = Manifest::default();
        let snapshot = RwLock::new(manifest.snapshot(&layout, &sources, None));
        let inner = Inner {
            layout,
            options,
            sources,
            manifest: RwLock::new(manifest),
            snapshot,
            seen_length: AtomicU64::new(0),
            refreshing: Mutex::new(()),
            unclean: AtomicBool::new(true),
        };
        let lake = Lake { inner: Arc::new(inner) };
        lake.refresh()?;
        // A reader of a folder that it may not write is fine; leftovers then wait for the next writer.
        if let Ok(Some(_lock)) = WriterLock::try_acquire(&lake.inner.layout) {
            lake.inner.refresh()?;
            lake.inner.sweep()?;
        }
        Ok(lake)
    }

    /// Opens the lake, making the folder first where it is missing.
    pub fn create(data: &Path, options: LakeOptions) -> Result<Lake> {
        fs::create_dir_all(data).map_err(|source| LakeError::io("create", data, source))?;
        Lake::open(data, options)
    }

    pub fn sources(&self) -> &[SourceSpec] {
        &self.inner.sources
    }

    /// The lake as of the last refresh or own commit.
    pub fn snapshot(&self) -> Snapshot {
        self.inner.snapshot.read().clone()
    }

    /// Names of all tables, in the order of the sources.
    pub fn tables(&self) -> Vec<String> {
        self.inner.sources.iter().map(|source| source.name.clone()).collect()
    }

    /// Takes up what other processes committed. Costs one look at the log's length where nothing changed. Returns
    /// whether something did.
    pub fn refresh(&self) -> Result<bool> {
        self.inner.refresh()
    }

    /// Starts a transaction. Waits for another writer as long as the options say.
    pub fn session(&self) -> Result<Session> {
        Session::begin(self.inner.clone())
    }

    /// Takes in files, folders, patterns, URLs or standard input (`-`) of a source. Commits between inputs whenever
    /// enough is held, and at the end; then compacts days that have many small files.
    pub fn ingest(
        &self,
        source: &str,
        inputs: &[String],
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<IngestReport> {
        self.ingest_inputs(source, inputs, false, progress)
    }

    /// Takes in files of rows that have the columns of `table`.
    pub fn ingest_rows(
        &self,
        table: &str,
        inputs: &[String],
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<IngestReport> {
        self.ingest_inputs(table, inputs, true, progress)
    }

    /// Takes in bytes as one transaction.
    pub fn ingest_bytes(&self, source: &str, name: &str, bytes: &[u8]) -> Result<IngestReport> {
        let mut session = self.session()?;
        session.push_bytes(source, name, bytes)?;
        session.commit()
    }

    /// Tries everything in quarantine again. What parses becomes rows, what does not stays.
    pub fn retry_quarantine(&self) -> Result<IngestReport> {
        let mut session = self.session()?;
        session.retry_quarantine()?;
        session.commit()
    }

    /// What is in quarantine, by table.
    pub fn quarantined(&self) -> Result<Vec<(String, Quarantined)>> {
        let files: Vec<(String, String)> = {
            let manifest = self.inner.manifest.read();
            manifest.quarantine.values().map(|file| (file.table.clone(), file.id.clone())).collect()
        };
        let mut entries = Vec::new();
        for (table, id) in files {
            entries.extend(quarantine::list(&self.inner.layout, &id)?.into_iter().map(|entry| (table.clone(), entry)));
        }
        Ok(entries)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    fn ingest_inputs(
        &self,
        source: &str,
        inputs: &[String],
        as_rows: bool,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<IngestReport> {
        self.inner.source(source)?;
        let inputs = self.inner.list_remote(expand(inputs)?)?;
        let mut session = self.session()?;
        let mut inputs_committed = 0;
        for (index, input) in inputs.iter().enumerate() {
            let name = input.name();
            self.inner.with_file(input, |path| match as_rows {
                true => session.push_rows(source, &name, path),
                false => session.push_file(source, &name, path),
            })?;
            if session.held_bytes() >= self.inner.options.commit_bytes || index + 1 == inputs.len() {
                session.commit_pushed()?;
                inputs_committed = index + 1;
            }
            let (inputs_done, inputs_total) = (index + 1, inputs.len());
            progress(&Progress { input: &name, inputs_done, inputs_total, report: session.report(), inputs_committed });
        }
        let report = session.commit()?;
        self.compact_crowded()?;
        Ok(report)
    }
}

impl CatalogSource for Lake {
    fn current(&self) -> Arc<Catalog> {
        self.inner.snapshot.read().catalog.clone()
    }
}

impl Inner {
    pub fn now(&self) -> Micros {
        self.options.clock.now().timestamp_micros()
    }

    pub fn source(&self, name: &str) -> Result<&SourceSpec> {
        self.sources.iter().find(|source| source.name == name).ok_or_else(|| LakeError::UnknownSource(name.to_owned()))
    }

    pub fn refresh(&self) -> Result<bool> {
        if commit::length(&self.layout) == self.seen_length.load(Ordering::Acquire) {
            return Ok(false);
        }
        let _one_at_a_time = self.refreshing.lock();
        let offset = self.manifest.read().offset;
        let (commits, end) = commit::read_from(&self.layout, offset)?;
        let changed = !commits.is_empty();
        if changed {
            let mut manifest = self.manifest.write();
            commits.into_iter().for_each(|commit| manifest.apply(commit));
            manifest.offset = end;
            self.publish(&mut manifest);
        }
        self.seen_length.store(end, Ordering::Release);
        Ok(changed)
    }

    /// Makes a commit durable, then visible. The caller holds the writer's lock.
    pub fn append(&self, mut change: Commit) -> Result<()> {
        let _one_at_a_time = self.refreshing.lock();
        change.at = self.now();
        let offset = self.manifest.read().offset;
        let end = commit::append(&self.layout, offset, &change)?;
        let mut manifest = self.manifest.write();
        manifest.apply(change);
        manifest.offset = end;
        self.publish(&mut manifest);
        self.seen_length.store(end, Ordering::Release);
        Ok(())
    }

    fn publish(&self, manifest: &mut Manifest) {
        let mut current = self.snapshot.write();
        let next = manifest.snapshot(&self.layout, &self.sources, Some(&current));
        *current = next;
    }

    /// Removes leftovers, unless the last writer of this process ended well. The caller holds the writer's lock.
    pub fn sweep_if_unclean(&self) -> Result<()> {
        if self.unclean.swap(true, Ordering::AcqRel) {
            self.sweep()?;
        }
        Ok(())
    }

    pub fn mark_clean(&self) {
        self.unclean.store(false, Ordering::Release);
    }

    /// Removes what a writer that died left behind, and files that were replaced long enough ago. The caller holds the
    /// writer's lock.
    pub fn sweep(&self) -> Result<()> {
        let manifest = self.manifest.read();
        let keep = i64::try_from(self.options.keep_replaced.as_micros()).unwrap_or(i64::MAX);
        let oldest = self.now().saturating_sub(keep);
        let is_known = |name: &str| {
            let table = name.split('/').next().and_then(|table| manifest.files.get(table));
            table.is_some_and(|files| files.contains_key(name))
                || manifest.retired.get(name).is_some_and(|at| *at >= oldest)
        };
        for source in &self.sources {
            for day in folder_entries(&self.layout.path(&source.name))? {
                for file in folder_entries(&day)? {
                    let name = file.strip_prefix(self.layout.root()).unwrap_or(&file).to_string_lossy().into_owned();
                    if !is_known(&name) {
                        remove(&file)?;
                    }
                }
            }
        }
        let quarantined: Vec<String> = manifest.quarantine.keys().flat_map(|id| quarantine::file_names(id)).collect();
        for file in folder_entries(&self.layout.quarantine())? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !quarantined.contains(&name) {
                remove(&file)?;
            }
        }
        folder_entries(&self.layout.tmp())?.iter().try_for_each(|file| remove(file))
    }

    /// Hands an input to `take` as a local file.
    fn with_file<T>(&self, input: &Input, take: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let spool = self.layout.tmp().join(new_id());
        let fault = |source| LakeError::io("write", &spool, source);
        match input {
            Input::File(path) => return take(path),
            Input::Stdin => {
                let mut file = fs::File::create(&spool).map_err(fault)?;
                std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(fault)?;
            }
            Input::Remote(url) => self.download(url, &spool)?,
        }
        let taken = take(&spool);
        remove(&spool)?;
        taken
    }

    #[cfg(feature = "cloud")]
    fn list_remote(&self, inputs: Vec<Input>) -> Result<Vec<Input>> {
        let mut listed = Vec::new();
        for input in inputs {
            match input {
                Input::Remote(url) => {
                    listed.extend(crate::remote::list(&url, &self.options.remote)?.into_iter().map(Input::Remote));
                }
                other => listed.push(other),
            }
        }
        Ok(listed)
    }

    #[cfg(feature = "cloud")]
    fn download(&self, url: &str, to: &Path) -> Result<()> {
        crate::remote::download(url, &self.options.remote, to)
    }

    #[cfg(not(feature = "cloud"))]
    fn list_remote(&self, inputs: Vec<Input>) -> Result<Vec<Input>> {
        match inputs.iter().find(|input| matches!(input, Input::Remote(_))) {
            Some(remote) => Err(LakeError::RemoteUnsupported(remote.name())),
            None => Ok(inputs),
        }
    }

    #[cfg(not(feature = "cloud"))]
    fn download(&self, url: &str, _: &Path) -> Result<()> {
        Err(LakeError::RemoteUnsupported(url.to_owned()))
    }
}

fn folder_entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()
            .map_err(|source| LakeError::io("read", folder, source)),
        Err(_) => Ok(Vec::new()),
    }
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LakeError::io("remove", file, error)),
        _ => Ok(()),
    }
}
