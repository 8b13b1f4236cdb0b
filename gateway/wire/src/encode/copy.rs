//! Batches into the three formats of COPY ... TO STDOUT. One CopyData message a row, as Postgres sends them.

use arrow::record_batch::RecordBatch;
use bytes::{BufMut, BytesMut};
use mantissa_core::Field;
use mantissa_query::{CopyFormat, ForceQuote};

use super::EncodeError;
use super::column::{ColumnEncoder, Format};
use super::rows::put_value;
use super::style::Style;

const COPY_DATA: u8 = b'd';
/// The signature, no flags, no header extension.
const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const BINARY_TRAILER: &[u8] = &[0xff, 0xff];

/// Writes one COPY: the header, any number of batches, the trailer.
pub(crate) struct CopyEncoder {
    format: CopyFormat,
    /// CSV: columns that are quoted whatever they hold.
    forced: Vec<bool>,
    /// Binary: the header has not been sent yet. It shares the message of what comes first, as in Postgres; drivers rely on
    /// it.
    header_due: bool,
    scratch: BytesMut,
}

impl CopyEncoder {
    pub fn new(format: CopyFormat, fields: &[Field]) -> Self {
        let forced = fields
            .iter()
            .map(|field| match &format {
                CopyFormat::Csv { force_quote: ForceQuote::All, .. } => true,
                CopyFormat::Csv { force_quote: ForceQuote::Columns(names), .. } => names.contains(&field.name),
                _ => false,
            })
            .collect();
        let header_due = format == CopyFormat::Binary;
        Self { format, forced, header_due, scratch: BytesMut::new() }
    }

    /// The format code of CopyOutResponse, overall and for each column.
    pub fn column_format(&self) -> Format {
        if self.format == CopyFormat::Binary { Format::Binary } else { Format::Text }
    }

    /// Appends what goes before the rows.
    pub fn write_header(&mut self, fields: &[Field], out: &mut BytesMut) -> Result<(), EncodeError> {
        match self.format.clone() {
            CopyFormat::Text { header: true, delimiter, .. } => message(out, |out| {
                for (index, field) in fields.iter().enumerate() {
                    put_delimiter(index, delimiter, out);
                    put_text_escaped(field.name.as_bytes(), delimiter, out);
                }
                out.put_u8(b'\n');
                Ok(())
            }),
            CopyFormat::Csv { header: true, delimiter, quote, escape, null, .. } => message(out, |out| {
                let csv = Csv { delimiter, quote, escape, null: null.as_bytes(), single: fields.len() == 1 };
                for (index, field) in fields.iter().enumerate() {
                    put_delimiter(index, delimiter, out);
                    csv.put(field.name.as_bytes(), false, out);
                }
                out.put_u8(b'\n');
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    /// Appends what goes after the rows.
    pub fn write_trailer(&mut self, out: &mut BytesMut) -> Result<(), EncodeError> {
        if self.format != CopyFormat::Binary {
            return Ok(());
        }
        message(out, |out| {
            self.put_due_header(out);
            out.put_slice(BINARY_TRAILER);
            Ok(())
        })
    }

    pub fn batch(&self, batch: &RecordBatch, fields: &[Field], style: &Style) -> Result<CopyBatch, EncodeError> {
        let format = self.column_format();
        let columns = batch
            .columns()
            .iter()
            .zip(fields)
            .map(|(array, field)| ColumnEncoder::new(array, field.ty, format, style))
            .collect::<Result<_, _>>()?;
        Ok(CopyBatch { columns, next: 0, rows: batch.num_rows() })
    }

    /// Appends rows of `batch` until `out` holds `until` bytes or the batch is done.
    pub fn write(&mut self, batch: &mut CopyBatch, out: &mut BytesMut, until: usize) -> Result<usize, EncodeError> {
        let start = batch.next;
        while batch.next < batch.rows && out.len() < until {
            let row_start = out.len();
            let row = batch.next;
            let written = message(out, |out| self.write_row(&mut batch.columns, row, out));
            if let Err(error) = written {
                out.truncate(row_start);
                return Err(error);
            }
            batch.next += 1;
        }
        Ok(batch.next - start)
    }

    fn put_due_header(&mut self, out: &mut BytesMut) {
        if std::mem::take(&mut self.header_due) {
            out.put_slice(BINARY_HEADER);
        }
    }

    fn write_row(&mut self, columns: &mut [ColumnEncoder], row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        match &self.format {
            CopyFormat::Binary => {
                self.put_due_header(out);
                out.put_u16(columns.len() as u16);
                for column in columns {
                    put_value(column, row, out)?;
                }
            }
            CopyFormat::Text { delimiter, null, .. } => {
                for (index, column) in columns.iter_mut().enumerate() {
                    put_delimiter(index, *delimiter, out);
                    if column.is_null(row) {
                        out.put_slice(null.as_bytes());
                        continue;
                    }
                    self.scratch.clear();
                    column.write(row, &mut self.scratch)?;
                    put_text_escaped(&self.scratch, *delimiter, out);
                }
                out.put_u8(b'\n');
            }
            CopyFormat::Csv { delimiter, null, quote, escape, .. } => {
                let csv = Csv {
                    delimiter: *delimiter,
                    quote: *quote,
                    escape: *escape,
                    null: null.as_bytes(),
                    single: columns.len() == 1,
                };
                for (index, column) in columns.iter_mut().enumerate() {
                    put_delimiter(index, *delimiter, out);
                    if column.is_null(row) {
                        out.put_slice(csv.null);
                        continue;
                    }
                    self.scratch.clear();
                    column.write(row, &mut self.scratch)?;
                    csv.put(&self.scratch, self.forced.get(index).copied().unwrap_or(false), out);
                }
                out.put_u8(b'\n');
            }
        }
        Ok(())
    }
}

/// One batch of a COPY on its way to the client.
pub(crate) struct CopyBatch {
    columns: Vec<ColumnEncoder>,
    next: usize,
    rows: usize,
}

impl CopyBatch {
    pub fn is_done(&self) -> bool {
        self.next == self.rows
    }
}

fn message(out: &mut BytesMut, body: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>) -> Result<(), EncodeError> {
    let start = out.len();
    out.put_slice(&[COPY_DATA, 0, 0, 0, 0]);
    body(out)?;
    let length = i32::try_from(out.len() - start - 1).map_err(|_| EncodeError::TooLong)?;
    out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn put_delimiter(index: usize, delimiter: u8, out: &mut BytesMut) {
    if index > 0 {
        out.put_u8(delimiter);
    }
}

/// The text format: backslash before what would be read as structure.
fn put_text_escaped(value: &[u8], delimiter: u8, out: &mut BytesMut) {
    let mut plain_from = 0;
    for (index, byte) in value.iter().enumerate() {
        let escaped = match byte {
            b'\\' => b'\\',
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0b => b'v',
            other if *other == delimiter => *other,
            _ => continue,
        };
        out.put_slice(&value[plain_from..index]);
        out.put_slice(&[b'\\', escaped]);
        plain_from = index + 1;
    }
    out.put_slice(&value[plain_from..]);
}

struct Csv<'a> {
    delimiter: u8,
    quote: u8,
    escape: u8,
    null: &'a [u8],
    /// A single column that holds `\.` would read as the end of data.
    single: bool,
}

impl Csv<'_> {
    fn put(&self, value: &[u8], forced: bool, out: &mut BytesMut) {
        let quoted = forced
            || value == self.null
            || (self.single && value == b"\\.")
            || value.iter().any(|byte| *byte == self.delimiter || *byte == self.quote || matches!(byte, b'\n' | b'\r'));
        if !quoted {
            return out.put_slice(value);
        }
        out.put_u8(self.quote);
        for byte in value {
            if *byte == self.quote || *byte == self.escape {
                out.put_u8(self.escape);
            }
            out.put_u8(*byte);
        }
        out.put_u8(self.quote);
    }
}
