//! From the first byte to the start-up packet: TLS and GSS requests, cancel requests, the protocol's version.

use bytes::BytesMut;
use mantissa_core::{ErrorKind, Problem};
use pgwire::messages::response::SslResponse;
use pgwire::messages::startup::{GssEncRequest, SslRequest};

use crate::backend;
use crate::error::Stop;
use crate::frontend::utf8;
use crate::tls::Tls;
use crate::transport::Transport;

/// Postgres's own limit, `MAX_STARTUP_PACKET_LENGTH`.
const MAX_PACKET: usize = 10_000;
const CANCEL_REQUEST: u32 = 80_877_102;
/// The newest protocol spoken here: 3.2, of PostgreSQL 18.
const NEWEST_VERSION: u32 = 3 << 16 | 2;
/// The first byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 0x16;
const ALPN: &[u8] = b"postgresql";

/// What a connection turned out to be for.
#[derive(Debug)]
pub(crate) enum Opening {
    Session(Startup),
    Cancel { pid: i32, secret: Vec<u8> },
}

/// A start-up packet.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Startup {
    pub version: u32,
    pub user: String,
    pub database: Option<String>,
    pub application_name: String,
    /// Settings, those of `options` first.
    pub options: Vec<(String, String)>,
    /// Protocol options (`_pq_.*`), none of which is known here.
    pub unknown_options: Vec<String>,
}

impl Startup {
    /// Protocol 3.2 has room for a cancel key of up to 256 bytes.
    pub fn takes_long_key(&self) -> bool {
        self.version >= NEWEST_VERSION
    }

    /// Tells the client where it asked for more than there is.
    pub fn negotiate(&self, out: &mut BytesMut) {
        if self.version > NEWEST_VERSION || !self.unknown_options.is_empty() {
            backend::negotiate_version(self.version.min(NEWEST_VERSION), &self.unknown_options, out);
        }
    }
}

/// Reads up to the start-up packet, turning to TLS on the way where the client asks.
///
/// # Errors
/// Anything that is no Postgres client.
pub(crate) async fn receive(
    mut transport: Transport,
    tls: Option<&Tls>,
) -> Result<(Transport, Opening), (Option<Transport>, Stop)> {
    if transport.is_tcp() && matches!(transport.peek().await, Ok(Some(TLS_HANDSHAKE))) {
        transport = direct_tls(transport, tls).await.map_err(|stop| (None, stop))?;
    }
    let mut gss_asked = false;
    loop {
        let (length, code) = match packet_head(&mut transport).await {
            Ok(head) => head,
            Err(stop) => return Err((Some(transport), stop)),
        };
        let answered = match code {
            SSL_REQUEST if length == 8 && !transport.is_tls() => {
                let (answer, acceptor) = match tls {
                    Some(tls) if transport.is_tcp() => (SslResponse::BYTE_ACCEPT, Some(&tls.acceptor)),
                    _ => (SslResponse::BYTE_REFUSE, None),
                };
                if let Err(stop) = answer_byte(&mut transport, answer).await {
                    return Err((Some(transport), stop));
                }
                if let Some(acceptor) = acceptor {
                    transport = transport.start_tls(acceptor).await.map_err(|stop| (None, stop))?;
                }
                Ok(())
            }
            GSS_REQUEST if length == 8 && !gss_asked => {
                gss_asked = true;
                answer_byte(&mut transport, SslResponse::BYTE_REFUSE).await
            }
            code => {
                return match opening(&mut transport, length, code).await {
                    Ok(opening) => Ok((transport, opening)),
                    Err(stop) => Err((Some(transport), stop)),
                };
            }
        };
        if let Err(stop) = answered {
            return Err((Some(transport), stop));
        }
    }
}

const SSL_REQUEST: u32 = SslRequest::BODY_MAGIC_NUMBER as u32;
const GSS_REQUEST: u32 = GssEncRequest::BODY_MAGIC_NUMBER as u32;

async fn direct_tls(transport: Transport, tls: Option<&Tls>) -> Result<Transport, Stop> {
    let Some(tls) = tls else { return Err(Stop::Gone) };
    let transport = transport.start_tls(&tls.acceptor).await?;
    // Without the name another protocol's client could be led here (ALPACA).
    if transport.alpn() == Some(ALPN) { Ok(transport) } else { Err(Stop::Gone) }
}

/// Exactly the 8 bytes are read: what a client sends before the answer cannot slip into the encrypted stream.
async fn packet_head(transport: &mut Transport) -> Result<(usize, u32), Stop> {
    let [a, b, c, d, code @ ..] = transport.exactly::<8>().await?;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if !(8..=MAX_PACKET).contains(&length) {
        return Err(Stop::fatal(ErrorKind::ProtocolViolation, "invalid length of startup packet"));
    }
    Ok((length, u32::from_be_bytes(code)))
}

async fn answer_byte(transport: &mut Transport, answer: u8) -> Result<(), Stop> {
    transport.output.extend_from_slice(&[answer]);
    transport.flush(&tokio_util::sync::CancellationToken::new()).await
}

async fn opening(transport: &mut Transport, length: usize, code: u32) -> Result<Opening, Stop> {
    let body = transport.rest(length - 8).await?;
    decode(code, &body).map_err(Stop::from)
}

fn decode(code: u32, body: &[u8]) -> Result<Opening, Problem> {
    if code == CANCEL_REQUEST {
        let cancel = body.split_first_chunk::<4>().filter(|(_, secret)| (4..=256).contains(&secret.len()));
        let (pid, secret) =
            cancel.ok_or_else(|| Problem::new(ErrorKind::ProtocolViolation, "invalid length of cancel request"))?;
        return Ok(Opening::Cancel { pid: i32::from_be_bytes(*pid), secret: secret.to_vec() });
    }
    let (major, minor) = (code >> 16, code & 0xffff);
    if major != 3 {
        let message = format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2");
        return Err(Problem::new(ErrorKind::FeatureNotSupported, message));
    }
    parameters(code, body).map(Opening::Session)
}

fn parameters(version: u32, body: &[u8]) -> Result<Startup, Problem> {
    let malformed = || {
        Problem::new(ErrorKind::ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
    };
    let strings = body.strip_suffix(&[0]).ok_or_else(malformed)?;
    let mut startup = Startup { version, ..Startup::default() };
    let mut parts = strings.split_inclusive(|byte| *byte == 0);
    while let Some(name) = parts.next() {
        let value = parts.next().ok_or_else(malformed)?;
        let text = |part: &[u8]| utf8(part.strip_suffix(&[0]).ok_or_else(malformed)?).map(str::to_owned);
        let (name, value) = (text(name)?, text(value)?);
        match name.as_str() {
            "user" => startup.user = value,
            "database" => startup.database = Some(value).filter(|value| !value.is_empty()),
            "application_name" => startup.application_name = value,
            "options" => {
                let settings = command_line(&value)?;
                startup.options.splice(0..0, settings);
            }
            "replication" => {
                if !matches!(value.as_str(), "false" | "off" | "no" | "0") {
                    return Err(Problem::new(ErrorKind::FeatureNotSupported, "replication is not supported"));
                }
            }
            name if name.starts_with("_pq_.") => startup.unknown_options.push(name.to_owned()),
            _ => startup.options.push((name, value)),
        }
    }
    if startup.user.is_empty() {
        let message = "no PostgreSQL user name specified in startup packet";
        return Err(Problem::new(ErrorKind::InvalidAuthorization, message));
    }
    Ok(startup)
}

/// Splits `-c name=value --name=value`: spaces part words, a backslash takes the next character as it is.
fn command_line(options: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut settings = Vec::new();
    let mut words = words(options).into_iter();
    while let Some(word) = words.next() {
        let invalid = || {
            let message = format!("invalid command-line argument for server process: {word}");
            Problem::new(ErrorKind::SyntaxError, message).hint("Use -c name=value or --name=value.")
        };
        let setting = if word == "-c" {
            words.next().ok_or_else(invalid)?
        } else {
            word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).ok_or_else(invalid)?.to_owned()
        };
        let (name, value) = setting.split_once('=').ok_or_else(invalid)?;
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => word.get_or_insert_default().extend(chars.next()),
            space if space.is_ascii_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// Decodes whatever bytes come as a start-up packet's code and body.
pub fn fuzz_startup(bytes: &[u8]) {
    if let Some((code, body)) = bytes.split_first_chunk::<4>() {
        let _ = decode(u32::from_be_bytes(*code), body);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session(body: &[u8]) -> Result<Startup, Problem> {
        match decode(3 << 16, body)? {
            Opening::Session(startup) => Ok(startup),
            Opening::Cancel { .. } => panic!("a cancel request"),
        }
    }

    #[test]
    fn a_start_up_packet_gives_its_settings() {
        let body = b"user\0ann\0database\0lake\0application_name\0psql\0DateStyle\0ISO\0\
            options\0-c geqo=off --search-path=a\\ b -cx=1\0_pq_.later\0on\0\0";
        let startup = session(body).unwrap();
        assert_eq!(startup.user, "ann");
        assert_eq!(startup.database.as_deref(), Some("lake"));
        assert_eq!(startup.application_name, "psql");
        let options: Vec<_> = startup.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(options, ["geqo=off", "search_path=a b", "x=1", "DateStyle=ISO"]);
        assert_eq!(startup.unknown_options, ["_pq_.later"]);
        let mut out = BytesMut::new();
        startup.negotiate(&mut out);
        assert_eq!(&out[..], b"v\0\0\0\x17\0\x03\0\0\0\0\0\x01_pq_.later\0");
    }

    #[test]
    fn a_newer_minor_version_is_talked_down() {
        let body = b"user\0ann\0\0";
        for (code, answer) in [(3 << 16, 0), (3 << 16 | 2, 0), (3 << 16 | 9999, 13)] {
            let Ok(Opening::Session(startup)) = decode(code, body) else { panic!("no session") };
            let mut out = BytesMut::new();
            startup.negotiate(&mut out);
            assert_eq!(out.len(), answer);
            assert_eq!(startup.takes_long_key(), code != 3 << 16);
        }
    }

    #[test]
    fn bad_packets_are_named_errors() {
        for (code, body, kind) in [
            (2 << 16, &b"user\0ann\0\0"[..], ErrorKind::FeatureNotSupported),
            (3 << 16, b"", ErrorKind::ProtocolViolation),
            (3 << 16, b"user\0ann\0", ErrorKind::ProtocolViolation),
            (3 << 16, b"user\0\0", ErrorKind::ProtocolViolation),
            (3 << 16, b"\0", ErrorKind::InvalidAuthorization),
            (3 << 16, b"user\0\xff\0\0", ErrorKind::CharacterNotInRepertoire),
            (3 << 16, b"user\0a\0options\0-d\0\0", ErrorKind::SyntaxError),
            (3 << 16, b"user\0a\0replication\0database\0\0", ErrorKind::FeatureNotSupported),
            (CANCEL_REQUEST, b"\0\0\0\x01", ErrorKind::ProtocolViolation),
        ] {
            assert_eq!(decode(code, body).unwrap_err().kind, kind, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_startup(&bytes);
            let _ = decode(3 << 16, &bytes);
        }
    }
}
