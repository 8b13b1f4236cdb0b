//! The lake: raw log bytes in, normalised rows in Parquet partitions out, and the catalog and file lists that a query
//! engine reads them by. Knows nothing of queries, rules or the wire.

mod columns;
mod commit;
mod compact;
mod envelope;
mod error;
mod framing;
mod geo;
mod ingest;
mod input;
mod json;
mod lake;
mod layout;
mod lock;
mod manifest;
mod parsers;
mod quarantine;
#[cfg(feature = "cloud")]
mod remote;
mod row;
mod rows;
mod schema;
mod source;
mod timestamp;
mod writer;

pub use compact::{CompactReport, read as read_file};
pub use error::{LakeError, Result};
pub use geo::{GeoRange, GeoSource, Place};
pub use ingest::{IngestReport, Session};
pub use lake::{Lake, LakeOptions, Progress};
pub use manifest::{DataFile, EVENTS, Snapshot, TableSnapshot};
pub use quarantine::Quarantined;
pub use schema::{BLOOM, COMMON, ColumnSpec, ColumnType, PARTITION, RAW};
pub use source::{Envelopes, SourceSpec, sources};
pub use timestamp::Micros;

/// Entry points for tests that feed arbitrary bytes.
#[doc(hidden)]
pub mod fuzzing;
