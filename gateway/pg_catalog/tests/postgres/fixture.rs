//! The schema that the corpus was captured on, and a session on it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use mantissa_core::PgType;
use mantissa_pg_catalog::relations::{
    BackendFacts, ColumnObject, CursorFacts, DatabaseRelations, ForeignKeyObject, FunctionObject, IndexObject,
    KeyObject, Objects, PreparedFacts, RelationKind, RelationObject, SessionRelations, SessionSource, SettingFacts,
    Statistics, UserFacts,
};

use crate::server::Server;
use crate::tables::text_rows;

/// What `00_schema.sql` of the corpus creates.
pub fn demo_objects() -> Objects {
    let analyzed = Some(Statistics { pages: 1, rows: 2.0 });
    let mut users = RelationObject::new(
        "public",
        "users",
        RelationKind::Table,
        vec![
            ColumnObject { not_null: true, ..ColumnObject::new("id", PgType::INT4) },
            ColumnObject {
                not_null: true,
                comment: Some("login address".to_owned()),
                ..ColumnObject::new("email", PgType::TEXT)
            },
            ColumnObject { default: Some("now()".to_owned()), ..ColumnObject::new("created_at", PgType::TIMESTAMPTZ) },
            ColumnObject { typmod: (12 << 16) + 2 + 4, ..ColumnObject::new("balance", PgType::NUMERIC) },
            ColumnObject { default: Some("true".to_owned()), ..ColumnObject::new("active", PgType::BOOL) },
        ],
    );
    users.comment = Some("people".to_owned());
    users.keys.push(KeyObject { name: "users_pkey".to_owned(), primary: true, columns: vec!["id".to_owned()] });
    users.statistics = analyzed;
    let definition = " SELECT users.id,\n    users.email\n   FROM users\n  WHERE users.active;".to_owned();
    let view = RelationObject::new(
        "public",
        "v_active",
        RelationKind::View { definition },
        vec![ColumnObject::new("id", PgType::INT4), ColumnObject::new("email", PgType::TEXT)],
    );
    let add1 = FunctionObject {
        schema: "public".to_owned(),
        name: "add1".to_owned(),
        arguments: vec![("i".to_owned(), PgType::INT4)],
        returns: PgType::INT4,
        returns_set: false,
        language: "sql".to_owned(),
        body: "select i+1".to_owned(),
        volatility: b'v',
        strict: false,
        comment: None,
    };
    Objects { relations: vec![users, orders(), view], functions: vec![add1], ..Objects::default() }
}

fn orders() -> RelationObject {
    let mut orders = RelationObject::new(
        "sales",
        "orders",
        RelationKind::Table,
        vec![
            ColumnObject { not_null: true, ..ColumnObject::new("id", PgType::INT8) },
            ColumnObject::new("user_id", PgType::INT4),
            ColumnObject::new("total", PgType::FLOAT8),
            ColumnObject::new("placed", PgType::DATE),
            ColumnObject::new("tags", PgType::TEXT.array().expect("text[]")),
            ColumnObject { typmod: 44, ..ColumnObject::new("note", PgType::VARCHAR) },
            ColumnObject::new("payload", PgType::JSONB),
            ColumnObject::new("raw", PgType::BYTEA),
            ColumnObject::new("ref", PgType::UUID),
            ColumnObject::new("dur", PgType::INTERVAL),
            ColumnObject { typmod: 3, ..ColumnObject::new("ts", PgType::TIMESTAMP) },
            ColumnObject::new("t", PgType::TIME),
        ],
    );
    orders.keys.push(KeyObject { name: "orders_pkey".to_owned(), primary: true, columns: vec!["id".to_owned()] });
    orders.foreign_keys.push(ForeignKeyObject {
        name: "orders_user_id_fkey".to_owned(),
        columns: vec!["user_id".to_owned()],
        schema: "public".to_owned(),
        table: "users".to_owned(),
        references: vec!["id".to_owned()],
        on_update: b'a',
        on_delete: b'a',
    });
    orders.indexes.push(IndexObject {
        name: "orders_placed_idx".to_owned(),
        unique: false,
        columns: vec!["placed".to_owned()],
    });
    orders.statistics = Some(Statistics { pages: 1, rows: 2.0 });
    orders
}

/// A session on the database, and the relations that it sees.
pub struct Fixture {
    pub relations: SessionRelations,
    /// Settings by name in lower case, as SHOW prints them.
    pub shown: HashMap<String, String>,
}

impl Fixture {
    /// Makes database `demo` with the corpus's schema in PostgreSQL.
    pub async fn load_demo(server: &Server, folder: &Path) {
        let client = server.connect("postgres").await;
        // The first OID for users, 16384, is also a common number: no object that is compared shall have it.
        for statement in ["CREATE DATABASE spare", "DROP DATABASE spare", "CREATE DATABASE demo"] {
            client.batch_execute(statement).await.expect("a database");
        }
        let schema = fs::read_to_string(folder.join("00_schema.sql")).expect("the schema");
        server.connect("demo").await.batch_execute(&schema).await.expect("the schema's objects");
    }

    /// Databases, users and settings are those of the server: they are not what is compared.
    pub async fn new(server: &Server, objects: &Objects) -> Self {
        let client = server.connect("postgres").await;
        let query = async |sql: &str| text_rows(client.simple_query(sql).await.expect("facts of the server"));
        let databases = query("SELECT datname FROM pg_database").await;
        let settings = query(
            "SELECT name, current_setting(name) AS shown, setting, boot_val, reset_val, unit, category, context, vartype, min_val, max_val,
                    array_to_string(enumvals, ',') AS enumvals FROM pg_settings",
        )
        .await;
        let shown = settings.iter().map(|row| {
            let text = |column: &str| row[column].clone().unwrap_or_default();
            (text("name").to_ascii_lowercase(), text("shown"))
        });
        let shown = shown.collect();
        let settings = settings.iter().map(|row| {
            let text = |column: &str| row[column].clone().unwrap_or_default();
            SettingFacts {
                name: text("name"),
                setting: text("setting"),
                default: text("boot_val"),
                unit: row["unit"].clone(),
                category: text("category"),
                context: text("context"),
                vartype: text("vartype"),
                min: row["min_val"].clone(),
                max: row["max_val"].clone(),
                enum_values: row["enumvals"].as_ref().map(|list| list.split(',').map(str::to_owned).collect()),
            }
        });
        let session = TestSession {
            databases: databases.into_iter().filter_map(|row| row["datname"].clone()).collect(),
            settings: settings.collect(),
        };
        let database = Arc::new(DatabaseRelations::new(objects).expect("relations of the objects"));
        Self { relations: SessionRelations::new(database, Arc::new(session)), shown }
    }
}

pub struct TestSession {
    databases: Vec<String>,
    pub settings: Vec<SettingFacts>,
}

impl SessionSource for TestSession {
    fn databases(&self) -> Vec<String> {
        self.databases.clone()
    }

    fn users(&self) -> Vec<UserFacts> {
        vec![UserFacts { name: "postgres".to_owned(), superuser: true }]
    }

    fn settings(&self) -> Vec<SettingFacts> {
        self.settings.clone()
    }

    fn backends(&self) -> Vec<BackendFacts> {
        let start = DateTime::<Utc>::UNIX_EPOCH;
        vec![BackendFacts {
            pid: 1,
            user: "postgres".to_owned(),
            database: "demo".to_owned(),
            application_name: "replay".to_owned(),
            client_addr: None,
            client_port: None,
            backend_start: start,
            transaction_start: Some(start),
            query_start: Some(start),
            state_change: start,
            state: "active".to_owned(),
            query: String::new(),
        }]
    }

    fn prepared_statements(&self) -> Vec<PreparedFacts> {
        Vec::new()
    }

    fn cursors(&self) -> Vec<CursorFacts> {
        Vec::new()
    }
}
