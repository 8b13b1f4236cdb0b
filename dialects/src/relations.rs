use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, TableFactor, Visit, Visitor};

use crate::Position;
use crate::identifier::{first_ident, fold, name_parts};

/// A table, or a function in the place of one, as a statement names it. Names are folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationRef {
    pub schema: Option<String>,
    pub name: String,
    pub position: Option<u32>,
}

/// Everything that a statement reads from, in the order of the text, repeated where the text repeats it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relations {
    /// Names that the statement's own WITH gives are left out.
    pub tables: Vec<RelationRef>,
    /// Functions in FROM.
    pub functions: Vec<RelationRef>,
}

/// Lists every table that a query names anywhere, and apart from them the functions in FROM.
pub fn relations(query: &Query) -> Relations {
    let mut collector = Collector::default();
    let _ = query.visit(&mut collector);
    collector.found
}

#[derive(Default)]
struct Collector {
    found: Relations,
    /// One for each query that is open, innermost last.
    scopes: Vec<Scope>,
}

/// The names that the WITH of one query gives. A name is visible in the queries after its own and in the body; with
/// RECURSIVE everywhere.
#[derive(Default)]
struct Scope {
    recursive: bool,
    names: Vec<String>,
    /// The WITH's queries by address, to know which of them is being visited.
    queries: Vec<*const Query>,
    /// How many of `names` are visible at this point of the visit.
    visible: usize,
}

impl Collector {
    /// Where `query` is one of the innermost WITH's queries, its number.
    fn number_in_with(&self, query: &Query) -> Option<usize> {
        self.scopes.last()?.queries.iter().position(|known| std::ptr::eq(*known, query))
    }

    fn is_given_by_with(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.names[..scope.visible].iter().any(|given| given == name))
    }

    fn add(&mut self, name: &ObjectName, is_function: bool) {
        let Some(mut parts) = name_parts(name) else { return };
        let Some(last) = parts.pop() else { return };
        let schema = parts.pop();
        let position = first_ident(name).and_then(|ident| Position::of(ident.span));
        let relation = RelationRef { schema, name: last, position };
        if is_function {
            self.found.functions.push(relation);
        } else if relation.schema.is_some() || !self.is_given_by_with(&relation.name) {
            self.found.tables.push(relation);
        }
    }
}

impl Visitor for Collector {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(number) = self.number_in_with(query)
            && let Some(outer) = self.scopes.last_mut()
        {
            outer.visible = if outer.recursive { outer.names.len() } else { number };
        }
        let mut scope = Scope::default();
        if let Some(with) = &query.with {
            scope.recursive = with.recursive;
            scope.names = with.cte_tables.iter().map(|cte| fold(&cte.alias.name)).collect();
            scope.queries = with.cte_tables.iter().map(|cte| std::ptr::from_ref(cte.query.as_ref())).collect();
            scope.visible = scope.names.len();
        }
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.scopes.pop();
        if self.number_in_with(query).is_some()
            && let Some(outer) = self.scopes.last_mut()
        {
            outer.visible = outer.names.len();
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args, .. } => self.add(name, args.is_some()),
            TableFactor::Function { name, .. } => self.add(name, true),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_query;

    fn names(sql: &str) -> String {
        let found = relations(&parse_query(sql).unwrap());
        let show = |relation: &RelationRef| match &relation.schema {
            Some(schema) => format!("{schema}.{}", relation.name),
            None => relation.name.clone(),
        };
        let tables: Vec<_> = found.tables.iter().map(show).collect();
        let functions: Vec<_> = found.functions.iter().map(|function| show(function) + "()").collect();
        [tables, functions].concat().join(" ")
    }

    #[test]
    fn tables_are_found_wherever_they_stand() {
        let cases = [
            ("select 1", ""),
            ("select * from OKTA o, \"Okta\" join logs.x on true", "okta Okta logs.x"),
            ("with a as (select * from t), b as (select * from a) select * from b, c", "t c"),
            ("with a as (select * from a) select * from a", "a"),
            ("with recursive a as (select * from a union select * from b), b as (select 1) select 1", ""),
            ("with a as (select 1) select * from logs.a", "logs.a"),
            ("select (select max(x) from t1) from t2 where exists (select from t3) order by (table t4)", "t1 t2 t3 t4"),
            ("table a union values (1) union (with t as (select 1) select * from t) union select * from t", "a t"),
            ("select * from generate_series(1, 2) g, unnest(array[1]), lateral f(1)", "generate_series() f()"),
            ("select * from (with a as (select 1) select * from a) s join a on true", "a"),
        ];
        for (sql, expected) in cases {
            assert_eq!(names(sql), expected, "{sql}");
        }
    }
}
