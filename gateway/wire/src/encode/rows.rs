//! Batches into DataRow messages.

use arrow::record_batch::RecordBatch;
use bytes::{BufMut, BytesMut};
use mantissa_core::Field;

use super::EncodeError;
use super::column::{ColumnEncoder, Format};
use super::style::Style;

const DATA_ROW: u8 = b'D';

/// One batch on its way to the client. Rows are written in order, as many at a time as the caller has room for.
pub(crate) struct RowEncoder {
    columns: Vec<ColumnEncoder>,
    next: usize,
    rows: usize,
}

impl RowEncoder {
    pub fn new(
        batch: &RecordBatch,
        fields: &[Field],
        format: impl Fn(usize) -> Format,
        style: &Style,
    ) -> Result<Self, EncodeError> {
        let columns = batch
            .columns()
            .iter()
            .zip(fields)
            .enumerate()
            .map(|(index, (array, field))| ColumnEncoder::new(array, field.ty, format(index), style))
            .collect::<Result<_, _>>()?;
        Ok(Self { columns, next: 0, rows: batch.num_rows() })
    }

    pub fn remaining(&self) -> usize {
        self.rows - self.next
    }

    /// Passes over up to `limit` rows; says how many.
    pub fn skip(&mut self, limit: usize) -> usize {
        let skipped = self.remaining().min(limit);
        self.next += skipped;
        skipped
    }

    /// Appends DataRow messages until `out` holds `until` bytes or `limit` rows are written; says how many were.
    pub fn write(&mut self, out: &mut BytesMut, until: usize, limit: usize) -> Result<usize, EncodeError> {
        let start = self.next;
        let end = start + self.remaining().min(limit);
        while self.next < end && out.len() < until {
            let row_start = out.len();
            if let Err(error) = self.write_row(out) {
                // A half-written message would break the stream for the error that follows it.
                out.truncate(row_start);
                return Err(error);
            }
            self.next += 1;
        }
        Ok(self.next - start)
    }

    fn write_row(&mut self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let start = out.len();
        out.put_slice(&[DATA_ROW, 0, 0, 0, 0]);
        out.put_u16(self.columns.len() as u16);
        for column in &mut self.columns {
            put_value(column, self.next, out)?;
        }
        let length = i32::try_from(out.len() - start - 1).map_err(|_| EncodeError::TooLong)?;
        out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

/// Appends a value with its length in front, -1 for null.
pub(super) fn put_value(column: &mut ColumnEncoder, row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    if column.is_null(row) {
        out.put_i32(-1);
        return Ok(());
    }
    let start = out.len();
    out.put_i32(0);
    column.write(row, out)?;
    let length = i32::try_from(out.len() - start - 4).map_err(|_| EncodeError::TooLong)?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}
