//! Rows that the crate makes for a database's objects, against those of PostgreSQL for the same DDL.

use std::collections::BTreeMap;
use std::sync::Arc;

use mantissa_core::{Catalog, Column, PgType, Table, TableKind, TableName};
use mantissa_pg_catalog::relations::{DatabaseRelations, Objects, SessionRelations};

use crate::corpus;
use crate::fixture::{Fixture, demo_objects};
use crate::server::Server;
use crate::tables::{Labels, TextRow, from_crate, from_postgres};

/// Every catalog in which a user's objects have rows.
const CATALOGS: &[&str] = &[
    "pg_namespace",
    "pg_class",
    "pg_attribute",
    "pg_type",
    "pg_attrdef",
    "pg_constraint",
    "pg_index",
    "pg_trigger",
    "pg_proc",
    "pg_description",
    "pg_rewrite",
    "pg_depend",
    "pg_database",
    "pg_authid",
    "pg_inherits",
    "pg_sequence",
];

/// Columns left out, with the reason.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    ("pg_class", "relfrozenxid", "transaction ids differ from run to run"),
    ("pg_class", "relminmxid", "transaction ids differ from run to run"),
    ("pg_class", "relfilenode", "files of mapped catalogs are numbered as they are rewritten"),
    ("pg_class", "relallvisible", "what VACUUM found"),
    ("pg_attribute", "attoptions", "since 15.19 PostgreSQL keeps a log position there for its own use"),
    ("pg_database", "datfrozenxid", "transaction ids differ from run to run"),
    ("pg_database", "datminmxid", "transaction ids differ from run to run"),
    ("pg_rewrite", "ev_action", "a parsed tree in PostgreSQL, the SELECT's text here"),
    ("pg_proc", "prosrc", "bodies of PostgreSQL's own SQL functions are not carried"),
    ("pg_authid", "rolpassword", "a secret"),
];

/// Rows that only PostgreSQL has, with the reason.
fn left_out(catalog: &str, row: &TextRow) -> bool {
    let own = |column: &str| row.get(column).cloned().flatten().and_then(|oid| oid.parse::<u32>().ok());
    match catalog {
        // Sentences about PostgreSQL's own objects are not carried.
        "pg_description" => own("objoid").is_some_and(|oid| oid < 16_384),
        // What a view's SELECT reads is not analysed.
        "pg_depend" => {
            let of = |column: &str, value: &str| row.get(column).cloned().flatten().as_deref() == Some(value);
            of("classid", "2618") && of("deptype", "n") && !of("refobjsubid", "0")
        }
        _ => false,
    }
}

fn normal(catalog: &str, rows: Vec<TextRow>, labels: &Labels) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for mut row in rows {
        if left_out(catalog, &row) {
            continue;
        }
        for (_, column, _) in LEFT_OUT.iter().filter(|(other, ..)| *other == catalog) {
            row.remove(*column);
        }
        // ANALYZE counts rows of system catalogs, which are others here.
        let system = row.get("oid").cloned().flatten().is_some_and(|oid| oid.parse::<u32>().unwrap_or(0) < 16_384);
        if catalog == "pg_class" && system {
            row.remove("relpages");
            row.remove("reltuples");
        }
        let mut text = String::new();
        for (column, value) in row {
            let value = value.map_or("NULL".to_owned(), |value| labels.apply(&value));
            text.push_str(&format!("{column}={value}|"));
        }
        *counted.entry(text).or_insert(0) += 1;
    }
    counted
}

/// The rows of each catalog that only one of the two has.
async fn differences(server: &Server, database: &str, relations: &SessionRelations) -> Vec<String> {
    let client = server.connect(database).await;
    let theirs = Labels::of_postgres(&client).await;
    let ours = Labels::of_crate(relations);
    let mut differences = Vec::new();
    for catalog in CATALOGS {
        let expected = normal(catalog, from_postgres(&client, catalog).await, &theirs);
        let found = normal(catalog, from_crate(relations, catalog), &ours);
        for (row, count) in &expected {
            if found.get(row) != Some(count) {
                differences.push(format!("{catalog} lacks     {count} x {row}"));
            }
        }
        for (row, count) in &found {
            if expected.get(row) != Some(count) {
                differences.push(format!("{catalog} has extra {count} x {row}"));
            }
        }
    }
    differences
}

#[tokio::test]
async fn catalogs_of_the_corpus_schema_are_those_of_postgresql() {
    const TEST: &str = "catalogs_of_the_corpus_schema_are_those_of_postgresql";
    let (Some(folder), Some(server)) = (corpus::folder(TEST), Server::start(TEST)) else { return };
    Fixture::load_demo(&server, &folder).await;
    let fixture = Fixture::new(&server, &demo_objects()).await;
    let differences = differences(&server, "demo", &fixture.relations).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// A catalog as the lake's, with a column of every type that a table may have.
fn lake() -> Catalog {
    let types = [
        PgType::BOOL,
        PgType::INT2,
        PgType::INT4,
        PgType::INT8,
        PgType::FLOAT4,
        PgType::FLOAT8,
        PgType::NUMERIC,
        PgType::TEXT,
        PgType::VARCHAR,
        PgType::BPCHAR,
        PgType::NAME,
        PgType::BYTEA,
        PgType::UUID,
        PgType::DATE,
        PgType::TIME,
        PgType::TIMETZ,
        PgType::TIMESTAMP,
        PgType::TIMESTAMPTZ,
        PgType::INTERVAL,
        PgType::JSON,
        PgType::JSONB,
        PgType::INET,
        PgType::CIDR,
        PgType::MACADDR,
        PgType::OID,
    ];
    let arrays = types.iter().filter_map(|ty| ty.array());
    let mut columns: Vec<Column> =
        types.into_iter().chain(arrays).map(|ty| Column::new(format!("c_{}", ty.name()), ty)).collect();
    let mut modified = Column::new("modified", PgType::VARCHAR);
    modified.typmod = 44;
    modified.nullable = false;
    modified.comment = Some("at most forty characters".to_owned());
    columns.push(modified);
    let mut decimal = Column::new("decimal", PgType::NUMERIC);
    decimal.typmod = (12 << 16) + 2 + 4;
    columns.push(decimal);
    let narrow = vec![Column::new("time", PgType::TIMESTAMPTZ), Column::new("port", PgType::INT4)];
    let table = |name: &str, kind, columns, comment: Option<&str>| {
        let comment = comment.map(str::to_owned);
        Arc::new(Table { name: TableName::new("logs", name), kind, columns, comment })
    };
    let select = "SELECT 1 AS one".to_owned();
    let one = vec![Column::new("one", PgType::INT4)];
    Catalog {
        tables: vec![
            table("every_type", TableKind::Table, columns, Some("all of them")),
            table("narrow", TableKind::Table, narrow, None),
            table("a_view", TableKind::View(select), one, Some("a view")),
        ],
    }
}

/// The DDL that makes the same tables in PostgreSQL.
fn ddl(catalog: &Catalog) -> String {
    let mut ddl = String::from("CREATE SCHEMA logs; GRANT USAGE ON SCHEMA logs TO PUBLIC;\n");
    for table in &catalog.tables {
        let name = &table.name;
        match &table.kind {
            TableKind::View(select) => ddl.push_str(&format!("CREATE VIEW {name} AS {select};\n")),
            TableKind::Table => {
                let columns: Vec<String> = table.columns.iter().map(column_ddl).collect();
                ddl.push_str(&format!("CREATE TABLE {name} ({});\n", columns.join(", ")));
            }
        }
        ddl.push_str(&format!("GRANT SELECT ON {name} TO PUBLIC;\n"));
        if let Some(comment) = &table.comment {
            let kind = if table.kind == TableKind::Table { "TABLE" } else { "VIEW" };
            ddl.push_str(&format!("COMMENT ON {kind} {name} IS '{comment}';\n"));
        }
        for column in &table.columns {
            if let Some(comment) = &column.comment {
                ddl.push_str(&format!("COMMENT ON COLUMN {name}.{} IS '{comment}';\n", column.name));
            }
        }
    }
    ddl
}

fn column_ddl(column: &Column) -> String {
    let element = column.ty.element().unwrap_or(column.ty);
    let ty = match (element, column.typmod) {
        (PgType::VARCHAR, typmod) if typmod > 0 => format!("varchar({})", typmod - 4),
        (PgType::NUMERIC, typmod) if typmod > 0 => format!("numeric({},{})", (typmod - 4) >> 16, (typmod - 4) & 0xffff),
        (ty, _) => ty.name(),
    };
    let dimensions = if column.ty.element().is_some() { "[]" } else { "" };
    format!("{} {ty}{dimensions}{}", column.name, if column.nullable { "" } else { " NOT NULL" })
}

#[tokio::test]
async fn catalogs_of_lake_tables_are_those_of_postgresql() {
    const TEST: &str = "catalogs_of_lake_tables_are_those_of_postgresql";
    let Some(server) = Server::start(TEST) else { return };
    let catalog = lake();
    let client = server.connect("postgres").await;
    client.batch_execute("CREATE DATABASE lake").await.expect("a database");
    let client = server.connect("lake").await;
    client.batch_execute(&ddl(&catalog)).await.expect("the same tables");
    let objects = Objects::from(&catalog);
    DatabaseRelations::new(&objects).expect("relations");
    let fixture = Fixture::new(&server, &objects).await;
    let differences = differences(&server, "lake", &fixture.relations).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
