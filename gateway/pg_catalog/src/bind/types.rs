//! Names of types.

use dialects::ast::{ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, ObjectName, TimezoneInfo};
use dialects::name_parts;
use mantissa_core::PgType;

use crate::context::Context;
use crate::error::{Error, Result};

/// A type as SQL writes it, with its type modifier.
pub fn resolve(context: &Context<'_>, ty: &DataType) -> Result<(PgType, i32)> {
    let plain = |ty: PgType| Ok((ty, -1));
    let sized = |ty: PgType, length: &Option<CharacterLength>, default: i32| match length {
        Some(CharacterLength::IntegerLength { length, .. }) => Ok((ty, *length as i32 + 4)),
        _ => Ok((ty, default)),
    };
    match ty {
        DataType::Bool | DataType::Boolean => plain(PgType::BOOL),
        DataType::SmallInt(_) | DataType::Int2(_) => plain(PgType::INT2),
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => plain(PgType::INT4),
        DataType::BigInt(_) | DataType::Int8(_) => plain(PgType::INT8),
        DataType::Real | DataType::Float4 => plain(PgType::FLOAT4),
        DataType::Float(ExactNumberInfo::Precision(digits)) if *digits <= 24 => plain(PgType::FLOAT4),
        DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 | DataType::Float(_) => {
            plain(PgType::FLOAT8)
        }
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => Ok((PgType::NUMERIC, numeric(info))),
        DataType::Text | DataType::String(_) => plain(PgType::TEXT),
        DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::CharVarying(length) => {
            sized(PgType::VARCHAR, length, -1)
        }
        DataType::Char(length) | DataType::Character(length) => sized(PgType::BPCHAR, length, 5),
        DataType::Bytea => plain(PgType::BYTEA),
        DataType::Uuid => plain(PgType::UUID),
        DataType::Date => plain(PgType::DATE),
        DataType::Time(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            Ok((PgType::TIME, digits(precision)))
        }
        DataType::Time(precision, _) => Ok((PgType::TIMETZ, digits(precision))),
        DataType::Timestamp(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            Ok((PgType::TIMESTAMP, digits(precision)))
        }
        DataType::Timestamp(precision, _) => Ok((PgType::TIMESTAMPTZ, digits(precision))),
        DataType::Interval { .. } => plain(PgType::INTERVAL),
        DataType::JSON => plain(PgType::JSON),
        DataType::JSONB => plain(PgType::JSONB),
        DataType::Regclass => plain(PgType::REGCLASS),
        DataType::TsVector => plain(PgType::TSVECTOR),
        DataType::Bit(_) => plain(PgType::BIT),
        DataType::Trigger => plain(PgType::TRIGGER),
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => {
            let (mut element, typmod) = resolve(context, element)?;
            // int[][] is int[].
            if let Some(inner) = element.element() {
                element = inner;
            }
            let array = array_of(context, element)?;
            array.map(|ty| (ty, typmod)).ok_or_else(|| Error::UndefinedType(format!("{element}[]")))
        }
        DataType::Custom(name, modifiers) => custom(context, name, modifiers),
        other => Err(Error::UndefinedType(other.to_string().to_lowercase())),
    }
}

/// The array type over a type, of the catalog's own types too.
pub fn array_of(context: &Context<'_>, element: PgType) -> Result<Option<PgType>> {
    if let Some(array) = element.array() {
        return Ok(Some(array));
    }
    let row = context.by_oid("pg_type", element.0)?;
    Ok(row.map(|row| PgType(row.oid("typarray"))).filter(|ty| ty.0 != 0))
}

fn digits(precision: &Option<u64>) -> i32 {
    precision.map_or(-1, |digits| digits.min(6) as i32)
}

fn numeric(info: &ExactNumberInfo) -> i32 {
    match info {
        ExactNumberInfo::None => -1,
        ExactNumberInfo::Precision(precision) => ((*precision as i32) << 16) + 4,
        ExactNumberInfo::PrecisionAndScale(precision, scale) => {
            ((*precision as i32) << 16) + (*scale as i32 & 0x7ff) + 4
        }
    }
}

fn custom(context: &Context<'_>, name: &ObjectName, modifiers: &[String]) -> Result<(PgType, i32)> {
    let quoted = matches!(name.0.last().and_then(|part| part.as_ident()), Some(ident) if ident.quote_style.is_some());
    let parts = name_parts(name).unwrap_or_default();
    let undefined = || Error::UndefinedType(parts.join("."));
    let (schema, bare) = match parts.as_slice() {
        [bare] => (None, bare.as_str()),
        [schema, bare] => (Some(schema.as_str()), bare.as_str()),
        [_, schema, bare] => (Some(schema.as_str()), bare.as_str()),
        _ => return Err(undefined()),
    };
    let ty = type_by_name(context, schema, bare, quoted)?.ok_or_else(undefined)?;
    let typmod = match (ty, modifiers) {
        (PgType::VARCHAR | PgType::BPCHAR, [length]) => length.parse::<i32>().map_or(-1, |length| length + 4),
        (PgType::TIMESTAMP | PgType::TIMESTAMPTZ | PgType::TIME, [digits]) => digits.parse().unwrap_or(-1),
        (PgType::NUMERIC, [precision]) => precision.parse::<i32>().map_or(-1, |precision| (precision << 16) + 4),
        _ => -1,
    };
    Ok((ty, typmod))
}

/// Finds a type by its name in the catalog; a domain stands for what it is over.
pub fn type_by_name(context: &Context<'_>, schema: Option<&str>, name: &str, quoted: bool) -> Result<Option<PgType>> {
    if schema.is_none_or(|schema| schema == "pg_catalog") {
        // `char` unquoted is bpchar and never comes here; quoted, or with its schema, it is the one-byte type.
        let _ = quoted;
        if let Some(ty) = PgType::by_name(name).filter(|ty| ty.name() == name) {
            return Ok(Some(ty));
        }
    }
    let value = crate::datum::Datum::text(name);
    for row in context.find_all("pg_type", "typname", &value)? {
        let namespace = context.by_oid("pg_namespace", row.oid("typnamespace"))?;
        let namespace = namespace.map(|row| row.text("nspname")).unwrap_or_default();
        let visible = match schema {
            Some(schema) => schema == namespace,
            None => context.search_path().contains(&namespace),
        };
        if visible {
            let is_domain = row.char("typtype") == 'd';
            return Ok(Some(PgType(if is_domain { row.oid("typbasetype") } else { row.oid("oid") })));
        }
    }
    Ok(None)
}
