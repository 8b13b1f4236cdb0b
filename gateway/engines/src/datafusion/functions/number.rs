//! `to_char` of numbers, and the bucket of a histogram that a number falls into.

use std::borrow::Cow;

use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use mantissa_core::ErrorKind;

use super::args::{Texts, Values, map_text, map_values, row_count};
use super::{Function, Param};
use crate::datafusion::fault::fault;

pub(crate) const FUNCTIONS: &[Function] = &[Function::new(
    "width_bucket",
    &[&[Param::Number, Param::Number, Param::Number, Param::Int]],
    |_| DataType::Int32,
    width_bucket,
)];

/// Decimals of exact numbers here.
const EXACT: DataType = DataType::Decimal128(38, 10);

fn width_bucket(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let counts = Values::<Int64Type>::new(&args.args[3])?;
    if args.args[..3].iter().any(|arg| arg.data_type().is_floating()) {
        let [value, low, high] = [0, 1, 2].map(|index| Values::<Float64Type>::new(&args.args[index]));
        let (value, low, high) = (value?, low?, high?);
        return map_values::<Int32Type>(args, |row| {
            let all = value.get(row).zip(low.get(row)).zip(high.get(row)).zip(counts.get(row));
            let Some((((value, low), high), count)) = all else { return Ok(None) };
            if [value, low, high].iter().any(|number| number.is_nan()) || low.is_infinite() || high.is_infinite() {
                return Err(bucket_fault("operand, lower bound, and upper bound cannot be NaN"));
            }
            let steps = |from: f64, to: f64, width: f64| Some(((to - from) * count as f64 / width).floor() as i64);
            bucket(value, low, high, count, |from, to| steps(from, to, (high - low).abs()))
        });
    }
    let exact = |index: usize| {
        let array = args.args[index].to_array(row_count(args))?;
        Values::<Decimal128Type>::new(&ColumnarValue::Array(arrow::compute::cast(&array, &EXACT)?))
    };
    let (value, low, high) = (exact(0)?, exact(1)?, exact(2)?);
    map_values::<Int32Type>(args, |row| {
        let all = value.get(row).zip(low.get(row)).zip(high.get(row)).zip(counts.get(row));
        let Some((((value, low), high), count)) = all else { return Ok(None) };
        let steps = |from: i128, to: i128| {
            let width = high.checked_sub(low)?.checked_abs()?;
            i64::try_from(to.checked_sub(from)?.checked_mul(i128::from(count))? / width).ok()
        };
        bucket(value, low, high, count, steps)
    })
}

/// `steps(from, to)` is how many buckets lie between two numbers.
fn bucket<T: PartialOrd + Copy>(
    value: T,
    low: T,
    high: T,
    count: i64,
    steps: impl Fn(T, T) -> Option<i64>,
) -> Result<Option<i32>> {
    if count <= 0 {
        return Err(bucket_fault("count must be greater than zero"));
    }
    if low == high {
        return Err(bucket_fault("lower bound cannot equal upper bound"));
    }
    let (is_before, is_after) = if low < high { (value < low, value >= high) } else { (value > low, value <= high) };
    let found = match (is_before, is_after) {
        (true, _) => Some(0),
        (_, true) => count.checked_add(1),
        _ if low < high => steps(low, value).and_then(|steps| steps.checked_add(1)),
        _ => steps(value, low).and_then(|steps| steps.checked_add(1)),
    };
    let out_of_range = || fault(ErrorKind::NumericOutOfRange, "integer out of range");
    found.and_then(|found| i32::try_from(found).ok()).ok_or_else(out_of_range).map(Some)
}

fn bucket_fault(message: &str) -> datafusion::error::DataFusionError {
    fault(ErrorKind::InvalidWidthBucket, message)
}

pub(crate) fn to_char(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let array = args.args[0].to_array(row_count(args))?;
    let array = arrow::compute::cast(&array, &arrow::datatypes::DataType::Decimal128(38, 10))?;
    let printed = arrow::compute::cast(&array, &arrow::datatypes::DataType::Utf8View)?;
    let numbers = Texts::new(&ColumnarValue::Array(printed))?;
    let patterns = Texts::new(&args.args[1])?;
    map_text(args, |row| {
        let (Some(number), Some(pattern)) = (numbers.get(row), patterns.get(row)) else { return Ok(None) };
        Ok(Some(Cow::Owned(format(number, pattern))))
    })
}

/// Prints a number given in decimal by a pattern of `9`, `0`, `,`, `.`, `G`, `D`, `FM`, `S` and `%`.
fn format(number: &str, pattern: &str) -> String {
    let upper = pattern.to_uppercase();
    let (fill, pattern) = upper.strip_prefix("FM").map_or((true, upper.as_str()), |rest| (false, rest));
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let has_sign = pattern.contains('S');
    let body: String = pattern.chars().filter(|c| *c != 'S').map(|c| if c == 'D' { '.' } else { c }).collect();
    let (whole_pattern, decimal_pattern) = body.split_once('.').unwrap_or((&body, ""));
    let decimals = decimal_pattern.chars().filter(|c| matches!(c, '9' | '0')).count();
    let (whole, fraction) = round(number, decimals);
    let places = whole_pattern.chars().filter(|c| matches!(c, '9' | '0')).count();
    let digits = whole.trim_start_matches('0');
    let mut text = print_whole(digits, whole_pattern, places, fill);
    if body.contains('.') {
        text.push('.');
        text.push_str(&print_decimals(&fraction, decimal_pattern, fill));
    }
    let sign = match (negative, has_sign) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) if fill => " ",
        _ => "",
    };
    let blanks = text.len() - text.trim_start().len();
    format!("{}{sign}{}", &text[..blanks], &text[blanks..])
}

fn print_whole(digits: &str, pattern: &str, places: usize, fill: bool) -> String {
    if digits.len() > places {
        return pattern.chars().map(|c| if matches!(c, '9' | '0') { '#' } else { c }).collect();
    }
    let mut left = places;
    let mut started = false;
    let mut text = String::new();
    for character in pattern.chars() {
        match character {
            '9' | '0' => {
                let index = (digits.len() + 1).checked_sub(left + 1).filter(|_| left <= digits.len());
                left -= 1;
                match index {
                    Some(_) => {
                        started = true;
                        text.push_str(&digits[digits.len() - left - 1..digits.len() - left]);
                    }
                    None if character == '0' || started => {
                        started = true;
                        text.push('0');
                    }
                    None if fill => text.push(' '),
                    None => {}
                }
            }
            ',' | 'G' if started => text.push(','),
            ',' | 'G' if fill => text.push(' '),
            ',' | 'G' => {}
            other => text.push(other),
        }
    }
    // A zero that no place prints still shows where there is no fraction.
    if !started && digits.is_empty() && !pattern.is_empty() {
        let trimmed = text.len().saturating_sub(1);
        if fill && text.ends_with(' ') {
            text.truncate(trimmed);
        }
        text.push('0');
    }
    text
}

fn print_decimals(fraction: &str, pattern: &str, fill: bool) -> String {
    if fill {
        return fraction.to_owned();
    }
    let needed = pattern.rfind('0').map_or(0, |at| at + 1);
    let trimmed = fraction.trim_end_matches('0');
    fraction[..trimmed.len().max(needed.min(fraction.len()))].to_owned()
}

/// Whole part and `decimals` digits, rounded half away from zero.
pub(crate) fn round(number: &str, decimals: usize) -> (String, String) {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let padded = format!("{fraction:0<decimals$}");
    let up = padded.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5');
    let mut digits: Vec<u8> = whole.bytes().chain(padded.bytes().take(decimals)).collect();
    if up {
        let mut carried = true;
        for digit in digits.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                carried = false;
                break;
            }
        }
        if carried {
            digits.insert(0, b'1');
        }
    }
    let text = String::from_utf8_lossy(&digits).into_owned();
    let (whole, fraction) = text.split_at(text.len() - decimals);
    (whole.to_owned(), fraction.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_by_pattern() {
        let cases = [
            ("1234.5", "999,999.99", "   1,234.50"),
            ("1234.567", "FM999,999.99", "1,234.57"),
            ("5", "000", " 005"),
            ("-5", "000", "-005"),
            ("12345", "999", " ###"),
            ("0.5", "FM0.00", "0.50"),
            ("99.995", "FM999.99", "100."),
            ("42", "S999", " +42"),
        ];
        for (number, pattern, expected) in cases {
            assert_eq!(format(number, pattern), expected, "{number} {pattern}");
        }
    }
}
