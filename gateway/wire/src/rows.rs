//! Rows on their way to the client: pulled from the engine, encoded, and sent at the client's pace.

use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use mantissa_core::{ErrorKind, Field, Problem, RowStream, Rows};
use mantissa_query::CopyFormat;
use tokio_util::sync::CancellationToken;

use crate::backend;
use crate::encode::{CopyEncoder, Format, RowEncoder, Style};
use crate::error::Interrupt;
use crate::transport::{FLUSH_AT, Transport};

/// Notices and column headings do not wait longer than this for a slow engine's first rows.
const HEADING_DELAY: Duration = Duration::from_millis(50);

/// The format of each result column.
#[derive(Debug, Clone)]
pub(crate) enum Formats {
    All(Format),
    Each(Box<[Format]>),
}

impl Formats {
    pub fn get(&self, column: usize) -> Format {
        match self {
            Formats::All(format) => *format,
            Formats::Each(formats) => formats.get(column).copied().unwrap_or_default(),
        }
    }

    /// As Bind gives them: none for text, one for all columns, or one for each.
    ///
    /// # Errors
    /// `ProtocolViolation` for any other number.
    pub fn of_bind(formats: Vec<Format>, columns: usize) -> Result<Self, Problem> {
        match formats.as_slice() {
            [] => Ok(Formats::All(Format::Text)),
            [all] => Ok(Formats::All(*all)),
            each if each.len() == columns => Ok(Formats::Each(formats.into())),
            each => {
                let message = format!("bind message has {} result formats but query has {columns} columns", each.len());
                Err(Problem::new(ErrorKind::ProtocolViolation, message))
            }
        }
    }
}

/// A result that is being read, with the batch that is half sent.
pub(crate) struct Pump {
    pub fields: Arc<[Field]>,
    batches: RowStream,
    formats: Formats,
    current: Option<RowEncoder>,
}

impl Pump {
    pub fn new(rows: Rows, formats: Formats) -> Self {
        Self { fields: rows.fields, batches: rows.batches, formats, current: None }
    }

    /// Sends up to `limit` rows; says how many, and whether the result came to its end before the limit.
    pub async fn send(
        &mut self,
        limit: usize,
        style: &Style,
        transport: &mut Transport,
        closing: &CancellationToken,
    ) -> Result<(usize, bool), Interrupt> {
        let mut sent = 0;
        while sent < limit {
            let Some(rows) = &mut self.current else {
                let Some(batch) = next(&mut self.batches, transport, closing).await? else { return Ok((sent, true)) };
                self.check(&batch)?;
                let formats = &self.formats;
                self.current = Some(RowEncoder::new(&batch, &self.fields, |column| formats.get(column), style)?);
                continue;
            };
            sent += rows.write(&mut transport.output, FLUSH_AT, limit - sent)?;
            if rows.remaining() == 0 {
                self.current = None;
            }
            if transport.output.len() >= FLUSH_AT {
                transport.flush(closing).await?;
            }
        }
        Ok((sent, false))
    }

    /// Passes over up to `limit` rows without sending them; says how many there were.
    pub async fn skip(
        &mut self,
        limit: usize,
        style: &Style,
        transport: &mut Transport,
        closing: &CancellationToken,
    ) -> Result<usize, Interrupt> {
        let mut skipped = 0;
        while skipped < limit {
            if let Some(rows) = self.current.as_mut().filter(|rows| rows.remaining() > 0) {
                skipped += rows.skip(limit - skipped);
                continue;
            }
            let Some(batch) = next(&mut self.batches, transport, closing).await? else { break };
            self.check(&batch)?;
            let formats = &self.formats;
            self.current = Some(RowEncoder::new(&batch, &self.fields, |column| formats.get(column), style)?);
        }
        Ok(skipped)
    }

    fn check(&self, batch: &RecordBatch) -> Result<(), Problem> {
        check_width(batch, &self.fields)
    }
}

fn check_width(batch: &RecordBatch, fields: &[Field]) -> Result<(), Problem> {
    if batch.num_columns() == fields.len() {
        return Ok(());
    }
    let message = format!("the result has {} columns where {} were announced", batch.num_columns(), fields.len());
    Err(Problem::new(ErrorKind::Internal, message))
}

/// The next batch. Watches the client meanwhile: one that hangs up stops the engine.
async fn next(
    batches: &mut RowStream,
    transport: &mut Transport,
    closing: &CancellationToken,
) -> Result<Option<RecordBatch>, Interrupt> {
    if !transport.output.is_empty() {
        tokio::select! {
            biased;
            batch = batches.next() => return Ok(batch.transpose()?),
            () = tokio::time::sleep(HEADING_DELAY) => {}
        }
        transport.flush(closing).await?;
    }
    let batch = transport.attend(batches.next()).await?;
    Ok(batch.transpose()?)
}

/// Sends a whole COPY ... TO STDOUT; says how many rows it had.
pub(crate) async fn copy_out(
    mut rows: Rows,
    format: CopyFormat,
    style: &Style,
    transport: &mut Transport,
    closing: &CancellationToken,
) -> Result<u64, Interrupt> {
    let fields = Arc::clone(&rows.fields);
    let mut copy = CopyEncoder::new(format, &fields);
    backend::copy_out(fields.len(), copy.column_format(), &mut transport.output);
    copy.write_header(&fields, &mut transport.output)?;
    let mut sent = 0;
    while let Some(batch) = next(&mut rows.batches, transport, closing).await? {
        check_width(&batch, &fields)?;
        let mut encoded = copy.batch(&batch, &fields, style)?;
        while !encoded.is_done() {
            sent += copy.write(&mut encoded, &mut transport.output, FLUSH_AT)? as u64;
            if transport.output.len() >= FLUSH_AT {
                transport.flush(closing).await?;
            }
        }
    }
    copy.write_trailer(&mut transport.output)?;
    backend::copy_done(&mut transport.output);
    Ok(sent)
}
