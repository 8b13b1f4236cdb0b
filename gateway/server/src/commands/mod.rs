//! One file a command.

/// `println!`, but ends quietly where the reader has gone.
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::print::line(format_args!($($text)*)) };
}

mod check_config;
mod demo;
mod ingest;
mod print;
mod query;
mod role;
mod serve;
mod sources;
mod translate;
mod user;

use std::fmt;

use mantissa_core::Problem;

use crate::cli::{Arguments, Command};
use crate::config::Config;

/// Why a command failed, as its user reads it.
pub struct Failure {
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    pub fn message(message: impl Into<String>) -> Self {
        Self { message: message.into(), detail: None, hint: None, code: 1 }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Exit code: 1 for a failure, 2 for wrong use.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The error with the statement and a caret under the place, where one is known.
    pub fn in_statement(problem: Problem, sql: &str) -> Self {
        let place = problem.position.and_then(|position| caret(sql, position));
        let mut failure = Self::from(problem);
        if let Some(place) = place {
            failure.message = format!("{}\n{place}", failure.message);
        }
        failure
    }
}

/// The line of `sql` that holds character `position`, and a caret under it.
fn caret(sql: &str, position: u32) -> Option<String> {
    let before: String = sql.chars().take(position.checked_sub(1)? as usize).collect();
    let number = before.matches('\n').count();
    let line = sql.lines().nth(number)?;
    let column = before.chars().rev().take_while(|character| *character != '\n').count();
    let label = format!("LINE {}: ", number + 1);
    Some(format!("{label}{line}\n{}^", " ".repeat(label.len() + column)))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "mantissa: {}", self.message.trim_end())?;
        if let Some(detail) = &self.detail {
            writeln!(f, "DETAIL: {detail}")?;
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "HINT: {hint}")?;
        }
        Ok(())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        // Most causes are the crate's own error, which says the same.
        let cause = std::error::Error::source(&problem).map(ToString::to_string);
        let cause = cause.filter(|cause| *cause != problem.message).map(|cause| format!(" ({cause})"));
        let cause = cause.unwrap_or_default();
        Self { message: format!("{}{cause}", problem.message), detail: problem.detail, hint: problem.hint, code: 1 }
    }
}

impl From<mantissa_lake::LakeError> for Failure {
    fn from(error: mantissa_lake::LakeError) -> Self {
        Problem::from(error).into()
    }
}

impl From<mantissa_store::StoreError> for Failure {
    fn from(error: mantissa_store::StoreError) -> Self {
        Problem::from(error).into()
    }
}

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Command::Translate { dialect, sql } = &arguments.command {
        return translate::run(dialect, sql);
    }
    let config = Config::load(&arguments).map_err(|faults| Failure::message(faults.to_string()));
    if matches!(arguments.command, Command::CheckConfig) {
        return check_config::run(config, arguments.json);
    }
    let config = config?;
    let json = arguments.json;
    match arguments.command {
        Command::Serve(serve) => serve::run(config, serve).await,
        Command::Demo(demo) => demo::run(config, demo, arguments.data.is_some()).await,
        Command::Ingest(ingest) => ingest::run(config, ingest, json).await,
        Command::Sources => sources::run(&config, json),
        Command::Query { sql } => query::run(&config, &sql, json).await,
        Command::Ask { question, explain } => query::ask(&config, &question, explain, json).await,
        Command::User(user) => user::run(&config, user, json).await,
        Command::Role(role) => role::run(&config, role, json).await,
        Command::Translate { .. } | Command::CheckConfig => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_under_the_place() {
        assert_eq!(caret("select 1\nfrom nowhere", 15).unwrap(), "LINE 2: from nowhere\n             ^");
        assert_eq!(caret("x", 0), None);
    }
}
