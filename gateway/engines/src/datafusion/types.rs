//! Arrow's types in Postgres's words.

use arrow::datatypes::{DataType, Field as ArrowField, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use mantissa_core::PgType;

/// Key of a field's metadata that says which Postgres type it is, where the Arrow type does not decide it.
pub const PG_TYPE: &str = "pg_type";

/// Time zone of every timestamptz.
pub(crate) const UTC: &str = "UTC";

pub(crate) fn timestamptz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

pub(crate) fn interval() -> DataType {
    DataType::Interval(IntervalUnit::MonthDayNano)
}

/// A field's Postgres type and modifier.
pub(crate) fn of_field(field: &ArrowField) -> (PgType, i32) {
    let named = field.metadata().get(PG_TYPE).and_then(|name| PgType::by_name(name));
    let ty = named.unwrap_or_else(|| of_arrow(field.data_type()));
    (ty, -1)
}

pub(crate) fn of_arrow(data_type: &DataType) -> PgType {
    match data_type {
        DataType::Boolean => PgType::BOOL,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => PgType::INT2,
        DataType::Int32 | DataType::UInt16 => PgType::INT4,
        DataType::Int64 | DataType::UInt32 => PgType::INT8,
        DataType::UInt64 => PgType::INT8,
        DataType::Float16 | DataType::Float32 => PgType::FLOAT4,
        DataType::Float64 => PgType::FLOAT8,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            PgType::NUMERIC
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => PgType::BYTEA,
        DataType::FixedSizeBinary(_) => PgType::BYTEA,
        DataType::Date32 | DataType::Date64 => PgType::DATE,
        DataType::Time32(_) | DataType::Time64(_) => PgType::TIME,
        DataType::Timestamp(_, None) => PgType::TIMESTAMP,
        DataType::Timestamp(_, Some(_)) => PgType::TIMESTAMPTZ,
        DataType::Interval(_) | DataType::Duration(_) => PgType::INTERVAL,
        DataType::Dictionary(_, value) => of_arrow(value),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            of_arrow(item.data_type()).array().unwrap_or(PgType::TEXT)
        }
        DataType::Struct(_) => PgType::RECORD,
        _ => PgType::TEXT,
    }
}

/// The Arrow type that holds a parameter of a Postgres type; `None` where only the context can tell.
pub(crate) fn to_arrow(ty: PgType) -> Option<DataType> {
    let arrow = match ty {
        PgType::BOOL => DataType::Boolean,
        PgType::INT2 => DataType::Int16,
        PgType::INT4 => DataType::Int32,
        PgType::INT8 | PgType::OID => DataType::Int64,
        PgType::FLOAT4 => DataType::Float32,
        PgType::FLOAT8 => DataType::Float64,
        PgType::NUMERIC => DataType::Decimal128(38, 10),
        PgType::BYTEA => DataType::Binary,
        PgType::DATE => DataType::Date32,
        PgType::TIME => DataType::Time64(TimeUnit::Microsecond),
        PgType::TIMESTAMP => timestamp(),
        PgType::TIMESTAMPTZ => timestamptz(),
        PgType::INTERVAL => interval(),
        PgType::TEXT
        | PgType::VARCHAR
        | PgType::BPCHAR
        | PgType::NAME
        | PgType::JSON
        | PgType::JSONB
        | PgType::INET => DataType::Utf8View,
        _ => {
            let item = to_arrow(ty.element()?)?;
            DataType::List(ArrowField::new_list_field(item, true).into())
        }
    };
    Some(arrow)
}

/// The type as Postgres's error messages name it.
pub(crate) fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "unknown".to_owned(),
        other => of_arrow(other).sql_name().to_string(),
    }
}

/// `(text, integer)`: the arguments of a call as Postgres names them in an error.
pub(crate) fn signature(types: &[DataType]) -> String {
    let names: Vec<String> = types.iter().map(sql_name).collect();
    format!("({})", names.join(", "))
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// A `NULL` of the type.
pub(crate) fn null_of(data_type: &DataType) -> ScalarValue {
    ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Null)
}
