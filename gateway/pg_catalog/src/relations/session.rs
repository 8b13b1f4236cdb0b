//! Relations whose rows depend on the session and the moment: `pg_settings`, `pg_stat_activity`, `pg_database`, roles.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use mantissa_core::{PgType, Problem};

use super::build::{OWNER, OWNER_NAME, row};
use super::oids::shared_oid;
use crate::data::{DataError, Snapshot};
use crate::datum::Datum;
use crate::relation::{Build, Lazy, Row, Source};

/// What the session that runs a statement knows of itself and of others.
pub trait SessionSource: Send + Sync + 'static {
    /// Databases that a client may connect to.
    fn databases(&self) -> Vec<String>;
    fn users(&self) -> Vec<UserFacts>;
    /// Every setting, with this session's values.
    fn settings(&self) -> Vec<SettingFacts>;
    /// Open sessions, as far as this one may see them.
    fn backends(&self) -> Vec<BackendFacts>;
    fn prepared_statements(&self) -> Vec<PreparedFacts>;
    fn cursors(&self) -> Vec<CursorFacts>;
}

#[derive(Debug, Clone)]
pub struct UserFacts {
    pub name: String,
    pub superuser: bool,
}

/// As a row of `pg_settings`; values are in base units.
#[derive(Debug, Clone, Default)]
pub struct SettingFacts {
    pub name: String,
    pub setting: String,
    pub default: String,
    pub unit: Option<String>,
    pub category: String,
    pub context: String,
    pub vartype: String,
    pub min: Option<String>,
    pub max: Option<String>,
    pub enum_values: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
pub struct BackendFacts {
    pub pid: i32,
    pub user: String,
    pub database: String,
    pub application_name: String,
    pub client_addr: Option<IpAddr>,
    pub client_port: Option<u16>,
    pub backend_start: DateTime<Utc>,
    pub transaction_start: Option<DateTime<Utc>>,
    pub query_start: Option<DateTime<Utc>>,
    pub state_change: DateTime<Utc>,
    pub state: String,
    pub query: String,
}

#[derive(Debug, Clone)]
pub struct PreparedFacts {
    pub name: String,
    pub statement: String,
    pub prepared_at: DateTime<Utc>,
    pub parameter_types: Vec<PgType>,
    pub from_sql: bool,
}

#[derive(Debug, Clone)]
pub struct CursorFacts {
    pub name: String,
    pub statement: String,
    pub holdable: bool,
    pub binary: bool,
    pub scrollable: bool,
    pub created_at: DateTime<Utc>,
}

type Rows = Result<Vec<Row>, DataError>;
type MakeRows = fn(&Snapshot, &dyn SessionSource) -> Rows;

/// The relations made here, all in `pg_catalog`.
const RELATIONS: &[(&str, MakeRows)] = &[
    ("pg_authid", roles),
    ("pg_cursors", cursors),
    ("pg_database", databases),
    ("pg_prepared_statements", prepared_statements),
    ("pg_settings", settings),
    ("pg_stat_activity", activity),
    ("pg_timezone_names", timezone_names),
];

/// Finds one of these relations.
pub(super) fn lookup(name: &str, session: &Arc<dyn SessionSource>) -> Option<Source> {
    let (_, rows) = RELATIONS.iter().find(|(relation, _)| *relation == name)?;
    let shape = Arc::clone(Snapshot::get().ok()?.shape("pg_catalog", name)?);
    let session = Arc::clone(session);
    let build: Build = Arc::new(move || {
        let snapshot = Snapshot::get().map_err(Problem::from)?;
        rows(snapshot, session.as_ref()).map_err(Problem::from)
    });
    Some(Source::Lazy(Lazy { shape, build }))
}

fn instant(moment: DateTime<Utc>) -> Datum {
    Datum::TimestampTz(moment.timestamp_micros())
}

fn optional_instant(moment: Option<DateTime<Utc>>) -> Datum {
    moment.map_or(Datum::Null, instant)
}

/// OIDs that PostgreSQL gives its own databases.
fn database_oid(name: &str) -> u32 {
    match name {
        "template1" => 1,
        "template0" => 4,
        "postgres" => 5,
        other => shared_oid("pg_database", other),
    }
}

fn role_oid(snapshot: &Snapshot, name: &str) -> Result<u32, DataError> {
    let roles = snapshot.table("pg_authid")?;
    let known = roles.find("rolname", &Datum::text(name)).next();
    Ok(known.and_then(|row| roles.value(row, "oid").as_oid()).unwrap_or_else(|| shared_oid("pg_authid", name)))
}

/// PostgreSQL's own roles, and the users. The owner of everything may log in only where it is one of the users.
fn roles(snapshot: &Snapshot, session: &dyn SessionSource) -> Rows {
    let users = session.users();
    let fixed = snapshot.table("pg_authid")?;
    let mut rows: Vec<Row> = Vec::new();
    for row in &fixed.rows {
        let owner = fixed.value(row, "rolname").as_str() == Some(OWNER_NAME);
        if !(owner && users.iter().any(|user| user.name == OWNER_NAME)) {
            let mut row = row.to_vec();
            if let Some(place) = fixed.shape.column("rolcanlogin") {
                row[place] = Datum::Bool(false);
            }
            rows.push(row.into());
        }
    }
    for user in &users {
        let powers = Datum::Bool(user.superuser);
        rows.push(row(
            snapshot,
            "pg_authid",
            &[
                ("oid", Datum::Oid(role_oid(snapshot, &user.name)?)),
                ("rolname", Datum::text(&user.name)),
                ("rolsuper", powers.clone()),
                ("rolinherit", Datum::Bool(true)),
                ("rolcreaterole", powers.clone()),
                ("rolcreatedb", powers.clone()),
                ("rolcanlogin", Datum::Bool(true)),
                ("rolreplication", Datum::Bool(user.superuser && user.name == OWNER_NAME)),
                ("rolbypassrls", Datum::Bool(user.superuser && user.name == OWNER_NAME)),
                ("rolconnlimit", Datum::Int4(-1)),
            ],
        )?);
    }
    Ok(rows)
}

fn databases(snapshot: &Snapshot, session: &dyn SessionSource) -> Rows {
    const UTF8: i32 = 6;
    const DEFAULT_TABLESPACE: u32 = 1663;
    let build = |name: &String| {
        let template = matches!(name.as_str(), "template0" | "template1");
        let item = |text: &str| Datum::from(format!("{text}/{OWNER_NAME}"));
        let template_privileges = || {
            let owner = format!("{OWNER_NAME}=CTc");
            Datum::array(PgType::ACLITEM, vec![item("=c"), item(&owner)])
        };
        row(
            snapshot,
            "pg_database",
            &[
                ("oid", Datum::Oid(database_oid(name))),
                ("datname", Datum::text(name)),
                ("datdba", Datum::Oid(OWNER)),
                ("encoding", Datum::Int4(UTF8)),
                ("datlocprovider", Datum::Char(b'c')),
                ("datistemplate", Datum::Bool(template)),
                ("datallowconn", Datum::Bool(name != "template0")),
                ("datconnlimit", Datum::Int4(-1)),
                ("datfrozenxid", Datum::text("3")),
                ("datminmxid", Datum::text("1")),
                ("dattablespace", Datum::Oid(DEFAULT_TABLESPACE)),
                ("datcollate", Datum::text("C.UTF-8")),
                ("datctype", Datum::text("C.UTF-8")),
                ("datacl", if template { template_privileges() } else { Datum::Null }),
            ],
        )
    };
    session.databases().iter().map(build).collect()
}

fn settings(snapshot: &Snapshot, session: &dyn SessionSource) -> Rows {
    let known = snapshot.table("pg_settings")?;
    let build = |setting: SettingFacts| {
        // Where there is no default at all, Postgres tells that from an empty one.
        let fixed = known.find("name", &Datum::text(&setting.name)).next();
        let none = fixed.is_some_and(|row| known.value(row, "boot_val").is_null());
        let changed = setting.setting != setting.default;
        let source = if !changed { "default" } else { "session" };
        row(
            snapshot,
            "pg_settings",
            &[
                ("name", Datum::text(&setting.name)),
                ("setting", Datum::text(&setting.setting)),
                ("unit", setting.unit.into()),
                ("category", Datum::text(&setting.category)),
                ("context", Datum::text(&setting.context)),
                ("vartype", Datum::text(&setting.vartype)),
                ("source", Datum::text(source)),
                ("min_val", setting.min.into()),
                ("max_val", setting.max.into()),
                ("enumvals", setting.enum_values.map_or(Datum::Null, Datum::text_array)),
                ("boot_val", if none { Datum::Null } else { Datum::text(&setting.default) }),
                ("reset_val", Datum::text(&setting.default)),
                ("sourceline", Datum::Null),
            ],
        )
    };
    session.settings().into_iter().map(build).collect()
}

fn activity(snapshot: &Snapshot, session: &dyn SessionSource) -> Rows {
    let build = |backend: BackendFacts| {
        row(
            snapshot,
            "pg_stat_activity",
            &[
                ("datid", Datum::Oid(database_oid(&backend.database))),
                ("datname", Datum::text(&backend.database)),
                ("pid", Datum::Int4(backend.pid)),
                ("leader_pid", Datum::Null),
                ("usesysid", Datum::Oid(role_oid(snapshot, &backend.user)?)),
                ("usename", Datum::text(&backend.user)),
                ("application_name", Datum::text(&backend.application_name)),
                ("client_addr", backend.client_addr.map(|address| address.to_string()).into()),
                ("client_port", backend.client_port.map(i32::from).into()),
                ("backend_start", instant(backend.backend_start)),
                ("xact_start", optional_instant(backend.transaction_start)),
                ("query_start", optional_instant(backend.query_start)),
                ("state_change", instant(backend.state_change)),
                ("state", Datum::text(&backend.state)),
                ("backend_xid", Datum::Null),
                ("backend_xmin", Datum::Null),
                ("query_id", Datum::Null),
                ("query", Datum::text(&backend.query)),
                ("backend_type", Datum::text("client backend")),
            ],
        )
    };
    session.backends().into_iter().map(build).collect()
}

fn prepared_statements(snapshot: &Snapshot, session: &dyn SessionSource) -> Rows {
    let build = |prepared: PreparedFacts| {
        let types = prepared.parameter_types.iter().map(|ty| Datum::Oid(ty.0)).collect();
        row(
            snapshot,
            "pg_prepared_statements",
            &[
                ("name", Datum::text(&prepared.name)),
                ("statement", Datum::text(&prepared.statement)),
                ("prepare_time", instant(prepared.prepared_at)),
                ("parameter_types", Datum::array(PgType::REGTYPE, types)),
                ("from_sql", Datum::Bool(prepared.from_sql)),
            ],
        )
    };
    session.prepared_statements().into_iter().map(build).collect()
}

fn cursors(snapshot: &Snapshot, session: &dyn SessionSource) -> Rows {
    let build = |cursor: CursorFacts| {
        row(
            snapshot,
            "pg_cursors",
            &[
                ("name", Datum::text(&cursor.name)),
                ("statement", Datum::text(&cursor.statement)),
                ("is_holdable", Datum::Bool(cursor.holdable)),
                ("is_binary", Datum::Bool(cursor.binary)),
                ("is_scrollable", Datum::Bool(cursor.scrollable)),
                ("creation_time", instant(cursor.created_at)),
            ],
        )
    };
    session.cursors().into_iter().map(build).collect()
}

/// Abbreviation and offset are those of now.
fn timezone_names(snapshot: &Snapshot, _session: &dyn SessionSource) -> Rows {
    use chrono::{Offset, TimeZone};
    use chrono_tz::OffsetName;

    let names = snapshot.table("pg_timezone_names")?;
    let now = Utc::now().naive_utc();
    let build = |known: &Row| {
        let name = names.value(known, "name").clone();
        let zone: Option<chrono_tz::Tz> = name.as_str().and_then(|name| name.parse().ok());
        let offset = zone?.offset_from_utc_datetime(&now);
        let seconds = i64::from(offset.fix().local_minus_utc());
        let interval = mantissa_core::Interval { months: 0, days: 0, micros: seconds * 1_000_000 };
        let summer = !chrono_tz::OffsetComponents::dst_offset(&offset).is_zero();
        let abbreviation = offset.abbreviation().map_or(Datum::Null, Datum::text);
        Some(row(
            snapshot,
            "pg_timezone_names",
            &[
                ("name", name),
                ("abbrev", abbreviation),
                ("utc_offset", Datum::Interval(interval)),
                ("is_dst", Datum::Bool(summer)),
            ],
        ))
    };
    names.rows.iter().filter_map(build).collect()
}
