//! Cuts a stream of bytes into events: JSON documents in any of the usual arrangements, or lines of text.
//!
//! Memory is bounded by the longest event allowed: an array is walked element by element however long it is.

use std::io::{self, Read};

use crate::json::{self, Scan};

const FIRST_BUFFER: usize = 256 * 1024;

/// One step through an input.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'b> {
    /// An event's bytes and where they start.
    Event { bytes: &'b [u8], offset: u64 },
    /// Bytes that are no event. With `more`, the next frame goes on with the same ones.
    Bad { bytes: &'b [u8], offset: u64, reason: &'static str, more: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Lines,
}

/// What surrounds the next JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Array,
    /// An array that is a member of an object: after it, the object's other members follow.
    EnvelopeArray,
    EnvelopeRest,
}

/// Reads frames from `R`.
pub struct Framer<R> {
    input: R,
    format: Format,
    /// Keys of arrays that are walked instead of being read whole, where they come first in their object.
    array_keys: Vec<String>,
    max_event: usize,
    buffer: Vec<u8>,
    /// Where the next frame starts in `buffer`.
    at: usize,
    /// Offset of the buffer's first byte in the input.
    base: u64,
    ended: bool,
    /// Set when the input stopped with an error instead of an end (a truncated gzip).
    broken: Option<io::Error>,
    around: Vec<Around>,
    /// Inside a bad stretch: goes on to the next line break.
    skipping: Option<&'static str>,
}

enum Step {
    Frame { start: usize, end: usize, bad: Option<(&'static str, bool)> },
    Again,
    End,
}

impl<R: Read> Framer<R> {
    pub fn new(input: R, format: Format, array_keys: Vec<String>, max_event: usize) -> Self {
        Self {
            input,
            format,
            array_keys,
            max_event,
            buffer: Vec::new(),
            at: 0,
            base: 0,
            ended: false,
            broken: None,
            around: Vec::new(),
            skipping: None,
        }
    }

    /// The first bytes of the input, to tell its format by.
    pub fn peek(&mut self) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            self.fill()?;
        }
        if self.base == 0 && self.at == 0 && self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        Ok(&self.buffer[self.at..])
    }

    pub fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// The error that the input stopped with, after the last frame.
    pub fn broken(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    pub fn next_frame(&mut self) -> io::Result<Option<Frame<'_>>> {
        loop {
            let step = match (self.skipping, self.format) {
                (Some(reason), _) => self.skip_bad(reason)?,
                (None, Format::Json) => self.step_json()?,
                (None, Format::Lines) => self.step_line()?,
            };
            match step {
                Step::Again => {}
                Step::End => return Ok(None),
                Step::Frame { start, end, bad } => {
                    self.at = end;
                    let bytes = &self.buffer[start..end];
                    let offset = self.base + start as u64;
                    return Ok(Some(match bad {
                        None => Frame::Event { bytes, offset },
                        Some((reason, more)) => Frame::Bad { bytes, offset, reason, more },
                    }));
                }
            }
        }
    }

    /// Reads more input behind the bytes that are still needed. The room doubles while one event does not fit.
    fn fill(&mut self) -> io::Result<()> {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.base += self.at as u64;
            self.at = 0;
        }
        let from = self.buffer.len();
        let room = FIRST_BUFFER.max(from);
        self.buffer.resize(from + room, 0);
        let mut filled = from;
        while filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::UnexpectedEof
                            | io::ErrorKind::InvalidData
                            | io::ErrorKind::InvalidInput
                            | io::ErrorKind::Other
                    ) =>
                {
                    self.ended = true;
                    self.broken = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }

    /// Passes blanks (and commas inside arrays), reading on as needed. Returns the next byte.
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            while let Some(byte) = self.buffer.get(self.at) {
                match byte {
                    b' ' | b'\n' | b'\r' | b'\t' | 0x1e => self.at += 1,
                    b',' if !self.around.is_empty() => self.at += 1,
                    byte => return Ok(Some(*byte)),
                }
            }
            if self.ended {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    fn step_json(&mut self) -> io::Result<Step> {
        let Some(byte) = self.next_byte()? else { return Ok(Step::End) };
        match (self.around.last().copied(), byte) {
            (Some(Around::EnvelopeRest), _) => self.step_envelope_rest(byte),
            (Some(around), b']') => {
                self.at += 1;
                self.around.pop();
                if around == Around::EnvelopeArray {
                    self.around.push(Around::EnvelopeRest);
                }
                Ok(Step::Again)
            }
            (None, b'[') if self.array_starts()? => {
                self.at += 1;
                self.around.push(Around::Array);
                Ok(Step::Again)
            }
            (None, b'{') => match self.envelope_start()? {
                Some(end) => {
                    self.at = end;
                    self.around.push(Around::EnvelopeArray);
                    Ok(Step::Again)
                }
                None => self.step_value(),
            },
            (None, byte) if byte != b'[' => Ok(self.start_skipping(NO_DOCUMENT)),
            _ => self.step_value(),
        }
    }

    /// Whether the bracket at hand opens an array of events, and not a line such as `[2026-01-02 03:04] started`.
    fn array_starts(&mut self) -> io::Result<bool> {
        loop {
            let next = json::skip_space(&self.buffer, self.at + 1);
            match self.buffer.get(next) {
                Some(byte) => return Ok(matches!(byte, b'{' | b'[' | b']' | b'"')),
                None if self.ended => return Ok(true),
                None => self.fill()?,
            }
        }
    }

    /// Passes one member that follows an envelope's array, or the object's end.
    fn step_envelope_rest(&mut self, byte: u8) -> io::Result<Step> {
        match byte {
            b'}' => {
                self.at += 1;
                self.around.pop();
                Ok(Step::Again)
            }
            b':' => {
                self.at += 1;
                Ok(Step::Again)
            }
            _ => match self.step_value()? {
                Step::Frame { end, bad: None, .. } => {
                    self.at = end;
                    Ok(Step::Again)
                }
                step => Ok(step),
            },
        }
    }

    /// Where the first element of an envelope's array is looked for, if the object at hand starts with such an array.
    fn envelope_start(&mut self) -> io::Result<Option<usize>> {
        const PREFIX: usize = 512;
        while self.buffer.len() - self.at < PREFIX && !self.ended {
            self.fill()?;
        }
        let bytes = &self.buffer;
        let key_at = json::skip_space(bytes, self.at + 1);
        for key in &self.array_keys {
            let Some(rest) = bytes.get(key_at..).and_then(|rest| rest.strip_prefix(b"\"")) else { return Ok(None) };
            let Some(rest) = rest.strip_prefix(key.as_bytes()).and_then(|rest| rest.strip_prefix(b"\"")) else {
                continue;
            };
            let colon = json::skip_space(bytes, bytes.len() - rest.len());
            let open = json::skip_space(bytes, colon + 1);
            if bytes.get(colon) == Some(&b':') && bytes.get(open) == Some(&b'[') {
                return Ok(Some(open + 1));
            }
        }
        Ok(None)
    }

    fn step_value(&mut self) -> io::Result<Step> {
        loop {
            let start = self.at;
            match json::scan_value(&self.buffer, start) {
                Scan::Done(end) if end - start > self.max_event => return Ok(self.start_skipping(TOO_LONG)),
                Scan::Done(end) => return Ok(Step::Frame { start, end, bad: None }),
                Scan::Incomplete if self.ended => return self.step_unfinished(),
                Scan::Incomplete if self.buffer.len() - start > self.max_event => {
                    return Ok(self.start_skipping(TOO_LONG));
                }
                Scan::Incomplete => self.fill()?,
                Scan::Fault { what, .. } => return self.step_fault(what),
            }
        }
    }

    /// The input ends inside a value. A number is whole there; of anything else, later lines may still be events.
    fn step_unfinished(&mut self) -> io::Result<Step> {
        let start = self.at;
        let rest = &self.buffer[start..];
        if self.broken.is_none() && std::str::from_utf8(rest).is_ok_and(|text| text.trim_end().parse::<f64>().is_ok()) {
            return Ok(Step::Frame { start, end: self.buffer.len(), bad: None });
        }
        let reason = if self.broken.is_some() { CUT_COMPRESSED } else { CUT };
        let end = next_document(rest).map_or(self.buffer.len(), |length| start + length);
        Ok(self.bad(start, end, reason))
    }

    /// Bad JSON ends where brackets balance on one line, else before the next line that starts a document.
    fn step_fault(&mut self, reason: &'static str) -> io::Result<Step> {
        let start = self.at;
        loop {
            let rest = &self.buffer[start..];
            let alone = self.around.is_empty();
            let length = balanced_on_one_line(rest, alone).or_else(|| next_document(rest));
            match length {
                Some(length) => return Ok(self.bad(start, start + length, reason)),
                None if self.ended => return Ok(self.bad(start, self.buffer.len(), reason)),
                None if rest.len() > self.max_event => return Ok(self.start_skipping(reason)),
                None => self.fill()?,
            }
        }
    }

    fn bad(&mut self, start: usize, end: usize, reason: &'static str) -> Step {
        if matches!(self.buffer.get(end.wrapping_sub(1)), Some(b'\n')) || end == self.buffer.len() {
            // A line that starts afresh stands in no array that began before it, unless elements go on.
            if !matches!(self.around.last(), Some(Around::Array | Around::EnvelopeArray)) {
                self.around.clear();
            }
        }
        Step::Frame { start, end, bad: Some((reason, false)) }
    }

    fn start_skipping(&mut self, reason: &'static str) -> Step {
        self.skipping = Some(reason);
        Step::Again
    }

    /// Hands out a bad stretch piece by piece, up to and with the next line break.
    fn skip_bad(&mut self, reason: &'static str) -> io::Result<Step> {
        if self.at == self.buffer.len() && !self.ended {
            self.fill()?;
        }
        let rest = &self.buffer[self.at..];
        let line_break = memchr::memchr(b'\n', rest);
        let length = line_break.map_or(rest.len(), |index| index + 1);
        let more = line_break.is_none() && !self.ended;
        if !more {
            self.skipping = None;
            self.around.clear();
        }
        Ok(Step::Frame { start: self.at, end: self.at + length, bad: Some((reason, more)) })
    }

    fn step_line(&mut self) -> io::Result<Step> {
        let mut searched = self.at;
        loop {
            let found = memchr::memchr(b'\n', &self.buffer[searched..]).map(|index| searched + index);
            let end = match found {
                Some(index) => index + 1,
                None if self.ended => self.buffer.len(),
                None if self.buffer.len() - self.at > self.max_event => return Ok(self.start_skipping(TOO_LONG)),
                None => {
                    let kept = self.buffer.len() - self.at;
                    self.fill()?;
                    searched = self.at + kept;
                    continue;
                }
            };
            if self.at == end {
                return Ok(Step::End);
            }
            let start = self.at;
            let line = self.buffer[start..end].trim_ascii();
            if line.is_empty() {
                self.at = end;
                searched = end;
                continue;
            }
            if line.len() > self.max_event {
                return Ok(self.start_skipping(TOO_LONG));
            }
            if found.is_none() && self.broken.is_some() {
                return Ok(Step::Frame { start, end, bad: Some((CUT_COMPRESSED, false)) });
            }
            return Ok(Step::Frame { start, end, bad: None });
        }
    }
}

const TOO_LONG: &str = "longer than an event may be";
const NO_DOCUMENT: &str = "not a JSON object";
const CUT: &str = "the input ends inside an event";
pub const CUT_COMPRESSED: &str = "the compressed input ends inside an event";

/// Length up to and with the line break that a line starting with `{` or `[` follows.
fn next_document(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes)
        .find(|index| matches!(bytes.get(index + 1), Some(b'{' | b'[')))
        .map(|index| index + 1)
}

/// Length of a bracketed value whose brackets and quotes balance before the first line break; for anything else the
/// rest of its line. Outside of arrays (`alone`), words after the brackets belong to the line.
fn balanced_on_one_line(bytes: &[u8], alone: bool) -> Option<usize> {
    let line_end = memchr::memchr(b'\n', bytes);
    let line = &bytes[..line_end.unwrap_or(bytes.len())];
    if !matches!(line.first(), Some(b'{' | b'[')) {
        return line_end.map(|index| index + 1);
    }
    let (mut depth, mut quoted, mut at) = (0usize, false, 0);
    while let Some(byte) = line.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    let goes_on = matches!(line[at + 1..].trim_ascii().first(), None | Some(b'{' | b'['));
                    return if alone && !goes_on { line_end.map(|index| index + 1) } else { Some(at + 1) };
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &[u8], format: Format, max_event: usize) -> Vec<String> {
        let mut framer = Framer::new(text, format, vec!["Records".into()], max_event);
        framer.peek().unwrap();
        let mut found = Vec::new();
        while let Some(frame) = framer.next_frame().unwrap() {
            found.push(match frame {
                Frame::Event { bytes, offset } => format!("{offset}:{}", String::from_utf8_lossy(bytes.trim_ascii())),
                Frame::Bad { bytes, offset, more, .. } => {
                    let more = if more { "+" } else { "" };
                    format!("{offset}!{}{more}", String::from_utf8_lossy(bytes.trim_ascii()))
                }
            });
        }
        found
    }

    fn json(text: &str) -> Vec<String> {
        frames(text.as_bytes(), Format::Json, 1000)
    }

    #[test]
    fn every_arrangement_of_documents_gives_its_events() {
        assert_eq!(json("{\"a\":1}\n{\"a\":2}\n"), ["0:{\"a\":1}", "8:{\"a\":2}"]);
        assert_eq!(json("[{\"a\":1},\n {\"a\":2}]"), ["1:{\"a\":1}", "11:{\"a\":2}"]);
        assert_eq!(
            json("{\"Records\" : [{\"a\":1},{}],\"n\":[1]}{\"b\":1}"),
            ["14:{\"a\":1}", "22:{}", "34:{\"b\":1}"]
        );
        assert_eq!(json("\u{feff}{\n \"a\": 1\n}\n{\n}"), ["3:{\n \"a\": 1\n}", "15:{\n}"]);
        assert_eq!(json(""), [""; 0]);
    }

    #[test]
    fn bad_json_costs_its_own_line_only() {
        assert_eq!(json("{\"a\":1\n{\"b\":2}\n"), ["0!{\"a\":1", "7:{\"b\":2}"]);
        assert_eq!(json("oops\n{\"b\":2}\n"), ["0!oops", "5:{\"b\":2}"]);
        assert_eq!(
            json("[12:30] up\n2026-01-01 down\n{\"b\":2}"),
            ["0![12:30] up", "11!2026-01-01 down", "27:{\"b\":2}"]
        );
        assert_eq!(json("[{\"a\":x},{\"b\":2}]"), ["1!{\"a\":x}", "9:{\"b\":2}"]);
        assert_eq!(json("{\"a\":1}\n{\"b\":"), ["0:{\"a\":1}", "8!{\"b\":"]);
        assert_eq!(json("{\"a\":\"x\n{\"b\":2}\n"), ["0!{\"a\":\"x", "8:{\"b\":2}"]);
    }

    #[test]
    fn lines_end_at_line_breaks_and_blank_ones_are_none() {
        let found = frames(b"one\r\n\n  \ntwo", Format::Lines, 1000);
        assert_eq!(found, ["0:one", "9:two"]);
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_pieces_and_the_next_is_read() {
        let mut text = b"short\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 2 * FIRST_BUFFER));
        text.extend(b"\nlast\n");
        for format in [Format::Lines, Format::Json] {
            let mut framer = Framer::new(&text[..], format, Vec::new(), 1000);
            let (mut bad, mut total) = (0, 0);
            while let Some(frame) = framer.next_frame().unwrap() {
                match frame {
                    Frame::Event { bytes, .. } => total += bytes.len(),
                    Frame::Bad { bytes, more, .. } => {
                        total += bytes.len();
                        bad += usize::from(!more);
                    }
                }
            }
            assert_eq!(total, text.len());
            assert_eq!(bad, if format == Format::Lines { 1 } else { 3 });
        }
    }
}
