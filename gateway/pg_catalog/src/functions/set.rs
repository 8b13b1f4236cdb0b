//! Functions that give several rows.

use mantissa_core::PgType;

use crate::datum::{Datum, Record};
use crate::error::{Error, Result};
use crate::plan::{Arguments, SetFn};
use crate::types::{category, compare, datetime};

/// No set-returning call gives more rows.
const MAX_ROWS: usize = 2_000_000;

pub const FUNCTIONS: &[(&str, SetFn)] = &[
    ("generate_series(int4, int4) int4", |c, a| series(c, a)),
    ("generate_series(int4, int4, int4) int4", |c, a| series(c, a)),
    ("generate_series(int8, int8) int8", |c, a| series(c, a)),
    ("generate_series(int8, int8, int8) int8", |c, a| series(c, a)),
    ("generate_series(numeric, numeric) numeric", |c, a| series(c, a)),
    ("generate_series(timestamp, timestamp, interval) timestamp", |c, a| moments(c, a)),
    ("generate_series(timestamptz, timestamptz, interval) timestamptz", |c, a| moments(c, a)),
    ("generate_subscripts(anyarray, int4) int4", |_, a| Ok(subscripts(a, false))),
    ("generate_subscripts(anyarray, int4, bool) int4", |_, a| Ok(subscripts(a, a[2].as_bool() == Some(true)))),
    ("unnest(anyarray) anyelement", |_, a| Ok(a[0].as_array().map(|array| array.values.clone()).unwrap_or_default())),
    ("_pg_expandarray(anyarray) (x anyelement, n int4)", |_, a| Ok(expand(a))),
    ("string_to_table(text, text) text", |_, a| {
        let (text, separator) = (a[0].as_str().unwrap_or_default(), a[1].as_str().unwrap_or_default());
        Ok(text.split(separator).map(Datum::text).collect())
    }),
    ("regexp_split_to_table(text, text) text", |_, a| {
        let pattern = super::pattern::compiled(a[1].as_str().unwrap_or_default(), "")?;
        Ok(pattern.split(a[0].as_str().unwrap_or_default()).map(Datum::text).collect())
    }),
    ("regexp_matches(text, text) _text", |_, a| matches(a, "")),
    ("regexp_matches(text, text, text) _text", |_, a| matches(a, a[2].as_str().unwrap_or_default())),
    ("pg_get_keywords() (word text, catcode char, barelabel bool, catdesc text, baredesc text)", |_, _| Ok(keywords())),
    ("pg_partition_ancestors(regclass) regclass", |_, _| Ok(Vec::new())),
    ("pg_partition_tree(regclass) (relid regclass, parentrelid regclass, isleaf bool, level int4)", |_, _| {
        Ok(Vec::new())
    }),
    ("pg_timezone_names() (name text, abbrev text, utc_offset interval, is_dst bool)", |c, _| Ok(zones(c.now))),
    ("pg_show_all_settings() (name text, setting text)", |_, _| Ok(Vec::new())),
    ("aclexplode(_aclitem) (grantor oid, grantee oid, privilege_type text, is_grantable bool)", |c, a| {
        privileges(c, a)
    }),
    ("pg_listening_channels() text", |_, _| Ok(Vec::new())),
    ("pg_options_to_table(_text) (option_name text, option_value text)", |_, a| {
        let options = a[0].as_array().map(|array| array.values.clone()).unwrap_or_default();
        let pair = |option: &Datum| {
            let (name, value) = option.as_str().unwrap_or_default().split_once('=').unwrap_or_default();
            record([
                ("option_name", PgType::TEXT, Datum::text(name)),
                ("option_value", PgType::TEXT, Datum::text(value)),
            ])
        };
        Ok(options.iter().map(pair).collect())
    }),
    ("json_array_elements(json) json", |_, a| elements(a, false)),
    ("jsonb_array_elements(jsonb) jsonb", |_, a| elements(a, false)),
    ("json_array_elements_text(json) text", |_, a| elements(a, true)),
    ("jsonb_array_elements_text(jsonb) text", |_, a| elements(a, true)),
    ("json_object_keys(json) text", |_, a| Ok(keys(a))),
    ("jsonb_object_keys(jsonb) text", |_, a| Ok(keys(a))),
    ("json_each(json) (key text, value json)", |_, a| Ok(each(a, false))),
    ("jsonb_each(jsonb) (key text, value jsonb)", |_, a| Ok(each(a, false))),
    ("json_each_text(json) (key text, value text)", |_, a| Ok(each(a, true))),
    ("jsonb_each_text(jsonb) (key text, value text)", |_, a| Ok(each(a, true))),
];

fn record<const N: usize>(fields: [(&str, PgType, Datum); N]) -> Datum {
    let mut record = Record { fields: Vec::with_capacity(N), values: Vec::with_capacity(N) };
    for (name, ty, value) in fields {
        record.fields.push((name.into(), ty));
        record.values.push(value);
    }
    Datum::Record(record.into())
}

fn series(context: &crate::context::Context<'_>, a: &Arguments<'_>) -> Result<Vec<Datum>> {
    if a.result == PgType::NUMERIC {
        let bounds = (compare::to_f64(&a[0]).unwrap_or(0.0) as i64, compare::to_f64(&a[1]).unwrap_or(-1.0) as i64);
        return Ok((bounds.0..=bounds.1).take(MAX_ROWS).map(|n| Datum::Numeric(n.into())).collect());
    }
    let (start, stop) = (a[0].as_int().unwrap_or(0), a[1].as_int().unwrap_or(-1));
    let step = a.get(2).and_then(Datum::as_int).unwrap_or(1);
    if step == 0 {
        return Err(Error::InvalidParameter("step size cannot equal zero".into()));
    }
    let mut values = Vec::new();
    let mut current = Some(start);
    while let Some(value) = current.filter(|value| if step > 0 { *value <= stop } else { *value >= stop }) {
        context.step()?;
        if values.len() >= MAX_ROWS {
            return Err(Error::TooMuchWork);
        }
        values.push(if a.result == PgType::INT4 { Datum::Int4(value as i32) } else { Datum::Int8(value) });
        current = value.checked_add(step);
    }
    Ok(values)
}

fn moments(context: &crate::context::Context<'_>, a: &Arguments<'_>) -> Result<Vec<Datum>> {
    let micros = |value: &Datum| match value {
        Datum::Timestamp(micros) | Datum::TimestampTz(micros) => *micros,
        _ => 0,
    };
    let Datum::Interval(step) = &a[2] else { return Ok(Vec::new()) };
    let direction = compare::interval_span(step);
    if direction == 0 {
        return Err(Error::InvalidParameter("step size cannot equal zero".into()));
    }
    let zoned = a.result == PgType::TIMESTAMPTZ;
    let zone = context.time_zone();
    let (mut current, stop) = (micros(&a[0]), micros(&a[1]));
    let mut values = Vec::new();
    while if direction > 0 { current <= stop } else { current >= stop } {
        context.step()?;
        if values.len() >= MAX_ROWS {
            return Err(Error::TooMuchWork);
        }
        values.push(if zoned { Datum::TimestampTz(current) } else { Datum::Timestamp(current) });
        let local = if zoned { datetime::to_local(zone, current) } else { current };
        let next = datetime::shift(local, step).ok_or(Error::DatetimeOutOfRange("timestamp"))?;
        current = if zoned { datetime::to_utc(zone, next) } else { next };
    }
    Ok(values)
}

fn subscripts(a: &Arguments<'_>, reverse: bool) -> Vec<Datum> {
    let index = usize::try_from(a[1].as_int().unwrap_or(0) - 1).ok();
    let dimension = index.and_then(|index| a[0].as_array().and_then(|array| array.dimensions.get(index).copied()));
    let Some(dimension) = dimension else { return Vec::new() };
    let mut values: Vec<Datum> =
        (0..dimension.length as i32).map(|offset| Datum::Int4(dimension.lower + offset)).collect();
    if reverse {
        values.reverse();
    }
    values
}

fn expand(a: &Arguments<'_>) -> Vec<Datum> {
    let Some(array) = a[0].as_array() else { return Vec::new() };
    let element = category::element(a.types[0]).unwrap_or(array.element);
    let row = |(index, value): (usize, &Datum)| {
        record([("x", element, value.clone()), ("n", PgType::INT4, Datum::Int4(index as i32 + 1))])
    };
    array.values.iter().enumerate().map(row).collect()
}

fn matches(a: &Arguments<'_>, flags: &str) -> Result<Vec<Datum>> {
    let pattern = super::pattern::compiled(a[1].as_str().unwrap_or_default(), flags)?;
    let text = a[0].as_str().unwrap_or_default();
    let limit = if flags.contains('g') { usize::MAX } else { 1 };
    Ok(pattern.captures_iter(text).take(limit).map(|found| super::pattern::groups(&found)).collect())
}

fn zones(now: i64) -> Vec<Datum> {
    let row = |zone: &chrono_tz::Tz| {
        let offset = datetime::offset_at(*zone, now);
        let interval = mantissa_core::Interval { months: 0, days: 0, micros: offset * datetime::SECOND };
        record([
            ("name", PgType::TEXT, Datum::text(zone.name())),
            ("abbrev", PgType::TEXT, Datum::from(datetime::print_offset(offset))),
            ("utc_offset", PgType::INTERVAL, Datum::Interval(interval)),
            ("is_dst", PgType::BOOL, Datum::Bool(false)),
        ])
    };
    chrono_tz::TZ_VARIANTS.iter().map(row).collect()
}

/// `grantee=privileges/grantor` taken apart.
fn privileges(context: &crate::context::Context<'_>, a: &Arguments<'_>) -> Result<Vec<Datum>> {
    let mut rows = Vec::new();
    for item in a[0].as_array().map(|array| array.values.clone()).unwrap_or_default() {
        let text = item.as_str().unwrap_or_default();
        let Some((grantee, rest)) = text.rsplit_once('=') else { continue };
        let (letters, grantor) = rest.split_once('/').unwrap_or((rest, ""));
        let role = |name: &str| super::names::role_oid(context, name.trim_matches('"')).map(|oid| oid.unwrap_or(0));
        let (grantor, grantee) = (role(grantor)?, role(grantee)?);
        for (index, letter) in letters.char_indices().filter(|(_, letter)| *letter != '*') {
            rows.push(record([
                ("grantor", PgType::OID, Datum::Oid(grantor)),
                ("grantee", PgType::OID, Datum::Oid(grantee)),
                ("privilege_type", PgType::TEXT, Datum::text(privilege(letter))),
                ("is_grantable", PgType::BOOL, Datum::Bool(letters[index + 1..].starts_with('*'))),
            ]));
        }
    }
    Ok(rows)
}

fn privilege(letter: char) -> &'static str {
    match letter {
        'a' => "INSERT",
        'r' => "SELECT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'X' => "EXECUTE",
        'U' => "USAGE",
        'C' => "CREATE",
        'T' => "TEMPORARY",
        'c' => "CONNECT",
        's' => "SET",
        _ => "ALTER SYSTEM",
    }
}

fn elements(a: &Arguments<'_>, text: bool) -> Result<Vec<Datum>> {
    let serde_json::Value::Array(items) = super::json::parsed(&a[0]) else {
        return Err(Error::InvalidParameter("cannot extract elements from a scalar".into()));
    };
    Ok(items.iter().map(|item| member(item, text)).collect())
}

fn member(item: &serde_json::Value, text: bool) -> Datum {
    match item {
        serde_json::Value::Null if text => Datum::Null,
        serde_json::Value::String(value) if text => Datum::text(value),
        other => Datum::from(super::json::print_jsonb(other)),
    }
}

fn keys(a: &Arguments<'_>) -> Vec<Datum> {
    match super::json::parsed(&a[0]) {
        serde_json::Value::Object(object) => object.keys().map(Datum::text).collect(),
        _ => Vec::new(),
    }
}

fn each(a: &Arguments<'_>, text: bool) -> Vec<Datum> {
    let serde_json::Value::Object(object) = super::json::parsed(&a[0]) else { return Vec::new() };
    let ty = if text { PgType::TEXT } else { a.types[0] };
    let row = |(key, item): (&String, &serde_json::Value)| {
        record([("key", PgType::TEXT, Datum::text(key)), ("value", ty, member(item, text))])
    };
    object.iter().map(row).collect()
}

/// PostgreSQL 15's keywords: word, category, whether it may be a column label without AS.
const KEYWORDS: &str = include_str!("keywords.txt");

fn keyword_list() -> impl Iterator<Item = (&'static str, char, bool)> {
    KEYWORDS.split_whitespace().filter_map(|entry| {
        let mut parts = entry.split(':');
        let word = parts.next()?;
        Some((word, parts.next()?.chars().next()?, parts.next()? == "t"))
    })
}

/// `U` unreserved, `C` column name, `T` type or function name, `R` reserved.
pub fn keyword_category(word: &str) -> Option<char> {
    keyword_list().find(|(keyword, ..)| *keyword == word).map(|(_, category, _)| category)
}

fn keywords() -> Vec<Datum> {
    let row = |(word, category, bare): (&str, char, bool)| {
        let meaning = match category {
            'U' => "unreserved",
            'C' => "unreserved (cannot be function or type name)",
            'T' => "reserved (can be function or type name)",
            _ => "reserved",
        };
        let label = if bare { "can be bare label" } else { "requires AS" };
        record([
            ("word", PgType::TEXT, Datum::text(word)),
            ("catcode", PgType::CHAR, Datum::Char(category as u8)),
            ("barelabel", PgType::BOOL, Datum::Bool(bare)),
            ("catdesc", PgType::TEXT, Datum::text(meaning)),
            ("baredesc", PgType::TEXT, Datum::text(label)),
        ])
    };
    keyword_list().map(row).collect()
}
