use std::borrow::Cow;

use crate::json::Value;
use crate::schema::{COMMON, common};
use crate::timestamp::Micros;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scalar<'a> {
    #[default]
    Null,
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(Micros),
}

impl<'a> From<Option<Cow<'a, str>>> for Scalar<'a> {
    fn from(text: Option<Cow<'a, str>>) -> Self {
        text.map_or(Scalar::Null, Scalar::Text)
    }
}

impl<'a> From<&'a str> for Scalar<'a> {
    fn from(text: &'a str) -> Self {
        if text.is_empty() { Scalar::Null } else { Scalar::Text(Cow::Borrowed(text)) }
    }
}

impl<'a> From<Option<&'a str>> for Scalar<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Scalar::Null, Scalar::from)
    }
}

impl From<String> for Scalar<'_> {
    fn from(text: String) -> Self {
        if text.is_empty() { Scalar::Null } else { Scalar::Text(Cow::Owned(text)) }
    }
}

impl From<Option<i64>> for Scalar<'_> {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Scalar::Null, Scalar::Int)
    }
}

impl From<i64> for Scalar<'_> {
    fn from(number: i64) -> Self {
        Scalar::Int(number)
    }
}

impl From<Option<bool>> for Scalar<'_> {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Scalar::Null, Scalar::Bool)
    }
}

/// One normalised event: the common columns by position, the source's own columns by position, fields that are to
/// become columns by name, and the event as delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    pub common: [Scalar<'a>; COMMON.len()],
    pub own: Vec<Scalar<'a>>,
    pub inferred: Vec<(Cow<'a, str>, Scalar<'a>)>,
    pub raw: Cow<'a, str>,
}

impl<'a> Row<'a> {
    pub fn new(own_columns: usize) -> Self {
        Self {
            common: [const { Scalar::Null }; COMMON.len()],
            own: vec![Scalar::Null; own_columns],
            inferred: Vec::new(),
            raw: Cow::Borrowed(""),
        }
    }

    pub fn set(&mut self, position: usize, value: impl Into<Scalar<'a>>) {
        self.common[position] = value.into();
    }

    /// Sets a text column from a JSON scalar.
    pub fn copy(&mut self, position: usize, value: Value<'a>) {
        self.common[position] = value.text().into();
    }

    pub fn set_own(&mut self, position: usize, value: impl Into<Scalar<'a>>) {
        if let Some(cell) = self.own.get_mut(position) {
            *cell = value.into();
        }
    }

    pub fn text(&self, position: usize) -> Option<&str> {
        match &self.common[position] {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn time(&self) -> Option<Micros> {
        match self.common[common::TIME] {
            Scalar::Time(time) => Some(time),
            _ => None,
        }
    }

    pub fn is_null(&self, position: usize) -> bool {
        self.common[position] == Scalar::Null
    }

    /// `success`, `failure` or `unknown`, and the reason of a failure.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        self.set(common::OUTCOME, outcome.as_str());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
    Unknown,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Unknown => "unknown",
        }
    }
}

/// Values of `category`.
pub mod category {
    pub const AUTHENTICATION: &str = "authentication";
    pub const ACCOUNT_CHANGE: &str = "account_change";
    pub const API_ACTIVITY: &str = "api_activity";
    pub const NETWORK_ACTIVITY: &str = "network_activity";
    pub const PROCESS_ACTIVITY: &str = "process_activity";
    pub const FILE_ACTIVITY: &str = "file_activity";
    pub const FINDING: &str = "finding";
    pub const OTHER: &str = "other";
}

/// Values of `severity`.
pub mod severity {
    pub const UNKNOWN: i64 = 0;
    pub const INFORMATIONAL: i64 = 1;
    pub const LOW: i64 = 2;
    pub const MEDIUM: i64 = 3;
    pub const HIGH: i64 = 4;
    pub const CRITICAL: i64 = 5;
}
