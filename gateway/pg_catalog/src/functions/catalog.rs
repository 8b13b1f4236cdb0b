//! Functions that look something up in the catalog: owners, comments, properties, defaults.

use mantissa_core::PgType;

use crate::context::Context;
use crate::datum::{Datum, Record};
use crate::error::Result;
use crate::plan::{Arguments, ScalarFn};
use crate::types::category;

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("pg_get_userbyid(oid) name", |c, a| {
        let oid = a[0].as_oid().unwrap_or(0);
        let name = super::names::role_name(c, oid)?;
        Ok(Datum::from(name.unwrap_or_else(|| format!("unknown (OID={oid})"))))
    }),
    ("obj_description(oid, name) text", |c, a| comment(c, "pg_description", &a[0], Some(&a[1]), 0)),
    ("obj_description(oid) text", |c, a| comment(c, "pg_description", &a[0], None, 0)),
    ("shobj_description(oid, name) text", |c, a| comment(c, "pg_shdescription", &a[0], Some(&a[1]), 0)),
    ("col_description(oid, int4) text", |c, a| {
        comment(c, "pg_description", &a[0], Some(&Datum::text("pg_class")), a[1].as_int().unwrap_or(0))
    }),
    ("!pg_typeof(any) regtype", |_, a| Ok(Datum::Oid(a.types[0].0))),
    ("!pg_column_size(any) int4", |_, a| match &a[0] {
        Datum::Null => Ok(Datum::Null),
        Datum::Text(text) => Ok(Datum::Int4(text.len() as i32 + if text.len() < 127 { 1 } else { 4 })),
        _ => Ok(Datum::Int4(i32::from(a.types[0].size().max(4)))),
    }),
    ("pg_tablespace_location(oid) text", |_, _| Ok(Datum::text(""))),
    ("pg_relation_filenode(regclass) oid", |c, a| {
        Ok(c.by_oid("pg_class", a[0].as_oid().unwrap_or(0))?.map_or(Datum::Null, |row| row.get("relfilenode").clone()))
    }),
    ("pg_relation_is_publishable(regclass) bool", |c, a| {
        let row = c.by_oid("pg_class", a[0].as_oid().unwrap_or(0))?;
        let oid = a[0].as_oid().unwrap_or(0);
        Ok(row
            .map(|row| oid >= 16_384 && matches!(row.char("relkind"), 'r' | 'p') && row.char("relpersistence") == 'p')
            .into())
    }),
    ("pg_get_serial_sequence(text, text) text", |_, _| Ok(Datum::Null)),
    ("pg_sequence_last_value(regclass) int8", |_, _| Ok(Datum::Null)),
    ("pg_stat_get_numscans(oid) int8", |_, _| Ok(Datum::Int8(0))),
    ("pg_stat_get_tuples_returned(oid) int8", |_, _| Ok(Datum::Int8(0))),
    ("pg_stat_get_live_tuples(oid) int8", |_, _| Ok(Datum::Int8(0))),
    ("pg_stat_get_dead_tuples(oid) int8", |_, _| Ok(Datum::Int8(0))),
    ("pg_stat_get_last_analyze_time(oid) timestamptz", |_, _| Ok(Datum::Null)),
    ("pg_index_column_has_property(regclass, int4, text) bool", |c, a| index_property(c, a)),
    ("pg_index_has_property(regclass, text) bool", |_, a| {
        Ok(Datum::Bool(matches!(a[1].as_str(), Some("clusterable" | "index_scan" | "bitmap_scan" | "backward_scan"))))
    }),
    ("pg_indexam_has_property(oid, text) bool", |_, a| {
        let known = ["can_order", "can_unique", "can_multi_col", "can_exclude", "can_include"];
        Ok(Datum::Bool(known.contains(&a[1].as_str().unwrap_or_default())))
    }),
    ("pg_describe_object(oid, oid, int4) text", |c, a| {
        let name = super::names::relation_name(c, a[1].as_oid().unwrap_or(0))?;
        Ok(name.map(|name| format!("table {name}")).into())
    }),
    ("pg_collation_for(any) text", |_, a| {
        Ok(if category::is_string(a.types[0]) { Datum::text("\"default\"") } else { Datum::Null })
    }),
    ("pg_filenode_relation(oid, oid) regclass", |_, _| Ok(Datum::Null)),
    ("acldefault(char, oid) _aclitem", |c, a| default_privileges(c, a)),
    ("nameconcatoid(name, oid) name", |_, a| {
        let name = format!("{}_{}", a[0].as_str().unwrap_or_default(), a[1].as_oid().unwrap_or(0));
        Ok(Datum::text(crate::types::input::truncate_name(&name)))
    }),
    ("_pg_truetypid(oid, oid) oid", |_, a| Ok(a[0].clone())),
    ("!_pg_char_max_length(oid, int4) int4", |_, a| Ok(char_length(a))),
    ("!_pg_char_octet_length(oid, int4) int4", |_, a| Ok(char_octets(a))),
    ("!_pg_numeric_precision(oid, int4) int4", |_, a| Ok(numeric_precision(a))),
    ("!_pg_numeric_precision_radix(oid, int4) int4", |_, a| {
        Ok(match oid_type(a) {
            PgType::INT2 | PgType::INT4 | PgType::INT8 | PgType::FLOAT4 | PgType::FLOAT8 => Datum::Int4(2),
            PgType::NUMERIC => Datum::Int4(10),
            _ => Datum::Null,
        })
    }),
    ("!_pg_numeric_scale(oid, int4) int4", |_, a| {
        Ok(match (oid_type(a), typmod(a)) {
            (PgType::INT2 | PgType::INT4 | PgType::INT8, _) => Datum::Int4(0),
            (PgType::NUMERIC, typmod) if typmod >= 4 => Datum::Int4((typmod - 4) & 0x7ff),
            _ => Datum::Null,
        })
    }),
    ("!_pg_datetime_precision(oid, int4) int4", |_, a| {
        Ok(match (oid_type(a), typmod(a)) {
            (PgType::DATE, _) => Datum::Int4(0),
            (PgType::TIME | PgType::TIMETZ | PgType::TIMESTAMP | PgType::TIMESTAMPTZ, typmod) => {
                Datum::Int4(if typmod < 0 { 6 } else { typmod })
            }
            (PgType::INTERVAL, typmod) if typmod >= 0 && typmod & 0xffff != 0xffff => Datum::Int4(typmod & 0xffff),
            (PgType::INTERVAL, _) => Datum::Int4(6),
            _ => Datum::Null,
        })
    }),
    ("!_pg_interval_type(oid, int4) text", |_, _| Ok(Datum::Null)),
    ("!_pg_index_position(oid, int2) int4", |c, a| {
        let Some(row) = c.find("pg_index", "indexrelid", &a[0])? else { return Ok(Datum::Null) };
        let keys = row.get("indkey").as_array().map(|keys| keys.values.clone()).unwrap_or_default();
        let place = keys.iter().position(|key| key.as_int() == a[1].as_int());
        Ok(place.map(|place| place as i32 + 1).into())
    }),
    ("pg_partition_root(regclass) regclass", |_, _| Ok(Datum::Null)),
    ("pg_control_version() int4", |_, _| Ok(Datum::Int4(1300))),
    ("makeaclitem(oid, oid, text, bool) aclitem", |_, _| Ok(Datum::Null)),
    ("pg_identify_object(oid, oid, int4) (type text, schema text, name text, identity text)", |_, a| identity(a)),
];

fn identity(a: &Arguments<'_>) -> Result<Datum> {
    let fields = ["type", "schema", "name", "identity"].map(|name| (name.into(), PgType::TEXT)).to_vec();
    let _ = a;
    Ok(Datum::Record(Record { fields, values: vec![Datum::Null; 4] }.into()))
}

fn comment(context: &Context<'_>, relation: &str, object: &Datum, class: Option<&Datum>, column: i64) -> Result<Datum> {
    let class = match class.and_then(Datum::as_str) {
        Some(name) => {
            let parts = [String::from("pg_catalog"), name.to_owned()];
            match super::names::find_named(context, "pg_class", "relname", "relnamespace", &parts)? {
                Some(oid) => Some(oid),
                None => return Ok(Datum::Null),
            }
        }
        None => None,
    };
    for row in context.find_all(relation, "objoid", object)? {
        let fits = class.is_none_or(|class| row.oid("classoid") == class);
        if fits && (relation == "pg_shdescription" || row.int("objsubid") == column) {
            return Ok(row.get("description").clone());
        }
    }
    Ok(Datum::Null)
}

fn index_property(context: &Context<'_>, a: &Arguments<'_>) -> Result<Datum> {
    let Some(row) = context.find("pg_index", "indexrelid", &a[0])? else { return Ok(Datum::Null) };
    let options = row.get("indoption").as_array().map(|list| list.values.clone()).unwrap_or_default();
    let place = usize::try_from(a[1].as_int().unwrap_or(0) - 1).ok();
    let Some(option) = place.and_then(|place| options.get(place)).and_then(Datum::as_int) else {
        return Ok(Datum::Null);
    };
    Ok(match a[2].as_str().unwrap_or_default() {
        "asc" => Datum::Bool(option & 1 == 0),
        "desc" => Datum::Bool(option & 1 == 1),
        "nulls_first" => Datum::Bool(option & 2 == 2),
        "nulls_last" => Datum::Bool(option & 2 == 0),
        "orderable" | "returnable" | "search_array" | "search_nulls" => Datum::Bool(true),
        "distance_orderable" => Datum::Bool(false),
        _ => Datum::Null,
    })
}

fn oid_type(a: &Arguments<'_>) -> PgType {
    PgType(a[0].as_oid().unwrap_or(0))
}

fn typmod(a: &Arguments<'_>) -> i32 {
    a[1].as_int().unwrap_or(-1) as i32
}

fn char_length(a: &Arguments<'_>) -> Datum {
    match (oid_type(a), typmod(a)) {
        (_, -1) => Datum::Null,
        (PgType::VARCHAR | PgType::BPCHAR, typmod) => Datum::Int4(typmod - 4),
        (PgType::BIT | PgType::VARBIT, typmod) => Datum::Int4(typmod),
        _ => Datum::Null,
    }
}

fn char_octets(a: &Arguments<'_>) -> Datum {
    match (oid_type(a), typmod(a)) {
        (PgType::TEXT | PgType::VARCHAR | PgType::BPCHAR, -1) => Datum::Int4(1_073_741_824),
        (PgType::VARCHAR | PgType::BPCHAR, typmod) => Datum::Int4((typmod - 4).saturating_mul(4)),
        _ => Datum::Null,
    }
}

fn numeric_precision(a: &Arguments<'_>) -> Datum {
    match (oid_type(a), typmod(a)) {
        (PgType::INT2, _) => Datum::Int4(16),
        (PgType::INT4, _) => Datum::Int4(32),
        (PgType::INT8, _) => Datum::Int4(64),
        (PgType::NUMERIC, typmod) if typmod >= 4 => Datum::Int4((typmod - 4) >> 16 & 0xffff),
        (PgType::FLOAT4, _) => Datum::Int4(24),
        (PgType::FLOAT8, _) => Datum::Int4(53),
        _ => Datum::Null,
    }
}

/// The privileges that an object has before anybody grants any: the owner's, and those of everybody.
fn default_privileges(context: &Context<'_>, a: &Arguments<'_>) -> Result<Datum> {
    let Datum::Char(kind) = a[0] else { return Ok(Datum::Null) };
    let (owner, everybody) = match kind {
        b'r' => ("arwdDxt", ""),
        b's' => ("rwU", ""),
        b'd' => ("CTc", "Tc"),
        b'f' => ("X", "X"),
        b'l' | b'T' => ("U", "U"),
        b'L' => ("rw", ""),
        b'n' => ("UC", ""),
        b't' => ("C", ""),
        b'F' | b'S' => ("U", ""),
        _ => ("", ""),
    };
    let role = super::names::role_name(context, a[1].as_oid().unwrap_or(0))?.unwrap_or_default();
    let role = super::names::quote_ident(&role);
    let mut items = Vec::new();
    if !everybody.is_empty() {
        items.push(Datum::from(format!("={everybody}/{role}")));
    }
    if !owner.is_empty() {
        items.push(Datum::from(format!("{role}={owner}/{role}")));
    }
    Ok(Datum::array(PgType::ACLITEM, items))
}
