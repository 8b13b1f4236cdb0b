//! Splits the sample into files: how many events of each source in each hour, exactly adding up.

use std::sync::Arc;

use chrono::DateTime;

use crate::attacks::{self, Planted};
use crate::org::Org;
use crate::out::{MICROS, Out};
use crate::rhythm::{Rhythm, hour_of_week};
use crate::rng::Rng;
use crate::sources::{SOURCES, Scene, Source};
use crate::{Chunk, SampleSpec};

const HOUR: i64 = 3600 * MICROS;
const DAY: i64 = 24 * HOUR;

/// A stretch of time with evenly spread background events of one source.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: i64,
    end: i64,
    events: u64,
}

#[derive(Debug)]
struct File {
    source: usize,
    name: String,
    spans: Vec<Span>,
    planted: std::ops::Range<usize>,
}

/// See [`crate::generate`].
pub struct Chunks {
    scene: Arc<Scene>,
    seed: u64,
    planted: Vec<Vec<Planted>>,
    files: std::iter::Enumerate<std::vec::IntoIter<File>>,
    /// The size of the last file, for the next one's allocation.
    capacity: usize,
}

impl Chunks {
    pub(crate) fn new(spec: &SampleSpec) -> Self {
        let end = spec.end.timestamp_micros();
        let start = end - i64::from(spec.days.max(1)) * DAY;
        let scene = Arc::new(Scene { org: Org::new(), rhythm: Rhythm::new() });
        let mut planted = attacks::plant(&scene, spec, start);
        planted.truncate(usize::try_from(spec.events).unwrap_or(usize::MAX));
        let background = spec.events - planted.len() as u64;

        let mut by_source: Vec<Vec<Planted>> = SOURCES.iter().map(|_| Vec::new()).collect();
        for event in planted {
            by_source[event.source].push(event);
        }
        let mut files = Vec::new();
        let mut given = 0;
        let mut share = 0;
        for (index, source) in SOURCES.iter().enumerate() {
            by_source[index].sort_by_key(|event| event.at);
            share += source.share;
            let until = portion(background, share, sources_total());
            files.extend(plan(&scene.rhythm, index, source, start..end, until - given, &by_source[index]));
            given = until;
        }
        Self { scene, seed: spec.seed, planted: by_source, files: files.into_iter().enumerate(), capacity: 1 << 16 }
    }
}

fn sources_total() -> u64 {
    SOURCES.iter().map(|source| source.share).sum()
}

fn portion(of: u64, part: u64, total: u64) -> u64 {
    (u128::from(of) * u128::from(part) / u128::from(total.max(1))) as u64
}

fn plan(
    rhythm: &Rhythm,
    index: usize,
    source: &Source,
    window: std::ops::Range<i64>,
    events: u64,
    planted: &[Planted],
) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut day = i64::MIN;
    let (mut in_file, mut part) = (0, 0);
    for span in hourly(rhythm, source, window, events).into_iter().flat_map(split) {
        let span_day = span.start.div_euclid(DAY);
        if span_day != day || in_file + span.events > Chunk::MAX_EVENTS {
            part = if span_day == day { part + 1 } else { 0 };
            (day, in_file) = (span_day, 0);
            let date = DateTime::from_timestamp_micros(span.start).unwrap_or_default().format("%Y-%m-%d");
            let name = format!("{}/{date}-{part:02}.{}", source.name, source.extension);
            files.push(File { source: index, name, spans: Vec::new(), planted: 0..0 });
        }
        in_file += span.events;
        if let Some(file) = files.last_mut() {
            file.spans.push(span);
        }
    }
    let mut from = 0;
    for file in &mut files {
        let end = file.spans.last().map_or(i64::MIN, |span| span.end);
        let until = from + planted[from..].partition_point(|event| event.at < end);
        file.planted = from..until;
        from = until;
    }
    files.retain(|file| !file.planted.is_empty() || file.spans.iter().any(|span| span.events > 0));
    files
}

/// Whole hours of the window, its first and last cut where it begins and ends.
fn hourly(rhythm: &Rhythm, source: &Source, window: std::ops::Range<i64>, events: u64) -> Vec<Span> {
    let first = window.start.div_euclid(HOUR);
    let last = (window.end - 1).div_euclid(HOUR);
    let mut spans: Vec<Span> = (first..=last)
        .map(|hour| {
            let start = (hour * HOUR).max(window.start);
            let end = ((hour + 1) * HOUR).min(window.end);
            let seconds = ((end - start) / MICROS) as u64;
            Span { start, end, events: rhythm.weight(hour_of_week(start), source.human) * seconds }
        })
        .collect();
    let total: u64 = spans.iter().map(|span| span.events).sum();
    let (mut weight, mut given) = (0, 0);
    for span in &mut spans {
        weight += span.events;
        let until = portion(events, weight, total);
        span.events = until - given;
        given = until;
    }
    spans
}

/// Cuts an hour that is too much for one file.
fn split(span: Span) -> Vec<Span> {
    let parts = span.events.div_ceil(Chunk::MAX_EVENTS).max(1);
    let time = |part: u64| span.start + portion((span.end - span.start) as u64, part, parts) as i64;
    let events = |part: u64| portion(span.events, part, parts);
    (0..parts)
        .map(|part| Span { start: time(part), end: time(part + 1), events: events(part + 1) - events(part) })
        .collect()
}

impl Iterator for Chunks {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let (number, file) = self.files.next()?;
        let source = &SOURCES[file.source];
        let mut rng = Rng::new(&[self.seed, file.source as u64, number as u64]);
        let mut body = Body {
            out: Out::with_capacity(self.capacity + self.capacity / 8),
            planted: &self.planted[file.source][file.planted],
            source,
            events: 0,
        };
        body.out.s(source.header);
        for span in &file.spans {
            body.background(&self.scene, &mut rng, *span);
        }
        body.planted_until(i64::MAX);
        body.out.s(source.footer);
        self.capacity = body.out.bytes.len();
        Some(Chunk { source: source.name, name: file.name, events: body.events, bytes: body.out.bytes })
    }
}

struct Body<'a> {
    out: Out,
    planted: &'a [Planted],
    source: &'static Source,
    events: u64,
}

impl Body<'_> {
    fn background(&mut self, scene: &Scene, rng: &mut Rng, span: Span) {
        for index in 0..span.events {
            // One event in each equal slice of time: in order without sorting, and never two bursts by chance.
            let slice = (span.end - span.start) as u64;
            let at = span.start + (portion(slice, index, span.events) + rng.below(slice / span.events)) as i64;
            self.planted_until(at);
            self.separate();
            (self.source.write)(scene, rng, at, &mut self.out);
        }
    }

    fn planted_until(&mut self, at: i64) {
        while let Some((event, rest)) = self.planted.split_first().filter(|(event, _)| event.at < at) {
            self.separate();
            self.out.bytes.extend_from_slice(&event.bytes);
            self.planted = rest;
        }
    }

    fn separate(&mut self) {
        if self.events > 0 {
            self.out.s(self.source.separator);
        }
        self.events += 1;
    }
}
