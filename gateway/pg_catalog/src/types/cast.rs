//! Casts of values from one type to another.

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};
use mantissa_core::PgType;

use super::{category, compare, datetime, display, input};
use crate::context::Context;
use crate::datum::{Array, Datum, Numeric};
use crate::error::{Error, Result};

/// Casts `value` of type `from` to `to`. NULL stays NULL.
pub fn cast(context: &Context<'_>, value: Datum, from: PgType, to: PgType, typmod: i32) -> Result<Datum> {
    if value.is_null() {
        return Ok(Datum::Null);
    }
    if let Datum::Array(array) = &value
        && let Some(element) = category::element(to)
    {
        return cast_array(context, array, from, to, element, typmod);
    }
    let is_text = matches!(value, Datum::Text(_));
    if is_text && category::is_string(from) && !category::is_string(to) {
        let Datum::Text(text) = &value else { return Ok(value) };
        return input::parse(context, text, to, typmod);
    }
    Ok(match to {
        PgType::INT2 => Datum::Int2(to_integer(&value, "smallint")?),
        PgType::INT4 => Datum::Int4(to_integer(&value, "integer")?),
        PgType::INT8 => Datum::Int8(to_integer(&value, "bigint")?),
        PgType::OID => Datum::Oid(to_oid(&value)?),
        _ if to.is_reg() => Datum::Oid(to_oid(&value)?),
        PgType::FLOAT4 => match compare::to_f64(&value) {
            Some(number) if number.is_finite() && !(number as f32).is_finite() => {
                return Err(Error::OutOfRange("value".into()));
            }
            Some(number) => Datum::Float4(number as f32),
            None => return through_text(context, value, from, to, typmod),
        },
        PgType::FLOAT8 => match compare::to_f64(&value) {
            Some(number) => Datum::Float8(number),
            None => return through_text(context, value, from, to, typmod),
        },
        PgType::NUMERIC => match compare::to_numeric(&value) {
            Some(number) => round_numeric(number, typmod)?,
            None => return through_text(context, value, from, to, typmod),
        },
        PgType::BOOL => match &value {
            Datum::Int4(number) => Datum::Bool(*number != 0),
            Datum::Bool(_) => value,
            _ => return through_text(context, value, from, to, typmod),
        },
        PgType::CHAR => match &value {
            Datum::Int4(number) => {
                Datum::Char(i8::try_from(*number).map_err(|_| Error::OutOfRange("\"char\"".into()))? as u8)
            }
            _ => return through_text(context, value, from, to, typmod),
        },
        PgType::DATE | PgType::TIME | PgType::TIMESTAMP | PgType::TIMESTAMPTZ | PgType::INTERVAL => {
            match cast_datetime(context, &value, to, typmod)? {
                Some(value) => value,
                None => return through_text(context, value, from, to, typmod),
            }
        }
        _ => return through_text(context, value, from, to, typmod),
    })
}

/// By printing and reading again, which every type can.
fn through_text(context: &Context<'_>, value: Datum, from: PgType, to: PgType, typmod: i32) -> Result<Datum> {
    let same_store = matches!((&value, to), (Datum::Uuid(_), PgType::UUID) | (Datum::Bytea(_), PgType::BYTEA));
    if same_store || (from == to && typmod < 0) || matches!(to, PgType::RECORD | PgType::ANY | PgType::UNKNOWN) {
        return Ok(value);
    }
    if let (Datum::Text(_), true) = (&value, typmod < 0 && matches!(to, PgType::TEXT | PgType::VARCHAR)) {
        return Ok(if from == PgType::BPCHAR { Datum::text(trimmed_bpchar(&value)) } else { value });
    }
    let text = match &value {
        Datum::Bool(flag) => if *flag { "true" } else { "false" }.to_owned(),
        Datum::Text(_) if from == PgType::BPCHAR => trimmed_bpchar(&value),
        _ => display::text(context, &value, from)?,
    };
    input::parse(context, &text, to, typmod)
}

fn trimmed_bpchar(value: &Datum) -> String {
    value.as_str().unwrap_or_default().trim_end_matches(' ').to_owned()
}

fn cast_array(
    context: &Context<'_>,
    array: &Array,
    from: PgType,
    to: PgType,
    element: PgType,
    typmod: i32,
) -> Result<Datum> {
    let from_element = category::element(from).unwrap_or(array.element);
    let values = array
        .values
        .iter()
        .map(|value| cast(context, value.clone(), from_element, element, typmod))
        .collect::<Result<Vec<_>>>()?;
    let keeps_bounds = !matches!(to, PgType::INT2VECTOR | PgType::OIDVECTOR);
    let dimensions =
        if keeps_bounds { array.dimensions.clone() } else { Array::new(element, values.clone(), 0).dimensions };
    Ok(Datum::Array(Array { element, dimensions, values }.into()))
}

fn to_integer<T: TryFrom<i64>>(value: &Datum, name: &str) -> Result<T> {
    let out_of_range = || Error::OutOfRange(name.to_owned());
    let number = match value {
        Datum::Bool(flag) => i64::from(*flag),
        Datum::Char(byte) => i64::from(*byte as i8),
        Datum::Float4(number) => round_float(f64::from(*number)).ok_or_else(out_of_range)?,
        Datum::Float8(number) => round_float(*number).ok_or_else(out_of_range)?,
        Datum::Numeric(Numeric::Finite(number)) => {
            number.with_scale_round(0, RoundingMode::HalfUp).to_i64().ok_or_else(out_of_range)?
        }
        Datum::Numeric(Numeric::NaN) => return Err(Error::InvalidParameter(format!("cannot convert NaN to {name}"))),
        other => other.as_int().ok_or_else(out_of_range)?,
    };
    T::try_from(number).map_err(|_| out_of_range())
}

/// Halves round to even, as the processor does it.
fn round_float(number: f64) -> Option<i64> {
    let rounded = number.round_ties_even();
    (-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&rounded).then_some(rounded as i64)
}

fn to_oid(value: &Datum) -> Result<u32> {
    let number = value.as_int().ok_or_else(|| Error::OutOfRange("OID".into()))?;
    u32::try_from(number)
        .or_else(|_| i32::try_from(number).map(|n| n as u32))
        .map_err(|_| Error::OutOfRange("OID".into()))
}

fn cast_datetime(context: &Context<'_>, value: &Datum, to: PgType, typmod: i32) -> Result<Option<Datum>> {
    let zone = context.time_zone();
    let infinite = |days: i32| match days {
        i32::MAX => Some(i64::MAX),
        i32::MIN => Some(i64::MIN),
        _ => None,
    };
    let start = |days: i32| infinite(days).unwrap_or(i64::from(days) * datetime::DAY);
    let day = |local: i64| match local {
        i64::MAX => i32::MAX,
        i64::MIN => i32::MIN,
        _ => local.div_euclid(datetime::DAY) as i32,
    };
    let is_finite = |micros: i64| micros != i64::MAX && micros != i64::MIN;
    Ok(Some(match (value, to) {
        (Datum::Date(_), PgType::DATE) | (Datum::Time(_), PgType::TIME) => value.clone(),
        (Datum::Interval(_), PgType::INTERVAL) => value.clone(),
        (Datum::Date(days), PgType::TIMESTAMP) => Datum::Timestamp(start(*days)),
        (Datum::Date(days), PgType::TIMESTAMPTZ) => {
            Datum::TimestampTz(infinite(*days).unwrap_or_else(|| datetime::to_utc(zone, start(*days))))
        }
        (Datum::Timestamp(local), PgType::TIMESTAMP) => Datum::Timestamp(round_micros(*local, typmod)),
        (Datum::TimestampTz(utc), PgType::TIMESTAMPTZ) => Datum::TimestampTz(round_micros(*utc, typmod)),
        (Datum::Timestamp(local), PgType::TIMESTAMPTZ) => {
            let utc = if is_finite(*local) { datetime::to_utc(zone, *local) } else { *local };
            Datum::TimestampTz(round_micros(utc, typmod))
        }
        (Datum::TimestampTz(utc), PgType::TIMESTAMP) => {
            Datum::Timestamp(round_micros(datetime::to_local(zone, *utc), typmod))
        }
        (Datum::Timestamp(local), PgType::DATE) => Datum::Date(day(*local)),
        (Datum::TimestampTz(utc), PgType::DATE) => Datum::Date(day(datetime::to_local(zone, *utc))),
        (Datum::Timestamp(local), PgType::TIME) => Datum::Time(local.rem_euclid(datetime::DAY)),
        (Datum::TimestampTz(utc), PgType::TIME) => {
            Datum::Time(datetime::to_local(zone, *utc).rem_euclid(datetime::DAY))
        }
        (Datum::Time(micros), PgType::INTERVAL) => {
            Datum::Interval(mantissa_core::Interval { months: 0, days: 0, micros: *micros })
        }
        (Datum::Interval(value), PgType::TIME) => Datum::Time(value.micros.rem_euclid(datetime::DAY)),
        _ => return Ok(None),
    }))
}

/// Rounds to the decimals that the type modifier of a time type says.
pub fn round_micros(micros: i64, typmod: i32) -> i64 {
    if !(0..6).contains(&typmod) || micros == i64::MAX || micros == i64::MIN {
        return micros;
    }
    let unit = 10_i64.pow(6 - typmod as u32);
    (micros + unit / 2).div_euclid(unit) * unit
}

/// Rounds to `numeric(p,s)`.
pub fn round_numeric(value: Numeric, typmod: i32) -> Result<Datum> {
    let Numeric::Finite(number) = &value else { return Ok(Datum::Numeric(value)) };
    if typmod < 4 {
        return Ok(Datum::Numeric(value));
    }
    let precision = i64::from((typmod - 4) >> 16);
    let scale = i64::from((typmod - 4) & 0x7ff);
    let rounded = number.with_scale_round(scale, RoundingMode::HalfUp);
    let limit = BigDecimal::from(1).with_scale(0) * power_of_ten(precision - scale);
    if rounded.abs() >= limit {
        return Err(Error::NumericOverflow);
    }
    Ok(Datum::Numeric(Numeric::Finite(rounded)))
}

fn power_of_ten(exponent: i64) -> BigDecimal {
    BigDecimal::new(1.into(), -exponent)
}

/// Cuts or checks text against the length of its type.
pub fn fit_text(text: &str, ty: PgType, typmod: i32) -> Result<Datum> {
    if ty == PgType::NAME {
        return Ok(Datum::text(input::truncate_name(text)));
    }
    if typmod < 4 || !matches!(ty, PgType::VARCHAR | PgType::BPCHAR) {
        return Ok(Datum::text(text));
    }
    let limit = (typmod - 4) as usize;
    let cut: String = text.chars().take(limit).collect();
    let missing = limit - cut.chars().count();
    Ok(Datum::from(if ty == PgType::BPCHAR { cut + &" ".repeat(missing) } else { cut }))
}
