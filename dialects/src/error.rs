/// Why a text is no canonical SQL, or why a dialect cannot say it.
///
/// Messages, details and hints quote nothing but the statement itself, so all of it may be shown to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("syntax error at or near \"{token}\"")]
    SyntaxAt { token: String, position: u32, hint: Option<String> },
    #[error("syntax error at end of input")]
    SyntaxAtEnd { position: u32, hint: Option<String> },
    #[error("unterminated {what} at or near \"{token}\"")]
    Unterminated { what: &'static str, token: String, position: u32 },
    #[error("invalid escape in string literal")]
    InvalidEscape { position: u32 },
    #[error("statement too complex")]
    TooComplex { what: &'static str, limit: usize, position: Option<u32> },
    #[error("statement is too large")]
    TooLarge { limit: usize },
    #[error("cannot insert multiple commands into a prepared statement")]
    ManyStatements { position: u32 },
    #[error("cannot execute {command} in a read-only transaction")]
    NotReading { command: String },
    #[error("there is no statement")]
    Empty,
    #[error("{feature} is not supported")]
    Unsupported { feature: String, hint: Option<String>, position: Option<u32> },
    #[error("invalid input syntax for type {ty}: \"{value}\"")]
    InvalidLiteral { ty: &'static str, value: String, position: Option<u32> },
    #[error("there is no parameter ${number}")]
    UndefinedParameter { number: u32, position: Option<u32> },
}

impl Error {
    /// PostgreSQL's code for this failure (appendix A of its manual).
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Error::SyntaxAt { .. } | Error::SyntaxAtEnd { .. } | Error::Unterminated { .. } => "42601",
            Error::ManyStatements { .. } | Error::Empty => "42601",
            Error::InvalidEscape { .. } => "22025",
            Error::TooComplex { .. } => "54001",
            Error::TooLarge { .. } => "54000",
            Error::NotReading { .. } => "25006",
            Error::Unsupported { .. } => "0A000",
            Error::InvalidLiteral { ty: "interval" | "timestamp" | "date", .. } => "22007",
            Error::InvalidLiteral { .. } => "22P02",
            Error::UndefinedParameter { .. } => "42P02",
        }
    }

    /// The 1-based character of the statement's text, where one is known.
    pub fn position(&self) -> Option<u32> {
        match self {
            Error::SyntaxAt { position, .. }
            | Error::SyntaxAtEnd { position, .. }
            | Error::Unterminated { position, .. }
            | Error::InvalidEscape { position }
            | Error::ManyStatements { position } => Some(*position),
            Error::TooComplex { position, .. }
            | Error::Unsupported { position, .. }
            | Error::InvalidLiteral { position, .. }
            | Error::UndefinedParameter { position, .. } => *position,
            Error::TooLarge { .. } | Error::NotReading { .. } | Error::Empty => None,
        }
    }

    pub fn detail(&self) -> Option<String> {
        match self {
            Error::TooComplex { what, limit, .. } => Some(format!("The limit is {limit} {what}.")),
            Error::TooLarge { limit } => Some(format!("The limit is {} MB.", limit / 1_000_000)),
            _ => None,
        }
    }

    pub fn hint(&self) -> Option<String> {
        match self {
            Error::SyntaxAt { hint, .. } | Error::SyntaxAtEnd { hint, .. } | Error::Unsupported { hint, .. } => {
                hint.clone()
            }
            Error::Unterminated { what, .. } => Some(format!("Close the {}.", what.trim_start_matches("quoted "))),
            Error::InvalidEscape { .. } => Some("Escapes in E'' strings are \\\\, \\', \\n, \\t, \\uXXXX.".into()),
            Error::TooComplex { what: "operators in one chain", .. } => {
                Some("Write a long list of alternatives as column IN (...).".into())
            }
            Error::TooComplex { .. } => Some("Split the statement into simpler parts.".into()),
            Error::TooLarge { .. } => Some("Send the statement in smaller parts.".into()),
            Error::ManyStatements { .. } => Some("Send one statement at a time.".into()),
            Error::NotReading { .. } => Some("Only reading statements run here: SELECT, VALUES and TABLE.".into()),
            Error::Empty => Some("Write a SELECT.".into()),
            Error::InvalidLiteral { ty: "interval", .. } => {
                Some("Write an interval as '7 days', '1 hour 30 minutes', '01:30:00' or 'P1DT12H'.".into())
            }
            Error::InvalidLiteral { .. } | Error::UndefinedParameter { .. } => None,
        }
    }
}
