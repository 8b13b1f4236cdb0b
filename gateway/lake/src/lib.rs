//! The lake: raw log bytes in, normalised rows in Parquet partitions out, and the catalog and file lists that a query
//! engine reads them by. Knows nothing of queries, rules or the wire.

mod columns;
mod error;
mod framing;
mod json;
mod parsers;
mod row;
mod schema;
mod source;
mod timestamp;

pub use error::{LakeError, Result};
pub use schema::{BLOOM, COMMON, ColumnSpec, ColumnType, PARTITION, RAW};
pub use source::{Envelopes, SourceSpec, sources};
