//! Any JSON object: common columns where a field's name says so, every other scalar field a column of its own.

use std::borrow::Cow;

use super::{NOT_AN_OBJECT, Parsed, Parser, Reason, Surroundings, content_id, first, is_ip, read_time};
use crate::json::{Value, unescape};
use crate::row::{Outcome, Row, Scalar, category, severity};
use crate::schema::{PARTITION, RAW, common, is_common};

#[derive(Default)]
pub struct Json;

const TIMES: &[&str] = &[
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "eventTime",
    "event_time",
    "datetime",
    "date",
    "created_at",
    "published",
    "TimeGenerated",
    "t",
];
const IDS: &[&str] = &["event_id", "eventId", "eventID", "uuid", "_id"];
const ACTIONS: &[&str] = &["action", "event_type", "eventType", "event", "eventName"];
const SERVICES: &[&str] = &["service", "service_name", "application", "app", "program", "logger"];
const ACTORS: &[&str] = &["actor_name", "user", "username", "user_name", "userName", "login"];
const SOURCES: &[&str] =
    &["src_ip", "source_ip", "client_ip", "remote_addr", "remote_ip", "ip", "ClientHost", "clientip", "remoteAddr"];
const LEVELS: &[&str] = &["level", "severity", "loglevel", "log_level", "lvl"];

impl Parser for Json {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        let event @ Value::Object(_) = Value::of(text) else { return Err(NOT_AN_OBJECT) };
        let named = |names: &[&str]| names.iter().map(|name| event.get(name)).find(|value| value.text().is_some());
        // A field called `t` or `date` need not hold a time, so one that cannot be read is no fault here.
        let times = TIMES.iter().filter_map(|name| read_time(event.get(name)));
        let time = times.filter_map(|time| time.map_err(|fault| fault.reason()).ok()).next();
        if time.is_none() && has_extreme_time(event) {
            return Err(crate::timestamp::TimeFault::OutOfRange.reason());
        }
        row.common[common::TIME] = Scalar::Time(time.unwrap_or(around.received));
        let id = named(IDS).and_then(Value::text);
        row.set(common::EVENT_ID, Scalar::Text(id.unwrap_or_else(|| Cow::Owned(content_id(text)))));
        row.set(common::ACTION, named(ACTIONS).and_then(Value::text).or(Some("log".into())));
        row.set(common::SERVICE, named(SERVICES).and_then(Value::text));
        row.set(common::CATEGORY, category::OTHER);
        row.set_outcome(Outcome::Unknown);
        row.set(common::SEVERITY, named(LEVELS).map_or(severity::UNKNOWN, level));
        row.set(common::ACTOR_NAME, named(ACTORS).and_then(Value::text));
        row.set(common::SRC_IP, SOURCES.iter().filter_map(|name| event.get(name).text()).find(|text| is_ip(text)));
        row.set(common::USER_AGENT, first(&[event.get("user_agent"), event.get("userAgent")]));
        infer(row, event);
        Ok(Parsed::Row)
    }
}

fn has_extreme_time(event: Value<'_>) -> bool {
    TIMES.iter().any(|name| read_time(event.get(name)) == Some(Err(crate::timestamp::TimeFault::OutOfRange)))
}

fn infer<'a>(row: &mut Row<'a>, event: Value<'a>) {
    for (key, value) in event.members() {
        let scalar = match value {
            Value::Null | Value::Object(_) | Value::Array(_) => continue,
            Value::Bool(flag) => Scalar::Bool(flag),
            Value::String(inner) => Scalar::Text(unescape(inner)),
            Value::Number(number) => match number.parse::<i64>() {
                Ok(whole) => Scalar::Int(whole),
                Err(_) => value.number().map_or(Scalar::Null, Scalar::Float),
            },
        };
        let name = column_name(key);
        if !is_common(&name) && name != RAW && name != PARTITION {
            row.inferred.push((name, scalar));
        }
    }
}

/// A key as a column's name that needs no quotes: `httpStatus` and `http-status` are `http_status`.
fn column_name(key: &str) -> Cow<'_, str> {
    const LONGEST: usize = 63;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if key.len() <= LONGEST && key.bytes().all(plain) && key.bytes().next().is_some_and(|byte| !byte.is_ascii_digit()) {
        return Cow::Borrowed(key);
    }
    let mut name = String::with_capacity(key.len() + 4);
    let mut previous_lower = false;
    for letter in unescape(key).chars() {
        if letter.is_ascii_uppercase() && previous_lower {
            name.push('_');
        }
        previous_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    name.truncate(LONGEST - 1);
    let trimmed = name.trim_end_matches('_');
    let bare_digit = trimmed.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
    Cow::Owned(if bare_digit { format!("_{trimmed}") } else { trimmed.to_owned() })
}

/// A level's word; numbers mean different things to different programs.
fn level(value: Value<'_>) -> i64 {
    let Some(word) = value.text() else { return severity::UNKNOWN };
    match word.to_ascii_lowercase().as_str() {
        "trace" | "debug" | "info" | "information" | "informational" => severity::INFORMATIONAL,
        "notice" | "low" => severity::LOW,
        "warn" | "warning" | "medium" => severity::MEDIUM,
        "error" | "err" | "high" => severity::HIGH,
        "critical" | "crit" | "fatal" | "panic" | "alert" | "emergency" | "emerg" => severity::CRITICAL,
        _ => severity::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_names_that_need_no_quotes() {
        for (key, name) in [
            ("duration_ms", "duration_ms"),
            ("httpStatus", "http_status"),
            ("@version", "version"),
            ("request-Id ", "request_id"),
            ("2fa", "_2fa"),
            ("", "_"),
            ("ÄÖ", "_"),
        ] {
            assert_eq!(column_name(key), name, "{key}");
        }
        assert!(column_name(&"x".repeat(200)).len() <= 63);
    }
}
