//! Takes events out of what they were wrapped in.

use std::borrow::Cow;

use crate::json::{Scan, Value, scan_value, unescape};
use crate::source::Envelopes;

/// Wrappings within wrappings that are followed.
const MAX_DEPTH: usize = 4;

/// Hands every event in `text` to `each`, with the object that directly holds it. An event without a known envelope is
/// its own.
pub fn open(
    envelopes: &Envelopes,
    text: &str,
    outer: Option<Value<'_>>,
    depth: usize,
    each: &mut dyn FnMut(&str, Option<Value<'_>>),
) {
    let object = Value::of(text);
    let held = if depth < MAX_DEPTH { held_by(envelopes, object) } else { None };
    match held {
        None => each(text, outer),
        Some(Value::Array(_)) => {
            for element in held.unwrap_or(Value::Null).elements() {
                open_inner(envelopes, element, object, depth, each);
            }
        }
        Some(value) => open_inner(envelopes, value, object, depth, each),
    }
}

fn open_inner(
    envelopes: &Envelopes,
    value: Value<'_>,
    outer: Value<'_>,
    depth: usize,
    each: &mut dyn FnMut(&str, Option<Value<'_>>),
) {
    match value {
        Value::Object(text) => open(envelopes, text, Some(outer), depth + 1, each),
        Value::String(inner) => {
            let text = unescape(inner);
            let trimmed = text.trim();
            if trimmed.starts_with('{') && scan_value(trimmed.as_bytes(), 0) == Scan::Done(trimmed.len()) {
                open(envelopes, trimmed, Some(outer), depth + 1, each);
            } else {
                each(trimmed, Some(outer));
            }
        }
        other => each(&other.text().unwrap_or(Cow::Borrowed("null")), Some(outer)),
    }
}

/// The value that an object's envelope key holds.
fn held_by<'a>(envelopes: &Envelopes, object: Value<'a>) -> Option<Value<'a>> {
    object.members().find_map(|(key, value)| {
        let at = |path: &String| match path.split_once('.') {
            None => (path == key).then_some(value),
            Some((first, rest)) if first == key => Some(rest.split('.').fold(value, Value::get)),
            Some(_) => None,
        };
        let array = || envelopes.arrays.iter().filter_map(at).find(|value| holds_events(*value, object));
        let inner = || envelopes.objects.iter().filter_map(at).find(|value| matches!(value, Value::Object(_)));
        let string = || {
            let held = envelopes.strings.iter().filter_map(at);
            held.into_iter().find(|value| matches!(value, Value::String(text) if !text.is_empty()))
        };
        array().or_else(inner).or_else(string)
    })
}

/// Whether an array under an envelope key holds events: it has an object, plain or as text. An event's own list of words
/// (the `events` of a GitHub hook) is no envelope, and an empty list is one only where hardly anything stands beside it.
fn holds_events(value: Value<'_>, object: Value<'_>) -> bool {
    if !matches!(value, Value::Array(_)) {
        return false;
    }
    let mut elements = value.elements().peekable();
    if elements.peek().is_none() {
        return object.members().count() <= MOST_MEMBERS_OF_AN_EMPTY_PAGE;
    }
    elements.any(|element| match element {
        Value::Object(_) => true,
        Value::String(text) => text.trim_start().starts_with('{'),
        _ => false,
    })
}

/// The list itself and a token for the next page.
const MOST_MEMBERS_OF_AN_EMPTY_PAGE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Vec<String> {
        let envelopes = Envelopes {
            arrays: vec!["Records".into(), "data.events".into()],
            objects: vec!["detail".into()],
            strings: vec!["CloudTrailEvent".into()],
        };
        let mut events = Vec::new();
        open(&envelopes, text, None, 0, &mut |event, _| events.push(event.to_owned()));
        events
    }

    #[test]
    fn events_come_out_of_their_envelopes() {
        assert_eq!(opened(r#"{"a":1}"#), [r#"{"a":1}"#]);
        assert_eq!(
            opened(r#"{"n":1,"Records":[{"a":1},{"detail":{"b":2}},"x",7]}"#),
            [r#"{"a":1}"#, r#"{"b":2}"#, "x", "7"]
        );
        assert_eq!(opened(r#"{"data":{"events":[{"a":1}]}}"#), [r#"{"a":1}"#]);
        assert_eq!(opened(r#"{"CloudTrailEvent":"{\"a\":\"\\u00e9\"}"}"#), [r#"{"a":"\u00e9"}"#]);
        assert_eq!(opened(r#"{"detail":"words","CloudTrailEvent":""}"#).len(), 1);
        assert_eq!(opened(r#"{"Records":[]}"#), [""; 0]);
        assert_eq!(opened(r#"{"a":1,"Records":["push"]}"#).len(), 1, "words are no events");
        assert_eq!(opened(r#"{"a":1,"b":2,"Records":[]}"#).len(), 1);
    }
}
