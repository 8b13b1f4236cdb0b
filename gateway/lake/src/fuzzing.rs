//! Entry points for tests and fuzzers: bytes in, no file touched.

use crate::envelope;
use crate::framing::{Format, Frame, Framer};
pub use crate::json::{Scan, scan_value, unescape};
use crate::parsers::Surroundings;
use crate::row::Row;
use crate::source::SourceSpec;
pub use crate::timestamp::parse as parse_time;

/// Cuts `bytes` into events of `source`, as JSON and as lines, and parses each. Returns how many rows and refusals there
/// were; nothing for a source without a parser.
pub fn parse_all(source: &SourceSpec, bytes: &[u8], max_event: usize) -> (u64, u64) {
    let Some(kind) = source.parser else { return (0, 0) };
    let (mut rows, mut refused) = (0, 0);
    for format in [Format::Json, Format::Lines] {
        let mut parser = kind.start();
        let mut framer = Framer::new(bytes, format, source.envelopes.arrays.clone(), max_event);
        if framer.peek().is_err() {
            return (rows, refused);
        }
        while let Ok(Some(frame)) = framer.next_frame() {
            let Frame::Event { bytes, .. } = frame else {
                refused += 1;
                continue;
            };
            let Ok(text) = std::str::from_utf8(bytes.trim_ascii()) else {
                refused += 1;
                continue;
            };
            envelope::open(&source.envelopes, text, None, 0, &mut |event, envelope| {
                let mut row = Row::new(source.columns.len());
                match parser.parse(event, &Surroundings { received: 0, envelope }, &mut row) {
                    Ok(_) => rows += 1,
                    Err(_) => refused += 1,
                }
            });
        }
    }
    (rows, refused)
}
