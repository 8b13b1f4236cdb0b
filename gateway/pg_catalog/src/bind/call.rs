//! Function calls: which function, aggregates, windows, set-returning functions.

use std::sync::Arc;

use dialects::ast::{
    self, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    NamedWindowExpr, WindowFrameBound, WindowFrameUnits, WindowType,
};
use dialects::{fold, name_parts};
use mantissa_core::PgType;

use super::{Binder, expr, sort_key};
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::functions::aggregate::{Kind, WindowKind};
use crate::functions::{self, Run, Signature};
use crate::plan::*;
use crate::types::category::{self, Context};

const ANYELEMENT: PgType = PgType(2283);
const ANYNONARRAY: PgType = PgType(2776);

/// A function chosen for its arguments.
struct Chosen {
    signature: &'static Signature,
    parameters: Vec<PgType>,
    result: PgType,
    fields: Option<Fields>,
}

impl Binder<'_> {
    pub(super) fn function_call(&mut self, function: &Function) -> Result<Ex> {
        let position = function.name.0.first().and_then(|part| part.as_ident()).and_then(super::scope::position);
        let bound = self.function_call_inner(function).map_err(|error| match error {
            Error::UndefinedFunction(_) | Error::AmbiguousFunction(_) => error.at(position),
            other => other,
        });
        let mut ex = bound?;
        ex.position = position;
        Ok(ex)
    }

    fn function_call_inner(&mut self, function: &Function) -> Result<Ex> {
        let parts = name_parts(&function.name).unwrap_or_default();
        let name = parts.last().cloned().unwrap_or_default();
        let schema = (parts.len() > 1).then(|| parts[parts.len() - 2].clone());
        let list = match &function.args {
            FunctionArguments::Subquery(query) if name == "array" => return self.array_subquery(query),
            FunctionArguments::Subquery(_) => return Err(Error::Syntax("syntax error at or near \"SELECT\"".into())),
            FunctionArguments::None => return self.value_function(&name),
            FunctionArguments::List(list) => list,
        };
        let mut star = false;
        let mut exprs = Vec::new();
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => star = true,
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
                | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
                | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expr), .. } => exprs.push(expr),
                FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)) => star = true,
                _ => return Err(Error::Unsupported("this form of argument".into())),
            }
        }
        if schema.as_deref().is_none_or(|schema| schema == "pg_catalog" && name == "pg_typeof")
            && let Some(ex) = self.special(&name, &exprs)?
        {
            return Ok(ex);
        }
        let is_known_schema =
            schema.as_deref().is_none_or(|schema| matches!(schema, "pg_catalog" | "information_schema"));
        let signatures = if is_known_schema { functions::named(&name) } else { &[] };
        let aggregate = signatures.iter().any(|signature| matches!(signature.run, Run::Aggregate(_)));
        if let Some(over) = &function.over {
            return self.window(function, &name, &exprs, star, over);
        }
        if aggregate {
            return self.aggregate(function, list, &name, &exprs, star);
        }
        let arguments = exprs.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<_>>>()?;
        if !is_known_schema {
            return Err(undefined(&parts.join("."), &arguments));
        }
        if star {
            return Err(Error::WrongObject(format!("{name}(*) specified, but {name} is not an aggregate function")));
        }
        self.call(&name, arguments)
    }

    /// CURRENT_DATE and its like, which have no brackets.
    fn value_function(&mut self, name: &str) -> Result<Ex> {
        match name {
            "current_catalog" => self.call("current_database", vec![]),
            "current_time" | "localtime" => Err(Error::Unsupported(name.to_owned())),
            _ => self.call(name, vec![]),
        }
    }

    /// What looks like a function and is syntax.
    fn special(&mut self, name: &str, exprs: &[&Expr]) -> Result<Option<Ex>> {
        let mut bind = || exprs.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<_>>>();
        Ok(Some(match name {
            "coalesce" => {
                let items = bind()?;
                let fields = items.iter().find_map(|ex| ex.fields.clone());
                let (items, ty) = self.unify(items, "COALESCE")?;
                let mut ex = Ex::new(Node::Coalesce(items), ty);
                ex.fields = fields;
                ex
            }
            "greatest" | "least" => {
                let items = bind()?;
                let (items, ty) = self.unify(items, &name.to_uppercase())?;
                Ex::new(Node::Extreme(items, name == "greatest"), ty)
            }
            "nullif" if exprs.len() == 2 => {
                let mut items = bind()?;
                let right = items.pop().ok_or(Error::TooDeep)?;
                let left = items.pop().ok_or(Error::TooDeep)?;
                let left = if left.is_unknown() { self.cast(left, PgType::TEXT, -1)? } else { left };
                let (ty, typmod) = (left.ty, left.typmod);
                let test = self.compare(Comparison::Eq, left.clone(), right, None)?;
                let null = Ex::constant(Datum::Null, ty);
                let whens = vec![(test, null)];
                let mut ex = Ex::new(Node::Case { operand: None, whens, otherwise: Some(Box::new(left)) }, ty);
                ex.typmod = typmod;
                ex
            }
            "row" => expr::row(bind()?),
            "pg_typeof" if exprs.len() == 1 => {
                let argument = self.expr(exprs[0])?;
                if !argument.is_unknown() {
                    return self.call(name, vec![argument]).map(Some);
                }
                Ex::constant(Datum::Oid(PgType::UNKNOWN.0), PgType::REGTYPE)
            }
            _ => return Ok(None),
        }))
    }

    /// A call of a built-in function with bound arguments.
    pub(super) fn call(&mut self, name: &str, arguments: Vec<Ex>) -> Result<Ex> {
        let chosen = choose(name, name, &arguments, false);
        let chosen = match (chosen, arguments.as_slice()) {
            (Ok(chosen), _) => chosen,
            // int4('1') and its like are casts.
            (Err(Error::UndefinedFunction(shown)), [_]) => {
                return match PgType::by_name(name).filter(|ty| ty.name() == name) {
                    Some(ty) => {
                        let [argument] = <[Ex; 1]>::try_from(arguments).map_err(|_| Error::TooDeep)?;
                        self.cast(argument, ty, -1)
                    }
                    None => Err(Error::UndefinedFunction(shown)),
                };
            }
            (Err(error), _) => return Err(error),
        };
        self.apply(chosen, arguments)
    }

    pub(super) fn call_operator(&mut self, symbol: &str, arguments: Vec<Ex>) -> Result<Ex> {
        let chosen = choose(&format!("op {symbol}"), symbol, &arguments, true)?;
        self.apply(chosen, arguments)
    }

    fn arguments(&mut self, chosen: &Chosen, arguments: Vec<Ex>) -> Result<Vec<Ex>> {
        let mut cast = Vec::with_capacity(arguments.len());
        for (argument, ty) in arguments.into_iter().zip(&chosen.parameters) {
            cast.push(match *ty {
                PgType::ANY if argument.is_unknown() => self.cast(argument, PgType::TEXT, -1)?,
                PgType::ANY | PgType::RECORD => argument,
                ty => self.cast(argument, ty, -1)?,
            });
        }
        Ok(cast)
    }

    fn apply(&mut self, chosen: Chosen, arguments: Vec<Ex>) -> Result<Ex> {
        let arguments = self.arguments(&chosen, arguments)?;
        let signature = chosen.signature;
        match signature.run {
            Run::Scalar(function) => {
                let node = Node::Call { function, name: signature.name, strict: signature.strict, arguments };
                let mut ex = Ex::new(node, chosen.result);
                ex.fields = chosen.fields;
                Ok(ex)
            }
            Run::Set(function) => {
                let function = TableFunction::Set { function, strict: signature.strict };
                let call = TableCall { function, arguments, result: chosen.result, fields: chosen.fields.clone() };
                let scope = self.scope()?;
                let slot = scope.new_slot();
                scope.sets.push(SetCall { slot, call });
                let mut ex = Ex::column(slot, 0, chosen.result);
                ex.fields = chosen.fields;
                Ok(ex)
            }
            Run::Window(_) => {
                Err(Error::Windowing(format!("window function {} requires an OVER clause", signature.name)))
            }
            Run::Aggregate(_) => Err(Error::Grouping("aggregate functions are not allowed here".into())),
        }
    }

    /// A function in FROM.
    pub(super) fn table_function(&mut self, name: &str, schema: Option<&str>, exprs: Vec<&Expr>) -> Result<TableCall> {
        let arguments = exprs.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<_>>>()?;
        if schema.is_some_and(|schema| !matches!(schema, "pg_catalog" | "information_schema")) {
            return Err(undefined(&format!("{}.{name}", schema.unwrap_or_default()), &arguments));
        }
        if name == "coalesce" {
            let (items, ty) = self.unify(arguments, "COALESCE")?;
            let arguments = vec![Ex::new(Node::Coalesce(items), ty)];
            return Ok(TableCall { function: TableFunction::Value, arguments, result: ty, fields: None });
        }
        let chosen = choose(name, name, &arguments, false)?;
        let mut bound = Vec::new();
        let record = arguments.first().and_then(|ex| ex.fields.clone());
        bound.extend(self.arguments(&chosen, arguments)?);
        let strict = chosen.signature.strict;
        let function = match chosen.signature.run {
            Run::Scalar(function) => TableFunction::Scalar { function, strict },
            Run::Set(function) => TableFunction::Set { function, strict },
            _ => return Err(Error::Grouping("aggregate functions are not allowed in functions in FROM".into())),
        };
        let fields = chosen.fields.or(if chosen.result == PgType::RECORD { record } else { None });
        Ok(TableCall { function, arguments: bound, result: chosen.result, fields })
    }

    fn aggregate(
        &mut self,
        function: &Function,
        list: &ast::FunctionArgumentList,
        name: &str,
        exprs: &[&Expr],
        star: bool,
    ) -> Result<Ex> {
        let scope = self.scope()?;
        if let Some(clause) = scope.no_aggregates {
            return Err(Error::Grouping(format!("aggregate functions are not allowed in {clause}")));
        }
        if std::mem::replace(&mut scope.in_aggregate, true) {
            return Err(Error::Grouping("aggregate function calls cannot be nested".into()));
        }
        let bound = self.aggregate_parts(function, list, name, exprs, star);
        self.scope()?.in_aggregate = false;
        let (aggregate, fields) = bound?;
        let result = aggregate.result;
        let scope = self.scope()?;
        let slot = match scope.aggregate_slot {
            Some(slot) => slot,
            None => {
                let slot = scope.new_slot();
                scope.aggregate_slot = Some(slot);
                slot
            }
        };
        scope.aggregates.push(aggregate);
        let mut ex = Ex::column(slot, scope.aggregates.len() - 1, result);
        ex.fields = fields;
        Ok(ex)
    }

    fn aggregate_parts(
        &mut self,
        function: &Function,
        list: &ast::FunctionArgumentList,
        name: &str,
        exprs: &[&Expr],
        star: bool,
    ) -> Result<(Aggregate, Option<Fields>)> {
        let arguments = exprs.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<_>>>()?;
        let filter = self.filter(function)?;
        let mut order = Vec::new();
        for clause in &list.clauses {
            let FunctionArgumentClause::OrderBy(items) = clause else {
                return Err(Error::Unsupported("this aggregate clause".into()));
            };
            for item in items {
                let ex = self.expr(&item.expr)?;
                order.push(sort_key(SortBy::Expression(ex), item));
            }
        }
        let distinct = matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct));
        if star {
            if name != "count" || !arguments.is_empty() {
                return Err(Error::UndefinedFunction(format!("{name}(*)")));
            }
            let kind = Kind::CountStar;
            return Ok((Aggregate { kind, arguments, distinct: false, filter, order, result: PgType::INT8 }, None));
        }
        let chosen = choose(name, name, &arguments, false)?;
        let Run::Aggregate(kind) = chosen.signature.run else { return Err(undefined(name, &arguments)) };
        let fields = arguments.first().and_then(|ex| ex.fields.clone()).filter(|_| chosen.result == PgType::RECORD);
        let arguments = self.arguments(&chosen, arguments)?;
        let result = chosen.result;
        Ok((Aggregate { kind, arguments, distinct, filter, order, result }, fields))
    }

    fn filter(&mut self, function: &Function) -> Result<Option<Ex>> {
        let Some(filter) = &function.filter else { return Ok(None) };
        let filter = self.expr(filter)?;
        self.boolean(filter, "FILTER").map(Some)
    }

    fn window(
        &mut self,
        function: &Function,
        name: &str,
        exprs: &[&Expr],
        star: bool,
        over: &WindowType,
    ) -> Result<Ex> {
        if let Some(clause) = self.scope()?.no_aggregates {
            return Err(Error::Windowing(format!("window functions are not allowed in {clause}")));
        }
        let arguments = exprs.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<_>>>()?;
        let filter = self.filter(function)?;
        let (kind, arguments, result) = if star {
            (WindowKind::Aggregate(Kind::CountStar), arguments, PgType::INT8)
        } else {
            let chosen = choose(name, name, &arguments, false)?;
            let kind = match chosen.signature.run {
                Run::Window(kind) => kind,
                Run::Aggregate(kind) => WindowKind::Aggregate(kind),
                _ => {
                    let message =
                        format!("OVER specified, but {name} is not a window function nor an aggregate function");
                    return Err(Error::WrongObject(message));
                }
            };
            let result = chosen.result;
            (kind, self.arguments(&chosen, arguments)?, result)
        };
        let spec = self.window_spec(over)?;
        let mut partition = Vec::new();
        for item in &spec.partition_by {
            partition.push(self.expr(item)?);
        }
        let mut order = Vec::new();
        for item in &spec.order_by {
            let ex = self.expr(&item.expr)?;
            order.push(sort_key(SortBy::Expression(ex), item));
        }
        let (whole, rows) = frame(&spec, order.is_empty())?;
        let scope = self.scope()?;
        let slot = scope.new_slot();
        scope.windows.push(Window { slot, kind, arguments, partition, order, whole, rows, filter, result });
        Ok(Ex::column(slot, 0, result))
    }

    fn window_spec(&mut self, over: &WindowType) -> Result<ast::WindowSpec> {
        let find = |name: &ast::Ident| {
            let definitions = self.named_windows.last().map(Vec::as_slice).unwrap_or_default();
            let found = definitions.iter().find(|definition| fold(&definition.0) == fold(name));
            match found.map(|definition| &definition.1) {
                Some(NamedWindowExpr::WindowSpec(spec)) => Ok(spec.clone()),
                _ => Err(Error::UndefinedObject { what: "window", name: fold(name) }),
            }
        };
        match over {
            WindowType::NamedWindow(name) => find(name),
            WindowType::WindowSpec(spec) => match &spec.window_name {
                None => Ok(spec.clone()),
                Some(name) => {
                    let mut base = find(name)?;
                    if !spec.order_by.is_empty() {
                        base.order_by = spec.order_by.clone();
                    }
                    base.window_frame = spec.window_frame.clone();
                    Ok(base)
                }
            },
        }
    }
}

/// Whether the frame is the whole partition, and whether it counts rows.
fn frame(spec: &ast::WindowSpec, unordered: bool) -> Result<(bool, bool)> {
    let Some(frame) = &spec.window_frame else { return Ok((unordered, false)) };
    let rows = frame.units == WindowFrameUnits::Rows;
    if !matches!(frame.start_bound, WindowFrameBound::Preceding(None)) {
        return Err(Error::Unsupported("a window frame that does not start at UNBOUNDED PRECEDING".into()));
    }
    match &frame.end_bound {
        None | Some(WindowFrameBound::CurrentRow) => Ok((unordered && !rows, rows)),
        Some(WindowFrameBound::Following(None)) => Ok((true, rows)),
        Some(_) => Err(Error::Unsupported("this window frame".into())),
    }
}

fn undefined(name: &str, arguments: &[Ex]) -> Error {
    Error::UndefinedFunction(shown(name, arguments))
}

fn shown(name: &str, arguments: &[Ex]) -> String {
    let types: Vec<String> = arguments.iter().map(|argument| argument.ty.sql_name()).collect();
    format!("{name}({})", types.join(", "))
}

/// Chooses among the functions of a name as Postgres does (chapter "Functions" of "Type Conversion" in its manual).
fn choose(key: &str, name: &str, arguments: &[Ex], operator: bool) -> Result<Chosen> {
    let types: Vec<PgType> = arguments.iter().map(|argument| argument.ty).collect();
    let mut candidates: Vec<(&'static Signature, Vec<PgType>)> = functions::named(key)
        .iter()
        .filter_map(|signature| signature.expand(types.len()).map(|parameters| (signature, parameters)))
        .collect();
    if candidates.is_empty() {
        return Err(undefined(name, arguments));
    }
    let exact = |wanted: &[PgType]| candidates.iter().position(|(_, parameters)| parameters == wanted);
    let mut found = exact(&types);
    if found.is_none() && operator && types.len() == 2 {
        let other = if types[0] == PgType::UNKNOWN { types[1] } else { types[0] };
        if types.contains(&PgType::UNKNOWN) {
            found = exact(&[other, other]);
        }
    }
    if let Some(index) = found {
        return Ok(resolve(candidates.swap_remove(index), arguments));
    }
    candidates.retain(|(_, parameters)| {
        types.iter().zip(parameters).all(|(from, to)| accepts(*from, *to)) && consistent(&types, parameters)
    });
    narrow(&mut candidates, &types);
    match candidates.len() {
        0 => Err(undefined(name, arguments)),
        1 => Ok(resolve(candidates.remove(0), arguments)),
        _ => Err(Error::AmbiguousFunction(shown(name, arguments))),
    }
}

fn accepts(from: PgType, to: PgType) -> bool {
    match to {
        PgType::ANY | ANYELEMENT => true,
        ANYNONARRAY => category::element(from).is_none(),
        PgType::ANYARRAY => from == PgType::UNKNOWN || from == PgType::ANYARRAY || category::element(from).is_some(),
        PgType::RECORD => from == PgType::RECORD,
        _ => category::can_coerce(from, to, Context::Implicit),
    }
}

/// Whether arguments for `anyarray` and `anyelement` go together.
fn consistent(types: &[PgType], parameters: &[PgType]) -> bool {
    let Some(element) = element_of(types, parameters) else { return true };
    types.iter().zip(parameters).all(|(from, to)| match *to {
        ANYELEMENT | ANYNONARRAY => category::can_coerce(*from, element, Context::Implicit) || *from == element,
        PgType::ANYARRAY => match category::element(*from) {
            Some(inner) => category::can_coerce(inner, element, Context::Implicit),
            None => true,
        },
        _ => true,
    })
}

/// What `anyelement` stands for.
fn element_of(types: &[PgType], parameters: &[PgType]) -> Option<PgType> {
    let pairs = || types.iter().zip(parameters).filter(|(from, _)| **from != PgType::UNKNOWN);
    let of_array = pairs().filter(|(_, to)| **to == PgType::ANYARRAY).find_map(|(from, _)| category::element(*from));
    let scalar = pairs().find(|(_, to)| matches!(**to, ANYELEMENT | ANYNONARRAY)).map(|(from, _)| *from);
    match (of_array, scalar) {
        (Some(array), Some(scalar)) if category::can_coerce(array, scalar, Context::Implicit) && array != scalar => {
            Some(scalar)
        }
        (Some(array), _) => Some(array),
        (None, scalar) => scalar,
    }
}

fn is_poly(ty: PgType) -> bool {
    matches!(ty, PgType::ANY | ANYELEMENT | ANYNONARRAY | PgType::ANYARRAY)
}

fn narrow(candidates: &mut Vec<(&'static Signature, Vec<PgType>)>, types: &[PgType]) {
    let keep_best = |candidates: &mut Vec<(&'static Signature, Vec<PgType>)>, score: &dyn Fn(&[PgType]) -> usize| {
        let best = candidates.iter().map(|(_, parameters)| score(parameters)).max().unwrap_or(0);
        candidates.retain(|(_, parameters)| score(parameters) == best);
    };
    let is_known = |ty: PgType| ty != PgType::UNKNOWN;
    if candidates.len() > 1 {
        keep_best(candidates, &|parameters| {
            types.iter().zip(parameters).filter(|(from, to)| is_known(**from) && from == to).count()
        });
    }
    if candidates.len() > 1 {
        // A polymorphic parameter is taken only where nothing else fits better.
        keep_best(candidates, &|parameters| {
            types.iter().zip(parameters).filter(|(from, to)| is_known(**from) && !is_poly(**to)).count()
        });
    }
    if candidates.len() > 1 {
        keep_best(candidates, &|parameters| {
            let fits =
                |(from, to): &(&PgType, &PgType)| is_known(**from) && (from == to || category::is_preferred(**to));
            types.iter().zip(parameters).filter(fits).count()
        });
    }
    for (index, _) in types.iter().enumerate().filter(|(_, ty)| !is_known(**ty)) {
        if candidates.len() < 2 {
            return;
        }
        let categories: Vec<char> =
            candidates.iter().map(|(_, parameters)| category::category(parameters[index])).collect();
        let wanted = if categories.contains(&'S') { 'S' } else { categories[0] };
        if wanted == 'S' || categories.iter().all(|category| *category == wanted) {
            candidates.retain(|(_, parameters)| category::category(parameters[index]) == wanted);
            if candidates.iter().any(|(_, parameters)| category::is_preferred(parameters[index])) {
                candidates.retain(|(_, parameters)| category::is_preferred(parameters[index]));
            }
        }
    }
    if candidates.len() > 1 {
        let mut known = types.iter().filter(|ty| is_known(**ty));
        if let Some(first) = known.next()
            && known.all(|ty| ty == first)
            && candidates.iter().any(|(_, parameters)| parameters.iter().all(|ty| ty == first))
        {
            candidates.retain(|(_, parameters)| parameters.iter().all(|ty| ty == first));
        }
    }
}

fn resolve((signature, parameters): (&'static Signature, Vec<PgType>), arguments: &[Ex]) -> Chosen {
    let types: Vec<PgType> = arguments.iter().map(|argument| argument.ty).collect();
    let element = element_of(&types, &parameters).unwrap_or(PgType::TEXT);
    let array_of = |element: PgType| element.array().unwrap_or(PgType(1009));
    let concrete = |ty: PgType| match ty {
        ANYELEMENT | ANYNONARRAY => element,
        PgType::ANYARRAY => array_of(element),
        other => other,
    };
    // Vectors stay vectors where an array of any kind will do.
    let own = |(ty, argument): (&PgType, &Ex)| match *ty {
        PgType::ANYARRAY if category::element(argument.ty) == Some(element) => argument.ty,
        other => concrete(other),
    };
    let fields = signature
        .fields
        .as_ref()
        .map(|fields| Arc::new(fields.iter().map(|(name, ty)| (Arc::clone(name), concrete(*ty))).collect::<Vec<_>>()));
    let of_argument = arguments.first().and_then(|argument| argument.fields.clone());
    let result = concrete(signature.result);
    let fields = fields.or(if result == PgType::RECORD { of_argument } else { None });
    let concrete_parameters = parameters.iter().zip(arguments).map(own).collect();
    Chosen { signature, parameters: concrete_parameters, result, fields }
}
