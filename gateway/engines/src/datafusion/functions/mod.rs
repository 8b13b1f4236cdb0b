//! Functions that DataFusion lacks, or answers otherwise than Postgres.

mod args;
mod array;
mod cast;
mod characters;
mod json;
mod json_build;
mod mode;
mod net;
mod number;
#[cfg(test)]
pub(crate) mod printing;
mod text;
mod time;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use mantissa_core::{ErrorKind, Problem};

use super::fault::problem;
use super::types;
pub(crate) use args::Param;
pub(crate) use number::round as round_decimal;

/// One scalar function: its overloads, what it returns, how it is computed.
pub(crate) struct Function {
    pub name: &'static str,
    /// Parameter lists, tried in order. The last parameter repeats where `variadic` says so.
    pub overloads: &'static [&'static [Param]],
    pub variadic: bool,
    /// Parameters of which the last may be left out.
    pub optional: Option<&'static [Param]>,
    pub returns: fn(&[DataType]) -> DataType,
    /// Postgres type of the result where Arrow's does not tell (`json`, `inet`).
    pub pg_type: Option<&'static str>,
    /// Result that depends on the arguments' values, not only on their types.
    pub field: Option<fn(&ReturnFieldArgs) -> Option<Field>>,
    pub volatility: Volatility,
    pub call: fn(&ScalarFunctionArgs) -> Result<ColumnarValue>,
}

impl Function {
    pub(crate) const fn new(
        name: &'static str,
        overloads: &'static [&'static [Param]],
        returns: fn(&[DataType]) -> DataType,
        call: fn(&ScalarFunctionArgs) -> Result<ColumnarValue>,
    ) -> Self {
        let volatility = Volatility::Immutable;
        Self { name, overloads, variadic: false, optional: None, returns, pg_type: None, field: None, volatility, call }
    }

    pub(crate) const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    /// Takes any leading part of `params`.
    pub(crate) const fn optional(mut self, params: &'static [Param]) -> Self {
        self.optional = Some(params);
        self
    }

    pub(crate) const fn field(mut self, field: fn(&ReturnFieldArgs) -> Option<Field>) -> Self {
        self.field = Some(field);
        self
    }

    pub(crate) const fn pg_type(mut self, name: &'static str) -> Self {
        self.pg_type = Some(name);
        self
    }
}

/// Lists of this engine's own functions, one a file.
const LISTS: &[&[Function]] = &[
    array::FUNCTIONS,
    cast::FUNCTIONS,
    characters::FUNCTIONS,
    json::FUNCTIONS,
    json_build::FUNCTIONS,
    net::FUNCTIONS,
    number::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
];

/// Registers every function; one that DataFusion has under the same name gives way.
pub(crate) fn register(state: &mut SessionState) {
    for function in LISTS.iter().copied().flatten() {
        let function = Arc::new(ScalarUDF::new_from_impl(Scalar::new(function)));
        // Registering one that exists replaces it; it fails only for a registry that cannot be written.
        if let Err(error) = state.register_udf(function) {
            tracing::error!(%error, "a function could not be registered");
        }
    }
    if let Err(error) = state.register_udaf(Arc::new(AggregateUDF::new_from_impl(mode::Mode::new()))) {
        tracing::error!(%error, "a function could not be registered");
    }
}

/// A function of this engine's own, for plans that this engine changes. Names are written in this crate only.
pub(crate) fn udf(name: &'static str) -> Arc<ScalarUDF> {
    static ALL: LazyLock<HashMap<&'static str, Arc<ScalarUDF>>> = LazyLock::new(|| {
        let all = LISTS.iter().copied().flatten();
        all.map(|function| (function.name, Arc::new(ScalarUDF::new_from_impl(Scalar::new(function))))).collect()
    });
    Arc::clone(&ALL[name])
}

/// A [`Function`] as DataFusion calls it.
#[derive(Clone)]
struct Scalar {
    function: &'static Function,
    signature: Signature,
}

impl Scalar {
    fn new(function: &'static Function) -> Self {
        Self { function, signature: Signature::user_defined(function.volatility) }
    }
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function.name)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Scalar {}

impl std::hash::Hash for Scalar {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok((self.function.returns)(arg_types))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        if let Some(field) = self.function.field.and_then(|field| field(&args)) {
            return Ok(Arc::new(field));
        }
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let field = Field::new(self.function.name, (self.function.returns)(&types), true);
        Ok(Arc::new(match self.function.pg_type {
            Some(name) => field.with_metadata([(types::PG_TYPE.to_owned(), name.to_owned())].into()),
            None => field,
        }))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let function = self.function;
        if let Some(params) = function.optional.and_then(|params| params.get(..arg_types.len())) {
            return args::coerce(params, false, arg_types).ok_or_else(|| undefined(function.name, arg_types));
        }
        let fits = |params: &&&'static [Param]| args::coerce(params, function.variadic, arg_types);
        function.overloads.iter().find_map(|params| fits(&params)).ok_or_else(|| undefined(function.name, arg_types))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        (self.function.call)(&args)
    }
}

/// `function f(text) does not exist`.
pub(crate) fn undefined(name: &str, types: &[DataType]) -> datafusion::error::DataFusionError {
    let name = dialects::written_function(name);
    let message = format!("function {name}{} does not exist", types::signature(types));
    problem(
        Problem::new(ErrorKind::UndefinedFunction, message)
            .hint("No function matches the given name and argument types. You might need to add explicit type casts."),
    )
}
