//! Binds a syntax tree: names to columns, calls to functions, every expression to a type.

mod call;
mod coerce;
mod expr;
mod from;
mod group;
mod name;
mod operator;
mod optimize;
mod quantify;
mod scope;
mod select;
mod types;

use std::sync::{Arc, OnceLock};

use arrow::datatypes::Schema;
use dialects::ast;
use dialects::{Position, fold};
use mantissa_core::{Field, PgType};

use crate::context::Context;
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::*;
use scope::Scope;

/// A statement ready to run, with its shape.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) query: Arc<Query>,
    pub(crate) reads_nothing: bool,
    /// Of the batches, made with the first.
    pub(crate) schema: OnceLock<Arc<Schema>>,
    pub fields: Arc<[Field]>,
    pub parameters: Vec<PgType>,
}

/// Binds a statement. `hints` are the parameter types that the client declared (OID 0: unknown).
pub fn bind(context: &Context<'_>, query: &ast::Query, hints: &[PgType]) -> Result<Plan> {
    let unknown = |ty: &PgType| if ty.0 == 0 { PgType::UNKNOWN } else { *ty };
    let mut binder = Binder {
        context,
        search_path: context.search_path(),
        parameters: hints.iter().map(unknown).collect(),
        scopes: Vec::new(),
        ctes: Vec::new(),
        next_id: 0,
        named_windows: Vec::new(),
        view_depth: 0,
        depth: 0,
    };
    let mut bound = binder.query(query)?;
    binder.resolve_unknown(&mut bound)?;
    optimize::query(&mut bound, context)?;
    let fields = bound.fields.iter().map(|output| output.field.clone()).collect();
    let parameters =
        binder.parameters.iter().map(|ty| if *ty == PgType::UNKNOWN { PgType::TEXT } else { *ty }).collect();
    let reads_nothing = reads_nothing(&mut bound);
    Ok(Plan { query: Arc::new(bound), reads_nothing, schema: OnceLock::new(), fields, parameters })
}

/// Whether a query is one SELECT of expressions, without relations and subqueries.
fn reads_nothing(query: &mut Query) -> bool {
    let Body::Select(select) = &mut query.body else { return false };
    let mut plain = matches!(select.from, From::Nothing) && query.ctes.is_empty() && select.sets.is_empty();
    for target in &mut select.targets {
        crate::walk::every(target, 0, &mut |ex, _| {
            let nested =
                matches!(ex.node, Node::Scalar(_) | Node::Exists(..) | Node::ArrayOf(..) | Node::SubqueryTest { .. });
            plain &= !nested;
        });
    }
    plain
}

struct Binder<'a> {
    context: &'a Context<'a>,
    search_path: Vec<String>,
    parameters: Vec<PgType>,
    /// SELECTs being bound, innermost last.
    scopes: Vec<Scope>,
    ctes: Vec<CteName>,
    next_id: usize,
    named_windows: Vec<Vec<ast::NamedWindowDefinition>>,
    view_depth: usize,
    depth: usize,
}

#[derive(Clone)]
struct CteName {
    name: String,
    id: usize,
    columns: Vec<Output>,
}

/// Expressions and queries nest no deeper.
const MAX_DEPTH: usize = 2_000;

impl<'a> Binder<'a> {
    fn new_id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    fn scope(&mut self) -> Result<&mut Scope> {
        self.scopes.last_mut().ok_or_else(|| Error::WrongObject("no SELECT is being read".into()))
    }

    /// Binds a query; leaves the binder's names as they were.
    fn query(&mut self, query: &ast::Query) -> Result<Query> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let known = self.ctes.len();
        let bound = crate::stack::deep(|| self.query_inner(query));
        self.ctes.truncate(known);
        self.depth -= 1;
        bound
    }

    fn query_inner(&mut self, query: &ast::Query) -> Result<Query> {
        if !query.locks.is_empty() {
            return Err(Error::Unsupported("FOR UPDATE".into()));
        }
        let mut ctes = Vec::new();
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                ctes.push(self.cte(cte, with.recursive)?);
            }
        }
        let order = order_of(query)?;
        let mut bound = match &*query.body {
            ast::SetExpr::Select(select) => self.select(select, order)?,
            other => {
                let mut bound = self.set_expr(other)?;
                bound.order = self.output_order(order, &bound.fields)?;
                bound
            }
        };
        let nested = bound.limit.is_some() || bound.offset.is_some();
        if nested || !bound.ctes.is_empty() {
            bound = Query { fields: bound.fields.clone(), ..wrap(bound) };
        }
        bound.ctes = ctes;
        self.limits(query, &mut bound)?;
        Ok(bound)
    }

    fn limits(&mut self, query: &ast::Query, bound: &mut Query) -> Result<()> {
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
        };
        let fetch = query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref());
        if let Some(limit) = limit.or(fetch) {
            bound.limit = Some(self.row_count(limit)?);
        } else if query.fetch.is_some() {
            bound.limit = Some(Ex::constant(Datum::Int8(1), PgType::INT8));
        }
        if let Some(offset) = offset {
            bound.offset = Some(self.row_count(offset)?);
        }
        Ok(())
    }

    fn row_count(&mut self, expr: &ast::Expr) -> Result<Ex> {
        let ex = self.expr(expr)?;
        self.coerce(ex, PgType::INT8, -1)
    }

    fn set_expr(&mut self, body: &ast::SetExpr) -> Result<Query> {
        match body {
            ast::SetExpr::Select(select) => self.select(select, &[]),
            ast::SetExpr::Query(query) => {
                let inner = self.query(query)?;
                Ok(wrap(inner))
            }
            ast::SetExpr::Values(values) => self.values(values),
            ast::SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(Error::TooDeep);
                }
                let left = crate::stack::deep(|| self.set_expr(left))?;
                let right = crate::stack::deep(|| self.set_expr(right))?;
                self.depth -= 1;
                self.set_operation(left, *op, *set_quantifier, right)
            }
            ast::SetExpr::Table(_) => Err(Error::Unsupported("TABLE".into())),
            _ => Err(Error::Unsupported("a statement that writes".into())),
        }
    }

    fn values(&mut self, values: &ast::Values) -> Result<Query> {
        let mut rows = Vec::new();
        for row in &values.rows {
            rows.push(row.iter().map(|item| self.expr(item)).collect::<Result<Vec<_>>>()?);
        }
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return Err(Error::Syntax("VALUES lists must all be the same length".into()));
        }
        let mut fields = Vec::with_capacity(width);
        for index in 0..width {
            let column: Vec<&Ex> = rows.iter().map(|row| &row[index]).collect();
            let ty = self.common_type(&column, "VALUES")?;
            let typmod = if column.iter().all(|ex| ex.typmod == column[0].typmod) { column[0].typmod } else { -1 };
            for row in &mut rows {
                let ex = std::mem::replace(&mut row[index], Ex::constant(Datum::Null, ty));
                row[index] = self.coerce(ex, ty, -1)?;
            }
            let mut field = Field::new(format!("column{}", index + 1), ty);
            field.typmod = typmod;
            fields.push(Output { field, fields: rows.first().and_then(|row| row[index].fields.clone()) });
        }
        Ok(Query { ctes: vec![], body: Body::Values(rows), order: vec![], limit: None, offset: None, fields })
    }

    fn set_operation(
        &mut self,
        mut left: Query,
        operator: ast::SetOperator,
        quantifier: ast::SetQuantifier,
        mut right: Query,
    ) -> Result<Query> {
        let (operator, name) = match operator {
            ast::SetOperator::Union => (SetOperator::Union, "UNION"),
            ast::SetOperator::Intersect => (SetOperator::Intersect, "INTERSECT"),
            ast::SetOperator::Except | ast::SetOperator::Minus => (SetOperator::Except, "EXCEPT"),
        };
        if left.fields.len() != right.fields.len() {
            return Err(Error::Syntax(format!("each {name} query must have the same number of columns")));
        }
        let mut fields = Vec::new();
        for index in 0..left.fields.len() {
            let (a, b) = (&left.fields[index].field, &right.fields[index].field);
            let ty = self.common_of(&[a.ty, b.ty], name)?;
            let typmod = if a.typmod == b.typmod && a.ty == b.ty { a.typmod } else { -1 };
            let field = Field { name: a.name.clone(), ty, typmod, origin: None };
            fields.push(Output { field, fields: left.fields[index].fields.clone() });
        }
        let types: Vec<PgType> = fields.iter().map(|output| output.field.ty).collect();
        self.retype(&mut left, &types)?;
        self.retype(&mut right, &types)?;
        let all = matches!(quantifier, ast::SetQuantifier::All);
        let body = Body::SetOperation { operator, all, left: Box::new(left), right: Box::new(right) };
        Ok(Query { ctes: vec![], body, order: vec![], limit: None, offset: None, fields })
    }

    /// Casts the columns of a query.
    fn retype(&mut self, query: &mut Query, types: &[PgType]) -> Result<()> {
        if query.fields.iter().zip(types).all(|(output, ty)| output.field.ty == *ty) {
            return Ok(());
        }
        let simple = query.order.is_empty();
        match &mut query.body {
            Body::Select(select) if simple && matches!(select.distinct, Distinct::No) => {
                for (target, ty) in select.targets.iter_mut().zip(types) {
                    let ex = std::mem::replace(target, Ex::constant(Datum::Null, *ty));
                    *target = self.coerce(ex, *ty, -1)?;
                }
            }
            Body::Values(rows) => {
                for row in rows {
                    for (target, ty) in row.iter_mut().zip(types) {
                        let ex = std::mem::replace(target, Ex::constant(Datum::Null, *ty));
                        *target = self.coerce(ex, *ty, -1)?;
                    }
                }
            }
            Body::Query(inner) if simple => self.retype(inner, types)?,
            Body::SetOperation { left, right, .. } if simple && query.ctes.is_empty() => {
                self.retype(left, types)?;
                self.retype(right, types)?;
            }
            _ => {
                let inner = std::mem::replace(query, empty_query());
                *query = self.projection(inner, types)?;
            }
        }
        for (output, ty) in query.fields.iter_mut().zip(types) {
            output.field.ty = *ty;
        }
        Ok(())
    }

    /// `SELECT column::type, ... FROM (inner)`.
    fn projection(&mut self, inner: Query, types: &[PgType]) -> Result<Query> {
        let fields = inner.fields.clone();
        let mut targets = Vec::new();
        for (index, (output, ty)) in fields.iter().zip(types).enumerate() {
            targets.push(self.coerce(Ex::column(0, index, output.field.ty), *ty, -1)?);
        }
        let item = Item {
            slot: 0,
            width: fields.len(),
            source: ItemSource::Query(Arc::new(inner)),
            filters: vec![],
            lookup: None,
            estimate: 100,
        };
        let select = Select {
            slots: 1,
            from: From::Raw(Some(Tree::Item(Box::new(item))), vec![]),
            gates: vec![],
            grouping: None,
            having: None,
            windows: vec![],
            sets: vec![],
            targets,
            distinct: Distinct::No,
        };
        let body = Body::Select(Box::new(select));
        Ok(Query { ctes: vec![], body, order: vec![], limit: None, offset: None, fields })
    }

    /// Literals whose type nothing decided are text, as are parameters.
    fn resolve_unknown(&mut self, query: &mut Query) -> Result<()> {
        let types: Vec<PgType> = query.fields.iter().map(|output| known(output.field.ty)).collect();
        self.retype(query, &types)
    }

    /// ORDER BY of a set operation or VALUES: output columns only.
    fn output_order(&mut self, order: &[ast::OrderByExpr], fields: &[Output]) -> Result<Vec<SortKey>> {
        let mut keys = Vec::new();
        for item in order {
            let index = match ordinal(&item.expr) {
                Some(number) => output_number(number, fields.len(), "ORDER BY")?,
                None => {
                    let name = match strip(&item.expr) {
                        ast::Expr::Identifier(ident) => fold(ident),
                        _ => String::new(),
                    };
                    let found = fields.iter().position(|output| output.field.name == name);
                    found.ok_or_else(|| {
                        Error::InvalidColumnReference("invalid UNION/INTERSECT/EXCEPT ORDER BY clause".into())
                    })?
                }
            };
            keys.push(sort_key(SortBy::Output(index), item));
        }
        Ok(keys)
    }

    fn cte(&mut self, cte: &ast::Cte, recursive: bool) -> Result<Cte> {
        let id = self.new_id();
        let name = fold(&cte.alias.name);
        let renames: Vec<String> = cte.alias.columns.iter().map(|column| fold(&column.name)).collect();
        let rename = |fields: &mut Vec<Output>| {
            for (output, name) in fields.iter_mut().zip(&renames) {
                output.field.name = name.clone();
            }
        };
        if recursive
            && cte.query.with.is_none()
            && let ast::SetExpr::SetOperation { left, op: ast::SetOperator::Union, set_quantifier, right } =
                &*cte.query.body
        {
            let mut first = self.set_expr(left)?;
            self.resolve_unknown(&mut first)?;
            let mut columns = first.fields.clone();
            rename(&mut columns);
            self.ctes.push(CteName { name, id, columns: columns.clone() });
            let mut step = self.set_expr(right)?;
            let types: Vec<PgType> = columns.iter().map(|output| output.field.ty).collect();
            if step.fields.len() != types.len() {
                return Err(Error::Syntax("each UNION query must have the same number of columns".into()));
            }
            self.retype(&mut step, &types)?;
            let unique = !matches!(set_quantifier, ast::SetQuantifier::All);
            return Ok(Cte { id, query: first, recursive: Some((step, unique)) });
        }
        let mut query = self.query(&cte.query)?;
        self.resolve_unknown(&mut query)?;
        let mut columns = query.fields.clone();
        rename(&mut columns);
        self.ctes.push(CteName { name, id, columns });
        Ok(Cte { id, query, recursive: None })
    }
}

fn known(ty: PgType) -> PgType {
    if ty == PgType::UNKNOWN { PgType::TEXT } else { ty }
}

fn empty_query() -> Query {
    Query { ctes: vec![], body: Body::Values(vec![]), order: vec![], limit: None, offset: None, fields: vec![] }
}

fn wrap(inner: Query) -> Query {
    let fields = inner.fields.clone();
    Query { ctes: vec![], body: Body::Query(Box::new(inner)), order: vec![], limit: None, offset: None, fields }
}

fn order_of(query: &ast::Query) -> Result<&[ast::OrderByExpr]> {
    match &query.order_by {
        None => Ok(&[]),
        Some(ast::OrderBy { kind: ast::OrderByKind::Expressions(items), .. }) => Ok(items),
        Some(_) => Err(Error::Unsupported("ORDER BY ALL".into())),
    }
}

/// An expression without the brackets around it.
fn strip(expr: &ast::Expr) -> &ast::Expr {
    let mut expr = expr;
    while let ast::Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// The number that ORDER BY 1 or GROUP BY 1 names.
fn ordinal(expr: &ast::Expr) -> Option<i64> {
    match expr {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn output_number(number: i64, count: usize, clause: &str) -> Result<usize> {
    usize::try_from(number - 1)
        .ok()
        .filter(|index| *index < count)
        .ok_or_else(|| Error::InvalidColumnReference(format!("{clause} position {number} is not in select list")))
}

fn sort_key(by: SortBy, item: &ast::OrderByExpr) -> SortKey {
    let descending = item.options.asc == Some(false);
    SortKey { by, descending, nulls_first: item.options.nulls_first.unwrap_or(descending) }
}

/// Where an expression begins: its leftmost word. sqlparser's own spans recurse without bound.
fn position_of(expr: &ast::Expr) -> Option<u32> {
    let mut expr = expr;
    loop {
        expr = match expr {
            ast::Expr::BinaryOp { left, .. } => left,
            ast::Expr::Nested(inner) | ast::Expr::IsNull(inner) | ast::Expr::IsNotNull(inner) => inner,
            ast::Expr::Cast { expr, kind: ast::CastKind::DoubleColon, .. } => expr,
            ast::Expr::Identifier(ident) => return scope::position(ident),
            ast::Expr::CompoundIdentifier(idents) => return idents.first().and_then(scope::position),
            ast::Expr::Value(value) => return Position::of(value.span),
            ast::Expr::Function(function) => {
                return function.name.0.first().and_then(|part| part.as_ident()).and_then(scope::position);
            }
            ast::Expr::Case { case_token, .. } => return Position::of(case_token.0.span),
            _ => return None,
        };
    }
}

/// One past the end of an expression, where its last word tells.
fn end_of(expr: &ast::Expr) -> Option<u32> {
    let mut expr = expr;
    let span = loop {
        expr = match expr {
            ast::Expr::BinaryOp { right, .. } => right,
            ast::Expr::Identifier(ident) => break ident.span,
            ast::Expr::CompoundIdentifier(idents) => break idents.last()?.span,
            ast::Expr::Value(value) => break value.span,
            _ => return None,
        };
    };
    (span.end.line > 0).then(|| u32::try_from(span.end.column).ok()).flatten()
}
