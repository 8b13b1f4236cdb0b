//! Syslog lines (RFC 3164, RFC 5424 and what daemons write in their manner), Linux audit records, and syslog rows that
//! a collector delivers as JSON.

mod message;

use std::borrow::Cow;

use super::{Parsed, Parser, Reason, Surroundings, content_id, first, set_time};
use crate::json::{self, Value};
use crate::row::{Row, Scalar, severity};
use crate::schema::common;
use crate::timestamp::{self, Micros, TimeFault};

mod own {
    pub const HOST: usize = 0;
    pub const PROGRAM: usize = 1;
    pub const MESSAGE: usize = 2;
    pub const PID: usize = 3;
    pub const FACILITY: usize = 4;
    pub const MSG_ID: usize = 5;
}

#[derive(Default)]
pub struct Syslog {
    /// Time of the line before: a line without one is most often its continuation.
    last: Option<Micros>,
}

/// A line taken apart.
#[derive(Debug, Default, PartialEq)]
struct Line<'a> {
    priority: Option<u16>,
    time: Option<Micros>,
    level: Option<&'a str>,
    host: Option<&'a str>,
    program: Option<&'a str>,
    pid: Option<i64>,
    msg_id: Option<&'a str>,
    message: &'a str,
}

impl Parser for Syslog {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        row.set(common::EVENT_ID, content_id(text));
        if let event @ Value::Object(_) = json_row(text) {
            return parse_json(event, around, row);
        }
        let line = Line::read(text, around.received).map_err(TimeFault::reason)?;
        if line.time.is_some() {
            self.last = line.time;
        }
        let time = line.time.or(self.last).unwrap_or(around.received);
        row.common[common::TIME] = Scalar::Time(time);
        let facility = line.priority.map(|priority| i64::from(priority / 8));
        row.set_own(own::HOST, line.host);
        row.set_own(own::PROGRAM, line.program);
        row.set_own(own::MESSAGE, line.message);
        row.set_own(own::PID, line.pid);
        row.set_own(own::FACILITY, facility);
        row.set_own(own::MSG_ID, line.msg_id);
        let level = match (line.priority, line.level) {
            (Some(priority), _) => severity_of(priority % 8),
            (None, Some(word)) => severity_of_word(word),
            (None, None) => severity::UNKNOWN,
        };
        row.set(common::SEVERITY, level);
        message::set_meaning(row, line.program.unwrap_or_default(), line.message);
        let mut raw = String::with_capacity(text.len() + 32);
        raw.push_str("{\"line\":");
        json::push_string(&mut raw, text);
        if let Some(priority) = line.priority {
            raw.push_str(&format!(",\"priority\":{priority}"));
        }
        raw.push('}');
        row.raw = Cow::Owned(raw);
        Ok(Parsed::Row)
    }
}

/// The line as a JSON object, where it is one.
fn json_row(text: &str) -> Value<'_> {
    let whole = text.starts_with('{') && json::scan_value(text.as_bytes(), 0) == json::Scan::Done(text.len());
    if whole { Value::of(text) } else { Value::Null }
}

fn parse_json<'a>(event: Value<'a>, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
    let named = |names: &[&str]| {
        let values: Vec<Value<'a>> = names.iter().map(|name| event.get(name)).collect();
        first(&values)
    };
    let times = ["TimeGenerated", "EventTime", "timestamp", "@timestamp", "time"].map(|name| event.get(name));
    let message = named(&["SyslogMessage", "message", "msg", "MESSAGE"]).ok_or(NOT_A_SYSLOG_ROW)?;
    set_time(row, &times, around)?;
    let program = named(&["ProcessName", "program", "ident", "appname", "process", "SYSLOG_IDENTIFIER"]);
    row.set(common::SEVERITY, named(&["SeverityLevel", "severity", "level"]).map_or(0, |word| severity_of_word(&word)));
    copy_meaning(row, program.as_deref().unwrap_or_default(), &message);
    row.set_own(own::HOST, named(&["HostName", "Computer", "host", "hostname", "_HOSTNAME"]));
    row.set_own(own::PROGRAM, program);
    row.set_own(own::PID, event.get("ProcessID").integer());
    row.set_own(own::MESSAGE, Some(message));
    Ok(Parsed::Row)
}

/// Sets what a message means where its text does not live as long as the row.
fn copy_meaning(row: &mut Row<'_>, program: &str, message: &str) {
    let mut inner = Row::new(0);
    message::set_meaning(&mut inner, program, message);
    for (cell, value) in row.common.iter_mut().zip(inner.common) {
        match value {
            Scalar::Text(text) if *cell == Scalar::Null => *cell = Scalar::Text(Cow::Owned(text.into_owned())),
            Scalar::Int(number) if *cell == Scalar::Null => *cell = Scalar::Int(number),
            _ => {}
        }
    }
}

const NOT_A_SYSLOG_ROW: Reason = "a JSON object without a syslog message";

impl<'a> Line<'a> {
    /// Takes a line apart as far as it goes; what is left is the message. Only a time outside the years kept is a fault.
    fn read(text: &'a str, received: Micros) -> Result<Line<'a>, TimeFault> {
        let (priority, rest) = split_priority(text);
        let mut line = Line { priority, message: rest, ..Line::default() };
        if priority.is_some()
            && let Some(rest) = rest.strip_prefix("1 ")
        {
            line.read_5424(rest)?;
        } else if let Some((time, length)) = timestamp::rfc3164(rest, received) {
            line.time = Some(timestamp::in_range(time)?);
            line.read_header(&rest[length..]);
        } else if let Some((word, after)) = iso_word(rest) {
            line.time = Some(timestamp::parse(word)?);
            line.read_header(after);
        } else if let Some((time, kind, message)) = audit_record(rest) {
            line.time = Some(timestamp::in_range(time)?);
            line.program = Some("audit");
            line.msg_id = Some(kind);
            line.message = message;
        }
        Ok(line)
    }

    /// `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]`, `-` for none.
    fn read_5424(&mut self, rest: &'a str) -> Result<(), TimeFault> {
        let mut parts = rest.splitn(6, ' ');
        let mut field = || parts.next().filter(|word| *word != "-");
        let time = field();
        self.host = field();
        self.program = field();
        self.pid = field().and_then(|word| word.parse().ok());
        self.msg_id = field();
        self.time = time.map(timestamp::parse).transpose()?;
        let tail = parts.next().unwrap_or_default();
        self.message = skip_structured_data(tail).trim_start_matches('\u{feff}').trim();
        Ok(())
    }

    /// `HOST TAG[PID]: MESSAGE`, or less of it.
    fn read_header(&mut self, rest: &'a str) {
        if let Some(message) = rest.strip_prefix(": ") {
            self.message = message.trim();
            return;
        }
        let rest = rest.trim_start_matches([' ', ':', '.']);
        self.message = rest.trim();
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        if !word.ends_with(':') && !word.contains('[') {
            if severity_of_word(word) == severity::UNKNOWN {
                self.host = Some(word)
            } else {
                self.level = Some(word)
            }
            self.message = after.trim();
        }
        self.read_tag();
    }

    fn read_tag(&mut self) {
        let (word, after) = self.message.split_once(' ').unwrap_or((self.message, ""));
        let Some(tag) =
            word.strip_suffix(':').or_else(|| word.strip_suffix(']')).or_else(|| word.contains("]:").then_some(word))
        else {
            return;
        };
        let (name, pid) = match tag.split_once('[') {
            Some((name, pid)) => (name, pid.trim_end_matches([']', ':']).parse().ok()),
            None => (tag, None),
        };
        if !name.is_empty() && name.len() <= 64 {
            self.program = Some(name);
            self.pid = pid;
            self.message = after.trim();
        }
    }
}

fn split_priority(text: &str) -> (Option<u16>, &str) {
    let found = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match found.and_then(|(digits, rest)| Some((digits.parse::<u16>().ok().filter(|value| *value <= 191)?, rest))) {
        Some((priority, rest)) => (Some(priority), rest.trim_start()),
        None => (None, text),
    }
}

/// The ISO 8601 time that the line starts with, as one word or date and time apart.
fn iso_word(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = bytes[11..].iter().position(|byte| *byte == b' ').map_or(bytes.len(), |index| index + 11);
    let word = text.get(..end)?.trim_end_matches(':');
    match timestamp::parse(word) {
        Err(TimeFault::Unreadable) => None,
        _ => Some((word, &text[end..])),
    }
}

/// `type=KIND msg=audit(SECONDS.MILLIS:SERIAL): MESSAGE`
fn audit_record(text: &str) -> Option<(Micros, &str, &str)> {
    let (head, rest) = text.split_once("audit(")?;
    let (stamp, message) = rest.split_once("):")?;
    let seconds: f64 = stamp.split(':').next()?.parse().ok()?;
    let kind = head.split("type=").nth(1)?.split(' ').next().filter(|kind| !kind.is_empty())?;
    Some((timestamp::epoch(seconds)?, kind, message.trim()))
}

fn skip_structured_data(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('-') {
        return rest;
    }
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (0, false);
    while bytes.get(at) == Some(&b'[') {
        loop {
            match bytes.get(at) {
                None => return text,
                Some(b'\\') => at += 1,
                Some(b'"') => quoted = !quoted,
                Some(b']') if !quoted => break,
                Some(_) => {}
            }
            at += 1;
        }
        at += 1;
    }
    text.get(at..).unwrap_or(text)
}

fn severity_of(level: u16) -> i64 {
    match level {
        0..=2 => severity::CRITICAL,
        3 => severity::HIGH,
        4 => severity::MEDIUM,
        5 => severity::LOW,
        _ => severity::INFORMATIONAL,
    }
}

fn severity_of_word(word: &str) -> i64 {
    match word.to_ascii_lowercase().as_str() {
        "emerg" | "emergency" | "panic" | "alert" | "crit" | "critical" => severity::CRITICAL,
        "err" | "error" => severity::HIGH,
        "warn" | "warning" => severity::MEDIUM,
        "notice" => severity::LOW,
        "info" | "debug" => severity::INFORMATIONAL,
        _ => severity::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Line<'_> {
        Line::read(text, timestamp::parse("2026-06-01").unwrap()).unwrap()
    }

    #[test]
    fn rfc_3164_lines_come_apart() {
        let line = read("<86>Mar 11 22:55:30 host-1 sshd[31]: Accepted password for bob from 192.0.2.1 port 22");
        assert_eq!(
            (line.priority, line.host, line.program, line.pid),
            (Some(86), Some("host-1"), Some("sshd"), Some(31))
        );
        assert_eq!(line.message, "Accepted password for bob from 192.0.2.1 port 22");
        assert_eq!(line.time, timestamp::parse("2026-03-11T22:55:30Z").ok());
    }

    #[test]
    fn rfc_5424_lines_come_apart() {
        let line = read(r#"<165>1 2026-01-02T03:04:05.006Z web app 7 ID47 [a@1 x="]" y="\""][b] it happened"#);
        assert_eq!((line.host, line.program, line.pid, line.msg_id), (Some("web"), Some("app"), Some(7), Some("ID47")));
        assert_eq!(line.message, "it happened");
        let bare = read("<14>1 - - - - - -");
        assert_eq!(bare, Line { priority: Some(14), ..Line::default() });
    }

    #[test]
    fn what_daemons_write_comes_apart() {
        let iso = read("2026-01-02T03:04:05+01:00 box cron[5]: (root) CMD (x)");
        assert_eq!((iso.host, iso.program, iso.message), (Some("box"), Some("cron"), "(root) CMD (x)"));
        let level = read("2026-10-25T12:37:23.297265-07:00 ERR kernel: oops");
        assert_eq!((level.host, level.level, level.program), (None, Some("ERR"), Some("kernel")));
        let no_host = read("Mar 11 09:39:39: --- last message repeated 5 times ---");
        assert_eq!((no_host.host, no_host.message), (None, "--- last message repeated 5 times ---"));
        let audit = read("type=USER_LOGIN msg=audit(1604994496.155:92733): pid=1 res=failed");
        assert_eq!(
            (audit.program, audit.msg_id, audit.message),
            (Some("audit"), Some("USER_LOGIN"), "pid=1 res=failed")
        );
        assert_eq!(read("no header at all").message, "no header at all");
    }

    #[test]
    fn a_year_outside_those_kept_is_a_fault() {
        assert_eq!(Line::read("0000-01-01T00:00:00Z h p: m", 0), Err(TimeFault::OutOfRange));
        assert_eq!(Line::read("<1>1 9999-12-31T00:00:00Z h p - - - m", 0), Err(TimeFault::OutOfRange));
    }
}
