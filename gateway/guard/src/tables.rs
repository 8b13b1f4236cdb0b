//! Table names to tables of the catalog, and what of them a user may read.

use std::sync::Arc;

use dialects::ast::{
    Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, helpers::attached_token::AttachedToken,
};
use dialects::{Position, fold, ident, name_parts};
use mantissa_core::{Catalog, Identity, Table, TableName};

use crate::Error;

/// Schema of the product's own tables, for administrators.
const MANTISSA: &str = "mantissa";

pub(crate) fn is_system_schema(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema")
}

/// A name resolved.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub name: TableName,
    /// `None` for a system table that the catalog does not list.
    pub table: Option<Arc<Table>>,
    /// `None`: every column.
    pub readable: Option<Vec<String>>,
}

pub(crate) struct Tables<'a> {
    pub identity: &'a Identity,
    pub catalog: &'a Catalog,
    pub search_path: &'a [String],
}

impl Tables<'_> {
    /// Finds the table that a name in FROM means and checks that the user may read it.
    pub fn resolve(&self, name: &ObjectName) -> Result<Resolved, Error> {
        let position = position_of(name);
        let parts = name_parts(name).unwrap_or_default();
        let (schema, bare) = match parts.as_slice() {
            [bare] => (None, bare),
            [schema, bare] => (Some(schema), bare),
            _ => {
                let hint = "Name a table as schema.table; one connection reads one database.";
                return Err(Error::Unsupported { feature: "a cross-database reference", hint, position });
            }
        };
        match schema {
            Some(schema) => self.qualified(schema, bare, position),
            None => self.bare(bare, position),
        }
    }

    fn bare(&self, name: &str, position: Option<u32>) -> Result<Resolved, Error> {
        // Postgres searches pg_catalog first unless the path names it at a later place.
        let pg_catalog = ["pg_catalog".to_owned()];
        let found = match self.search_path.iter().any(|schema| schema == "pg_catalog") {
            true => None,
            false => self.catalog.resolve(&pg_catalog, name),
        };
        if let Some(table) = found.or_else(|| self.catalog.resolve(self.search_path, name)) {
            return self.permit(table, position);
        }
        if name.starts_with("pg_") {
            return Ok(Resolved { name: TableName::new("pg_catalog", name), table: None, readable: None });
        }
        let readable = self.catalog.tables.iter().filter(|table| self.may_read(&table.name));
        let nearest = dialects::nearest(name, readable.map(|table| table.name.name.as_str())).map(str::to_owned);
        Err(Error::UndefinedTable { name: name.to_owned(), nearest, position })
    }

    fn qualified(&self, schema: &str, name: &str, position: Option<u32>) -> Result<Resolved, Error> {
        let full = TableName::new(schema, name);
        if let Some(table) = self.catalog.table(&full) {
            return self.permit(table, position);
        }
        if is_system_schema(schema) {
            return Ok(Resolved { name: full, table: None, readable: None });
        }
        // A schema that is not the user's says no more about itself than that.
        if schema != Catalog::LOGS && !(schema == MANTISSA && self.identity.admin) {
            return Err(Error::SchemaDenied { schema: schema.to_owned(), position });
        }
        let siblings =
            self.catalog.tables.iter().filter(|table| table.name.schema == schema && self.may_read(&table.name));
        let nearest = dialects::nearest(name, siblings.map(|table| table.name.name.as_str()));
        let nearest = nearest.map(|nearest| format!("{schema}.{nearest}"));
        Err(Error::UndefinedTable { name: full.to_string(), nearest, position })
    }

    fn permit(&self, table: &Arc<Table>, position: Option<u32>) -> Result<Resolved, Error> {
        if !self.may_read(&table.name) {
            return match table.name.schema.as_str() {
                Catalog::LOGS => Err(Error::TableDenied { table: table.name.name.clone(), position }),
                schema => Err(Error::SchemaDenied { schema: schema.to_owned(), position }),
            };
        }
        let restricts = table.name.schema == Catalog::LOGS;
        let granted = if restricts { self.identity.readable_columns(&table.name) } else { None };
        let readable = granted.map(|granted| {
            let columns = table.columns.iter().map(|column| column.name.as_str());
            columns.filter(|column| granted.contains(column)).map(str::to_owned).collect()
        });
        Ok(Resolved { name: table.name.clone(), table: Some(table.clone()), readable })
    }

    fn may_read(&self, name: &TableName) -> bool {
        match name.schema.as_str() {
            Catalog::LOGS => self.identity.may_read(name),
            MANTISSA => self.identity.admin,
            schema => is_system_schema(schema),
        }
    }
}

/// The resolved name as it stands in the tree.
pub(crate) fn qualified_name(name: &TableName) -> ObjectName {
    ObjectName::from(vec![ident(name.schema.as_str()), ident(name.name.as_str())])
}

/// `(SELECT a, b FROM logs.t) AS t`: a table of which only some columns may be read, in a shape from which no spelling
/// (`*`, whole row, USING, NATURAL, a column alias list) reaches the others.
pub(crate) fn restricted(resolved: &Resolved, columns: &[String], alias: Option<TableAlias>) -> TableFactor {
    let relation = TableFactor::Table {
        name: qualified_name(&resolved.name),
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    };
    let projection = columns.iter().map(|column| SelectItem::UnnamedExpr(Expr::Identifier(ident(column.as_str()))));
    let select = plain_select(projection.collect(), vec![TableWithJoins { relation, joins: Vec::new() }]);
    let alias = alias.unwrap_or_else(|| TableAlias {
        explicit: true,
        name: ident(resolved.name.name.as_str()),
        columns: Vec::new(),
        at: None,
    });
    TableFactor::Derived { lateral: false, subquery: Box::new(query_of(select)), alias: Some(alias), sample: None }
}

fn query_of(select: Select) -> Query {
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

fn plain_select(projection: Vec<SelectItem>, from: Vec<TableWithJoins>) -> Select {
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection,
        exclude: None,
        into: None,
        from,
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}

pub(crate) fn position_of(name: &ObjectName) -> Option<u32> {
    let first: Option<&Ident> = name.0.first().and_then(|part| part.as_ident());
    first.and_then(|first| Position::of(first.span))
}

/// The name by which a FROM entry is called: its alias, else its own.
pub(crate) fn alias_name(alias: Option<&TableAlias>, own: &str) -> String {
    alias.map_or_else(|| own.to_owned(), |alias| fold(&alias.name))
}
