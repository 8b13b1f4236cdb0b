//! Session settings: PostgreSQL 15's own list (name, type, unit, bounds) plus `mantissa.*`, with SET, SHOW and RESET.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use mantissa_core::{Ceilings, ErrorKind, Problem};

use crate::engine::SettingView;
use crate::outcome::Result;

/// Facts about PostgreSQL 15's settings: name, boot value, unit, type, context, category, least, most, enum values.
const POSTGRES_SETTINGS: &str = include_str!("settings.tsv");

/// `mantissa.*`, in the same columns.
const OWN_SETTINGS: &str = "\
mantissa.ask_rows\t1000\t\tinteger\tuser\tMantissa\t1\t2147483647\t
mantissa.confirm_above_usd\t1\t\treal\tuser\tMantissa\t0\t1e+09\t
mantissa.engine\tlake\t\tstring\tinternal\tMantissa\t\t\t
mantissa.max_rows\t10000\t\tinteger\tuser\tMantissa\t1\t2147483647\t
mantissa.now\t\t\tstring\tuser\tMantissa\t\t\t
";

/// Values that this server reports in place of PostgreSQL's boot values.
const SERVED_DEFAULTS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("default_text_search_config", "pg_catalog.english"),
    ("default_transaction_read_only", "on"),
    ("lc_collate", "C"),
    ("lc_ctype", "C.UTF-8"),
    ("lc_messages", "C.UTF-8"),
    ("lc_monetary", "C.UTF-8"),
    ("lc_numeric", "C.UTF-8"),
    ("lc_time", "C.UTF-8"),
    ("log_timezone", "UTC"),
    ("max_stack_depth", "2048"),
    ("search_path", "\"$user\", logs, public"),
    ("server_encoding", "UTF8"),
    ("server_version", SERVER_VERSION),
    ("server_version_num", "150018"),
    ("statement_timeout", "120000"),
    ("timezone", "UTC"),
    ("transaction_read_only", "on"),
];

/// The PostgreSQL release whose behaviour this server follows; drivers parse it.
pub const SERVER_VERSION: &str = "15.18";

/// Settings that a client is told about at start-up and whenever they change.
const REPORTED: &[&str] = &[
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

#[derive(Debug)]
struct Definition {
    name: &'static str,
    boot: &'static str,
    unit: Option<&'static str>,
    vartype: &'static str,
    context: &'static str,
    category: &'static str,
    min: Option<&'static str>,
    max: Option<&'static str>,
    enum_values: Option<&'static str>,
}

/// By lower-case name.
static DEFINITIONS: LazyLock<BTreeMap<String, Definition>> = LazyLock::new(|| {
    POSTGRES_SETTINGS
        .lines()
        .chain(OWN_SETTINGS.lines())
        .filter_map(definition)
        .map(|definition| (definition.name.to_ascii_lowercase(), definition))
        .collect()
});

fn definition(line: &'static str) -> Option<Definition> {
    let mut cells = line.split('\t');
    let mut next = || cells.next();
    let (name, boot, unit, vartype) = (next()?, next()?, next()?, next()?);
    let (context, category, min, max, enum_values) = (next()?, next()?, next()?, next()?, next()?);
    let filled = |cell: &'static str| (!cell.is_empty()).then_some(cell);
    let served = SERVED_DEFAULTS.iter().find(|(served, _)| served.eq_ignore_ascii_case(name));
    Some(Definition {
        name,
        boot: served.map_or(if boot == "\\N" { "" } else { boot }, |(_, value)| value),
        unit: filled(unit),
        vartype,
        context,
        category,
        min: filled(min),
        max: filled(max),
        enum_values: filled(enum_values),
    })
}

/// How values of a session are printed.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputStyle {
    pub date_style: DateStyle,
    pub date_order: DateOrder,
    pub interval_style: IntervalStyle,
    pub time_zone: TimeZone,
    pub extra_float_digits: i32,
    /// bytea as `\xff` (true) or in the old escape format.
    pub bytea_hex: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    Iso,
    Sql,
    Postgres,
    German,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    Mdy,
    Dmy,
    Ymd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeZone {
    Named(chrono_tz::Tz),
    /// Seconds east of UTC.
    Fixed(i32),
}

impl TimeZone {
    /// Reads a zone as SET TIME ZONE takes it: a tz database name, `UTC`, `+02`, `-3.5` or `+05:30`. A bare number counts
    /// hours east, as in Postgres.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let name = text.strip_prefix("posix/").unwrap_or(text);
        if let Some(zone) = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)) {
            return Some(Self::Named(*zone));
        }
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let seconds = match digits.split_once(':') {
            Some((hours, minutes)) => hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60,
            None => (digits.parse::<f64>().ok()? * 3600.0) as i32,
        };
        let signed = if text.starts_with('-') { -seconds } else { seconds };
        (signed.abs() <= 16 * 3600).then_some(Self::Fixed(signed))
    }
}

/// The settings of one session. Cheap to make: only values that differ from the defaults are stored.
#[derive(Debug, Clone)]
pub struct Settings {
    /// By lower-case name, in base units. What RESET goes back to.
    session_defaults: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
    /// Values to go back to when the transaction ends: SET LOCAL, and every SET when it rolls back.
    local: BTreeMap<String, Option<String>>,
    uncommitted: BTreeMap<String, Option<String>>,
    changed: Vec<String>,
    generation: u64,
}

impl Settings {
    /// Settings of a fresh session with the ceilings of its identity.
    pub fn new(ceilings: &Ceilings, user: &str, superuser: bool, engine: &str) -> Self {
        let mut session_defaults = BTreeMap::new();
        let mut set = |name: &str, value: String| session_defaults.insert(name.to_owned(), value);
        set("mantissa.max_rows", ceilings.max_rows.to_string());
        set("mantissa.ask_rows", ceilings.ask_rows.to_string());
        set("mantissa.engine", engine.to_owned());
        set("statement_timeout", ceilings.statement_timeout.as_millis().to_string());
        set("is_superuser", if superuser { "on" } else { "off" }.to_owned());
        set("session_authorization", user.to_owned());
        Self {
            session_defaults,
            values: BTreeMap::new(),
            local: BTreeMap::new(),
            uncommitted: BTreeMap::new(),
            changed: Vec::new(),
            generation: 0,
        }
    }

    /// A start-up option: like SET, but it becomes the value that RESET goes back to.
    pub fn set_default(&mut self, name: &str, value: &str, ceilings: &Ceilings) -> Result<()> {
        let (key, value) = self.checked(name, value, ceilings)?;
        self.session_defaults.insert(key, value);
        Ok(())
    }

    /// SET, or SET LOCAL. `in_transaction`: an open transaction block, whose ROLLBACK undoes it.
    pub fn set(
        &mut self,
        name: &str,
        value: &str,
        local: bool,
        in_transaction: bool,
        ceilings: &Ceilings,
    ) -> Result<()> {
        let (key, value) = self.checked(name, value, ceilings)?;
        let before = self.values.get(&key).cloned();
        if local {
            if !in_transaction {
                return Ok(());
            }
            self.local.entry(key.clone()).or_insert(before);
        } else if in_transaction {
            self.uncommitted.entry(key.clone()).or_insert(before);
            self.local.remove(&key);
        }
        self.values.insert(key.clone(), value);
        self.touched(key);
        Ok(())
    }

    /// Whether SET of this name changes who one is.
    pub(crate) fn is_role(name: &str) -> bool {
        name.eq_ignore_ascii_case("role") || name.eq_ignore_ascii_case("session_authorization")
    }

    /// SET ROLE and SET SESSION AUTHORIZATION: only to what one is.
    pub(crate) fn check_role(role: &str, user: &str) -> Result<()> {
        if role == "none" || role == user {
            return Ok(());
        }
        let message = format!("permission denied to set role \"{role}\"");
        Err(Problem::new(ErrorKind::InsufficientPrivilege, message))
    }

    pub fn reset(&mut self, name: &str, in_transaction: bool) -> Result<()> {
        let key = name.to_ascii_lowercase();
        if !self.exists(&key) {
            return Err(unknown(name));
        }
        let before = self.values.remove(&key);
        if in_transaction {
            self.uncommitted.entry(key.clone()).or_insert(before);
        }
        self.touched(key);
        Ok(())
    }

    pub fn reset_all(&mut self) {
        let keys: Vec<String> =
            self.values.keys().filter(|key| !NO_RESET_ALL.contains(&key.as_str())).cloned().collect();
        for key in keys {
            self.values.remove(&key);
            self.touched(key);
        }
    }

    /// Ends a transaction: SET LOCAL goes back always, SET only when the transaction did not commit.
    pub fn end_transaction(&mut self, committed: bool) {
        let mut restore = std::mem::take(&mut self.local);
        let uncommitted = std::mem::take(&mut self.uncommitted);
        if !committed {
            restore.extend(uncommitted);
        }
        for (key, before) in restore {
            match before {
                Some(value) => self.values.insert(key.clone(), value),
                None => self.values.remove(&key),
            };
            self.touched(key);
        }
    }

    /// The value in base units.
    pub fn get(&self, name: &str) -> Option<&str> {
        let key = name.to_ascii_lowercase();
        self.values
            .get(&key)
            .or_else(|| self.session_defaults.get(&key))
            .map(String::as_str)
            .or_else(|| self.session_characteristic(&key))
            .or_else(|| DEFINITIONS.get(&key).map(|definition| definition.boot))
    }

    /// The value as SHOW prints it, with the setting's proper name.
    pub fn show(&self, name: &str) -> Result<(String, String)> {
        let key = name.to_ascii_lowercase();
        let value = self.get(&key).ok_or_else(|| unknown(name))?;
        Ok(match DEFINITIONS.get(&key) {
            Some(definition) => (definition.name.to_owned(), shown(definition, value)),
            None => (name.to_owned(), value.to_owned()),
        })
    }

    /// Every setting, sorted by name.
    pub fn views(&self) -> Vec<SettingView> {
        let custom = self.values.iter().filter(|(key, _)| !DEFINITIONS.contains_key(*key));
        let known = DEFINITIONS.iter().map(|(key, definition)| self.view(key, definition));
        known.chain(custom.map(|(key, value)| custom_view(key, value))).collect()
    }

    /// One setting, by any spelling of its name.
    pub fn find(&self, name: &str) -> Option<SettingView> {
        let key = name.to_ascii_lowercase();
        match DEFINITIONS.get(&key) {
            Some(definition) => Some(self.view(&key, definition)),
            None => self.values.get(&key).map(|value| custom_view(&key, value)),
        }
    }

    /// Reported settings that changed since the last call, as (name, shown value).
    pub fn take_changes(&mut self) -> Vec<(&'static str, String)> {
        if self.changed.is_empty() {
            return Vec::new();
        }
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort();
        changed.dedup();
        self.reported().into_iter().filter(|(name, _)| changed.contains(&name.to_ascii_lowercase())).collect()
    }

    /// Every reported setting, for start-up.
    pub fn reported(&self) -> Vec<(&'static str, String)> {
        REPORTED.iter().filter_map(|name| self.show(name).ok().map(|(_, value)| (*name, value))).collect()
    }

    pub fn integer(&self, name: &str) -> i64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    pub fn real(&self, name: &str) -> f64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }

    /// The instant that `SET mantissa.now` froze, if it did.
    pub fn frozen_now(&self) -> Option<DateTime<Utc>> {
        self.get("mantissa.now").and_then(parse_instant)
    }

    /// Schemas in order: `$user` replaced, quotes removed.
    pub fn search_path(&self, user: &str) -> Vec<String> {
        split_list(self.get("search_path").unwrap_or(""))
            .into_iter()
            .map(|schema| if schema == "$user" { user.to_owned() } else { schema })
            .collect()
    }

    pub fn output_style(&self) -> OutputStyle {
        let date_style = self.get("datestyle").unwrap_or("").to_ascii_lowercase();
        let has = |word: &str| date_style.contains(word);
        OutputStyle {
            date_style: match () {
                _ if has("german") => DateStyle::German,
                _ if has("sql") => DateStyle::Sql,
                _ if has("postgres") => DateStyle::Postgres,
                _ => DateStyle::Iso,
            },
            date_order: match () {
                _ if has("dmy") => DateOrder::Dmy,
                _ if has("ymd") => DateOrder::Ymd,
                _ => DateOrder::Mdy,
            },
            interval_style: match self.get("intervalstyle").unwrap_or("") {
                "postgres_verbose" => IntervalStyle::PostgresVerbose,
                "sql_standard" => IntervalStyle::SqlStandard,
                "iso_8601" => IntervalStyle::Iso8601,
                _ => IntervalStyle::Postgres,
            },
            time_zone: self.get("timezone").and_then(TimeZone::parse).unwrap_or(TimeZone::Fixed(0)),
            extra_float_digits: self.integer("extra_float_digits") as i32,
            bytea_hex: self.get("bytea_output") != Some("escape"),
        }
    }

    /// Rises with every change: what was planned under another number may mean something else now.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// A transaction that sets none of its own has the session's: `transaction_isolation` from
    /// `default_transaction_isolation`.
    fn session_characteristic(&self, key: &str) -> Option<&str> {
        key.starts_with("transaction_").then(|| self.get(&format!("default_{key}"))).flatten()
    }

    fn touched(&mut self, key: String) {
        self.generation += 1;
        self.changed.push(key);
    }

    fn exists(&self, key: &str) -> bool {
        DEFINITIONS.contains_key(key) || self.values.contains_key(key) || self.session_defaults.contains_key(key)
    }

    fn view(&self, key: &str, definition: &'static Definition) -> SettingView {
        let setting = self.get(key).unwrap_or_default().to_owned();
        SettingView {
            name: definition.name.to_owned(),
            value: shown(definition, &setting),
            setting,
            default: definition.boot.to_owned(),
            enum_values: definition.enum_values,
            min: definition.min,
            max: definition.max,
            category: definition.category,
            vartype: definition.vartype,
            unit: definition.unit,
            context: definition.context,
        }
    }

    /// Checks a value against the setting's type, bounds and the role's ceilings; gives the key and the value in base
    /// units.
    fn checked(&self, name: &str, value: &str, ceilings: &Ceilings) -> Result<(String, String)> {
        let key = name.to_ascii_lowercase();
        let Some(definition) = DEFINITIONS.get(&key) else {
            let custom = key.contains('.') && !key.starts_with("mantissa.");
            return if custom { Ok((key, value.to_owned())) } else { Err(unknown(name)) };
        };
        if definition.context == "internal" {
            let message = format!("parameter \"{}\" cannot be changed", definition.name);
            return Err(Problem::new(ErrorKind::InvalidParameterValue, message));
        }
        if !matches!(definition.context, "user" | "superuser") {
            let message = format!("parameter \"{}\" cannot be changed now", definition.name);
            return Err(Problem::new(ErrorKind::InvalidParameterValue, message));
        }
        let value = typed(definition, value)?;
        let value = special(definition, value)?;
        within_ceilings(definition, &value, ceilings)?;
        Ok((key, value))
    }
}

/// RESET ALL leaves these, as Postgres does.
const NO_RESET_ALL: &[&str] = &["transaction_isolation", "transaction_read_only", "transaction_deferrable"];

fn custom_view(name: &str, value: &str) -> SettingView {
    SettingView {
        name: name.to_owned(),
        value: value.to_owned(),
        setting: value.to_owned(),
        default: String::new(),
        enum_values: None,
        min: None,
        max: None,
        category: "Customized Options",
        vartype: "string",
        unit: None,
        context: "user",
    }
}

fn unknown(name: &str) -> Problem {
    Problem::new(ErrorKind::UndefinedObject, format!("unrecognized configuration parameter \"{name}\""))
}

fn invalid(definition: &Definition, value: &str) -> Problem {
    let message = format!("invalid value for parameter \"{}\": \"{value}\"", definition.name);
    Problem::new(ErrorKind::InvalidParameterValue, message)
}

fn typed(definition: &Definition, value: &str) -> Result<String> {
    match definition.vartype {
        "bool" => parse_bool(value).map(|on| if on { "on" } else { "off" }.to_owned()).ok_or_else(|| {
            Problem::new(
                ErrorKind::InvalidParameterValue,
                format!("parameter \"{}\" requires a Boolean value", definition.name),
            )
        }),
        "integer" | "real" => number(definition, value),
        "enum" => {
            let wanted = value.to_ascii_lowercase();
            let allowed = definition.enum_values.unwrap_or("");
            if allowed.split(',').any(|option| option == wanted) || is_enum_alias(&wanted) {
                return Ok(wanted);
            }
            let hint = format!("Available values: {}.", allowed.replace(',', ", "));
            Err(invalid(definition, value).hint(hint))
        }
        _ => Ok(value.to_owned()),
    }
}

/// Boolean spellings that Postgres takes for its three-valued enums (`force_parallel_mode`, ...).
fn is_enum_alias(value: &str) -> bool {
    matches!(value, "true" | "false" | "yes" | "no" | "1" | "0")
}

fn parse_bool(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "t" | "yes" | "y" | "1" => Some(true),
        "off" | "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

fn number(definition: &Definition, value: &str) -> Result<String> {
    let trimmed = value.trim();
    let digits = trimmed.find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E').unwrap_or(trimmed.len());
    let (amount, suffix) = trimmed.split_at(digits);
    let amount: f64 = amount.trim().parse().map_err(|_| invalid(definition, value))?;
    let scale = if suffix.is_empty() { 1.0 } else { unit_scale(definition, suffix.trim(), value)? };
    let amount = amount * scale;
    let below = definition.min.and_then(|min| f64::from_str(min).ok()).is_some_and(|min| amount < min);
    let above = definition.max.and_then(|max| f64::from_str(max).ok()).is_some_and(|max| amount > max);
    if below || above {
        let (min, max) = (definition.min.unwrap_or(""), definition.max.unwrap_or(""));
        let message =
            format!("{value} is outside the valid range for parameter \"{}\" ({min} .. {max})", definition.name);
        return Err(Problem::new(ErrorKind::InvalidParameterValue, message));
    }
    Ok(if definition.vartype == "integer" { (amount.round() as i64).to_string() } else { amount.to_string() })
}

/// Microseconds or bytes in each unit name.
const UNITS: &[(&str, f64)] = &[
    ("us", 1.0),
    ("ms", 1e3),
    ("s", 1e6),
    ("min", 6e7),
    ("h", 3.6e9),
    ("d", 8.64e10),
    ("B", 1.0),
    ("kB", 1024.0),
    ("8kB", 8192.0),
    ("MB", 1048576.0),
    ("GB", 1073741824.0),
    ("TB", 1099511627776.0),
];

fn unit_size(unit: &str) -> Option<f64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size)
}

fn is_memory(unit: &str) -> bool {
    unit.ends_with('B')
}

fn unit_scale(definition: &Definition, suffix: &str, value: &str) -> Result<f64> {
    let bad = || {
        let hint = match definition.unit {
            Some(unit) if is_memory(unit) => {
                "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
            }
            Some(_) => "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".",
            None => return invalid(definition, value),
        };
        invalid(definition, value).hint(hint)
    };
    let base = definition.unit.ok_or_else(bad)?;
    if is_memory(base) != is_memory(suffix) {
        return Err(bad());
    }
    match (unit_size(suffix), unit_size(base)) {
        (Some(size), Some(base)) => Ok(size / base),
        _ => Err(bad()),
    }
}

/// Prints a base-unit value the way SHOW does: in the largest unit that divides it.
fn shown(definition: &Definition, value: &str) -> String {
    let (Some(unit), Ok(amount)) = (definition.unit, value.parse::<i64>()) else {
        return value.to_owned();
    };
    let Some(base) = unit_size(unit) else { return value.to_owned() };
    if amount <= 0 {
        return value.to_owned();
    }
    let total = amount as f64 * base;
    let memory = is_memory(unit);
    UNITS
        .iter()
        .rev()
        .filter(|(name, _)| is_memory(name) == memory && *name != "8kB")
        .find(|(_, size)| total >= *size && total % size == 0.0)
        .map_or_else(|| value.to_owned(), |(name, size)| format!("{}{name}", (total / size) as i64))
}

fn special(definition: &Definition, value: String) -> Result<String> {
    match definition.name {
        "TimeZone" => match TimeZone::parse(&value) {
            Some(TimeZone::Named(zone)) => Ok(zone.name().to_owned()),
            Some(TimeZone::Fixed(seconds)) => Ok(posix_zone(seconds)),
            None => Err(invalid(definition, &value)),
        },
        "client_encoding" => match value.to_ascii_uppercase().replace(['-', '_', '\'', ' '], "").as_str() {
            "UTF8" | "UNICODE" => Ok("UTF8".to_owned()),
            "SQLASCII" => Ok("SQL_ASCII".to_owned()),
            name if OTHER_ENCODINGS.iter().any(|known| name.starts_with(known)) => Err(Problem::new(
                ErrorKind::FeatureNotSupported,
                format!("conversion between {value} and UTF8 is not supported"),
            )
            .hint("Use client_encoding UTF8.")),
            _ => Err(invalid(definition, &value)),
        },
        "DateStyle" => date_style(&value).ok_or_else(|| invalid(definition, &value)),
        "mantissa.now" if !value.is_empty() && parse_instant(&value).is_none() => Err(invalid(definition, &value)
            .hint("Give an instant such as '2026-11-18 15:42:00+00', or '' for the real time.")),
        "default_transaction_read_only" | "transaction_read_only" if value == "off" => {
            Err(Problem::new(ErrorKind::FeatureNotSupported, "cannot set transaction read-write mode")
                .hint("This server only reads; every transaction is read-only."))
        }
        _ => Ok(value),
    }
}

/// How the names of encodings begin that PostgreSQL converts and this server does not, without separators.
const OTHER_ENCODINGS: &[&str] =
    &["LATIN", "ISO8859", "WIN", "KOI8", "EUC", "SJIS", "SHIFTJIS", "BIG5", "GBK", "GB18030", "UHC", "JOHAB", "MULE"];

/// `<+02>-02`, the POSIX form in which Postgres shows a fixed offset.
fn posix_zone(seconds: i32) -> String {
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    let offset = if minutes == 0 { format!("{hours:02}") } else { format!("{hours:02}:{minutes:02}") };
    let (sign, inverse) = if seconds < 0 { ('-', '+') } else { ('+', '-') };
    format!("<{sign}{offset}>{inverse}{offset}")
}

fn date_style(value: &str) -> Option<String> {
    let (mut style, mut order) = ("ISO", "MDY");
    for word in value.split(',').map(|word| word.trim().to_ascii_uppercase()) {
        match word.as_str() {
            "ISO" => style = "ISO",
            "SQL" => style = "SQL",
            "POSTGRES" => style = "Postgres",
            "GERMAN" => (style, order) = ("German", "DMY"),
            "MDY" | "US" | "NONEURO" | "NONEUROPEAN" => order = "MDY",
            "DMY" | "EURO" | "EUROPEAN" => order = "DMY",
            "YMD" => order = "YMD",
            "DEFAULT" => {}
            _ => return None,
        }
    }
    Some(format!("{style}, {order}"))
}

fn within_ceilings(definition: &Definition, value: &str, ceilings: &Ceilings) -> Result<()> {
    let amount: f64 = value.parse().unwrap_or(0.0);
    let most = match definition.name {
        "mantissa.max_rows" | "mantissa.ask_rows" => ceilings.max_rows as f64,
        "statement_timeout" => ceilings.statement_timeout.as_millis() as f64,
        "mantissa.confirm_above_usd" => ceilings.max_usd_per_query,
        _ => return Ok(()),
    };
    if amount > most {
        let message = format!("\"{}\" cannot be set above {most}", definition.name);
        return Err(Problem::new(ErrorKind::InsufficientPrivilege, message)
            .hint("This is a ceiling of your role; an administrator can raise it."));
    }
    Ok(())
}

/// Splits a comma-separated list of identifiers, folding unquoted ones.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let (mut quoted, mut was_quoted) = (false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                item.push('"');
            }
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ',' if !quoted => push_item(&mut items, &mut item, &mut was_quoted),
            c if c.is_whitespace() && !quoted => {}
            c if quoted => item.push(c),
            c => item.extend(c.to_lowercase()),
        }
    }
    push_item(&mut items, &mut item, &mut was_quoted);
    items
}

fn push_item(items: &mut Vec<String>, item: &mut String, was_quoted: &mut bool) {
    if !item.is_empty() || *was_quoted {
        items.push(std::mem::take(item));
    }
    *was_quoted = false;
}

/// Reads an instant in ISO form; without an offset it is UTC.
fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let padded = if text.len() > 3 && (text[..text.len() - 2].ends_with(['+', '-'])) {
        format!("{text}:00")
    } else {
        text.to_owned()
    };
    DateTime::parse_from_rfc3339(&padded.replacen(' ', "T", 1))
        .map(|instant| instant.to_utc())
        .ok()
        .or_else(|| {
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok().map(|naive| naive.and_utc())
        })
        .or_else(|| {
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|naive| naive.and_utc())
        })
        .or_else(|| {
            chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()
                .and_then(|date| date.and_hms_opt(0, 0, 0))
                .map(|naive| naive.and_utc())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(&Ceilings::default(), "ann", false, "lake")
    }

    fn set(settings: &mut Settings, name: &str, value: &str) -> Result<()> {
        settings.set(name, value, false, false, &Ceilings::default())
    }

    #[test]
    fn values_are_shown_in_their_largest_unit() {
        let mut settings = settings();
        for (name, value, shown) in [
            ("statement_timeout", "1500", "1500ms"),
            ("statement_timeout", "30s", "30s"),
            ("statement_timeout", "2min", "2min"),
            ("work_mem", "8MB", "8MB"),
            ("DateStyle", "german", "German, DMY"),
            ("timezone", "europe/berlin", "Europe/Berlin"),
            ("TIMEZONE", "+02", "<+02>-02"),
            ("jit", "1", "on"),
            ("extra_float_digits", "3", "3"),
        ] {
            set(&mut settings, name, value).unwrap();
            assert_eq!(settings.show(name).unwrap().1, shown, "{name} = {value}");
        }
    }

    #[test]
    fn wrong_values_are_refused() {
        let mut settings = settings();
        for (name, value) in [
            ("nonsense", "1"),
            ("jit", "perhaps"),
            ("timezone", "Mars/Olympus"),
            ("extra_float_digits", "99"),
            ("server_version", "16"),
            ("mantissa.max_rows", "10001"),
            ("mantissa.typo", "1"),
            ("client_encoding", "LATIN1"),
            ("mantissa.now", "soon"),
            ("default_transaction_read_only", "off"),
        ] {
            assert!(set(&mut settings, name, value).is_err(), "{name} = {value}");
        }
    }

    #[test]
    fn a_rollback_undoes_set_and_a_commit_undoes_set_local() {
        let mut settings = settings();
        let ceilings = Ceilings::default();
        settings.set("timezone", "Asia/Tokyo", false, true, &ceilings).unwrap();
        settings.end_transaction(false);
        assert_eq!(settings.get("timezone"), Some("UTC"));
        settings.set("timezone", "Asia/Tokyo", false, true, &ceilings).unwrap();
        settings.set("work_mem", "1MB", true, true, &ceilings).unwrap();
        settings.end_transaction(true);
        assert_eq!(settings.get("timezone"), Some("Asia/Tokyo"));
        assert_eq!(settings.show("work_mem").unwrap().1, "4MB");
    }

    #[test]
    fn search_path_is_split_as_identifiers() {
        let mut settings = settings();
        set(&mut settings, "search_path", "\"My Schema\", $user , Logs").unwrap();
        assert_eq!(settings.search_path("ann"), ["My Schema", "ann", "logs"]);
    }

    #[test]
    fn a_frozen_instant_is_read() {
        let mut settings = settings();
        set(&mut settings, "mantissa.now", "2026-11-18 15:42:00+00").unwrap();
        assert_eq!(settings.frozen_now().unwrap().to_rfc3339(), "2026-11-18T15:42:00+00:00");
        set(&mut settings, "mantissa.now", "").unwrap();
        assert_eq!(settings.frozen_now(), None);
    }
}
