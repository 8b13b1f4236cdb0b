//! Rows on standard output: an aligned table for people, JSON lines for scripts.

use std::fmt;
use std::io::{ErrorKind, Write};

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use mantissa_core::{Field, PgType};
use serde_json::{Map, Value};

use super::Failure;

/// Prints one line. Where the reader has gone (`| head`), the program ends quietly.
pub fn line(text: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}") {
        std::process::exit(if error.kind() == ErrorKind::BrokenPipe { 0 } else { 1 });
    }
}

/// Prints text cells under their headings.
pub fn table(headings: &[&str], rows: &[Vec<String>], json: bool) -> Result<(), Failure> {
    if json {
        for row in rows {
            let object: Map<String, Value> =
                headings.iter().zip(row).map(|(heading, cell)| ((*heading).to_owned(), number_or_text(cell))).collect();
            line(format_args!("{}", Value::Object(object)));
        }
        return Ok(());
    }
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let padded_line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} ")).collect();
        padded.join("|").trim_end().to_owned()
    };
    line(format_args!("{}", padded_line(headings.to_vec())));
    line(format_args!("{}", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+")));
    for row in rows {
        line(format_args!("{}", padded_line(row.iter().map(String::as_str).collect())));
    }
    line(format_args!("({} row{})", rows.len(), if rows.len() == 1 { "" } else { "s" }));
    Ok(())
}

fn number_or_text(cell: &str) -> Value {
    cell.parse::<u64>().map_or_else(|_| Value::from(cell), Value::from)
}

/// Cells of a batch as text; null is empty.
pub fn cells(batch: &RecordBatch) -> Result<Vec<Vec<String>>, Failure> {
    let options = FormatOptions::default().with_null("").with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f+00"));
    let formatters = formatters(batch, &options)?;
    Ok((0..batch.num_rows())
        .map(|row| formatters.iter().map(|formatter| formatter.value(row).to_string()).collect())
        .collect())
}

/// Prints a batch as JSON lines: numbers and booleans bare, everything else as text, null as null.
pub fn json_lines(fields: &[Field], batch: &RecordBatch) -> Result<(), Failure> {
    let options = FormatOptions::default().with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"));
    let formatters = formatters(batch, &options)?;
    for row in 0..batch.num_rows() {
        let mut object = Map::new();
        for (column, field) in fields.iter().enumerate() {
            let value = if batch.column(column).is_null(row) {
                Value::Null
            } else {
                typed(field.ty, formatters[column].value(row).to_string())
            };
            object.insert(field.name.clone(), value);
        }
        line(format_args!("{}", Value::Object(object)));
    }
    Ok(())
}

fn formatters<'a>(batch: &'a RecordBatch, options: &'a FormatOptions<'a>) -> Result<Vec<ArrayFormatter<'a>>, Failure> {
    batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, options))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::message(format!("these rows cannot be printed: {error}")))
}

fn typed(ty: PgType, text: String) -> Value {
    match ty {
        PgType::BOOL => Value::Bool(text == "true"),
        PgType::INT2 | PgType::INT4 | PgType::INT8 | PgType::OID | PgType::FLOAT4 | PgType::FLOAT8 => {
            text.parse::<serde_json::Number>().map_or(Value::String(text), Value::Number)
        }
        _ => Value::String(text),
    }
}
