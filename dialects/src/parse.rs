use std::borrow::Cow;
use std::sync::Once;

use sqlparser::ast::{Query, Statement};

use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::balance::balance;
use crate::canonical::Canonical;
use crate::complexity::measure;
use crate::lex::{is_blank, tokens};
use crate::rewrite::rewrite;
use crate::{Error, Position};

/// Bounds sqlparser's own recursion. Brackets are bounded before, so this only stops what has none (`NOT NOT NOT ...`).
const RECURSION_LIMIT: usize = 300;
/// Enough for the deepest text that `complexity` lets through, in a debug build.
const DEEP_STACK: usize = 256 << 20;

/// Reads one reading statement: SELECT, VALUES or TABLE, with or without WITH and brackets.
pub fn parse_query(text: &str) -> Result<Query, Error> {
    let tokens = significant_tokens(text)?;
    let command = command_of(&tokens)?;
    if !matches!(command.as_ref(), "SELECT" | "WITH" | "VALUES" | "TABLE") {
        return match is_command(&tokens) {
            true => Err(Error::NotReading { command: command.into_owned() }),
            false => Err(syntax_error_at(&tokens, 0, Some("A statement begins with SELECT, WITH, VALUES or TABLE."))),
        };
    }
    run(text, tokens, |parser| parser.parse_query().map(|query| *query))
}

/// Reads one statement of any kind that Postgres has.
pub fn parse_statement(text: &str) -> Result<Statement, Error> {
    let tokens = significant_tokens(text)?;
    command_of(&tokens)?;
    let nested = |token: &&TokenWithSpan| matches!(&token.token, Token::Word(word) if word.keyword == Keyword::EXPLAIN);
    if let Some(second) = tokens.iter().filter(nested).nth(1).filter(|_| nested(&&tokens[0])) {
        let index = tokens.iter().position(|token| token.span == second.span).unwrap_or(0);
        return Err(syntax_error_at(&tokens, index, None));
    }
    run(text, tokens, |parser| parser.parse_statement())
}

/// Without white space, comments and closing semicolons.
fn significant_tokens(text: &str) -> Result<Vec<TokenWithSpan>, Error> {
    let mut tokens = rewrite(tokens(text)?);
    while tokens.last().is_some_and(|last| last.token == Token::SemiColon) {
        tokens.pop();
    }
    debug_assert!(tokens.iter().all(|token| !is_blank(&token.token)));
    // sqlparser would read `1 .name` as a field of the number, and print it as another number.
    let field_of_number =
        |pair: &[TokenWithSpan]| matches!(pair[0].token, Token::Number(..)) && pair[1].token == Token::Period;
    if let Some(index) = tokens.windows(2).position(field_of_number) {
        return Err(syntax_error_at(&tokens, index + 1, None));
    }
    Ok(tokens)
}

fn run<T: sqlparser::ast::VisitMut>(
    text: &str,
    tokens: Vec<TokenWithSpan>,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Result<T, Error> {
    let complexity = measure(&tokens)?;
    widen_stack_margin();
    let work = || parse_tokens(text, tokens, parse);
    if complexity.is_deep() { stacker::grow(DEEP_STACK, work) } else { work() }
}

/// sqlparser and DataFusion look at the stack's rest in some functions only and take 128 KiB for enough until the next
/// look. In a debug build the functions between two looks need more.
fn widen_stack_margin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        recursive::set_minimum_stack_size(512 << 10);
        recursive::set_stack_allocation_size(8 << 20);
    });
}

fn parse_tokens<T: sqlparser::ast::VisitMut>(
    text: &str,
    tokens: Vec<TokenWithSpan>,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Result<T, Error> {
    let dialect = Canonical::for_tokens(tokens.len());
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION_LIMIT).with_tokens_with_locations(tokens.clone());
    let mut tree = parse(&mut parser).map_err(|error| explain(error, text, &tokens))?;
    let rest = parser.peek_token();
    if rest.token == Token::SemiColon {
        return Err(Error::ManyStatements { position: Position::of(rest.span).unwrap_or(1) });
    }
    if rest.token != Token::EOF {
        let index = tokens.iter().position(|token| token.span == rest.span).unwrap_or(0);
        return Err(syntax_error_at(&tokens, index, None));
    }
    balance(&mut tree);
    Ok(tree)
}

/// The word that the statement begins with, upper case, behind opening brackets.
fn command_of(tokens: &[TokenWithSpan]) -> Result<Cow<'static, str>, Error> {
    let first = tokens.iter().find(|token| token.token != Token::LParen).ok_or(Error::Empty)?;
    match &first.token {
        Token::Word(word) if word.quote_style.is_none() => Ok(match word.value.to_ascii_uppercase().as_str() {
            "SELECT" => "SELECT".into(),
            other => command_with_object(other, tokens),
        }),
        _ => Ok("".into()),
    }
}

/// `DROP TABLE`, `CREATE INDEX`: as Postgres names the command.
fn command_with_object(command: &str, tokens: &[TokenWithSpan]) -> Cow<'static, str> {
    let has_object = matches!(command, "CREATE" | "DROP" | "ALTER" | "REFRESH");
    let object = tokens.get(1).and_then(|token| match &token.token {
        Token::Word(word) if has_object && word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
        _ => None,
    });
    match object {
        Some(object) => format!("{command} {object}").into(),
        None => command.to_owned().into(),
    }
}

/// Whether the statement begins with a command that Postgres has and that does more than read.
fn is_command(tokens: &[TokenWithSpan]) -> bool {
    const COMMANDS: &[&str] = &[
        "ALTER",
        "ANALYZE",
        "CALL",
        "CHECKPOINT",
        "CLUSTER",
        "COMMENT",
        "COPY",
        "CREATE",
        "DELETE",
        "DO",
        "DROP",
        "GRANT",
        "IMPORT",
        "INSERT",
        "LOAD",
        "LOCK",
        "MERGE",
        "NOTIFY",
        "REASSIGN",
        "REFRESH",
        "REINDEX",
        "REVOKE",
        "SECURITY",
        "TRUNCATE",
        "UPDATE",
        "VACUUM",
        "UNLOAD",
        "USE",
        "ATTACH",
        "DETACH",
        "INSTALL",
        "PRAGMA",
        "EXPORT",
    ];
    tokens.first().is_some_and(|token| match &token.token {
        Token::Word(word) => {
            word.quote_style.is_none() && COMMANDS.iter().any(|command| command.eq_ignore_ascii_case(&word.value))
        }
        _ => false,
    })
}

fn explain(error: ParserError, text: &str, tokens: &[TokenWithSpan]) -> Error {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return Error::TooComplex {
                what: "expressions within expressions",
                limit: RECURSION_LIMIT,
                position: None,
            };
        }
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
    };
    let (reason, location) = split_location(&message);
    let hint = hint_of(reason);
    let Some(position) = location.and_then(|location| u32::try_from(location.column).ok()) else {
        let position = u32::try_from(text.chars().count() + 1).unwrap_or(u32::MAX);
        return Error::SyntaxAtEnd { position, hint };
    };
    match tokens.iter().position(|token| Position::of(token.span) == Some(position)) {
        Some(index) => syntax_error_at(tokens, index, hint.as_deref()),
        None => Error::SyntaxAtEnd { position, hint },
    }
}

fn syntax_error_at(tokens: &[TokenWithSpan], index: usize, hint: Option<&str>) -> Error {
    let Some(token) = tokens.get(index) else {
        return Error::SyntaxAtEnd { position: 1, hint: hint.map(str::to_owned) };
    };
    Error::SyntaxAt {
        token: token.token.to_string(),
        position: Position::of(token.span).unwrap_or(1),
        hint: hint.map(str::to_owned).or_else(|| known_mistake(tokens, index)),
    }
}

/// What people who come from another database write at this place.
fn known_mistake(tokens: &[TokenWithSpan], index: usize) -> Option<String> {
    let token = &tokens.get(index)?.token;
    let word = match token {
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let hint = match (token, word) {
        (_, Keyword::TOP) => "Write LIMIT at the end of the statement in place of TOP.",
        (_, Keyword::QUALIFY) => "Filter on the window function in an outer SELECT.",
        (Token::RParen, _) => "There is a closing bracket too many, or something is missing before it.",
        (Token::Comma, _) => "Something is missing before the comma, or the comma is one too many.",
        (Token::Char('`'), _) => "Names are quoted with \"double quotes\".",
        (Token::CustomBinaryOperator(operator), _) if operator.contains('`') => {
            "Names are quoted with \"double quotes\"."
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Takes ` at Line: 1, Column: 5` off the end of sqlparser's message.
fn split_location(message: &str) -> (&str, Option<Location>) {
    let Some((reason, place)) = message.rsplit_once(" at Line: ") else { return (message, None) };
    let location = place
        .split_once(", Column: ")
        .and_then(|(line, column)| Some(Location { line: line.parse().ok()?, column: column.trim().parse().ok()? }));
    (reason, location.filter(|location| location.line > 0))
}

/// What the parser waited for, as a sentence.
fn hint_of(reason: &str) -> Option<String> {
    let expected = reason.strip_prefix("Expected: ")?.split(", found: ").next()?;
    let plain =
        !expected.is_empty() && expected.len() < 100 && !expected.contains("::") && expected != "end of statement";
    plain.then(|| format!("Expected {expected} here."))
}

#[cfg(test)]
mod tests {
    use sqlparser::ast::{Expr, SetExpr};

    use super::*;

    #[test]
    fn is_distinct_from_binds_tighter_than_and() {
        for sql in ["select 1 where a is distinct from 'x' and b", "select 1 where a is not distinct from 'x' or b"] {
            let query = parse_query(sql).unwrap();
            let SetExpr::Select(select) = *query.body else { panic!("{sql}") };
            assert!(matches!(select.selection, Some(Expr::BinaryOp { .. })), "{sql}");
        }
    }

    #[test]
    fn other_commands_are_named() {
        for (sql, command) in [("drop table x", "DROP TABLE"), ("delete from x", "DELETE"), ("COPY x TO 'y'", "COPY")] {
            assert_eq!(parse_query(sql), Err(Error::NotReading { command: command.to_owned() }));
        }
        assert_eq!(parse_query("select 1; select 2"), Err(Error::ManyStatements { position: 9 }));
        assert_eq!(parse_query(" -- nothing"), Err(Error::Empty));
    }
}
