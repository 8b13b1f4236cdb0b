//! The tables a statement may name, all as of one moment.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::common::{DFSchema, TableReference};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::logical_expr::{EmptyRelation, LogicalPlan, LogicalPlanBuilder, TableSource, Union, col};
use mantissa_core::TableName;

use super::table::LakeTable;

/// Tables by name, and the views over them.
#[derive(Default)]
pub(crate) struct Tables {
    sources: HashMap<TableName, Arc<dyn TableSource>>,
}

impl Tables {
    /// `views` name their columns; each is the union of all tables.
    pub(crate) fn new(tables: Vec<(TableName, LakeTable)>, views: Vec<(TableName, Vec<String>)>) -> Result<Self> {
        let tables: Vec<(TableName, Arc<LakeTable>)> =
            tables.into_iter().map(|(name, table)| (name, Arc::new(table))).collect();
        let mut sources = HashMap::with_capacity(tables.len() + views.len());
        for (name, columns) in views {
            let view: Arc<dyn TableProvider> = Arc::new(ViewTable::new(union_of(&tables, &columns)?, None));
            sources.insert(name, provider_as_source(view));
        }
        for (name, table) in tables {
            sources.insert(name, provider_as_source(table as Arc<dyn TableProvider>));
        }
        Ok(Self { sources })
    }

    /// Finds a table; a bare name is looked for in the schemas of `search_path`.
    pub(crate) fn get(
        &self,
        schema: Option<&str>,
        name: &str,
        search_path: &[String],
    ) -> Option<&Arc<dyn TableSource>> {
        let find = |schema: &str| self.sources.get(&TableName::new(schema, name));
        match schema {
            Some(schema) => find(schema),
            None => search_path.iter().find_map(|schema| find(schema)),
        }
    }

    /// The full name of a table that [`Tables::get`] finds.
    pub(crate) fn resolve(&self, schema: Option<&str>, name: &str, search_path: &[String]) -> Option<TableName> {
        let full = |schema: &str| Some(TableName::new(schema, name)).filter(|full| self.sources.contains_key(full));
        match schema {
            Some(schema) => full(schema),
            None => search_path.iter().find_map(|schema| full(schema)),
        }
    }
}

/// Tables without a file are left out: they would only lengthen the plan.
fn union_of(tables: &[(TableName, Arc<LakeTable>)], columns: &[String]) -> Result<LogicalPlan> {
    let scan = |(name, table): &(TableName, Arc<LakeTable>)| {
        let source = provider_as_source(Arc::clone(table) as Arc<dyn TableProvider>);
        let reference = TableReference::partial(name.schema.as_str(), name.name.as_str());
        let names = columns.iter().map(|column| col(datafusion::common::Column::from_name(column)));
        LogicalPlanBuilder::scan(reference, source, None)?.project(names)?.build()
    };
    let filled: Vec<_> = tables.iter().filter(|(_, table)| !table.is_empty()).map(scan).collect::<Result<_>>()?;
    match filled.len() {
        0 => empty(tables, columns),
        1 => filled.into_iter().next().map_or_else(|| empty(tables, columns), Ok),
        _ => Ok(LogicalPlan::Union(Union::try_new_with_loose_types(filled.into_iter().map(Arc::new).collect())?)),
    }
}

fn empty(tables: &[(TableName, Arc<LakeTable>)], columns: &[String]) -> Result<LogicalPlan> {
    let fields = match tables.first() {
        Some((_, table)) => {
            let schema = table.schema();
            columns.iter().map(|column| schema.field_with_name(column).cloned()).collect::<Result<Vec<_>, _>>()?
        }
        None => Vec::new(),
    };
    let schema = Arc::new(DFSchema::try_from(Schema::new(fields))?);
    Ok(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema }))
}
