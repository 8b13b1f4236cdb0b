//! Aggregates and window functions.

use bigdecimal::BigDecimal;
use mantissa_core::PgType;

use crate::context::Context;
use crate::datum::{Datum, Numeric};
use crate::error::{Error, Result};
use crate::plan::Aggregate;
use crate::types::{compare, datetime, display};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    CountStar,
    Count,
    Sum,
    Avg,
    Min,
    Max,
    BoolAnd,
    BoolOr,
    ArrayAgg,
    StringAgg,
    JsonAgg,
    JsonbAgg,
    JsonObjectAgg,
    JsonbObjectAgg,
    BitAnd,
    BitOr,
    Stddev,
    StddevPop,
    Variance,
    VarPop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
    Aggregate(Kind),
}

pub const WINDOWS: &[(&str, WindowKind)] = &[
    ("row_number() int8", WindowKind::RowNumber),
    ("rank() int8", WindowKind::Rank),
    ("dense_rank() int8", WindowKind::DenseRank),
    ("percent_rank() float8", WindowKind::PercentRank),
    ("cume_dist() float8", WindowKind::CumeDist),
    ("ntile(int4) int4", WindowKind::Ntile),
    ("lag(anyelement) anyelement", WindowKind::Lag),
    ("lag(anyelement, int4) anyelement", WindowKind::Lag),
    ("lag(anyelement, int4, anyelement) anyelement", WindowKind::Lag),
    ("lead(anyelement) anyelement", WindowKind::Lead),
    ("lead(anyelement, int4) anyelement", WindowKind::Lead),
    ("lead(anyelement, int4, anyelement) anyelement", WindowKind::Lead),
    ("first_value(anyelement) anyelement", WindowKind::FirstValue),
    ("last_value(anyelement) anyelement", WindowKind::LastValue),
    ("nth_value(anyelement, int4) anyelement", WindowKind::NthValue),
];

pub const AGGREGATES: &[(&str, Kind)] = &[
    ("count(any) int8", Kind::Count),
    ("sum(int2) int8", Kind::Sum),
    ("sum(int4) int8", Kind::Sum),
    ("sum(int8) numeric", Kind::Sum),
    ("sum(numeric) numeric", Kind::Sum),
    ("sum(float4) float4", Kind::Sum),
    ("sum(float8) float8", Kind::Sum),
    ("sum(interval) interval", Kind::Sum),
    ("avg(int2) numeric", Kind::Avg),
    ("avg(int4) numeric", Kind::Avg),
    ("avg(int8) numeric", Kind::Avg),
    ("avg(numeric) numeric", Kind::Avg),
    ("avg(float4) float8", Kind::Avg),
    ("avg(float8) float8", Kind::Avg),
    ("min(anyelement) anyelement", Kind::Min),
    ("min(text) text", Kind::Min),
    ("max(anyelement) anyelement", Kind::Max),
    ("max(text) text", Kind::Max),
    ("bool_and(bool) bool", Kind::BoolAnd),
    ("every(bool) bool", Kind::BoolAnd),
    ("bool_or(bool) bool", Kind::BoolOr),
    ("array_agg(anynonarray) anyarray", Kind::ArrayAgg),
    ("array_agg(anyarray) anyarray", Kind::ArrayAgg),
    ("string_agg(text, text) text", Kind::StringAgg),
    ("json_agg(any) json", Kind::JsonAgg),
    ("jsonb_agg(any) jsonb", Kind::JsonbAgg),
    ("json_object_agg(any, any) json", Kind::JsonObjectAgg),
    ("jsonb_object_agg(any, any) jsonb", Kind::JsonbObjectAgg),
    ("bit_and(int4) int4", Kind::BitAnd),
    ("bit_and(int8) int8", Kind::BitAnd),
    ("bit_or(int4) int4", Kind::BitOr),
    ("bit_or(int8) int8", Kind::BitOr),
    ("stddev(float8) float8", Kind::Stddev),
    ("stddev_samp(float8) float8", Kind::Stddev),
    ("stddev_pop(float8) float8", Kind::StddevPop),
    ("variance(float8) float8", Kind::Variance),
    ("var_samp(float8) float8", Kind::Variance),
    ("var_pop(float8) float8", Kind::VarPop),
];

/// An aggregate while it takes its values.
#[derive(Debug, Clone)]
pub struct State {
    kind: Kind,
    types: Vec<PgType>,
    result: PgType,
    count: i64,
    value: Datum,
    numbers: Vec<f64>,
    values: Vec<Datum>,
    text: String,
}

impl State {
    pub fn new(aggregate: &Aggregate) -> Self {
        Self {
            kind: aggregate.kind,
            types: aggregate.arguments.iter().map(|argument| argument.ty).collect(),
            result: aggregate.result,
            count: 0,
            value: Datum::Null,
            numbers: Vec::new(),
            values: Vec::new(),
            text: String::new(),
        }
    }

    /// Takes the values of one row.
    pub fn add(&mut self, context: &Context<'_>, values: &[Datum]) -> Result<()> {
        let first = values.first().unwrap_or(&Datum::Null);
        match self.kind {
            Kind::CountStar => self.count += 1,
            Kind::ArrayAgg => {
                self.count += 1;
                self.values.push(first.clone());
            }
            Kind::JsonAgg | Kind::JsonbAgg => {
                let ty = self.types.first().copied().unwrap_or(PgType::TEXT);
                let item = super::json::to_json(context, first, ty)?;
                self.text.push_str(if self.count > 0 { ", " } else { "" });
                self.text.push_str(&item);
                self.count += 1;
            }
            Kind::JsonObjectAgg | Kind::JsonbObjectAgg => {
                if first.is_null() {
                    return Err(Error::InvalidParameter("field name must not be null".into()));
                }
                let key = display::text(context, first, self.types[0])?;
                let item = super::json::to_json(context, &values[1], self.types[1])?;
                self.text.push_str(if self.count > 0 { ", " } else { "" });
                let separator = if self.kind == Kind::JsonbObjectAgg { ": " } else { " : " };
                self.text.push_str(&(super::json::quote(&key) + separator + &item));
                self.count += 1;
            }
            _ if first.is_null() => {}
            Kind::StringAgg => {
                if self.count > 0 {
                    self.text.push_str(values.get(1).and_then(Datum::as_str).unwrap_or_default());
                }
                self.text.push_str(first.as_str().unwrap_or_default());
                self.count += 1;
            }
            _ => self.take(first)?,
        }
        Ok(())
    }

    fn take(&mut self, value: &Datum) -> Result<()> {
        self.count += 1;
        let best = |better: bool| if better { value.clone() } else { Datum::Null };
        match self.kind {
            Kind::Min | Kind::Max => {
                let order = compare::compare(value, &self.value);
                let better = self.value.is_null() || if self.kind == Kind::Min { order.is_lt() } else { order.is_gt() };
                if better {
                    self.value = best(true);
                }
            }
            Kind::Sum | Kind::Avg => self.value = add(&self.value, value)?,
            Kind::BoolAnd | Kind::BoolOr => {
                let value = value.as_bool().unwrap_or(false);
                let known = self.value.as_bool().unwrap_or(self.kind == Kind::BoolAnd);
                self.value = Datum::Bool(if self.kind == Kind::BoolAnd { known && value } else { known || value });
            }
            Kind::BitAnd | Kind::BitOr => {
                let value = value.as_int().unwrap_or(0);
                let known = self.value.as_int();
                let result = match (self.kind, known) {
                    (_, None) => value,
                    (Kind::BitAnd, Some(known)) => known & value,
                    (_, Some(known)) => known | value,
                };
                self.value = if self.result == PgType::INT4 { Datum::Int4(result as i32) } else { Datum::Int8(result) };
            }
            Kind::Stddev | Kind::StddevPop | Kind::Variance | Kind::VarPop => {
                self.numbers.extend(compare::to_f64(value));
            }
            _ => {}
        }
        Ok(())
    }

    /// The result.
    pub fn finish(self, _context: &Context<'_>) -> Result<Datum> {
        Ok(match self.kind {
            Kind::CountStar | Kind::Count => Datum::Int8(self.count),
            _ if self.count == 0 => Datum::Null,
            Kind::Sum => narrow(self.value, self.result)?,
            Kind::Avg => average(self.value, self.count)?,
            Kind::ArrayAgg => self.array(),
            Kind::StringAgg => Datum::from(self.text),
            Kind::JsonAgg => Datum::from(format!("[{}]", self.text)),
            Kind::JsonbAgg => Datum::from(super::json::normalize(&format!("[{}]", self.text))),
            Kind::JsonObjectAgg => Datum::from(format!("{{ {} }}", self.text)),
            Kind::JsonbObjectAgg => Datum::from(super::json::normalize(&format!("{{{}}}", self.text))),
            Kind::Stddev | Kind::StddevPop | Kind::Variance | Kind::VarPop => spread(self.kind, &self.numbers),
            _ => self.value,
        })
    }

    fn array(self) -> Datum {
        use crate::datum::{Array, Dimension};
        let element = crate::types::category::element(self.result).unwrap_or(PgType::TEXT);
        let inner: Option<Vec<&Array>> = self.values.iter().map(Datum::as_array).collect();
        match inner {
            Some(arrays) if !arrays.is_empty() && self.types[0].element().is_some() => {
                let mut dimensions = vec![Dimension { length: arrays.len(), lower: 1 }];
                dimensions.extend(arrays[0].dimensions.iter().copied());
                let values = arrays.iter().flat_map(|array| array.values.iter().cloned()).collect();
                Datum::Array(Array { element: arrays[0].element, dimensions, values }.into())
            }
            _ => Datum::array(element, self.values),
        }
    }
}

/// Adds in a type wide enough: integers as numeric, floats as double.
fn add(total: &Datum, value: &Datum) -> Result<Datum> {
    Ok(match (total, value) {
        (Datum::Null, Datum::Float4(number)) => Datum::Float8((*number).into()),
        (Datum::Null, Datum::Float8(_) | Datum::Interval(_)) => value.clone(),
        (Datum::Float8(total), _) => Datum::Float8(total + compare::to_f64(value).unwrap_or(0.0)),
        (Datum::Interval(total), Datum::Interval(value)) => {
            Datum::Interval(datetime::add(total, value).ok_or(Error::DatetimeOutOfRange("interval"))?)
        }
        _ => {
            let left = compare::to_numeric(total).unwrap_or_else(|| Numeric::from(0));
            let right = compare::to_numeric(value).unwrap_or_else(|| Numeric::from(0));
            Datum::Numeric(match (left, right) {
                (Numeric::Finite(a), Numeric::Finite(b)) => Numeric::Finite(a + b),
                _ => Numeric::NaN,
            })
        }
    })
}

fn narrow(value: Datum, result: PgType) -> Result<Datum> {
    use bigdecimal::ToPrimitive;
    Ok(match (&value, result) {
        (Datum::Numeric(Numeric::Finite(total)), PgType::INT8) => {
            Datum::Int8(total.to_i64().ok_or_else(|| Error::OutOfRange("bigint".into()))?)
        }
        (Datum::Float8(total), PgType::FLOAT4) => Datum::Float4(*total as f32),
        _ => value,
    })
}

fn average(total: Datum, count: i64) -> Result<Datum> {
    Ok(match total {
        Datum::Float8(total) => Datum::Float8(total / count as f64),
        Datum::Numeric(Numeric::Finite(total)) => {
            Datum::Numeric(Numeric::Finite(super::arithmetic::divide(&total, &BigDecimal::from(count))))
        }
        other => other,
    })
}

fn spread(kind: Kind, numbers: &[f64]) -> Datum {
    let count = numbers.len() as f64;
    let sample = matches!(kind, Kind::Stddev | Kind::Variance);
    if sample && numbers.len() < 2 {
        return Datum::Null;
    }
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    let variance = squares / if sample { count - 1.0 } else { count };
    let root = matches!(kind, Kind::Stddev | Kind::StddevPop);
    Datum::Float8(if root { variance.sqrt() } else { variance })
}
