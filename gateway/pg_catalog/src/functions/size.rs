//! Sizes of relations. They come from `relpages`, which the lake's own figures fill.

use crate::context::Context;
use crate::datum::Datum;
use crate::error::Result;
use crate::plan::ScalarFn;

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("pg_relation_size(regclass) int8", |c, a| main(c, &a[0]).map(Datum::from)),
    ("pg_relation_size(regclass, text) int8", |c, a| match a[1].as_str() {
        Some("main") => main(c, &a[0]).map(Datum::from),
        _ => Ok(main(c, &a[0])?.map(|_| 0).into()),
    }),
    ("pg_table_size(regclass) int8", |c, a| table(c, &a[0]).map(Datum::from)),
    ("pg_indexes_size(regclass) int8", |c, a| Ok(main(c, &a[0])?.map(|_| indexes(c, &a[0])).transpose()?.into())),
    ("pg_total_relation_size(regclass) int8", |c, a| {
        let Some(table) = table(c, &a[0])? else { return Ok(Datum::Null) };
        Ok(Datum::Int8(table + indexes(c, &a[0])?))
    }),
    ("pg_database_size(oid) int8", |_, _| Ok(Datum::Int8(0))),
    ("pg_database_size(name) int8", |_, _| Ok(Datum::Int8(0))),
    ("pg_tablespace_size(oid) int8", |_, _| Ok(Datum::Int8(0))),
    ("pg_size_pretty(int8) text", |_, a| Ok(Datum::from(pretty(a[0].as_int().unwrap_or(0))))),
    ("pg_size_pretty(numeric) text", |_, a| {
        let bytes = crate::types::compare::to_f64(&a[0]).unwrap_or(0.0);
        Ok(Datum::from(pretty(bytes as i64)))
    }),
];

/// Bytes in a page.
const PAGE: i64 = 8192;

/// The relation itself; `None` where there is none of this OID.
fn main(context: &Context<'_>, relation: &Datum) -> Result<Option<i64>> {
    let row = context.by_oid("pg_class", relation.as_oid().unwrap_or(0))?;
    Ok(row.map(|row| row.int("relpages").max(0) * PAGE))
}

/// The relation with what was moved out of it, and the index over that.
fn table(context: &Context<'_>, relation: &Datum) -> Result<Option<i64>> {
    let Some(row) = context.by_oid("pg_class", relation.as_oid().unwrap_or(0))? else { return Ok(None) };
    let toast = Datum::Oid(row.oid("reltoastrelid"));
    let moved = match main(context, &toast)? {
        Some(size) => size + indexes(context, &toast)?,
        None => 0,
    };
    Ok(Some(row.int("relpages").max(0) * PAGE + moved))
}

/// Every index over the relation.
fn indexes(context: &Context<'_>, relation: &Datum) -> Result<i64> {
    let mut size = 0;
    for index in context.find_all("pg_index", "indrelid", relation)? {
        size += main(context, index.get("indexrelid"))?.unwrap_or(0);
    }
    Ok(size)
}

/// `pg_size_pretty`: whole units, the next one from 10 of it.
pub fn pretty(bytes: i64) -> String {
    let limit = 10 * 1024;
    if bytes.unsigned_abs() < limit {
        return format!("{bytes} bytes");
    }
    // Half units are kept one step longer, so that rounding happens once.
    let mut size = i128::from(bytes) / 512;
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
        let is_last = unit == "PB";
        if size.unsigned_abs() < u128::from(limit) * 2 - 1 || is_last {
            let half = if size < 0 { size - 1 } else { size + 1 };
            return format!("{} {unit}", half / 2);
        }
        size /= 1024;
    }
    bytes.to_string()
}
