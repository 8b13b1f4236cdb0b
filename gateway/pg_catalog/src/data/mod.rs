//! The rows that a fresh PostgreSQL 15 has in its system catalogs, embedded in the binary. `data/extract.sh` makes them.

mod copy;
mod value;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use mantissa_core::PgType;

use crate::relation::{Relation, RelationColumn, Row, Shape};

pub(crate) use value::parse_datum;

const COMPRESSED: &[u8] = include_bytes!("../../data/catalog.tsv.zst");

/// Sections of the file that are results of functions, with columns that no `pg_attribute` row describes.
const FUNCTION_RESULTS: &[(&str, &[(&str, PgType)])] = &[
    (
        "pg_get_keywords",
        &[
            ("word", PgType::TEXT),
            ("catcode", PgType::CHAR),
            ("barelabel", PgType::BOOL),
            ("catdesc", PgType::TEXT),
            ("baredesc", PgType::TEXT),
        ],
    ),
    ("pg_encodings", &[("encoding", PgType::INT4), ("name", PgType::TEXT)]),
];

#[derive(Debug, Clone, thiserror::Error)]
pub enum DataError {
    #[error("the embedded catalog cannot be decompressed")]
    Compression,
    #[error("the embedded catalog has no {0}")]
    Missing(String),
    #[error("the embedded catalog has a bad value in {relation}.{column}: {text}")]
    Value { relation: String, column: String, text: String },
}

/// Where one relation's rows stand in the text, and its rows once they have been read.
struct Section {
    rows: Range<usize>,
    /// Column names that the section holds, in its order.
    columns: Vec<String>,
    decoded: OnceLock<Result<Arc<Relation>, DataError>>,
}

pub(crate) struct Snapshot {
    text: String,
    sections: HashMap<(String, String), Section>,
    /// Tables and views of the system schemas, by schema and name.
    shapes: HashMap<(String, String), Arc<Shape>>,
}

static SNAPSHOT: LazyLock<Result<Snapshot, DataError>> = LazyLock::new(Snapshot::load);

impl Snapshot {
    pub fn get() -> Result<&'static Snapshot, DataError> {
        SNAPSHOT.as_ref().map_err(Clone::clone)
    }

    fn load() -> Result<Self, DataError> {
        let text = zstd::decode_all(COMPRESSED).map_err(|_| DataError::Compression)?;
        let text = String::from_utf8(text).map_err(|_| DataError::Compression)?;
        let sections = sections(&text);
        let mut snapshot = Self { text, sections, shapes: HashMap::new() };
        snapshot.shapes = snapshot.read_shapes()?;
        Ok(snapshot)
    }

    /// Columns of a table or view of the system schemas.
    pub fn shape(&self, schema: &str, name: &str) -> Option<&Arc<Shape>> {
        self.shapes.get(&(schema.to_owned(), name.to_owned()))
    }

    pub fn shapes(&self) -> impl Iterator<Item = &Arc<Shape>> {
        self.shapes.values()
    }

    /// A system table's rows. `None` for a name that has none (a view, or nothing).
    pub fn relation(&self, schema: &str, name: &str) -> Option<Result<Arc<Relation>, DataError>> {
        let key = (schema.to_owned(), name.to_owned());
        let section = self.sections.get(&key)?;
        Some(section.decoded.get_or_init(|| self.decode(&key, section)).clone())
    }

    /// Like [`Snapshot::relation`], for a table that must be there.
    pub fn table(&self, name: &str) -> Result<Arc<Relation>, DataError> {
        self.relation("pg_catalog", name).unwrap_or_else(|| Err(DataError::Missing(name.to_owned())))
    }

    fn lines(&self, section: &Section) -> std::str::Lines<'_> {
        self.text[section.rows.clone()].lines()
    }

    fn decode(&self, key: &(String, String), section: &Section) -> Result<Arc<Relation>, DataError> {
        let shape = match self.shapes.get(key) {
            Some(shape) => Arc::clone(shape),
            None => function_shape(&key.1).ok_or_else(|| DataError::Missing(key.1.clone()))?,
        };
        let places: Vec<Option<usize>> = section.columns.iter().map(|column| shape.column(column)).collect();
        let rows = self.lines(section).map(|line| decode_row(line, &shape, &places)).collect::<Result<_, _>>()?;
        Ok(Arc::new(Relation::new(shape, rows)))
    }

    /// Reads, from the undecoded rows, what every relation's columns are. Domains are replaced by their base types, as
    /// Postgres does in a row description.
    fn read_shapes(&self) -> Result<HashMap<(String, String), Arc<Shape>>, DataError> {
        let namespaces = self.raw("pg_namespace", &["oid", "nspname"])?;
        let namespaces: HashMap<&str, &str> = namespaces.iter().map(|row| (row[0], row[1])).collect();
        let mut domains = HashMap::new();
        for row in self.raw("pg_type", &["oid", "typtype", "typbasetype", "typtypmod"])? {
            if row[1] == "d" {
                domains.insert(row[0], (row[2], row[3]));
            }
        }
        let mut columns: HashMap<&str, Vec<RelationColumn>> = HashMap::new();
        let mut attributes = self.raw("pg_attribute", &["attrelid", "attname", "atttypid", "atttypmod", "attnum"])?;
        attributes.sort_by_key(|row| row[4].parse::<i16>().unwrap_or(0));
        for row in attributes.iter().filter(|row| !row[4].starts_with('-')) {
            let (ty, typmod) = domains.get(row[2]).copied().unwrap_or((row[2], row[3]));
            let (Ok(ty), Ok(typmod)) = (ty.parse(), typmod.parse()) else {
                return Err(DataError::Missing(format!("type {ty}")));
            };
            let column = RelationColumn { name: row[1].to_owned(), ty: PgType(ty), typmod, hidden: false };
            columns.entry(row[0]).or_default().push(column);
        }
        let mut shapes = HashMap::new();
        for row in self.raw("pg_class", &["oid", "relname", "relnamespace", "relkind"])? {
            if !matches!(row[3], "r" | "v") {
                continue;
            }
            let schema = namespaces.get(row[2]).copied().unwrap_or_default().to_owned();
            let name = row[1].to_owned();
            let oid = row[0].parse().map_err(|_| DataError::Missing(name.clone()))?;
            let columns = columns.remove(row[0]).unwrap_or_default();
            let shape = Shape { oid, schema: schema.clone(), name: name.clone(), columns };
            shapes.insert((schema, name), Arc::new(shape));
        }
        Ok(shapes)
    }

    /// Undecoded fields of a section, for the few columns asked for.
    fn raw(&self, name: &str, columns: &[&str]) -> Result<Vec<Vec<&str>>, DataError> {
        let missing = || DataError::Missing(name.to_owned());
        let section = self.sections.get(&("pg_catalog".to_owned(), name.to_owned())).ok_or_else(missing)?;
        let place = |column: &&str| section.columns.iter().position(|name| name == column);
        let places: Vec<usize> = columns.iter().map(place).collect::<Option<_>>().ok_or_else(missing)?;
        self.lines(section)
            .map(|line| {
                let fields: Vec<&str> = line.split('\t').collect();
                places.iter().map(|place| fields.get(*place).copied()).collect::<Option<Vec<&str>>>()
            })
            .collect::<Option<_>>()
            .ok_or_else(missing)
    }
}

fn sections(text: &str) -> HashMap<(String, String), Section> {
    let mut sections = HashMap::new();
    let mut start = 0;
    for part in text.split('\u{1}') {
        let end = start + part.len();
        if let Some((header, rows)) = part.split_once('\n') {
            let mut names = header.split('\t');
            let relation = names.next().unwrap_or_default();
            if let Some((schema, name)) = relation.split_once('.') {
                let rows = end - rows.len()..end;
                let columns = names.map(|column| column.trim_matches('"').to_owned()).collect();
                let section = Section { rows, columns, decoded: OnceLock::new() };
                sections.insert((schema.to_owned(), name.to_owned()), section);
            }
        }
        start = end + 1;
    }
    sections
}

fn function_shape(name: &str) -> Option<Arc<Shape>> {
    let (name, columns) = FUNCTION_RESULTS.iter().find(|(function, _)| *function == name)?;
    Some(Arc::new(Shape::new(0, "pg_catalog", name, columns)))
}

fn decode_row(line: &str, shape: &Shape, places: &[Option<usize>]) -> Result<Row, DataError> {
    let mut row: Vec<_> = shape.columns.iter().map(|_| crate::Datum::Null).collect();
    for (field, place) in line.split('\t').zip(places) {
        let Some(place) = *place else { continue };
        let column = &shape.columns[place];
        if let Some(text) = copy::unescape(field) {
            row[place] = parse_datum(&text, column.ty).ok_or_else(|| DataError::Value {
                relation: shape.name.clone(),
                column: column.name.clone(),
                text: text.into_owned(),
            })?;
        }
    }
    Ok(row.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Datum;

    #[test]
    fn every_section_decodes() {
        let snapshot = Snapshot::get().unwrap();
        for (schema, name) in snapshot.sections.keys() {
            let relation = snapshot.relation(schema, name).unwrap().unwrap_or_else(|error| panic!("{error}"));
            assert!(relation.rows.iter().all(|row| row.len() == relation.shape.columns.len()), "{name}");
        }
        assert_eq!(snapshot.table("pg_class").unwrap().rows.len(), 410);
    }

    #[test]
    fn values_have_the_types_of_their_columns() {
        let snapshot = Snapshot::get().unwrap();
        let types = snapshot.table("pg_type").unwrap();
        let int4 = types.find("typname", &Datum::text("int4")).next().unwrap();
        assert_eq!(types.value(int4, "oid"), &Datum::Oid(23));
        assert_eq!(types.value(int4, "typlen"), &Datum::Int2(4));
        assert_eq!(types.value(int4, "typtype"), &Datum::Char(b'b'));
        assert_eq!(types.value(int4, "typdefault"), &Datum::Null);
        let columns = snapshot.shape("information_schema", "tables").unwrap();
        assert_eq!(columns.columns[0].ty, PgType::NAME);
        let insertable = &columns.columns[columns.column("is_insertable_into").unwrap()];
        assert_eq!((insertable.ty, insertable.typmod), (PgType::VARCHAR, 7));
    }
}
