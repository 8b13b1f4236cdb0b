//! How sqlparser reads canonical SQL: as Postgres, with a bound on the work.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast::Expr;
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};

const POSTGRES: PostgreSqlDialect = PostgreSqlDialect {};

/// The parser tries some alternatives one after the other and forgets what it read, so a short text can cost exponential
/// time. Every expression that it begins counts, and a text gets so many for each of its tokens.
const STEPS_PER_TOKEN: u64 = 200;
const STEPS_AT_LEAST: u64 = 20_000;

#[derive(Debug)]
pub(crate) struct Canonical {
    steps_left: Cell<u64>,
}

impl Canonical {
    pub(crate) fn for_tokens(count: usize) -> Self {
        Self { steps_left: Cell::new(STEPS_AT_LEAST.saturating_add(STEPS_PER_TOKEN.saturating_mul(count as u64))) }
    }

    /// The one error that the parser does not catch on its way to another alternative.
    fn step(&self) -> Result<(), ParserError> {
        match self.steps_left.get().checked_sub(1) {
            Some(left) => {
                self.steps_left.set(left);
                Ok(())
            }
            None => Err(ParserError::RecursionLimitExceeded),
        }
    }
}

macro_rules! as_postgres_does {
    ($($method:ident)*) => { $(fn $method(&self) -> bool { POSTGRES.$method() })* };
}

impl Dialect for Canonical {
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn parse_prefix(&self, _parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        self.step().err().map(Err)
    }

    /// The parser reads everything behind IS DISTINCT FROM as its right side, `AND` too.
    fn parse_infix(&self, parser: &mut Parser, left: &Expr, _precedence: u8) -> Option<Result<Expr, ParserError>> {
        const DISTINCT: &[Keyword] = &[Keyword::IS, Keyword::DISTINCT, Keyword::FROM];
        const NOT_DISTINCT: &[Keyword] = &[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM];
        let is_distinct = parser.parse_keywords(DISTINCT);
        if !is_distinct && !parser.parse_keywords(NOT_DISTINCT) {
            return None;
        }
        let left = Box::new(left.clone());
        let right = parser.parse_subexpr(POSTGRES.prec_value(Precedence::Is)).map(Box::new);
        Some(right.map(|right| match is_distinct {
            true => Expr::IsDistinctFrom(left, right),
            false => Expr::IsNotDistinctFrom(left, right),
        }))
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        POSTGRES.get_next_precedence(parser)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        POSTGRES.prec_value(precedence)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        POSTGRES.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        POSTGRES.is_delimited_identifier_start(character)
    }

    fn is_identifier_start(&self, character: char) -> bool {
        POSTGRES.is_identifier_start(character)
    }

    fn is_identifier_part(&self, character: char) -> bool {
        POSTGRES.is_identifier_part(character)
    }

    fn is_custom_operator_part(&self, character: char) -> bool {
        POSTGRES.is_custom_operator_part(character)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        POSTGRES.is_reserved_for_identifier(keyword)
    }

    as_postgres_does! {
        allow_extract_custom allow_extract_single_quotes supports_alter_column_type_using
        supports_array_typedef_with_brackets supports_bitwise_shift_operators supports_comma_separated_trim
        supports_comment_on supports_create_index_with_clause supports_create_table_like_parenthesized
        supports_empty_projections supports_explain_with_utility_options supports_factorial_operator
        supports_filter_during_aggregation supports_geometric_types supports_group_by_expr supports_insert_table_alias
        supports_interval_options supports_listen_notify supports_load_extension supports_nested_comments
        supports_notnull_operator supports_numeric_literal_underscores supports_select_wildcard_with_alias
        supports_set_names supports_string_escape_constant supports_unicode_string_literal supports_xml_expressions
    }
}
