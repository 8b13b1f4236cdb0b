//! Text to tokens, each with its character position, through sqlparser's tokenizer.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, TokenizerError, Whitespace};

use crate::{Error, Position};

/// Longest text that is looked at, in bytes.
pub(crate) const MAX_BYTES: usize = 10_000_000;

pub(crate) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooLarge { limit: MAX_BYTES });
    }
    let position = Position::new(text);
    let mut tokens = Vec::new();
    let outcome = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location_into_buf(&mut tokens);
    outcome.map_err(|error| {
        // Some errors are reported at the end of the text; what is unterminated begins behind the last whole token.
        let begin = tokens.last().map_or(Location { line: 1, column: 1 }, |last: &TokenWithSpan| last.span.end);
        explain(&error, text, position.at(begin).unwrap_or(1))
    })?;
    for token in &mut tokens {
        token.span = position.flatten(token.span);
    }
    Ok(tokens)
}

pub(crate) fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

/// A comment that ends the line or spans lines separates two strings as a newline does.
pub(crate) fn has_newline(token: &Token) -> bool {
    match token {
        Token::Whitespace(Whitespace::Newline | Whitespace::SingleLineComment { .. }) => true,
        Token::Whitespace(Whitespace::MultiLineComment(comment)) => comment.contains('\n'),
        _ => false,
    }
}

fn explain(error: &TokenizerError, text: &str, at: u32) -> Error {
    let what = if error.message.contains("comment") {
        "/* comment"
    } else if error.message.contains("delimited identifier") || error.message.contains("close delimiter") {
        "quoted identifier"
    } else if error.message.contains("dollar") {
        "dollar-quoted string"
    } else if error.message.contains("nterminated") && error.message.contains("string") {
        "quoted string"
    } else if error.message.contains("nterminated encoded string") {
        return Error::InvalidEscape { position: at };
    } else {
        let token = near(text, at);
        return Error::SyntaxAt { token, position: at, hint: None };
    };
    Error::Unterminated { what, token: near(text, at), position: at }
}

/// What stands at a position, short enough for a message.
fn near(text: &str, position: u32) -> String {
    let rest = text.chars().skip(position.saturating_sub(1) as usize);
    rest.take_while(|character| *character != '\n').take(40).collect()
}
