//! Queries, SELECTs and FROM.

use dialects::ast::{
    Distinct, Expr, GroupByExpr, GroupByWithModifier, Join, JoinConstraint, JoinOperator, LimitClause, NamedWindowExpr,
    OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, SetQuantifier, Spanned, Statement, TableAlias, TableFactor, TableWithJoins, Values,
    WildcardAdditionalOptions, With,
};
use dialects::{Position, fold, name_parts};

use crate::Error;
use crate::check::{Walk, Weight};
use crate::joins::check_joins;
use crate::limit::{normalise, own_limit};
use crate::scope::{Cte, Frame, Source};
use crate::tables::{alias_name, is_system_schema, position_of, qualified_name, restricted};

/// Tables read by one statement, when every WITH query counts as often as it is read.
const MAX_SCANS: u64 = 64;
const MAX_VALUES: usize = 10_000;
/// A side of a join with at most so many rows needs no condition.
const SMALL: u64 = 100;

/// What a query is to the query around it.
pub(crate) struct Shape {
    pub weight: Weight,
    pub columns: Option<Vec<String>>,
    pub is_small: bool,
}

pub(crate) fn unsupported(feature: &'static str, hint: &'static str, position: Option<u32>) -> Error {
    Error::Unsupported { feature, hint, position }
}

impl Walk<'_> {
    /// The outermost query.
    pub fn statement(&mut self, query: &mut Query) -> Result<(), Error> {
        let shape = self.query(query, 0)?;
        if shape.weight.scans > MAX_SCANS {
            let hint = "A WITH query counts as often as it is read: read it once, or split the statement.";
            return Err(Error::TooMany { what: "tables read", limit: MAX_SCANS as usize, hint, position: None });
        }
        Ok(())
    }

    /// A query at a level of nesting. Its weight says how many levels are below it.
    pub fn query(&mut self, query: &mut Query, level: u32) -> Result<Shape, Error> {
        let position = Position::of(query.span());
        self.bound_depth(level, position)?;
        normalise(query)?;
        let limit = own_limit(query);
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch: _,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        if !locks.is_empty() {
            return Err(Error::Writes { command: "SELECT FOR UPDATE", position });
        }
        if for_clause.is_some() || settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty() {
            return Err(unsupported("this clause", "Write plain Postgres SQL.", position));
        }
        let outer_ctes = self.scopes.ctes.len();
        if let Some(with) = with {
            self.with(with, level)?;
        }
        let mut shape = self.set_expr(body, order_by.as_mut(), level)?;
        if let Some(LimitClause::LimitOffset { limit: Some(limit), .. }) = limit_clause {
            self.count_node(limit)?;
        }
        shape.is_small |= limit.is_some_and(|limit| limit <= SMALL);
        self.bound_depth(level.saturating_add(shape.weight.depth), position)?;
        self.scopes.ctes.truncate(outer_ctes);
        Ok(shape)
    }

    fn with(&mut self, with: &mut With, level: u32) -> Result<(), Error> {
        let With { with_token: _, recursive, cte_tables } = with;
        let recursive = *recursive;
        for cte in cte_tables {
            let name = fold(&cte.alias.name);
            let position = Position::of(cte.alias.name.span);
            if cte.from.is_some() {
                return Err(unsupported("WITH ... FROM", "Name the table in the query itself.", position));
            }
            let refers_to_itself = recursive
                && dialects::relations(&cte.query).tables.iter().any(|t| t.schema.is_none() && t.name == name);
            if refers_to_itself && !(self.is_catalog_only && self.reads_system) {
                let hint = "Write the levels out as joins, or use generate_series for a series.";
                return Err(unsupported("a recursive query over logs", hint, position));
            }
            let columns = column_aliases(&cte.alias);
            if refers_to_itself {
                let itself = Cte { name: name.clone(), columns: None, is_small: false, depth: 0, scans: 0 };
                self.scopes.ctes.push(itself);
            }
            self.open_ctes += 1;
            let shape = self.query(&mut cte.query, level);
            self.open_ctes -= 1;
            let Shape { weight, columns: own, is_small } = shape?;
            if refers_to_itself {
                self.scopes.ctes.pop();
            }
            let columns = columns.or(own);
            self.scopes.ctes.push(Cte { name, columns, is_small, depth: weight.depth, scans: weight.scans });
        }
        Ok(())
    }

    fn set_expr(&mut self, body: &mut SetExpr, order_by: Option<&mut OrderBy>, level: u32) -> Result<Shape, Error> {
        match body {
            SetExpr::Select(select) => self.select(select, order_by, level),
            SetExpr::Query(query) => {
                let shape = self.query(query, level)?;
                self.order_outputs(order_by, shape.columns.clone(), level)?;
                Ok(shape)
            }
            SetExpr::SetOperation { left, op: _, set_quantifier, right } => {
                let by_name = matches!(
                    set_quantifier,
                    SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
                );
                if by_name {
                    return Err(unsupported("UNION BY NAME", "List the columns of both sides in one order.", None));
                }
                let left = self.set_expr(left, None, level)?;
                let right = self.set_expr(right, None, level)?;
                self.order_outputs(order_by, left.columns.clone(), level)?;
                let weight = left.weight.beside(right.weight);
                Ok(Shape { weight, columns: left.columns, is_small: left.is_small && right.is_small })
            }
            SetExpr::Values(values) => self.values(values, level),
            SetExpr::Insert(statement) => Err(writes("INSERT", statement)),
            SetExpr::Update(statement) => Err(writes("UPDATE", statement)),
            SetExpr::Delete(statement) => Err(writes("DELETE", statement)),
            SetExpr::Merge(statement) => Err(writes("MERGE", statement)),
            SetExpr::Table(_) => Err(unsupported("TABLE", "Write SELECT * FROM.", None)),
        }
    }

    /// ORDER BY of a set operation: names of its outputs.
    fn order_outputs(
        &mut self,
        order_by: Option<&mut OrderBy>,
        columns: Option<Vec<String>>,
        level: u32,
    ) -> Result<(), Error> {
        let Some(order_by) = order_by else { return Ok(()) };
        let source = Source { alias: String::new(), columns, table: None, is_small: false, position: None };
        self.scopes.frames.push(Frame { sources: vec![source], outputs: Vec::new() });
        let ordered = self.order_by(order_by, level);
        self.scopes.frames.pop();
        ordered.map(drop)
    }

    fn values(&mut self, values: &mut Values, level: u32) -> Result<Shape, Error> {
        let rows = values.rows.len();
        if rows > MAX_VALUES {
            let hint = "Split the list over several statements.";
            return Err(Error::TooMany { what: "rows of VALUES", limit: MAX_VALUES, hint, position: None });
        }
        let mut weight = Weight::default();
        let width = values.rows.first().map_or(0, |row| row.len());
        for expr in values.rows.iter_mut().flat_map(|row| row.iter_mut()) {
            weight = weight.beside(self.expr(expr, level)?);
        }
        let columns = (1..=width).map(|number| format!("column{number}")).collect();
        Ok(Shape { weight, columns: Some(columns), is_small: rows as u64 <= SMALL })
    }

    fn select(&mut self, select: &mut Select, order_by: Option<&mut OrderBy>, level: u32) -> Result<Shape, Error> {
        refuse_foreign_clauses(select)?;
        self.scopes.frames.push(Frame::default());
        let mut weight = Weight::default();
        for item in &mut select.from {
            weight = weight.beside(self.table_with_joins(item, level)?);
        }
        for expr in select.selection.iter_mut() {
            weight = weight.beside(self.expr(expr, level)?);
        }
        for item in &mut select.projection {
            weight = weight.beside(self.select_item(item, level)?);
        }
        if let Some(Distinct::On(exprs)) = &mut select.distinct {
            for expr in exprs {
                weight = weight.beside(self.expr(expr, level)?);
            }
        }
        let outputs = output_names(&select.projection);
        self.set_outputs(outputs.clone());
        weight = weight.beside(self.group_by(&mut select.group_by, level)?);
        for expr in select.having.iter_mut() {
            weight = weight.beside(self.expr(expr, level)?);
        }
        for definition in &mut select.named_window {
            if let NamedWindowExpr::WindowSpec(spec) = &mut definition.1 {
                weight = weight.beside(self.window(spec, level)?);
            }
        }
        if let Some(order_by) = order_by {
            weight = weight.beside(self.order_by(order_by, level)?);
        }
        let frame = self.scopes.frames.pop().unwrap_or_default();
        check_joins(select, &frame)?;
        let is_one_row = is_plain_aggregate(select) || select.from.is_empty();
        let is_small =
            is_one_row || (!frame.sources.is_empty() && frame.sources.len() == 1 && frame.sources[0].is_small);
        Ok(Shape { weight, columns: known_outputs(&select.projection, outputs), is_small })
    }

    fn set_outputs(&mut self, outputs: Vec<String>) {
        if let Some(frame) = self.scopes.frames.last_mut() {
            frame.outputs = outputs;
        }
    }

    fn group_by(&mut self, group_by: &mut GroupByExpr, level: u32) -> Result<Weight, Error> {
        let (exprs, modifiers) = match group_by {
            GroupByExpr::Expressions(exprs, modifiers) => (exprs, modifiers),
            GroupByExpr::All(_) => return Err(unsupported("GROUP BY ALL", "Name the columns of the groups.", None)),
        };
        if let Some(GroupByWithModifier::Totals) = modifiers.first() {
            return Err(unsupported("WITH TOTALS", "Use GROUP BY ROLLUP (...).", None));
        }
        if !modifiers.is_empty() {
            return Err(unsupported("this form of GROUP BY", "Use GROUP BY ROLLUP (...).", None));
        }
        self.exprs(exprs, level)
    }

    fn select_item(&mut self, item: &mut SelectItem, level: u32) -> Result<Weight, Error> {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, alias: _ } => self.expr(expr, level),
            SelectItem::Wildcard(options) => plain_wildcard(options).map(|()| Weight::default()),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                plain_wildcard(options)?;
                let parts = name_parts(name).unwrap_or_default();
                let alias = parts.last().cloned().unwrap_or_default();
                if self.scopes.source(&alias).is_none() {
                    return Err(Error::MissingFrom { name: alias, position: position_of(name) });
                }
                if parts.len() > 1 {
                    // A restricted table has become a subquery, which has no schema.
                    name.0.drain(..parts.len() - 1);
                }
                Ok(Weight::default())
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), options) => {
                plain_wildcard(options)?;
                // `(f(x)).*` takes apart what a function of the catalog returns.
                if self.is_catalog_only {
                    return self.expr(expr, level);
                }
                let hint = "Name the fields one by one.";
                Err(unsupported("the fields of a value with .*", hint, Position::of(expr.span())))
            }
            SelectItem::ExprWithAliases { expr, .. } => {
                Err(unsupported("several names for one column", "Give one name.", Position::of(expr.span())))
            }
        }
    }

    pub fn order_by(&mut self, order_by: &mut OrderBy, level: u32) -> Result<Weight, Error> {
        let OrderBy { kind, interpolate } = order_by;
        match kind {
            OrderByKind::Expressions(exprs) if interpolate.is_none() => self.order_exprs(exprs, level),
            _ => Err(unsupported("ORDER BY ALL", "Name the columns to order by.", None)),
        }
    }

    pub fn order_exprs(&mut self, exprs: &mut [OrderByExpr], level: u32) -> Result<Weight, Error> {
        let mut weight = Weight::default();
        for OrderByExpr { expr, options: _, with_fill } in exprs {
            if with_fill.is_some() {
                return Err(unsupported("WITH FILL", "Join generate_series.", Position::of(expr.span())));
            }
            weight = weight.beside(self.expr(expr, level)?);
        }
        Ok(weight)
    }

    fn table_with_joins(&mut self, item: &mut TableWithJoins, level: u32) -> Result<Weight, Error> {
        let mut weight = self.table_factor(&mut item.relation, level)?;
        for Join { relation, global, join_operator } in &mut item.joins {
            if *global {
                return Err(unsupported("GLOBAL JOIN", "Write JOIN.", None));
            }
            weight = weight.beside(self.table_factor(relation, level)?);
            weight = weight.beside(self.join_operator(join_operator, level)?);
        }
        Ok(weight)
    }

    fn join_operator(&mut self, operator: &mut JoinOperator, level: u32) -> Result<Weight, Error> {
        let constraint = match operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => constraint,
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => constraint,
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => constraint,
            JoinOperator::FullOuter(constraint) | JoinOperator::CrossJoin(constraint) => constraint,
            _ => return Err(unsupported("this kind of join", "Use INNER, LEFT, RIGHT, FULL or CROSS JOIN.", None)),
        };
        match constraint {
            JoinConstraint::On(expr) => self.expr(expr, level),
            JoinConstraint::Using(columns) => {
                for column in columns {
                    let name = name_parts(column).and_then(|mut parts| parts.pop()).unwrap_or_default();
                    self.column(&name, position_of(column))?;
                }
                Ok(Weight::default())
            }
            JoinConstraint::Natural | JoinConstraint::None => Ok(Weight::default()),
        }
    }

    fn table_factor(&mut self, factor: &mut TableFactor, level: u32) -> Result<Weight, Error> {
        match factor {
            TableFactor::Table { .. } => self.named_table(factor, level),
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                if sample.is_some() {
                    return Err(unsupported("TABLESAMPLE", "Use LIMIT, or WHERE random() < 0.01.", None));
                }
                let position = alias.as_ref().and_then(|alias| Position::of(alias.name.span));
                // Without LATERAL it sees the queries around its own, not its neighbours in FROM.
                let neighbours = if *lateral { None } else { self.scopes.frames.pop() };
                let shape = self.query(subquery, level + 1);
                self.scopes.frames.extend(neighbours);
                let shape = shape?;
                let columns = alias.as_ref().and_then(column_aliases).or(shape.columns);
                let alias = alias_name(alias.as_ref(), "");
                let is_small = shape.is_small || *lateral;
                self.add_source(Source { alias, columns, table: None, is_small, position });
                Ok(Weight { depth: shape.weight.depth + 1, scans: shape.weight.scans })
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality: _, alias } => {
                let parts = name_parts(name).unwrap_or_default();
                let position = position_of(name);
                let weight = self.table_call(&parts, args, position, level)?;
                let own = parts.last().cloned().unwrap_or_default();
                self.add_call(alias.as_ref(), &own, position);
                Ok(weight)
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, with_ordinality: _ } => {
                if *with_offset || with_offset_alias.is_some() {
                    return Err(unsupported("WITH OFFSET", "Write WITH ORDINALITY.", None));
                }
                let weight = self.exprs(array_exprs, level)?;
                self.add_call(alias.as_ref(), "unnest", None);
                Ok(weight)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let before = self.scopes.frames.last().map_or(0, |frame| frame.sources.len());
                let weight = self.table_with_joins(table_with_joins, level)?;
                if let (Some(alias), Some(frame)) = (alias, self.scopes.frames.last_mut()) {
                    let is_small = frame.sources[before..].iter().all(|source| source.is_small);
                    frame.sources.truncate(before);
                    let position = Position::of(alias.name.span);
                    let alias = fold(&alias.name);
                    frame.sources.push(Source { alias, columns: None, table: None, is_small, position });
                }
                Ok(weight)
            }
            _ => Err(unsupported("this kind of table", "Read from a table, a subquery or generate_series.", None)),
        }
    }

    fn named_table(&mut self, factor: &mut TableFactor, level: u32) -> Result<Weight, Error> {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality: _,
            partitions,
            json_path,
            sample,
            index_hints,
        } = factor
        else {
            return Ok(Weight::default());
        };
        let position = position_of(name);
        if sample.is_some() {
            return Err(unsupported("TABLESAMPLE", "Use LIMIT, or WHERE random() < 0.01.", position));
        }
        if !with_hints.is_empty()
            || version.is_some()
            || !partitions.is_empty()
            || json_path.is_some()
            || !index_hints.is_empty()
        {
            return Err(unsupported("a table with options", "Name the table alone.", position));
        }
        let parts = name_parts(name).unwrap_or_default();
        if let Some(args) = args {
            if args.settings.is_some() {
                return Err(unsupported("a function with settings", "Call it with arguments alone.", position));
            }
            let weight = self.table_call(&parts, &mut args.args, position, level)?;
            let own = parts.last().cloned().unwrap_or_default();
            self.add_call(alias.as_ref(), &own, position);
            return Ok(weight);
        }
        if let [only] = parts.as_slice()
            && let Some(cte) = self.scopes.cte(only).cloned()
        {
            let columns = alias.as_ref().and_then(column_aliases).or(cte.columns);
            let alias = alias_name(alias.as_ref(), only);
            self.add_source(Source { alias, columns, table: None, is_small: cte.is_small, position });
            // The outermost SELECT reads a WITH query as it would read a table.
            let step = u32::from(level > 0 || self.open_ctes > 0);
            return Ok(Weight { depth: cte.depth + step, scans: cte.scans });
        }
        let resolved = self.tables.resolve(name)?;
        self.note_read(&resolved.name);
        *name = qualified_name(&resolved.name);
        let all = resolved.table.as_ref().map(|table| table.columns.iter().map(|column| column.name.clone()).collect());
        let columns = resolved.readable.clone().or(all);
        let columns = if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) { None } else { columns };
        let own = alias_name(alias.as_ref(), &resolved.name.name);
        let is_small = is_system_schema(&resolved.name.schema);
        self.add_source(Source { alias: own, columns, table: resolved.table.clone(), is_small, position });
        if let Some(readable) = &resolved.readable {
            *factor = restricted(&resolved, readable, alias.take());
        }
        Ok(Weight { depth: 0, scans: u64::from(!is_small) })
    }

    fn add_call(&mut self, alias: Option<&TableAlias>, own: &str, position: Option<u32>) {
        let alias = alias_name(alias, own);
        self.add_source(Source { alias, columns: None, table: None, is_small: true, position });
    }

    fn add_source(&mut self, source: Source) {
        if let Some(frame) = self.scopes.frames.last_mut() {
            frame.sources.push(source);
        }
    }
}

fn writes(command: &'static str, statement: &Statement) -> Error {
    Error::Writes { command, position: Position::of(statement.span()) }
}

/// Clauses of other databases, and INTO, which writes.
fn refuse_foreign_clauses(select: &Select) -> Result<(), Error> {
    let Select {
        select_token,
        optimizer_hints,
        distinct: _,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection: _,
        exclude,
        into,
        from: _,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by: _,
        cluster_by,
        distribute_by,
        sort_by,
        having: _,
        named_window: _,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    let position = Position::of(select_token.0.span);
    if let Some(into) = into {
        return Err(Error::Writes { command: "SELECT INTO", position: position_of(&into.name) });
    }
    if top.is_some() {
        return Err(unsupported("TOP", "Write LIMIT at the end of the statement.", position));
    }
    if qualify.is_some() {
        return Err(unsupported("QUALIFY", "Filter on the window function in an outer SELECT.", position));
    }
    let is_plain = optimizer_hints.is_empty()
        && select_modifiers.is_none()
        && exclude.is_none()
        && lateral_views.is_empty()
        && prewhere.is_none()
        && connect_by.is_empty()
        && cluster_by.is_empty()
        && distribute_by.is_empty()
        && sort_by.is_empty()
        && value_table_mode.is_none()
        && *flavor == SelectFlavor::Standard;
    if is_plain { Ok(()) } else { Err(unsupported("this clause", "Write plain Postgres SQL.", position)) }
}

fn plain_wildcard(options: &WildcardAdditionalOptions) -> Result<(), Error> {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let is_plain = opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none();
    if is_plain { Ok(()) } else { Err(unsupported("* with options", "Name the columns.", None)) }
}

fn column_aliases(alias: &TableAlias) -> Option<Vec<String>> {
    if alias.columns.is_empty() { None } else { Some(alias.columns.iter().map(|column| fold(&column.name)).collect()) }
}

/// The names that a select list gives, as far as they are written in it.
fn output_names(projection: &[SelectItem]) -> Vec<String> {
    let name = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
        SelectItem::UnnamedExpr(expr) => Some(dialects::column_name(expr)),
        _ => None,
    };
    projection.iter().filter_map(name).collect()
}

fn known_outputs(projection: &[SelectItem], names: Vec<String>) -> Option<Vec<String>> {
    (names.len() == projection.len()).then_some(names)
}

/// One row, whatever is read: aggregates alone and no groups.
fn is_plain_aggregate(select: &Select) -> bool {
    let has_groups = !matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    let is_aggregate = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => calls_aggregate(expr),
        _ => false,
    };
    !has_groups && !select.projection.is_empty() && select.projection.iter().any(is_aggregate)
}

fn calls_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(call) => {
            let name = name_parts(&call.name).and_then(|mut parts| parts.pop()).unwrap_or_default();
            let is_aggregate =
                dialects::function(&name).is_some_and(|function| function.kind == dialects::FunctionKind::Aggregate);
            is_aggregate && call.over.is_none()
        }
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => calls_aggregate(inner),
        Expr::BinaryOp { left, right, .. } => calls_aggregate(left) || calls_aggregate(right),
        _ => false,
    }
}
