//! Expressions: every kind by name.

use dialects::Position;
use dialects::ast::{
    AccessExpr, Array, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType, Expr, Ident, Spanned, Subscript,
    UnaryOperator, Value, WindowFrameBound, WindowSpec,
};
use dialects::fold;

use crate::Error;
use crate::check::{Walk, Weight};
use crate::queries::unsupported;
use crate::scope::Meaning;

/// Expressions of one statement.
const MAX_NODES: usize = 100_000;
/// Items of one IN list or array.
const MAX_ITEMS: usize = 10_000;

impl Walk<'_> {
    pub fn exprs(&mut self, exprs: &mut [Expr], level: u32) -> Result<Weight, Error> {
        let mut weight = Weight::default();
        for expr in exprs {
            weight = weight.beside(self.expr(expr, level)?);
        }
        Ok(weight)
    }

    pub fn count_node(&mut self, expr: &Expr) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let (hint, position) = ("Split the statement.", Position::of(expr.span()));
            return Err(Error::TooMany { what: "expressions", limit: MAX_NODES, hint, position });
        }
        Ok(())
    }

    fn pair(&mut self, left: &mut Expr, right: &mut Expr, level: u32) -> Result<Weight, Error> {
        Ok(self.expr(left, level)?.beside(self.expr(right, level)?))
    }

    fn optional(&mut self, expr: &mut Option<Box<Expr>>, level: u32) -> Result<Weight, Error> {
        expr.as_deref_mut().map_or(Ok(Weight::default()), |expr| self.expr(expr, level))
    }

    fn bound_items(&self, items: &[Expr]) -> Result<(), Error> {
        if items.len() > MAX_ITEMS {
            let position = items.first().and_then(|item| Position::of(item.span()));
            let hint = "Compare with a subquery or a range, or split the list over several statements.";
            return Err(Error::TooMany { what: "items of a list", limit: MAX_ITEMS, hint, position });
        }
        Ok(())
    }

    fn subquery(&mut self, query: &mut dialects::ast::Query, level: u32) -> Result<Weight, Error> {
        let weight = self.query(query, level + 1)?.weight;
        Ok(Weight { depth: weight.depth + 1, scans: weight.scans })
    }

    pub fn expr(&mut self, expr: &mut Expr, level: u32) -> Result<Weight, Error> {
        self.count_node(expr)?;
        match expr {
            Expr::Identifier(ident) => self.column(&fold(ident), Position::of(ident.span)).map(|()| Weight::default()),
            Expr::CompoundIdentifier(parts) => self.qualified_column(parts).map(|()| Weight::default()),
            Expr::Value(value) => literal(&value.value, Position::of(value.span)).map(|()| Weight::default()),
            Expr::TypedString(typed) => self.data_type(&typed.data_type, None).map(|()| Weight::default()),
            Expr::Interval(interval) => self.expr(&mut interval.value, level),
            Expr::Nested(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::IsNormalized { expr: inner, form: _, negated: _ }
            | Expr::Extract { expr: inner, field: _, syntax: _ }
            | Expr::Collate { expr: inner, collation: _ } => self.expr(inner, level),
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => self.pair(left, right, level),
            Expr::AtTimeZone { timestamp, time_zone } => self.pair(timestamp, time_zone, level),
            Expr::Position { expr, r#in } => self.pair(expr, r#in, level),
            Expr::BinaryOp { left, op, right } => {
                let position = Position::of(right.span());
                operator(op, position)?;
                self.pair(left, right, level)
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ } | Expr::AllOp { left, compare_op, right } => {
                operator(compare_op, Position::of(right.span()))?;
                self.pair(left, right, level)
            }
            Expr::UnaryOp { op, expr } => {
                unary_operator(*op, Position::of(expr.span()))?;
                self.expr(expr, level)
            }
            Expr::InList { expr, list, negated: _ } => {
                self.bound_items(list)?;
                Ok(self.expr(expr, level)?.beside(self.exprs(list, level)?))
            }
            Expr::InSubquery { expr, subquery, negated: _ } => {
                Ok(self.expr(expr, level)?.beside(self.subquery(subquery, level)?))
            }
            Expr::Between { expr, negated: _, low, high } => {
                Ok(self.expr(expr, level)?.beside(self.pair(low, high, level)?))
            }
            Expr::Like { expr, pattern, .. }
            | Expr::ILike { expr, pattern, .. }
            | Expr::SimilarTo { expr, pattern, .. } => self.pair(expr, pattern, level),
            Expr::Cast { kind, expr, data_type, array, format } => {
                let position = Position::of(expr.span());
                if !matches!(kind, CastKind::Cast | CastKind::DoubleColon) || *array || format.is_some() {
                    return Err(unsupported("this form of CAST", "Write CAST(value AS type).", position));
                }
                self.data_type(data_type, position)?;
                self.expr(expr, level)
            }
            Expr::Ceil { expr, field } | Expr::Floor { expr, field } => match field {
                CeilFloorKind::DateTimeField(_) => self.expr(expr, level),
                CeilFloorKind::Scale(_) => Err(unsupported(
                    "ceil and floor to a scale",
                    "Use round(value, digits).",
                    Position::of(expr.span()),
                )),
            },
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                let weight = self.expr(expr, level)?.beside(self.optional(substring_from, level)?);
                Ok(weight.beside(self.optional(substring_for, level)?))
            }
            Expr::Trim { expr, trim_where: _, trim_what, trim_characters } => {
                let weight = self.expr(expr, level)?.beside(self.optional(trim_what, level)?);
                Ok(weight.beside(self.exprs(trim_characters.as_deref_mut().unwrap_or_default(), level)?))
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let weight = self.expr(expr, level)?.beside(self.pair(overlay_what, overlay_from, level)?);
                Ok(weight.beside(self.optional(overlay_for, level)?))
            }
            Expr::Function(function) => self.call(function, level),
            Expr::Case { operand, conditions, else_result, case_token: _, end_token: _ } => {
                let mut weight = self.optional(operand, level)?.beside(self.optional(else_result, level)?);
                for CaseWhen { condition, result } in conditions {
                    weight = weight.beside(self.pair(condition, result, level)?);
                }
                Ok(weight)
            }
            Expr::Exists { subquery, negated: _ } | Expr::Subquery(subquery) => self.subquery(subquery, level),
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                let mut weight = Weight::default();
                for set in sets {
                    weight = weight.beside(self.exprs(set, level)?);
                }
                Ok(weight)
            }
            Expr::Tuple(items) | Expr::Array(Array { elem: items, named: _ }) => {
                self.bound_items(items)?;
                self.exprs(items, level)
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                let mut weight = self.expr(root, level)?;
                for access in access_chain {
                    weight = weight.beside(self.access(access, level)?);
                }
                Ok(weight)
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                Err(unsupported("* inside an expression", "Name a column.", Position::of(expr.span())))
            }
            Expr::InUnnest { .. }
            | Expr::JsonAccess { .. }
            | Expr::RLike { .. }
            | Expr::Convert { .. }
            | Expr::Prefixed { .. }
            | Expr::Struct { .. }
            | Expr::Named { .. }
            | Expr::Dictionary(_)
            | Expr::Map(_)
            | Expr::MatchAgainst { .. }
            | Expr::OuterJoin(_)
            | Expr::Prior(_)
            | Expr::Lambda(_)
            | Expr::MemberOf(_) => {
                Err(unsupported("this kind of expression", "Write plain Postgres SQL.", Position::of(expr.span())))
            }
        }
    }

    fn access(&mut self, access: &mut AccessExpr, level: u32) -> Result<Weight, Error> {
        match access {
            AccessExpr::Subscript(Subscript::Index { index }) => self.expr(index, level),
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                let mut weight = Weight::default();
                for bound in [lower_bound, upper_bound, stride].into_iter().flatten() {
                    weight = weight.beside(self.expr(bound, level)?);
                }
                Ok(weight)
            }
            // `(f(x)).n`: a field of what a function of the catalog returns. Log tables hold no composite values.
            AccessExpr::Dot(Expr::Identifier(_)) if self.is_catalog_only => Ok(Weight::default()),
            AccessExpr::Dot(field) => {
                let hint = "Log tables have no composite columns: read fields of raw as raw ->> 'field'.";
                Err(unsupported("a field of a value", hint, Position::of(field.span())))
            }
        }
    }

    /// A column by its bare name.
    pub fn column(&mut self, name: &str, position: Option<u32>) -> Result<(), Error> {
        match self.scopes.meaning(name) {
            Meaning::Column => Ok(()),
            Meaning::Hidden(source) => {
                let table = source.table.as_ref().map_or_else(String::new, |table| table.name.name.clone());
                Err(Error::ColumnDenied { column: name.to_owned(), table, position })
            }
            // Database tools take rows of functions apart: `(x).n` over a subquery of the catalog.
            Meaning::Row if self.is_catalog_only => Ok(()),
            Meaning::Row => Err(unsupported("a whole row as a value", "Name the columns.", position)),
            Meaning::Unknown => {
                let nearest = self.scopes.nearest_column(name);
                Err(Error::UndefinedColumn { column: name.to_owned(), nearest, position })
            }
        }
    }

    /// `alias.column`, `table.column` or `schema.table.column`; the schema is taken off.
    fn qualified_column(&mut self, parts: &mut Vec<Ident>) -> Result<(), Error> {
        let position = parts.first().and_then(|first| Position::of(first.span));
        let names: Vec<String> = parts.iter().map(fold).collect();
        let (schema, alias, column) = match names.as_slice() {
            [alias, column] => (None, alias, column),
            [schema, alias, column] => (Some(schema), alias, column),
            _ => return Err(unsupported("a name of this many parts", "Write alias.column.", position)),
        };
        let Some(source) = self.scopes.source(alias) else {
            return Err(Error::MissingFrom { name: alias.clone(), position });
        };
        if let (Some(schema), Some(table)) = (schema, &source.table)
            && table.name.schema != *schema
        {
            return Err(Error::MissingFrom { name: alias.clone(), position });
        }
        if source.hides(column) {
            let table = source.table.as_ref().map_or_else(String::new, |table| table.name.name.clone());
            return Err(Error::ColumnDenied { column: column.clone(), table, position });
        }
        if let Some(columns) = &source.columns
            && !columns.contains(column)
        {
            let nearest = dialects::nearest(column, columns.iter().map(String::as_str)).map(str::to_owned);
            return Err(Error::UndefinedColumn { column: format!("{alias}.{column}"), nearest, position });
        }
        if schema.is_some() {
            parts.remove(0);
        }
        Ok(())
    }

    pub fn window(&mut self, spec: &mut WindowSpec, level: u32) -> Result<Weight, Error> {
        let WindowSpec { window_name: _, partition_by, order_by, window_frame } = spec;
        let mut weight = self.exprs(partition_by, level)?.beside(self.order_exprs(order_by, level)?);
        if let Some(frame) = window_frame {
            let bounds = [Some(&mut frame.start_bound), frame.end_bound.as_mut()];
            for bound in bounds.into_iter().flatten() {
                if let WindowFrameBound::Preceding(Some(expr)) | WindowFrameBound::Following(Some(expr)) = bound {
                    weight = weight.beside(self.expr(expr, level)?);
                }
            }
        }
        Ok(weight)
    }

    /// Types that a value may be cast to: Postgres's own. Those that name objects only over the catalog.
    fn data_type(&self, data_type: &DataType, position: Option<u32>) -> Result<(), Error> {
        let is_known = match data_type {
            DataType::Array(dialects::ast::ArrayElemTypeDef::SquareBracket(inner, _)) => {
                return self.data_type(inner, position);
            }
            DataType::Custom(name, _) => {
                let parts = dialects::name_parts(name).unwrap_or_default();
                let is_own = parts.len() == 1 || parts.first().is_some_and(|schema| schema == "pg_catalog");
                let known =
                    ["inet", "cidr", "name", "bpchar", "timestamptz", "timetz", "int2", "int4", "int8", "macaddr"];
                let bare = parts.last().map_or("", String::as_str);
                // Names of types inside the catalog are many, and the engine that answers it knows them.
                self.is_catalog_only || is_own && known.contains(&bare)
            }
            DataType::Regclass => self.is_catalog_only,
            DataType::Character(_) | DataType::Char(_) | DataType::CharacterVarying(_) | DataType::CharVarying(_) => {
                true
            }
            DataType::Varchar(_)
            | DataType::Text
            | DataType::Uuid
            | DataType::Bytea
            | DataType::JSON
            | DataType::JSONB => true,
            DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_) | DataType::Float(_) | DataType::Real => {
                true
            }
            DataType::Float4 | DataType::Float8 | DataType::DoublePrecision | DataType::Double(_) => true,
            DataType::SmallInt(None) | DataType::Int2(None) | DataType::Int(None) | DataType::Int4(None) => true,
            DataType::Integer(None) | DataType::BigInt(None) | DataType::Int8(None) => true,
            DataType::Bool | DataType::Boolean | DataType::Date | DataType::Time(..) | DataType::Timestamp(..) => true,
            DataType::Interval { .. } => true,
            _ => false,
        };
        if is_known {
            return Ok(());
        }
        Err(unsupported(
            "a cast to this type",
            "Cast to text, a number, a boolean, a date or time, inet or json.",
            position,
        ))
    }
}

fn literal(value: &Value, position: Option<u32>) -> Result<(), Error> {
    match value {
        Value::Number(..)
        | Value::SingleQuotedString(_)
        | Value::DollarQuotedString(_)
        | Value::EscapedStringLiteral(_) => Ok(()),
        Value::UnicodeStringLiteral(_) | Value::NationalStringLiteral(_) | Value::HexStringLiteral(_) => Ok(()),
        Value::Boolean(_) | Value::Null => Ok(()),
        // A statement is described before its parameters have values; it is checked again with them.
        Value::Placeholder(_) => Ok(()),
        _ => Err(unsupported("this kind of literal", "Write strings as 'text'.", position)),
    }
}

fn operator(operator: &BinaryOperator, position: Option<u32>) -> Result<(), Error> {
    use BinaryOperator as Op;
    match operator {
        Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo | Op::StringConcat | Op::PGExp => Ok(()),
        Op::Gt | Op::Lt | Op::GtEq | Op::LtEq | Op::Eq | Op::NotEq | Op::And | Op::Or => Ok(()),
        Op::BitwiseOr | Op::BitwiseAnd | Op::BitwiseXor | Op::PGBitwiseXor => Ok(()),
        Op::PGBitwiseShiftLeft | Op::PGBitwiseShiftRight | Op::PGOverlap | Op::PGStartsWith | Op::Overlaps => Ok(()),
        Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch => Ok(()),
        Op::PGLikeMatch | Op::PGILikeMatch | Op::PGNotLikeMatch | Op::PGNotILikeMatch => Ok(()),
        Op::Arrow | Op::LongArrow | Op::HashArrow | Op::HashLongArrow | Op::AtArrow | Op::ArrowAt | Op::Question => {
            Ok(())
        }
        Op::Custom(name) if name == "<<=" || name == ">>=" => Ok(()),
        _ => Err(unsupported("this operator", "Use a function in its place.", position)),
    }
}

fn unary_operator(operator: UnaryOperator, position: Option<u32>) -> Result<(), Error> {
    match operator {
        UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not | UnaryOperator::BitwiseNot => Ok(()),
        UnaryOperator::PGAbs | UnaryOperator::PGSquareRoot | UnaryOperator::PGCubeRoot => Ok(()),
        _ => Err(unsupported("this operator", "Use a function in its place.", position)),
    }
}
