//! Rows of system catalogs under construction.

use std::collections::HashMap;
use std::sync::Arc;

use mantissa_core::PgType;

use super::objects::{Objects, RelationObject};
use super::oids::Oids;
use crate::data::{DataError, Snapshot};
use crate::datum::Datum;
use crate::relation::{Relation, Row};

/// The role that owns everything, PostgreSQL's bootstrap superuser.
pub(super) const OWNER: u32 = 10;
pub(super) const OWNER_NAME: &str = "postgres";

pub(super) const PG_TYPE: u32 = 1247;
pub(super) const PG_PROC: u32 = 1255;
pub(super) const PG_CLASS: u32 = 1259;
pub(super) const PG_ATTRDEF: u32 = 2604;
pub(super) const PG_CONSTRAINT: u32 = 2606;
pub(super) const PG_NAMESPACE: u32 = 2615;
pub(super) const PG_REWRITE: u32 = 2618;
pub(super) const PG_TRIGGER: u32 = 2620;

/// One object as `pg_depend` names it: catalog, OID, column or 0.
pub(super) type Address = (u32, u32, i32);

/// Collects rows for any number of system catalogs.
pub(super) struct Builder<'a> {
    pub objects: &'a Objects,
    pub oids: &'a Oids,
    pub snapshot: &'static Snapshot,
    pub types: Types,
    rows: HashMap<&'static str, Vec<Row>>,
}

impl<'a> Builder<'a> {
    pub fn new(objects: &'a Objects, oids: &'a Oids) -> Result<Self, DataError> {
        let snapshot = Snapshot::get()?;
        Ok(Self { objects, oids, snapshot, types: Types::new(snapshot)?, rows: HashMap::new() })
    }

    /// Adds a row to `catalog`. Columns left out have the value that says "nothing" in their type.
    pub fn push(&mut self, catalog: &'static str, values: &[(&str, Datum)]) -> Result<(), DataError> {
        let row = row(self.snapshot, catalog, values)?;
        self.rows.entry(catalog).or_default().push(row);
        Ok(())
    }

    pub fn comment(&mut self, (class, oid, column): Address, comment: Option<&String>) -> Result<(), DataError> {
        let Some(comment) = comment else { return Ok(()) };
        self.push(
            "pg_description",
            &[
                ("objoid", Datum::Oid(oid)),
                ("classoid", Datum::Oid(class)),
                ("objsubid", Datum::Int4(column)),
                ("description", Datum::text(comment)),
            ],
        )
    }

    /// `how`: `n` normal, `a` automatic, `i` internal.
    pub fn depend(&mut self, object: Address, on: Address, how: u8) -> Result<(), DataError> {
        self.push(
            "pg_depend",
            &[
                ("classid", Datum::Oid(object.0)),
                ("objid", Datum::Oid(object.1)),
                ("objsubid", Datum::Int4(object.2)),
                ("refclassid", Datum::Oid(on.0)),
                ("refobjid", Datum::Oid(on.1)),
                ("refobjsubid", Datum::Int4(on.2)),
                ("deptype", Datum::Char(how)),
            ],
        )
    }

    /// OID of a schema, of the system or of the database's own.
    pub fn namespace(&self, schema: &str) -> u32 {
        self.types.namespaces.get(schema).copied().unwrap_or_else(|| self.oids.get("pg_namespace", schema))
    }

    pub fn relation_oid(&self, relation: &RelationObject) -> u32 {
        self.oids.get("pg_class", &qualified(&relation.schema, &relation.name))
    }

    pub fn finish(self) -> HashMap<&'static str, Vec<Row>> {
        self.rows
    }
}

pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{schema}.{name}")
}

/// A row of a system catalog from the values of some of its columns.
pub(super) fn row(snapshot: &Snapshot, catalog: &str, values: &[(&str, Datum)]) -> Result<Row, DataError> {
    let missing = |name: &str| DataError::Missing(format!("pg_catalog.{name}"));
    let shape = snapshot.shape("pg_catalog", catalog).ok_or_else(|| missing(catalog))?;
    let mut row: Vec<Datum> = shape.columns.iter().map(|column| nothing(column.ty)).collect();
    for (name, value) in values {
        let place = shape.column(name).ok_or_else(|| missing(name))?;
        row[place] = value.clone();
    }
    Ok(row.into())
}

/// What a catalog column holds where there is nothing to say: the zero of types that are never NULL there, else NULL.
fn nothing(ty: PgType) -> Datum {
    match ty {
        PgType::BOOL => Datum::Bool(false),
        PgType::INT2 => Datum::Int2(0),
        PgType::INT4 => Datum::Int4(0),
        PgType::INT8 => Datum::Int8(0),
        PgType::FLOAT4 => Datum::Float4(0.0),
        PgType::CHAR => Datum::Char(0),
        PgType::OID => Datum::Oid(0),
        PgType::XID => Datum::text("0"),
        PgType::INT2VECTOR => Datum::int2vector([]),
        PgType::OIDVECTOR => Datum::oidvector([]),
        ty if ty.is_reg() => Datum::Oid(0),
        _ => Datum::Null,
    }
}

/// Facts about types and operators that rows of tables and indexes repeat.
pub(super) struct Types {
    pub namespaces: HashMap<String, u32>,
    types: Arc<Relation>,
    opclasses: Arc<Relation>,
    amops: Arc<Relation>,
}

/// How values of a type are stored.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    pub len: i16,
    pub by_value: bool,
    pub align: u8,
    pub storage: u8,
    pub collation: u32,
}

/// The default btree operator class for a type.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OperatorClass {
    pub oid: u32,
    family: u32,
    input: u32,
}

impl Types {
    fn new(snapshot: &Snapshot) -> Result<Self, DataError> {
        let namespaces = snapshot.table("pg_namespace")?;
        let namespaces = namespaces.rows.iter().filter_map(|row| {
            let name = namespaces.value(row, "nspname").as_str()?.to_owned();
            Some((name, namespaces.value(row, "oid").as_oid()?))
        });
        Ok(Self {
            namespaces: namespaces.collect(),
            types: snapshot.table("pg_type")?,
            opclasses: snapshot.table("pg_opclass")?,
            amops: snapshot.table("pg_amop")?,
        })
    }

    /// `None` for a type that the system catalogs do not know.
    pub fn storage(&self, ty: PgType) -> Option<Storage> {
        let row = self.types.find("oid", &Datum::Oid(ty.0)).next()?;
        let value = |column| self.types.value(row, column);
        Some(Storage {
            len: i16::try_from(value("typlen").as_int()?).ok()?,
            by_value: value("typbyval").as_bool()?,
            align: character(value("typalign")),
            storage: character(value("typstorage")),
            collation: value("typcollation").as_oid()?,
        })
    }

    pub fn is_array(&self, ty: PgType) -> bool {
        ty.element().is_some()
    }

    pub fn btree_class(&self, ty: PgType) -> Option<OperatorClass> {
        const BTREE: u32 = 403;
        let input = match ty {
            PgType::VARCHAR => PgType::TEXT.0,
            PgType::CIDR => PgType::INET.0,
            ty if self.is_array(ty) => PgType::ANYARRAY.0,
            ty => ty.0,
        };
        self.opclasses.find("opcintype", &Datum::Oid(input)).find_map(|row| {
            let value = |column| self.opclasses.value(row, column);
            let fits = value("opcmethod").as_oid() == Some(BTREE) && value("opcdefault").as_bool() == Some(true);
            fits.then(|| OperatorClass {
                oid: value("oid").as_oid().unwrap_or(0),
                family: value("opcfamily").as_oid().unwrap_or(0),
                input,
            })
        })
    }

    /// The operator that a btree calls equality between `left` and `right`.
    pub fn equality(&self, left: PgType, right: PgType) -> u32 {
        const EQUAL: i64 = 3;
        let (Some(class), Some(other)) = (self.btree_class(left), self.btree_class(right)) else { return 0 };
        let operators = self.amops.find("amopfamily", &Datum::Oid(class.family));
        let mut operators = operators.filter_map(|row| {
            let value = |column| self.amops.value(row, column);
            let fits = value("amopstrategy").as_int() == Some(EQUAL)
                && value("amoplefttype").as_oid() == Some(class.input)
                && value("amoprighttype").as_oid() == Some(other.input);
            fits.then(|| value("amopopr").as_oid()).flatten()
        });
        operators.next().unwrap_or(0)
    }
}

fn character(value: &Datum) -> u8 {
    match value {
        Datum::Char(character) => *character,
        _ => 0,
    }
}
