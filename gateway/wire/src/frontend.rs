//! Messages from a client: framing and decoding that reads nothing beyond a message's own bytes and never panics.

use bytes::{Buf, Bytes, BytesMut};
use mantissa_core::{ErrorKind, PgType, Problem};
use pgwire::messages::{copy, extendedquery, simplequery, startup, terminate};

use crate::encode::Format;
use crate::error::Stop;

/// Postgres's own limit for messages that carry neither SQL nor data, `PQ_SMALL_MESSAGE_LIMIT`.
pub(crate) const SMALL_MESSAGE: usize = 10_000;

#[derive(Debug)]
pub(crate) enum Message {
    Query(String),
    Parse {
        name: String,
        sql: String,
        types: Vec<PgType>,
    },
    Bind(Bind),
    DescribeStatement(String),
    DescribePortal(String),
    Execute {
        portal: String,
        max_rows: usize,
    },
    CloseStatement(String),
    ClosePortal(String),
    Flush,
    Sync,
    Terminate,
    /// Left over from a COPY that has failed: read and dropped.
    Copy,
    FunctionCall,
    Password(Bytes),
}

#[derive(Debug)]
pub(crate) struct Bind {
    pub portal: String,
    pub statement: String,
    pub parameter_formats: Vec<Format>,
    pub parameters: Vec<Option<Bytes>>,
    pub result_formats: Vec<Format>,
}

/// A message's type and body, cut out of the stream.
#[derive(Debug)]
pub(crate) struct Frame {
    pub kind: u8,
    pub body: Bytes,
}

/// Takes the next whole message off `input`, if it is there.
///
/// # Errors
/// A type or a length that no message has: what follows cannot be read, so the connection ends.
pub(crate) fn take_frame(input: &mut BytesMut, max_bytes: usize) -> Result<Option<Frame>, Stop> {
    let Some(kind) = input.first().copied() else { return Ok(None) };
    let limit = match kind {
        simplequery::MESSAGE_TYPE_BYTE_QUERY
        | extendedquery::MESSAGE_TYPE_BYTE_PARSE
        | extendedquery::MESSAGE_TYPE_BYTE_BIND
        | copy::MESSAGE_TYPE_BYTE_COPY_DATA
        | b'F' => max_bytes,
        b'p' | b'D' | b'E' | b'C' | b'H' | b'S' | b'X' | b'c' | b'f' => SMALL_MESSAGE.min(max_bytes),
        other => {
            let message = format!("invalid frontend message type {other}");
            return Err(Stop::fatal(ErrorKind::ProtocolViolation, message));
        }
    };
    let Some(length) = input.get(1..5) else { return Ok(None) };
    let length = length.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    if length < 4 {
        return Err(Stop::fatal(ErrorKind::ProtocolViolation, "invalid message length"));
    }
    if length > limit {
        let problem = Problem::new(ErrorKind::ProtocolViolation, "invalid message length")
            .detail(format!("A message of {length} bytes is over the limit of {limit} bytes."));
        return Err(problem.into());
    }
    if input.len() < length + 1 {
        return Ok(None);
    }
    let mut frame = input.split_to(length + 1);
    frame.advance(5);
    Ok(Some(Frame { kind, body: frame.freeze() }))
}

impl Frame {
    /// # Errors
    /// `ProtocolViolation` for a body that is not of its type's shape; `CharacterNotInRepertoire` for text that is no UTF-8.
    pub fn decode(self) -> Result<Message, Problem> {
        let mut body = Body { bytes: self.body };
        let message = match self.kind {
            simplequery::MESSAGE_TYPE_BYTE_QUERY => Message::Query(body.text()?),
            extendedquery::MESSAGE_TYPE_BYTE_PARSE => {
                let (name, sql) = (body.text()?, body.text()?);
                let count = body.u16()?;
                let types = (0..count).map(|_| body.u32().map(PgType)).collect::<Result<_, _>>()?;
                Message::Parse { name, sql, types }
            }
            extendedquery::MESSAGE_TYPE_BYTE_BIND => Message::Bind(body.bind()?),
            extendedquery::MESSAGE_TYPE_BYTE_DESCRIBE => match body.u8()? {
                extendedquery::TARGET_TYPE_BYTE_STATEMENT => Message::DescribeStatement(body.text()?),
                extendedquery::TARGET_TYPE_BYTE_PORTAL => Message::DescribePortal(body.text()?),
                other => return Err(violation(format!("invalid DESCRIBE message subtype {other}"))),
            },
            extendedquery::MESSAGE_TYPE_BYTE_EXECUTE => {
                let portal = body.text()?;
                // Zero and below stand for no limit.
                let max_rows = match body.u32()? as i32 {
                    limit if limit > 0 => limit as usize,
                    _ => usize::MAX,
                };
                Message::Execute { portal, max_rows }
            }
            extendedquery::MESSAGE_TYPE_BYTE_CLOSE => match body.u8()? {
                extendedquery::TARGET_TYPE_BYTE_STATEMENT => Message::CloseStatement(body.text()?),
                extendedquery::TARGET_TYPE_BYTE_PORTAL => Message::ClosePortal(body.text()?),
                other => return Err(violation(format!("invalid CLOSE message subtype {other}"))),
            },
            extendedquery::MESSAGE_TYPE_BYTE_FLUSH => Message::Flush,
            extendedquery::MESSAGE_TYPE_BYTE_SYNC => Message::Sync,
            terminate::MESSAGE_TYPE_BYTE_TERMINATE => Message::Terminate,
            startup::MESSAGE_TYPE_BYTE_PASSWORD_MESSAGE_FAMILY => return Ok(Message::Password(body.bytes)),
            b'F' => return Ok(Message::FunctionCall),
            _ => return Ok(Message::Copy),
        };
        if !body.bytes.is_empty() {
            return Err(violation("invalid message format".to_owned()));
        }
        Ok(message)
    }
}

fn violation(message: String) -> Problem {
    Problem::new(ErrorKind::ProtocolViolation, message)
}

fn too_short() -> Problem {
    violation("insufficient data left in message".to_owned())
}

/// A message's bytes, taken from the front.
pub(crate) struct Body {
    pub bytes: Bytes,
}

impl Body {
    fn take(&mut self, count: usize) -> Result<Bytes, Problem> {
        if self.bytes.len() < count {
            return Err(too_short());
        }
        Ok(self.bytes.split_to(count))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let array = self.bytes.first_chunk::<N>().copied().ok_or_else(too_short)?;
        self.bytes.advance(N);
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8, Problem> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, Problem> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Problem> {
        self.array().map(u32::from_be_bytes)
    }

    /// A null-terminated string.
    pub fn text(&mut self) -> Result<String, Problem> {
        let end = self.bytes.iter().position(|byte| *byte == 0);
        let end = end.ok_or_else(|| violation("invalid string in message".to_owned()))?;
        let text = utf8(&self.bytes[..end])?.to_owned();
        self.bytes.advance(end + 1);
        Ok(text)
    }

    fn formats(&mut self) -> Result<Vec<Format>, Problem> {
        let count = self.u16()?;
        let format = |code| match code {
            0 => Ok(Format::Text),
            1 => Ok(Format::Binary),
            other => Err(Problem::new(ErrorKind::InvalidParameterValue, format!("unsupported format code: {other}"))),
        };
        (0..count).map(|_| self.u16().and_then(format)).collect()
    }

    fn bind(&mut self) -> Result<Bind, Problem> {
        let (portal, statement) = (self.text()?, self.text()?);
        let parameter_formats = self.formats()?;
        let count = self.u16()?;
        let mut parameters = Vec::new();
        for _ in 0..count {
            parameters.push(match self.u32()? as i32 {
                -1 => None,
                length => Some(self.take(usize::try_from(length).map_err(|_| too_short())?)?),
            });
        }
        let result_formats = self.formats()?;
        Ok(Bind { portal, statement, parameter_formats, parameters, result_formats })
    }

    /// SASLInitialResponse: the mechanism, and the client's first message where it sends one with it.
    pub fn sasl_initial(&mut self) -> Result<(String, Option<Bytes>), Problem> {
        let mechanism = self.text()?;
        let data = match self.u32()? as i32 {
            -1 => None,
            length => Some(self.take(usize::try_from(length).map_err(|_| too_short())?)?),
        };
        Ok((mechanism, data))
    }
}

/// # Errors
/// `CharacterNotInRepertoire`, naming the bytes as Postgres does.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let start = error.valid_up_to();
        let length = error.error_len().unwrap_or(bytes.len() - start);
        let shown: Vec<_> = bytes[start..start + length].iter().map(|byte| format!("0x{byte:02x}")).collect();
        let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
        Problem::new(ErrorKind::CharacterNotInRepertoire, message)
    })
}

/// Frames and decodes whatever bytes come.
pub fn fuzz_frontend(bytes: &[u8]) {
    let mut input = BytesMut::from(bytes);
    while let Ok(Some(frame)) = take_frame(&mut input, 1 << 20) {
        if let Ok(Message::Password(body)) = frame.decode() {
            let _ = Body { bytes: body }.sasl_initial();
        }
    }
}

#[cfg(test)]
mod tests {
    use pgwire::messages::Message as _;
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> Result<Message, Problem> {
        let mut input = BytesMut::from(bytes);
        take_frame(&mut input, 1 << 20).unwrap().unwrap().decode()
    }

    #[test]
    fn a_message_is_taken_only_when_it_is_whole() {
        let mut input = BytesMut::from(&b"Q\0\0\0\x0aSELECT"[..]);
        assert!(take_frame(&mut input.split_to(7), 100).unwrap().is_none());
        let mut input = BytesMut::from(&b"Q\0\0\0\x0aSELE1\0S\0\0\0\x04"[..]);
        assert!(
            matches!(take_frame(&mut input, 100).unwrap().unwrap().decode(), Ok(Message::Query(sql)) if sql == "SELE1")
        );
        assert!(matches!(take_frame(&mut input, 100).unwrap().unwrap().decode(), Ok(Message::Sync)));
        assert!(take_frame(&mut input, 100).unwrap().is_none());
    }

    #[test]
    fn lengths_and_types_that_no_message_has_end_the_connection() {
        for bytes in
            [&b"Q\x7f\xff\xff\xff"[..], b"Q\xff\xff\xff\xff", b"Q\0\0\0\x03", b"G", b"\x16\x03\x01", b"S\0\0\x7f\xff"]
        {
            let stop = take_frame(&mut BytesMut::from(bytes), 64 << 20).unwrap_err();
            assert!(matches!(stop, Stop::Fatal(problem) if problem.kind == ErrorKind::ProtocolViolation), "{bytes:?}");
        }
    }

    #[test]
    fn bodies_of_the_wrong_shape_are_named_errors() {
        for (bytes, kind) in [
            (&b"Q\0\0\0\x05a"[..], ErrorKind::ProtocolViolation),
            (b"Q\0\0\0\x06\xff\0", ErrorKind::CharacterNotInRepertoire),
            (b"Q\0\0\0\x07a\0b", ErrorKind::ProtocolViolation),
            (b"P\0\0\0\x08\0\0\xff\xff", ErrorKind::ProtocolViolation),
            (b"D\0\0\0\x06x\0", ErrorKind::ProtocolViolation),
            (b"B\0\0\0\x0a\0\0\0\x01\0\x02", ErrorKind::InvalidParameterValue),
            (b"B\0\0\0\x0e\0\0\0\0\0\x01\xff\xff\xff\xfe", ErrorKind::ProtocolViolation),
        ] {
            assert_eq!(decode(bytes).unwrap_err().kind, kind, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_a_client_encodes_is_decoded(
            portal in "[a-z]{0,9}",
            statement in "[a-zé]{0,9}",
            values in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..20)), 0..5),
            binary: bool,
        ) {
            let mut bytes = BytesMut::new();
            let parameters = values.iter().map(|value| value.clone().map(Bytes::from)).collect();
            let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
            extendedquery::Bind::new(name(&portal), name(&statement), vec![i16::from(binary)], parameters, vec![])
                .encode(&mut bytes).unwrap();
            let Ok(Message::Bind(bind)) = decode(&bytes) else { return Err(TestCaseError::fail("no bind")) };
            prop_assert_eq!(bind.portal, portal);
            prop_assert_eq!(bind.statement, statement);
            prop_assert_eq!(bind.parameter_formats, vec![if binary { Format::Binary } else { Format::Text }]);
            prop_assert_eq!(bind.parameters.iter().map(|p| p.as_ref().map(|p| p.to_vec())).collect::<Vec<_>>(), values);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in prop::sample::select(b"QPBDECHSXpFdcf".to_vec())) {
            fuzz_frontend(&bytes);
            let mut framed = vec![kind];
            framed.extend_from_slice(&(bytes.len() as u32 + 4).to_be_bytes());
            framed.extend_from_slice(&bytes);
            fuzz_frontend(&framed);
        }
    }
}
