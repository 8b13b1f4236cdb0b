//! Values of expressions.

use std::sync::Arc;

use mantissa_core::PgType;

use super::{Frame, subquery};
use crate::context::Context;
use crate::datum::{Array, Datum, Dimension, Record};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::plan::{Arguments, Ex, Node, Subscript, TableCall, TableFunction};
use crate::relation::Row;
use crate::types::{cast, compare};

/// The row of a FROM item, some SELECTs outwards.
pub fn row_at<'a>(frame: &Frame<'a>, level: usize, slot: usize) -> Result<&'a Row> {
    let mut frame: &Frame<'a> = frame;
    for _ in 0..level {
        frame = frame.outer.ok_or_else(misplaced)?;
    }
    frame.slots.get(slot).ok_or_else(misplaced)
}

fn misplaced() -> Error {
    Error::WrongObject("column is not available here".into())
}

/// The value of `ex` for the current row.
pub fn eval(context: &Context<'_>, ex: &Ex, frame: &Frame<'_>) -> Result<Datum> {
    match &ex.node {
        Node::Const(value) => Ok(value.clone()),
        Node::Column(column) => {
            let row = row_at(frame, column.level, column.slot)?;
            Ok(row.get(column.column).cloned().unwrap_or(Datum::Null))
        }
        Node::Compare(comparison, left, right) => {
            let left = eval(context, left, frame)?;
            let right = eval(context, right, frame)?;
            compare_values(*comparison, &left, &right)
        }
        Node::And(items) => connect(context, items, frame, false),
        Node::Or(items) => connect(context, items, frame, true),
        _ => crate::stack::deep(|| eval_deep(context, ex, frame)),
    }
}

/// Whether a condition holds; NULL does not.
pub fn holds(context: &Context<'_>, ex: &Ex, frame: &Frame<'_>) -> Result<bool> {
    Ok(matches!(eval(context, ex, frame)?, Datum::Bool(true)))
}

fn compare_values(comparison: crate::plan::Comparison, left: &Datum, right: &Datum) -> Result<Datum> {
    if left.is_null() || right.is_null() {
        return Ok(Datum::Null);
    }
    if let (Datum::Record(a), Datum::Record(b)) = (left, right) {
        return compare_rows(comparison, &a.values, &b.values);
    }
    Ok(Datum::Bool(comparison.holds(compare::compare(left, right))))
}

/// Row comparison: NULL as soon as the deciding pair has one.
fn compare_rows(comparison: crate::plan::Comparison, left: &[Datum], right: &[Datum]) -> Result<Datum> {
    use crate::plan::Comparison::{Eq, NotEq};
    let mut unknown = false;
    for (a, b) in left.iter().zip(right) {
        if a.is_null() || b.is_null() {
            if !matches!(comparison, Eq | NotEq) {
                return Ok(Datum::Null);
            }
            unknown = true;
            continue;
        }
        let order = compare::compare(a, b);
        if order.is_ne() {
            return Ok(Datum::Bool(comparison.holds(order)));
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(comparison.holds(std::cmp::Ordering::Equal)) })
}

/// AND (`stop` false) and OR (`stop` true) with NULL as unknown.
fn connect(context: &Context<'_>, items: &[Ex], frame: &Frame<'_>, stop: bool) -> Result<Datum> {
    let mut unknown = false;
    for item in items {
        match eval(context, item, frame)? {
            Datum::Bool(value) if value == stop => return Ok(Datum::Bool(stop)),
            Datum::Null => unknown = true,
            _ => {}
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(!stop) })
}

fn eval_deep(context: &Context<'_>, ex: &Ex, frame: &Frame<'_>) -> Result<Datum> {
    Ok(match &ex.node {
        Node::Const(_) | Node::Column(_) | Node::Compare(..) | Node::And(_) | Node::Or(_) => eval(context, ex, frame)?,
        Node::WholeRow { level, slot } => whole_row(ex, row_at(frame, *level, *slot)?),
        Node::Parameter(index) => {
            context.parameters.get(*index).cloned().ok_or(Error::UndefinedParameter(index + 1))?
        }
        Node::Local(index) => frame.locals.get(*index).cloned().unwrap_or(Datum::Null),
        Node::Call { function, strict, arguments, .. } => {
            context.step()?;
            call(context, *function, *strict, arguments, ex.ty, frame)?
        }
        Node::Cast(inner) => {
            let value = eval(context, inner, frame)?;
            cast::cast(context, value, inner.ty, ex.ty, ex.typmod)?
        }
        Node::Not(inner) => match eval(context, inner, frame)? {
            Datum::Bool(value) => Datum::Bool(!value),
            _ => Datum::Null,
        },
        Node::IsNull(inner, negated) => Datum::Bool(is_null(&eval(context, inner, frame)?, *negated)),
        Node::IsBool(inner, expected, negated) => {
            let value = eval(context, inner, frame)?.as_bool();
            Datum::Bool((value == *expected) != *negated)
        }
        Node::Distinct(left, right, negated) => {
            let left = eval(context, left, frame)?;
            let right = eval(context, right, frame)?;
            Datum::Bool(compare::compare(&left, &right).is_ne() != *negated)
        }
        Node::Quantified { left, array, test, all } => quantified(context, [left, array, test], *all, frame)?,
        Node::InSet { left, set, negated } => match Key::of(&eval(context, left, frame)?) {
            None => Datum::Null,
            Some(key) if set.keys.contains(&key) => Datum::Bool(!negated),
            Some(_) if set.has_null => Datum::Null,
            Some(_) => Datum::Bool(*negated),
        },
        Node::Case { operand, whens, otherwise } => case(context, operand, whens, otherwise, frame)?,
        Node::Coalesce(items) => {
            for item in items {
                let value = eval(context, item, frame)?;
                if !value.is_null() {
                    return Ok(value);
                }
            }
            Datum::Null
        }
        Node::Extreme(items, greatest) => extreme(context, items, *greatest, frame)?,
        Node::Array { items, element, nested } => build_array(context, items, *element, *nested, frame)?,
        Node::Row(items) => {
            let values = items.iter().map(|item| eval(context, item, frame)).collect::<Result<_>>()?;
            let fields = ex.fields.as_ref().map(|fields| fields.to_vec()).unwrap_or_default();
            Datum::Record(Record { fields, values }.into())
        }
        Node::Field(inner, index) => match eval(context, inner, frame)? {
            Datum::Record(record) => record.values.get(*index).cloned().unwrap_or(Datum::Null),
            _ => Datum::Null,
        },
        Node::Subscript(inner, subscripts) => subscript(context, inner, subscripts, frame)?,
        Node::Scalar(query) => {
            let result = subquery(context, query, frame)?;
            match result.rows.as_slice() {
                [] => Datum::Null,
                [row] => row.first().cloned().unwrap_or(Datum::Null),
                _ => return Err(Error::Cardinality),
            }
        }
        Node::Exists(query, negated) => Datum::Bool(subquery(context, query, frame)?.rows.is_empty() == *negated),
        Node::ArrayOf(query, element) => {
            let result = subquery(context, query, frame)?;
            let values = result.rows.iter().filter_map(|row| row.first().cloned()).collect();
            stack_arrays(values, *element)
        }
        Node::SubqueryTest { left, subquery, test, all, hashable } => {
            subquery_test(context, left, subquery, test, (*all, *hashable), frame)?
        }
    })
}

fn whole_row(ex: &Ex, row: &Row) -> Datum {
    let fields = ex.fields.as_ref().map(|fields| fields.to_vec()).unwrap_or_default();
    if !row.is_empty() && row.iter().all(Datum::is_null) {
        return Datum::Null;
    }
    let values = row.iter().take(fields.len()).cloned().collect();
    Datum::Record(Record { fields, values }.into())
}

fn is_null(value: &Datum, negated: bool) -> bool {
    match value {
        Datum::Record(record) if !record.values.is_empty() => {
            record.values.iter().all(|value| value.is_null() != negated)
        }
        other => other.is_null() != negated,
    }
}

fn call(
    context: &Context<'_>,
    function: crate::plan::ScalarFn,
    strict: bool,
    arguments: &[Ex],
    result: PgType,
    frame: &Frame<'_>,
) -> Result<Datum> {
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let value = eval(context, argument, frame)?;
        if strict && value.is_null() {
            return Ok(Datum::Null);
        }
        values.push(value);
    }
    let types: Vec<PgType> = arguments.iter().map(|argument| argument.ty).collect();
    function(context, &Arguments { values: &values, types: &types, result })
}

/// The rows of a call in FROM or in the target list.
pub fn table_call(context: &Context<'_>, call: &TableCall, frame: &Frame<'_>) -> Result<Vec<Datum>> {
    context.step()?;
    let values = call.arguments.iter().map(|item| eval(context, item, frame)).collect::<Result<Vec<_>>>()?;
    let types: Vec<PgType> = call.arguments.iter().map(|argument| argument.ty).collect();
    let has_null = values.iter().any(Datum::is_null);
    let arguments = Arguments { values: &values, types: &types, result: call.result };
    match call.function {
        TableFunction::Set { strict: true, .. } if has_null => Ok(Vec::new()),
        TableFunction::Scalar { strict: true, .. } if has_null => Ok(vec![Datum::Null]),
        TableFunction::Set { function, .. } => function(context, &arguments),
        TableFunction::Scalar { function, .. } => Ok(vec![function(context, &arguments)?]),
        TableFunction::Value => Ok(values),
    }
}

fn quantified(context: &Context<'_>, parts: [&Ex; 3], all: bool, frame: &Frame<'_>) -> Result<Datum> {
    let [left, array, test] = parts;
    let array = eval(context, array, frame)?;
    let Datum::Array(array) = &array else { return Ok(Datum::Null) };
    if array.values.is_empty() {
        return Ok(Datum::Bool(all));
    }
    let left = eval(context, left, frame)?;
    let mut locals = [left, Datum::Null];
    let mut unknown = false;
    for value in &array.values {
        locals[1] = value.clone();
        match eval(context, test, &Frame { locals: &locals, ..*frame })? {
            Datum::Bool(value) if value != all => return Ok(Datum::Bool(!all)),
            Datum::Null => unknown = true,
            _ => {}
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(all) })
}

fn subquery_test(
    context: &Context<'_>,
    left: &[Ex],
    query: &crate::plan::Subquery,
    test: &Ex,
    (all, hashable): (bool, bool),
    frame: &Frame<'_>,
) -> Result<Datum> {
    let rows = subquery(context, query, frame)?;
    if rows.rows.is_empty() {
        return Ok(Datum::Bool(all));
    }
    let mut locals = left.iter().map(|item| eval(context, item, frame)).collect::<Result<Vec<_>>>()?;
    if hashable && !locals.iter().any(Datum::is_null) {
        let (members, has_null) = rows.members();
        let key: Vec<Key> = locals.iter().map(Key::grouping).collect();
        if members.contains(&key) {
            return Ok(Datum::Bool(true));
        }
        if !has_null {
            return Ok(Datum::Bool(false));
        }
    }
    let width = locals.len();
    let mut unknown = false;
    for row in &rows.rows {
        context.step()?;
        locals.truncate(width);
        locals.extend(row.iter().cloned());
        match eval(context, test, &Frame { locals: &locals, ..*frame })? {
            Datum::Bool(value) if value != all => return Ok(Datum::Bool(!all)),
            Datum::Null => unknown = true,
            _ => {}
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(all) })
}

fn case(
    context: &Context<'_>,
    operand: &Option<Box<Ex>>,
    whens: &[(Ex, Ex)],
    otherwise: &Option<Box<Ex>>,
    frame: &Frame<'_>,
) -> Result<Datum> {
    let locals = match operand {
        Some(operand) => vec![eval(context, operand, frame)?],
        None => Vec::new(),
    };
    let test_frame = if operand.is_some() { Frame { locals: &locals, ..*frame } } else { *frame };
    for (when, then) in whens {
        if holds(context, when, &test_frame)? {
            return eval(context, then, frame);
        }
    }
    otherwise.as_ref().map_or(Ok(Datum::Null), |otherwise| eval(context, otherwise, frame))
}

fn extreme(context: &Context<'_>, items: &[Ex], greatest: bool, frame: &Frame<'_>) -> Result<Datum> {
    let mut best = Datum::Null;
    for item in items {
        let value = eval(context, item, frame)?;
        if value.is_null() {
            continue;
        }
        let order = compare::compare(&value, &best);
        if best.is_null() || (order.is_gt() && greatest) || (order.is_lt() && !greatest) {
            best = value;
        }
    }
    Ok(best)
}

fn build_array(context: &Context<'_>, items: &[Ex], element: PgType, nested: bool, frame: &Frame<'_>) -> Result<Datum> {
    let values = items.iter().map(|item| eval(context, item, frame)).collect::<Result<Vec<_>>>()?;
    Ok(if nested { stack_arrays(values, element) } else { Datum::array(element, values) })
}

/// Arrays of arrays become one array with a dimension more.
fn stack_arrays(values: Vec<Datum>, element: PgType) -> Datum {
    let inner: Option<Vec<&Array>> = values.iter().map(Datum::as_array).collect();
    match inner {
        Some(arrays) if !arrays.is_empty() => {
            let mut dimensions = vec![Dimension { length: arrays.len(), lower: 1 }];
            dimensions.extend(arrays[0].dimensions.iter().copied());
            let flat: Vec<Datum> = arrays.iter().flat_map(|array| array.values.iter().cloned()).collect();
            if flat.is_empty() {
                return Datum::array(arrays[0].element, flat);
            }
            Datum::Array(Array { element: arrays[0].element, dimensions, values: flat }.into())
        }
        _ => Datum::array(element, values),
    }
}

fn subscript(context: &Context<'_>, inner: &Ex, subscripts: &[Subscript], frame: &Frame<'_>) -> Result<Datum> {
    let value = eval(context, inner, frame)?;
    let Datum::Array(array) = &value else { return Ok(Datum::Null) };
    let bound = |ex: &Ex| Ok::<_, Error>(eval(context, ex, frame)?.as_int());
    if subscripts.iter().any(|subscript| matches!(subscript, Subscript::Slice(..))) {
        return slice(array, subscripts, bound);
    }
    if subscripts.len() != array.dimensions.len() {
        return Ok(Datum::Null);
    }
    let mut index = 0;
    for (subscript, dimension) in subscripts.iter().zip(&array.dimensions) {
        let Subscript::Index(ex) = subscript else { return Ok(Datum::Null) };
        let Some(position) = bound(ex)? else { return Ok(Datum::Null) };
        let offset = position - i64::from(dimension.lower);
        if offset < 0 || offset >= dimension.length as i64 {
            return Ok(Datum::Null);
        }
        index = index * dimension.length + offset as usize;
    }
    Ok(array.values.get(index).cloned().unwrap_or(Datum::Null))
}

fn slice(array: &Array, subscripts: &[Subscript], bound: impl Fn(&Ex) -> Result<Option<i64>>) -> Result<Datum> {
    let (Some(dimension), [subscript]) = (array.dimensions.first(), subscripts) else {
        return Ok(Datum::array(array.element, Vec::new()));
    };
    let (low, high) = match subscript {
        Subscript::Slice(low, high) => (low.as_ref(), high.as_ref()),
        Subscript::Index(high) => (None, Some(high)),
    };
    let first = i64::from(dimension.lower);
    let last = first + dimension.length as i64 - 1;
    let low = low.map_or(Ok(Some(first)), &bound)?;
    let high = high.map_or(Ok(Some(last)), &bound)?;
    let (Some(low), Some(high)) = (low, high) else { return Ok(Datum::Null) };
    let from = (low.max(first) - first) as usize;
    let until = (high.min(last) - first + 1).max(0) as usize;
    let stride: usize = array.dimensions[1..].iter().map(|dimension| dimension.length).product();
    if from >= until {
        return Ok(Datum::array(array.element, Vec::new()));
    }
    let values = array.values[from * stride..until * stride].to_vec();
    let mut dimensions = array.dimensions.clone();
    dimensions.iter_mut().for_each(|dimension| dimension.lower = 1);
    dimensions[0].length = until - from;
    Ok(Datum::Array(Arc::new(Array { element: array.element, dimensions, values })))
}
