//! What surrounds a catalog query: relations, session, clock, cancellation, and a bound on the work.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use mantissa_core::Problem;
use tokio_util::sync::CancellationToken;

use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::relation::{Relation, Relations, Row, Source};

/// The session as SQL functions see and change it.
pub trait Session: Send + Sync {
    fn pid(&self) -> i32;
    fn database(&self) -> &str;
    fn user(&self) -> &str;
    /// May end other users' sessions.
    fn is_superuser(&self) -> bool;
    /// Effective schemas in order, without the implicit `pg_catalog`.
    fn search_path(&self) -> &[String];
    /// A setting as SHOW prints it.
    fn setting(&self, name: &str) -> Option<String>;
    /// `set_config`, to the default for no value; gives the value as SHOW prints it from now on.
    fn set(&self, name: &str, value: Option<&str>, local: bool) -> Result<String, Problem>;
    /// `pg_cancel_backend`; false where there is no such session.
    fn cancel_backend(&self, pid: i32) -> Result<bool, Problem>;
    /// `pg_terminate_backend`; false where there is no such session.
    fn terminate_backend(&self, pid: i32) -> Result<bool, Problem>;
    fn client_addr(&self) -> Option<std::net::IpAddr> {
        None
    }
    fn client_port(&self) -> Option<u16> {
        None
    }
    /// Microseconds since 1970-01-01 UTC.
    fn backend_start(&self) -> i64 {
        0
    }
    /// What the user may read of a table of this name.
    fn access(&self, schema: &str, table: &str) -> Access {
        let _ = (schema, table);
        Access::Whole
    }
}

/// What a user may read of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Nothing,
    /// Only these columns.
    Columns(Vec<String>),
    Whole,
}

/// Steps that one statement may take: rows looked at and function calls made.
const MAX_WORK: u64 = 10_000_000;
/// Steps between two looks at the cancellation token.
const CANCEL_INTERVAL: u64 = 256;

/// Everything one run of a statement needs.
pub struct Context<'a> {
    pub relations: &'a dyn Relations,
    pub session: &'a dyn Session,
    /// The statement's `now()`: microseconds since 1970-01-01 UTC.
    pub now: i64,
    pub cancel: &'a CancellationToken,
    pub parameters: &'a [Datum],
    time_zone: OnceCell<Tz>,
    timed: Cell<bool>,
    work: Cell<u64>,
    built: RefCell<HashMap<u32, Arc<Relation>>>,
    pub(crate) ctes: RefCell<HashMap<usize, Arc<Vec<Row>>>>,
    pub(crate) memo: RefCell<HashMap<usize, crate::exec::Memo>>,
}

impl<'a> Context<'a> {
    pub fn new(
        relations: &'a dyn Relations,
        session: &'a dyn Session,
        now: i64,
        cancel: &'a CancellationToken,
        parameters: &'a [Datum],
    ) -> Self {
        Self {
            relations,
            session,
            now,
            cancel,
            parameters,
            time_zone: OnceCell::new(),
            timed: Cell::new(false),
            work: Cell::new(0),
            built: RefCell::default(),
            ctes: RefCell::default(),
            memo: RefCell::default(),
        }
    }

    pub fn time_zone(&self) -> Tz {
        self.timed.set(true);
        *self.time_zone.get_or_init(|| {
            let name = self.session.setting("TimeZone").or_else(|| self.session.setting("timezone"));
            name.and_then(|name| crate::types::datetime::zone(&name)).unwrap_or(Tz::UTC)
        })
    }

    /// Whether anything depended on the clock or the time zone so far.
    pub fn is_timed(&self) -> bool {
        self.timed.get()
    }

    /// Counts a step; ends the statement when it was cancelled or takes too many.
    pub fn step(&self) -> Result<()> {
        let work = self.work.get() + 1;
        self.work.set(work);
        if work.is_multiple_of(CANCEL_INTERVAL) {
            if self.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if work > MAX_WORK {
                return Err(Error::TooMuchWork);
            }
        }
        Ok(())
    }

    /// The schemas in which bare names are looked up, `pg_catalog` in its place.
    pub fn search_path(&self) -> Vec<String> {
        let path = self.session.search_path();
        if path.iter().any(|schema| schema == "pg_catalog") {
            return path.to_vec();
        }
        std::iter::once("pg_catalog".to_owned()).chain(path.iter().cloned()).collect()
    }

    /// The rows of a relation; a lazy one is built once a statement.
    pub fn rows(&self, schema: &str, name: &str) -> Result<Option<Arc<Relation>>> {
        match self.relations.lookup(Some(schema), name, &[]) {
            Some(Source::Rows(relation)) => Ok(Some(relation)),
            Some(Source::Lazy(lazy)) => {
                if let Some(relation) = self.built.borrow().get(&lazy.shape.oid) {
                    return Ok(Some(Arc::clone(relation)));
                }
                let relation = Arc::new(Relation::new(Arc::clone(&lazy.shape), (lazy.build)()?));
                self.built.borrow_mut().insert(lazy.shape.oid, Arc::clone(&relation));
                Ok(Some(relation))
            }
            Some(Source::View { .. }) | None => Ok(None),
        }
    }

    /// A relation of `pg_catalog`.
    pub fn catalog(&self, name: &str) -> Result<Option<Arc<Relation>>> {
        self.rows("pg_catalog", name)
    }

    /// The first row of a `pg_catalog` relation whose `column` equals `value`.
    pub fn find(&self, relation: &str, column: &str, value: &Datum) -> Result<Option<Found>> {
        let Some(relation) = self.catalog(relation)? else { return Ok(None) };
        let row = relation.find(column, value).next().cloned();
        Ok(row.map(|row| Found { relation, row }))
    }

    /// The row of a `pg_catalog` relation with this `oid`.
    pub fn by_oid(&self, relation: &str, oid: u32) -> Result<Option<Found>> {
        self.find(relation, "oid", &Datum::Oid(oid))
    }

    /// Every row of a `pg_catalog` relation whose `column` equals `value`.
    pub fn find_all(&self, relation: &str, column: &str, value: &Datum) -> Result<Vec<Found>> {
        let Some(relation) = self.catalog(relation)? else { return Ok(Vec::new()) };
        let rows: Vec<Row> = relation.find(column, value).cloned().collect();
        Ok(rows.into_iter().map(|row| Found { relation: Arc::clone(&relation), row }).collect())
    }
}

/// A row of a catalog relation, read by column name.
pub struct Found {
    relation: Arc<Relation>,
    row: Row,
}

impl Found {
    pub fn get(&self, column: &str) -> &Datum {
        self.relation.value(&self.row, column)
    }

    pub fn text(&self, column: &str) -> String {
        match self.get(column) {
            Datum::Text(text) => text.to_string(),
            Datum::Char(byte) if *byte != 0 => char::from(*byte).to_string(),
            _ => String::new(),
        }
    }

    pub fn oid(&self, column: &str) -> u32 {
        self.get(column).as_oid().unwrap_or(0)
    }

    pub fn int(&self, column: &str) -> i64 {
        self.get(column).as_int().unwrap_or(0)
    }

    pub fn bool(&self, column: &str) -> bool {
        self.get(column).as_bool().unwrap_or(false)
    }

    pub fn char(&self, column: &str) -> char {
        match self.get(column) {
            Datum::Char(byte) => char::from(*byte),
            Datum::Text(text) => text.chars().next().unwrap_or('\0'),
            _ => '\0',
        }
    }
}
