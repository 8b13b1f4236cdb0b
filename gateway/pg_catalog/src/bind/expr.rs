//! Expressions.

use std::sync::Arc;

use dialects::ast::{self, AccessExpr, Expr, Ident, Value};
use dialects::{Position, fold};
use mantissa_core::PgType;

use super::{Binder, position_of, scope, types};
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::*;
use crate::types::category;

impl Binder<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Ex> {
        self.depth += 1;
        if self.depth > super::MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let bound = crate::stack::deep(|| self.expr_inner(expr));
        self.depth -= 1;
        let mut bound = bound?;
        if bound.position.is_none() {
            bound.position = position_of(expr);
        }
        Ok(bound)
    }

    fn expr_inner(&mut self, expr: &Expr) -> Result<Ex> {
        match expr {
            Expr::Nested(inner) => self.expr(inner),
            Expr::Value(value) => self.value(&value.value, Position::of(value.span)),
            Expr::Identifier(ident) => self.column(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(idents) => self.column(idents),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(op, expr),
            Expr::IsNull(inner) => self.is_null(inner, false),
            Expr::IsNotNull(inner) => self.is_null(inner, true),
            Expr::IsTrue(inner) => self.is_bool(inner, Some(true), false),
            Expr::IsNotTrue(inner) => self.is_bool(inner, Some(true), true),
            Expr::IsFalse(inner) => self.is_bool(inner, Some(false), false),
            Expr::IsNotFalse(inner) => self.is_bool(inner, Some(false), true),
            Expr::IsUnknown(inner) => self.is_bool(inner, None, false),
            Expr::IsNotUnknown(inner) => self.is_bool(inner, None, true),
            Expr::IsDistinctFrom(left, right) => self.distinct_from(left, right, false),
            Expr::IsNotDistinctFrom(left, right) => self.distinct_from(left, right, true),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::InSubquery { expr, subquery, negated } => self.in_subquery(expr, subquery, *negated),
            Expr::Between { expr, negated, low, high } => self.between(expr, low, high, *negated),
            Expr::Like { negated, expr, pattern, escape_char, .. } => {
                self.like("like", expr, pattern, escape_char.as_ref(), *negated)
            }
            Expr::ILike { negated, expr, pattern, escape_char, .. } => {
                self.like("ilike", expr, pattern, escape_char.as_ref(), *negated)
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char } => {
                self.like("similar", expr, pattern, escape_char.as_ref(), *negated)
            }
            Expr::AnyOp { left, compare_op, right, .. } => self.quantified(left, compare_op, right, false),
            Expr::AllOp { left, compare_op, right } => self.quantified(left, compare_op, right, true),
            Expr::Cast { expr, data_type, .. } => self.cast_expr(expr, data_type),
            Expr::TypedString(typed) => {
                let (ty, typmod) = types::resolve(self.context, &typed.data_type)?;
                let ex = self.value(&typed.value.value, Position::of(typed.value.span))?;
                self.cast(ex, ty, typmod)
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::AtTimeZone { timestamp, time_zone } => {
                let zone = self.expr(time_zone)?;
                let moment = self.expr(timestamp)?;
                self.call("timezone", vec![zone, moment])
            }
            Expr::Extract { field, expr, .. } => {
                let field = text(field.to_string().to_lowercase().trim_matches('\''));
                let source = self.expr(expr)?;
                self.call("extract", vec![field, source])
            }
            Expr::Ceil { expr, .. } => self.call_on("ceil", &[expr]),
            Expr::Floor { expr, .. } => self.call_on("floor", &[expr]),
            Expr::Position { expr, r#in } => self.call_on("position", &[r#in, expr]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let parts = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
                if substring_from.is_none() {
                    let source = self.expr(expr)?;
                    let from = Ex::constant(Datum::Int4(1), PgType::INT4);
                    let count = substring_for.as_ref().map(|count| self.expr(count)).transpose()?;
                    return self.call("substring", [Some(source), Some(from), count].into_iter().flatten().collect());
                }
                self.call_on("substring", &parts.into_iter().flatten().map(|part| &**part).collect::<Vec<_>>())
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = match trim_where {
                    Some(ast::TrimWhereField::Leading) => "ltrim",
                    Some(ast::TrimWhereField::Trailing) => "rtrim",
                    _ => "btrim",
                };
                let mut parts: Vec<&Expr> = vec![expr];
                parts.extend(trim_what.as_deref());
                parts.extend(trim_characters.iter().flatten());
                self.call_on(name, &parts)
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut parts: Vec<&Expr> = vec![expr, overlay_what, overlay_from];
                parts.extend(overlay_for.as_deref());
                self.call_on("overlay", &parts)
            }
            Expr::Collate { expr, .. } => {
                let ex = self.expr(expr)?;
                Ok(if ex.is_unknown() { self.cast(ex, PgType::TEXT, -1)? } else { ex })
            }
            Expr::Function(function) => self.function_call(function),
            Expr::Case { operand, conditions, else_result, .. } => self.case(operand, conditions, else_result),
            Expr::Exists { subquery, negated } => {
                let subquery = self.subquery(subquery)?;
                Ok(Ex::new(Node::Exists(subquery, *negated), PgType::BOOL))
            }
            Expr::Subquery(query) => self.scalar_subquery(query),
            Expr::Tuple(items) => {
                let items = items.iter().map(|item| self.expr(item)).collect::<Result<Vec<_>>>()?;
                Ok(row(items))
            }
            Expr::Array(array) => self.array(&array.elem),
            Expr::Prefixed { value, .. } => self.expr(value),
            other => Err(Error::Unsupported(format!("the expression {other}")).at(position_of(expr))),
        }
    }

    fn call_on(&mut self, name: &str, parts: &[&Expr]) -> Result<Ex> {
        let arguments = parts.iter().map(|part| self.expr(part)).collect::<Result<Vec<_>>>()?;
        self.call(name, arguments)
    }

    fn value(&mut self, value: &Value, position: Option<u32>) -> Result<Ex> {
        let mut ex = match value {
            Value::Number(number, _) => number_literal(number)?,
            Value::Boolean(value) => Ex::constant(Datum::Bool(*value), PgType::BOOL),
            Value::Null => Ex::constant(Datum::Null, PgType::UNKNOWN),
            Value::Placeholder(name) => self.parameter(name)?,
            Value::SingleQuotedString(value)
            | Value::EscapedStringLiteral(value)
            | Value::UnicodeStringLiteral(value)
            | Value::NationalStringLiteral(value) => Ex::constant(Datum::text(value), PgType::UNKNOWN),
            Value::DollarQuotedString(value) => Ex::constant(Datum::text(&value.value), PgType::UNKNOWN),
            Value::SingleQuotedByteStringLiteral(value) => Ex::constant(Datum::text(value), PgType::BIT),
            Value::HexStringLiteral(value) => {
                let bits: String = value.chars().filter_map(|c| c.to_digit(16)).map(|d| format!("{d:04b}")).collect();
                Ex::constant(Datum::from(bits), PgType::BIT)
            }
            other => return Err(Error::Unsupported(format!("the literal {other}")).at(position)),
        };
        ex.position = position;
        Ok(ex)
    }

    fn parameter(&mut self, name: &str) -> Result<Ex> {
        let number: usize = name.trim_start_matches('$').parse().unwrap_or(0);
        if number == 0 || number > 65_535 {
            return Err(Error::UndefinedParameter(number));
        }
        if self.parameters.len() < number {
            self.parameters.resize(number, PgType::UNKNOWN);
        }
        Ok(Ex::new(Node::Parameter(number - 1), self.parameters[number - 1]))
    }

    pub(super) fn column(&mut self, idents: &[Ident]) -> Result<Ex> {
        let position = idents.first().and_then(scope::position);
        let parts = scope::folded(idents);
        let found = match parts.as_slice() {
            [name] => self.bare_column(name),
            [table, name] => self.qualified(None, table, name),
            [schema, table, name] => self.qualified(Some(schema), table, name),
            [_, schema, table, name] => self.qualified(Some(schema), table, name),
            _ => Err(Error::UndefinedColumn(parts.join("."))),
        };
        let mut ex = found.map_err(|error| error.at(position))?;
        ex.position = position;
        Ok(ex)
    }

    fn bare_column(&mut self, name: &str) -> Result<Ex> {
        if let Some(ex) = scope::column(&self.scopes, name)? {
            return Ok(ex);
        }
        // A bare table name is its row; of a function in FROM with one column, that column.
        match scope::table(&self.scopes, None, name)? {
            Some((level, table)) => Ok(scope::whole_row(table, level)),
            None => Err(Error::UndefinedColumn(format!("\"{name}\""))),
        }
    }

    fn qualified(&mut self, schema: Option<&str>, table: &str, name: &str) -> Result<Ex> {
        let Some((level, named)) = scope::table(&self.scopes, schema, table)? else {
            // `row.field`, where `row` is a column.
            if schema.is_none()
                && let Some(ex) = scope::column(&self.scopes, table)?
                && ex.fields.is_some()
            {
                return field_of(ex, name);
            }
            return Err(Error::MissingFrom(table.to_owned()));
        };
        scope::table_column(named, level, name)?.ok_or_else(|| Error::UndefinedColumn(format!("{table}.{name}")))
    }

    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) -> Result<Ex> {
        // `alias.column[1]` arrives as a dotted chain that ends in subscripts.
        let mut idents: Vec<Ident> = match root {
            Expr::Identifier(ident) => vec![ident.clone()],
            Expr::CompoundIdentifier(idents) => idents.clone(),
            _ => vec![],
        };
        let mut rest = chain;
        if !idents.is_empty() {
            while let [AccessExpr::Dot(Expr::Identifier(ident)), tail @ ..] = rest {
                idents.push(ident.clone());
                rest = tail;
            }
        }
        let mut ex = if idents.is_empty() { self.expr(root)? } else { self.column(&idents)? };
        while let [access, tail @ ..] = rest {
            ex = match access {
                AccessExpr::Dot(Expr::Identifier(ident)) => {
                    field_of(ex, &fold(ident)).map_err(|e| e.at(scope::position(ident)))?
                }
                AccessExpr::Dot(Expr::Wildcard(_)) => return Ok(ex),
                AccessExpr::Dot(other) => return Err(Error::Unsupported(format!("field access {other}"))),
                AccessExpr::Subscript(_) => {
                    let count = rest.iter().take_while(|access| matches!(access, AccessExpr::Subscript(_))).count();
                    let ex = self.subscript(ex, &rest[..count])?;
                    return match &rest[count..] {
                        [] => Ok(ex),
                        [AccessExpr::Dot(Expr::Identifier(ident))] => field_of(ex, &fold(ident)),
                        _ => Err(Error::Unsupported("this chain of subscripts and fields".into())),
                    };
                }
            };
            rest = tail;
        }
        Ok(ex)
    }

    fn subscript(&mut self, ex: Ex, accesses: &[AccessExpr]) -> Result<Ex> {
        if ex.ty == PgType::JSONB || ex.ty == PgType::JSON {
            let mut ex = ex;
            for access in accesses {
                let AccessExpr::Subscript(ast::Subscript::Index { index }) = access else {
                    return Err(Error::Unsupported("jsonb slices".into()));
                };
                let key = self.expr(index)?;
                ex = self.operator_call("->", ex, key, None)?;
            }
            return Ok(ex);
        }
        let element = category::element(ex.ty).ok_or_else(|| {
            Error::DatatypeMismatch(format!("cannot subscript type {} because it does not support subscripting", ex.ty))
                .at(ex.position)
        })?;
        let mut subscripts = Vec::new();
        for access in accesses {
            let AccessExpr::Subscript(subscript) = access else { continue };
            let mut bound = |expr: &Expr| -> Result<Ex> {
                let ex = self.expr(expr)?;
                if category::is_oid(ex.ty) || ex.ty == PgType::INT8 {
                    self.cast(ex, PgType::INT4, -1)
                } else {
                    self.coerce(ex, PgType::INT4, -1)
                }
            };
            subscripts.push(match subscript {
                ast::Subscript::Index { index } => Subscript::Index(bound(index)?),
                ast::Subscript::Slice { lower_bound, upper_bound, .. } => Subscript::Slice(
                    lower_bound.as_ref().map(&mut bound).transpose()?,
                    upper_bound.as_ref().map(&mut bound).transpose()?,
                ),
            });
        }
        let is_slice = subscripts.iter().any(|subscript| matches!(subscript, Subscript::Slice(..)));
        let ty = if is_slice { ex.ty } else { element };
        let position = ex.position;
        let mut result = Ex::new(Node::Subscript(Box::new(ex), subscripts), ty);
        result.position = position;
        Ok(result)
    }

    fn is_null(&mut self, inner: &Expr, negated: bool) -> Result<Ex> {
        let ex = self.expr(inner)?;
        Ok(Ex::new(Node::IsNull(Box::new(ex), negated), PgType::BOOL))
    }

    fn is_bool(&mut self, inner: &Expr, expected: Option<bool>, negated: bool) -> Result<Ex> {
        let ex = self.expr(inner)?;
        let ex = self.boolean(ex, "IS")?;
        Ok(Ex::new(Node::IsBool(Box::new(ex), expected, negated), PgType::BOOL))
    }

    fn distinct_from(&mut self, left: &Expr, right: &Expr, negated: bool) -> Result<Ex> {
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let (left, right) = self.comparable(Comparison::Eq, left, right, None)?;
        Ok(Ex::new(Node::Distinct(Box::new(left), Box::new(right), negated), PgType::BOOL))
    }

    fn between(&mut self, expr: &Expr, low: &Expr, high: &Expr, negated: bool) -> Result<Ex> {
        let value = self.expr(expr)?;
        let low = self.expr(low)?;
        let high = self.expr(high)?;
        let above = self.compare(Comparison::GtEq, value.clone(), low, None)?;
        let below = self.compare(Comparison::LtEq, value, high, None)?;
        let both = Ex::new(Node::And(vec![above, below]), PgType::BOOL);
        Ok(if negated { Ex::new(Node::Not(Box::new(both)), PgType::BOOL) } else { both })
    }

    fn like(
        &mut self,
        kind: &'static str,
        expr: &Expr,
        pattern: &Expr,
        escape: Option<&ast::ValueWithSpan>,
        negated: bool,
    ) -> Result<Ex> {
        let value = self.expr(expr)?;
        let pattern = self.expr(pattern)?;
        let mut arguments = vec![value, pattern];
        if let Some(escape) = escape {
            arguments.push(self.value(&escape.value, None)?);
        }
        let matched = self.pattern_match(kind, arguments)?;
        Ok(if negated { Ex::new(Node::Not(Box::new(matched)), PgType::BOOL) } else { matched })
    }

    fn cast_expr(&mut self, expr: &Expr, data_type: &ast::DataType) -> Result<Ex> {
        let (ty, typmod) = types::resolve(self.context, data_type)?;
        // ARRAY[]::text[] has no element type of its own.
        if let Expr::Array(array) = super::strip(expr)
            && let Some(element) = ty.element()
            && array.elem.iter().all(|item| !matches!(item, Expr::Array(_)))
        {
            let mut items = Vec::new();
            for item in &array.elem {
                let item = self.expr(item)?;
                items.push(self.cast(item, element, typmod)?);
            }
            return Ok(Ex::new(Node::Array { items, element, nested: false }, ty));
        }
        let ex = self.expr(expr)?;
        self.cast(ex, ty, typmod)
    }

    fn interval(&mut self, interval: &ast::Interval) -> Result<Ex> {
        let ex = self.expr(&interval.value)?;
        let ex = match (&ex.node, &interval.leading_field) {
            (Node::Const(Datum::Text(amount)), Some(field)) if amount.trim().parse::<f64>().is_ok() => {
                text(&format!("{amount} {}", field.to_string().to_lowercase()))
            }
            _ => ex,
        };
        self.cast(ex, PgType::INTERVAL, -1)
    }

    fn case(
        &mut self,
        operand: &Option<Box<Expr>>,
        conditions: &[ast::CaseWhen],
        otherwise: &Option<Box<Expr>>,
    ) -> Result<Ex> {
        let operand = operand.as_ref().map(|operand| self.expr(operand)).transpose()?;
        let operand = match operand {
            Some(ex) if ex.is_unknown() => Some(self.cast(ex, PgType::TEXT, -1)?),
            other => other,
        };
        let mut tests = Vec::new();
        let mut results = Vec::new();
        for when in conditions {
            let condition = self.expr(&when.condition)?;
            tests.push(match &operand {
                Some(operand) => {
                    let mut local = Ex::new(Node::Local(0), operand.ty);
                    local.fields = operand.fields.clone();
                    self.compare(Comparison::Eq, local, condition, None)?
                }
                None => self.boolean(condition, "CASE/WHEN")?,
            });
            results.push(self.expr(&when.result)?);
        }
        let has_else = otherwise.is_some();
        if let Some(otherwise) = otherwise {
            // ELSE decides first, as in Postgres.
            results.insert(0, self.expr(otherwise)?);
        }
        let typmod = results.iter().map(|ex| ex.typmod).reduce(|a, b| if a == b { a } else { -1 }).unwrap_or(-1);
        let fields = results.iter().find_map(|ex| ex.fields.clone());
        let (mut results, ty) = self.unify(results, "CASE")?;
        let otherwise = has_else.then(|| Box::new(results.remove(0)));
        let whens = tests.into_iter().zip(results).collect();
        let mut ex = Ex::new(Node::Case { operand: operand.map(Box::new), whens, otherwise }, ty);
        ex.typmod = typmod;
        ex.fields = fields;
        Ok(ex)
    }

    fn array(&mut self, elements: &[Expr]) -> Result<Ex> {
        let items = elements.iter().map(|item| self.expr(item)).collect::<Result<Vec<_>>>()?;
        if items.is_empty() {
            return Err(Error::IndeterminateArray);
        }
        let nested = items.iter().all(|item| item.ty.element().is_some());
        let (items, ty) = self.unify(items, "ARRAY")?;
        let (element, array) = match ty.element().filter(|_| nested) {
            Some(element) => (element, ty),
            None => {
                let array = types::array_of(self.context, ty)?;
                (ty, array.ok_or_else(|| Error::UndefinedType(format!("{ty}[]")))?)
            }
        };
        Ok(Ex::new(Node::Array { items, element, nested }, array))
    }
}

/// A field of a row value.
pub(super) fn field_of(ex: Ex, name: &str) -> Result<Ex> {
    let Some(fields) = ex.fields.clone() else {
        let message = format!("column notation .{name} applied to type {}, which is not a composite type", ex.ty);
        return Err(Error::WrongObject(message));
    };
    let index = fields.iter().position(|field| *field.0 == *name);
    let index = index.ok_or_else(|| Error::UndefinedField { column: name.to_owned(), ty: ex.ty.to_string() })?;
    let position = ex.position;
    let mut field = Ex::new(Node::Field(Box::new(ex), index), fields[index].1);
    field.position = position;
    Ok(field)
}

/// ROW(...): fields f1, f2, ...
pub(super) fn row(items: Vec<Ex>) -> Ex {
    let known = |ty: PgType| if ty == PgType::UNKNOWN { PgType::TEXT } else { ty };
    let fields: Fields = Arc::new(
        items.iter().enumerate().map(|(index, item)| (Arc::from(format!("f{}", index + 1)), known(item.ty))).collect(),
    );
    let mut ex = Ex::new(Node::Row(items), PgType::RECORD);
    ex.fields = Some(fields);
    ex
}

pub(super) fn text(value: &str) -> Ex {
    Ex::constant(Datum::text(value), PgType::UNKNOWN)
}

/// int4 where it fits, then int8, else numeric.
fn number_literal(number: &str) -> Result<Ex> {
    if let Ok(value) = number.parse::<i32>() {
        return Ok(Ex::constant(Datum::Int4(value), PgType::INT4));
    }
    if let Ok(value) = number.parse::<i64>() {
        return Ok(Ex::constant(Datum::Int8(value), PgType::INT8));
    }
    let value = crate::types::input::numeric(number);
    let value = value.ok_or_else(|| Error::Syntax(format!("syntax error at or near \"{number}\"")))?;
    Ok(Ex::constant(Datum::Numeric(value), PgType::NUMERIC))
}
