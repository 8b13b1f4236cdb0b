//! Rows for schemas and functions: `pg_namespace`, `pg_proc`.

use mantissa_core::PgType;

use super::build::{Builder, OWNER, PG_NAMESPACE, PG_PROC};
use super::objects::{FunctionObject, SchemaObject};
use super::tables::privileges;
use crate::data::DataError;
use crate::datum::Datum;

pub(super) fn push_schema(builder: &mut Builder<'_>, schema: &SchemaObject) -> Result<(), DataError> {
    let oid = builder.namespace(&schema.name);
    builder.push(
        "pg_namespace",
        &[
            ("oid", Datum::Oid(oid)),
            ("nspname", Datum::text(&schema.name)),
            ("nspowner", Datum::Oid(OWNER)),
            ("nspacl", privileges(builder.objects.public, "UC", "U")),
        ],
    )?;
    builder.comment((PG_NAMESPACE, oid, 0), schema.comment.as_ref())
}

/// Functions may share a name: the key has the types of the arguments.
pub(super) fn function_key(function: &FunctionObject) -> String {
    let types: Vec<String> = function.arguments.iter().map(|(_, ty)| ty.0.to_string()).collect();
    format!("{}.{}({})", function.schema, function.name, types.join(","))
}

pub(super) fn push_function(builder: &mut Builder<'_>, function: &FunctionObject) -> Result<(), DataError> {
    let oid = builder.oids.get("pg_proc", &function_key(function));
    let namespace = builder.namespace(&function.schema);
    let named = function.arguments.iter().any(|(name, _)| !name.is_empty());
    let names = function.arguments.iter().map(|(name, _)| Datum::text(name)).collect();
    builder.push(
        "pg_proc",
        &[
            ("oid", Datum::Oid(oid)),
            ("proname", Datum::text(&function.name)),
            ("pronamespace", Datum::Oid(namespace)),
            ("proowner", Datum::Oid(OWNER)),
            ("prolang", Datum::Oid(language(builder, &function.language)?)),
            (
                "procost",
                Datum::Float4(if matches!(function.language.as_str(), "internal" | "c") { 1.0 } else { 100.0 }),
            ),
            ("prorows", Datum::Float4(if function.returns_set { 1000.0 } else { 0.0 })),
            ("prokind", Datum::Char(b'f')),
            ("proisstrict", Datum::Bool(function.strict)),
            ("proretset", Datum::Bool(function.returns_set)),
            ("provolatile", Datum::Char(function.volatility)),
            ("proparallel", Datum::Char(b'u')),
            ("pronargs", Datum::Int2(function.arguments.len() as i16)),
            ("prorettype", Datum::Oid(function.returns.0)),
            ("proargtypes", Datum::oidvector(function.arguments.iter().map(|(_, ty)| ty.0))),
            ("proargnames", if named { Datum::array(PgType::TEXT, names) } else { Datum::Null }),
            ("prosrc", Datum::text(&function.body)),
        ],
    )?;
    builder.depend((PG_PROC, oid, 0), (PG_NAMESPACE, namespace, 0), b'n')?;
    builder.comment((PG_PROC, oid, 0), function.comment.as_ref())
}

fn language(builder: &Builder<'_>, name: &str) -> Result<u32, DataError> {
    let languages = builder.snapshot.table("pg_language")?;
    let row = languages.find("lanname", &Datum::text(name)).next();
    row.and_then(|row| languages.value(row, "oid").as_oid())
        .ok_or_else(|| DataError::Missing(format!("language {name}")))
}
