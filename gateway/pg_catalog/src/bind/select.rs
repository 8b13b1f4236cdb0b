//! One SELECT: target list, WHERE, GROUP BY, DISTINCT, ORDER BY.

use dialects::ast::{self, SelectItem, SelectItemQualifiedWildcardKind};
use dialects::{fold, name_parts};
use mantissa_core::Field;

use super::from::conjuncts;
use super::scope::{self, Scope};
use super::{Binder, name, ordinal, output_number, sort_key, strip};
use crate::error::{Error, Result};
use crate::plan::*;

/// A column of the target list.
pub(super) struct Target {
    pub name: String,
    pub ex: Ex,
}

impl Binder<'_> {
    pub(super) fn select(&mut self, select: &ast::Select, order: &[ast::OrderByExpr]) -> Result<Query> {
        refuse_unsupported(select)?;
        self.scopes.push(Scope::with_clause("FROM"));
        let bound = self.select_inside(select, order);
        self.scopes.pop();
        bound
    }

    fn select_inside(&mut self, select: &ast::Select, order: &[ast::OrderByExpr]) -> Result<Query> {
        let tree = self.tables_of(&select.from)?;
        self.scope()?.no_aggregates = Some("WHERE");
        let mut conditions = Vec::new();
        if let Some(selection) = &select.selection {
            let condition = self.expr(selection)?;
            conditions = conjuncts(self.boolean(condition, "WHERE")?);
        }
        self.scope()?.no_aggregates = None;
        let mut targets = self.targets(&select.projection, &select.named_window)?;
        let keys = self.group_keys(&select.group_by, &targets)?;
        let having = match &select.having {
            Some(having) => {
                let having = self.expr(having)?;
                Some(self.boolean(having, "HAVING")?)
            }
            None => None,
        };
        let distinct = self.distinct(&select.distinct, &mut targets)?;
        let mut sort = self.sort_keys(order, &mut targets, &distinct)?;
        let mut having = having;
        let grouping = self.grouping(keys, &mut targets, &mut having, &mut sort)?;
        let Some(scope) = self.scopes.last_mut() else { return Err(Error::TooDeep) };
        let fields = targets.iter().map(output).collect();
        let body = Select {
            slots: scope.slots,
            from: From::Raw(tree, conditions),
            gates: vec![],
            grouping,
            having,
            windows: std::mem::take(&mut scope.windows),
            sets: std::mem::take(&mut scope.sets),
            targets: targets.into_iter().map(|target| target.ex).collect(),
            distinct,
        };
        let body = Body::Select(Box::new(body));
        Ok(Query { ctes: vec![], body, order: sort, limit: None, offset: None, fields })
    }

    fn targets(&mut self, items: &[SelectItem], windows: &[ast::NamedWindowDefinition]) -> Result<Vec<Target>> {
        self.named_windows.push(windows.to_vec());
        let mut targets = Vec::new();
        for item in items {
            if let Err(error) = self.target(item, &mut targets) {
                self.named_windows.pop();
                return Err(error);
            }
        }
        self.named_windows.pop();
        Ok(targets)
    }

    fn target(&mut self, item: &SelectItem, targets: &mut Vec<Target>) -> Result<()> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                if let Some(ex) = self.row_star(expr)? {
                    return spread(ex, targets);
                }
                let ex = self.expr(expr)?;
                targets.push(Target { name: name::of(expr), ex });
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let ex = self.expr(expr)?;
                targets.push(Target { name: fold(alias), ex });
            }
            SelectItem::Wildcard(_) => {
                let scope = self.scope()?;
                if scope.space.tables.is_empty() && scope.space.columns.is_empty() {
                    return Err(Error::Syntax("SELECT * with no tables specified is not valid".into()));
                }
                for column in &scope.space.columns {
                    targets.push(Target { name: column.name.clone(), ex: column.ex.clone() });
                }
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), _) => {
                let parts = name_parts(table).unwrap_or_default();
                let (schema, bare) = match parts.as_slice() {
                    [bare] => (None, bare),
                    [.., schema, bare] => (Some(schema.as_str()), bare),
                    [] => return Ok(()),
                };
                match scope::table(&self.scopes, schema, bare)? {
                    Some((level, table)) => {
                        for column in table.columns.iter().filter(|column| !column.hidden) {
                            let ex = scope::outwards(&column.ex, level);
                            targets.push(Target { name: column.name.clone(), ex });
                        }
                    }
                    None => {
                        let position = table.0.first().and_then(|part| part.as_ident()).and_then(scope::position);
                        return Err(Error::MissingFrom(bare.clone()).at(position));
                    }
                }
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                let ex = self.expr(expr)?;
                spread(ex, targets)?;
            }
            SelectItem::ExprWithAliases { .. } => return Err(Error::Unsupported("several aliases".into())),
        }
        Ok(())
    }

    /// `(row).*`, where the parser reads it as field access.
    fn row_star(&mut self, expr: &ast::Expr) -> Result<Option<Ex>> {
        let ast::Expr::CompoundFieldAccess { root, access_chain } = expr else { return Ok(None) };
        let [ast::AccessExpr::Dot(ast::Expr::Wildcard(_))] = access_chain.as_slice() else { return Ok(None) };
        self.expr(root).map(Some)
    }

    fn distinct(&mut self, distinct: &Option<ast::Distinct>, targets: &mut [Target]) -> Result<Distinct> {
        Ok(match distinct {
            None | Some(ast::Distinct::All) => Distinct::No,
            Some(ast::Distinct::Distinct) => Distinct::Yes,
            Some(ast::Distinct::On(items)) => {
                let mut on = Vec::new();
                for item in items {
                    on.push(match self.output_reference(item, targets, "SELECT DISTINCT ON")? {
                        Some(index) => targets[index].ex.clone(),
                        None => self.expr(item)?,
                    });
                }
                Distinct::On(on)
            }
        })
    }

    /// The output column that a number or a name in ORDER BY or GROUP BY means.
    pub(super) fn output_reference(
        &mut self,
        expr: &ast::Expr,
        targets: &[Target],
        clause: &str,
    ) -> Result<Option<usize>> {
        if let Some(number) = ordinal(expr) {
            return output_number(number, targets.len(), clause).map(Some);
        }
        let ast::Expr::Identifier(ident) = strip(expr) else { return Ok(None) };
        let name = fold(ident);
        let mut found = targets.iter().enumerate().filter(|(_, target)| target.name == name);
        let Some((index, first)) = found.next() else { return Ok(None) };
        if clause != "GROUP BY" && found.any(|(_, other)| !same(&other.ex, &first.ex)) {
            let message = Error::AmbiguousColumn(name);
            return Err(message.at(scope::position(ident)));
        }
        Ok(Some(index))
    }

    fn sort_keys(
        &mut self,
        order: &[ast::OrderByExpr],
        targets: &mut [Target],
        distinct: &Distinct,
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::new();
        for item in order {
            let index = match self.output_reference(&item.expr, targets, "ORDER BY")? {
                Some(index) => Some(index),
                None => {
                    let ex = self.expr(&item.expr)?;
                    match targets.iter().position(|target| same(&target.ex, &ex)) {
                        Some(index) => Some(index),
                        None if matches!(distinct, Distinct::Yes) => {
                            return Err(Error::InvalidColumnReference(
                                "for SELECT DISTINCT, ORDER BY expressions must appear in select list".into(),
                            )
                            .at(ex.position));
                        }
                        None => {
                            keys.push(sort_key(SortBy::Expression(ex), item));
                            None
                        }
                    }
                }
            };
            if let Some(index) = index {
                keys.push(sort_key(SortBy::Output(index), item));
            }
        }
        Ok(keys)
    }
}

fn refuse_unsupported(select: &ast::Select) -> Result<()> {
    if select.into.is_some() {
        return Err(Error::Unsupported("SELECT INTO".into()));
    }
    if select.top.is_some() || select.qualify.is_some() || select.prewhere.is_some() || !select.lateral_views.is_empty()
    {
        return Err(Error::Syntax("syntax error".into()));
    }
    Ok(())
}

fn output(target: &Target) -> Output {
    let field =
        Field { name: target.name.clone(), ty: target.ex.ty, typmod: target.ex.typmod, origin: target.ex.origin };
    Output { field, fields: target.ex.fields.clone() }
}

/// Every field of a row value as a column.
fn spread(ex: Ex, targets: &mut Vec<Target>) -> Result<()> {
    let fields = ex
        .fields
        .clone()
        .ok_or_else(|| Error::WrongObject(format!("type {} is not composite", ex.ty)).at(ex.position))?;
    for (index, (name, ty)) in fields.iter().enumerate() {
        let node = match &ex.node {
            Node::Row(items) => items[index].node.clone(),
            _ => Node::Field(Box::new(ex.clone()), index),
        };
        targets.push(Target { name: name.to_string(), ex: Ex::new(node, *ty) });
    }
    Ok(())
}

/// Whether two expressions are the same text of the same columns.
pub(super) fn same(a: &Ex, b: &Ex) -> bool {
    let all = |a: &[Ex], b: &[Ex]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    if a.ty != b.ty {
        return false;
    }
    match (&a.node, &b.node) {
        (Node::Const(a), Node::Const(b)) => a == b,
        (Node::Column(a), Node::Column(b)) => a == b,
        (Node::WholeRow { level: l1, slot: s1 }, Node::WholeRow { level: l2, slot: s2 }) => (l1, s1) == (l2, s2),
        (Node::Parameter(a), Node::Parameter(b)) => a == b,
        (Node::Call { name: n1, arguments: a1, .. }, Node::Call { name: n2, arguments: a2, .. }) => {
            n1 == n2 && all(a1, a2)
        }
        (Node::Cast(x), Node::Cast(y)) => a.typmod == b.typmod && same(x, y),
        (Node::And(a), Node::And(b)) | (Node::Or(a), Node::Or(b)) | (Node::Coalesce(a), Node::Coalesce(b)) => all(a, b),
        (Node::Row(a), Node::Row(b)) => all(a, b),
        (Node::Not(a), Node::Not(b)) => same(a, b),
        (Node::IsNull(a, n1), Node::IsNull(b, n2)) => n1 == n2 && same(a, b),
        (Node::Compare(c1, a1, b1), Node::Compare(c2, a2, b2)) => c1 == c2 && same(a1, a2) && same(b1, b2),
        (Node::Field(a, i), Node::Field(b, j)) => i == j && same(a, b),
        (
            Node::Case { operand: o1, whens: w1, otherwise: e1 },
            Node::Case { operand: o2, whens: w2, otherwise: e2 },
        ) => {
            let option = |a: &Option<Box<Ex>>, b: &Option<Box<Ex>>| match (a, b) {
                (Some(a), Some(b)) => same(a, b),
                (None, None) => true,
                _ => false,
            };
            let pairs = w1.len() == w2.len() && w1.iter().zip(w2).all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1));
            option(o1, o2) && pairs && option(e1, e2)
        }
        _ => false,
    }
}
