//! What a database holds beside its system catalogs: schemas, tables, views, keys, indexes, functions.

use mantissa_core::{Catalog, PgType, Table, TableKind};

/// A database's own objects, from which rows of the system catalogs are made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objects {
    /// Schemas beside those of the system and of `relations`, which need not be listed.
    pub schemas: Vec<SchemaObject>,
    pub relations: Vec<RelationObject>,
    pub functions: Vec<FunctionObject>,
    /// Everybody may read every relation listed (`=r` in `relacl`).
    pub public: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SchemaObject {
    pub name: String,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RelationObject {
    pub schema: String,
    pub name: String,
    pub kind: RelationKind,
    pub columns: Vec<ColumnObject>,
    pub comment: Option<String>,
    pub keys: Vec<KeyObject>,
    pub foreign_keys: Vec<ForeignKeyObject>,
    pub checks: Vec<CheckObject>,
    /// Indexes that no key brings with it.
    pub indexes: Vec<IndexObject>,
    /// As ANALYZE found them; `None` where it never ran.
    pub statistics: Option<Statistics>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RelationKind {
    Table,
    /// With its definition as `pg_get_viewdef` prints it.
    View {
        definition: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    pub pages: i32,
    pub rows: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnObject {
    pub name: String,
    pub ty: PgType,
    pub typmod: i32,
    pub not_null: bool,
    /// As `pg_get_expr` prints it.
    pub default: Option<String>,
    pub comment: Option<String>,
}

/// A primary key or unique constraint, with the index of the same name.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyObject {
    pub name: String,
    pub primary: bool,
    pub columns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ForeignKeyObject {
    pub name: String,
    pub columns: Vec<String>,
    pub schema: String,
    pub table: String,
    /// Columns of a key of `table`.
    pub references: Vec<String>,
    /// `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default.
    pub on_update: u8,
    pub on_delete: u8,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CheckObject {
    pub name: String,
    /// As `pg_get_expr` prints it.
    pub expression: String,
    pub columns: Vec<String>,
}

/// A btree index over columns.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexObject {
    pub name: String,
    pub unique: bool,
    pub columns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FunctionObject {
    pub schema: String,
    pub name: String,
    pub arguments: Vec<(String, PgType)>,
    pub returns: PgType,
    pub returns_set: bool,
    /// `sql`, `internal`, ...
    pub language: String,
    pub body: String,
    /// `i` immutable, `s` stable, `v` volatile.
    pub volatility: u8,
    pub strict: bool,
    pub comment: Option<String>,
}

impl ColumnObject {
    pub fn new(name: &str, ty: PgType) -> Self {
        Self { name: name.to_owned(), ty, typmod: -1, not_null: false, default: None, comment: None }
    }
}

impl RelationObject {
    pub fn new(schema: &str, name: &str, kind: RelationKind, columns: Vec<ColumnObject>) -> Self {
        Self {
            schema: schema.to_owned(),
            name: name.to_owned(),
            kind,
            columns,
            comment: None,
            keys: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            statistics: None,
        }
    }

    pub(super) fn is_view(&self) -> bool {
        matches!(self.kind, RelationKind::View { .. })
    }

    /// The `attnum` of a column; 0 where there is none.
    pub(super) fn attnum(&self, column: &str) -> i16 {
        self.columns.iter().position(|other| other.name == column).map_or(0, |index| index as i16 + 1)
    }
}

impl From<&Table> for RelationObject {
    fn from(table: &Table) -> Self {
        let kind = match &table.kind {
            TableKind::Table => RelationKind::Table,
            TableKind::View(sql) => RelationKind::View { definition: view_definition(sql) },
        };
        let columns = table.columns.iter().map(|column| ColumnObject {
            name: column.name.clone(),
            ty: column.ty,
            typmod: column.typmod,
            not_null: !column.nullable,
            default: None,
            comment: column.comment.clone(),
        });
        let mut relation = RelationObject::new(&table.name.schema, &table.name.name, kind, columns.collect());
        relation.comment = table.comment.clone();
        relation
    }
}

impl From<&Catalog> for Objects {
    /// The lake's tables: readable by everybody who may connect, without keys.
    fn from(catalog: &Catalog) -> Self {
        let relations = catalog.tables.iter().map(|table| RelationObject::from(table.as_ref())).collect();
        Self { relations, public: true, ..Self::default() }
    }
}

fn view_definition(sql: &str) -> String {
    format!(" {};", sql.trim().trim_end_matches(';').trim_end())
}
