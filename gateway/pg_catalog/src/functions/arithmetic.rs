//! Numbers: operators and functions.

use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};

use crate::datum::{Datum, Numeric};
use crate::error::{Error, Result};
use crate::plan::ScalarFn;
use crate::types::compare;

macro_rules! int_ops {
    ($name:ident, $variant:ident, $ty:ty, $label:literal) => {
        mod $name {
            use super::*;

            fn pair(a: &[Datum]) -> ($ty, $ty) {
                let get = |value: &Datum| match value {
                    Datum::$variant(value) => *value,
                    _ => 0,
                };
                (get(&a[0]), get(&a[1]))
            }

            pub fn apply(a: &[Datum], op: fn($ty, $ty) -> Option<$ty>) -> Result<Datum> {
                let (x, y) = pair(a);
                op(x, y).map(Datum::$variant).ok_or_else(|| Error::OutOfRange($label.into()))
            }

            pub fn divide(a: &[Datum], op: fn($ty, $ty) -> Option<$ty>) -> Result<Datum> {
                if pair(a).1 == 0 {
                    return Err(Error::DivisionByZero);
                }
                apply(a, op)
            }
        }
    };
}

int_ops!(small, Int2, i16, "smallint");
int_ops!(int, Int4, i32, "integer");
int_ops!(big, Int8, i64, "bigint");

pub const OPERATORS: &[(&str, ScalarFn)] = &[
    ("op +(int2, int2) int2", |_, a| small::apply(a, i16::checked_add)),
    ("op +(int4, int4) int4", |_, a| int::apply(a, i32::checked_add)),
    ("op +(int8, int8) int8", |_, a| big::apply(a, i64::checked_add)),
    ("op +(numeric, numeric) numeric", |_, a| decimals(a, |x, y| Ok(x + y))),
    ("op +(float8, float8) float8", |_, a| floats(a, |x, y| x + y)),
    ("op +(float4, float4) float4", |_, a| singles(a, |x, y| x + y)),
    ("op -(int2, int2) int2", |_, a| small::apply(a, i16::checked_sub)),
    ("op -(int4, int4) int4", |_, a| int::apply(a, i32::checked_sub)),
    ("op -(int8, int8) int8", |_, a| big::apply(a, i64::checked_sub)),
    ("op -(numeric, numeric) numeric", |_, a| decimals(a, |x, y| Ok(x - y))),
    ("op -(float8, float8) float8", |_, a| floats(a, |x, y| x - y)),
    ("op -(float4, float4) float4", |_, a| singles(a, |x, y| x - y)),
    ("op *(int2, int2) int2", |_, a| small::apply(a, i16::checked_mul)),
    ("op *(int4, int4) int4", |_, a| int::apply(a, i32::checked_mul)),
    ("op *(int8, int8) int8", |_, a| big::apply(a, i64::checked_mul)),
    ("op *(numeric, numeric) numeric", |_, a| decimals(a, |x, y| Ok(x * y))),
    ("op *(float8, float8) float8", |_, a| floats(a, |x, y| x * y)),
    ("op *(float4, float4) float4", |_, a| singles(a, |x, y| x * y)),
    ("op /(int2, int2) int2", |_, a| small::divide(a, i16::checked_div)),
    ("op /(int4, int4) int4", |_, a| int::divide(a, i32::checked_div)),
    ("op /(int8, int8) int8", |_, a| big::divide(a, i64::checked_div)),
    ("op /(numeric, numeric) numeric", |_, a| {
        decimals(a, |x, y| if y.is_zero() { Err(Error::DivisionByZero) } else { Ok(divide(x, y)) })
    }),
    ("op /(float8, float8) float8", |_, a| nonzero(a, |x, y| x / y)),
    ("op /(float4, float4) float4", |_, a| singles(a, |x, y| x / y)),
    ("op %(int2, int2) int2", |_, a| small::divide(a, |x, y| Some(x.wrapping_rem(y)))),
    ("op %(int4, int4) int4", |_, a| int::divide(a, |x, y| Some(x.wrapping_rem(y)))),
    ("op %(int8, int8) int8", |_, a| big::divide(a, |x, y| Some(x.wrapping_rem(y)))),
    ("op %(numeric, numeric) numeric", |_, a| remainder(a)),
    ("op ^(float8, float8) float8", |_, a| power(a)),
    ("op ^(numeric, numeric) numeric", |_, a| numeric_power(a)),
    ("op &(int4, int4) int4", |_, a| int::apply(a, |x, y| Some(x & y))),
    ("op &(int8, int8) int8", |_, a| big::apply(a, |x, y| Some(x & y))),
    ("op &(int2, int2) int2", |_, a| small::apply(a, |x, y| Some(x & y))),
    ("op |(int4, int4) int4", |_, a| int::apply(a, |x, y| Some(x | y))),
    ("op |(int8, int8) int8", |_, a| big::apply(a, |x, y| Some(x | y))),
    ("op |(int2, int2) int2", |_, a| small::apply(a, |x, y| Some(x | y))),
    ("op #(int4, int4) int4", |_, a| int::apply(a, |x, y| Some(x ^ y))),
    ("op #(int8, int8) int8", |_, a| big::apply(a, |x, y| Some(x ^ y))),
    ("op <<(int4, int4) int4", |_, a| int::apply(a, |x, y| Some(x.wrapping_shl(y as u32)))),
    ("op <<(int8, int4) int8", |_, a| shift(a, i64::wrapping_shl)),
    ("op >>(int4, int4) int4", |_, a| int::apply(a, |x, y| Some(x.wrapping_shr(y as u32)))),
    ("op >>(int8, int4) int8", |_, a| shift(a, i64::wrapping_shr)),
    ("op u-(int2) int2", |_, a| negate(&a[0])),
    ("op u-(int4) int4", |_, a| negate(&a[0])),
    ("op u-(int8) int8", |_, a| negate(&a[0])),
    ("op u-(numeric) numeric", |_, a| negate(&a[0])),
    ("op u-(float4) float4", |_, a| negate(&a[0])),
    ("op u-(float8) float8", |_, a| negate(&a[0])),
    ("op u+(int4) int4", |_, a| Ok(a[0].clone())),
    ("op u+(int8) int8", |_, a| Ok(a[0].clone())),
    ("op u+(numeric) numeric", |_, a| Ok(a[0].clone())),
    ("op u+(float8) float8", |_, a| Ok(a[0].clone())),
    ("op u~(int4) int4", |_, a| int::apply(&[a[0].clone(), Datum::Int4(0)], |x, _| Some(!x))),
    ("op u~(int8) int8", |_, a| big::apply(&[a[0].clone(), Datum::Int8(0)], |x, _| Some(!x))),
    ("op u@(int4) int4", |_, a| absolute(&a[0])),
    ("op u@(int8) int8", |_, a| absolute(&a[0])),
    ("op u@(numeric) numeric", |_, a| absolute(&a[0])),
    ("op u@(float8) float8", |_, a| absolute(&a[0])),
    ("op u|/(float8) float8", |_, a| root(a)),
    ("op u||/(float8) float8", |_, a| float(a, f64::cbrt)),
];

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("abs(int2) int2", |_, a| absolute(&a[0])),
    ("abs(int4) int4", |_, a| absolute(&a[0])),
    ("abs(int8) int8", |_, a| absolute(&a[0])),
    ("abs(numeric) numeric", |_, a| absolute(&a[0])),
    ("abs(float8) float8", |_, a| absolute(&a[0])),
    ("mod(int2, int2) int2", |_, a| small::divide(a, |x, y| Some(x.wrapping_rem(y)))),
    ("mod(int4, int4) int4", |_, a| int::divide(a, |x, y| Some(x.wrapping_rem(y)))),
    ("mod(int8, int8) int8", |_, a| big::divide(a, |x, y| Some(x.wrapping_rem(y)))),
    ("mod(numeric, numeric) numeric", |_, a| remainder(a)),
    ("div(numeric, numeric) numeric", |_, a| {
        decimals(a, |x, y| if y.is_zero() { Err(Error::DivisionByZero) } else { Ok((x / y).with_scale(0)) })
    }),
    ("ceil(numeric) numeric", |_, a| rounded(&a[0], 0, RoundingMode::Ceiling)),
    ("ceil(float8) float8", |_, a| float(a, f64::ceil)),
    ("ceiling(numeric) numeric", |_, a| rounded(&a[0], 0, RoundingMode::Ceiling)),
    ("ceiling(float8) float8", |_, a| float(a, f64::ceil)),
    ("floor(numeric) numeric", |_, a| rounded(&a[0], 0, RoundingMode::Floor)),
    ("floor(float8) float8", |_, a| float(a, f64::floor)),
    ("round(numeric) numeric", |_, a| rounded(&a[0], 0, RoundingMode::HalfUp)),
    ("round(numeric, int4) numeric", |_, a| rounded(&a[0], digits(&a[1]), RoundingMode::HalfUp)),
    ("round(float8) float8", |_, a| float(a, f64::round_ties_even)),
    ("trunc(numeric) numeric", |_, a| rounded(&a[0], 0, RoundingMode::Down)),
    ("trunc(numeric, int4) numeric", |_, a| rounded(&a[0], digits(&a[1]), RoundingMode::Down)),
    ("trunc(float8) float8", |_, a| float(a, f64::trunc)),
    ("sign(numeric) numeric", |_, a| {
        decimals(&[a[0].clone(), a[0].clone()], |x, _| {
            Ok(BigDecimal::from(if x.is_zero() {
                0
            } else if x.is_negative() {
                -1
            } else {
                1
            }))
        })
    }),
    ("sign(float8) float8", |_, a| float(a, |x| if x == 0.0 { 0.0 } else { x.signum() })),
    ("sqrt(float8) float8", |_, a| root(a)),
    ("cbrt(float8) float8", |_, a| float(a, f64::cbrt)),
    ("exp(float8) float8", |_, a| float(a, f64::exp)),
    ("ln(float8) float8", |_, a| logarithm(a, f64::ln)),
    ("log(float8) float8", |_, a| logarithm(a, f64::log10)),
    ("log10(float8) float8", |_, a| logarithm(a, f64::log10)),
    ("power(float8, float8) float8", |_, a| power(a)),
    ("power(numeric, numeric) numeric", |_, a| numeric_power(a)),
    ("pow(float8, float8) float8", |_, a| power(a)),
    ("pi() float8", |_, _| Ok(Datum::Float8(std::f64::consts::PI))),
    ("sin(float8) float8", |_, a| float(a, f64::sin)),
    ("cos(float8) float8", |_, a| float(a, f64::cos)),
    ("tan(float8) float8", |_, a| float(a, f64::tan)),
    ("atan(float8) float8", |_, a| float(a, f64::atan)),
    ("atan2(float8, float8) float8", |_, a| floats(a, f64::atan2)),
    ("degrees(float8) float8", |_, a| float(a, f64::to_degrees)),
    ("radians(float8) float8", |_, a| float(a, f64::to_radians)),
    ("gcd(int8, int8) int8", |_, a| big::apply(a, gcd)),
    ("scale(numeric) int4", |_, a| match &a[0] {
        Datum::Numeric(Numeric::Finite(number)) => Ok(Datum::Int4(number.fractional_digit_count() as i32)),
        _ => Ok(Datum::Null),
    }),
    ("width_bucket(float8, float8, float8, int4) int4", |_, a| bucket(a)),
];

fn digits(value: &Datum) -> i64 {
    value.as_int().unwrap_or(0).clamp(-1000, 1000)
}

fn gcd(x: i64, y: i64) -> Option<i64> {
    let (mut a, mut b) = (x.checked_abs()?, y.checked_abs()?);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Some(a)
}

fn bucket(a: &[Datum]) -> Result<Datum> {
    let (value, low, high) = (number(&a[0]), number(&a[1]), number(&a[2]));
    let count = a[3].as_int().unwrap_or(0);
    if count <= 0 {
        return Err(Error::InvalidParameter("count must be greater than zero".into()));
    }
    let place = ((value - low) / (high - low) * count as f64).floor() as i64 + 1;
    Ok(Datum::Int4(place.clamp(0, count + 1) as i32))
}

fn number(value: &Datum) -> f64 {
    compare::to_f64(value).unwrap_or(f64::NAN)
}

fn float(a: &[Datum], op: fn(f64) -> f64) -> Result<Datum> {
    Ok(Datum::Float8(op(number(&a[0]))))
}

fn floats(a: &[Datum], op: fn(f64, f64) -> f64) -> Result<Datum> {
    let (x, y) = (number(&a[0]), number(&a[1]));
    let result = op(x, y);
    if result.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(Error::OutOfRange("value".into()));
    }
    Ok(Datum::Float8(result))
}

fn singles(a: &[Datum], op: fn(f32, f32) -> f32) -> Result<Datum> {
    Ok(Datum::Float4(op(number(&a[0]) as f32, number(&a[1]) as f32)))
}

fn nonzero(a: &[Datum], op: fn(f64, f64) -> f64) -> Result<Datum> {
    if number(&a[1]) == 0.0 {
        return Err(Error::DivisionByZero);
    }
    floats(a, op)
}

fn root(a: &[Datum]) -> Result<Datum> {
    if number(&a[0]) < 0.0 {
        return Err(Error::InvalidParameter("cannot take square root of a negative number".into()));
    }
    float(a, f64::sqrt)
}

fn logarithm(a: &[Datum], op: fn(f64) -> f64) -> Result<Datum> {
    let value = number(&a[0]);
    if value <= 0.0 {
        let what = if value == 0.0 { "zero" } else { "a negative number" };
        return Err(Error::InvalidParameter(format!("cannot take logarithm of {what}")));
    }
    float(a, op)
}

fn power(a: &[Datum]) -> Result<Datum> {
    floats(a, f64::powf)
}

fn numeric_power(a: &[Datum]) -> Result<Datum> {
    decimals(a, |x, y| {
        let exponent = y.to_plain_string().trim_end_matches('0').trim_end_matches('.').parse::<i64>();
        match exponent {
            Ok(exponent) if (0..=1000).contains(&exponent) => {
                let exact = (0..exponent).fold(BigDecimal::from(1), |product, _| product * x);
                let scale = exact.fractional_digit_count().max(16);
                Ok(exact.with_scale_round(scale.min(16), RoundingMode::HalfUp))
            }
            _ => {
                let result = number(&Datum::Numeric(Numeric::Finite(x.clone())))
                    .powf(number(&Datum::Numeric(Numeric::Finite(y.clone()))));
                compare::to_numeric(&Datum::Float8(result))
                    .and_then(|value| match value {
                        Numeric::Finite(value) => Some(value.with_scale_round(16, RoundingMode::HalfUp)),
                        Numeric::NaN => None,
                    })
                    .ok_or_else(|| Error::OutOfRange("value".into()))
            }
        }
    })
}

fn decimals(a: &[Datum], op: fn(&BigDecimal, &BigDecimal) -> Result<BigDecimal>) -> Result<Datum> {
    match (&a[0], &a[1]) {
        (Datum::Numeric(Numeric::Finite(x)), Datum::Numeric(Numeric::Finite(y))) => {
            let result = op(x, y)?;
            let result = if result.fractional_digit_count() < 0 { result.with_scale(0) } else { result };
            Ok(Datum::Numeric(Numeric::Finite(result)))
        }
        _ => Ok(Datum::Numeric(Numeric::NaN)),
    }
}

/// Divides with the scale that Postgres chooses: at least 16 significant digits, and no less than either side shows.
pub fn divide(x: &BigDecimal, y: &BigDecimal) -> BigDecimal {
    // Postgres counts in groups of four digits.
    let weight = |number: &BigDecimal| -> (i64, i64) {
        let text = number.abs().to_plain_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.trim_start_matches('0');
        if !whole.is_empty() {
            let groups = (whole.len() as i64 + 3) / 4;
            let first = &whole[..whole.len() - (groups as usize - 1) * 4];
            return (groups - 1, first.parse().unwrap_or(0));
        }
        let zeros = part.len() - part.trim_start_matches('0').len();
        let group = zeros / 4;
        let padded = format!("{part:0<width$}", width = (group + 1) * 4);
        (-(group as i64) - 1, padded[group * 4..group * 4 + 4].parse().unwrap_or(0))
    };
    let ((wx, fx), (wy, fy)) = (weight(x), weight(y));
    let mut quotient = wx - wy;
    if fx <= fy {
        quotient -= 1;
    }
    let shown = |number: &BigDecimal| number.fractional_digit_count().max(0);
    let scale = (16 - quotient * 4).max(shown(x)).max(shown(y)).clamp(0, 1000);
    // One digit more, and then rounded once: the division itself cuts.
    let numerator = x.with_scale(scale + 4 + shown(y));
    let (digits, _) = numerator.as_bigint_and_exponent();
    let (divisor, divisor_scale) = y.as_bigint_and_exponent();
    let raw = BigDecimal::new(digits / divisor, scale + 4 + shown(y) - divisor_scale);
    raw.with_scale_round(scale, RoundingMode::HalfUp)
}

fn remainder(a: &[Datum]) -> Result<Datum> {
    decimals(a, |x, y| if y.is_zero() { Err(Error::DivisionByZero) } else { Ok(x % y) })
}

fn shift(a: &[Datum], op: fn(i64, u32) -> i64) -> Result<Datum> {
    Ok(Datum::Int8(op(a[0].as_int().unwrap_or(0), a[1].as_int().unwrap_or(0) as u32)))
}

fn negate(value: &Datum) -> Result<Datum> {
    let out = |label: &str| Error::OutOfRange(label.to_owned());
    Ok(match value {
        Datum::Int2(value) => Datum::Int2(value.checked_neg().ok_or_else(|| out("smallint"))?),
        Datum::Int4(value) => Datum::Int4(value.checked_neg().ok_or_else(|| out("integer"))?),
        Datum::Int8(value) => Datum::Int8(value.checked_neg().ok_or_else(|| out("bigint"))?),
        Datum::Float4(value) => Datum::Float4(-value),
        Datum::Float8(value) => Datum::Float8(-value),
        Datum::Numeric(Numeric::Finite(value)) => Datum::Numeric(Numeric::Finite(-value)),
        other => other.clone(),
    })
}

fn absolute(value: &Datum) -> Result<Datum> {
    let is_negative = match value {
        Datum::Numeric(Numeric::Finite(value)) => value.is_negative(),
        other => number(other) < 0.0,
    };
    if is_negative { negate(value) } else { Ok(value.clone()) }
}

fn rounded(value: &Datum, scale: i64, mode: RoundingMode) -> Result<Datum> {
    Ok(match value {
        Datum::Numeric(Numeric::Finite(number)) => {
            let result = number.with_scale_round(scale, mode);
            Datum::Numeric(Numeric::Finite(if scale < 0 { result.with_scale(0) } else { result }))
        }
        other => other.clone(),
    })
}
