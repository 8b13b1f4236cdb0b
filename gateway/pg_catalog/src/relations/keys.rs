//! Rows for keys and indexes: `pg_constraint`, `pg_index`, `pg_trigger` and the indexes' `pg_class` and `pg_attribute`.

use mantissa_core::PgType;

use super::build::{Builder, PG_CLASS, PG_CONSTRAINT, PG_TRIGGER, qualified};
use super::objects::{CheckObject, ForeignKeyObject, IndexObject, KeyObject, RelationObject};
use super::tables::{push_attribute, push_plain_class};
use crate::data::DataError;
use crate::datum::Datum;

/// The functions behind a foreign key's triggers, by action of the constraint (`a`, `r`, `c`, `n`, `d`): OID in `pg_proc`
/// for a deleted and for an updated row of the table referred to.
const REFERENCED_ACTIONS: &[(u8, u32, u32)] =
    &[(b'c', 1646, 1647), (b'r', 1648, 1649), (b'n', 1650, 1651), (b'd', 1652, 1653), (b'a', 1654, 1655)];
const CHECK_INSERT: u32 = 1644;
const CHECK_UPDATE: u32 = 1645;

/// `tgtype`: for each row, with insert, delete or update, after.
const AFTER_INSERT: i16 = 5;
const AFTER_DELETE: i16 = 9;
const AFTER_UPDATE: i16 = 17;

/// A btree index takes a page for itself and, once it has rows, one for them.
const PAGES_OF_SMALL_INDEX: i32 = 2;

pub(super) fn push_keys(builder: &mut Builder<'_>, relation: &RelationObject) -> Result<(), DataError> {
    for key in &relation.keys {
        push_key(builder, relation, key)?;
    }
    for index in &relation.indexes {
        push_plain_index(builder, relation, index)?;
    }
    for key in &relation.foreign_keys {
        push_foreign_key(builder, relation, key)?;
    }
    for check in &relation.checks {
        push_check(builder, relation, check)?;
    }
    Ok(())
}

pub(super) fn constraint_key(relation: &RelationObject, constraint: &str) -> String {
    format!("{}.{constraint}", qualified(&relation.schema, &relation.name))
}

pub(super) fn trigger_key(relation: &RelationObject, constraint: &str, number: usize) -> String {
    format!("{} {number}", constraint_key(relation, constraint))
}

fn push_key(builder: &mut Builder<'_>, relation: &RelationObject, key: &KeyObject) -> Result<(), DataError> {
    let table = builder.relation_oid(relation);
    let index = push_index(builder, relation, &key.name, &key.columns, true, key.primary)?;
    let oid = builder.oids.get("pg_constraint", &constraint_key(relation, &key.name));
    let mut row = constraint(builder, relation, &key.name, if key.primary { b'p' } else { b'u' });
    row.extend([("conindid", Datum::Oid(index)), ("conkey", numbers(relation, &key.columns))]);
    builder.push("pg_constraint", &row)?;
    for column in &key.columns {
        let number = relation.attnum(column).into();
        builder.depend((PG_CONSTRAINT, oid, 0), (PG_CLASS, table, number), b'a')?;
    }
    builder.depend((PG_CLASS, index, 0), (PG_CONSTRAINT, oid, 0), b'i')
}

fn push_plain_index(
    builder: &mut Builder<'_>,
    relation: &RelationObject,
    index: &IndexObject,
) -> Result<(), DataError> {
    let table = builder.relation_oid(relation);
    let oid = push_index(builder, relation, &index.name, &index.columns, index.unique, false)?;
    for column in &index.columns {
        let number = relation.attnum(column).into();
        builder.depend((PG_CLASS, oid, 0), (PG_CLASS, table, number), b'a')?;
    }
    Ok(())
}

/// `pg_class`, `pg_attribute` and `pg_index` rows; gives the index's OID.
fn push_index(
    builder: &mut Builder<'_>,
    relation: &RelationObject,
    name: &str,
    columns: &[String],
    unique: bool,
    primary: bool,
) -> Result<u32, DataError> {
    let oid = builder.oids.get("pg_class", &qualified(&relation.schema, name));
    let table = builder.relation_oid(relation);
    let namespace = builder.namespace(&relation.schema);
    let statistics = match relation.statistics {
        Some(found) => (PAGES_OF_SMALL_INDEX, found.rows),
        None => (1, 0.0),
    };
    push_plain_class(builder, oid, name, namespace, b'i', columns.len(), Some(statistics))?;
    let mut keys = Vec::new();
    for (number, column) in (1..).zip(columns) {
        let Some(column) = relation.columns.iter().find(|other| other.name == *column) else {
            return Err(DataError::Missing(format!("column {column} of {}", relation.name)));
        };
        let mut indexed = column.clone();
        indexed.not_null = false;
        indexed.default = None;
        push_attribute(builder, oid, &indexed, number)?;
        keys.push((relation.attnum(&column.name), column.ty));
    }
    push_index_row(builder, oid, table, &keys, unique, primary)?;
    Ok(oid)
}

pub(super) fn push_index_row(
    builder: &mut Builder<'_>,
    index: u32,
    table: u32,
    keys: &[(i16, PgType)],
    unique: bool,
    primary: bool,
) -> Result<(), DataError> {
    let classes = keys.iter().map(|(_, ty)| builder.types.btree_class(*ty).unwrap_or_default().oid);
    let collations = keys.iter().map(|(_, ty)| builder.types.storage(*ty).map_or(0, |storage| storage.collation));
    let (classes, collations) = (Datum::oidvector(classes), Datum::oidvector(collations));
    builder.push(
        "pg_index",
        &[
            ("indexrelid", Datum::Oid(index)),
            ("indrelid", Datum::Oid(table)),
            ("indnatts", Datum::Int2(keys.len() as i16)),
            ("indnkeyatts", Datum::Int2(keys.len() as i16)),
            ("indisunique", Datum::Bool(unique)),
            ("indisprimary", Datum::Bool(primary)),
            ("indimmediate", Datum::Bool(true)),
            ("indisvalid", Datum::Bool(true)),
            ("indisready", Datum::Bool(true)),
            ("indislive", Datum::Bool(true)),
            ("indkey", Datum::int2vector(keys.iter().map(|(number, _)| *number))),
            ("indcollation", collations),
            ("indclass", classes),
            ("indoption", Datum::int2vector(keys.iter().map(|_| 0))),
        ],
    )
}

/// Columns that every kind of constraint fills in.
fn constraint(builder: &Builder<'_>, relation: &RelationObject, name: &str, kind: u8) -> Vec<(&'static str, Datum)> {
    let action = |kind_of_action: u8| Datum::Char(if kind == b'f' { kind_of_action } else { b' ' });
    vec![
        ("oid", Datum::Oid(builder.oids.get("pg_constraint", &constraint_key(relation, name)))),
        ("conname", Datum::text(name)),
        ("connamespace", Datum::Oid(builder.namespace(&relation.schema))),
        ("contype", Datum::Char(kind)),
        ("convalidated", Datum::Bool(true)),
        ("conrelid", Datum::Oid(builder.relation_oid(relation))),
        ("confupdtype", action(b'a')),
        ("confdeltype", action(b'a')),
        ("confmatchtype", action(b's')),
        ("conislocal", Datum::Bool(true)),
        ("connoinherit", Datum::Bool(kind != b'c')),
    ]
}

fn numbers(relation: &RelationObject, columns: &[String]) -> Datum {
    Datum::array(PgType::INT2, columns.iter().map(|column| Datum::Int2(relation.attnum(column))).collect())
}

fn push_foreign_key(
    builder: &mut Builder<'_>,
    relation: &RelationObject,
    key: &ForeignKeyObject,
) -> Result<(), DataError> {
    let mut relations = builder.objects.relations.iter();
    let Some(target) = relations.find(|other| other.schema == key.schema && other.name == key.table) else {
        return Err(DataError::Missing(format!("table {}.{}", key.schema, key.table)));
    };
    let same = |columns: &[String]| columns == key.references.as_slice();
    let Some(unique) = target.keys.iter().find(|other| same(&other.columns)) else {
        return Err(DataError::Missing(format!("key of {} over {:?}", key.table, key.references)));
    };
    let index = builder.oids.get("pg_class", &qualified(&target.schema, &unique.name));
    let oid = builder.oids.get("pg_constraint", &constraint_key(relation, &key.name));
    let types = |relation: &RelationObject, columns: &[String]| -> Vec<PgType> {
        let find = |name: &String| relation.columns.iter().find(|column| column.name == *name);
        columns.iter().filter_map(find).map(|column| column.ty).collect()
    };
    let referenced = types(target, &key.references);
    let referring = types(relation, &key.columns);
    let operators = |left: &[PgType], right: &[PgType]| {
        let pairs = left.iter().zip(right);
        let operators = pairs.map(|(left, right)| Datum::Oid(builder.types.equality(*left, *right)));
        Datum::array(PgType::OID, operators.collect())
    };
    let mut row = constraint(builder, relation, &key.name, b'f');
    row.extend([
        ("conindid", Datum::Oid(index)),
        ("confrelid", Datum::Oid(builder.relation_oid(target))),
        ("confupdtype", Datum::Char(key.on_update)),
        ("confdeltype", Datum::Char(key.on_delete)),
        ("conkey", numbers(relation, &key.columns)),
        ("confkey", numbers(target, &key.references)),
        ("conpfeqop", operators(&referenced, &referring)),
        ("conppeqop", operators(&referenced, &referenced)),
        ("conffeqop", operators(&referring, &referring)),
    ]);
    builder.push("pg_constraint", &row)?;
    let (table, other) = (builder.relation_oid(relation), builder.relation_oid(target));
    for column in &key.columns {
        builder.depend((PG_CONSTRAINT, oid, 0), (PG_CLASS, table, relation.attnum(column).into()), b'a')?;
    }
    builder.depend((PG_CONSTRAINT, oid, 0), (PG_CLASS, index, 0), b'n')?;
    for column in &key.references {
        builder.depend((PG_CONSTRAINT, oid, 0), (PG_CLASS, other, target.attnum(column).into()), b'n')?;
    }
    push_triggers(builder, relation, key, (table, other, index))
}

/// The four triggers that keep a foreign key: on the table referred to, then on the referring one.
fn push_triggers(
    builder: &mut Builder<'_>,
    relation: &RelationObject,
    key: &ForeignKeyObject,
    (table, other, index): (u32, u32, u32),
) -> Result<(), DataError> {
    let constraint = builder.oids.get("pg_constraint", &constraint_key(relation, &key.name));
    let action = |kind: u8| REFERENCED_ACTIONS.iter().find(|(action, ..)| *action == kind);
    let on_delete = action(key.on_delete).map_or(0, |(_, delete, _)| *delete);
    let on_update = action(key.on_update).map_or(0, |(.., update)| *update);
    let triggers = [
        (other, table, 'a', on_delete, AFTER_DELETE),
        (other, table, 'a', on_update, AFTER_UPDATE),
        (table, other, 'c', CHECK_INSERT, AFTER_INSERT),
        (table, other, 'c', CHECK_UPDATE, AFTER_UPDATE),
    ];
    for (number, (on, opposite, side, function, kind)) in triggers.into_iter().enumerate() {
        let oid = builder.oids.get("pg_trigger", &trigger_key(relation, &key.name, number));
        builder.push(
            "pg_trigger",
            &[
                ("oid", Datum::Oid(oid)),
                ("tgrelid", Datum::Oid(on)),
                ("tgname", Datum::from(format!("RI_ConstraintTrigger_{side}_{oid}"))),
                ("tgfoid", Datum::Oid(function)),
                ("tgtype", Datum::Int2(kind)),
                ("tgenabled", Datum::Char(b'O')),
                ("tgisinternal", Datum::Bool(true)),
                ("tgconstrrelid", Datum::Oid(opposite)),
                ("tgconstrindid", Datum::Oid(index)),
                ("tgconstraint", Datum::Oid(constraint)),
                ("tgargs", Datum::Bytea([].into())),
            ],
        )?;
        builder.depend((PG_TRIGGER, oid, 0), (PG_CONSTRAINT, constraint, 0), b'i')?;
    }
    Ok(())
}

fn push_check(builder: &mut Builder<'_>, relation: &RelationObject, check: &CheckObject) -> Result<(), DataError> {
    let table = builder.relation_oid(relation);
    let oid = builder.oids.get("pg_constraint", &constraint_key(relation, &check.name));
    let mut row = constraint(builder, relation, &check.name, b'c');
    row.extend([("conkey", numbers(relation, &check.columns)), ("conbin", Datum::text(&check.expression))]);
    builder.push("pg_constraint", &row)?;
    for column in &check.columns {
        builder.depend((PG_CONSTRAINT, oid, 0), (PG_CLASS, table, relation.attnum(column).into()), b'a')?;
    }
    Ok(())
}
