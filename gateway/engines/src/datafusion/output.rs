//! Brings DataFusion's columns into the Arrow types that [`mantissa_core::Rows`] promises.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, DurationMicrosecondType, Field, IntervalMonthDayNano, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::types;

/// How each column of a result is changed before it leaves.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    schema: SchemaRef,
    changes: Vec<Option<DataType>>,
}

impl Output {
    pub(crate) fn new(schema: &Schema) -> Self {
        let changes: Vec<Option<DataType>> = schema.fields().iter().map(|field| change(field.data_type())).collect();
        let fields = schema.fields().iter().zip(&changes).map(|(field, change)| {
            let data_type = change.clone().unwrap_or_else(|| field.data_type().clone());
            Field::new(field.name(), data_type, true)
        });
        Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), changes }
    }

    pub(crate) fn apply(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().zip(&self.changes).map(|(column, change)| match change {
            Some(to) => convert(column, to),
            None => Ok(Arc::clone(column)),
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}

/// The type to cast to; `None` for what may leave as it is.
fn change(from: &DataType) -> Option<DataType> {
    match from {
        DataType::UInt8 | DataType::Int8 => Some(DataType::Int16),
        DataType::UInt16 => Some(DataType::Int32),
        DataType::UInt32 | DataType::UInt64 => Some(DataType::Int64),
        DataType::Float16 => Some(DataType::Float32),
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => Some(DataType::Binary),
        DataType::Date64 => Some(DataType::Date32),
        DataType::Time32(_) | DataType::Time64(TimeUnit::Nanosecond) => Some(DataType::Time64(TimeUnit::Microsecond)),
        DataType::Timestamp(unit, Some(zone)) if zone.as_ref() != types::UTC => {
            Some(DataType::Timestamp(*unit, Some(types::UTC.into())))
        }
        // Numbers without a scale of their own: how many decimals they print differs from value to value.
        DataType::Decimal128(38, UNCONSTRAINED | QUOTIENT | AVERAGE) => Some(DataType::Utf8),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            Some(DataType::Decimal128(*precision, *scale))
        }
        DataType::Duration(_) => Some(types::interval()),
        DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano) => None,
        DataType::Interval(_) => Some(types::interval()),
        DataType::Dictionary(_, value) if !types::is_text(value) => {
            Some(change(value).unwrap_or_else(|| value.as_ref().clone()))
        }
        DataType::Null => Some(DataType::Utf8View),
        DataType::List(item) => change(item.data_type()).map(list_of),
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) | DataType::ListView(item) => {
            Some(list_of(change(item.data_type()).unwrap_or_else(|| item.data_type().clone())))
        }
        _ => None,
    }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// Scale of `numeric` where nobody gave it one.
pub(crate) const UNCONSTRAINED: i8 = 10;

/// Scale of quotients.
const QUOTIENT: i8 = 16;

/// Scale of averages: DataFusion cuts the last digit off, so there is one more than is printed.
const AVERAGE: i8 = 17;

/// Prints a quotient with the decimals that Postgres would: at least 16 digits in all, in steps of four.
fn print_quotient(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let digits = text.split('.').next().unwrap_or(text).trim_start_matches('0').len();
    let decimals = 16_usize.saturating_sub(digits.saturating_sub(1) / 4 * 4);
    let (whole, fraction) = super::functions::round_decimal(text, decimals);
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A decimal's text with as many decimals as Postgres prints.
pub(crate) fn print_decimal(text: &str, scale: i8) -> String {
    match scale {
        UNCONSTRAINED => print_unconstrained(text),
        QUOTIENT | AVERAGE => print_quotient(text),
        _ => text.to_owned(),
    }
}

fn print_unconstrained(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

fn convert(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if let DataType::Decimal128(_, scale @ (UNCONSTRAINED | QUOTIENT | AVERAGE)) = column.data_type()
        && *to == DataType::Utf8
    {
        let print = if *scale == UNCONSTRAINED { print_unconstrained } else { print_quotient };
        let printed = cast(column, &DataType::Utf8)?;
        let printed: StringArray = printed.as_string::<i32>().iter().map(|text| text.map(print)).collect();
        return Ok(Arc::new(printed));
    }
    if let DataType::Duration(_) = column.data_type() {
        let micros = cast(column, &DataType::Duration(TimeUnit::Microsecond))?;
        let intervals: IntervalMonthDayNanoArray =
            micros.as_primitive::<DurationMicrosecondType>().iter().map(|micros| micros.map(days_and_time)).collect();
        return Ok(Arc::new(intervals));
    }
    cast(column, to)
}

/// The interval between two instants as Postgres writes it: whole days of 24 hours, then the rest.
pub(crate) fn days_and_time(micros: i64) -> IntervalMonthDayNano {
    const DAY: i64 = 86_400_000_000;
    let days = i32::try_from(micros / DAY).unwrap_or(i32::MAX);
    IntervalMonthDayNano::new(0, days, (micros % DAY).saturating_mul(1_000))
}
