//! Function calls: only what the table of functions lists, and nothing that grows without bound.

use dialects::ast::{Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, WindowType};
use dialects::{Access, name_parts};

use crate::Error;
use crate::check::{Walk, Weight};
use crate::queries::unsupported;
use crate::tables::position_of;

impl Walk<'_> {
    pub fn call(&mut self, function: &mut Function, level: u32) -> Result<Weight, Error> {
        let Function { name, uses_odbc_syntax, parameters, args, filter, null_treatment: _, over, within_group } =
            function;
        let position = position_of(name);
        let parts = name_parts(name).unwrap_or_default();
        let bare = self.permitted(&parts, position, false)?;
        if *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) {
            return Err(unsupported("this form of call", "Write name(arguments).", position));
        }
        let mut weight = match args {
            FunctionArguments::None => Weight::default(),
            FunctionArguments::List(list) => {
                self.bound_growth(bare, &list.args, position)?;
                let clauses = self.clauses(&mut list.clauses, position, level)?;
                self.arguments(&mut list.args, position, level)?.beside(clauses)
            }
            FunctionArguments::Subquery(query) => {
                if bare != "array" {
                    return Err(unsupported("this form of call", "Put the subquery in brackets.", position));
                }
                let inner = self.query(query, level + 1)?.weight;
                Weight { depth: inner.depth + 1, scans: inner.scans }
            }
        };
        if let Some(filter) = filter {
            weight = weight.beside(self.expr(filter, level)?);
        }
        if let Some(WindowType::WindowSpec(spec)) = over {
            weight = weight.beside(self.window(spec, level)?);
        }
        Ok(weight.beside(self.order_exprs(within_group, level)?))
    }

    /// A function in FROM.
    pub fn table_call(
        &mut self,
        parts: &[String],
        args: &mut [FunctionArg],
        position: Option<u32>,
        level: u32,
    ) -> Result<Weight, Error> {
        let bare = self.permitted(parts, position, true)?;
        self.bound_growth(bare, args, position)?;
        self.arguments(args, position, level)
    }

    fn arguments(&mut self, args: &mut [FunctionArg], position: Option<u32>, level: u32) -> Result<Weight, Error> {
        let mut weight = Weight::default();
        for arg in args {
            let value = match arg {
                FunctionArg::Named { name: _, arg, operator: _ } | FunctionArg::Unnamed(arg) => arg,
                FunctionArg::ExprNamed { .. } => {
                    return Err(unsupported("this form of argument", "Write name => value.", position));
                }
            };
            weight = weight.beside(match value {
                FunctionArgExpr::Expr(expr) => self.expr(expr, level)?,
                FunctionArgExpr::Wildcard => Weight::default(),
                FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_) => {
                    return Err(unsupported("a whole row as an argument", "Write * or a column.", position));
                }
            });
        }
        Ok(weight)
    }

    fn clauses(
        &mut self,
        clauses: &mut [FunctionArgumentClause],
        position: Option<u32>,
        level: u32,
    ) -> Result<Weight, Error> {
        let mut weight = Weight::default();
        for clause in clauses {
            match clause {
                FunctionArgumentClause::OrderBy(exprs) => weight = weight.beside(self.order_exprs(exprs, level)?),
                FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
                _ => return Err(unsupported("this clause of a call", "Write plain Postgres SQL.", position)),
            }
        }
        Ok(weight)
    }

    /// The function's own name, where the user may call it here.
    fn permitted(&self, parts: &[String], position: Option<u32>, in_from: bool) -> Result<&'static str, Error> {
        let (schema, bare) = match parts {
            [bare] => (None, bare.as_str()),
            [schema, bare] => (Some(schema.as_str()), bare.as_str()),
            _ => (Some(""), parts.last().map_or("", String::as_str)),
        };
        let name = parts.join(".");
        if let Some(schema) = schema
            && !matches!(schema, "pg_catalog" | "information_schema")
        {
            return Err(Error::UndefinedFunction { name, nearest: None, position });
        }
        // ARRAY(SELECT ...) is parsed as a call.
        if bare == "array" && schema.is_none() && !in_from {
            return Ok("array");
        }
        let listed = if in_from { dialects::table_function(bare) } else { None };
        let Some(function) = listed.or_else(|| dialects::function(bare)) else {
            let nearest = dialects::nearest_function(bare).map(str::to_owned);
            return Err(Error::UndefinedFunction { name, nearest, position });
        };
        match function.access {
            Access::Nobody => return Err(Error::FunctionDenied { name, position }),
            Access::Catalog if !self.is_catalog_only => return Err(Error::FunctionOutOfPlace { name, position }),
            Access::Catalog | Access::Everybody => {}
        }
        if in_from && listed.is_none() && !self.is_catalog_only {
            let hint = "Call it in the select list.";
            return Err(unsupported("this function in FROM", hint, position));
        }
        Ok(function.name)
    }
}
