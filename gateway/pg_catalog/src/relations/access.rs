//! Who may read what, as access control lists say it.

use std::collections::HashMap;
use std::sync::Arc;

use mantissa_core::{Identity, PgType, TableName};

use super::build::OWNER_NAME;
use crate::context::Access;
use crate::datum::Datum;
use crate::relation::{Relation, Row};

/// The schema of this server's own relations, which only administrators read.
const ADMINISTRATION: &str = "mantissa";

impl Access {
    /// What `identity` may read of a relation.
    pub(crate) fn of(identity: &Identity, schema: &str, table: &str) -> Self {
        match schema {
            "pg_catalog" | "information_schema" => return Access::Whole,
            ADMINISTRATION if identity.admin => return Access::Whole,
            ADMINISTRATION => return Access::Nothing,
            _ => {}
        }
        let name = TableName::new(schema, table);
        if !identity.may_read(&name) {
            return Access::Nothing;
        }
        match identity.readable_columns(&name) {
            None => Access::Whole,
            Some(columns) => Access::Columns(columns.into_iter().map(str::to_owned).collect()),
        }
    }
}

/// `pg_class` and `pg_attribute` with the lists of one identity.
#[derive(Clone)]
pub(super) struct Lists {
    pub classes: Arc<Relation>,
    pub attributes: Arc<Relation>,
}

impl Lists {
    /// Writes the identity's rights into rows of `own` relations.
    pub fn new(
        identity: &Identity,
        (classes, own): (&Relation, &[Row]),
        attributes: &Arc<Relation>,
        schemas: &Relation,
    ) -> Option<Self> {
        let acl = classes.shape.column("relacl")?;
        let granted = Datum::from(format!("{}=r/{OWNER_NAME}", role(identity.user.as_str())));
        let mut columns = HashMap::new();
        let mut rows: Vec<Row> = classes.rows.iter().take(classes.rows.len() - own.len()).cloned().collect();
        for row in own {
            let kind = classes.value(row, "relkind");
            if !matches!(kind, Datum::Char(b'r' | b'v')) {
                rows.push(Arc::clone(row));
                continue;
            }
            let schema = schemas.find("oid", classes.value(row, "relnamespace")).next();
            let schema = schema.and_then(|row| schemas.value(row, "nspname").as_str()).unwrap_or_default();
            let table = classes.value(row, "relname").as_str().unwrap_or_default();
            let mut items = vec![Datum::from(format!("{OWNER_NAME}=arwdDxt/{OWNER_NAME}"))];
            match Access::of(identity, schema, table) {
                Access::Whole if identity.user.as_str() != OWNER_NAME => items.push(granted.clone()),
                Access::Columns(names) => {
                    columns.insert(classes.value(row, "oid").as_oid()?, names);
                }
                Access::Whole | Access::Nothing => {}
            }
            rows.push(with(row, acl, Datum::array(PgType::ACLITEM, items)));
        }
        Some(Self {
            classes: Arc::new(Relation::new(Arc::clone(&classes.shape), rows)),
            attributes: column_lists(attributes, &columns, &granted)?,
        })
    }
}

/// `pg_attribute` with the lists of columns that alone are granted.
fn column_lists(
    attributes: &Arc<Relation>,
    columns: &HashMap<u32, Vec<String>>,
    granted: &Datum,
) -> Option<Arc<Relation>> {
    if columns.is_empty() {
        return Some(Arc::clone(attributes));
    }
    let acl = attributes.shape.column("attacl")?;
    let listed = |row: &Row| {
        let names = columns.get(&attributes.value(row, "attrelid").as_oid()?)?;
        let name = attributes.value(row, "attname").as_str()?;
        names.iter().any(|other| other == name).then(|| Datum::array(PgType::ACLITEM, vec![granted.clone()]))
    };
    let rows = attributes.rows.iter().map(|row| match listed(row) {
        Some(list) => with(row, acl, list),
        None => Arc::clone(row),
    });
    Some(Arc::new(Relation::new(Arc::clone(&attributes.shape), rows.collect())))
}

fn with(row: &Row, place: usize, value: Datum) -> Row {
    let mut row = row.to_vec();
    row[place] = value;
    row.into()
}

/// A role's name as access control lists have it: quoted where it is more than letters, digits and underscores.
fn role(name: &str) -> String {
    if name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}
