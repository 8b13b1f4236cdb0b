//! Arguments and results of functions, row by row.

use std::borrow::Cow;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, LargeStringArray, PrimitiveArray, StringArray,
    StringViewArray, StringViewBuilder,
};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use std::sync::Arc;

use crate::datafusion::types;

/// What a parameter takes, with Postgres's implicit conversions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param {
    Text,
    Int,
    Float,
    /// Any number, as it comes.
    Number,
    Decimal,
    Timestamp,
    TimestampTz,
    /// With a zone or without, or a date; becomes the one without.
    AnyTimestamp,
    Time,
    Date,
    Interval,
    Bytes,
    TextArray,
    Array,
    Any,
}

impl Param {
    /// The type to which an argument is brought; `None` where Postgres would not.
    fn accept(self, given: &DataType) -> Option<DataType> {
        use DataType as D;
        let null = *given == D::Null;
        match self {
            Param::Text if null => Some(D::Utf8View),
            Param::Text => types::is_text(given).then(|| given.clone()),
            Param::Int => (null || given.is_integer()).then_some(D::Int64),
            Param::Float => (null || given.is_numeric()).then_some(D::Float64),
            Param::Number if null => Some(D::Float64),
            Param::Number => given.is_numeric().then(|| given.clone()),
            Param::Decimal if given.is_decimal() => Some(given.clone()),
            Param::Decimal => (null || given.is_integer()).then_some(D::Decimal128(20, 0)),
            Param::TimestampTz => (null || matches!(given, D::Timestamp(_, Some(_)))).then(types::timestamptz),
            Param::Timestamp => (null || matches!(given, D::Timestamp(_, None) | D::Date32)).then(types::timestamp),
            Param::AnyTimestamp => (null || matches!(given, D::Timestamp(..) | D::Date32)).then(types::timestamp),
            Param::Time => matches!(given, D::Time32(_) | D::Time64(_))
                .then_some(D::Time64(arrow::datatypes::TimeUnit::Microsecond)),
            Param::Date => (null || *given == D::Date32).then_some(D::Date32),
            Param::Interval => (null || matches!(given, D::Interval(_) | D::Duration(_))).then(types::interval),
            Param::Bytes => {
                let is_bytes = matches!(given, D::Binary | D::LargeBinary | D::BinaryView);
                (null || is_bytes || types::is_text(given)).then_some(D::Binary)
            }
            Param::TextArray => match given {
                D::List(item) if types::is_text(item.data_type()) => {
                    Some(D::List(arrow::datatypes::Field::new_list_field(D::Utf8, true).into()))
                }
                _ => None,
            },
            Param::Array => matches!(given, D::List(_) | D::LargeList(_) | D::FixedSizeList(..)).then(|| given.clone()),
            Param::Any => Some(given.clone()),
        }
    }
}

/// The types of a call's arguments once they fit the parameters.
pub(crate) fn coerce(params: &[Param], variadic: bool, given: &[DataType]) -> Option<Vec<DataType>> {
    let enough = if variadic { given.len() >= params.len() } else { given.len() == params.len() };
    if !enough {
        return None;
    }
    let param = |index: usize| params.get(index).or(params.last());
    given.iter().enumerate().map(|(index, ty)| param(index)?.accept(ty)).collect()
}

/// A text argument, whichever way Arrow holds it.
pub(crate) enum Texts {
    One(Option<String>),
    View(StringViewArray),
    Plain(StringArray),
    Large(LargeStringArray),
}

impl Texts {
    pub(crate) fn new(value: &ColumnarValue) -> Result<Self> {
        let array = match value {
            ColumnarValue::Scalar(scalar) => return Ok(Texts::One(text_of(scalar))),
            ColumnarValue::Array(array) => array,
        };
        Ok(match array.data_type() {
            DataType::Utf8View => Texts::View(array.as_string_view().clone()),
            DataType::Utf8 => Texts::Plain(array.as_string().clone()),
            DataType::LargeUtf8 => Texts::Large(array.as_string().clone()),
            _ => Texts::View(arrow::compute::cast(array, &DataType::Utf8View)?.as_string_view().clone()),
        })
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Texts::One(text) => text.as_deref(),
            Texts::View(array) => array.is_valid(row).then(|| array.value(row)),
            Texts::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Texts::Large(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }

    /// The value, where it is the same for every row.
    pub(crate) fn constant(&self) -> Option<Option<&str>> {
        match self {
            Texts::One(text) => Some(text.as_deref()),
            _ => None,
        }
    }
}

fn text_of(scalar: &ScalarValue) -> Option<String> {
    match scalar {
        ScalarValue::Dictionary(_, value) => text_of(value),
        other => other.try_as_str().flatten().map(str::to_owned),
    }
}

/// An argument of a fixed-width type.
pub(crate) enum Values<T: ArrowPrimitiveType> {
    One(Option<T::Native>),
    Many(PrimitiveArray<T>),
}

impl<T: ArrowPrimitiveType> Values<T> {
    pub(crate) fn new(value: &ColumnarValue) -> Result<Self> {
        let (array, is_scalar) = match value {
            ColumnarValue::Scalar(scalar) => (scalar.to_array_of_size(1)?, true),
            ColumnarValue::Array(array) => (Arc::clone(array), false),
        };
        let array = match array.as_primitive_opt::<T>() {
            Some(array) => array.clone(),
            None => arrow::compute::cast(&array, &T::DATA_TYPE)?.as_primitive::<T>().clone(),
        };
        Ok(if is_scalar { Values::One(array.is_valid(0).then(|| array.value(0))) } else { Values::Many(array) })
    }

    pub(crate) fn get(&self, row: usize) -> Option<T::Native> {
        match self {
            Values::One(value) => *value,
            Values::Many(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// Rows to compute: one where every argument is constant.
pub(crate) fn row_count(args: &ScalarFunctionArgs) -> usize {
    if is_constant(args) { 1 } else { args.number_rows }
}

fn is_constant(args: &ScalarFunctionArgs) -> bool {
    args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)))
}

/// Gives a computed column back, as one value where every argument was constant.
pub(crate) fn finish(args: &ScalarFunctionArgs, array: ArrayRef) -> Result<ColumnarValue> {
    if is_constant(args) {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
    }
    Ok(ColumnarValue::Array(array))
}

/// Computes a text for each row.
pub(crate) fn map_text<'a>(
    args: &ScalarFunctionArgs,
    mut compute: impl FnMut(usize) -> Result<Option<Cow<'a, str>>>,
) -> Result<ColumnarValue> {
    let rows = row_count(args);
    let mut builder = StringViewBuilder::with_capacity(rows);
    for row in 0..rows {
        builder.append_option(compute(row)?);
    }
    finish(args, Arc::new(builder.finish()))
}

/// Computes a fixed-width value for each row. The type's own precision or zone is the one of the function's result.
pub(crate) fn map_values<T: ArrowPrimitiveType>(
    args: &ScalarFunctionArgs,
    mut compute: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<ColumnarValue> {
    let rows = row_count(args);
    let mut builder = PrimitiveArray::<T>::builder(rows).with_data_type(args.return_type().clone());
    for row in 0..rows {
        builder.append_option(compute(row)?);
    }
    finish(args, Arc::new(builder.finish()))
}

/// Computes a boolean for each row.
pub(crate) fn map_bool(
    args: &ScalarFunctionArgs,
    mut compute: impl FnMut(usize) -> Result<Option<bool>>,
) -> Result<ColumnarValue> {
    let rows = row_count(args);
    let values: BooleanArray = (0..rows).map(&mut compute).collect::<Result<Vec<_>>>()?.into();
    finish(args, Arc::new(values))
}
