//! Rows for tables and views: `pg_class`, `pg_attribute`, `pg_type`, `pg_attrdef`, `pg_rewrite`.

use mantissa_core::PgType;

use super::build::{
    Builder, OWNER, OWNER_NAME, PG_ATTRDEF, PG_CLASS, PG_NAMESPACE, PG_REWRITE, PG_TYPE, Storage, qualified,
};
use super::objects::{ColumnObject, RelationKind, RelationObject};
use crate::data::DataError;
use crate::datum::Datum;

/// Access methods.
const HEAP: u32 = 2;
const BTREE: u32 = 403;

/// Rows larger than this are moved out of the heap's page, in bytes.
const TOAST_THRESHOLD: usize = 2032;

/// name, type, length, by value, alignment, number.
const SYSTEM_COLUMNS: &[(&str, PgType, i16, bool, u8, i16)] = &[
    ("tableoid", PgType::OID, 4, true, b'i', -6),
    ("cmax", PgType::CID, 4, true, b'i', -5),
    ("xmax", PgType::XID, 4, true, b'i', -4),
    ("cmin", PgType::CID, 4, true, b'i', -3),
    ("xmin", PgType::XID, 4, true, b'i', -2),
    ("ctid", PgType::TID, 6, false, b's', -1),
];

/// Where functions that types refer to stand in `pg_proc`.
mod function {
    pub const ARRAY_IN: u32 = 750;
    pub const ARRAY_OUT: u32 = 751;
    pub const RECORD_IN: u32 = 2290;
    pub const RECORD_OUT: u32 = 2291;
    pub const ARRAY_RECV: u32 = 2400;
    pub const ARRAY_SEND: u32 = 2401;
    pub const RECORD_RECV: u32 = 2402;
    pub const RECORD_SEND: u32 = 2403;
    pub const ARRAY_ANALYZE: u32 = 3816;
    pub const ARRAY_SUBSCRIPT: u32 = 6179;
}

pub(super) fn push_relation(builder: &mut Builder<'_>, relation: &RelationObject) -> Result<(), DataError> {
    let oid = builder.relation_oid(relation);
    let namespace = builder.namespace(&relation.schema);
    push_class(builder, relation, oid, namespace)?;
    push_types(builder, relation, oid, namespace)?;
    builder.depend((PG_CLASS, oid, 0), (PG_NAMESPACE, namespace, 0), b'n')?;
    builder.comment((PG_CLASS, oid, 0), relation.comment.as_ref())?;
    for (index, column) in relation.columns.iter().enumerate() {
        let number = index as i16 + 1;
        push_attribute(builder, oid, column, number)?;
        builder.comment((PG_CLASS, oid, number.into()), column.comment.as_ref())?;
        push_default(builder, relation, oid, column, number)?;
    }
    match &relation.kind {
        RelationKind::View { definition } => push_rule(builder, relation, oid, definition)?,
        RelationKind::Table => {
            push_system_attributes(builder, oid)?;
            if needs_toast(builder, relation) {
                push_toast(builder, relation, oid)?;
            }
        }
    }
    Ok(())
}

fn push_class(builder: &mut Builder<'_>, relation: &RelationObject, oid: u32, namespace: u32) -> Result<(), DataError> {
    let view = relation.is_view();
    let referenced =
        builder.objects.relations.iter().any(|other| {
            other.foreign_keys.iter().any(|key| key.schema == relation.schema && key.table == relation.name)
        });
    let statistics = relation.statistics;
    let toast = if needs_toast(builder, relation) { builder.oids.get("pg_class", &toast_key(relation)) } else { 0 };
    let row_type = builder.oids.get("pg_type", &qualified(&relation.schema, &relation.name));
    builder.push(
        "pg_class",
        &[
            ("oid", Datum::Oid(oid)),
            ("relname", Datum::text(&relation.name)),
            ("relnamespace", Datum::Oid(namespace)),
            ("reltype", Datum::Oid(row_type)),
            ("relowner", Datum::Oid(OWNER)),
            ("relam", Datum::Oid(if view { 0 } else { HEAP })),
            ("relfilenode", Datum::Oid(if view { 0 } else { oid })),
            ("relpages", Datum::Int4(statistics.map_or(0, |found| found.pages))),
            ("reltuples", Datum::Float4(statistics.map_or(-1.0, |found| found.rows))),
            ("reltoastrelid", Datum::Oid(toast)),
            ("relhasindex", Datum::Bool(!relation.keys.is_empty() || !relation.indexes.is_empty())),
            ("relpersistence", Datum::Char(b'p')),
            ("relkind", Datum::Char(if view { b'v' } else { b'r' })),
            ("relnatts", Datum::Int2(relation.columns.len() as i16)),
            ("relchecks", Datum::Int2(relation.checks.len() as i16)),
            ("relhasrules", Datum::Bool(view)),
            ("relhastriggers", Datum::Bool(referenced || !relation.foreign_keys.is_empty())),
            ("relispopulated", Datum::Bool(true)),
            ("relreplident", Datum::Char(if view { b'n' } else { b'd' })),
            ("relminmxid", Datum::text(if view { "0" } else { "1" })),
            ("relfrozenxid", Datum::text(if view { "0" } else { "3" })),
            ("relacl", privileges(builder.objects.public, "arwdDxt", "r")),
        ],
    )
}

/// An access control list: everything to the owner, and `others` to everybody where objects are public.
pub(super) fn privileges(public: bool, owner: &str, others: &str) -> Datum {
    if !public {
        return Datum::Null;
    }
    let items = [format!("{OWNER_NAME}={owner}/{OWNER_NAME}"), format!("={others}/{OWNER_NAME}")];
    Datum::array(PgType::ACLITEM, items.into_iter().map(Datum::from).collect())
}

/// The row type and the array over it.
fn push_types(builder: &mut Builder<'_>, relation: &RelationObject, oid: u32, namespace: u32) -> Result<(), DataError> {
    let row_type = builder.oids.get("pg_type", &qualified(&relation.schema, &relation.name));
    let array_type = builder.oids.get("pg_type", &array_key(relation));
    let common = |oid: u32, name: &str| {
        vec![
            ("oid", Datum::Oid(oid)),
            ("typname", Datum::text(name)),
            ("typnamespace", Datum::Oid(namespace)),
            ("typowner", Datum::Oid(OWNER)),
            ("typlen", Datum::Int2(-1)),
            ("typisdefined", Datum::Bool(true)),
            ("typdelim", Datum::Char(b',')),
            ("typalign", Datum::Char(b'd')),
            ("typstorage", Datum::Char(b'x')),
            ("typtypmod", Datum::Int4(-1)),
        ]
    };
    let mut row = common(row_type, &relation.name);
    row.extend([
        ("typtype", Datum::Char(b'c')),
        ("typcategory", Datum::Char(b'C')),
        ("typrelid", Datum::Oid(oid)),
        ("typarray", Datum::Oid(array_type)),
        ("typinput", Datum::Oid(function::RECORD_IN)),
        ("typoutput", Datum::Oid(function::RECORD_OUT)),
        ("typreceive", Datum::Oid(function::RECORD_RECV)),
        ("typsend", Datum::Oid(function::RECORD_SEND)),
    ]);
    builder.push("pg_type", &row)?;
    let mut array = common(array_type, &array_name(&relation.name));
    array.extend([
        ("typtype", Datum::Char(b'b')),
        ("typcategory", Datum::Char(b'A')),
        ("typelem", Datum::Oid(row_type)),
        ("typsubscript", Datum::Oid(function::ARRAY_SUBSCRIPT)),
        ("typinput", Datum::Oid(function::ARRAY_IN)),
        ("typoutput", Datum::Oid(function::ARRAY_OUT)),
        ("typreceive", Datum::Oid(function::ARRAY_RECV)),
        ("typsend", Datum::Oid(function::ARRAY_SEND)),
        ("typanalyze", Datum::Oid(function::ARRAY_ANALYZE)),
    ]);
    builder.push("pg_type", &array)?;
    builder.depend((PG_TYPE, row_type, 0), (PG_CLASS, oid, 0), b'i')?;
    builder.depend((PG_TYPE, array_type, 0), (PG_TYPE, row_type, 0), b'i')
}

/// Names are at most 63 bytes.
fn array_name(name: &str) -> String {
    let mut end = name.len().min(62);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("_{}", &name[..end])
}

pub(super) fn array_key(relation: &RelationObject) -> String {
    format!("{}[]", qualified(&relation.schema, &relation.name))
}

pub(super) fn toast_key(relation: &RelationObject) -> String {
    format!("toast of {}", qualified(&relation.schema, &relation.name))
}

pub(super) fn toast_index_key(relation: &RelationObject) -> String {
    format!("toast index of {}", qualified(&relation.schema, &relation.name))
}

pub(super) fn default_key(relation: &RelationObject, column: &ColumnObject) -> String {
    format!("{}.{}", qualified(&relation.schema, &relation.name), column.name)
}

/// A user column, or a column of an index with the type of the column it indexes.
pub(super) fn push_attribute(
    builder: &mut Builder<'_>,
    relation: u32,
    column: &ColumnObject,
    number: i16,
) -> Result<(), DataError> {
    let Some(storage) = builder.types.storage(column.ty) else {
        return Err(DataError::Missing(format!("type {}", column.ty.0)));
    };
    let dimensions = i32::from(builder.types.is_array(column.ty));
    push_stored_attribute(builder, relation, column, number, (storage, dimensions))
}

fn push_stored_attribute(
    builder: &mut Builder<'_>,
    relation: u32,
    column: &ColumnObject,
    number: i16,
    (storage, dimensions): (Storage, i32),
) -> Result<(), DataError> {
    builder.push(
        "pg_attribute",
        &[
            ("attrelid", Datum::Oid(relation)),
            ("attname", Datum::text(&column.name)),
            ("atttypid", Datum::Oid(column.ty.0)),
            ("attstattarget", Datum::Int4(-1)),
            ("attlen", Datum::Int2(storage.len)),
            ("attnum", Datum::Int2(number)),
            ("attndims", Datum::Int4(dimensions)),
            ("attcacheoff", Datum::Int4(-1)),
            ("atttypmod", Datum::Int4(column.typmod)),
            ("attbyval", Datum::Bool(storage.by_value)),
            ("attalign", Datum::Char(storage.align)),
            ("attstorage", Datum::Char(storage.storage)),
            ("attnotnull", Datum::Bool(column.not_null)),
            ("atthasdef", Datum::Bool(column.default.is_some())),
            ("attislocal", Datum::Bool(true)),
            ("attcollation", Datum::Oid(storage.collation)),
        ],
    )
}

fn push_system_attributes(builder: &mut Builder<'_>, relation: u32) -> Result<(), DataError> {
    for (name, ty, len, by_value, align, number) in SYSTEM_COLUMNS {
        builder.push(
            "pg_attribute",
            &[
                ("attrelid", Datum::Oid(relation)),
                ("attname", Datum::text(name)),
                ("atttypid", Datum::Oid(ty.0)),
                ("attlen", Datum::Int2(*len)),
                ("attnum", Datum::Int2(*number)),
                ("attcacheoff", Datum::Int4(-1)),
                ("atttypmod", Datum::Int4(-1)),
                ("attbyval", Datum::Bool(*by_value)),
                ("attalign", Datum::Char(*align)),
                ("attstorage", Datum::Char(b'p')),
                ("attnotnull", Datum::Bool(true)),
                ("attislocal", Datum::Bool(true)),
            ],
        )?;
    }
    Ok(())
}

fn push_default(
    builder: &mut Builder<'_>,
    relation: &RelationObject,
    relation_oid: u32,
    column: &ColumnObject,
    number: i16,
) -> Result<(), DataError> {
    let Some(default) = &column.default else { return Ok(()) };
    let oid = builder.oids.get("pg_attrdef", &default_key(relation, column));
    builder.push(
        "pg_attrdef",
        &[
            ("oid", Datum::Oid(oid)),
            ("adrelid", Datum::Oid(relation_oid)),
            ("adnum", Datum::Int2(number)),
            ("adbin", Datum::text(default)),
        ],
    )?;
    builder.depend((PG_ATTRDEF, oid, 0), (PG_CLASS, relation_oid, number.into()), b'a')
}

fn push_rule(
    builder: &mut Builder<'_>,
    relation: &RelationObject,
    relation_oid: u32,
    definition: &str,
) -> Result<(), DataError> {
    let oid = builder.oids.get("pg_rewrite", &qualified(&relation.schema, &relation.name));
    builder.push(
        "pg_rewrite",
        &[
            ("oid", Datum::Oid(oid)),
            ("rulename", Datum::text("_RETURN")),
            ("ev_class", Datum::Oid(relation_oid)),
            ("ev_type", Datum::Char(b'1')),
            ("ev_enabled", Datum::Char(b'O')),
            ("is_instead", Datum::Bool(true)),
            ("ev_qual", Datum::text("<>")),
            ("ev_action", Datum::text(definition)),
        ],
    )?;
    builder.depend((PG_REWRITE, oid, 0), (PG_CLASS, relation_oid, 0), b'i')?;
    builder.depend((PG_REWRITE, oid, 0), (PG_CLASS, relation_oid, 0), b'n')
}

/// Whether Postgres gives the table a TOAST table: a row may be larger than fits, and has something to move out.
pub(super) fn needs_toast(builder: &Builder<'_>, relation: &RelationObject) -> bool {
    if relation.is_view() {
        return false;
    }
    let mut size = 0;
    let mut movable = false;
    for column in &relation.columns {
        let Some(storage) = builder.types.storage(column.ty) else { continue };
        movable |= storage.storage != b'p';
        match (usize::try_from(storage.len), largest(column)) {
            (Ok(len), _) => size += len,
            (Err(_), Some(bytes)) => size += bytes,
            (Err(_), None) => return true,
        }
    }
    movable && size > TOAST_THRESHOLD
}

/// Bytes that the largest value of a type with a modifier takes.
fn largest(column: &ColumnObject) -> Option<usize> {
    const BYTES_PER_CHARACTER: usize = 4;
    let modifier = usize::try_from(column.typmod).ok()?;
    match column.ty {
        PgType::VARCHAR | PgType::BPCHAR => Some(modifier.checked_sub(4)? * BYTES_PER_CHARACTER + 4),
        PgType::NUMERIC => Some((modifier.checked_sub(4)? >> 16) / 2 + 8),
        PgType::BIT | PgType::VARBIT => Some(modifier / 8 + 8),
        _ => None,
    }
}

fn push_toast(builder: &mut Builder<'_>, relation: &RelationObject, main: u32) -> Result<(), DataError> {
    let table = builder.oids.get("pg_class", &toast_key(relation));
    let index = builder.oids.get("pg_class", &toast_index_key(relation));
    let namespace = builder.namespace("pg_toast");
    let name = format!("pg_toast_{main}");
    let columns = [
        ColumnObject::new("chunk_id", PgType::OID),
        ColumnObject::new("chunk_seq", PgType::INT4),
        ColumnObject::new("chunk_data", PgType::BYTEA),
    ];
    push_plain_class(builder, table, &name, namespace, b't', columns.len(), None)?;
    push_plain_class(builder, index, &format!("{name}_index"), namespace, b'i', 2, None)?;
    for (number, column) in (1..).zip(&columns) {
        let Some(mut storage) = builder.types.storage(column.ty) else { continue };
        storage.storage = b'p';
        push_stored_attribute(builder, table, column, number, (storage, 0))?;
        if number < 3 {
            push_attribute(builder, index, column, number)?;
            builder.depend((PG_CLASS, index, 0), (PG_CLASS, table, number.into()), b'a')?;
        }
    }
    push_system_attributes(builder, table)?;
    super::keys::push_index_row(builder, index, table, &[(1, PgType::OID), (2, PgType::INT4)], true, true)?;
    builder.depend((PG_CLASS, table, 0), (PG_CLASS, main, 0), b'i')
}

/// `pg_class` row of an index or a TOAST table. `statistics`: pages and rows of the index.
pub(super) fn push_plain_class(
    builder: &mut Builder<'_>,
    oid: u32,
    name: &str,
    namespace: u32,
    kind: u8,
    columns: usize,
    statistics: Option<(i32, f32)>,
) -> Result<(), DataError> {
    let index = kind == b'i';
    let (pages, rows) = statistics.unwrap_or(if index { (1, 0.0) } else { (0, -1.0) });
    builder.push(
        "pg_class",
        &[
            ("oid", Datum::Oid(oid)),
            ("relname", Datum::text(name)),
            ("relnamespace", Datum::Oid(namespace)),
            ("relowner", Datum::Oid(OWNER)),
            ("relam", Datum::Oid(if index { BTREE } else { HEAP })),
            ("relfilenode", Datum::Oid(oid)),
            ("relpages", Datum::Int4(pages)),
            ("reltuples", Datum::Float4(rows)),
            ("relhasindex", Datum::Bool(!index)),
            ("relpersistence", Datum::Char(b'p')),
            ("relkind", Datum::Char(kind)),
            ("relnatts", Datum::Int2(columns as i16)),
            ("relispopulated", Datum::Bool(true)),
            ("relreplident", Datum::Char(b'n')),
            ("relfrozenxid", Datum::text(if index { "0" } else { "3" })),
            ("relminmxid", Datum::text(if index { "0" } else { "1" })),
        ],
    )
}
