use mantissa_core::{ErrorKind, Problem};

/// Why a question has no SQL.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AskError {
    #[error("the question was not understood")]
    NotUnderstood {
        /// Words of the question that no rule could account for.
        unknown: Vec<String>,
        /// Questions nearest to it that can be answered.
        suggestions: Vec<String>,
    },
    #[error("the question can mean several things")]
    Ambiguous { choices: Vec<String>, suggestions: Vec<String> },
    #[error("the question asks for a change, and ASK only reads")]
    NotReading { word: String },
    #[error("the question is longer than {limit} characters")]
    TooLong { limit: usize },
    #[error("no table that the question needs may be read")]
    NotAllowed { table: String },
    #[error("the question needs \"{column}\", which table \"{table}\" does not have")]
    NoSuchField { column: String, table: String, suggestions: Vec<String> },
}

impl AskError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            AskError::NotReading { .. } => ErrorKind::ReadOnlyTransaction,
            AskError::NotAllowed { .. } => ErrorKind::InsufficientPrivilege,
            AskError::TooLong { .. } => ErrorKind::ProgramLimitExceeded,
            _ => ErrorKind::QuestionNotUnderstood,
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            AskError::NotUnderstood { unknown, .. } if !unknown.is_empty() => {
                let words: Vec<String> = unknown.iter().map(|word| format!("\"{word}\"")).collect();
                Some(format!("These words have no meaning here: {}.", words.join(", ")))
            }
            AskError::NotUnderstood { .. } => {
                Some("It names no log source, event, user, address or other thing to look for.".into())
            }
            AskError::Ambiguous { choices, .. } => Some(format!("Say which is meant: {}.", choices.join(", "))),
            AskError::NotReading { word } => Some(format!("\"{word}\" would change something.")),
            AskError::NotAllowed { table } => Some(format!("Reading \"{table}\" is not granted.")),
            AskError::TooLong { .. } | AskError::NoSuchField { .. } => None,
        }
    }

    fn suggestions(&self) -> &[String] {
        match self {
            AskError::NotUnderstood { suggestions, .. }
            | AskError::Ambiguous { suggestions, .. }
            | AskError::NoSuchField { suggestions, .. } => suggestions,
            _ => &[],
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let mut problem = Problem::new(error.kind(), error.to_string());
        if let Some(detail) = error.detail() {
            problem = problem.detail(detail);
        }
        let suggestions: Vec<String> = error.suggestions().iter().map(|question| format!("\"{question}\"")).collect();
        if !suggestions.is_empty() {
            problem = problem.hint(format!("Questions that can be answered: {}.", suggestions.join(", ")));
        }
        problem
    }
}
