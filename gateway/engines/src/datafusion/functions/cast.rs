//! Conversions as Postgres writes and reads them, and arithmetic that notices when it leaves its type.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{
    DataType, Decimal128Type, Field, Float32Type, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    Time64MicrosecondType, TimestampMicrosecondType, i256,
};
use arrow::error::ArrowError;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use mantissa_core::ErrorKind;

use super::args::{Texts, Values, finish, map_text, map_values};
use super::{Function, Param, time};
use crate::datafusion::errors::division_by_zero;
use crate::datafusion::fault::{fault, problem};
use crate::datafusion::types;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("to_text", &[&[Param::Any]], |_| DataType::Utf8View, to_text),
    Function::new("text_to_timestamptz", &[&[Param::Text]], |_| types::timestamptz(), text_to_timestamp),
    Function::new("text_to_timestamp", &[&[Param::Text]], |_| types::timestamp(), text_to_timestamp),
    Function::new("text_to_interval", &[&[Param::Text]], |_| types::interval(), text_to_interval),
    Function::new("round_to_integer", &[&[Param::Number]], first, round_to_integer),
    Function::new("checked_add", ARITHMETIC, first, add),
    Function::new("checked_subtract", ARITHMETIC, first, subtract),
    Function::new("checked_multiply", ARITHMETIC, first, multiply),
    Function::new("checked_divide", ARITHMETIC, first, divide),
    Function::new("numeric_divide", EXACT, |_| QUOTIENT, numeric_divide),
    Function::new("div", EXACT, |_| DataType::Decimal128(38, 0), numeric_div),
    Function::new("mod", ARITHMETIC, wider, modulo),
    Function::new("ceil", WHOLE, whole, ceil),
    Function::new("ceiling", WHOLE, whole, ceil),
    Function::new("floor", WHOLE, whole, floor),
    Function::new("text_to_bytea", &[&[Param::Text]], |_| DataType::Binary, text_to_bytea),
    Function::new("sign", &[&[Param::Number]], first, sign),
];

const ARITHMETIC: &[&[Param]] = &[&[Param::Number, Param::Number]];

const EXACT: &[&[Param]] = &[&[Param::Decimal, Param::Decimal]];

/// The type of a quotient and an average of exact numbers.
pub(crate) const QUOTIENT: DataType = DataType::Decimal128(38, 16);

fn numeric_divide(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    quotient(args, 16, true)
}

fn numeric_div(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    quotient(args, 0, false)
}

/// Divides exact numbers to `scale` decimals, rounding half away from zero or cutting off.
fn quotient(args: &ScalarFunctionArgs, scale: i32, rounds: bool) -> Result<ColumnarValue> {
    let scale_of = |value: &ColumnarValue| match value.data_type() {
        DataType::Decimal128(_, scale) => i32::from(scale),
        _ => 0,
    };
    let shift = scale + scale_of(&args.args[1]) - scale_of(&args.args[0]);
    let (left, right) = (Values::<Decimal128Type>::new(&args.args[0])?, Values::<Decimal128Type>::new(&args.args[1])?);
    map_values::<Decimal128Type>(args, |row| {
        let Some((left, right)) = left.get(row).zip(right.get(row)) else { return Ok(None) };
        divide_scaled(left, right, shift, rounds).map(Some)
    })
}

/// `left * 10^shift / right`.
pub(crate) fn divide_scaled(left: i128, right: i128, shift: i32, rounds: bool) -> Result<i128> {
    if right == 0 {
        return Err(problem(division_by_zero()));
    }
    let out_of_range = || fault(ErrorKind::NumericOutOfRange, "value overflows numeric format");
    let ten = i256::from_i128(10);
    let power = ten.checked_pow(shift.unsigned_abs()).ok_or_else(out_of_range)?;
    let (mut top, mut bottom) = (i256::from_i128(left), i256::from_i128(right));
    match shift >= 0 {
        true => top = top.checked_mul(power).ok_or_else(out_of_range)?,
        false => bottom = bottom.checked_mul(power).ok_or_else(out_of_range)?,
    }
    let quotient = top.checked_div(bottom).ok_or_else(out_of_range)?;
    let rest = top.checked_rem(bottom).ok_or_else(out_of_range)?.wrapping_abs();
    let is_half = rest.checked_mul(i256::from_i128(2)).is_none_or(|twice| twice >= bottom.wrapping_abs());
    let away = if (left < 0) == (right < 0) { 1 } else { -1 };
    let rounded = if rounds && is_half { quotient.wrapping_add(i256::from_i128(away)) } else { quotient };
    rounded.to_i128().ok_or_else(out_of_range)
}

const WHOLE: &[&[Param]] = &[&[Param::Number]];

/// Whole numbers stay what they are: numeric numeric, everything else a float.
fn whole(types: &[DataType]) -> DataType {
    match types.first() {
        Some(DataType::Decimal128(..)) => DataType::Decimal128(38, 0),
        Some(DataType::Float32) => DataType::Float32,
        _ => DataType::Float64,
    }
}

fn ceil(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    to_whole(args, f64::ceil, |value, unit| -(-value).div_euclid(unit))
}

fn floor(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    to_whole(args, f64::floor, i128::div_euclid)
}

fn to_whole(args: &ScalarFunctionArgs, float: fn(f64) -> f64, exact: fn(i128, i128) -> i128) -> Result<ColumnarValue> {
    if let DataType::Decimal128(_, scale) = args.args[0].data_type() {
        let unit = 10_i128.pow(u32::try_from(scale).unwrap_or(0));
        let values = Values::<Decimal128Type>::new(&args.args[0])?;
        return map_values::<Decimal128Type>(args, |row| Ok(values.get(row).map(|value| exact(value, unit))));
    }
    let values = Values::<Float64Type>::new(&args.args[0])?;
    let rows = super::args::row_count(args);
    let rounded: arrow::array::Float64Array = (0..rows).map(|row| values.get(row).map(float)).collect();
    finish(args, arrow::compute::cast(&rounded, args.return_type())?)
}

fn text_to_bytea(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let texts = Texts::new(&args.args[0])?;
    let mut builder = arrow::array::BinaryBuilder::new();
    for row in 0..super::args::row_count(args) {
        let Some(text) = texts.get(row) else {
            builder.append_null();
            continue;
        };
        let bytes = match text.strip_prefix("\\x") {
            Some(hex) => super::text::unhex(hex),
            None => super::text::unescape(text),
        };
        builder.append_value(bytes.ok_or_else(|| invalid(ErrorKind::InvalidTextRepresentation, "bytea", text))?);
    }
    finish(args, Arc::new(builder.finish()))
}

fn wider(types: &[DataType]) -> DataType {
    let left = first(types);
    let right = types.get(1).cloned().unwrap_or(DataType::Null);
    datafusion::logical_expr::binary::binary_numeric_coercion(&left, &right).unwrap_or(left)
}

fn modulo(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = super::args::row_count(args);
    let of = |value: &ColumnarValue| {
        Ok::<_, datafusion::error::DataFusionError>(arrow::compute::cast(&value.to_array(rows)?, args.return_type())?)
    };
    finish(args, numeric::rem(&of(&args.args[0])?, &of(&args.args[1])?)?)
}

fn sign(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let values = Values::<Float64Type>::new(&args.args[0])?;
    let rows = super::args::row_count(args);
    let signs = (0..rows).map(|row| values.get(row).map(|value| if value == 0.0 { 0.0 } else { value.signum() }));
    let signs: arrow::array::Float64Array = signs.collect();
    finish(args, arrow::compute::cast(&signs, args.return_type())?)
}

fn first(types: &[DataType]) -> DataType {
    types.first().cloned().unwrap_or(DataType::Null)
}

fn to_text(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let value = &args.args[0];
    match value.data_type() {
        DataType::Timestamp(_, zone) => {
            let micros = Values::<TimestampMicrosecondType>::new(&without_zone(value)?)?;
            let suffix = if zone.is_some() { "+00" } else { "" };
            map_text(args, |row| Ok(micros.get(row).map(|at| Cow::Owned(format!("{}{suffix}", time::print(at))))))
        }
        DataType::Float64 => {
            let values = Values::<Float64Type>::new(value)?;
            map_text(args, |row| Ok(values.get(row).map(|value| Cow::Owned(print_float(value, format!("{value:e}"))))))
        }
        DataType::Float32 => {
            let values = Values::<Float32Type>::new(value)?;
            map_text(args, |row| {
                Ok(values.get(row).map(|value| Cow::Owned(print_float(f64::from(value), format!("{value:e}")))))
            })
        }
        DataType::Interval(_) | DataType::Duration(_) => {
            let values = Values::<IntervalMonthDayNanoType>::new(value)?;
            map_text(args, |row| Ok(values.get(row).map(|value| Cow::Owned(print_interval(value)))))
        }
        DataType::Time64(_) => {
            let values = Values::<Time64MicrosecondType>::new(value)?;
            map_text(args, |row| Ok(values.get(row).map(|micros| Cow::Owned(time::print_time(micros)))))
        }
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => bytes_to_text(args),
        DataType::List(_) => lists_to_text(args),
        _ => Ok(ColumnarValue::Array(arrow::compute::cast(&value.to_array(args.number_rows)?, &DataType::Utf8View)?)),
    }
}

/// A column as the text of its values.
pub(crate) fn print(array: &ArrayRef, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    to_text(&ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(Arc::clone(array))],
        arg_fields: vec![Arc::new(Field::new("value", array.data_type().clone(), true))],
        number_rows: array.len(),
        return_field: Arc::new(Field::new("text", DataType::Utf8View, true)),
        config_options: Arc::clone(&args.config_options),
    })
}

fn without_zone(value: &ColumnarValue) -> Result<ColumnarValue> {
    let array = value.to_array(1)?;
    let array = arrow::compute::cast(&array, &types::timestamptz())?;
    let plain: ArrayRef =
        Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<Arc<str>>));
    Ok(match value {
        ColumnarValue::Scalar(_) => ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&plain, 0)?),
        ColumnarValue::Array(_) => ColumnarValue::Array(plain),
    })
}

fn bytes_to_text(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let array = arrow::compute::cast(&args.args[0].to_array(super::args::row_count(args))?, &DataType::Binary)?;
    let bytes = array.as_binary::<i32>();
    map_text(args, |row| {
        Ok(bytes.is_valid(row).then(|| {
            let hex: String = bytes.value(row).iter().map(|byte| format!("{byte:02x}")).collect();
            Cow::Owned(format!("\\x{hex}"))
        }))
    })
}

fn lists_to_text(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let array = args.args[0].to_array(super::args::row_count(args))?;
    let lists = array.as_list::<i32>();
    map_text(args, |row| {
        if lists.is_null(row) {
            return Ok(None);
        }
        let items = Texts::new(&ColumnarValue::Array(arrow::compute::cast(&lists.value(row), &DataType::Utf8View)?))?;
        let items =
            (0..lists.value_length(row) as usize).map(|index| items.get(index).map_or("NULL".into(), quote_item));
        Ok(Some(Cow::Owned(format!("{{{}}}", items.collect::<Vec<String>>().join(",")))))
    })
}

/// An array's element in the array's text form.
pub(crate) fn quote_item(item: &str) -> String {
    let is_plain = !item.is_empty()
        && !item.eq_ignore_ascii_case("null")
        && !item.contains(|c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_whitespace());
    if is_plain { item.to_owned() } else { format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// A float in the fewest digits that read back as the same value; `scientific` is Rust's own shortest form.
pub(crate) fn print_float(value: f64, scientific: String) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&exponent) {
        let digits = mantissa.chars().filter(char::is_ascii_digit).count() as i32;
        let decimals = usize::try_from((digits - 1 - exponent).max(0)).unwrap_or(0);
        // The shortest digits are known, so printing that many decimals of them is exact.
        return plain_decimal(mantissa, exponent, decimals);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn plain_decimal(mantissa: &str, exponent: i32, decimals: usize) -> String {
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let point = exponent + 1;
    let text = if point <= 0 {
        format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
    } else if digits.len() <= point as usize {
        format!("{digits}{}", "0".repeat(point as usize - digits.len()))
    } else {
        format!("{}.{}", &digits[..point as usize], &digits[point as usize..])
    };
    debug_assert!(decimals == 0 || text.contains('.'));
    format!("{sign}{text}")
}

/// An interval in Postgres's own style: `1 year 2 mons 3 days 04:05:06.5`.
pub(crate) fn print_interval(value: IntervalMonthDayNano) -> String {
    let mut parts = Vec::new();
    let mut after_negative = false;
    for (count, unit) in [(value.months / 12, "year"), (value.months % 12, "mon"), (value.days, "day")] {
        if count != 0 {
            let sign = if after_negative && count > 0 { "+" } else { "" };
            parts.push(format!("{sign}{count} {unit}{}", if count == 1 { "" } else { "s" }));
            after_negative = count < 0;
        }
    }
    let micros = value.nanoseconds / 1_000;
    if micros != 0 || parts.is_empty() {
        let sign = match micros < 0 {
            true => "-",
            false if after_negative => "+",
            false => "",
        };
        parts.push(format!("{sign}{}", time::print_time(micros.abs())));
    }
    parts.join(" ")
}

fn text_to_timestamp(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let texts = Texts::new(&args.args[0])?;
    let keeps_zone = matches!(args.return_type(), DataType::Timestamp(_, Some(_)));
    let name = if keeps_zone { "timestamp with time zone" } else { "timestamp" };
    map_values::<TimestampMicrosecondType>(args, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        time::parse(text, keeps_zone).map(Some).ok_or_else(|| invalid(ErrorKind::InvalidDatetimeFormat, name, text))
    })
}

fn text_to_interval(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let texts = Texts::new(&args.args[0])?;
    map_values::<IntervalMonthDayNanoType>(args, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let parsed = arrow::compute::kernels::cast_utils::parse_interval_month_day_nano(text);
        parsed.map(Some).map_err(|_| invalid(ErrorKind::InvalidDatetimeFormat, "interval", text))
    })
}

pub(crate) fn invalid(kind: ErrorKind, ty: &str, text: &str) -> datafusion::error::DataFusionError {
    fault(kind, format!("invalid input syntax for type {ty}: \"{text}\""))
}

/// Rounds as Postgres does before a number becomes an integer: floats to even, numeric away from zero.
fn round_to_integer(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let array = args.args[0].to_array(super::args::row_count(args))?;
    let rounded: ArrayRef = match array.data_type() {
        DataType::Float64 => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round_ties_even))
        }
        DataType::Float32 => {
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::round_ties_even))
        }
        DataType::Decimal128(precision, scale) if *scale > 0 => {
            // Casting to a smaller scale rounds half away from zero.
            let whole = arrow::compute::cast(&array, &DataType::Decimal128(*precision, 0))?;
            arrow::compute::cast(&whole, array.data_type())?
        }
        _ => array,
    };
    finish(args, rounded)
}

fn add(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    arithmetic(args, numeric::add)
}

fn subtract(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    arithmetic(args, numeric::sub)
}

fn multiply(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    arithmetic(args, numeric::mul)
}

fn divide(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let divisor = args.args[1].to_array(super::args::row_count(args))?;
    let divisor = arrow::compute::cast(&divisor, &DataType::Float64)?;
    if divisor.as_primitive::<Float64Type>().iter().flatten().any(|value| value == 0.0) {
        return Err(problem(division_by_zero()));
    }
    arithmetic(args, numeric::div)
}

type Kernel = fn(&dyn arrow::array::Datum, &dyn arrow::array::Datum) -> std::result::Result<ArrayRef, ArrowError>;

fn arithmetic(args: &ScalarFunctionArgs, kernel: Kernel) -> Result<ColumnarValue> {
    let computed = match (&args.args[0], &args.args[1]) {
        (ColumnarValue::Array(left), ColumnarValue::Array(right)) => kernel(left, right),
        (ColumnarValue::Array(left), ColumnarValue::Scalar(right)) => kernel(left, &right.to_scalar()?),
        (ColumnarValue::Scalar(left), ColumnarValue::Array(right)) => kernel(&left.to_scalar()?, right),
        (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) => {
            kernel(&left.to_array_of_size(1)?, &right.to_array_of_size(1)?)
        }
    };
    match computed {
        Ok(array) => finish(args, array),
        Err(ArrowError::ArithmeticOverflow(_)) => {
            let ty = types::of_arrow(args.return_type()).sql_name();
            Err(fault(ErrorKind::NumericOutOfRange, format!("{ty} out of range")))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_their_shortest_form() {
        let cases = [
            (1.0, "1"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e15, "1e+15"),
            (123456789012345.0, "123456789012345"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5e+300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (0.0, "0"),
        ];
        for (value, expected) in cases {
            assert_eq!(print_float(value, format!("{value:e}")), expected);
        }
    }

    #[test]
    fn intervals_print_in_postgres_style() {
        let cases = [
            ((0, 0, 0), "00:00:00"),
            ((14, 3, 14_706_500_000_000), "1 year 2 mons 3 days 04:05:06.5"),
            ((-1, 1, -1_000_000_000), "-1 mons +1 day -00:00:01"),
        ];
        for ((months, days, nanos), expected) in cases {
            assert_eq!(print_interval(IntervalMonthDayNano::new(months, days, nanos)), expected);
        }
    }
}
