//! FROM: relations, views, subqueries, functions, joins.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use dialects::ast::{
    self, FunctionArg, FunctionArgExpr, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor,
    TableWithJoins,
};
use dialects::{fold, name_parts};
use mantissa_core::{Field, Origin, PgType};
use parking_lot::Mutex;

use super::scope::{NamedColumn, NamedTable, Namespace, Scope};
use super::{Binder, scope};
use crate::error::{Error, Result};
use crate::plan::*;
use crate::relation::{Shape, Source};
use crate::walk;

const MAX_VIEW_DEPTH: usize = 24;

impl Binder<'_> {
    /// Binds a FROM list; its names are then in the innermost scope.
    pub(super) fn tables_of(&mut self, list: &[TableWithJoins]) -> Result<Option<Tree>> {
        let mut tree: Option<Tree> = None;
        for item in list {
            let before = std::mem::take(&mut self.scope()?.space);
            self.scope()?.space = before.clone();
            let (next, space) = self.joined(item, &before)?;
            check_names(&before, &space)?;
            let mut whole = before;
            whole.append(space);
            self.scope()?.space = whole;
            tree = Some(match tree {
                None => next,
                Some(left) => {
                    Tree::Join { kind: JoinKind::Inner, left: Box::new(left), right: Box::new(next), on: vec![] }
                }
            });
        }
        Ok(tree)
    }

    /// One FROM entry with its joins. `before` are the entries to its left, which LATERAL sees.
    fn joined(&mut self, item: &TableWithJoins, before: &Namespace) -> Result<(Tree, Namespace)> {
        let loses_left = item.joins.iter().any(|join| {
            matches!(
                join.join_operator,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
            )
        });
        let (mut tree, mut space) = self.factor(&item.relation, before, loses_left)?;
        for join in &item.joins {
            let (kind, constraint) = operator(&join.join_operator)?;
            let nullable = loses_left || kind == JoinKind::Left;
            let mut visible = before.clone();
            visible.append(space.clone());
            self.scope()?.space = visible.clone();
            let (right, right_space) = self.factor(&join.relation, &visible, nullable)?;
            check_names(&space, &right_space)?;
            let (joined_space, on) = self.constrain(kind, constraint, space, right_space, before)?;
            space = joined_space;
            tree = Tree::Join { kind, left: Box::new(tree), right: Box::new(right), on };
        }
        self.scope()?.space = before.clone();
        Ok((tree, space))
    }

    fn constrain(
        &mut self,
        kind: JoinKind,
        constraint: &JoinConstraint,
        left: Namespace,
        right: Namespace,
        before: &Namespace,
    ) -> Result<(Namespace, Vec<Ex>)> {
        let names: Vec<String> = match constraint {
            JoinConstraint::None => {
                let mut space = left;
                space.append(right);
                return Ok((space, vec![]));
            }
            JoinConstraint::On(condition) => {
                let mut space = left;
                space.append(right);
                let mut visible = before.clone();
                visible.append(space.clone());
                let scope = self.scope()?;
                scope.space = visible;
                let outer_clause = scope.no_aggregates.replace("JOIN conditions");
                let condition = self.expr(condition)?;
                let condition = self.boolean(condition, "JOIN/ON")?;
                self.scope()?.no_aggregates = outer_clause;
                return Ok((space, conjuncts(condition)));
            }
            JoinConstraint::Using(columns) => columns
                .iter()
                .map(|name| name_parts(name).and_then(|parts| parts.into_iter().next_back()).unwrap_or_default())
                .collect(),
            JoinConstraint::Natural => {
                let in_right = |name: &String| right.columns.iter().any(|column| column.name == *name);
                left.columns.iter().map(|column| column.name.clone()).filter(in_right).collect()
            }
        };
        self.merge(kind, &names, left, right)
    }

    /// USING: equal columns stand once, first.
    fn merge(
        &mut self,
        kind: JoinKind,
        names: &[String],
        left: Namespace,
        right: Namespace,
    ) -> Result<(Namespace, Vec<Ex>)> {
        let pick = |space: &Namespace, name: &str, side: &str| -> Result<Ex> {
            let mut found = space.columns.iter().filter(|column| column.name == name);
            match (found.next(), found.next()) {
                (Some(column), None) => Ok(column.ex.clone()),
                (Some(_), Some(_)) => Err(Error::AmbiguousColumn(format!(
                    "common column name \"{name}\" appears more than once in {side} table"
                ))),
                _ => Err(Error::UndefinedColumn(format!("\"{name}\" specified in USING clause"))),
            }
        };
        let mut on = Vec::new();
        let mut merged = Vec::new();
        for name in names {
            let (a, b) = (pick(&left, name, "left")?, pick(&right, name, "right")?);
            on.push(self.compare(Comparison::Eq, a.clone(), b.clone(), None)?);
            let ex = match kind {
                JoinKind::Inner | JoinKind::Left => a,
                JoinKind::Right => b,
                JoinKind::Full => {
                    let (items, ty) = self.unify(vec![a, b], "JOIN/USING")?;
                    Ex::new(Node::Coalesce(items), ty)
                }
            };
            merged.push(NamedColumn { name: name.clone(), ex, hidden: false });
        }
        let rest = |space: &Namespace| -> Vec<NamedColumn> {
            space.columns.iter().filter(|column| !names.contains(&column.name)).cloned().collect()
        };
        merged.extend(rest(&left));
        merged.extend(rest(&right));
        let mut tables = left.tables;
        tables.extend(right.tables);
        Ok((Namespace { tables, columns: merged }, on))
    }

    fn factor(&mut self, factor: &TableFactor, visible: &Namespace, nullable: bool) -> Result<(Tree, Namespace)> {
        match factor {
            TableFactor::Table { name, alias, args: None, with_ordinality: false, .. } => {
                self.relation(name, alias.as_ref(), nullable)
            }
            TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } => {
                self.function(name, &args.args, *with_ordinality, alias.as_ref())
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                self.function(name, args, *with_ordinality, alias.as_ref())
            }
            TableFactor::UNNEST { array_exprs, alias, with_ordinality, .. } => {
                let calls = array_exprs.iter().map(|expr| self.table_function("unnest", None, vec![expr]));
                let calls = calls.collect::<Result<Vec<_>>>()?;
                self.function_item(calls, "unnest", *with_ordinality, alias.as_ref())
            }
            TableFactor::TableFunction { expr: ast::Expr::Function(function), alias } => {
                let args = match &function.args {
                    ast::FunctionArguments::List(list) => list.args.clone(),
                    _ => vec![],
                };
                self.function(&function.name, &args, false, alias.as_ref())
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                self.scope()?.closed = !lateral;
                let bound = self.query(subquery);
                self.scope()?.closed = false;
                let mut bound = bound?;
                self.resolve_unknown(&mut bound)?;
                let name = alias.as_ref().map(|alias| fold(&alias.name)).unwrap_or_default();
                Ok(self.derived(bound, name, alias.as_ref(), None, nullable, *lateral)?)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let (tree, space) = self.joined(table_with_joins, visible)?;
                let Some(alias) = alias else { return Ok((tree, space)) };
                let table = NamedTable { schema: None, name: fold(&alias.name), columns: space.columns, oid: 0 };
                Ok((tree, Namespace::of(rename(table, alias)?)))
            }
            other => Err(Error::Unsupported(format!("FROM {other}"))),
        }
    }

    fn relation(&mut self, name: &ObjectName, alias: Option<&TableAlias>, nullable: bool) -> Result<(Tree, Namespace)> {
        let parts = name_parts(name).unwrap_or_default();
        let position = name.0.first().and_then(|part| part.as_ident()).and_then(scope::position);
        let (schema, bare) = match parts.as_slice() {
            [bare] => (None, bare.clone()),
            [schema, bare] => (Some(schema.clone()), bare.clone()),
            [database, schema, bare] if database == self.context.session.database() => {
                (Some(schema.clone()), bare.clone())
            }
            _ => {
                let message = format!("cross-database references are not implemented: \"{}\"", parts.join("."));
                return Err(Error::Unsupported(message).at(position));
            }
        };
        if schema.is_none()
            && let Some(cte) = self.ctes.iter().rev().find(|cte| cte.name == bare).cloned()
        {
            return self.cte_item(&cte, alias);
        }
        let source = self.context.relations.lookup(schema.as_deref(), &bare, &self.search_path);
        let source = source.ok_or_else(|| Error::UndefinedTable(parts.join(".")).at(position))?;
        match source {
            Source::View { shape, sql } => self.view(&shape, &sql, alias, nullable),
            Source::Rows(relation) => self.base(&relation.shape, relation.rows.len(), alias),
            Source::Lazy(lazy) => self.base(&lazy.shape, 100, alias),
        }
    }

    fn base(&mut self, shape: &Arc<Shape>, rows: usize, alias: Option<&TableAlias>) -> Result<(Tree, Namespace)> {
        let slot = self.scope()?.new_slot();
        let mut columns = Vec::with_capacity(shape.columns.len() + 1);
        for (index, column) in shape.columns.iter().enumerate() {
            let mut ex = Ex::column(slot, index, column.ty);
            ex.typmod = column.typmod;
            ex.origin = Some(Origin { table_oid: shape.oid, attnum: index as i16 + 1 });
            columns.push(NamedColumn { name: column.name.clone(), ex, hidden: column.hidden });
        }
        if shape.column("tableoid").is_none() {
            // NULL rows of outer joins have NULL here too: the constant hangs on the row's first column.
            let present = Ex::new(
                Node::IsNull(Box::new(Ex::new(Node::WholeRow { level: 0, slot }, PgType::RECORD)), false),
                PgType::BOOL,
            );
            let oid = Ex::constant(crate::datum::Datum::Oid(shape.oid), PgType::OID);
            let whens = vec![(Ex::new(Node::Not(Box::new(present)), PgType::BOOL), oid)];
            let ex = Ex::new(Node::Case { operand: None, whens, otherwise: None }, PgType::OID);
            columns.push(NamedColumn { name: "tableoid".into(), ex, hidden: true });
        }
        let table = NamedTable {
            schema: alias.is_none().then(|| shape.schema.clone()),
            name: shape.name.clone(),
            columns,
            oid: shape.oid,
        };
        let table = match alias {
            Some(alias) => rename(table, alias)?,
            None => table,
        };
        let item = Item {
            slot,
            width: shape.columns.len(),
            source: ItemSource::Relation(Arc::clone(shape)),
            filters: vec![],
            lookup: None,
            estimate: rows,
        };
        Ok((Tree::Item(Box::new(item)), Namespace::of(table)))
    }

    fn cte_item(&mut self, cte: &super::CteName, alias: Option<&TableAlias>) -> Result<(Tree, Namespace)> {
        let slot = self.scope()?.new_slot();
        let table =
            NamedTable { schema: None, name: cte.name.clone(), columns: output_columns(slot, &cte.columns), oid: 0 };
        let table = match alias {
            Some(alias) => rename(table, alias)?,
            None => table,
        };
        let width = cte.columns.len();
        let item = Item { slot, width, source: ItemSource::Cte(cte.id), filters: vec![], lookup: None, estimate: 50 };
        Ok((Tree::Item(Box::new(item)), Namespace::of(table)))
    }

    fn view(
        &mut self,
        shape: &Arc<Shape>,
        sql: &Arc<str>,
        alias: Option<&TableAlias>,
        nullable: bool,
    ) -> Result<(Tree, Namespace)> {
        if self.view_depth >= MAX_VIEW_DEPTH {
            return Err(Error::TooDeep);
        }
        let tree = parsed_view(sql)?;
        // A view sees nothing of the statement around it.
        let scopes = std::mem::take(&mut self.scopes);
        let ctes = std::mem::take(&mut self.ctes);
        let path = std::mem::replace(&mut self.search_path, vec!["pg_catalog".to_owned()]);
        self.view_depth += 1;
        let bound = self.query(&tree);
        self.view_depth -= 1;
        self.scopes = scopes;
        self.ctes = ctes;
        self.search_path = path;
        let mut bound = bound.map_err(|error| view_error(shape, error))?;
        if bound.fields.len() != shape.columns.len() {
            return Err(Error::WrongObject(format!(
                "view {}.{} has other columns than its query",
                shape.schema, shape.name
            )));
        }
        let types: Vec<PgType> = shape.columns.iter().map(|column| column.ty).collect();
        self.retype(&mut bound, &types).map_err(|error| view_error(shape, error))?;
        for (output, column) in bound.fields.iter_mut().zip(&shape.columns) {
            output.field = Field { name: column.name.clone(), ty: column.ty, typmod: column.typmod, origin: None };
        }
        self.derived(bound, shape.name.clone(), alias, Some(shape), nullable, false)
    }

    /// A subquery or view as FROM item: merged into this SELECT where that changes nothing, else run on its own.
    fn derived(
        &mut self,
        bound: Query,
        name: String,
        alias: Option<&TableAlias>,
        view: Option<&Arc<Shape>>,
        nullable: bool,
        lateral: bool,
    ) -> Result<(Tree, Namespace)> {
        let outputs = bound.fields.clone();
        let (tree, mut columns) = if !lateral && can_merge(&bound, nullable) {
            let base = self.scope()?.slots;
            let (tree, targets, slots) = merge_into(bound, base)?;
            self.scope()?.slots += slots;
            let columns: Vec<NamedColumn> = outputs
                .iter()
                .zip(targets)
                .map(|(output, ex)| NamedColumn { name: output.field.name.clone(), ex, hidden: false })
                .collect();
            (tree, columns)
        } else {
            let slot = self.scope()?.new_slot();
            let width = outputs.len();
            let source = ItemSource::Query(Arc::new(bound));
            let item = Item { slot, width, source, filters: vec![], lookup: None, estimate: 200 };
            (Tree::Item(Box::new(item)), output_columns(slot, &outputs))
        };
        for (index, (column, output)) in columns.iter_mut().zip(&outputs).enumerate() {
            column.ex.typmod = output.field.typmod;
            column.ex.fields = column.ex.fields.take().or_else(|| output.fields.clone());
            column.ex.origin = match view {
                Some(shape) => Some(Origin { table_oid: shape.oid, attnum: index as i16 + 1 }),
                None => output.field.origin,
            };
        }
        let schema = view.filter(|_| alias.is_none()).map(|shape| shape.schema.clone());
        let table = NamedTable { schema, name, columns, oid: view.map_or(0, |shape| shape.oid) };
        let table = match alias {
            Some(alias) => rename(table, alias)?,
            None => table,
        };
        Ok((tree, Namespace::of(table)))
    }

    fn function(
        &mut self,
        name: &ObjectName,
        args: &[FunctionArg],
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<(Tree, Namespace)> {
        let parts = name_parts(name).unwrap_or_default();
        let position = name.0.first().and_then(|part| part.as_ident()).and_then(scope::position);
        let bare = parts.last().cloned().unwrap_or_default();
        let exprs = args
            .iter()
            .map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
                | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => Ok(expr),
                _ => Err(Error::Unsupported("this form of argument".into())),
            })
            .collect::<Result<Vec<_>>>()?;
        let schema = (parts.len() > 1).then(|| parts[parts.len() - 2].clone());
        let calls = if bare == "unnest" && exprs.len() > 1 {
            let calls = exprs.iter().map(|expr| self.table_function("unnest", None, vec![expr]));
            calls.collect::<Result<Vec<_>>>()?
        } else {
            vec![self.table_function(&bare, schema.as_deref(), exprs).map_err(|error| error.at(position))?]
        };
        self.function_item(calls, &bare, ordinality, alias)
    }

    fn function_item(
        &mut self,
        calls: Vec<TableCall>,
        name: &str,
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<(Tree, Namespace)> {
        let slot = self.scope()?.new_slot();
        let single_name = alias.filter(|_| calls.len() == 1).map_or_else(|| name.to_owned(), |alias| fold(&alias.name));
        let mut columns = Vec::new();
        for call in &calls {
            let fields: Vec<(String, PgType)> = match &call.fields {
                Some(fields) => fields.iter().map(|(name, ty)| (name.to_string(), *ty)).collect(),
                None => vec![(single_name.clone(), call.result)],
            };
            for (name, ty) in fields {
                let ex = Ex::column(slot, columns.len(), ty);
                columns.push(NamedColumn { name, ex, hidden: false });
            }
        }
        if ordinality {
            let ex = Ex::column(slot, columns.len(), PgType::INT8);
            columns.push(NamedColumn { name: "ordinality".into(), ex, hidden: false });
        }
        let width = columns.len();
        let table = NamedTable { schema: None, name: name.to_owned(), columns, oid: 0 };
        let table = match alias {
            Some(alias) => rename(table, alias)?,
            None => table,
        };
        let source = ItemSource::Functions { calls, ordinality };
        let item = Item { slot, width, source, filters: vec![], lookup: None, estimate: 20 };
        Ok((Tree::Item(Box::new(item)), Namespace::of(table)))
    }
}

fn view_error(shape: &Shape, error: Error) -> Error {
    let error = match error {
        Error::At { source, .. } => *source,
        other => other,
    };
    Error::WrongObject(format!("view {}.{}: {error}", shape.schema, shape.name))
}

/// Views are parsed once a process.
fn parsed_view(sql: &Arc<str>) -> Result<Arc<ast::Query>> {
    static PARSED: LazyLock<Mutex<HashMap<Arc<str>, Arc<ast::Query>>>> = LazyLock::new(Mutex::default);
    if let Some(tree) = PARSED.lock().get(sql) {
        return Ok(Arc::clone(tree));
    }
    let text = sql.trim().trim_end_matches(';');
    let tree = dialects::parse_query(text).map_err(|error| Error::Syntax(format!("{error} in a view: {text}")))?;
    let tree = Arc::new(tree);
    PARSED.lock().insert(Arc::clone(sql), Arc::clone(&tree));
    Ok(tree)
}

fn operator(operator: &JoinOperator) -> Result<(JoinKind, &JoinConstraint)> {
    Ok(match operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) | JoinOperator::CrossJoin(constraint) => {
            (JoinKind::Inner, constraint)
        }
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (JoinKind::Left, constraint),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (JoinKind::Right, constraint),
        JoinOperator::FullOuter(constraint) => (JoinKind::Full, constraint),
        _ => return Err(Error::Unsupported("this kind of join".into())),
    })
}

fn check_names(left: &Namespace, right: &Namespace) -> Result<()> {
    for table in &right.tables {
        let clash = |other: &&NamedTable| {
            other.name == table.name
                && (other.schema.is_none() || table.schema.is_none() || other.schema == table.schema)
        };
        if !table.name.is_empty() && left.tables.iter().any(|other| clash(&other)) {
            return Err(Error::DuplicateAlias(table.name.clone()));
        }
    }
    Ok(())
}

/// Gives a FROM item its alias, and its columns theirs.
fn rename(mut table: NamedTable, alias: &TableAlias) -> Result<NamedTable> {
    table.name = fold(&alias.name);
    table.schema = None;
    let visible = table.columns.iter().filter(|column| !column.hidden).count();
    if alias.columns.len() > visible {
        return Err(Error::InvalidColumnReference(format!(
            "table \"{}\" has {visible} columns available but {} columns specified",
            table.name,
            alias.columns.len()
        )));
    }
    let columns = table.columns.iter_mut().filter(|column| !column.hidden);
    for (column, name) in columns.zip(&alias.columns) {
        column.name = fold(&name.name);
    }
    Ok(table)
}

fn output_columns(slot: usize, outputs: &[Output]) -> Vec<NamedColumn> {
    outputs
        .iter()
        .enumerate()
        .map(|(index, output)| {
            let mut ex = Ex::column(slot, index, output.field.ty);
            ex.typmod = output.field.typmod;
            ex.fields = output.fields.clone();
            ex.origin = output.field.origin;
            NamedColumn { name: output.field.name.clone(), ex, hidden: false }
        })
        .collect()
}

/// The parts of a condition that all must hold.
pub fn conjuncts(condition: Ex) -> Vec<Ex> {
    match condition.node {
        Node::And(items) => items.into_iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}

/// Whether a subquery is no more than FROM, WHERE and a target list. Under an outer join its columns must be plain, so
/// that they become NULL with the row.
fn can_merge(query: &Query, nullable: bool) -> bool {
    let Body::Select(select) = &query.body else { return false };
    let plain = query.ctes.is_empty()
        && query.order.is_empty()
        && query.limit.is_none()
        && query.offset.is_none()
        && select.grouping.is_none()
        && select.having.is_none()
        && select.windows.is_empty()
        && select.sets.is_empty()
        && matches!(select.distinct, Distinct::No)
        && matches!(select.from, From::Raw(Some(_), _));
    let is_column = |ex: &Ex| matches!(ex.node, Node::Column(ColumnRef { level: 0, .. }));
    plain && (!nullable || select.targets.iter().all(is_column))
}

/// Takes a mergeable query apart: its tree and targets in terms of the enclosing SELECT, whose next slot is `base`.
fn merge_into(query: Query, base: usize) -> Result<(Tree, Vec<Ex>, usize)> {
    let Body::Select(select) = query.body else { return Err(Error::TooDeep) };
    let Select { slots, from: From::Raw(Some(mut tree), mut conditions), mut targets, .. } = *select else {
        return Err(Error::TooDeep);
    };
    let mut shift = |ex: &mut Ex, depth: usize| {
        walk::every(ex, depth, &mut |ex, depth| {
            let (level, slot) = match &mut ex.node {
                Node::Column(column) => (&mut column.level, &mut column.slot),
                Node::WholeRow { level, slot } => (level, slot),
                _ => return,
            };
            if *level == depth {
                *slot += base;
            } else if *level > depth {
                *level -= 1;
            }
        });
    };
    walk::tree(&mut tree, 0, &mut shift);
    conditions.iter_mut().chain(&mut targets).for_each(|ex| shift(ex, 0));
    shift_slots(&mut tree, base);
    let tree = if conditions.is_empty() { tree } else { Tree::Filter(Box::new(tree), conditions) };
    Ok((tree, targets, slots))
}

fn shift_slots(tree: &mut Tree, base: usize) {
    match tree {
        Tree::Item(item) => item.slot += base,
        Tree::Join { left, right, .. } => {
            shift_slots(left, base);
            shift_slots(right, base);
        }
        Tree::Filter(inner, _) => shift_slots(inner, base),
    }
}

impl Scope {
    pub(super) fn with_clause(clause: &'static str) -> Self {
        Self { no_aggregates: Some(clause), ..Self::default() }
    }
}
