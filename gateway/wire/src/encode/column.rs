//! One encoder per column and batch: the choice among Arrow's arrays, Postgres's types and the two formats is made once,
//! so that a row costs one indirect call per value.

use std::sync::Arc;

use arrow::array::types::{ArrowPrimitiveType, ByteArrayType, ByteViewType};
use arrow::array::{Array, ArrayRef, AsArray, GenericByteArray, GenericByteViewArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;
use bytes::{BufMut, BytesMut};
use mantissa_core::{Interval, PgType};

use super::datetime::{binary_date, binary_timestamp, put_date, put_time, put_timestamp, put_timestamptz};
use super::interval::{put_interval, put_interval_binary};
use super::number::{Float, put_decimal, put_float, put_int, put_numeric_binary};
use super::style::{ByteaFormat, Offsets, Style};
use super::{EncodeError, array, packed};

/// A column's format code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Binary,
}

impl Format {
    pub fn code(self) -> i16 {
        match self {
            Format::Text => 0,
            Format::Binary => 1,
        }
    }
}

/// Writes the value of a row that is not null.
pub(crate) type Cell = Box<dyn FnMut(usize, &mut BytesMut) -> Result<(), EncodeError> + Send>;

/// One column of one batch, ready to write.
pub(crate) struct ColumnEncoder {
    nulls: Option<NullBuffer>,
    cell: Cell,
}

impl ColumnEncoder {
    pub fn new(array: &ArrayRef, ty: PgType, format: Format, style: &Style) -> Result<Self, EncodeError> {
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(Self { nulls, cell: cell(array, ty, format, style)? })
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value of `row`, which must not be null, without a length.
    pub fn write(&mut self, row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        (self.cell)(row, out)
    }
}

fn cell(array: &ArrayRef, ty: PgType, format: Format, style: &Style) -> Result<Cell, EncodeError> {
    if let DataType::Null = array.data_type() {
        return Ok(Box::new(|_, _| Ok(())));
    }
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let keys = dictionary.normalized_keys();
        let mut inner = cell(dictionary.values(), ty, format, style)?;
        return Ok(Box::new(move |row, out| inner(keys[row], out)));
    }
    if let Some(cell) = array::cell(array, ty, format, style)? {
        return Ok(cell);
    }
    let found = match format {
        Format::Text => text_cell(array, ty, style),
        Format::Binary => binary_cell(array, ty),
    };
    match found {
        Some(cell) => Ok(cell),
        None => {
            // An engine's own choice of Arrow type: bring it to the one that the Postgres type is listed with.
            let wanted = expected_type(ty).filter(|wanted| wanted != array.data_type());
            let cast = wanted.and_then(|wanted| arrow::compute::cast(array, &wanted).ok());
            let Some(cast) = cast.filter(|cast| cast.logical_null_count() == array.logical_null_count()) else {
                return Err(match format {
                    Format::Binary if is_text(array) => EncodeError::NoBinaryForm(ty),
                    _ => EncodeError::Unexpected(ty),
                });
            };
            cell(&cast, ty, format, style)
        }
    }
}

fn is_text(array: &ArrayRef) -> bool {
    matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn expected_type(ty: PgType) -> Option<DataType> {
    Some(match ty {
        PgType::BOOL => DataType::Boolean,
        PgType::INT2 => DataType::Int16,
        PgType::INT4 => DataType::Int32,
        PgType::INT8 => DataType::Int64,
        PgType::OID | PgType::XID | PgType::CID => DataType::UInt32,
        PgType::FLOAT4 => DataType::Float32,
        PgType::FLOAT8 => DataType::Float64,
        PgType::DATE => DataType::Date32,
        PgType::TIME => DataType::Time64(TimeUnit::Microsecond),
        PgType::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        PgType::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        PgType::INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        PgType::BYTEA => DataType::Binary,
        _ => DataType::Utf8,
    })
}

/// Wraps a primitive array: `write` gets each value.
fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    mut write: impl FnMut(T::Native, &mut BytesMut) -> Result<(), EncodeError> + Send + 'static,
) -> Cell {
    let values: PrimitiveArray<T> = array.as_primitive::<T>().clone();
    Box::new(move |row, out| write(values.value(row), out))
}

fn text_cell(array: &ArrayRef, ty: PgType, style: &Style) -> Option<Cell> {
    let style = *style;
    let digits = style.extra_float_digits;
    Some(match array.data_type() {
        DataType::Boolean if ty == PgType::BOOL => {
            let values = array.as_boolean().clone();
            Box::new(move |row, out| {
                out.put_u8(if values.value(row) { b't' } else { b'f' });
                Ok(())
            })
        }
        DataType::Int8 if takes_integers(ty) => int_text::<Int8Type>(array),
        DataType::Int16 if takes_integers(ty) => int_text::<Int16Type>(array),
        DataType::Int32 if takes_integers(ty) => int_text::<Int32Type>(array),
        DataType::Int64 if takes_integers(ty) => int_text::<Int64Type>(array),
        DataType::UInt8 if takes_integers(ty) => int_text::<UInt8Type>(array),
        DataType::UInt16 if takes_integers(ty) => int_text::<UInt16Type>(array),
        DataType::UInt32 if takes_integers(ty) => int_text::<UInt32Type>(array),
        DataType::UInt64 if takes_integers(ty) => int_text::<UInt64Type>(array),
        DataType::Float32 if ty == PgType::FLOAT4 => float_text::<Float32Type>(array, digits),
        DataType::Float64 if ty == PgType::FLOAT8 => float_text::<Float64Type>(array, digits),
        DataType::Decimal128(_, scale) if ty == PgType::NUMERIC => {
            let scale = *scale;
            primitive::<Decimal128Type>(array, move |value, out| {
                put_decimal(itoa::Buffer::new().format(value), scale, out);
                Ok(())
            })
        }
        DataType::Decimal256(_, scale) if ty == PgType::NUMERIC => {
            let scale = *scale;
            primitive::<Decimal256Type>(array, move |value, out| {
                put_decimal(&value.to_string(), scale, out);
                Ok(())
            })
        }
        DataType::Date32 if ty == PgType::DATE => primitive::<Date32Type>(array, move |value, out| {
            put_date(value, &style, out);
            Ok(())
        }),
        DataType::Time64(TimeUnit::Microsecond) if ty == PgType::TIME => {
            primitive::<Time64MicrosecondType>(array, |value, out| {
                put_time(value, out);
                Ok(())
            })
        }
        DataType::Timestamp(_, _) if ty == PgType::TIMESTAMP => micros_cell(array, move |value, out| {
            put_timestamp(value, &style, out);
        }),
        DataType::Timestamp(_, _) if ty == PgType::TIMESTAMPTZ => {
            let mut offsets = Offsets::of(style.zone);
            micros_cell(array, move |value, out| put_timestamptz(value, &mut offsets, &style, out))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) if ty == PgType::INTERVAL => {
            primitive::<IntervalMonthDayNanoType>(array, move |value, out| {
                put_interval(interval(value), style.intervals, out);
                Ok(())
            })
        }
        DataType::FixedSizeBinary(16) if ty == PgType::UUID => {
            let values = array.as_fixed_size_binary().clone();
            Box::new(move |row, out| {
                packed::put_uuid(values.value(row), out);
                Ok(())
            })
        }
        DataType::FixedSizeBinary(_) if ty == PgType::BYTEA => {
            let values = array.as_fixed_size_binary().clone();
            Box::new(move |row, out| {
                put_bytea(values.value(row), style.bytea, out);
                Ok(())
            })
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView if ty == PgType::BYTEA => {
            bytes_cell(array, move |value, out| {
                put_bytea(value, style.bytea, out);
                Ok(())
            })?
        }
        // The printed form of any type.
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if ty != PgType::BYTEA => {
            bytes_cell(array, |value, out| {
                out.put_slice(value);
                Ok(())
            })?
        }
        _ => return None,
    })
}

fn takes_integers(ty: PgType) -> bool {
    ty.is_reg()
        || matches!(
            ty,
            PgType::INT2 | PgType::INT4 | PgType::INT8 | PgType::OID | PgType::XID | PgType::CID | PgType::NUMERIC
        )
}

fn int_text<T: ArrowPrimitiveType>(array: &ArrayRef) -> Cell
where
    T::Native: itoa::Integer,
{
    primitive::<T>(array, |value, out| {
        put_int(value, out);
        Ok(())
    })
}

fn float_text<T: ArrowPrimitiveType>(array: &ArrayRef, digits: i32) -> Cell
where
    T::Native: Float,
{
    primitive::<T>(array, move |value, out| {
        put_float(value, digits, out);
        Ok(())
    })
}

/// Any timestamp array as microseconds. Finer units are cut down, as an earlier instant is never a later one.
fn micros_cell(array: &ArrayRef, mut write: impl FnMut(i64, &mut BytesMut) + Send + 'static) -> Cell {
    let DataType::Timestamp(unit, _) = array.data_type() else {
        return Box::new(|_, _| Ok(()));
    };
    match unit {
        TimeUnit::Second => primitive::<TimestampSecondType>(array, move |value, out| {
            write(value.saturating_mul(1_000_000), out);
            Ok(())
        }),
        TimeUnit::Millisecond => primitive::<TimestampMillisecondType>(array, move |value, out| {
            write(value.saturating_mul(1_000), out);
            Ok(())
        }),
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, move |value, out| {
            write(value, out);
            Ok(())
        }),
        TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(array, move |value, out| {
            write(value.div_euclid(1_000), out);
            Ok(())
        }),
    }
}

fn interval(value: IntervalMonthDayNano) -> Interval {
    Interval { months: value.months, days: value.days, micros: value.nanoseconds / 1_000 }
}

pub(super) fn put_bytea(value: &[u8], format: ByteaFormat, out: &mut BytesMut) {
    match format {
        ByteaFormat::Hex => {
            out.put_slice(b"\\x");
            packed::put_hex(value, out);
        }
        ByteaFormat::Escape => {
            for byte in value {
                match byte {
                    b'\\' => out.put_slice(b"\\\\"),
                    b' '..=b'~' => out.put_u8(*byte),
                    _ => out.put_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]),
                }
            }
        }
    }
}

/// Any string or binary array, value by value.
fn bytes_cell(
    array: &ArrayRef,
    write: impl FnMut(&[u8], &mut BytesMut) -> Result<(), EncodeError> + Send + 'static,
) -> Option<Cell> {
    Some(match array.data_type() {
        DataType::Utf8 => offset_cell(array.as_bytes::<Utf8Type>().clone(), write),
        DataType::LargeUtf8 => offset_cell(array.as_bytes::<LargeUtf8Type>().clone(), write),
        DataType::Binary => offset_cell(array.as_bytes::<BinaryType>().clone(), write),
        DataType::LargeBinary => offset_cell(array.as_bytes::<LargeBinaryType>().clone(), write),
        DataType::Utf8View => view_cell(array.as_byte_view::<StringViewType>().clone(), write),
        DataType::BinaryView => view_cell(array.as_byte_view::<BinaryViewType>().clone(), write),
        _ => return None,
    })
}

fn offset_cell<T: ByteArrayType>(
    values: GenericByteArray<T>,
    mut write: impl FnMut(&[u8], &mut BytesMut) -> Result<(), EncodeError> + Send + 'static,
) -> Cell {
    Box::new(move |row, out| write(values.value(row).as_ref(), out))
}

fn view_cell<T: ByteViewType>(
    values: GenericByteViewArray<T>,
    mut write: impl FnMut(&[u8], &mut BytesMut) -> Result<(), EncodeError> + Send + 'static,
) -> Cell {
    Box::new(move |row, out| write(values.value(row).as_ref(), out))
}

fn binary_cell(array: &ArrayRef, ty: PgType) -> Option<Cell> {
    Some(match array.data_type() {
        DataType::Boolean if ty == PgType::BOOL => {
            let values = array.as_boolean().clone();
            Box::new(move |row, out| {
                out.put_u8(u8::from(values.value(row)));
                Ok(())
            })
        }
        DataType::Int8 => int_binary::<Int8Type>(array, ty)?,
        DataType::Int16 => int_binary::<Int16Type>(array, ty)?,
        DataType::Int32 => int_binary::<Int32Type>(array, ty)?,
        DataType::Int64 => int_binary::<Int64Type>(array, ty)?,
        DataType::UInt8 => int_binary::<UInt8Type>(array, ty)?,
        DataType::UInt16 => int_binary::<UInt16Type>(array, ty)?,
        DataType::UInt32 => int_binary::<UInt32Type>(array, ty)?,
        DataType::UInt64 => int_binary::<UInt64Type>(array, ty)?,
        DataType::Float32 if ty == PgType::FLOAT4 => primitive::<Float32Type>(array, |value, out| {
            out.put_f32(value);
            Ok(())
        }),
        DataType::Float64 if ty == PgType::FLOAT8 => primitive::<Float64Type>(array, |value, out| {
            out.put_f64(value);
            Ok(())
        }),
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) if ty == PgType::NUMERIC => decimal_binary(array),
        DataType::Date32 if ty == PgType::DATE => primitive::<Date32Type>(array, |value, out| {
            out.put_i32(binary_date(value));
            Ok(())
        }),
        DataType::Time64(TimeUnit::Microsecond) if ty == PgType::TIME => {
            primitive::<Time64MicrosecondType>(array, |value, out| {
                out.put_i64(value);
                Ok(())
            })
        }
        DataType::Timestamp(_, _) if matches!(ty, PgType::TIMESTAMP | PgType::TIMESTAMPTZ) => {
            micros_cell(array, |value, out| out.put_i64(binary_timestamp(value)))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) if ty == PgType::INTERVAL => {
            primitive::<IntervalMonthDayNanoType>(array, |value, out| {
                put_interval_binary(interval(value), out);
                Ok(())
            })
        }
        DataType::FixedSizeBinary(_) if matches!(ty, PgType::UUID | PgType::BYTEA) => {
            let values = array.as_fixed_size_binary().clone();
            Box::new(move |row, out| {
                out.put_slice(values.value(row));
                Ok(())
            })
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView if ty == PgType::BYTEA => {
            bytes_cell(array, |value, out| {
                out.put_slice(value);
                Ok(())
            })?
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let pack = packed::from_printed(ty)?;
            bytes_cell(array, pack)?
        }
        _ => return None,
    })
}

fn int_binary<T: ArrowPrimitiveType>(array: &ArrayRef, ty: PgType) -> Option<Cell>
where
    T::Native: Into<i128> + itoa::Integer,
{
    let out_of_range = EncodeError::OutOfRange(ty);
    Some(match ty {
        PgType::INT2 => primitive::<T>(array, move |value, out| {
            out.put_i16(i16::try_from(value.into()).map_err(|_| out_of_range)?);
            Ok(())
        }),
        PgType::INT4 => primitive::<T>(array, move |value, out| {
            out.put_i32(i32::try_from(value.into()).map_err(|_| out_of_range)?);
            Ok(())
        }),
        PgType::INT8 => primitive::<T>(array, move |value, out| {
            out.put_i64(i64::try_from(value.into()).map_err(|_| out_of_range)?);
            Ok(())
        }),
        PgType::NUMERIC => primitive::<T>(array, move |value, out| {
            put_numeric_binary(itoa::Buffer::new().format(value), out);
            Ok(())
        }),
        ty if ty.is_reg() || matches!(ty, PgType::OID | PgType::XID | PgType::CID) => {
            primitive::<T>(array, move |value, out| {
                out.put_u32(u32::try_from(value.into()).map_err(|_| out_of_range)?);
                Ok(())
            })
        }
        _ => return None,
    })
}

fn decimal_binary(array: &ArrayRef) -> Cell {
    let pack = |unscaled: &str, scale: i8, scratch: &mut BytesMut, out: &mut BytesMut| {
        scratch.clear();
        put_decimal(unscaled, scale, scratch);
        let printed = std::str::from_utf8(scratch).unwrap_or_default();
        if put_numeric_binary(printed, out) { Ok(()) } else { Err(EncodeError::OutOfRange(PgType::NUMERIC)) }
    };
    let mut scratch = BytesMut::new();
    match array.data_type() {
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            primitive::<Decimal256Type>(array, move |value, out| pack(&value.to_string(), scale, &mut scratch, out))
        }
        _ => {
            let scale = array.as_primitive::<Decimal128Type>().scale();
            primitive::<Decimal128Type>(array, move |value, out| {
                pack(itoa::Buffer::new().format(value), scale, &mut scratch, out)
            })
        }
    }
}

/// Builds a cell for a part of an array's values.
pub(super) fn inner_cell(array: &ArrayRef, ty: PgType, format: Format, style: &Style) -> Result<Cell, EncodeError> {
    cell(&Arc::clone(array), ty, format, style)
}
