//! Rows into Arrow columns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringArray, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use crate::row::{Row, Scalar};
use crate::schema::{ColumnSpec, ColumnType, arrow_schema, common_columns, raw_column};

/// Columns that inference may add to a table; fields beyond stay in `raw`.
pub const MAX_INFERRED: usize = 500;

/// One growing column.
#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Smallint(Int16Builder),
    Integer(Int32Builder),
    Bigint(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
}

impl Builder {
    fn new(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Text | ColumnType::Json => Builder::Text(StringBuilder::new()),
            ColumnType::Smallint => Builder::Smallint(Int16Builder::new()),
            ColumnType::Integer => Builder::Integer(Int32Builder::new()),
            ColumnType::Bigint => Builder::Bigint(Int64Builder::new()),
            ColumnType::Double => Builder::Double(Float64Builder::new()),
            ColumnType::Boolean => Builder::Boolean(BooleanBuilder::new()),
            ColumnType::Timestamptz => Builder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        }
    }

    /// Appends a value; one that the type cannot hold becomes null (it stays in `raw`).
    fn append(&mut self, value: &Scalar<'_>) {
        match self {
            Builder::Text(builder) => match value {
                Scalar::Null => builder.append_null(),
                Scalar::Text(text) => builder.append_value(text),
                Scalar::Int(number) => builder.append_value(number.to_string()),
                Scalar::Float(number) => builder.append_value(number.to_string()),
                Scalar::Bool(flag) => builder.append_value(if *flag { "true" } else { "false" }),
                Scalar::Time(micros) => builder.append_value(micros.to_string()),
            },
            Builder::Smallint(builder) => builder.append_option(integer(value).and_then(|n| n.try_into().ok())),
            Builder::Integer(builder) => builder.append_option(integer(value).and_then(|n| n.try_into().ok())),
            Builder::Bigint(builder) => builder.append_option(integer(value)),
            Builder::Double(builder) => builder.append_option(match value {
                Scalar::Float(number) => Some(*number),
                Scalar::Int(number) => Some(*number as f64),
                Scalar::Text(text) => text.parse().ok(),
                _ => None,
            }),
            Builder::Boolean(builder) => builder.append_option(match value {
                Scalar::Bool(flag) => Some(*flag),
                _ => None,
            }),
            Builder::Time(builder) => builder.append_option(match value {
                Scalar::Time(micros) => Some(*micros),
                Scalar::Text(text) => crate::timestamp::parse(text).ok(),
                _ => None,
            }),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Smallint(builder) => Arc::new(builder.finish()),
            Builder::Integer(builder) => Arc::new(builder.finish()),
            Builder::Bigint(builder) => Arc::new(builder.finish()),
            Builder::Double(builder) => Arc::new(builder.finish()),
            Builder::Boolean(builder) => Arc::new(builder.finish()),
            Builder::Time(builder) => Arc::new(builder.finish()),
        }
    }
}

fn integer(value: &Scalar<'_>) -> Option<i64> {
    match value {
        Scalar::Int(number) => Some(*number),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Float(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Some(*number as i64),
        _ => None,
    }
}

fn type_of(value: &Scalar<'_>) -> Option<ColumnType> {
    Some(match value {
        Scalar::Null => return None,
        Scalar::Text(_) => ColumnType::Text,
        Scalar::Int(_) => ColumnType::Bigint,
        Scalar::Float(_) => ColumnType::Double,
        Scalar::Bool(_) => ColumnType::Boolean,
        Scalar::Time(_) => ColumnType::Timestamptz,
    })
}

struct Inferred {
    spec: ColumnSpec,
    builder: Builder,
    filled: usize,
}

impl Inferred {
    fn new(spec: ColumnSpec) -> Self {
        Self { builder: Builder::new(spec.ty), spec, filled: 0 }
    }

    fn pad_to(&mut self, rows: usize) {
        while self.filled < rows {
            self.builder.append(&Scalar::Null);
            self.filled += 1;
        }
    }

    /// Turns the column into one of a wider type, values and all.
    fn widen_to(&mut self, ty: ColumnType) -> Result<(), ArrowError> {
        let held = self.builder.finish();
        let mut builder = Builder::new(ty);
        match &mut builder {
            Builder::Text(texts) => {
                let cast_array = cast(&held, &DataType::Utf8)?;
                let strings = cast_array.as_any().downcast_ref::<StringArray>();
                strings.into_iter().flatten().for_each(|text| texts.append_option(text));
            }
            Builder::Double(numbers) => {
                let cast_array = cast(&held, &DataType::Float64)?;
                let floats = cast_array.as_any().downcast_ref::<arrow::array::Float64Array>();
                floats.into_iter().flatten().for_each(|number| numbers.append_option(number));
            }
            _ => {}
        }
        self.builder = builder;
        self.spec.ty = ty;
        Ok(())
    }
}

/// Collects rows of one table.
pub struct TableBuilder {
    fixed: Vec<ColumnSpec>,
    /// Common columns, then the source's own.
    builders: Vec<Builder>,
    inferred: Vec<Inferred>,
    by_name: HashMap<String, usize>,
    raw: StringBuilder,
    rows: usize,
    bytes: usize,
}

impl TableBuilder {
    /// Starts with the columns that the table has by now.
    pub fn new(own: &[ColumnSpec], inferred: &[ColumnSpec]) -> Self {
        let fixed: Vec<ColumnSpec> = common_columns().chain(own.iter().cloned()).collect();
        Self {
            builders: fixed.iter().map(|column| Builder::new(column.ty)).collect(),
            fixed,
            inferred: inferred.iter().cloned().map(Inferred::new).collect(),
            by_name: inferred.iter().enumerate().map(|(index, column)| (column.name.clone(), index)).collect(),
            raw: StringBuilder::new(),
            rows: 0,
            bytes: 0,
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of text held, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The inferred columns with the types they have now.
    pub fn inferred(&self) -> impl Iterator<Item = &ColumnSpec> {
        self.inferred.iter().map(|column| &column.spec)
    }

    pub fn append(&mut self, row: &Row<'_>) -> Result<(), ArrowError> {
        for (builder, value) in self.builders.iter_mut().zip(row.common.iter().chain(&row.own)) {
            builder.append(value);
        }
        for (name, value) in &row.inferred {
            self.append_inferred(name, value)?;
        }
        self.raw.append_value(&row.raw);
        self.rows += 1;
        self.bytes += row.raw.len() + 256;
        Ok(())
    }

    fn append_inferred(&mut self, name: &str, value: &Scalar<'_>) -> Result<(), ArrowError> {
        let Some(ty) = type_of(value) else { return Ok(()) };
        let index = match self.by_name.get(name) {
            Some(index) => *index,
            None if self.inferred.len() >= MAX_INFERRED => return Ok(()),
            None => {
                self.inferred.push(Inferred::new(ColumnSpec::new(name, ty)));
                self.by_name.insert(name.to_string(), self.inferred.len() - 1);
                self.inferred.len() - 1
            }
        };
        let column = &mut self.inferred[index];
        if column.filled > self.rows {
            return Ok(());
        }
        column.pad_to(self.rows);
        let wider = column.spec.ty.widen(ty);
        if wider != column.spec.ty {
            column.widen_to(wider)?;
        }
        column.builder.append(value);
        column.filled += 1;
        Ok(())
    }

    /// Hands out the rows collected, in the order of the table's columns, and starts afresh.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<ColumnSpec> = self.fixed.clone();
        let mut arrays: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        for column in &mut self.inferred {
            column.pad_to(self.rows);
            column.filled = 0;
            columns.push(column.spec.clone());
            arrays.push(column.builder.finish());
        }
        columns.push(raw_column());
        arrays.push(Arc::new(self.raw.finish()));
        self.rows = 0;
        self.bytes = 0;
        RecordBatch::try_new(arrow_schema(&columns), arrays)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::schema::common;

    fn row(time: i64, fields: &[(&'static str, Scalar<'static>)]) -> Row<'static> {
        let mut row = Row::new(0);
        row.common[common::TIME] = Scalar::Time(time);
        row.inferred = fields.iter().map(|(name, value)| (std::borrow::Cow::Borrowed(*name), value.clone())).collect();
        row
    }

    #[test]
    fn columns_appear_widen_and_are_padded() {
        let mut builder = TableBuilder::new(&[], &[]);
        builder.append(&row(1, &[("a", Scalar::Int(7))])).unwrap();
        builder.append(&row(2, &[("b", Scalar::Bool(true)), ("b", Scalar::Bool(false))])).unwrap();
        builder.append(&row(3, &[("a", Scalar::Text("x".into())), ("b", Scalar::Null)])).unwrap();
        let batch = builder.finish().unwrap();
        let a = batch.column_by_name("a").unwrap().as_string::<i32>();
        assert_eq!(a.iter().collect::<Vec<_>>(), [Some("7"), None, Some("x")]);
        let b = batch.column_by_name("b").unwrap().as_boolean();
        assert_eq!(b.iter().collect::<Vec<_>>(), [None, Some(true), None]);
        assert_eq!(batch.schema().fields().last().unwrap().name(), "raw");
    }

    #[test]
    fn a_value_that_does_not_fit_is_null() {
        let mut builder = TableBuilder::new(&[], &[]);
        let mut large = row(1, &[]);
        large.set(common::SRC_PORT, i64::MAX);
        builder.append(&large).unwrap();
        assert_eq!(builder.finish().unwrap().column_by_name("src_port").unwrap().null_count(), 1);
    }
}
