use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::stream::{self, BoxStream};

use crate::{PgType, Result};

/// The catalog column that a result column comes from, as RowDescription carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub table_oid: u32,
    pub attnum: i16,
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub ty: PgType,
    pub typmod: i32,
    pub origin: Option<Origin>,
}

impl Field {
    pub fn new(name: impl Into<String>, ty: PgType) -> Self {
        Self { name: name.into(), ty, typmod: -1, origin: None }
    }
}

pub type RowStream = BoxStream<'static, Result<RecordBatch>>;

/// A result: its columns, and its rows as a stream of Arrow batches whose columns stand in the order of `fields`.
/// Dropping it stops the engine's work.
///
/// Arrow types per Postgres type: bool Boolean; int2/4/8 Int16/32/64; oid and reg* UInt32 (reg* may also be Utf8, its
/// printed form); float4/8 Float32/64; numeric Decimal128/256 or Utf8 (printed form, arbitrary precision); text, varchar,
/// name, bpchar, "char", json, jsonb, inet, cidr and all types not listed Utf8, LargeUtf8, Utf8View or a dictionary of them;
/// bytea Binary; uuid FixedSizeBinary(16) or Utf8; date Date32; time Time64(us); timestamp Timestamp(_, None); timestamptz
/// Timestamp(_, Some("UTC")); interval Interval(MonthDayNano); arrays List of the element's type. Int8 widened to
/// another integer width is allowed where the value fits.
pub struct Rows {
    pub fields: Arc<[Field]>,
    pub batches: RowStream,
}

impl Rows {
    pub fn new(fields: impl Into<Arc<[Field]>>, batches: RowStream) -> Self {
        Self { fields: fields.into(), batches }
    }

    pub fn from_batches(fields: impl Into<Arc<[Field]>>, batches: Vec<RecordBatch>) -> Self {
        Self::new(fields, Box::pin(stream::iter(batches.into_iter().map(Ok))))
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("fields", &self.fields).finish_non_exhaustive()
    }
}
