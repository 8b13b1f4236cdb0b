//! One parser a format: an event's text in, a normalised row out.

mod cloudtrail;
mod github;
mod guardduty;
mod json;
mod kubernetes;
mod okta;
mod syslog;
mod vpc_flow;

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Deserialize;

use crate::framing::Format;
use crate::json::Value;
use crate::row::{Row, Scalar};
use crate::schema::common;
use crate::timestamp::{self, Micros, TimeFault};

/// Why an event goes to quarantine.
pub type Reason = &'static str;

/// What one event became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    Row,
    /// Part of the format, not an event: a header line.
    Skipped,
}

/// What is known of an event from outside its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// When the lake received it: the time of an event that has none.
    pub received: Micros,
    /// The object that the event was wrapped in.
    pub envelope: Option<Value<'a>>,
}

/// Parses the events of one input in order. May keep what later events need, such as a header.
pub trait Parser: Send {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason>;

    /// A line that must stand before an event so that it parses alone, as after quarantine.
    fn context(&self) -> Option<String> {
        None
    }
}

macro_rules! parser_kinds {
    ($($kind:ident $module:ident $format:ident,)*) => {
        /// The formats that a source's declaration may name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ParserKind { $($kind,)* }

        impl ParserKind {
            /// A parser for one input.
            pub fn start(self) -> Box<dyn Parser> {
                match self { $(ParserKind::$kind => Box::new($module::$kind::default()),)* }
            }

            /// How inputs are cut into events, unless their first byte says otherwise.
            pub fn format(self) -> Format {
                match self { $(ParserKind::$kind => Format::$format,)* }
            }
        }
    };
}

parser_kinds! {
    Cloudtrail cloudtrail Json,
    VpcFlow vpc_flow Lines,
    Guardduty guardduty Json,
    Okta okta Json,
    Github github Json,
    Kubernetes kubernetes Json,
    Syslog syslog Lines,
    Json json Json,
}

const NOT_AN_OBJECT: Reason = "not a JSON object";

/// Reads a vendor's time field: text or epoch number.
fn read_time(value: Value<'_>) -> Option<Result<Micros, TimeFault>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(timestamp::parse(text)),
        Value::Number(text) => Some(timestamp::parse(text)),
        _ => None,
    }
}

/// Sets the time from the first field that has one; without any, from the envelope, else when it was received.
fn set_time<'a>(row: &mut Row<'a>, fields: &[Value<'a>], around: &Surroundings<'a>) -> Result<(), Reason> {
    let outer = around.envelope.map_or(Value::Null, |envelope| {
        let time = envelope.get("time");
        if time == Value::Null { envelope.get("timestamp") } else { time }
    });
    let time = match fields.iter().chain([&outer]).find_map(|field| read_time(*field)) {
        Some(time) => time.map_err(TimeFault::reason)?,
        None => around.received,
    };
    row.common[common::TIME] = Scalar::Time(time);
    Ok(())
}

/// Takes the first field that holds something.
fn first<'a>(fields: &[Value<'a>]) -> Option<Cow<'a, str>> {
    fields.iter().find_map(|field| field.text())
}

/// The vendor's id, else a hash of the event's text.
fn set_event_id<'a>(row: &mut Row<'a>, id: Value<'a>, text: &str) {
    let id = id.text().unwrap_or_else(|| Cow::Owned(content_id(text)));
    row.set(common::EVENT_ID, Scalar::Text(id));
}

/// A hash of an event's text: the same event has the same id wherever it was read.
pub fn content_id(text: &str) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}

/// The name as an e-mail address, where it is one.
fn email_of(name: Option<&str>) -> Option<String> {
    let name = name?;
    let (user, domain) = name.split_once('@')?;
    let plausible = !user.is_empty() && domain.contains('.') && !name.contains([' ', ':', '/', '<', '"']);
    plausible.then(|| name.to_owned())
}

fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// A two-letter country code, as vendors write it.
fn country_code(value: Value<'_>) -> Option<String> {
    let text = value.text()?;
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())).then(|| text.to_ascii_uppercase())
}
