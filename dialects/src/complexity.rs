//! Bounds on how deep a syntax tree can get, checked on its tokens: a tree that is too deep must never be built, because
//! cloning, printing and even dropping it recurse.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::{Error, Position};

/// Open brackets and CASEs at any one place.
const MAX_BRACKETS: usize = 60;
/// Brackets that open a subquery, at any one place.
const MAX_SUBQUERIES: usize = 24;
/// ANDs and ORs of one bracket; their tree is balanced after parsing, so they may be many.
const MAX_LOGICAL: usize = 20_000;
/// Other operators that may nest to one side within one item of a list (`a || b || c`).
const MAX_CHAIN: usize = 200;
/// UNIONs, INTERSECTs and EXCEPTs of one bracket.
const MAX_SET_OPERATIONS: usize = 100;

/// How deep the parser will go; decides the stack that it gets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Complexity {
    pub brackets: usize,
    pub longest_chain: usize,
}

impl Complexity {
    pub(crate) fn is_deep(&self) -> bool {
        self.brackets > 12 || self.longest_chain > 60
    }
}

/// What is open at one place.
#[derive(Default)]
struct Level {
    is_case: bool,
    is_subquery: bool,
    chain: usize,
    logical: usize,
    set_operations: usize,
}

/// Takes tokens without white space.
pub(crate) fn measure(tokens: &[TokenWithSpan]) -> Result<Complexity, Error> {
    let mut levels = vec![Level::default()];
    let mut subqueries = 0;
    let mut complexity = Complexity::default();
    for (index, token) in tokens.iter().enumerate() {
        let too_complex = |what, limit| Error::TooComplex { what, limit, position: Position::of(token.span) };
        match classify(&token.token) {
            Kind::Open => {
                let next = tokens.get(index + 1).map(|next| &next.token);
                let is_subquery = next.is_some_and(opens_subquery);
                if token.token == Token::LBracket {
                    count(&mut levels, Kind::Operator);
                }
                subqueries += usize::from(is_subquery);
                levels.push(Level { is_subquery, ..Level::default() });
            }
            Kind::Case => levels.push(Level { is_case: true, ..Level::default() }),
            Kind::Close => {
                while levels.len() > 1 && levels.last().is_some_and(|level| level.is_case) {
                    levels.pop();
                }
                if levels.len() > 1 {
                    subqueries -= usize::from(levels.pop().is_some_and(|level| level.is_subquery));
                }
            }
            Kind::End => {
                if levels.len() > 1 && levels.last().is_some_and(|level| level.is_case) {
                    levels.pop();
                }
            }
            Kind::Other if is_long_name(&tokens[..=index]) => count(&mut levels, Kind::Operator),
            kind => count(&mut levels, kind),
        }
        let Some(level) = levels.last() else { continue };
        if levels.len() - 1 > MAX_BRACKETS {
            return Err(too_complex("brackets within brackets", MAX_BRACKETS));
        }
        if subqueries > MAX_SUBQUERIES {
            return Err(too_complex("subqueries within subqueries", MAX_SUBQUERIES));
        }
        if level.chain > MAX_CHAIN {
            return Err(too_complex("operators in one chain", MAX_CHAIN));
        }
        if level.logical > MAX_LOGICAL {
            return Err(too_complex("operators in one chain", MAX_LOGICAL));
        }
        if level.set_operations > MAX_SET_OPERATIONS {
            return Err(too_complex("set operations in a row", MAX_SET_OPERATIONS));
        }
        complexity.brackets = complexity.brackets.max(levels.len() - 1);
        complexity.longest_chain = complexity.longest_chain.max(level.chain).max(level.logical);
    }
    Ok(complexity)
}

fn count(levels: &mut [Level], kind: Kind) {
    let Some(level) = levels.last_mut() else { return };
    match kind {
        Kind::Separator => level.chain = 0,
        Kind::Logical => {
            level.chain = 0;
            level.logical += 1;
        }
        Kind::Operator => level.chain += 1,
        Kind::SetOperation => {
            level.chain = 0;
            level.logical = 0;
            level.set_operations += 1;
        }
        Kind::Clause => {
            level.chain = 0;
            level.logical = 0;
        }
        Kind::Open | Kind::Close | Kind::Case | Kind::End | Kind::Other => {}
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Open,
    Close,
    Case,
    End,
    Separator,
    Logical,
    Operator,
    SetOperation,
    Clause,
    Other,
}

fn classify(token: &Token) -> Kind {
    match token {
        Token::LParen | Token::LBracket | Token::LBrace => Kind::Open,
        Token::RParen | Token::RBracket | Token::RBrace => Kind::Close,
        Token::Comma => Kind::Separator,
        Token::Word(word) => match word.keyword {
            _ if word.quote_style.is_some() => Kind::Other,
            Keyword::CASE => Kind::Case,
            Keyword::END => Kind::End,
            Keyword::AND | Keyword::OR => Kind::Logical,
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT => Kind::SetOperation,
            Keyword::SELECT | Keyword::FROM | Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::ORDER => {
                Kind::Clause
            }
            Keyword::ON | Keyword::WHEN | Keyword::THEN | Keyword::ELSE | Keyword::LIMIT | Keyword::OFFSET => {
                Kind::Clause
            }
            Keyword::NOT | Keyword::IS | Keyword::NOTNULL | Keyword::COLLATE | Keyword::AT => Kind::Operator,
            Keyword::LIKE | Keyword::ILIKE | Keyword::SIMILAR | Keyword::BETWEEN | Keyword::IN => Kind::Operator,
            Keyword::INTERVAL | Keyword::PRIOR | Keyword::OPERATOR | Keyword::XOR => Kind::Operator,
            _ => Kind::Other,
        },
        Token::Number(..) | Token::Period | Token::EOF | Token::SemiColon | Token::Placeholder(_) => Kind::Other,
        Token::SingleQuotedString(_) | Token::DollarQuotedString(_) | Token::EscapedStringLiteral(_) => Kind::Other,
        Token::NationalStringLiteral(_) | Token::UnicodeStringLiteral(_) | Token::HexStringLiteral(_) => Kind::Other,
        Token::Whitespace(_) => Kind::Other,
        _ => Kind::Operator,
    }
}

/// A dot of a name that has one before (`a.b.c`): such names may be as long as a text.
fn is_long_name(tokens: &[TokenWithSpan]) -> bool {
    let is_dot = |back: usize| {
        tokens.len().checked_sub(back).and_then(|index| tokens.get(index)).is_some_and(|t| t.token == Token::Period)
    };
    is_dot(1) && is_dot(3)
}

fn opens_subquery(token: &Token) -> bool {
    let Token::Word(word) = token else { return false };
    word.quote_style.is_none()
        && matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE)
}
