//! A plan's rows, and those rows as Arrow batches.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, FixedSizeBinaryBuilder, Float32Builder, Float64Builder,
    Int16Builder, Int32Builder, Int64Builder, IntervalMonthDayNanoBuilder, ListArray, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field as ArrowField, IntervalMonthDayNano, IntervalUnit, Schema, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use mantissa_core::{ErrorKind, Field, PgType, Problem};

use crate::bind::Plan;
use crate::context::Context;
use crate::datum::Datum;
use crate::error::Result;
use crate::exec::{self, Frame};
use crate::plan::{Body, From};
use crate::relation::Row;
use crate::types::{category, display};

/// Rows in one batch.
const BATCH: usize = 4096;

impl Plan {
    /// Runs the plan.
    pub fn run(&self, context: &Context<'_>) -> Result<Vec<Row>> {
        exec::query(context, &self.query, &Frame::EMPTY)
    }

    /// Whether no relation and no subquery is read.
    pub fn reads_nothing(&self) -> bool {
        self.reads_nothing
    }

    /// The plan's outermost step by name, and the rows expected of it.
    pub fn outline(&self) -> (&'static str, usize) {
        match &self.query.body {
            Body::Select(select) => match &select.from {
                From::Nothing | From::Raw(..) => ("Result", 1),
                From::Item(item) => ("Catalog Scan", item.estimate.max(1)),
                From::Join(_) => ("Catalog Join", 100),
            },
            Body::Values(rows) => ("Values Scan", rows.len()),
            Body::SetOperation { .. } => ("Append", 100),
            Body::Query(_) => ("Subquery Scan", 100),
        }
    }

    /// Runs the plan and gives its rows as Arrow batches.
    pub fn batches(&self, context: &Context<'_>) -> Result<Vec<RecordBatch>, Problem> {
        let rows = self.run(context)?;
        rows.chunks(BATCH).map(|rows| self.batch(context, rows)).collect()
    }

    fn batch(&self, context: &Context<'_>, rows: &[Row]) -> Result<RecordBatch, Problem> {
        let columns = columns(context, &self.fields, rows)?;
        let known = self.schema.get_or_init(|| schema(&self.fields, &columns));
        let fits = known.fields().iter().zip(&columns).all(|(field, column)| field.data_type() == column.data_type());
        let schema = if fits { Arc::clone(known) } else { schema(&self.fields, &columns) };
        assembled(schema, columns, rows.len())
    }
}

/// A value as its type prints it; `None` for NULL.
pub fn printed(context: &Context<'_>, value: &Datum, ty: PgType) -> Result<Option<String>> {
    if value.is_null() { Ok(None) } else { display::text(context, value, ty).map(Some) }
}

/// Rows as one Arrow batch.
pub fn batch(context: &Context<'_>, fields: &[Field], rows: &[Row]) -> Result<RecordBatch, Problem> {
    let columns = columns(context, fields, rows)?;
    assembled(schema(fields, &columns), columns, rows.len())
}

fn columns(context: &Context<'_>, fields: &[Field], rows: &[Row]) -> Result<Vec<ArrayRef>, Problem> {
    let mut columns = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        let values: Vec<&Datum> = rows.iter().map(|row| row.get(index).unwrap_or(&Datum::Null)).collect();
        columns.push(column(context, field.ty, &values)?);
    }
    Ok(columns)
}

fn schema(fields: &[Field], columns: &[ArrayRef]) -> Arc<Schema> {
    let field = |(field, column): (&Field, &ArrayRef)| ArrowField::new(&field.name, column.data_type().clone(), true);
    Arc::new(Schema::new(fields.iter().zip(columns).map(field).collect::<Vec<_>>()))
}

fn assembled(schema: Arc<Schema>, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Problem> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options)
        .map_err(|error| Problem::new(ErrorKind::Internal, "catalog rows do not fit their columns").caused_by(error))
}

macro_rules! build {
    ($values:expr, $builder:expr, $pattern:pat => $value:expr) => {{
        let mut builder = $builder;
        for value in $values {
            match value {
                $pattern => builder.append_value($value),
                _ => builder.append_null(),
            }
        }
        Arc::new(builder.finish()) as ArrayRef
    }};
}

fn column(context: &Context<'_>, ty: PgType, values: &[&Datum]) -> Result<ArrayRef, Problem> {
    let vector = matches!(ty, PgType::INT2VECTOR | PgType::OIDVECTOR);
    if let Some(element) = category::element(ty)
        && !vector
        && values.iter().all(|value| value.as_array().is_none_or(|array| array.dimensions.len() < 2))
    {
        return list(context, element, values);
    }
    Ok(match ty {
        PgType::BOOL => build!(values, BooleanBuilder::new(), Datum::Bool(value) => *value),
        PgType::INT2 => build!(values, Int16Builder::new(), Datum::Int2(value) => *value),
        PgType::INT4 => build!(values, Int32Builder::new(), Datum::Int4(value) => *value),
        PgType::INT8 => build!(values, Int64Builder::new(), Datum::Int8(value) => *value),
        PgType::OID => build!(values, UInt32Builder::new(), Datum::Oid(value) => *value),
        PgType::FLOAT4 => build!(values, Float32Builder::new(), Datum::Float4(value) => *value),
        PgType::FLOAT8 => build!(values, Float64Builder::new(), Datum::Float8(value) => *value),
        PgType::BYTEA => build!(values, BinaryBuilder::new(), Datum::Bytea(value) => value),
        PgType::DATE => build!(values, Date32Builder::new(), Datum::Date(value) => *value),
        PgType::TIME => build!(values, Time64MicrosecondBuilder::new(), Datum::Time(value) => *value),
        PgType::TIMESTAMP => build!(values, TimestampMicrosecondBuilder::new(), Datum::Timestamp(value) => *value),
        PgType::TIMESTAMPTZ => {
            let builder = TimestampMicrosecondBuilder::new().with_timezone("UTC");
            build!(values, builder, Datum::TimestampTz(value) => *value)
        }
        PgType::INTERVAL => {
            let fits = |value: &&Datum| match value {
                Datum::Interval(interval) => interval.micros.checked_mul(1000).is_some(),
                _ => true,
            };
            if !values.iter().all(fits) {
                return Err(Problem::new(ErrorKind::DatetimeOverflow, "interval out of range"));
            }
            build!(values, IntervalMonthDayNanoBuilder::new(), Datum::Interval(value) => {
                IntervalMonthDayNano::new(value.months, value.days, value.micros * 1000)
            })
        }
        PgType::UUID => {
            let mut builder = FixedSizeBinaryBuilder::new(16);
            for value in values {
                let appended = match value {
                    Datum::Uuid(value) => builder.append_value(value),
                    _ => {
                        builder.append_null();
                        Ok(())
                    }
                };
                appended.map_err(|error| Problem::new(ErrorKind::Internal, "bad uuid").caused_by(error))?;
            }
            Arc::new(builder.finish())
        }
        _ => {
            let mut builder = StringBuilder::new();
            for value in values {
                builder.append_option(printed(context, value, ty)?);
            }
            Arc::new(builder.finish())
        }
    })
}

fn list(context: &Context<'_>, element: PgType, values: &[&Datum]) -> Result<ArrayRef, Problem> {
    let mut items = Vec::new();
    let mut lengths = Vec::with_capacity(values.len());
    let mut valid = Vec::with_capacity(values.len());
    for value in values {
        let array = value.as_array();
        valid.push(array.is_some());
        lengths.push(array.map_or(0, |array| array.values.len()));
        items.extend(array.iter().flat_map(|array| &array.values));
    }
    let inner = column(context, element, &items)?;
    let field = Arc::new(ArrowField::new("item", inner.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(field, offsets, inner, Some(NullBuffer::from(valid)));
    let list = list.map_err(|error| Problem::new(ErrorKind::Internal, "bad array").caused_by(error))?;
    Ok(Arc::new(list))
}

/// The Arrow type of a result column.
pub fn arrow_type(ty: PgType) -> DataType {
    let vector = matches!(ty, PgType::INT2VECTOR | PgType::OIDVECTOR);
    match (ty, category::element(ty)) {
        (_, Some(element)) if !vector => DataType::List(Arc::new(ArrowField::new("item", arrow_type(element), true))),
        (PgType::BOOL, _) => DataType::Boolean,
        (PgType::INT2, _) => DataType::Int16,
        (PgType::INT4, _) => DataType::Int32,
        (PgType::INT8, _) => DataType::Int64,
        (PgType::OID, _) => DataType::UInt32,
        (PgType::FLOAT4, _) => DataType::Float32,
        (PgType::FLOAT8, _) => DataType::Float64,
        (PgType::BYTEA, _) => DataType::Binary,
        (PgType::DATE, _) => DataType::Date32,
        (PgType::TIME, _) => DataType::Time64(TimeUnit::Microsecond),
        (PgType::TIMESTAMP, _) => DataType::Timestamp(TimeUnit::Microsecond, None),
        (PgType::TIMESTAMPTZ, _) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        (PgType::INTERVAL, _) => DataType::Interval(IntervalUnit::MonthDayNano),
        (PgType::UUID, _) => DataType::FixedSizeBinary(16),
        _ => DataType::Utf8,
    }
}

/// Reads a value from its text form.
pub fn read(context: &Context<'_>, text: &str, ty: PgType) -> Result<Datum> {
    crate::types::input::parse(context, text, ty, -1)
}
