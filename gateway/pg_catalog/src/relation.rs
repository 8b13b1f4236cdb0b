//! What a catalog query reads from.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use mantissa_core::{PgType, Problem};
use parking_lot::RwLock;

use crate::datum::Datum;
use crate::key::Key;

/// One row. Shared, so that joins copy pointers and not values.
pub type Row = Arc<[Datum]>;

/// Name, columns and identity of a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// `pg_class.oid`.
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub columns: Vec<RelationColumn>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RelationColumn {
    pub name: String,
    pub ty: PgType,
    pub typmod: i32,
    /// A system column (`ctid`, `xmin`): found by name, left out of `*`. Hidden columns stand after all others.
    /// `tableoid` need not be listed: every relation answers it.
    pub hidden: bool,
}

impl Shape {
    pub fn new(oid: u32, schema: &str, name: &str, columns: &[(&str, PgType)]) -> Self {
        let columns = columns
            .iter()
            .map(|(name, ty)| RelationColumn { name: (*name).to_owned(), ty: *ty, typmod: -1, hidden: false })
            .collect();
        Self { oid, schema: schema.to_owned(), name: name.to_owned(), columns }
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A relation with its rows. Hash indexes over single columns are built at first use and kept with it, so a relation that
/// does not change should be one `Arc<Relation>` for its whole life.
pub struct Relation {
    pub shape: Arc<Shape>,
    /// Each as wide as `shape.columns`.
    pub rows: Vec<Row>,
    indexes: RwLock<HashMap<usize, Arc<Index>>>,
}

/// Row numbers by value of one column; rows with NULL are left out.
pub type Index = HashMap<Key, Vec<u32>>;

impl Relation {
    pub fn new(shape: impl Into<Arc<Shape>>, rows: Vec<Row>) -> Self {
        Self { shape: shape.into(), rows, indexes: RwLock::default() }
    }

    /// The index over `column`.
    pub fn index(&self, column: usize) -> Arc<Index> {
        if let Some(index) = self.indexes.read().get(&column) {
            return Arc::clone(index);
        }
        let mut index = Index::new();
        for (number, row) in self.rows.iter().enumerate() {
            if let Some(key) = row.get(column).and_then(Key::of) {
                index.entry(key).or_default().push(number as u32);
            }
        }
        let index = Arc::new(index);
        self.indexes.write().insert(column, Arc::clone(&index));
        index
    }

    /// The rows whose `column` equals `value`.
    pub fn find<'a>(&'a self, column: &str, value: &Datum) -> impl Iterator<Item = &'a Row> + use<'a> {
        let numbers = match (self.shape.column(column), Key::of(value)) {
            (Some(column), Some(key)) => self.index(column).get(&key).cloned().unwrap_or_default(),
            _ => Vec::new(),
        };
        numbers.into_iter().filter_map(|number| self.rows.get(number as usize))
    }

    /// Value of `column` in `row`, NULL where there is no such column.
    pub fn value<'a>(&self, row: &'a Row, column: &str) -> &'a Datum {
        self.shape.column(column).and_then(|index| row.get(index)).unwrap_or(&Datum::Null)
    }
}

impl fmt::Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relation").field("shape", &self.shape).field("rows", &self.rows.len()).finish()
    }
}

/// Where a relation's rows come from.
#[derive(Clone)]
pub enum Source {
    Rows(Arc<Relation>),
    /// Built when a statement reads it, once a statement (`pg_stat_activity`, `pg_settings`).
    Lazy(Lazy),
    /// A SELECT over other relations, expanded by the evaluator. Names in it are looked up with `pg_catalog` alone on
    /// the search path. `shape` names and types the columns; the SELECT must give as many, and each is cast to its type.
    View {
        shape: Arc<Shape>,
        sql: Arc<str>,
    },
}

#[derive(Clone)]
pub struct Lazy {
    pub shape: Arc<Shape>,
    pub build: Build,
}

/// Makes the rows of a [`Lazy`] relation.
pub type Build = Arc<dyn Fn() -> Result<Vec<Row>, Problem> + Send + Sync>;

impl Source {
    pub fn shape(&self) -> &Arc<Shape> {
        match self {
            Source::Rows(relation) => &relation.shape,
            Source::Lazy(lazy) => &lazy.shape,
            Source::View { shape, .. } => shape,
        }
    }
}

/// Every relation that one statement may read: an object made for one statement, seeing one catalog and one session.
///
/// Functions of the evaluator read `pg_catalog` relations (`pg_class`, `pg_type`, `pg_attribute`, `pg_namespace`,
/// `pg_constraint`, `pg_index`, `pg_proc`, `pg_description`, ...) through this too. Columns of type `pg_node_tree` hold
/// the expression's SQL text, which `pg_get_expr` gives back unchanged.
pub trait Relations: Send + Sync {
    /// Finds a relation. Without `schema`, `search_path` (which has `pg_catalog` in its place) is searched in order.
    fn lookup(&self, schema: Option<&str>, name: &str, search_path: &[String]) -> Option<Source>;

    /// Changes whenever what `lookup` gives for a name has changed in shape, so that plans may be kept until then.
    fn generation(&self) -> u64 {
        0
    }

    /// What `pg_get_viewdef` prints for the view, with the closing semicolon.
    fn view_definition(&self, oid: u32) -> Option<String> {
        let _ = oid;
        None
    }
}
