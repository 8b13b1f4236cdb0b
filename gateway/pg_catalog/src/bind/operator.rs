//! Operators: which one a symbol means for its operands' types.

use dialects::ast::{BinaryOperator, Expr, UnaryOperator};
use mantissa_core::PgType;

use super::Binder;
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::*;
use crate::types::category;

impl Binder<'_> {
    pub(super) fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Ex> {
        if matches!(op, BinaryOperator::And | BinaryOperator::Or) {
            let mut parts = Vec::new();
            flatten(left, op, &mut parts);
            flatten(right, op, &mut parts);
            let clause = if *op == BinaryOperator::And { "AND" } else { "OR" };
            let mut items = Vec::with_capacity(parts.len());
            for part in parts {
                let ex = self.expr(part)?;
                items.push(self.boolean(ex, clause)?);
            }
            let node = if *op == BinaryOperator::And { Node::And(items) } else { Node::Or(items) };
            return Ok(Ex::new(node, PgType::BOOL));
        }
        // One space stands between an operand and its operator in most texts.
        let position = super::end_of(left).map(|end| end + 1);
        let symbol = symbol(op)?;
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        self.operator_call(&symbol, left, right, position)
    }

    pub(super) fn operator_call(&mut self, symbol: &str, left: Ex, right: Ex, position: Option<u32>) -> Result<Ex> {
        if let Some(comparison) = comparison(symbol) {
            return self.compare(comparison, left, right, position);
        }
        if symbol == "||" {
            return self.concat(left, right, position);
        }
        if let Some((kind, negated)) = pattern(symbol) {
            let matched = self.pattern_match(kind, vec![left, right]).map_err(|error| error.at(position))?;
            return Ok(if negated { Ex::new(Node::Not(Box::new(matched)), PgType::BOOL) } else { matched });
        }
        let shown = format!("{} {symbol} {}", left.ty, right.ty);
        let arguments = vec![left, right];
        self.call_operator(symbol, arguments).map_err(|error| undefined(error, shown).at(position))
    }

    pub(super) fn unary(&mut self, op: &UnaryOperator, inner: &Expr) -> Result<Ex> {
        let ex = match (op, inner) {
            // -9223372036854775808 is one literal.
            (UnaryOperator::Minus, Expr::Value(value)) => match &value.value {
                dialects::ast::Value::Number(number, _) if !number.starts_with('-') => {
                    let negative = dialects::ast::Value::Number(format!("-{number}"), false);
                    return self.expr(&Expr::Value(dialects::ast::ValueWithSpan { value: negative, span: value.span }));
                }
                _ => self.expr(inner)?,
            },
            _ => self.expr(inner)?,
        };
        let symbol = match op {
            UnaryOperator::Not => {
                let ex = self.boolean(ex, "NOT")?;
                return Ok(Ex::new(Node::Not(Box::new(ex)), PgType::BOOL));
            }
            UnaryOperator::Plus => "u+",
            UnaryOperator::Minus => "u-",
            UnaryOperator::BitwiseNot => "u~",
            UnaryOperator::PGAbs => "u@",
            UnaryOperator::PGSquareRoot => "u|/",
            UnaryOperator::PGCubeRoot => "u||/",
            other => return Err(Error::Unsupported(format!("the operator {other}"))),
        };
        let shown = format!("{} {}", &symbol[1..], ex.ty);
        let position = ex.position;
        self.call_operator(symbol, vec![ex]).map_err(|error| undefined(error, shown).at(position))
    }

    /// `left <op> right` with both sides brought to types that compare.
    pub(super) fn compare(&mut self, comparison: Comparison, left: Ex, right: Ex, position: Option<u32>) -> Result<Ex> {
        if let (Node::Row(a), Node::Row(b)) = (&left.node, &right.node) {
            if a.len() != b.len() {
                return Err(Error::Syntax("unequal number of entries in row expressions".into()).at(position));
            }
            if matches!(comparison, Comparison::Eq | Comparison::NotEq) {
                let pairs = a.clone().into_iter().zip(b.clone());
                let items = pairs.map(|(a, b)| self.compare(comparison, a, b, position)).collect::<Result<Vec<_>>>()?;
                let node = if comparison == Comparison::Eq { Node::And(items) } else { Node::Or(items) };
                return Ok(Ex::new(node, PgType::BOOL));
            }
        }
        let (left, right) = self.comparable(comparison, left, right, position)?;
        let mut ex = Ex::new(Node::Compare(comparison, Box::new(left), Box::new(right)), PgType::BOOL);
        ex.position = position;
        Ok(ex)
    }

    pub(super) fn comparable(
        &mut self,
        comparison: Comparison,
        left: Ex,
        right: Ex,
        position: Option<u32>,
    ) -> Result<(Ex, Ex)> {
        let (a, b) = (left.ty, right.ty);
        if let (Node::Row(x), Node::Row(y)) = (&left.node, &right.node)
            && x.len() == y.len()
        {
            let mut sides = (Vec::new(), Vec::new());
            for (p, q) in x.clone().into_iter().zip(y.clone()) {
                let (p, q) = self.comparable(comparison, p, q, position)?;
                sides.0.push(p);
                sides.1.push(q);
            }
            return Ok((super::expr::row(sides.0), super::expr::row(sides.1)));
        }
        let undefined = || Error::UndefinedOperator(format!("{a} {} {b}", comparison.symbol())).at(position);
        if left.is_unknown() && right.is_unknown() {
            return Ok((self.cast(left, PgType::TEXT, -1)?, self.cast(right, PgType::TEXT, -1)?));
        }
        if left.is_unknown() {
            let ty = literal_type(b, &left);
            let record = self.record_literal(&left, &right)?;
            return Ok((record.map_or_else(|| self.cast(left, ty, -1), Ok)?, self.trimmed(right)?));
        }
        if right.is_unknown() {
            let ty = literal_type(a, &right);
            let record = self.record_literal(&right, &left)?;
            let right = record.map_or_else(|| self.cast(right, ty, -1), Ok)?;
            return Ok((self.trimmed(left)?, right));
        }
        if !has_order(a, comparison) || !has_order(b, comparison) {
            return Err(undefined());
        }
        if compares_as_is(a, b) {
            return Ok((left, right));
        }
        let stringy = |ty| category::is_string(ty) || ty == PgType::CHAR;
        if stringy(a) && stringy(b) {
            return Ok((self.cast(left, PgType::TEXT, -1)?, self.cast(right, PgType::TEXT, -1)?));
        }
        if category::can_coerce(a, b, category::Context::Implicit) {
            return Ok((self.cast(left, b, -1)?, right));
        }
        if category::can_coerce(b, a, category::Context::Implicit) {
            return Ok((left, self.cast(right, a, -1)?));
        }
        Err(undefined())
    }

    fn trimmed(&mut self, ex: Ex) -> Result<Ex> {
        if ex.ty == PgType::BPCHAR { self.cast(ex, PgType::TEXT, -1) } else { Ok(ex) }
    }

    /// A literal compared with a row reads as that row.
    fn record_literal(&mut self, literal: &Ex, row: &Ex) -> Result<Option<Ex>> {
        let (Some(fields), Node::Const(Datum::Text(text))) = (&row.fields, &literal.node) else { return Ok(None) };
        let value = crate::types::input::record(self.context, text, fields)?;
        Ok(Some(Ex::constant(value, PgType::RECORD)))
    }

    fn concat(&mut self, left: Ex, right: Ex, position: Option<u32>) -> Result<Ex> {
        let shown = format!("{} || {}", left.ty, right.ty);
        let is_array = |ty: PgType| category::element(ty).is_some();
        let (a, b) = (left.ty, right.ty);
        if is_array(a) || is_array(b) {
            let name = match (is_array(a), is_array(b)) {
                (true, true) => "array_cat",
                (true, false) if right.is_unknown() && !is_element_literal(&right) => "array_cat",
                (true, false) => "array_append",
                (false, _) if left.is_unknown() && !is_element_literal(&left) => "array_cat",
                _ => "array_prepend",
            };
            return self.call(name, vec![left, right]).map_err(|error| undefined(error, shown).at(position));
        }
        if a == PgType::JSONB || b == PgType::JSONB || a == PgType::BYTEA || b == PgType::BYTEA {
            return self.call_operator("||", vec![left, right]).map_err(|error| undefined(error, shown).at(position));
        }
        let is_text = |ty: PgType| category::is_string(ty);
        if !is_text(a) && !is_text(b) {
            return Err(Error::UndefinedOperator(shown).at(position));
        }
        // text || anynonarray: the other side goes through its text form.
        let left = self.cast(left, PgType::TEXT, -1)?;
        let right = self.cast(right, PgType::TEXT, -1)?;
        self.call_operator("||", vec![left, right])
    }

    /// LIKE, ILIKE, SIMILAR TO and the regular expressions: text on both sides.
    pub(super) fn pattern_match(&mut self, kind: &'static str, arguments: Vec<Ex>) -> Result<Ex> {
        let texts = arguments.iter().map(|ex| ex.ty).collect::<Vec<_>>();
        let mut cast = Vec::new();
        for ex in arguments {
            if !category::is_string(ex.ty) && ex.ty != PgType::CHAR && ex.ty != PgType::PG_NODE_TREE {
                let symbol = match kind {
                    "like" => "~~",
                    "ilike" => "~~*",
                    "similar" => "~",
                    other => other,
                };
                return Err(Error::UndefinedOperator(format!("{} {symbol} {}", texts[0], texts[1])));
            }
            cast.push(self.cast(ex, PgType::TEXT, -1)?);
        }
        self.call_operator(kind, cast)
    }
}

/// `'{a,b}'` beside an array is an array; anything else that could be an element is one.
fn is_element_literal(ex: &Ex) -> bool {
    matches!(&ex.node, Node::Const(Datum::Text(text)) if !text.trim_start().starts_with(['{', '[']))
}

fn flatten<'e>(expr: &'e Expr, op: &BinaryOperator, parts: &mut Vec<&'e Expr>) {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        match super::strip(expr) {
            Expr::BinaryOp { left, op: inner, right } if inner == op => {
                pending.push(right);
                pending.push(left);
            }
            other => parts.push(other),
        }
    }
}

fn undefined(error: Error, shown: String) -> Error {
    match error {
        Error::UndefinedFunction(_) => Error::UndefinedOperator(shown),
        Error::AmbiguousFunction(_) => Error::AmbiguousOperator(shown),
        other => other,
    }
}

/// The type an unknown literal takes beside a value of `ty`: the one whose operator Postgres would choose.
fn literal_type(ty: PgType, literal: &Ex) -> PgType {
    let is_name_list = matches!(&literal.node, Node::Parameter(_));
    match ty {
        _ if ty.is_reg() => PgType::OID,
        PgType::VARCHAR => PgType::TEXT,
        PgType::BPCHAR => PgType::TEXT,
        PgType::NAME if is_name_list => PgType::NAME,
        PgType::NAME => PgType::TEXT,
        PgType::INT2VECTOR => PgType::INT2VECTOR,
        other => other,
    }
}

/// Values of these types compare without a cast: [`crate::types::compare::compare`] takes numbers of any kind.
fn compares_as_is(a: PgType, b: PgType) -> bool {
    let int_like =
        |ty: PgType| category::is_integer(ty) || category::is_oid(ty) || ty == PgType::XID || ty == PgType::CID;
    let text = |ty: PgType| matches!(ty, PgType::TEXT | PgType::NAME | PgType::VARCHAR);
    a == b && a != PgType::BPCHAR
        || (int_like(a) && int_like(b))
        || (category::is_number(a) && category::is_number(b))
        || (text(a) && text(b))
        || match (category::element(a), category::element(b)) {
            (Some(a), Some(b)) => compares_as_is(a, b),
            _ => false,
        }
}

fn has_order(ty: PgType, comparison: Comparison) -> bool {
    match ty {
        PgType::JSON | PgType::XML | PgType::POINT | PgType::PG_NODE_TREE => false,
        PgType::XID | PgType::CID | PgType::ACLITEM => matches!(comparison, Comparison::Eq | Comparison::NotEq),
        _ => true,
    }
}

pub(super) fn comparison(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "=" => Comparison::Eq,
        "<>" | "!=" => Comparison::NotEq,
        "<" => Comparison::Lt,
        "<=" => Comparison::LtEq,
        ">" => Comparison::Gt,
        ">=" => Comparison::GtEq,
        _ => return None,
    })
}

fn pattern(symbol: &str) -> Option<(&'static str, bool)> {
    Some(match symbol {
        "~" => ("~", false),
        "!~" => ("~", true),
        "~*" => ("~*", false),
        "!~*" => ("~*", true),
        "~~" => ("like", false),
        "!~~" => ("like", true),
        "~~*" => ("ilike", false),
        "!~~*" => ("ilike", true),
        _ => return None,
    })
}

pub(super) fn symbol(op: &BinaryOperator) -> Result<String> {
    Ok(match op {
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
        BinaryOperator::Custom(symbol) => symbol.clone(),
        BinaryOperator::PGExp | BinaryOperator::BitwiseXor => "^".into(),
        BinaryOperator::PGBitwiseXor => "#".into(),
        BinaryOperator::NotEq => "<>".into(),
        other => other.to_string(),
    })
}
