//! Random texts never panic, and what is read and printed is read again to the same tree.

use proptest::prelude::*;

const WORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "okta",
    "o",
    "action",
    "time",
    ",",
    "(",
    ")",
    "*",
    "=",
    "<>",
    "~",
    "->>",
    "->",
    "::",
    "text",
    "inet",
    "and",
    "or",
    "not",
    "in",
    "any",
    "array",
    "[",
    "]",
    "'a'",
    "'%x_'",
    "E'\\n'",
    "$$d$$",
    "\"Q\"",
    "1",
    "2.5",
    "-",
    "+",
    "||",
    "interval",
    "'7 days'",
    "union",
    "all",
    "values",
    "with",
    "x",
    "as",
    "recursive",
    "group",
    "by",
    "order",
    "desc",
    "limit",
    "offset",
    "case",
    "when",
    "then",
    "else",
    "end",
    "null",
    "is",
    "distinct",
    "on",
    "join",
    "left",
    "using",
    "lateral",
    "exists",
    "between",
    "like",
    "similar",
    "to",
    "escape",
    "over",
    "partition",
    "filter",
    "now",
    "count",
    "extract",
    "hour",
    ";",
    "--",
    "/*",
    "*/",
    "table",
    "$1",
    "collate",
    "operator",
    "pg_catalog",
    ".",
    "^",
    "@",
    "ß",
    "generate_series",
    "%",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS), 0..40).prop_map(|words| words.join(" "))
}

fn exercise(text: &str) -> Result<(), TestCaseError> {
    let Ok(fragments) = dialects::split(text) else { return Ok(()) };
    for fragment in fragments {
        let _ = dialects::parse_statement(fragment.text);
        let Ok(mut query) = dialects::parse_query(fragment.text) else { continue };
        dialects::relations(&query);
        dialects::freeze_now(&mut query, dialects::Instant(0));
        for dialect in dialects::DIALECTS {
            let _ = dialect.render(&query);
        }
        let printed = dialects::DIALECTS[0].render(&query).map_err(|error| TestCaseError::fail(error.to_string()))?.sql;
        if let Ok(again) = dialects::parse_query(&printed) {
            let second =
                dialects::DIALECTS[0].render(&again).map_err(|error| TestCaseError::fail(error.to_string()))?.sql;
            prop_assert_eq!(printed, second);
        }
    }
    Ok(())
}

#[test]
fn a_number_has_no_fields() {
    for text in ["select 1 .name", "select text * 1 . from okta"] {
        let error = dialects::parse_query(text).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("syntax error at or near \".\""), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn token_soup_never_panics(text in soup()) {
        exercise(&text)?;
    }

    #[test]
    fn selects_of_soup_never_panic(text in soup()) {
        exercise(&format!("select {text} from okta"))?;
        exercise(&format!("select * from okta where {text}"))?;
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,60}") {
        exercise(&text)?;
    }
}
