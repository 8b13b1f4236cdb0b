//! The relations of one database, and as one session sees them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use mantissa_core::{Identity, Problem};
use parking_lot::{Mutex, RwLock};

use super::access::Lists;
use super::build::{Builder, qualified};
use super::functions::{function_key, push_function, push_schema};
use super::keys::{constraint_key, push_keys, trigger_key};
use super::objects::{Objects, RelationKind, RelationObject, SchemaObject};
use super::oids::Oids;
use super::session::{self, SessionSource};
use super::tables::{self, push_relation};
use super::views::VIEWS;
use crate::data::{DataError, Snapshot};
use crate::relation::{Relation, Relations, Row, Source};

/// Schema under which rows of set-returning functions are found (`pg_get_keywords`, `pg_encodings`). No statement can
/// name it by accident.
const FUNCTION_SCHEMA: &str = "$functions";

/// Triggers of one foreign key.
const TRIGGERS: usize = 4;

/// The catalogs of one state of a database. Made once for it, shared by every session.
pub struct DatabaseRelations {
    /// Rows of the database's own objects, by system catalog.
    own: HashMap<&'static str, Vec<Row>>,
    /// System catalogs with the rows of both, made at first use.
    merged: RwLock<HashMap<String, Arc<Relation>>>,
    /// By who reads and what that may be.
    lists: Mutex<HashMap<String, Lists>>,
    definitions: HashMap<u32, String>,
    generation: u64,
}

/// Identities whose lists are kept.
const LISTS: usize = 256;

impl DatabaseRelations {
    /// # Errors
    /// An object that refers to a type, table, key or column that is not there.
    pub fn new(objects: &Objects) -> Result<Self, Problem> {
        static GENERATION: AtomicU64 = AtomicU64::new(1);
        let (own, definitions) = rows_of(objects)?;
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        Ok(Self { own, merged: RwLock::default(), lists: Mutex::default(), definitions, generation })
    }

    /// The access control lists as `identity` sees them.
    fn lists(&self, identity: &Identity) -> Option<Lists> {
        let key = format!("{} {} {:?}", identity.user, identity.admin, identity.grants);
        if let Some(lists) = self.lists.lock().get(&key) {
            return Some(lists.clone());
        }
        let rows = |name: &str| match self.find("pg_catalog", name) {
            Some(Source::Rows(relation)) => Some(relation),
            _ => None,
        };
        let own = self.own.get("pg_class").map_or(&[][..], Vec::as_slice);
        let (classes, attributes, schemas) = (rows("pg_class")?, rows("pg_attribute")?, rows("pg_namespace")?);
        let lists = Lists::new(identity, (&classes, own), &attributes, &schemas)?;
        let mut kept = self.lists.lock();
        if kept.len() >= LISTS {
            kept.clear();
        }
        kept.insert(key, lists.clone());
        Some(lists)
    }

    fn find(&self, schema: &str, name: &str) -> Option<Source> {
        let snapshot = Snapshot::get().ok()?;
        match schema {
            FUNCTION_SCHEMA => snapshot.relation("pg_catalog", name)?.ok().map(Source::Rows),
            "pg_catalog" | "information_schema" => self.system(snapshot, schema, name),
            _ => None,
        }
    }

    fn system(&self, snapshot: &'static Snapshot, schema: &str, name: &str) -> Option<Source> {
        let shape = snapshot.shape(schema, name)?;
        if let Some(sql) = view(schema, name) {
            return Some(Source::View { shape: Arc::clone(shape), sql: Arc::clone(sql) });
        }
        let fixed = snapshot.relation(schema, name);
        if schema == "pg_catalog"
            && let Some(own) = self.own.get(name)
        {
            return fixed?.ok().map(|fixed| Source::Rows(self.merge(name, &fixed, own)));
        }
        match fixed {
            Some(relation) => relation.ok().map(Source::Rows),
            None => Some(Source::Rows(Arc::new(Relation::new(Arc::clone(shape), Vec::new())))),
        }
    }

    fn merge(&self, name: &str, fixed: &Relation, own: &[Row]) -> Arc<Relation> {
        if let Some(relation) = self.merged.read().get(name) {
            return Arc::clone(relation);
        }
        let rows = fixed.rows.iter().chain(own).cloned().collect();
        let relation = Arc::new(Relation::new(Arc::clone(&fixed.shape), rows));
        self.merged.write().entry(name.to_owned()).or_insert(relation).clone()
    }
}

fn view(schema: &str, name: &str) -> Option<&'static Arc<str>> {
    static TEXTS: LazyLock<Vec<Arc<str>>> =
        LazyLock::new(|| VIEWS.iter().map(|(_, _, sql)| Arc::from(sql.trim())).collect());
    let place = VIEWS.iter().position(|(other, view, _)| *other == schema && *view == name)?;
    TEXTS.get(place)
}

type OwnRows = (HashMap<&'static str, Vec<Row>>, HashMap<u32, String>);

fn rows_of(objects: &Objects) -> Result<OwnRows, DataError> {
    let oids = Oids::assign(named(objects));
    let mut builder = Builder::new(objects, &oids)?;
    for schema in schemas(objects) {
        push_schema(&mut builder, &schema)?;
    }
    for relation in &objects.relations {
        push_relation(&mut builder, relation)?;
        push_keys(&mut builder, relation)?;
    }
    for function in &objects.functions {
        push_function(&mut builder, function)?;
    }
    let definition = |relation: &RelationObject| match &relation.kind {
        RelationKind::View { definition } => Some((builder.relation_oid(relation), definition.clone())),
        RelationKind::Table => None,
    };
    let definitions = objects.relations.iter().filter_map(definition).collect();
    Ok((builder.finish(), definitions))
}

/// The schemas listed and those of relations and functions, without PostgreSQL's own.
fn schemas(objects: &Objects) -> Vec<SchemaObject> {
    let mut schemas = objects.schemas.clone();
    let of_relations = objects.relations.iter().map(|relation| &relation.schema);
    for name in of_relations.chain(objects.functions.iter().map(|function| &function.schema)) {
        let system = matches!(name.as_str(), "pg_catalog" | "information_schema" | "public" | "pg_toast");
        if !system && !schemas.iter().any(|schema| schema.name == *name) {
            schemas.push(SchemaObject { name: name.clone(), comment: None });
        }
    }
    schemas
}

/// Every object that needs an OID.
fn named(objects: &Objects) -> Vec<(&'static str, String)> {
    let mut names: Vec<_> = schemas(objects).into_iter().map(|schema| ("pg_namespace", schema.name)).collect();
    for relation in &objects.relations {
        let name = qualified(&relation.schema, &relation.name);
        names.extend([
            ("pg_class", name.clone()),
            ("pg_class", tables::toast_key(relation)),
            ("pg_class", tables::toast_index_key(relation)),
            ("pg_type", name.clone()),
            ("pg_type", tables::array_key(relation)),
            ("pg_rewrite", name),
        ]);
        let defaults = relation.columns.iter().filter(|column| column.default.is_some());
        names.extend(defaults.map(|column| ("pg_attrdef", tables::default_key(relation, column))));
        let indexes = relation.indexes.iter().map(|index| &index.name);
        let keys = relation.keys.iter().map(|key| &key.name);
        names.extend(keys.clone().chain(indexes).map(|index| ("pg_class", qualified(&relation.schema, index))));
        let foreign = relation.foreign_keys.iter().map(|key| &key.name);
        let checks = relation.checks.iter().map(|check| &check.name);
        let constraints = keys.chain(foreign.clone()).chain(checks);
        names.extend(constraints.map(|name| ("pg_constraint", constraint_key(relation, name))));
        for key in foreign {
            names.extend((0..TRIGGERS).map(|number| ("pg_trigger", trigger_key(relation, key, number))));
        }
    }
    names.extend(objects.functions.iter().map(|function| ("pg_proc", function_key(function))));
    names
}

/// The relations that one statement of a session may read.
pub struct SessionRelations {
    database: Arc<DatabaseRelations>,
    session: Arc<dyn SessionSource>,
    extra: Vec<Source>,
    identity: Option<Arc<Identity>>,
    lists: OnceLock<Option<Lists>>,
}

impl SessionRelations {
    pub fn new(database: Arc<DatabaseRelations>, session: Arc<dyn SessionSource>) -> Self {
        Self { database, session, extra: Vec::new(), identity: None, lists: OnceLock::new() }
    }

    /// Shows the rights of `identity` in access control lists.
    pub fn read_by(mut self, identity: Arc<Identity>) -> Self {
        self.identity = Some(identity);
        self
    }

    fn of_identity(&self, name: &str) -> Option<Source> {
        let identity = self.identity.as_ref()?;
        let lists = || self.lists.get_or_init(|| self.database.lists(identity)).as_ref();
        match name {
            "pg_class" => lists().map(|lists| Source::Rows(Arc::clone(&lists.classes))),
            "pg_attribute" => lists().map(|lists| Source::Rows(Arc::clone(&lists.attributes))),
            _ => None,
        }
    }

    /// Adds a relation of another schema. The database's objects say that it exists, `source` has its rows.
    pub fn with(mut self, source: Source) -> Self {
        self.extra.push(source);
        self
    }

    fn of_extra(&self, schema: &str, name: &str) -> Option<Source> {
        let is = |source: &&Source| source.shape().schema == schema && source.shape().name == name;
        self.extra.iter().find(is).cloned()
    }
}

impl Relations for SessionRelations {
    fn lookup(&self, schema: Option<&str>, name: &str, search_path: &[String]) -> Option<Source> {
        let find = |schema: &str| {
            let of_session = match schema {
                "pg_catalog" => self.of_identity(name).or_else(|| session::lookup(name, &self.session)),
                _ => None,
            };
            of_session.or_else(|| self.database.find(schema, name)).or_else(|| self.of_extra(schema, name))
        };
        match schema {
            Some(schema) => find(schema),
            None => search_path.iter().find_map(|schema| find(schema)),
        }
    }

    fn generation(&self) -> u64 {
        self.database.generation
    }

    fn view_definition(&self, oid: u32) -> Option<String> {
        if let Some(definition) = self.database.definitions.get(&oid) {
            return Some(definition.clone());
        }
        let snapshot = Snapshot::get().ok()?;
        let shape = snapshot.shapes().find(|shape| shape.oid == oid)?;
        view(&shape.schema, &shape.name).map(|sql| format!(" {sql};"))
    }
}

#[cfg(test)]
mod tests {
    use mantissa_core::{Catalog, Column, PgType, Table, TableKind, TableName};

    use super::*;
    use crate::relations::session::{BackendFacts, CursorFacts, PreparedFacts, SettingFacts, UserFacts};
    use crate::{Datum, Shape};

    struct Ann;

    impl SessionSource for Ann {
        fn databases(&self) -> Vec<String> {
            vec!["lake".to_owned()]
        }

        fn users(&self) -> Vec<UserFacts> {
            vec![UserFacts { name: "ann".to_owned(), superuser: false }]
        }

        fn settings(&self) -> Vec<SettingFacts> {
            Vec::new()
        }

        fn backends(&self) -> Vec<BackendFacts> {
            Vec::new()
        }

        fn prepared_statements(&self) -> Vec<PreparedFacts> {
            Vec::new()
        }

        fn cursors(&self) -> Vec<CursorFacts> {
            Vec::new()
        }
    }

    fn relations() -> SessionRelations {
        let columns = vec![Column::new("time", PgType::TIMESTAMPTZ), Column::new("action", PgType::TEXT)];
        let table = |name: &str, kind| Table {
            name: TableName::new("logs", name),
            kind,
            columns: columns.clone(),
            comment: None,
        };
        let view = TableKind::View("SELECT time, action FROM logs.okta;".to_owned());
        let catalog =
            Catalog { tables: vec![Arc::new(table("okta", TableKind::Table)), Arc::new(table("events", view))] };
        let database = DatabaseRelations::new(&Objects::from(&catalog)).unwrap();
        SessionRelations::new(Arc::new(database), Arc::new(Ann))
    }

    fn rows(relations: &SessionRelations, name: &str) -> Arc<Relation> {
        match relations.lookup(None, name, &["pg_catalog".to_owned()]).unwrap() {
            Source::Rows(relation) => relation,
            Source::Lazy(lazy) => Arc::new(Relation::new(lazy.shape, (lazy.build)().unwrap())),
            Source::View { .. } => panic!("{name} is a view"),
        }
    }

    #[test]
    fn origins_are_the_oids_of_pg_class() {
        let classes = rows(&relations(), "pg_class");
        let origin = crate::relations::origin(&TableName::new("logs", "okta"), 1);
        let okta = classes.find("oid", &Datum::Oid(origin.table_oid)).next().unwrap();
        assert_eq!(classes.value(okta, "relname"), &Datum::text("okta"));
        assert_eq!(origin.attnum, 2);
    }

    #[test]
    fn users_may_log_in_and_the_owner_may_not() {
        let roles = rows(&relations(), "pg_authid");
        let may = |name: &str| {
            let role = roles.find("rolname", &Datum::text(name)).next().unwrap();
            roles.value(role, "rolcanlogin").as_bool().unwrap()
        };
        assert!(may("ann"));
        assert!(!may("postgres"));
    }

    #[test]
    fn definitions_are_those_of_the_catalog_and_of_system_views() {
        let relations = relations();
        let classes = rows(&relations, "pg_class");
        let definition = |name: &str| {
            let view = classes.find("relname", &Datum::text(name)).next().unwrap();
            relations.view_definition(classes.value(view, "oid").as_oid().unwrap())
        };
        assert_eq!(definition("events").unwrap(), " SELECT time, action FROM logs.okta;");
        assert!(definition("pg_tables").unwrap().starts_with(" SELECT"));
        assert_eq!(definition("okta"), None);
    }

    #[test]
    fn a_relation_of_another_schema_is_found_beside_the_systems() {
        let shape = Shape::new(1, "mantissa", "audit", &[("who", PgType::TEXT)]);
        let audit = Relation::new(shape, Vec::new());
        let relations = relations().with(Source::Rows(Arc::new(audit)));
        assert!(relations.lookup(Some("mantissa"), "audit", &[]).is_some());
        assert!(relations.lookup(None, "audit", &["pg_catalog".to_owned()]).is_none());
        assert!(relations.lookup(Some("logs"), "okta", &[]).is_none());
    }
}
