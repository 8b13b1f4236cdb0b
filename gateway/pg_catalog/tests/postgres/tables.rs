//! System catalogs as text, from PostgreSQL and from this crate, with OIDs of user objects replaced by names.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use mantissa_core::PgType;
use mantissa_pg_catalog::relations::SessionRelations;
use mantissa_pg_catalog::{Datum, Relation, Relations, Source};
use regex::{Captures, Regex};
use tokio_postgres::{Client, SimpleQueryMessage};

/// One row: column name to text.
pub type TextRow = BTreeMap<String, Option<String>>;

/// Catalogs that hold objects of users, in an order in which labels can be made.
const NAMED: &[&str] = &[
    "pg_namespace",
    "pg_class",
    "pg_type",
    "pg_attrdef",
    "pg_constraint",
    "pg_trigger",
    "pg_rewrite",
    "pg_proc",
    "pg_database",
    "pg_authid",
];

/// OIDs below are PostgreSQL's own and the same everywhere.
const FIRST_USER_OID: u32 = 16_384;

/// Rows of `table` from PostgreSQL, `reg*` columns as numbers.
pub async fn from_postgres(client: &Client, table: &str) -> Vec<TextRow> {
    let columns = client
        .simple_query(&format!(
            "SELECT string_agg(CASE WHEN atttypid IN (24, 2205, 2206) THEN format('%1$I::oid AS %1$I', attname)
                               WHEN atttypid = 194 AND attname = 'ev_action' THEN '''''::text AS ev_action'
                               WHEN attname = 'conbin' THEN 'pg_get_expr(conbin, conrelid) AS conbin'
                               WHEN attname = 'adbin' THEN 'pg_get_expr(adbin, adrelid) AS adbin'
                               WHEN attname = 'prosqlbody' THEN 'NULL::text AS prosqlbody'
                               WHEN attname = 'proargdefaults' THEN 'pg_get_expr(proargdefaults, 0) AS proargdefaults'
                               WHEN attname = 'typdefaultbin' THEN 'pg_get_expr(typdefaultbin, 0) AS typdefaultbin'
                               ELSE format('%I', attname) END, ', ' ORDER BY attnum)
             FROM pg_attribute WHERE attrelid = 'pg_catalog.{table}'::regclass AND attnum > 0"
        ))
        .await
        .expect("the columns of a catalog");
    let columns = text_rows(columns).remove(0).into_values().next().flatten().expect("columns");
    let rows = client.simple_query(&format!("SELECT {columns} FROM pg_catalog.{table}")).await;
    text_rows(rows.unwrap_or_else(|error| panic!("{table}: {error}")))
}

pub fn text_rows(messages: Vec<SimpleQueryMessage>) -> Vec<TextRow> {
    let mut rows = Vec::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            let value = |index: usize| (row.columns()[index].name().to_owned(), row.get(index).map(str::to_owned));
            rows.push((0..row.len()).map(value).collect());
        }
    }
    rows
}

/// Rows of `table` from this crate.
pub fn from_crate(relations: &SessionRelations, table: &str) -> Vec<TextRow> {
    let source = relations.lookup(Some("pg_catalog"), table, &[]).unwrap_or_else(|| panic!("no {table}"));
    let relation = match source {
        Source::Rows(relation) => relation,
        Source::Lazy(lazy) => Arc::new(Relation::new(lazy.shape.clone(), (lazy.build)().expect("rows"))),
        Source::View { .. } => panic!("{table} is a view"),
    };
    let columns = &relation.shape.columns;
    let text = |row: &[Datum]| {
        let values = columns.iter().zip(row).filter(|(column, _)| !column.hidden);
        values.map(|(column, value)| (column.name.clone(), print(value, column.ty))).collect()
    };
    relation.rows.iter().map(|row| text(row)).collect()
}

/// The text forms that system catalogs need.
fn print(value: &Datum, ty: PgType) -> Option<String> {
    Some(match value {
        Datum::Null => return None,
        Datum::Bool(value) => if *value { "t" } else { "f" }.to_owned(),
        Datum::Int2(value) => value.to_string(),
        Datum::Int4(value) => value.to_string(),
        Datum::Int8(value) => value.to_string(),
        Datum::Oid(value) => value.to_string(),
        Datum::Float4(value) => value.to_string(),
        Datum::Char(0) => String::new(),
        Datum::Char(byte) => char::from(*byte).to_string(),
        Datum::Text(text) => text.to_string(),
        Datum::Bytea(bytes) => bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}")),
        Datum::Array(array) => {
            let values = array.values.iter().map(|value| print(value, array.element));
            if matches!(ty, PgType::INT2VECTOR | PgType::OIDVECTOR) {
                values.flatten().collect::<Vec<_>>().join(" ")
            } else {
                let item = |value: Option<String>| match value {
                    None => "NULL".to_owned(),
                    Some(text) if text.is_empty() || text.contains([',', '"', ' ', '\\', '{']) => {
                        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
                    }
                    Some(text) => text,
                };
                format!("{{{}}}", values.map(item).collect::<Vec<_>>().join(","))
            }
        }
        other => panic!("no system catalog holds {other:?}"),
    })
}

/// Names of user objects by OID.
#[derive(Debug, Default)]
pub struct Labels(HashMap<String, String>);

impl Labels {
    /// From the rows of the catalogs [`NAMED`].
    pub fn new(rows: impl Fn(&str) -> Vec<TextRow>) -> Self {
        let mut labels = Self::default();
        for catalog in NAMED {
            // A TOAST table's name has the OID of the table that it belongs to.
            let mut rows = rows(catalog);
            rows.sort_by_key(|row| row.values().flatten().any(|value| value.starts_with("pg_toast_")));
            for row in rows {
                let oid = row["oid"].clone().unwrap_or_default();
                if oid.parse().unwrap_or(0) >= FIRST_USER_OID {
                    let name = labels.name(catalog, &row);
                    labels.0.insert(oid, format!("<{catalog} {name}>"));
                }
            }
        }
        labels
    }

    pub async fn of_postgres(client: &Client) -> Self {
        let mut rows = HashMap::new();
        for catalog in NAMED {
            rows.insert(*catalog, from_postgres(client, catalog).await);
        }
        Self::new(|catalog| rows[catalog].clone())
    }

    pub fn of_crate(relations: &SessionRelations) -> Self {
        Self::new(|catalog| from_crate(relations, catalog))
    }

    fn name(&self, catalog: &str, row: &TextRow) -> String {
        let columns: &[&str] = match catalog {
            "pg_namespace" => &["nspname"],
            "pg_class" => &["relnamespace", "relname"],
            "pg_type" => &["typnamespace", "typname"],
            "pg_attrdef" => &["adrelid", "adnum"],
            "pg_constraint" => &["conrelid", "conname"],
            "pg_trigger" => &["tgconstraint", "tgrelid", "tgtype"],
            "pg_rewrite" => &["ev_class", "rulename"],
            "pg_proc" => &["pronamespace", "proname", "proargtypes"],
            "pg_database" => &["datname"],
            _ => &["rolname"],
        };
        let values = columns.iter().map(|column| self.apply(row[*column].as_deref().unwrap_or("")));
        values.collect::<Vec<_>>().join(".")
    }

    /// Replaces every number that is the OID of a user object.
    pub fn apply(&self, text: &str) -> String {
        static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9]{5,10}").expect("a pattern"));
        let label = |number: &Captures<'_>| self.0.get(&number[0]).cloned().unwrap_or_else(|| number[0].to_owned());
        NUMBER.replace_all(text, label).into_owned()
    }

    /// The OID that stands for a label.
    pub fn oid(&self, label: &str) -> Option<&str> {
        self.0.iter().find(|(_, name)| *name == label).map(|(oid, _)| oid.as_str())
    }
}
