//! Coercion of expressions, and the type that several of them share.

use mantissa_core::PgType;

use super::Binder;
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::{Ex, Node};
use crate::types::category::{self, Context};
use crate::types::input;

impl Binder<'_> {
    /// Makes `ex` a value of `ty` where Postgres would by itself.
    pub(super) fn coerce(&mut self, ex: Ex, ty: PgType, typmod: i32) -> Result<Ex> {
        if !category::can_coerce(ex.ty, ty, Context::Implicit) && !is_assignment(ex.ty, ty) {
            return Err(Error::CannotCast { from: ex.ty, to: ty }.at(ex.position));
        }
        self.cast(ex, ty, typmod)
    }

    /// An explicit cast.
    pub(super) fn cast(&mut self, ex: Ex, ty: PgType, typmod: i32) -> Result<Ex> {
        if ex.ty == ty && (typmod < 0 || typmod == ex.typmod) {
            return Ok(ex);
        }
        let position = ex.position;
        match &ex.node {
            Node::Parameter(index) if ex.is_unknown() && ty != PgType::UNKNOWN => {
                self.parameters[*index] = ty;
                return Ok(Ex { ty, typmod, ..ex });
            }
            Node::Const(Datum::Null) => return Ok(Ex { ty, typmod, origin: None, ..ex }),
            Node::Const(Datum::Text(text)) if ex.is_unknown() => {
                if ty == PgType::RECORD || ty == PgType::ANY {
                    return Ok(Ex { ty: PgType::TEXT, ..ex });
                }
                let value = input::parse(self.context, text, ty, typmod).map_err(|error| error.at(position))?;
                return Ok(Ex { node: Node::Const(value), ty, typmod, fields: None, origin: None, position });
            }
            _ => {}
        }
        if !category::can_coerce(ex.ty, ty, Context::Explicit) {
            return Err(Error::CannotCast { from: ex.ty, to: ty }.at(position));
        }
        // A cast and a call read their own type when they run.
        let own_type = matches!(ex.node, Node::Cast(_) | Node::Call { .. } | Node::Array { .. } | Node::ArrayOf(..));
        if typmod < 0 && !own_type && is_relabel(ex.ty, ty) {
            return Ok(Ex { ty, typmod, origin: None, ..ex });
        }
        let fields = if ty == PgType::RECORD { ex.fields.clone() } else { None };
        Ok(Ex { node: Node::Cast(Box::new(ex)), ty, typmod, fields, origin: None, position })
    }

    /// The type that UNION, CASE, ARRAY, VALUES, COALESCE and IN give to expressions of several types.
    pub(super) fn common_type(&mut self, items: &[&Ex], what: &str) -> Result<PgType> {
        let types: Vec<PgType> = items.iter().map(|ex| ex.ty).collect();
        self.common_of(&types, what).map_err(|error| error.at(items.last().and_then(|ex| ex.position)))
    }

    pub(super) fn common_of(&mut self, types: &[PgType], what: &str) -> Result<PgType> {
        let mut chosen = PgType::UNKNOWN;
        for ty in types.iter().copied().filter(|ty| *ty != PgType::UNKNOWN) {
            if chosen == PgType::UNKNOWN || chosen == ty {
                chosen = ty;
                continue;
            }
            if category::category(ty) != category::category(chosen) {
                return Err(Error::DatatypeMismatch(format!("{what} types {chosen} and {ty} cannot be matched")));
            }
            let forward = category::can_coerce(chosen, ty, Context::Implicit);
            let back = category::can_coerce(ty, chosen, Context::Implicit);
            if !category::is_preferred(chosen) && forward && (!back || category::is_preferred(ty)) {
                chosen = ty;
            } else if !forward && !back {
                return Err(Error::DatatypeMismatch(format!("{what} types {chosen} and {ty} cannot be matched")));
            }
        }
        Ok(if chosen == PgType::UNKNOWN { PgType::TEXT } else { chosen })
    }

    /// Brings expressions to their common type.
    pub(super) fn unify(&mut self, items: Vec<Ex>, what: &str) -> Result<(Vec<Ex>, PgType)> {
        let ty = self.common_type(&items.iter().collect::<Vec<_>>(), what)?;
        let items = items.into_iter().map(|ex| self.coerce(ex, ty, -1)).collect::<Result<Vec<_>>>()?;
        Ok((items, ty))
    }

    /// A condition.
    pub(super) fn boolean(&mut self, ex: Ex, clause: &str) -> Result<Ex> {
        if ex.ty != PgType::BOOL && !ex.is_unknown() {
            let message = format!("argument of {clause} must be type boolean, not type {}", ex.ty);
            return Err(Error::DatatypeMismatch(message).at(ex.position));
        }
        self.coerce(ex, PgType::BOOL, -1)
    }
}

/// Casts that Postgres makes by itself where a value is stored; used where columns of several queries meet.
fn is_assignment(from: PgType, to: PgType) -> bool {
    (category::is_string(from) && category::is_string(to)) || (category::is_oid(from) && to == PgType::INT8)
}

/// Casts that leave the value as it is.
pub fn is_relabel(from: PgType, to: PgType) -> bool {
    let plain = |ty| matches!(ty, PgType::TEXT | PgType::VARCHAR | PgType::NAME | PgType::PG_NODE_TREE);
    (plain(from) && matches!(to, PgType::TEXT | PgType::VARCHAR)) || (category::is_oid(from) && category::is_oid(to))
}
