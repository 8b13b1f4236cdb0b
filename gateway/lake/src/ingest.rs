//! Takes inputs in: content to events, events to rows, rows to committed files.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::columns::TableBuilder;
use crate::commit::{self, Commit, Cut, InputRecord};
use crate::envelope;
use crate::error::{LakeError, Result};
use crate::framing::{CUT_COMPRESSED, Format, Frame, Framer};
use crate::geo::{self, PlaceCache};
use crate::input::{Content, Prefix, Stored};
use crate::json::Value;
use crate::lake::Inner;
use crate::lock::WriterLock;
use crate::parsers::{Parsed, Parser, Reason, Surroundings};
use crate::quarantine::{self, QuarantineWriter, Quarantined};
use crate::row::{Row, Scalar};
use crate::rows::RowsParser;
use crate::schema::common;
use crate::source::{Envelopes, SourceSpec};
use crate::timestamp::Micros;
use crate::writer::write_days;

/// Rows and bytes of text that a table collects before it writes files.
const FLUSH_ROWS: usize = 512 * 1024;
const FLUSH_BYTES: usize = 256 * 1024 * 1024;

/// What came of inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Inputs taken in.
    pub inputs: u64,
    /// Inputs whose content was in already.
    pub known_inputs: u64,
    pub rows: u64,
    pub quarantined: u64,
    /// Events that an earlier, cut-off delivery of the same content had brought.
    pub known_events: u64,
    /// Decompressed bytes read.
    pub bytes: u64,
}

impl IngestReport {
    pub fn add(&mut self, other: &IngestReport) {
        self.inputs += other.inputs;
        self.known_inputs += other.known_inputs;
        self.rows += other.rows;
        self.quarantined += other.quarantined;
        self.known_events += other.known_events;
        self.bytes += other.bytes;
    }
}

/// A transaction on the lake: pushes inputs, then commits all or nothing. Holds the writer's lock.
pub struct Session {
    inner: Arc<Inner>,
    _lock: WriterLock,
    received: Micros,
    tables: BTreeMap<String, TableBuilder>,
    quarantines: HashMap<String, QuarantineWriter>,
    pending: Commit,
    places: PlaceCache,
    report: IngestReport,
    /// Set while an input is half taken in: then nothing may be committed.
    half_done: bool,
}

/// How the events of one input are read.
struct Reading<'s> {
    source: &'s SourceSpec,
    parser: Box<dyn Parser>,
    envelopes: Envelopes,
    /// Finds the envelopes' keys, quotes and all: walking every event for keys that it lacks would cost more.
    keys: Vec<memchr::memmem::Finder<'static>>,
    format: Format,
    name: &'s str,
    /// Events that end before this offset are in already.
    skip_to: u64,
}

/// What one input gave.
#[derive(Default)]
struct Taken {
    rows: u64,
    quarantined: u64,
    known: u64,
    /// End of the last whole event.
    end: u64,
    /// Whether the content broke off, and the quarantine file with what was left of it.
    cut: Option<Option<String>>,
}

impl Session {
    pub(crate) fn begin(inner: Arc<Inner>) -> Result<Session> {
        let lock = WriterLock::acquire(&inner.layout, inner.options.lock_wait)?;
        inner.refresh()?;
        inner.sweep_if_unclean()?;
        Ok(Session {
            received: inner.now(),
            _lock: lock,
            tables: BTreeMap::new(),
            quarantines: HashMap::new(),
            pending: Commit::default(),
            places: PlaceCache::new(inner.options.geo.clone()),
            report: IngestReport::default(),
            half_done: false,
            inner,
        })
    }

    /// Takes in raw bytes (compressed or not) of a source.
    pub fn push_bytes(&mut self, source: &str, name: &str, bytes: &[u8]) -> Result<IngestReport> {
        self.push(source, name, Stored::Bytes(bytes), false)
    }

    /// Takes in a file of a source.
    pub fn push_file(&mut self, source: &str, name: &str, path: &Path) -> Result<IngestReport> {
        self.push(source, name, Stored::File(path), false)
    }

    /// Takes in a file of rows that have the table's columns.
    pub fn push_rows(&mut self, table: &str, name: &str, path: &Path) -> Result<IngestReport> {
        self.push(table, name, Stored::File(path), true)
    }

    /// What was pushed so far.
    pub fn report(&self) -> &IngestReport {
        &self.report
    }

    fn push(&mut self, source: &str, name: &str, stored: Stored<'_>, as_rows: bool) -> Result<IngestReport> {
        let inner = self.inner.clone();
        let source = inner.source(source)?;
        let fault = |source| LakeError::InputUnreadable { name: name.to_owned(), source };
        let prefixes = self.prefixes_of(&source.name);
        let content = Content::read(stored, &prefixes).map_err(fault)?;
        let mut report = IngestReport { bytes: content.length, ..IngestReport::default() };
        if self.has_input(&source.name, content.hash) {
            report.known_inputs = 1;
            self.report.add(&report);
            return Ok(report);
        }
        let mut reading = Reading::start(source, name, as_rows)?;
        reading.skip_to = content.known_prefix;
        let opened = content.open().map_err(fault)?;
        self.half_done = true;
        let taken = self.take(&mut reading, opened)?;
        if content.known_prefix > 0 {
            self.release_rest(&source.name, content.known_prefix);
        }
        let cut = match taken.cut {
            None => None,
            Some(rest) => {
                let hash = content.hash_of_prefix(taken.end).map_err(fault)?;
                Some(Cut { length: taken.end, hash, rest })
            }
        };
        self.pending.inputs.push(InputRecord {
            table: source.name.clone(),
            name: name.to_owned(),
            hash: content.hash,
            rows: taken.rows,
            quarantined: taken.quarantined,
            cut,
        });
        self.half_done = false;
        report.inputs = 1;
        (report.rows, report.quarantined, report.known_events) = (taken.rows, taken.quarantined, taken.known);
        self.report.add(&report);
        Ok(report)
    }

    fn has_input(&self, table: &str, hash: commit::Hash) -> bool {
        let pending = self.pending.inputs.iter().any(|input| input.table == table && input.hash == hash);
        pending || self.inner.manifest.read().inputs.contains(&(table.to_owned(), hash))
    }

    fn prefixes_of(&self, table: &str) -> Vec<Prefix> {
        let manifest = self.inner.manifest.read();
        let committed = manifest.cuts.iter().filter(|(of, _)| of == table).map(|(_, cut)| cut);
        let pending = self.pending.inputs.iter().filter(|input| input.table == table).filter_map(|i| i.cut.as_ref());
        let cuts = committed.chain(pending).filter(|cut| cut.length > 0);
        cuts.map(|cut| Prefix { length: cut.length, hash: cut.hash }).collect()
    }

    /// The rest of a cut-off input has arrived whole: what was quarantined of it is needed no more.
    fn release_rest(&mut self, table: &str, length: u64) {
        let manifest = self.inner.manifest.read();
        let rests = manifest.cuts.iter().filter(|(of, cut)| of == table && cut.length == length);
        let held = rests.filter_map(|(_, cut)| cut.rest.clone()).filter(|id| manifest.quarantine.contains_key(id));
        self.pending.quarantine_remove.extend(held);
    }

    fn take(&mut self, reading: &mut Reading<'_>, content: impl io::Read) -> Result<Taken> {
        let read_fault = |name: &str, source| LakeError::InputUnreadable { name: name.to_owned(), source };
        let keys = reading.envelopes.arrays.clone();
        let max_event = self.inner.options.max_event_bytes;
        let mut framer = Framer::new(content, reading.format, keys, max_event);
        let start = framer.peek().map_err(|error| read_fault(reading.name, error))?;
        let format = reading.format_of(start.trim_ascii_start());
        framer.set_format(format);
        let mut taken = Taken::default();
        loop {
            let frame = framer.next_frame().map_err(|error| read_fault(reading.name, error))?;
            match frame {
                None => break,
                Some(Frame::Event { bytes, offset }) => {
                    taken.end = offset + bytes.len() as u64;
                    if taken.end <= reading.skip_to {
                        reading.pass_over(bytes);
                        taken.known += 1;
                    } else {
                        self.take_event(reading, bytes, offset, &mut taken)?;
                    }
                }
                Some(Frame::Bad { bytes, offset, reason: CUT_COMPRESSED, .. }) => {
                    taken.quarantined += 1;
                    taken.cut = Some(Some(self.quarantine_rest(reading, bytes, offset)?));
                }
                Some(Frame::Bad { bytes, offset, reason, more }) => {
                    self.quarantine(reading, bytes, offset, reason, more)?;
                    taken.quarantined += u64::from(!more);
                    taken.end = offset + bytes.len() as u64;
                }
            }
        }
        if framer.broken().is_some() && taken.cut.is_none() {
            taken.cut = Some(None);
        }
        Ok(taken)
    }

    fn take_event(&mut self, reading: &mut Reading<'_>, bytes: &[u8], offset: u64, taken: &mut Taken) -> Result<()> {
        let bytes = bytes.trim_ascii();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if memchr::memchr(0, bytes).is_none() => text,
            Ok(_) => return self.refuse(reading, bytes, offset, "a NUL byte", taken),
            Err(_) => return self.refuse(reading, bytes, offset, "invalid UTF-8", taken),
        };
        if !text.starts_with('{') {
            return self.take_text(reading, text, None, offset, taken);
        }
        if !reading.may_wrap(bytes) {
            return self.take_text(reading, text, None, offset, taken);
        }
        let envelopes = std::mem::take(&mut reading.envelopes);
        let mut outcome = Ok(());
        envelope::open(&envelopes, text, None, 0, &mut |event, outer| {
            if outcome.is_ok() {
                outcome = self.take_text(reading, event, outer, offset, taken);
            }
        });
        reading.envelopes = envelopes;
        outcome
    }

    fn take_text(
        &mut self,
        reading: &mut Reading<'_>,
        text: &str,
        envelope: Option<Value<'_>>,
        offset: u64,
        taken: &mut Taken,
    ) -> Result<()> {
        let around = Surroundings { received: self.received, envelope };
        let mut row = Row::new(reading.source.columns.len());
        match reading.parser.parse(text, &around, &mut row) {
            Ok(Parsed::Skipped) => Ok(()),
            Err(reason) => self.refuse(reading, text.as_bytes(), offset, reason, taken),
            Ok(Parsed::Row) => {
                if row.raw.is_empty() {
                    row.raw = text.into();
                }
                taken.rows += 1;
                self.append(reading.source, row)
            }
        }
    }

    fn append<'r>(&mut self, source: &'r SourceSpec, mut row: Row<'r>) -> Result<()> {
        if row.is_null(common::SOURCE) {
            row.common[common::SOURCE] = Scalar::Text(source.name.as_str().into());
        }
        geo::fill(&mut row, &mut self.places);
        if !self.tables.contains_key(&source.name) {
            let builder = TableBuilder::new(&source.columns, self.inner.manifest.read().inferred(&source.name));
            self.tables.insert(source.name.clone(), builder);
        }
        let Some(builder) = self.tables.get_mut(&source.name) else { return Ok(()) };
        builder.append(&row).map_err(|fault| LakeError::Arrow { table: source.name.clone(), source: fault })?;
        if builder.rows() >= FLUSH_ROWS || builder.bytes() >= FLUSH_BYTES {
            self.flush(&source.name)?;
        }
        Ok(())
    }

    fn flush(&mut self, table: &str) -> Result<()> {
        let Some(builder) = self.tables.get_mut(table).filter(|builder| builder.rows() > 0) else { return Ok(()) };
        let batch = builder.finish().map_err(|source| LakeError::Arrow { table: table.to_owned(), source })?;
        let inferred = builder.inferred().count() as u32;
        self.pending.add.extend(write_days(&self.inner.layout, table, &batch, inferred)?);
        Ok(())
    }

    fn refuse(
        &mut self,
        reading: &Reading<'_>,
        bytes: &[u8],
        offset: u64,
        reason: Reason,
        taken: &mut Taken,
    ) -> Result<()> {
        taken.quarantined += 1;
        self.quarantine(reading, bytes, offset, reason, false)
    }

    fn quarantine(
        &mut self,
        reading: &Reading<'_>,
        bytes: &[u8],
        offset: u64,
        reason: Reason,
        more: bool,
    ) -> Result<()> {
        let table = &reading.source.name;
        if !self.quarantines.contains_key(table) {
            self.quarantines.insert(table.clone(), QuarantineWriter::create(&self.inner.layout, table)?);
        }
        match self.quarantines.get_mut(table) {
            Some(writer) => writer.add(reading.entry(offset, reason), bytes, more),
            None => Ok(()),
        }
    }

    /// What is left of a cut-off input has a file of its own, so that it can go when the whole input arrives.
    fn quarantine_rest(&mut self, reading: &Reading<'_>, bytes: &[u8], offset: u64) -> Result<String> {
        let mut writer = QuarantineWriter::create(&self.inner.layout, &reading.source.name)?;
        writer.add(reading.entry(offset, CUT_COMPRESSED), bytes, false)?;
        let id = writer.id().to_owned();
        self.pending.quarantine_add.push(writer.finish(&self.inner.layout)?);
        Ok(id)
    }

    /// Makes everything pushed durable and visible. Once this returns, it stays.
    pub fn commit(mut self) -> Result<IngestReport> {
        self.commit_pushed()?;
        self.inner.mark_clean();
        Ok(self.report)
    }

    /// Commits what was pushed so far and goes on.
    pub(crate) fn commit_pushed(&mut self) -> Result<()> {
        if self.half_done {
            return Err(LakeError::HalfDone);
        }
        let tables: Vec<String> = self.tables.keys().cloned().collect();
        tables.iter().try_for_each(|table| self.flush(table))?;
        for (_, writer) in self.quarantines.drain() {
            self.pending.quarantine_add.push(writer.finish(&self.inner.layout)?);
        }
        for (table, builder) in &self.tables {
            let manifest = self.inner.manifest.read();
            let known = manifest.inferred(table);
            let changed = builder.inferred().filter(|column| !known.contains(column));
            self.pending.columns.extend(changed.map(|column| (table.clone(), column.clone())));
        }
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.inner.append(pending)?;
        }
        Ok(())
    }

    /// Bytes of text in memory.
    pub(crate) fn held_bytes(&self) -> usize {
        self.tables.values().map(TableBuilder::bytes).sum()
    }

    /// Files that a later commit of this session is to replace or add.
    pub(crate) fn pending_mut(&mut self) -> &mut Commit {
        &mut self.pending
    }

    /// Tries everything in quarantine again. What still does not parse stays there.
    pub(crate) fn retry_quarantine(&mut self) -> Result<IngestReport> {
        let files: Vec<(String, String)> = {
            let manifest = self.inner.manifest.read();
            manifest.quarantine.values().map(|file| (file.id.clone(), file.table.clone())).collect()
        };
        let inner = self.inner.clone();
        let mut total = Taken::default();
        for (id, table) in &files {
            let source = inner.source(table)?;
            quarantine::read(&inner.layout, id, |entry, bytes| {
                let taken = self.retry(source, entry, &bytes)?;
                total.rows += taken.rows;
                total.quarantined += taken.quarantined;
                Ok(())
            })?;
            self.pending.quarantine_remove.push(id.clone());
        }
        let report = IngestReport { rows: total.rows, quarantined: total.quarantined, ..IngestReport::default() };
        self.report.add(&report);
        Ok(report)
    }

    fn retry(&mut self, source: &SourceSpec, entry: Quarantined, bytes: &[u8]) -> Result<Taken> {
        let mut reading = Reading::start(source, &entry.input, source.parser.is_none())?;
        let mut taken = Taken::default();
        if let Some(context) = &entry.context {
            self.take_text(&mut reading, context, None, entry.offset, &mut taken)?;
        }
        let trimmed = bytes.trim_ascii();
        let is_json = trimmed.starts_with(b"{")
            && matches!(crate::json::scan_value(trimmed, 0), crate::json::Scan::Done(end) if end == trimmed.len());
        if is_json || reading.format == Format::Lines {
            self.take_event(&mut reading, bytes, entry.offset, &mut taken)?;
        } else {
            self.refuse_again(&reading, &entry, bytes)?;
            taken.quarantined += 1;
        }
        Ok(taken)
    }

    fn refuse_again(&mut self, reading: &Reading<'_>, entry: &Quarantined, bytes: &[u8]) -> Result<()> {
        let table = &reading.source.name;
        if !self.quarantines.contains_key(table) {
            self.quarantines.insert(table.clone(), QuarantineWriter::create(&self.inner.layout, table)?);
        }
        match self.quarantines.get_mut(table) {
            Some(writer) => writer.add(Quarantined { length: 0, ..entry.clone() }, bytes, false),
            None => Ok(()),
        }
    }
}

impl<'s> Reading<'s> {
    fn start(source: &'s SourceSpec, name: &'s str, as_rows: bool) -> Result<Reading<'s>> {
        let (parser, envelopes, format): (Box<dyn Parser>, _, _) = match source.parser {
            _ if as_rows => (Box::new(RowsParser::new(&source.columns)), Envelopes::default(), Format::Json),
            Some(kind) => (kind.start(), source.envelopes.clone(), kind.format()),
            None => return Err(LakeError::NoParser(source.name.clone())),
        };
        let all = envelopes.arrays.iter().chain(&envelopes.objects).chain(&envelopes.strings);
        let quoted = all.map(|path| format!("\"{}\"", path.split('.').next().unwrap_or(path)));
        let keys = quoted.map(|key| memchr::memmem::Finder::new(key.as_bytes()).into_owned()).collect();
        Ok(Reading { source, parser, envelopes, keys, format, name, skip_to: 0 })
    }

    /// Whether an event's text holds a key of an envelope anywhere.
    fn may_wrap(&self, bytes: &[u8]) -> bool {
        self.keys.iter().any(|key| key.find(bytes).is_some())
    }

    /// Text formats may also come as JSON; their first byte tells.
    fn format_of(&self, start: &[u8]) -> Format {
        match (self.format, start.first()) {
            (Format::Lines, Some(b'{')) => Format::Json,
            (Format::Lines, Some(b'[')) if matches!(start[1..].trim_ascii_start().first(), Some(b'{')) => Format::Json,
            (format, _) => format,
        }
    }

    /// Lets a stateful parser see an event that is in already.
    fn pass_over(&mut self, bytes: &[u8]) {
        if self.format == Format::Lines
            && let Ok(text) = std::str::from_utf8(bytes.trim_ascii())
        {
            let mut row = Row::new(self.source.columns.len());
            let _ = self.parser.parse(text, &Surroundings::default(), &mut row);
        }
    }

    fn entry(&self, offset: u64, reason: Reason) -> Quarantined {
        Quarantined {
            input: self.name.to_owned(),
            offset,
            length: 0,
            reason: reason.to_owned(),
            context: self.parser.context(),
        }
    }
}
