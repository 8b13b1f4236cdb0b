//! The shape of arrays. Postgres counts dimensions from the outside, and an empty array has none.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::args::{Values, map_values, row_count};
use super::{Function, Param};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("array_length", BOUND, int4, upper),
    Function::new("array_upper", BOUND, int4, upper),
    Function::new("array_lower", BOUND, int4, lower),
    Function::new("array_ndims", &[&[Param::Array]], int4, dimension_count),
    Function::new("cardinality", &[&[Param::Array]], int4, cardinality),
];

const BOUND: &[&[Param]] = &[&[Param::Array, Param::Int]];

fn int4(_: &[DataType]) -> DataType {
    DataType::Int32
}

/// Computes from the lengths of an array's dimensions.
fn shape(args: &ScalarFunctionArgs, compute: impl Fn(usize, &[usize]) -> Option<usize>) -> Result<ColumnarValue> {
    let array = args.args[0].to_array(row_count(args))?;
    map_values::<Int32Type>(args, |row| {
        let Some(items) = items(&array, row) else { return Ok(None) };
        Ok(compute(row, &dimensions(&items)).and_then(|value| i32::try_from(value).ok()))
    })
}

fn items(array: &ArrayRef, row: usize) -> Option<ArrayRef> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::List(_) => Some(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => Some(array.as_fixed_size_list().value(row)),
        _ => None,
    }
}

fn dimensions(array: &ArrayRef) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut next = Some(array.clone());
    while let Some(array) = next.filter(|array| !array.is_empty()) {
        lengths.push(array.len());
        next = items(&array, 0);
    }
    lengths
}

fn bounds(args: &ScalarFunctionArgs, of_length: fn(usize) -> usize) -> Result<ColumnarValue> {
    let wanted = Values::<Int64Type>::new(&args.args[1])?;
    shape(args, |row, lengths| {
        let index = usize::try_from(wanted.get(row)?.checked_sub(1)?).ok()?;
        lengths.get(index).copied().map(of_length)
    })
}

fn upper(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    bounds(args, |length| length)
}

fn lower(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    bounds(args, |_| 1)
}

fn dimension_count(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    shape(args, |_, lengths| Some(lengths.len()).filter(|count| *count > 0))
}

fn cardinality(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    shape(args, |_, lengths| Some(if lengths.is_empty() { 0 } else { lengths.iter().product() }))
}
