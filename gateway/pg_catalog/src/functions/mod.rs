//! The functions and operators that catalog queries have, by family. Each family is a table of signatures, written as
//! Postgres's documentation writes them, with the code that runs them.

pub mod aggregate;
mod arithmetic;
mod array;
mod catalog;
mod definition;
mod digest;
pub mod json;
mod moment;
pub mod names;
mod pattern;
mod session;
mod set;
mod size;
mod string;
mod to_char;
mod updatable;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use mantissa_core::PgType;

use crate::plan::{Fields, ScalarFn, SetFn};

/// What runs a function.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    Scalar(ScalarFn),
    Set(SetFn),
    Aggregate(aggregate::Kind),
    Window(aggregate::WindowKind),
}

/// One overload of a function.
#[derive(Debug)]
pub struct Signature {
    pub name: &'static str,
    pub parameters: Vec<PgType>,
    /// The last parameter takes any number of arguments.
    pub variadic: bool,
    pub result: PgType,
    /// Columns of a record that it returns.
    pub fields: Option<Fields>,
    /// NULL for a NULL argument, without a call.
    pub strict: bool,
    pub run: Run,
}

impl Signature {
    /// The parameter types for a call with `count` arguments, if it takes as many.
    pub fn expand(&self, count: usize) -> Option<Vec<PgType>> {
        if !self.variadic {
            return (self.parameters.len() == count).then(|| self.parameters.clone());
        }
        let fixed = self.parameters.len() - 1;
        let last = *self.parameters.last()?;
        (count > fixed).then(|| {
            let mut parameters = self.parameters[..fixed].to_vec();
            parameters.resize(count, last);
            parameters
        })
    }

    /// Reads `name(type, variadic type) result`; a leading `!` says that NULL arguments are passed on. The result may be
    /// `(column type, ...)`. Types with spaces are written by their short names.
    fn read(text: &'static str, run: Run) -> Option<Self> {
        let (strict, text) = match text.strip_prefix('!') {
            Some(rest) => (false, rest),
            None => (true, text),
        };
        let (name, rest) = text.split_once('(')?;
        let (parameters, result) = rest.split_once(')')?;
        let mut variadic = false;
        let mut types = Vec::new();
        for part in parameters.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let part = match part.strip_prefix("variadic ") {
                Some(part) => {
                    variadic = true;
                    part
                }
                None => part,
            };
            types.push(type_of(part)?);
        }
        let result = result.trim();
        let (result, fields) = match result.strip_prefix('(').and_then(|list| list.strip_suffix(')')) {
            None => (type_of(result)?, None),
            Some(list) => {
                let mut fields = Vec::new();
                for part in list.split(',') {
                    let (name, ty) = part.trim().split_once(' ')?;
                    fields.push((Arc::from(name), type_of(ty)?));
                }
                (PgType::RECORD, Some(Arc::new(fields)))
            }
        };
        Some(Self { name, parameters: types, variadic, result, fields, strict, run })
    }
}

fn type_of(name: &str) -> Option<PgType> {
    match name {
        "anyelement" => Some(PgType(2283)),
        "anynonarray" => Some(PgType(2776)),
        "char" => Some(PgType::CHAR),
        other => PgType::by_name(other),
    }
}

type Table = &'static [(&'static str, ScalarFn)];
type SetTable = &'static [(&'static str, SetFn)];

static REGISTRY: LazyLock<HashMap<&'static str, Vec<Signature>>> = LazyLock::new(|| {
    let families: &[Table] = &[
        arithmetic::OPERATORS,
        arithmetic::FUNCTIONS,
        array::FUNCTIONS,
        catalog::FUNCTIONS,
        definition::FUNCTIONS,
        json::FUNCTIONS,
        moment::FUNCTIONS,
        names::FUNCTIONS,
        pattern::FUNCTIONS,
        session::FUNCTIONS,
        size::FUNCTIONS,
        string::FUNCTIONS,
        to_char::FUNCTIONS,
        updatable::FUNCTIONS,
    ];
    let scalars = families.iter().flat_map(|table| table.iter()).map(|(text, run)| (*text, Run::Scalar(*run)));
    let set_families: &[SetTable] = &[set::FUNCTIONS];
    let sets = set_families.iter().flat_map(|table| table.iter()).map(|(text, run)| (*text, Run::Set(*run)));
    let aggregates = aggregate::AGGREGATES.iter().map(|(text, kind)| (*text, Run::Aggregate(*kind)));
    let windows = aggregate::WINDOWS.iter().map(|(text, kind)| (*text, Run::Window(*kind)));
    let mut registry: HashMap<&'static str, Vec<Signature>> = HashMap::new();
    for (text, run) in scalars.chain(sets).chain(aggregates).chain(windows) {
        match Signature::read(text, run) {
            Some(signature) => registry.entry(signature.name).or_default().push(signature),
            None => debug_assert!(false, "signature {text}"),
        }
    }
    registry
});

/// Every overload of a name; operators are named `op +`.
pub fn named(name: &str) -> &'static [Signature] {
    REGISTRY.get(name).map_or(&[], Vec::as_slice)
}

/// The names of every function, for help and hints.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    REGISTRY
        .keys()
        .copied()
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !name.starts_with("op "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_read() {
        let tables: &[Table] = &[
            arithmetic::OPERATORS,
            arithmetic::FUNCTIONS,
            array::FUNCTIONS,
            catalog::FUNCTIONS,
            definition::FUNCTIONS,
            json::FUNCTIONS,
            moment::FUNCTIONS,
            names::FUNCTIONS,
            pattern::FUNCTIONS,
            session::FUNCTIONS,
            size::FUNCTIONS,
            string::FUNCTIONS,
            to_char::FUNCTIONS,
            updatable::FUNCTIONS,
        ];
        for (text, run) in tables.iter().flat_map(|table| table.iter()) {
            assert!(Signature::read(text, Run::Scalar(*run)).is_some(), "{text}");
        }
        for (text, run) in set::FUNCTIONS {
            assert!(Signature::read(text, Run::Set(*run)).is_some(), "{text}");
        }
        for (text, kind) in aggregate::AGGREGATES {
            assert!(Signature::read(text, Run::Aggregate(*kind)).is_some(), "{text}");
        }
    }
}
