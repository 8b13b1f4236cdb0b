//! Arrays.

use mantissa_core::PgType;

use crate::context::Context;
use crate::datum::{Array, Datum, Dimension};
use crate::error::{Error, Result};
use crate::plan::{Arguments, ScalarFn};
use crate::types::{category, compare, display, input};

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("array_length(anyarray, int4) int4", |_, a| Ok(dimension(a).map(|d| d.length as i32).into())),
    ("array_lower(anyarray, int4) int4", |_, a| Ok(dimension(a).map(|d| d.lower).into())),
    ("array_upper(anyarray, int4) int4", |_, a| Ok(dimension(a).map(|d| d.lower + d.length as i32 - 1).into())),
    ("array_ndims(anyarray) int4", |_, a| {
        Ok(array(&a[0]).map(|array| array.dimensions.len() as i32).filter(|count| *count > 0).into())
    }),
    ("array_dims(anyarray) text", |_, a| Ok(dims(a))),
    ("cardinality(anyarray) int4", |_, a| Ok(array(&a[0]).map(|array| array.values.len() as i32).into())),
    ("!array_append(anyarray, anyelement) anyarray", |_, a| extend(a, &a[0], &a[1], false)),
    ("!array_prepend(anyelement, anyarray) anyarray", |_, a| extend(a, &a[1], &a[0], true)),
    ("!array_cat(anyarray, anyarray) anyarray", |_, a| concat(a)),
    ("!array_remove(anyarray, anyelement) anyarray", |_, a| {
        Ok(map(&a[0], |values| values.into_iter().filter(|value| !same(value, &a[1])).collect()))
    }),
    ("!array_replace(anyarray, anyelement, anyelement) anyarray", |_, a| {
        Ok(map(&a[0], |values| {
            values.into_iter().map(|value| if same(&value, &a[1]) { a[2].clone() } else { value }).collect()
        }))
    }),
    ("!array_position(anyarray, anyelement) int4", |_, a| {
        let found = array(&a[0]).and_then(|array| {
            let lower = array.dimensions.first().map_or(1, |dimension| dimension.lower);
            array.values.iter().position(|value| same(value, &a[1])).map(|index| index as i32 + lower)
        });
        Ok(found.into())
    }),
    ("!array_positions(anyarray, anyelement) _int4", |_, a| {
        let Some(array) = array(&a[0]) else { return Ok(Datum::Null) };
        let hits = array.values.iter().enumerate().filter(|(_, value)| same(value, &a[1]));
        Ok(Datum::array(PgType::INT4, hits.map(|(index, _)| Datum::Int4(index as i32 + 1)).collect()))
    }),
    ("array_to_string(anyarray, text) text", |c, a| to_string(c, a)),
    ("!array_to_string(anyarray, text, text) text", |c, a| {
        if a[0].is_null() || a[1].is_null() { Ok(Datum::Null) } else { to_string(c, a) }
    }),
    ("!string_to_array(text, text) _text", |_, a| Ok(split(a))),
    ("!string_to_array(text, text, text) _text", |_, a| Ok(split(a))),
    ("!array_fill(anyelement, _int4) anyarray", |_, a| fill(a)),
    ("trim_array(anyarray, int4) anyarray", |_, a| {
        let count = a[1].as_int().unwrap_or(0).max(0) as usize;
        Ok(map(&a[0], |mut values| {
            values.truncate(values.len().saturating_sub(count));
            values
        }))
    }),
    ("op @>(anyarray, anyarray) bool", |_, a| Ok(Datum::Bool(contains(&a[0], &a[1])))),
    ("op <@(anyarray, anyarray) bool", |_, a| Ok(Datum::Bool(contains(&a[1], &a[0])))),
    ("op &&(anyarray, anyarray) bool", |_, a| Ok(Datum::Bool(overlaps(&a[0], &a[1])))),
];

fn array(value: &Datum) -> Option<&Array> {
    value.as_array()
}

fn dimension(a: &[Datum]) -> Option<Dimension> {
    let index = usize::try_from(a[1].as_int()? - 1).ok()?;
    array(&a[0])?.dimensions.get(index).copied()
}

fn dims(a: &[Datum]) -> Datum {
    let Some(array) = array(&a[0]).filter(|array| !array.dimensions.is_empty()) else { return Datum::Null };
    let part = |d: &Dimension| format!("[{}:{}]", d.lower, i64::from(d.lower) + d.length as i64 - 1);
    Datum::from(array.dimensions.iter().map(part).collect::<String>())
}

fn same(a: &Datum, b: &Datum) -> bool {
    compare::compare(a, b).is_eq()
}

fn map(value: &Datum, change: impl FnOnce(Vec<Datum>) -> Vec<Datum>) -> Datum {
    match array(value) {
        Some(array) => Datum::array(array.element, change(array.values.clone())),
        None => Datum::Null,
    }
}

fn extend(a: &Arguments<'_>, list: &Datum, item: &Datum, front: bool) -> Result<Datum> {
    let element = category::element(a.result).unwrap_or(PgType::TEXT);
    let (mut values, lower) = match array(list) {
        Some(array) if array.dimensions.len() > 1 => {
            return Err(Error::InvalidParameter("argument must be empty or one-dimensional array".into()));
        }
        Some(array) => (array.values.clone(), array.dimensions.first().map_or(1, |dimension| dimension.lower)),
        None => (Vec::new(), 1),
    };
    if front {
        values.insert(0, item.clone())
    } else {
        values.push(item.clone())
    }
    Ok(Datum::Array(Array::new(element, values, lower).into()))
}

fn concat(a: &Arguments<'_>) -> Result<Datum> {
    let (left, right) = match (array(&a[0]), array(&a[1])) {
        (None, None) => return Ok(Datum::Null),
        (Some(_), None) => return Ok(a[0].clone()),
        (None, Some(_)) => return Ok(a[1].clone()),
        (Some(left), Some(right)) => (left, right),
    };
    if left.values.is_empty() {
        return Ok(a[1].clone());
    }
    if right.values.is_empty() {
        return Ok(a[0].clone());
    }
    let values = [left.values.clone(), right.values.clone()].concat();
    let (deep, flat) = (left.dimensions.len(), right.dimensions.len());
    let mut dimensions = if deep >= flat { left.dimensions.clone() } else { right.dimensions.clone() };
    dimensions[0].length = match deep.cmp(&flat) {
        std::cmp::Ordering::Equal => left.dimensions[0].length + right.dimensions[0].length,
        _ => dimensions[0].length + 1,
    };
    if dimensions.iter().map(|dimension| dimension.length).product::<usize>() != values.len() {
        return Err(Error::InvalidParameter("cannot concatenate incompatible arrays".into()));
    }
    Ok(Datum::Array(Array { element: left.element, dimensions, values }.into()))
}

fn to_string(context: &Context<'_>, a: &Arguments<'_>) -> Result<Datum> {
    let Some(array) = array(&a[0]) else { return Ok(Datum::Null) };
    let separator = a[1].as_str().unwrap_or_default();
    let null = a.get(2).and_then(Datum::as_str);
    let element = category::element(a.types[0]).unwrap_or(array.element);
    let mut texts = Vec::new();
    for value in &array.values {
        match (value.is_null(), null) {
            (false, _) => texts.push(display::text(context, value, element)?),
            (true, Some(null)) => texts.push(null.to_owned()),
            (true, None) => {}
        }
    }
    Ok(Datum::from(texts.join(separator)))
}

fn split(a: &[Datum]) -> Datum {
    let Some(text) = a[0].as_str() else { return Datum::Null };
    let null = a.get(2).and_then(Datum::as_str);
    let parts: Vec<String> = match a[1].as_str() {
        _ if text.is_empty() => vec![],
        None => text.chars().map(String::from).collect(),
        Some("") => vec![text.to_owned()],
        Some(separator) => text.split(separator).map(str::to_owned).collect(),
    };
    let value = |part: String| if null == Some(part.as_str()) { Datum::Null } else { Datum::from(part) };
    Datum::array(PgType::TEXT, parts.into_iter().map(value).collect())
}

fn fill(a: &Arguments<'_>) -> Result<Datum> {
    let Some(lengths) = array(&a[1]) else { return Ok(Datum::Null) };
    let count: i64 = lengths.values.iter().filter_map(Datum::as_int).product();
    if !(0..=100_000).contains(&count) {
        return Err(Error::InvalidParameter("array size exceeds the maximum allowed".into()));
    }
    let element = category::element(a.result).unwrap_or(PgType::TEXT);
    Ok(Datum::array(element, vec![a[0].clone(); count as usize]))
}

fn contains(whole: &Datum, part: &Datum) -> bool {
    let (Some(whole), Some(part)) = (array(whole), array(part)) else { return false };
    part.values.iter().all(|value| !value.is_null() && whole.values.iter().any(|other| same(other, value)))
}

fn overlaps(a: &Datum, b: &Datum) -> bool {
    let (Some(a), Some(b)) = (array(a), array(b)) else { return false };
    a.values.iter().any(|value| !value.is_null() && b.values.iter().any(|other| same(other, value)))
}

/// `parse_ident`.
pub fn parse_ident(text: &str) -> Result<Datum> {
    let parts = super::names::split_name(text)
        .map_err(|_| Error::InvalidParameter(format!("string is not a valid identifier: \"{text}\"")))?;
    Ok(Datum::text_array(parts.iter().map(|part| input::truncate_name(part))))
}
