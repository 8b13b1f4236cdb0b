//! What Postgres reads and sqlparser does not, put into words that it does, token by token. Every token keeps the span of
//! the text it stands for, so positions stay true.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::lex::{has_newline, is_blank};

/// Drops white space and rewrites, in one pass each:
///
/// | Postgres | becomes |
/// |---|---|
/// | `OPERATOR(pg_catalog.~)` | `~` |
/// | `'a'` newline `'b'` | `'ab'` |
/// | `inet '10.0.0.0/8'` | `'10.0.0.0/8'::inet` |
/// | `TABLE t` | `SELECT * FROM t` |
pub(crate) fn rewrite(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let tokens = join_strings(tokens);
    let tokens = named_operators(tokens);
    let tokens = typed_strings(tokens);
    table_commands(tokens)
}

/// Two strings with a newline between them are one string. White space is dropped on the way.
fn join_strings(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut newline = false;
    for token in tokens {
        if is_blank(&token.token) {
            newline |= has_newline(&token.token);
            continue;
        }
        if newline
            && let Some(last) = kept.last_mut()
            && append(last, &token)
        {
            newline = false;
            continue;
        }
        newline = false;
        kept.push(token);
    }
    kept
}

fn append(last: &mut TokenWithSpan, next: &TokenWithSpan) -> bool {
    match (&mut last.token, &next.token) {
        (Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text), Token::SingleQuotedString(more)) => {
            text.push_str(more);
            last.span = Span { start: last.span.start, end: next.span.end };
            true
        }
        _ => false,
    }
}

/// `OPERATOR(schema.op)` is `op`: this catalog has no operators beside Postgres's own.
fn named_operators(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        match operator_call(&tokens[index..]) {
            Some((operator, length)) => {
                kept.push(TokenWithSpan { token: operator, span: token.span });
                index += length;
            }
            None => {
                kept.push(token.clone());
                index += 1;
            }
        }
    }
    kept
}

fn operator_call(tokens: &[TokenWithSpan]) -> Option<(Token, usize)> {
    let at = |index: usize| tokens.get(index).map(|token| &token.token);
    let is_operator_word =
        matches!(at(0)?, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case("operator"));
    if !is_operator_word || *at(1)? != Token::LParen {
        return None;
    }
    let mut index = 2;
    while matches!(at(index)?, Token::Word(_)) && *at(index + 1)? == Token::Period {
        index += 2;
    }
    let operator = at(index)?;
    let is_symbol = !matches!(operator, Token::Word(_) | Token::LParen | Token::RParen | Token::Comma);
    (is_symbol && *at(index + 1)? == Token::RParen).then(|| (operator.clone(), index + 2))
}

/// A literal of a type that sqlparser does not know before a string.
fn typed_strings(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    const TYPES: &[&str] = &["inet", "cidr", "macaddr", "regclass", "regtype", "name", "oid"];
    let mut index = 0;
    while index + 1 < tokens.len() {
        let names_type = match &tokens[index].token {
            Token::Word(word) => {
                word.quote_style.is_none() && TYPES.iter().any(|ty| word.value.eq_ignore_ascii_case(ty))
            }
            _ => false,
        };
        let follows_value = index > 0 && matches!(tokens[index - 1].token, Token::DoubleColon | Token::Period);
        if names_type && !follows_value && matches!(tokens[index + 1].token, Token::SingleQuotedString(_)) {
            tokens.swap(index, index + 1);
            let span = tokens[index + 1].span;
            tokens.insert(index + 1, TokenWithSpan { token: Token::DoubleColon, span });
            index += 2;
        }
        index += 1;
    }
    tokens
}

/// `TABLE t` where a query may begin: sqlparser keeps its name as plain text, without quotes and position.
fn table_commands(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        let begins_query = match kept.last().map(|last| &last.token) {
            None | Some(Token::LParen) => true,
            Some(Token::Word(word)) if word.quote_style.is_none() => {
                matches!(word.keyword, Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::ALL)
            }
            Some(_) => false,
        };
        let names_table = matches!(tokens.get(index + 1).map(|next| &next.token), Some(Token::Word(_)));
        if begins_query && names_table && is_keyword(&token.token, Keyword::TABLE) {
            let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
            kept.extend(words.map(|word| TokenWithSpan { token: word, span: token.span }));
        } else {
            kept.push(token.clone());
        }
    }
    kept
}

fn is_keyword(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword)
}
