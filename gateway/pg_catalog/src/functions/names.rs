//! Names of catalog objects: `reg*` types, `format_type`, visibility.

use mantissa_core::PgType;

use crate::context::{Context, Found};
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::ScalarFn;

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("!format_type(oid, int4) text", |c, a| match a[0].as_oid() {
        None => Ok(Datum::Null),
        Some(oid) => format_type(c, PgType(oid), a[1].as_int().map(|typmod| typmod as i32)).map(Datum::from),
    }),
    ("pg_table_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_class", "relname", "relnamespace")),
    ("pg_type_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_type", "typname", "typnamespace")),
    ("pg_function_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_proc", "proname", "pronamespace")),
    ("pg_operator_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_operator", "oprname", "oprnamespace")),
    ("pg_opclass_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_opclass", "opcname", "opcnamespace")),
    ("pg_opfamily_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_opfamily", "opfname", "opfnamespace")),
    ("pg_collation_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_collation", "collname", "collnamespace")),
    ("pg_conversion_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_conversion", "conname", "connamespace")),
    ("pg_statistics_obj_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_statistic_ext", "stxname", "stxnamespace")),
    ("pg_ts_config_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_ts_config", "cfgname", "cfgnamespace")),
    ("pg_ts_dict_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_ts_dict", "dictname", "dictnamespace")),
    ("pg_ts_parser_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_ts_parser", "prsname", "prsnamespace")),
    ("pg_ts_template_is_visible(oid) bool", |c, a| visible(c, &a[0], "pg_ts_template", "tmplname", "tmplnamespace")),
    ("to_regclass(text) regclass", |c, a| to_reg(c, &a[0], PgType::REGCLASS)),
    ("to_regtype(text) regtype", |c, a| to_reg(c, &a[0], PgType::REGTYPE)),
    ("to_regproc(text) regproc", |c, a| to_reg(c, &a[0], PgType::REGPROC)),
    ("to_regprocedure(text) regprocedure", |c, a| to_reg(c, &a[0], PgType::REGPROCEDURE)),
    ("to_regnamespace(text) regnamespace", |c, a| to_reg(c, &a[0], PgType::REGNAMESPACE)),
    ("to_regrole(text) regrole", |c, a| to_reg(c, &a[0], PgType::REGROLE)),
    ("to_regoper(text) regoper", |c, a| to_reg(c, &a[0], PgType::REGOPER)),
    ("to_regcollation(text) regcollation", |c, a| to_reg(c, &a[0], PgType::REGCOLLATION)),
];

fn to_reg(context: &Context<'_>, name: &Datum, ty: PgType) -> Result<Datum> {
    match reg_oid(context, name.as_str().unwrap_or_default(), ty) {
        Ok(oid) => Ok(Datum::Oid(oid)),
        Err(Error::Cancelled) => Err(Error::Cancelled),
        Err(_) => Ok(Datum::Null),
    }
}

/// Quotes an identifier where it has to be.
pub fn quote_ident(name: &str) -> String {
    let ident = dialects::ident(name);
    if ident.quote_style.is_none() && !is_keyword(name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether Postgres quotes a word because it is a keyword that is no plain column name.
fn is_keyword(name: &str) -> bool {
    super::set::keyword_category(name).is_some_and(|category| category != 'U')
}

/// A schema's name.
pub fn schema_of(context: &Context<'_>, oid: u32) -> Result<String> {
    Ok(context.by_oid("pg_namespace", oid)?.map(|row| row.text("nspname")).unwrap_or_default())
}

/// Whether a bare name finds this object: its schema is the first on the path that has the name.
fn visible(context: &Context<'_>, oid: &Datum, relation: &str, name: &str, namespace: &str) -> Result<Datum> {
    let Some(row) = context.find(relation, "oid", oid)? else { return Ok(Datum::Null) };
    is_visible(context, relation, &row, name, namespace).map(Datum::Bool)
}

fn is_visible(context: &Context<'_>, relation: &str, row: &Found, name: &str, namespace: &str) -> Result<bool> {
    let path = context.search_path();
    let schema = schema_of(context, row.oid(namespace))?;
    let Some(place) = path.iter().position(|entry| *entry == schema) else { return Ok(false) };
    if place == 0 || matches!(relation, "pg_proc" | "pg_operator") {
        return Ok(true);
    }
    for other in context.find_all(relation, name, row.get(name))? {
        let other_schema = schema_of(context, other.oid(namespace))?;
        if path.iter().take(place).any(|entry| *entry == other_schema) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A name, with its schema where the bare name would find another object.
fn qualified(context: &Context<'_>, relation: &str, row: &Found, name: &str, namespace: &str) -> Result<String> {
    let bare = quote_ident(&row.text(name));
    if is_visible(context, relation, row, name, namespace)? {
        return Ok(bare);
    }
    Ok(format!("{}.{bare}", quote_ident(&schema_of(context, row.oid(namespace))?)))
}

pub fn relation_name(context: &Context<'_>, oid: u32) -> Result<Option<String>> {
    match context.by_oid("pg_class", oid)? {
        Some(row) => qualified(context, "pg_class", &row, "relname", "relnamespace").map(Some),
        None => Ok(None),
    }
}

/// A function with its argument types.
pub fn procedure_name(context: &Context<'_>, oid: u32) -> Result<Option<String>> {
    let Some(row) = context.by_oid("pg_proc", oid)? else { return Ok(None) };
    let name = qualified(context, "pg_proc", &row, "proname", "pronamespace")?;
    Ok(Some(format!("{name}({})", argument_types(context, &row)?)))
}

fn argument_types(context: &Context<'_>, row: &Found) -> Result<String> {
    let types = row.get("proargtypes").as_array().map(|array| array.values.clone()).unwrap_or_default();
    let names = types.iter().filter_map(Datum::as_oid).map(|oid| format_type(context, PgType(oid), None));
    Ok(names.collect::<Result<Vec<_>>>()?.join(","))
}

/// What a `reg*` value prints; the number where there is no such object.
pub fn reg_text(context: &Context<'_>, oid: u32, ty: PgType) -> Result<String> {
    if oid == 0 {
        return Ok("-".to_owned());
    }
    let named = |relation: &str, name: &str, namespace: Option<&str>| -> Result<Option<String>> {
        let Some(row) = context.by_oid(relation, oid)? else { return Ok(None) };
        match namespace {
            Some(namespace) => qualified(context, relation, &row, name, namespace).map(Some),
            None => Ok(Some(quote_ident(&row.text(name)))),
        }
    };
    let text = match ty {
        PgType::REGCLASS => relation_name(context, oid)?,
        PgType::REGTYPE => {
            let known = PgType::ALL.contains(&PgType(oid)) || PgType(oid).element().is_some();
            let exists = known || context.by_oid("pg_type", oid)?.is_some();
            if exists { Some(format_type(context, PgType(oid), None)?) } else { None }
        }
        PgType::REGPROC => match context.by_oid("pg_proc", oid)? {
            Some(row) => {
                let unique = context.find_all("pg_proc", "proname", row.get("proname"))?.len() == 1;
                let name = qualified(context, "pg_proc", &row, "proname", "pronamespace")?;
                if unique || name.contains('.') {
                    Some(name)
                } else {
                    Some(format!("{}.{name}", quote_ident(&schema_of(context, row.oid("pronamespace"))?)))
                }
            }
            None => None,
        },
        PgType::REGPROCEDURE => procedure_name(context, oid)?,
        PgType::REGNAMESPACE => named("pg_namespace", "nspname", None)?,
        PgType::REGROLE => {
            named("pg_authid", "rolname", None)?.or(role_name(context, oid)?.map(|name| quote_ident(&name)))
        }
        PgType::REGCOLLATION => named("pg_collation", "collname", Some("collnamespace"))?,
        PgType::REGCONFIG => named("pg_ts_config", "cfgname", Some("cfgnamespace"))?,
        PgType::REGDICTIONARY => named("pg_ts_dict", "dictname", Some("dictnamespace"))?,
        PgType::REGOPER | PgType::REGOPERATOR => operator_text(context, oid, ty)?,
        _ => None,
    };
    Ok(text.unwrap_or_else(|| oid.to_string()))
}

fn operator_text(context: &Context<'_>, oid: u32, ty: PgType) -> Result<Option<String>> {
    let Some(row) = context.by_oid("pg_operator", oid)? else { return Ok(None) };
    let name = row.text("oprname");
    if ty == PgType::REGOPER {
        return Ok(Some(name));
    }
    let side = |column: &str| match row.oid(column) {
        0 => Ok("NONE".to_owned()),
        oid => format_type(context, PgType(oid), None),
    };
    Ok(Some(format!("{name}({},{})", side("oprleft")?, side("oprright")?)))
}

/// A role's name.
pub fn role_name(context: &Context<'_>, oid: u32) -> Result<Option<String>> {
    for relation in ["pg_authid", "pg_roles"] {
        if let Some(row) = context.by_oid(relation, oid)? {
            return Ok(Some(row.text("rolname")));
        }
    }
    Ok(None)
}

/// The parts of a dotted name, folded unless quoted.
pub fn split_name(text: &str) -> Result<Vec<String>> {
    let invalid = || Error::Syntax("invalid name syntax".into());
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut part = String::new();
            let mut chars = quoted.char_indices().peekable();
            let end = loop {
                match chars.next() {
                    Some((_, '"')) if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                        chars.next();
                        part.push('"');
                    }
                    Some((index, '"')) => break index + 1,
                    Some((_, c)) => part.push(c),
                    None => return Err(invalid()),
                }
            };
            parts.push(part);
            rest = quoted[end..].trim_start();
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let part = rest[..end].trim();
            if part.is_empty() {
                return Err(invalid());
            }
            parts.push(part.to_ascii_lowercase());
            rest = &rest[end..];
        }
        match rest.strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

/// Reads the name, or the number, of an object.
pub fn reg_oid(context: &Context<'_>, text: &str, ty: PgType) -> Result<u32> {
    let trimmed = text.trim();
    if trimmed == "-" {
        return Ok(0);
    }
    if !trimmed.is_empty() && trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return trimmed.parse().map_err(|_| Error::ValueOutOfRange { ty: "oid".into(), text: text.to_owned() });
    }
    let lookup = |relation: &str, name: &str, namespace: &str| -> Result<Option<u32>> {
        find_named(context, relation, name, namespace, &split_name(trimmed)?)
    };
    let undefined = |what: &'static str| Error::UndefinedObject { what, name: text.to_owned() };
    match ty {
        PgType::REGCLASS => {
            let parts = split_name(trimmed)?;
            let found = find_named(context, "pg_class", "relname", "relnamespace", &parts)?;
            found.ok_or_else(|| Error::UndefinedTable(parts.join(".")))
        }
        PgType::REGTYPE => type_oid(context, trimmed)?.ok_or_else(|| Error::UndefinedType(text.to_owned())),
        PgType::REGPROC => lookup("pg_proc", "proname", "pronamespace")?.ok_or_else(|| missing_function(text)),
        PgType::REGPROCEDURE => procedure_oid(context, trimmed)?.ok_or_else(|| missing_function(text)),
        PgType::REGNAMESPACE => {
            let name = split_name(trimmed)?.join(".");
            let row = context.find("pg_namespace", "nspname", &Datum::text(&name))?;
            row.map(|row| row.oid("oid")).ok_or(Error::UndefinedObject { what: "schema", name })
        }
        PgType::REGROLE => {
            let name = split_name(trimmed)?.join(".");
            role_oid(context, &name)?.ok_or(Error::UndefinedObject { what: "role", name })
        }
        PgType::REGCOLLATION => {
            lookup("pg_collation", "collname", "collnamespace")?.ok_or_else(|| undefined("collation"))
        }
        PgType::REGCONFIG => {
            lookup("pg_ts_config", "cfgname", "cfgnamespace")?.ok_or_else(|| undefined("text search configuration"))
        }
        PgType::REGDICTIONARY => {
            lookup("pg_ts_dict", "dictname", "dictnamespace")?.ok_or_else(|| undefined("text search dictionary"))
        }
        _ => {
            let name = trimmed.split('(').next().unwrap_or(trimmed);
            let bare = name.rsplit('.').next().unwrap_or(name);
            let row = context.find("pg_operator", "oprname", &Datum::text(bare))?;
            row.map(|row| row.oid("oid")).ok_or_else(|| Error::UndefinedOperator(text.to_owned()))
        }
    }
}

fn missing_function(text: &str) -> Error {
    Error::UndefinedObject { what: "function", name: text.to_owned() }
}

pub fn role_oid(context: &Context<'_>, name: &str) -> Result<Option<u32>> {
    for relation in ["pg_authid", "pg_roles"] {
        if let Some(row) = context.find(relation, "rolname", &Datum::text(name))? {
            return Ok(Some(row.oid("oid")));
        }
    }
    Ok(None)
}

/// Finds an object by a name of one, two or three parts.
pub fn find_named(
    context: &Context<'_>,
    relation: &str,
    name: &str,
    namespace: &str,
    parts: &[String],
) -> Result<Option<u32>> {
    let (schema, bare) = match parts {
        [bare] => (None, bare),
        [.., schema, bare] => (Some(schema), bare),
        [] => return Ok(None),
    };
    let mut found: Vec<(String, u32)> = Vec::new();
    for row in context.find_all(relation, name, &Datum::text(bare))? {
        found.push((schema_of(context, row.oid(namespace))?, row.oid("oid")));
    }
    let in_schema = |wanted: &String| found.iter().find(|(schema, _)| schema == wanted).map(|(_, oid)| *oid);
    Ok(match schema {
        Some(schema) => in_schema(schema),
        None => context.search_path().iter().find_map(in_schema),
    })
}

/// Reads a type's name, with brackets and length.
fn type_oid(context: &Context<'_>, text: &str) -> Result<Option<u32>> {
    if let Some(element) = text.strip_suffix("[]") {
        let Some(element) = type_oid(context, element.trim_end())? else { return Ok(None) };
        if let Some(array) = PgType(element).array() {
            return Ok(Some(array.0));
        }
        return Ok(context.by_oid("pg_type", element)?.map(|row| row.oid("typarray")));
    }
    let bare = text.split('(').next().unwrap_or(text).trim_end();
    let lower = bare.to_ascii_lowercase();
    let spoken = match lower.as_str() {
        "char" | "character" => Some(PgType::BPCHAR),
        "varchar" => Some(PgType::VARCHAR),
        _ if bare.contains('"') || lower.contains('.') => None,
        other => PgType::by_name(other),
    };
    if let Some(ty) = spoken {
        return Ok(Some(ty.0));
    }
    let parts = split_name(bare)?;
    find_named(context, "pg_type", "typname", "typnamespace", &parts)
}

fn procedure_oid(context: &Context<'_>, text: &str) -> Result<Option<u32>> {
    let Some((name, arguments)) = text.split_once('(') else { return Ok(None) };
    let parts = split_name(name)?;
    let Some(bare) = parts.last() else { return Ok(None) };
    let mut wanted = Vec::new();
    for argument in arguments.trim_end_matches(')').split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let Some(oid) = type_oid(context, argument)? else { return Ok(None) };
        wanted.push(oid);
    }
    for row in context.find_all("pg_proc", "proname", &Datum::text(bare))? {
        let types = row.get("proargtypes").as_array().map(|array| array.values.clone()).unwrap_or_default();
        let types: Vec<u32> = types.iter().filter_map(Datum::as_oid).collect();
        if types == wanted {
            return Ok(Some(row.oid("oid")));
        }
    }
    Ok(None)
}

/// `format_type`: the SQL name of a type with its modifier.
pub fn format_type(context: &Context<'_>, ty: PgType, typmod: Option<i32>) -> Result<String> {
    if ty.0 == 0 {
        return Ok("-".to_owned());
    }
    if let Some(element) = ty.element() {
        return Ok(format!("{}[]", format_type(context, element, typmod)?));
    }
    if PgType::ALL.contains(&ty) {
        return Ok(modified(ty, typmod));
    }
    let Some(row) = context.by_oid("pg_type", ty.0)? else { return Ok("???".to_owned()) };
    let is_array = row.char("typcategory") == 'A' && row.oid("typelem") != 0;
    if is_array {
        return Ok(format!("{}[]", format_type(context, PgType(row.oid("typelem")), typmod)?));
    }
    qualified(context, "pg_type", &row, "typname", "typnamespace")
}

fn modified(ty: PgType, typmod: Option<i32>) -> String {
    let name = ty.sql_name();
    let Some(typmod) = typmod.filter(|typmod| *typmod >= 0) else {
        // Without any modifier asked for, bpchar is `character`; with -1 it is the type of no length.
        return if ty == PgType::BPCHAR && typmod.is_some() { "bpchar".to_owned() } else { name };
    };
    match ty {
        PgType::VARCHAR | PgType::BPCHAR if typmod > 4 => format!("{name}({})", typmod - 4),
        PgType::NUMERIC if typmod >= 4 => {
            let (precision, scale) = ((typmod - 4) >> 16 & 0xffff, (typmod - 4) & 0x7ff);
            format!("{name}({precision},{scale})")
        }
        PgType::TIMESTAMP | PgType::TIMESTAMPTZ | PgType::TIME | PgType::TIMETZ => {
            let (head, tail) = name.split_once(' ').unwrap_or((&name, ""));
            format!("{head}({typmod}) {tail}")
        }
        PgType::INTERVAL if typmod & 0xffff != 0xffff => format!("{name}({})", typmod & 0xffff),
        PgType::BIT | PgType::VARBIT => format!("{name}({typmod})"),
        _ => name,
    }
}
