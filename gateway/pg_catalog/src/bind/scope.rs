//! Names in scope.

use dialects::ast::Ident;
use dialects::{Position, fold};
use mantissa_core::PgType;

use crate::error::{Error, Result};
use crate::plan::{Aggregate, ColumnRef, Ex, Fields, Node, SetCall, Window};
use crate::walk;

/// The names that one SELECT's FROM brings.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    pub tables: Vec<NamedTable>,
    /// What `*` gives and what a bare column name finds: columns merged by USING stand once.
    pub columns: Vec<NamedColumn>,
}

#[derive(Debug, Clone)]
pub struct NamedTable {
    pub schema: Option<String>,
    pub name: String,
    pub columns: Vec<NamedColumn>,
    pub oid: u32,
}

#[derive(Debug, Clone)]
pub struct NamedColumn {
    pub name: String,
    pub ex: Ex,
    /// Found by name, left out of `*`.
    pub hidden: bool,
}

impl Namespace {
    pub fn of(table: NamedTable) -> Self {
        let columns = table.columns.iter().filter(|column| !column.hidden).cloned().collect();
        Self { tables: vec![table], columns }
    }

    pub fn append(&mut self, other: Namespace) {
        self.tables.extend(other.tables);
        self.columns.extend(other.columns);
    }
}

/// One SELECT being bound.
#[derive(Debug, Default)]
pub struct Scope {
    pub space: Namespace,
    /// A subquery in FROM that is not LATERAL does not see its neighbours.
    pub closed: bool,
    pub slots: usize,
    pub aggregates: Vec<Aggregate>,
    pub aggregate_slot: Option<usize>,
    pub windows: Vec<Window>,
    pub sets: Vec<SetCall>,
    /// The clause being bound, where aggregates may not stand: "WHERE".
    pub no_aggregates: Option<&'static str>,
    pub in_aggregate: bool,
}

impl Scope {
    pub fn new_slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }
}

pub fn position(ident: &Ident) -> Option<u32> {
    Position::of(ident.span)
}

/// Finds a bare column name, from the innermost SELECT outwards.
pub fn column(scopes: &[Scope], name: &str) -> Result<Option<Ex>> {
    for (level, scope) in scopes.iter().rev().enumerate() {
        if scope.closed {
            continue;
        }
        let mut found = scope.space.columns.iter().filter(|column| column.name == name);
        if let Some(column) = found.next() {
            if found.next().is_some() {
                return Err(Error::AmbiguousColumn(name.to_owned()));
            }
            return Ok(Some(outwards(&column.ex, level)));
        }
        let hidden = scope.space.tables.iter().flat_map(|table| &table.columns);
        let mut hidden = hidden.filter(|column| column.hidden && column.name == name);
        if let Some(column) = hidden.next() {
            if hidden.next().is_some() {
                return Err(Error::AmbiguousColumn(name.to_owned()));
            }
            return Ok(Some(outwards(&column.ex, level)));
        }
    }
    Ok(None)
}

/// Finds a FROM item by its name, from the innermost SELECT outwards.
pub fn table<'s>(scopes: &'s [Scope], schema: Option<&str>, name: &str) -> Result<Option<(usize, &'s NamedTable)>> {
    for (level, scope) in scopes.iter().rev().enumerate() {
        if scope.closed {
            continue;
        }
        let fits = |table: &&NamedTable| table.name == name && (schema.is_none() || table.schema.as_deref() == schema);
        let mut found = scope.space.tables.iter().filter(fits);
        if let Some(table) = found.next() {
            return Ok(Some((level, table)));
        }
    }
    Ok(None)
}

/// An expression of a SELECT as seen some SELECTs further in.
pub fn outwards(ex: &Ex, levels: usize) -> Ex {
    let mut moved = ex.clone();
    if levels > 0 {
        walk::every(&mut moved, 0, &mut |ex, depth| match &mut ex.node {
            Node::Column(column) if column.level >= depth => column.level += levels,
            Node::WholeRow { level, .. } if *level >= depth => *level += levels,
            _ => {}
        });
    }
    moved
}

/// `table.column`, or a message that names both.
pub fn table_column(table: &NamedTable, level: usize, name: &str) -> Result<Option<Ex>> {
    let mut found = table.columns.iter().filter(|column| column.name == name);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(Error::AmbiguousColumn(name.to_owned())),
        (Some(column), None) => Ok(Some(outwards(&column.ex, level))),
        _ => Ok(None),
    }
}

/// A table's row as one value.
pub fn whole_row(table: &NamedTable, level: usize) -> Ex {
    let columns: Vec<&NamedColumn> = table.columns.iter().filter(|column| !column.hidden).collect();
    let fields: Fields = std::sync::Arc::new(
        columns.iter().map(|column| (std::sync::Arc::from(column.name.as_str()), column.ex.ty)).collect(),
    );
    let slot = plain_slot(&columns);
    let node = match slot {
        Some(slot) => Node::WholeRow { level, slot },
        None => Node::Row(columns.iter().map(|column| outwards(&column.ex, level)).collect()),
    };
    let mut ex = Ex::new(node, PgType::RECORD);
    ex.fields = Some(fields);
    ex
}

/// The slot whose columns 0.. these are.
fn plain_slot(columns: &[&NamedColumn]) -> Option<usize> {
    let mut slot = None;
    for (index, column) in columns.iter().enumerate() {
        let Node::Column(ColumnRef { level: 0, slot: this, column }) = column.ex.node else { return None };
        if column != index || slot.is_some_and(|slot| slot != this) {
            return None;
        }
        slot = Some(this);
    }
    slot
}

/// The idents of a dotted name, folded.
pub fn folded(idents: &[Ident]) -> Vec<String> {
    idents.iter().map(fold).collect()
}
