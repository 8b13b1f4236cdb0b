//! Messages to a client. Those of the hot path are written in place; the rest are pgwire's.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use mantissa_core::{ErrorKind, Field, PgType, Problem};
use mantissa_query::{Notice, TransactionStatus};
use pgwire::messages::Message;
use pgwire::messages::copy::CopyOutResponse;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};
use pgwire::messages::startup::{Authentication, BackendKeyData, ParameterStatus, SecretKey};

use crate::encode::Format;

/// How an error ends: the statement, or the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Fatal,
}

/// Writes a message: its type, its length, and what `body` appends.
fn message(out: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_slice(&[kind, 0, 0, 0, 0]);
    body(out);
    let length = (out.len() - start - 1) as u32;
    out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
}

fn put_text(text: &str, out: &mut BytesMut) {
    out.put_slice(clean(text).as_bytes());
    out.put_u8(0);
}

/// A zero byte would end the string early and shift every field after it.
fn clean(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

/// Writes one of pgwire's messages. Those used here have no failing case: their limits lie above what is put in.
fn put(message: &impl Message, out: &mut BytesMut) {
    let start = out.len();
    if let Err(error) = message.encode(out) {
        out.truncate(start);
        tracing::error!(%error, "a message could not be written");
    }
}

pub(crate) fn authentication(step: &Authentication, out: &mut BytesMut) {
    put(step, out);
}

pub(crate) fn parameter_status(name: &str, value: &str, out: &mut BytesMut) {
    put(&ParameterStatus::new(clean(name).to_owned(), clean(value).to_owned()), out);
}

pub(crate) fn backend_key(pid: i32, secret: &[u8], out: &mut BytesMut) {
    put(&BackendKeyData::new(pid, SecretKey::Bytes(secret.to_vec().into())), out);
}

/// NegotiateProtocolVersion: the version that will be spoken, and the protocol options that are not known.
pub(crate) fn negotiate_version(version: u32, unknown_options: &[String], out: &mut BytesMut) {
    message(out, b'v', |out| {
        out.put_u32(version);
        out.put_u32(unknown_options.len() as u32);
        unknown_options.iter().for_each(|option| put_text(option, out));
    });
}

pub(crate) fn ready(status: TransactionStatus, out: &mut BytesMut) {
    let letter = match status {
        TransactionStatus::Idle => b'I',
        TransactionStatus::InTransaction => b'T',
        TransactionStatus::Failed => b'E',
    };
    out.put_slice(&[b'Z', 0, 0, 0, 5, letter]);
}

pub(crate) fn parse_complete(out: &mut BytesMut) {
    out.put_slice(b"1\0\0\0\x04");
}

pub(crate) fn bind_complete(out: &mut BytesMut) {
    out.put_slice(b"2\0\0\0\x04");
}

pub(crate) fn close_complete(out: &mut BytesMut) {
    out.put_slice(b"3\0\0\0\x04");
}

pub(crate) fn no_data(out: &mut BytesMut) {
    out.put_slice(b"n\0\0\0\x04");
}

pub(crate) fn portal_suspended(out: &mut BytesMut) {
    out.put_slice(b"s\0\0\0\x04");
}

pub(crate) fn empty_query(out: &mut BytesMut) {
    out.put_slice(b"I\0\0\0\x04");
}

pub(crate) fn copy_done(out: &mut BytesMut) {
    out.put_slice(b"c\0\0\0\x04");
}

pub(crate) fn copy_out(columns: usize, format: Format, out: &mut BytesMut) {
    let codes = vec![format.code(); columns];
    put(&CopyOutResponse::new(format.code() as i8, columns as i16, codes), out);
}

pub(crate) fn command_complete(tag: &str, out: &mut BytesMut) {
    message(out, b'C', |out| put_text(tag, out));
}

/// CommandComplete of a statement that counts its rows.
pub(crate) fn rows_complete(tag: &str, rows: u64, out: &mut BytesMut) {
    message(out, b'C', |out| {
        out.put_slice(tag.as_bytes());
        out.put_u8(b' ');
        out.put_slice(itoa::Buffer::new().format(rows).as_bytes());
        out.put_u8(0);
    });
}

pub(crate) fn row_description(fields: &[Field], format: impl Fn(usize) -> Format, out: &mut BytesMut) {
    message(out, b'T', |out| {
        out.put_u16(fields.len() as u16);
        for (index, field) in fields.iter().enumerate() {
            let (table, attribute) = field.origin.map_or((0, 0), |origin| (origin.table_oid, origin.attnum));
            put_text(&field.name, out);
            out.put_u32(table);
            out.put_i16(attribute);
            out.put_u32(field.ty.0);
            out.put_i16(field.ty.size());
            out.put_i32(field.typmod);
            out.put_i16(format(index).code());
        }
    });
}

pub(crate) fn parameter_description(types: &[PgType], out: &mut BytesMut) {
    message(out, b't', |out| {
        out.put_u16(types.len() as u16);
        types.iter().for_each(|ty| out.put_u32(ty.0));
    });
}

pub(crate) fn notice(notice: &Notice, out: &mut BytesMut) {
    let mut fields = vec![
        (b'S', notice.severity.to_owned()),
        (b'V', notice.severity.to_owned()),
        (b'C', notice.sqlstate.to_owned()),
        (b'M', clean(&notice.message).to_owned()),
    ];
    fields.extend(notice.detail.as_deref().map(|detail| (b'D', clean(detail).to_owned())));
    fields.extend(notice.hint.as_deref().map(|hint| (b'H', clean(hint).to_owned())));
    put(&NoticeResponse::new(fields), out);
}

/// Writes the error and logs it: an error's way ends here.
pub(crate) fn error(problem: &Problem, severity: Severity, out: &mut BytesMut) {
    log(problem);
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', problem.kind.sqlstate().to_owned()),
        (b'M', clean(&problem.message).to_owned()),
    ];
    fields.extend(problem.detail.as_deref().map(|detail| (b'D', clean(detail).to_owned())));
    fields.extend(problem.hint.as_deref().map(|hint| (b'H', clean(hint).to_owned())));
    fields.extend(problem.position.map(|position| (b'P', position.to_string())));
    put(&ErrorResponse::new(fields), out);
}

fn log(problem: &Problem) {
    let cause = causes(problem);
    let sqlstate = problem.kind.sqlstate();
    match problem.kind {
        ErrorKind::Internal | ErrorKind::DataCorrupted | ErrorKind::IoError | ErrorKind::DiskFull => {
            tracing::error!(sqlstate, %problem, cause, "statement failed");
        }
        ErrorKind::InvalidPassword | ErrorKind::InvalidAuthorization | ErrorKind::TooManyConnections => {
            tracing::info!(sqlstate, %problem, cause, "login refused");
        }
        _ => tracing::debug!(sqlstate, %problem, cause, "statement failed"),
    }
}

/// The chain below a problem, outermost first.
fn causes(problem: &Problem) -> String {
    let mut chain = Vec::new();
    let mut next = problem.source();
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    chain.join(": ")
}

#[cfg(test)]
mod tests {
    use mantissa_core::Origin;

    use super::*;

    #[test]
    fn an_error_carries_every_field_that_it_has() {
        let problem =
            Problem::new(ErrorKind::UndefinedColumn, "column \"x\" does not exist").detail("D.").hint("H\0x").at(8);
        let mut out = BytesMut::new();
        error(&problem, Severity::Error, &mut out);
        let body = b"SERROR\0VERROR\0C42703\0Mcolumn \"x\" does not exist\0DD.\0HH\0P8\0\0";
        assert_eq!(&out[..5], [b'E', 0, 0, 0, body.len() as u8 + 4]);
        assert_eq!(&out[5..], body);
    }

    #[test]
    fn columns_are_described_with_their_origin() {
        let mut field = Field::new("a", PgType::INT4);
        field.origin = Some(Origin { table_oid: 16_384, attnum: 2 });
        let mut out = BytesMut::new();
        row_description(&[field], |_| Format::Binary, &mut out);
        assert_eq!(&out[..], b"T\0\0\0\x1a\0\x01a\0\0\0\x40\0\0\x02\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01");
    }
}
