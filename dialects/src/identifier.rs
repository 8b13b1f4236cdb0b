use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, Keyword, RESERVED_FOR_IDENTIFIER};

/// The name that an identifier means: folded to lower case unless it was quoted. Only ASCII folds, as in a UTF-8
/// database of Postgres.
pub fn fold(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// An identifier that means exactly `name`, quoted where it has to be.
pub fn ident(name: impl Into<String>) -> Ident {
    let name = name.into();
    if is_plain(&name) { Ident::new(name) } else { Ident::with_quote('"', name) }
}

/// The folded parts of a dotted name; `None` where a part is no identifier.
pub fn name_parts(name: &ObjectName) -> Option<Vec<String>> {
    name.0.iter().map(|part| part.as_ident().map(fold)).collect()
}

/// The first identifier of a dotted name, for its position.
pub(crate) fn first_ident(name: &ObjectName) -> Option<&Ident> {
    name.0.first().and_then(ObjectNamePart::as_ident)
}

fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    starts && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') && !is_reserved(name)
}

fn is_reserved(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    match ALL_KEYWORDS.binary_search(&upper.as_str()) {
        Ok(index) => {
            let keyword = ALL_KEYWORDS_INDEX[index];
            RESERVED_FOR_IDENTIFIER.contains(&keyword) || RESERVED.contains(&keyword)
        }
        Err(_) => false,
    }
}

/// Words that Postgres reserves and that sqlparser would read as the start of a clause.
const RESERVED: &[Keyword] = &[
    Keyword::ALL,
    Keyword::AND,
    Keyword::ANY,
    Keyword::ARRAY,
    Keyword::AS,
    Keyword::ASC,
    Keyword::BOTH,
    Keyword::CASE,
    Keyword::CAST,
    Keyword::COLLATE,
    Keyword::CREATE,
    Keyword::CROSS,
    Keyword::CURRENT_DATE,
    Keyword::CURRENT_TIME,
    Keyword::CURRENT_TIMESTAMP,
    Keyword::CURRENT_USER,
    Keyword::DESC,
    Keyword::DISTINCT,
    Keyword::ELSE,
    Keyword::END,
    Keyword::EXCEPT,
    Keyword::EXISTS,
    Keyword::FALSE,
    Keyword::FETCH,
    Keyword::FOR,
    Keyword::FROM,
    Keyword::FULL,
    Keyword::GRANT,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::IN,
    Keyword::INNER,
    Keyword::INTERSECT,
    Keyword::INTERVAL,
    Keyword::INTO,
    Keyword::IS,
    Keyword::JOIN,
    Keyword::LATERAL,
    Keyword::LEADING,
    Keyword::LEFT,
    Keyword::LIKE,
    Keyword::LIMIT,
    Keyword::NATURAL,
    Keyword::NOT,
    Keyword::NULL,
    Keyword::OFFSET,
    Keyword::ON,
    Keyword::ONLY,
    Keyword::OR,
    Keyword::ORDER,
    Keyword::OUTER,
    Keyword::OVERLAPS,
    Keyword::POSITION,
    Keyword::RIGHT,
    Keyword::SELECT,
    Keyword::SESSION_USER,
    Keyword::SIMILAR,
    Keyword::SOME,
    Keyword::TABLE,
    Keyword::THEN,
    Keyword::TO,
    Keyword::TRAILING,
    Keyword::TRUE,
    Keyword::UNION,
    Keyword::UNIQUE,
    Keyword::USER,
    Keyword::USING,
    Keyword::VALUES,
    Keyword::WHEN,
    Keyword::WHERE,
    Keyword::WINDOW,
    Keyword::WITH,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_leaves_quoted_and_non_ascii_letters() {
        assert_eq!(fold(&Ident::new("EventName")), "eventname");
        assert_eq!(fold(&Ident::with_quote('"', "EventName")), "EventName");
        assert_eq!(fold(&Ident::new("ÄB")), "Äb");
    }

    #[test]
    fn names_are_quoted_only_where_they_must_be() {
        assert_eq!(ident("okta").to_string(), "okta");
        assert_eq!(ident("Okta").to_string(), "\"Okta\"");
        assert_eq!(ident("select").to_string(), "\"select\"");
        assert_eq!(ident("a\"b").to_string(), "\"a\"\"b\"");
    }
}
