//! The session: settings, identity, backends, privileges.

use mantissa_core::PgType;

use crate::context::{Access, Context};
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::{Arguments, ScalarFn};

/// What `version()` prints; drivers read the number.
pub const VERSION: &str = "PostgreSQL 15.18 (Mantissa) on x86_64-pc-linux-gnu, compiled by rustc, 64-bit";

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("version() text", |_, _| Ok(Datum::text(VERSION))),
    ("current_database() name", |c, _| Ok(Datum::text(c.session.database()))),
    ("current_user() name", |c, _| Ok(Datum::text(c.session.user()))),
    ("session_user() name", |c, _| Ok(Datum::text(c.session.user()))),
    ("user() name", |c, _| Ok(Datum::text(c.session.user()))),
    ("current_role() name", |c, _| Ok(Datum::text(c.session.user()))),
    ("current_schema() name", |c, _| Ok(existing(c)?.into_iter().next().into())),
    ("current_schemas(bool) _name", |c, a| {
        let mut schemas = existing(c)?;
        if a[0].as_bool() == Some(true) && !schemas.iter().any(|schema| schema == "pg_catalog") {
            schemas.insert(0, "pg_catalog".into());
        }
        Ok(Datum::array(PgType::NAME, schemas.into_iter().map(Datum::from).collect()))
    }),
    ("current_setting(text) text", |c, a| setting(c, &a[0], false)),
    ("!current_setting(text, bool) text", |c, a| match a[0].is_null() {
        true => Ok(Datum::Null),
        false => setting(c, &a[0], a[1].as_bool() == Some(true)),
    }),
    ("!set_config(text, text, bool) text", |c, a| {
        let Some(name) = a[0].as_str() else {
            return Err(Error::InvalidParameter("SET requires parameter name".into()));
        };
        let shown = c.session.set(name, a[1].as_str(), a[2].as_bool() == Some(true))?;
        Ok(Datum::from(shown))
    }),
    ("pg_backend_pid() int4", |c, _| Ok(Datum::Int4(c.session.pid()))),
    ("pg_cancel_backend(int4) bool", |c, a| end(c, a, false)),
    ("pg_terminate_backend(int4) bool", |c, a| end(c, a, true)),
    ("pg_terminate_backend(int4, int8) bool", |c, a| end(c, a, true)),
    ("pg_advisory_unlock_all() void", |_, _| Ok(Datum::text(""))),
    ("pg_advisory_lock(int8) void", |_, _| Ok(Datum::text(""))),
    ("pg_advisory_unlock(int8) bool", |_, _| Ok(Datum::Bool(false))),
    ("pg_try_advisory_lock(int8) bool", |_, _| Ok(Datum::Bool(true))),
    ("pg_is_in_recovery() bool", |_, _| Ok(Datum::Bool(false))),
    ("pg_is_wal_replay_paused() bool", |_, _| Ok(Datum::Bool(false))),
    ("pg_export_snapshot() text", |_, _| Ok(Datum::text("00000003-00000001-1"))),
    ("txid_current() int8", |_, _| Ok(Datum::Int8(1))),
    ("txid_current_if_assigned() int8", |_, _| Ok(Datum::Null)),
    ("pg_current_xact_id() int8", |_, _| Ok(Datum::Int8(1))),
    ("pg_my_temp_schema() oid", |_, _| Ok(Datum::Oid(0))),
    ("pg_is_other_temp_schema(oid) bool", |_, _| Ok(Datum::Bool(false))),
    ("pg_jit_available() bool", |_, _| Ok(Datum::Bool(false))),
    ("pg_blocking_pids(int4) _int4", |_, _| Ok(Datum::array(PgType::INT4, vec![]))),
    ("pg_postmaster_start_time() timestamptz", |c, _| Ok(Datum::TimestampTz(c.session.backend_start()))),
    ("pg_conf_load_time() timestamptz", |c, _| Ok(Datum::TimestampTz(c.session.backend_start()))),
    ("inet_client_addr() inet", |c, _| Ok(c.session.client_addr().map(|address| address.to_string()).into())),
    ("inet_client_port() int4", |c, _| Ok(c.session.client_port().map(i32::from).into())),
    ("inet_server_addr() inet", |_, _| Ok(Datum::Null)),
    ("inet_server_port() int4", |_, _| Ok(Datum::Null)),
    ("getdatabaseencoding() name", |_, _| Ok(Datum::text("UTF8"))),
    ("pg_client_encoding() name", |_, _| Ok(Datum::text("UTF8"))),
    ("pg_encoding_to_char(int4) name", |_, a| {
        let name = usize::try_from(a[0].as_int().unwrap_or(-1)).ok().and_then(|index| ENCODINGS.get(index));
        Ok(Datum::text(name.copied().unwrap_or_default()))
    }),
    ("pg_char_to_encoding(name) int4", |_, a| {
        let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let wanted = plain(a[0].as_str().unwrap_or_default());
        let found = ENCODINGS.iter().position(|name| plain(name) == wanted);
        Ok(Datum::Int4(found.map_or(-1, |index| index as i32)))
    }),
    ("pg_encoding_max_length(int4) int4", |_, a| Ok(Datum::Int4(if a[0].as_int() == Some(6) { 4 } else { 1 }))),
    ("has_table_privilege(text, text) bool", |c, a| on_table(c, a, 0)),
    ("has_table_privilege(oid, text) bool", |c, a| on_table(c, a, 0)),
    ("has_table_privilege(name, text, text) bool", |c, a| on_table(c, a, 1)),
    ("has_table_privilege(name, oid, text) bool", |c, a| on_table(c, a, 1)),
    ("has_table_privilege(oid, oid, text) bool", |c, a| on_table(c, a, 1)),
    ("has_any_column_privilege(text, text) bool", |c, a| on_any_column(c, a, 0)),
    ("has_any_column_privilege(oid, text) bool", |c, a| on_any_column(c, a, 0)),
    ("has_any_column_privilege(name, oid, text) bool", |c, a| on_any_column(c, a, 1)),
    ("has_any_column_privilege(name, text, text) bool", |c, a| on_any_column(c, a, 1)),
    ("has_any_column_privilege(oid, oid, text) bool", |c, a| on_any_column(c, a, 1)),
    ("has_column_privilege(text, int2, text) bool", |c, a| on_column(c, a, 0)),
    ("has_column_privilege(name, text, text, text) bool", |c, a| on_column(c, a, 1)),
    ("has_column_privilege(name, oid, text, text) bool", |c, a| on_column(c, a, 1)),
    ("has_column_privilege(oid, int2, text) bool", |c, a| on_column(c, a, 0)),
    ("has_column_privilege(oid, text, text) bool", |c, a| on_column(c, a, 0)),
    ("has_column_privilege(text, text, text) bool", |c, a| on_column(c, a, 0)),
    ("has_column_privilege(name, oid, int2, text) bool", |c, a| on_column(c, a, 1)),
    ("has_schema_privilege(text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_schema_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_schema_privilege(name, text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_schema_privilege(name, oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_database_privilege(text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_database_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_database_privilege(name, text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_database_privilege(name, oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_function_privilege(text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_function_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_function_privilege(name, oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_type_privilege(text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_type_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_language_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_language_privilege(text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_sequence_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_sequence_privilege(text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_server_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_foreign_data_wrapper_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_tablespace_privilege(oid, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("has_parameter_privilege(text, text) bool", |_, a| reading(a).map(Datum::Bool)),
    ("pg_has_role(oid, text) bool", |c, a| has_role(c, &a[0])),
    ("pg_has_role(name, text) bool", |c, a| has_role(c, &a[0])),
    ("pg_has_role(oid, name, text) bool", |c, a| role_has(c, &a[0], &a[1])),
    ("pg_has_role(name, oid, text) bool", |c, a| role_has(c, &a[0], &a[1])),
    ("pg_has_role(name, name, text) bool", |c, a| role_has(c, &a[0], &a[1])),
    ("pg_has_role(oid, oid, text) bool", |c, a| role_has(c, &a[0], &a[1])),
    ("row_security_active(oid) bool", |_, _| Ok(Datum::Bool(false))),
];

/// By number, as `pg_database.encoding` has them.
const ENCODINGS: [&str; 42] = [
    "SQL_ASCII",
    "EUC_JP",
    "EUC_CN",
    "EUC_KR",
    "EUC_TW",
    "EUC_JIS_2004",
    "UTF8",
    "MULE_INTERNAL",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "WIN1256",
    "WIN1258",
    "WIN866",
    "WIN874",
    "KOI8R",
    "WIN1251",
    "WIN1252",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN1250",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1257",
    "KOI8U",
    "SJIS",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
    "SHIFT_JIS_2004",
];

/// The schemas of the search path that exist.
fn existing(context: &Context<'_>) -> Result<Vec<String>> {
    let mut schemas = Vec::new();
    for schema in context.session.search_path() {
        if context.find("pg_namespace", "nspname", &Datum::text(schema))?.is_some() {
            schemas.push(schema.clone());
        }
    }
    Ok(schemas)
}

fn setting(context: &Context<'_>, name: &Datum, missing_ok: bool) -> Result<Datum> {
    let name = name.as_str().unwrap_or_default();
    match context.session.setting(name) {
        Some(value) => Ok(Datum::from(value)),
        None if missing_ok => Ok(Datum::Null),
        None => Err(Error::UndefinedSetting(name.to_owned())),
    }
}

fn end(context: &Context<'_>, a: &Arguments<'_>, connection: bool) -> Result<Datum> {
    let pid = a[0].as_int().unwrap_or(0) as i32;
    let ended = match connection {
        true => context.session.terminate_backend(pid)?,
        false => context.session.cancel_backend(pid)?,
    };
    Ok(Datum::Bool(ended))
}

/// The privileges of PostgreSQL 15, and whether they are ones of reading: this server gives no others.
const PRIVILEGES: &[(&str, bool)] = &[
    ("SELECT", true),
    ("USAGE", true),
    ("CONNECT", true),
    ("EXECUTE", true),
    ("INSERT", false),
    ("UPDATE", false),
    ("DELETE", false),
    ("TRUNCATE", false),
    ("REFERENCES", false),
    ("TRIGGER", false),
    ("CREATE", false),
    ("TEMP", false),
    ("TEMPORARY", false),
    ("SET", false),
    ("ALTER SYSTEM", false),
];

/// Whether one of the privileges asked for is one of reading.
fn reading(a: &Arguments<'_>) -> Result<bool> {
    const GRANT_OPTION: &str = " WITH GRANT OPTION";
    let asked = a.last().and_then(Datum::as_str).unwrap_or_default();
    let mut any = false;
    for privilege in asked.split(',').map(str::trim) {
        let upper = privilege.to_ascii_uppercase();
        let (name, passed_on) = match upper.strip_suffix(GRANT_OPTION) {
            Some(name) => (name, true),
            None => (upper.as_str(), false),
        };
        let Some((_, reads)) = PRIVILEGES.iter().find(|(known, _)| *known == name) else {
            return Err(Error::InvalidParameter(format!("unrecognized privilege type: \"{privilege}\"")));
        };
        any |= *reads && !passed_on;
    }
    Ok(any)
}

/// What a role may read of the relation that argument `table` names; the argument before it, if any, names the role.
/// `None` where there is no such relation.
fn access(context: &Context<'_>, a: &Arguments<'_>, table: usize) -> Result<Option<(u32, Access)>> {
    let oid = match &a[table] {
        Datum::Text(name) => super::names::reg_oid(context, name, PgType::REGCLASS)?,
        other => other.as_oid().unwrap_or(0),
    };
    let Some(row) = context.by_oid("pg_class", oid)? else { return Ok(None) };
    let schema = super::names::schema_of(context, row.oid("relnamespace"))?;
    let system = matches!(schema.as_str(), "pg_catalog" | "information_schema");
    let asked = if table > 0 { role_named(context, &a[0])? } else { Some(context.session.user().to_owned()) };
    let access = match asked {
        _ if system => Access::Whole,
        Some(role) if role == context.session.user() => context.session.access(&schema, &row.text("relname")),
        // What others may read is theirs to know; who owns a relation reads it.
        Some(role) if super::names::role_oid(context, &role)? == Some(row.oid("relowner")) => Access::Whole,
        _ => Access::Nothing,
    };
    Ok(Some((oid, access)))
}

fn on_table(context: &Context<'_>, a: &Arguments<'_>, table: usize) -> Result<Datum> {
    let reads = reading(a)?;
    Ok(access(context, a, table)?.map(|(_, access)| reads && access == Access::Whole).into())
}

fn on_any_column(context: &Context<'_>, a: &Arguments<'_>, table: usize) -> Result<Datum> {
    let reads = reading(a)?;
    Ok(access(context, a, table)?.map(|(_, access)| reads && access != Access::Nothing).into())
}

fn on_column(context: &Context<'_>, a: &Arguments<'_>, table: usize) -> Result<Datum> {
    let reads = reading(a)?;
    let Some((oid, access)) = access(context, a, table)? else { return Ok(Datum::Null) };
    let granted = match access {
        Access::Nothing => false,
        Access::Whole => true,
        Access::Columns(names) => {
            let name = match &a[table + 1] {
                Datum::Text(name) => Some(name.to_string()),
                number => attribute(context, oid, number.as_int().unwrap_or(0))?,
            };
            name.is_some_and(|name| names.contains(&name))
        }
    };
    Ok(Datum::Bool(reads && granted))
}

fn attribute(context: &Context<'_>, relation: u32, number: i64) -> Result<Option<String>> {
    let columns = context.find_all("pg_attribute", "attrelid", &Datum::Oid(relation))?;
    Ok(columns.iter().find(|column| column.int("attnum") == number).map(|column| column.text("attname")))
}

/// The role that a name or an OID means; `None` for PUBLIC and for an OID that no role has.
fn role_named(context: &Context<'_>, role: &Datum) -> Result<Option<String>> {
    let name = match role {
        Datum::Text(name) => name,
        other => return super::names::role_name(context, other.as_oid().unwrap_or(0)),
    };
    if &**name == "public" {
        return Ok(None);
    }
    if &**name != context.session.user() && super::names::role_oid(context, name)?.is_none() {
        return Err(Error::UndefinedObject { what: "role", name: name.to_string() });
    }
    Ok(Some(name.to_string()))
}

/// Whether the session's user has the rights of `role`.
fn has_role(context: &Context<'_>, role: &Datum) -> Result<Datum> {
    let name = role_named(context, role)?;
    Ok(Datum::Bool(context.session.is_superuser() || name.as_deref() == Some(context.session.user())))
}

/// Whether `member` has the rights of `role`: it is that role, or a superuser.
fn role_has(context: &Context<'_>, member: &Datum, role: &Datum) -> Result<Datum> {
    let Some(member) = role_named(context, member)? else { return Ok(Datum::Bool(false)) };
    if role_named(context, role)?.as_deref() == Some(&member) {
        return Ok(Datum::Bool(true));
    }
    let row = context.find("pg_authid", "rolname", &Datum::text(&member))?;
    Ok(Datum::Bool(row.is_some_and(|row| row.bool("rolsuper"))))
}
