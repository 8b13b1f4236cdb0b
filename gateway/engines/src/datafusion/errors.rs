//! DataFusion's errors in Postgres's words.

use std::sync::LazyLock;

use arrow::error::ArrowError;
use datafusion::common::{Diagnostic, SchemaError};
use datafusion::error::DataFusionError;
use dialects::Position;
use mantissa_core::{ErrorKind, Problem};
use regex::{Captures, Regex};

use super::fault::Fault;

/// Says an error to a client. What has no counterpart is logged whole and shown as an internal error without detail.
pub(crate) fn to_problem(error: DataFusionError) -> Problem {
    let problem = translate(&error);
    if problem.kind == ErrorKind::Internal {
        tracing::error!(%error, "query failed for a reason that has no SQLSTATE");
    }
    problem.caused_by(error)
}

fn translate(error: &DataFusionError) -> Problem {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => with_position(translate(inner), diagnostic),
        DataFusionError::Context(text, _) if text.starts_with("Invalid regex") => {
            Problem::new(ErrorKind::InvalidRegularExpression, "invalid regular expression")
        }
        DataFusionError::Context(_, inner) => translate(inner),
        DataFusionError::Shared(inner) => translate(inner),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => translate(first),
            None => internal(),
        },
        DataFusionError::SchemaError(schema, _) => of_schema(schema),
        DataFusionError::ArrowError(arrow, _) => of_arrow(arrow),
        DataFusionError::ResourcesExhausted(_) => out_of_memory(),
        DataFusionError::NotImplemented(message) => not_supported(message),
        DataFusionError::External(source) => of_external(source.as_ref()),
        DataFusionError::ParquetError(error) => of_parquet(error),
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::Internal(message)
        | DataFusionError::Configuration(message) => of_message(message).unwrap_or_else(|| other(error)),
        DataFusionError::SQL(_, _) => of_message(&error.to_string()).unwrap_or_else(|| other(error)),
        DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => unreadable(),
        _ => internal(),
    }
}

fn of_external(source: &(dyn std::error::Error + Send + Sync + 'static)) -> Problem {
    if let Some(Fault(problem)) = source.downcast_ref::<Fault>() {
        return problem.clone();
    }
    if let Some(problem) = source.downcast_ref::<Problem>() {
        return problem.clone();
    }
    if let Some(inner) = source.downcast_ref::<DataFusionError>() {
        return translate(inner);
    }
    if let Some(inner) = source.downcast_ref::<ArrowError>() {
        return of_arrow(inner);
    }
    if let Some(inner) = source.downcast_ref::<crate::Error>() {
        return Problem::new(inner.kind(), inner.client_message());
    }
    internal()
}

fn of_parquet(error: &datafusion::parquet::errors::ParquetError) -> Problem {
    use datafusion::parquet::errors::ParquetError;
    match error {
        ParquetError::External(source) => match of_external(source.as_ref()) {
            problem if problem.kind == ErrorKind::Internal => unreadable(),
            problem => problem,
        },
        _ => Problem::new(ErrorKind::DataCorrupted, "a file of the lake is damaged"),
    }
}

fn unreadable() -> Problem {
    Problem::new(ErrorKind::IoError, "could not read a file of the lake")
}

fn internal() -> Problem {
    Problem::new(ErrorKind::Internal, "the query engine failed")
}

fn out_of_memory() -> Problem {
    Problem::new(ErrorKind::OutOfMemory, "out of memory")
        .detail("The query needs more memory than is left to it.")
        .hint("Narrow the time range, select fewer columns, or aggregate before sorting or joining.")
}

fn with_position(problem: Problem, diagnostic: &Diagnostic) -> Problem {
    if problem.position.is_some() {
        return problem;
    }
    let position =
        diagnostic.span.and_then(|span| (span.start.line > 0).then(|| u32::try_from(span.start.column).ok()).flatten());
    problem.at(position.filter(|position| *position > 0))
}

fn of_schema(error: &SchemaError) -> Problem {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let problem = match &field.relation {
                Some(relation) => {
                    let table = relation.table();
                    let has_table =
                        valid_fields.iter().any(|f| f.relation.as_ref().is_some_and(|r| r.table() == table));
                    if !has_table {
                        let message = format!("missing FROM-clause entry for table \"{table}\"");
                        return Problem::new(ErrorKind::UndefinedTable, message);
                    }
                    Problem::new(ErrorKind::UndefinedColumn, format!("column {table}.{} does not exist", field.name))
                }
                None => Problem::new(ErrorKind::UndefinedColumn, format!("column \"{}\" does not exist", field.name)),
            };
            match nearest(&field.name, valid_fields) {
                Some(near) => problem.hint(format!("Perhaps you meant to reference the column \"{near}\".")),
                None => problem,
            }
        }
        SchemaError::AmbiguousReference { field } => {
            Problem::new(ErrorKind::AmbiguousColumn, format!("column reference \"{}\" is ambiguous", field.name))
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            Problem::new(ErrorKind::DuplicateColumn, format!("column name \"{name}\" specified more than once"))
        }
    }
}

/// The column most like a name that is none, as Postgres would hint it.
fn nearest(name: &str, columns: &[datafusion::common::Column]) -> Option<String> {
    let scored = columns.iter().map(|column| (strsim(name, &column.name), column));
    let (distance, column) = scored.min_by_key(|(distance, _)| *distance)?;
    let is_near = distance <= name.chars().count() / 2 && distance <= 3;
    is_near.then(|| match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => column.name.clone(),
    })
}

fn strsim(from: &str, to: &str) -> usize {
    datafusion::common::utils::datafusion_strsim::levenshtein(from, to)
}

fn of_arrow(error: &ArrowError) -> Problem {
    match error {
        ArrowError::DivideByZero => division_by_zero(),
        ArrowError::ArithmeticOverflow(message) => overflow(message),
        ArrowError::ExternalError(source) => of_external(source.as_ref()),
        ArrowError::MemoryError(_) => out_of_memory(),
        ArrowError::CastError(message)
        | ArrowError::ParseError(message)
        | ArrowError::ComputeError(message)
        | ArrowError::InvalidArgumentError(message) => of_message(message).unwrap_or_else(internal),
        ArrowError::IoError(..) => unreadable(),
        ArrowError::NotYetImplemented(message) => not_supported(message),
        _ => internal(),
    }
}

pub(crate) fn division_by_zero() -> Problem {
    Problem::new(ErrorKind::DivisionByZero, "division by zero")
}

fn overflow(message: &str) -> Problem {
    let text = if message.contains("Decimal") || message.contains("decimal") {
        "numeric field overflow"
    } else {
        "value out of range"
    };
    Problem::new(ErrorKind::NumericOutOfRange, text)
}

fn not_supported(message: &str) -> Problem {
    let problem = Problem::new(ErrorKind::FeatureNotSupported, "this is not supported by the embedded engine");
    match of_message(message) {
        Some(known) => known,
        None => problem.detail(format!("{}.", first_line(message).trim_end_matches('.'))),
    }
}

/// A planning error that is the statement's fault in a way that no pattern knows. Its text names the statement's own parts.
fn other(error: &DataFusionError) -> Problem {
    match error {
        DataFusionError::Plan(message) => {
            let problem = Problem::new(ErrorKind::SyntaxError, "the statement could not be planned");
            problem.detail(format!("{}.", first_line(message).trim_end_matches('.')))
        }
        _ => internal(),
    }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

type Say = fn(&Captures<'_>) -> Problem;

/// What DataFusion's messages look like, and what Postgres says in their place. The first match counts.
const MESSAGES: &[(&str, Say)] = &[
    (r"(?i)divide by zero|division by zero", |_| division_by_zero()),
    (r"^Invalid function '([^']*)'", |m| {
        let problem = Problem::new(ErrorKind::UndefinedFunction, format!("function {} does not exist", &m[1]));
        match dialects::nearest_function(&m[1]) {
            Some(near) => problem.hint(format!("Perhaps you meant the function \"{near}\".")),
            None => problem,
        }
    }),
    (r"External error: function (\w+\(.*?\)) does not exist", |m| {
        Problem::new(ErrorKind::UndefinedFunction, format!("function {} does not exist", &m[1]))
            .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
    }),
    (r"(?:call to|function) '(\w+)'.*coercion from (.*?) to the signature", |m| undefined_function(&m[1], &m[2])),
    (r"'(\w+)' function: coercion from (.*?) to the signature", |m| undefined_function(&m[1], &m[2])),
    (r"Function '(\w+)' (?:expected|requires|expects|failed)", |m| undefined_function(&m[1], "")),
    (r"'(\w+)' (?:does not support zero arguments|expects|function requires)", |m| undefined_function(&m[1], "")),
    (
        r"Cannot (?:coerce arithmetic expression|infer common argument type for \w+ operation) (.+?) (\S+) (.+?)(?: to valid types|$)",
        |m| no_operator(&m[1], &m[2], &m[3]),
    ),
    (r"Cannot get result type for arithmetic operation (.+?) (\S+) (.+?)(?::|$)", |m| no_operator(&m[1], &m[2], &m[3])),
    (r"There isn't a common type to coerce (.+?) and (.+?) in (\w+) expression", |m| no_operator(&m[1], &m[3], &m[2])),
    (r#"must (?:appear|be) in (?:the )?GROUP BY.*?column "([^"]+)""#, |m| ungrouped(&m[1])),
    (r#"column "([^"]+)" must appear in the GROUP BY"#, |m| ungrouped(&m[1])),
    (r"Cannot cast string '(.*)' to value of (\w+)", |m| invalid_input(&m[2], &m[1])),
    (r"Error parsing timestamp from '(.*)':", |m| invalid_input("Timestamp", &m[1])),
    (r#"error parsing date from '(.*)'|Cannot cast string "(.*)" to Date"#, |m| {
        invalid_input("Date32", m.get(1).or(m.get(2)).map_or("", |found| found.as_str()))
    }),
    (r"Invalid input syntax for type interval: (.*)$", |m| invalid_input("Interval", m[1].trim_matches('"'))),
    (r"Can't cast value .* to type (\w+)", |m| out_of_range(&m[1])),
    (r"Overflow happened on|[Oo]verflow|is too large to store|out of range", |m| {
        overflow(m.get(0).map_or("", |o| o.as_str()))
    }),
    (r"subquery.*(?:more than one row|returned more than)|more than one row", |_| {
        Problem::new(ErrorKind::CardinalityViolation, "more than one row returned by a subquery used as an expression")
    }),
    (r"(?i)regex(?:p)? parse error|Regular expression did not compile|invalid regular expression", |_| {
        Problem::new(ErrorKind::InvalidRegularExpression, "invalid regular expression")
    }),
    (r"(?i)(UNION|INTERSECT|EXCEPT).*(?:same number of columns|different number of columns)", |m| {
        let message = format!("each {} query must have the same number of columns", m[1].to_uppercase());
        Problem::new(ErrorKind::SyntaxError, message)
    }),
    (r"(?i)aggregate function calls cannot be nested|aggregate functions? .*(?:WHERE|not allowed)", |_| {
        Problem::new(ErrorKind::GroupingError, "aggregate functions are not allowed here")
    }),
    (r"(?i)exceeded.*(?:memory|disk|limit)|Resources exhausted", |_| out_of_memory()),
    (r"(LIMIT|OFFSET) must be >= 0", |m| {
        Problem::new(ErrorKind::InvalidParameterValue, format!("{} must not be negative", &m[1]))
    }),
    (r"For SELECT DISTINCT, ORDER BY expressions", |_| {
        Problem::new(
            ErrorKind::InvalidColumnReference,
            "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
        )
    }),
    (r"Projections require unique expression names.*?name is '?([^' ]+)", |m| {
        Problem::new(ErrorKind::DuplicateColumn, format!("column name \"{}\" specified more than once", &m[1]))
    }),
];

static PATTERNS: LazyLock<Vec<(Regex, Say)>> = LazyLock::new(|| {
    MESSAGES
        .iter()
        .filter_map(|(pattern, say)| Regex::new(&format!("(?s){pattern}")).ok().map(|regex| (regex, *say)))
        .collect()
});

fn of_message(message: &str) -> Option<Problem> {
    PATTERNS.iter().find_map(|(pattern, say)| pattern.captures(message).map(|found| say(&found)))
}

fn undefined_function(name: &str, arguments: &str) -> Problem {
    let message = match arguments {
        "" => format!("function {name} does not exist with these arguments"),
        types => format!("function {name}({}) does not exist", type_names(types)),
    };
    Problem::new(ErrorKind::UndefinedFunction, message)
        .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
}

fn no_operator(left: &str, operator: &str, right: &str) -> Problem {
    let message = format!("operator does not exist: {} {operator} {}", type_name(left), type_name(right));
    Problem::new(ErrorKind::UndefinedFunction, message)
        .hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}

fn ungrouped(column: &str) -> Problem {
    let mut parts: Vec<&str> = column.rsplitn(3, '.').take(2).collect();
    parts.reverse();
    let message = format!(
        "column \"{}\" must appear in the GROUP BY clause or be used in an aggregate function",
        parts.join(".")
    );
    Problem::new(ErrorKind::GroupingError, message)
}

fn invalid_input(arrow: &str, text: &str) -> Problem {
    let ty = type_name(arrow);
    let digits = text.trim().trim_start_matches(['-', '+']);
    if matches!(ty, "smallint" | "integer" | "bigint")
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
    {
        let message = format!("value \"{text}\" is out of range for type {ty}");
        return Problem::new(ErrorKind::NumericOutOfRange, message);
    }
    if ty == "date" && digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Problem::new(ErrorKind::DatetimeOverflow, format!("date/time field value out of range: \"{text}\""));
    }
    let kind = match ty {
        "date" | "interval" => ErrorKind::InvalidDatetimeFormat,
        ty if ty.starts_with("time") => ErrorKind::InvalidDatetimeFormat,
        _ => ErrorKind::InvalidTextRepresentation,
    };
    Problem::new(kind, format!("invalid input syntax for type {ty}: \"{text}\""))
}

fn out_of_range(arrow: &str) -> Problem {
    Problem::new(ErrorKind::NumericOutOfRange, format!("{} out of range", type_name(arrow)))
}

fn type_names(types: &str) -> String {
    let names: Vec<&str> = types.split(", ").map(type_name).collect();
    names.join(", ")
}

/// An Arrow type as DataFusion prints it, by Postgres's name.
fn type_name(arrow: &str) -> &'static str {
    let arrow = arrow.trim();
    let starts = |prefix: &str| arrow.starts_with(prefix);
    match arrow {
        "Boolean" => "boolean",
        "Int8" | "Int16" | "UInt8" => "smallint",
        "Int32" | "UInt16" => "integer",
        "Int64" | "UInt32" | "UInt64" => "bigint",
        "Float16" | "Float32" => "real",
        "Float64" => "double precision",
        "Date32" | "Date64" => "date",
        "Null" => "unknown",
        _ if starts("Decimal") => "numeric",
        _ if starts("Timestamp") && (arrow.contains("UTC") || arrow.contains("Some") || arrow == "Timestamp") => {
            "timestamp with time zone"
        }
        _ if starts("Timestamp") => "timestamp without time zone",
        _ if starts("Time") => "time without time zone",
        _ if starts("Interval") || starts("Duration") => "interval",
        _ if starts("Binary") || starts("LargeBinary") || starts("FixedSizeBinary") => "bytea",
        _ if starts("List") || starts("LargeList") => "anyarray",
        _ => "text",
    }
}

/// Puts the place of a name into an error that lacks one.
pub(crate) fn locate(problem: Problem, find: impl FnOnce(&str) -> Option<sqlparser::tokenizer::Span>) -> Problem {
    if problem.position.is_some() {
        return problem;
    }
    let name = problem.message.split('"').nth(1).map(str::to_owned).or_else(|| {
        let call = problem.message.strip_prefix("function ")?;
        Some(call.split(['(', ' ']).next()?.to_owned())
    });
    let position = name.and_then(|name| find(&name)).and_then(Position::of);
    problem.at(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_plan(message: &str) -> (ErrorKind, String) {
        let problem = to_problem(DataFusionError::Plan(message.to_owned()));
        (problem.kind, problem.message)
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), MESSAGES.len());
    }

    #[test]
    fn messages_become_postgres_ones() {
        let cases = [
            (
                "Invalid function 'foo'.\nDid you mean 'floor'?",
                ErrorKind::UndefinedFunction,
                "function foo does not exist",
            ),
            (
                "Cannot coerce arithmetic expression Utf8 + Int64 to valid types",
                ErrorKind::UndefinedFunction,
                "operator does not exist: text + bigint",
            ),
            (
                "Cannot cast string 'abc' to value of Int32 type",
                ErrorKind::InvalidTextRepresentation,
                "invalid input syntax for type integer: \"abc\"",
            ),
        ];
        for (message, kind, expected) in cases {
            assert_eq!(of_plan(message), (kind, expected.to_owned()));
        }
    }

    #[test]
    fn what_is_unknown_keeps_its_secrets() {
        let problem = to_problem(DataFusionError::Internal("/srv/lake/secret: assertion failed".to_owned()));
        assert_eq!((problem.kind, problem.message.as_str()), (ErrorKind::Internal, "the query engine failed"));
        assert_eq!(problem.detail, None);
    }
}
