//! Nothing that a client can write makes the stack overflow: each text is parsed, cloned, walked, printed, rendered in
//! every dialect and dropped on a thread with a stack of 2 MiB, as tokio's workers have.

#![allow(clippy::unwrap_used)]

use dialects::{Error, Instant};

fn on_a_small_stack(name: &str, sql: String) -> Result<(), Error> {
    let work = move || -> Result<(), Error> {
        let mut query = dialects::parse_query(&sql)?;
        let copy = query.clone();
        assert_eq!(copy, query);
        dialects::relations(&query);
        dialects::freeze_now(&mut query, Instant(0));
        dialects::bind_parameters(&mut query, &[])?;
        assert!(!query.to_string().is_empty());
        for dialect in dialects::DIALECTS {
            drop(dialect.render(&query));
        }
        Ok(())
    };
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(2 << 20).spawn(work).unwrap();
    thread.join().unwrap()
}

fn nested(levels: usize, open: &str, middle: &str, close: &str) -> String {
    format!("select {}{middle}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn shapes_within_the_limits_survive_everything() {
    let cases = [
        ("brackets", nested(60, "(", "1", ")")),
        ("functions", nested(60, "abs(", "1", ")")),
        ("cases", nested(60, "case when true then ", "1", " end")),
        ("subqueries", nested(24, "(select ", "1", ")")),
        ("derived tables", format!("{} select 1 {}", "select * from (".repeat(24), ") t".repeat(24))),
        ("bracketed queries", format!("{} select 1 {}", "(".repeat(24), ")".repeat(24))),
        ("exists", nested(24, "exists (select 1 from t where ", "true", ")")),
        ("mixed", nested(11, "(select case when (a = any(array[", "1", "])) then 1 end)")),
        ("conjunction", format!("select 1 where {} true", "a = 1 and ".repeat(19_000))),
        ("disjunction", format!("select 1 where {} true", "a = 1 or ".repeat(19_000))),
        ("alternating", format!("select 1 where {} true", "a = 1 and b = 2 or ".repeat(9_000))),
        ("concatenation", format!("select {} 'x'", "a || ".repeat(199))),
        ("not", format!("select {} true", "not ".repeat(150))),
        ("minus", format!("select {} 1", "- ".repeat(150))),
        ("casts", format!("select 1 {}", "::int".repeat(199))),
        ("is null", format!("select 1 {}", " is null".repeat(199))),
        ("subscripts", format!("select a {}", "[1]".repeat(199))),
        ("unions", format!("select 1 {}", " union all select 1".repeat(100))),
        (
            "bracketed derived",
            format!("select 1 from {} (select 1) t {}", "(".repeat(50), " join t on true)".repeat(50)),
        ),
        ("items", format!("select 1 {}", ", 1".repeat(100_000))),
        ("joins", format!("select 1 from t {}", " join t on true".repeat(300))),
        ("bracketed joins", format!("select 1 from {} t {}", "(".repeat(50), " join t on true)".repeat(50))),
    ];
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|(name, sql)| {
            on_a_small_stack(name, sql).err().map(|error| format!("{name}: {error} {:?}", error.detail()))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn shapes_beyond_the_limits_are_refused_by_name() {
    let cases = [
        ("brackets", nested(10_000, "(", "1", ")")),
        ("unclosed brackets", "select ".to_owned() + &"(".repeat(100_000)),
        ("functions", nested(10_000, "abs(", "1", ")")),
        ("cases", nested(10_000, "case when true then ", "1", " end")),
        ("subqueries", nested(10_000, "(select ", "1", ")")),
        ("derived tables", format!("{} select 1 {}", "select * from (".repeat(10_000), ") t".repeat(10_000))),
        ("bracketed queries", format!("{} select 1 {}", "(".repeat(10_000), ")".repeat(10_000))),
        ("arrays", nested(10_000, "array[", "1", "]")),
        ("disjunction", format!("select 1 where {} a", "a or ".repeat(1_000_000))),
        ("sum", format!("select {} 1", "1 + ".repeat(100_000))),
        ("not", format!("select {} true", "not ".repeat(100_000))),
        ("minus", format!("select {} 1", "- ".repeat(100_000))),
        ("casts", format!("select 1 {}", "::int".repeat(100_000))),
        ("array types", format!("select 1::int {}", "[]".repeat(100_000))),
        ("is null", format!("select 1 {}", " is null".repeat(100_000))),
        ("between", format!("select {} 1 {}", "1 between ".repeat(10_000), " and 1".repeat(10_000))),
        ("dots", format!("select a {}", ".a".repeat(100_000))),
        ("unions", format!("select 1 {}", " union all select 1".repeat(100_000))),
        ("bracketed joins", format!("select 1 from {} t {}", "(".repeat(10_000), " join t on true)".repeat(10_000))),
        ("intervals", format!("select {} '1'", "interval ".repeat(100_000))),
        ("lambdas", format!("select {} 1", "x -> ".repeat(100_000))),
        ("explain", format!("{} select 1", "explain ".repeat(100_000))),
        ("withs", format!("{} select 1 {}", "with a as (".repeat(10_000), ") select 1".repeat(10_000))),
    ];
    for (name, sql) in cases {
        let error = on_a_small_stack(name, sql).expect_err(name);
        assert!(matches!(error, Error::TooComplex { .. } | Error::SyntaxAt { .. }), "{name}: {error:?}");
    }
}

#[test]
fn statements_of_any_kind_are_bounded_too() {
    let sql = format!("{} select 1", "explain ".repeat(100_000));
    let work = move || dialects::parse_statement(&sql).map(drop);
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap();
    assert!(thread.join().unwrap().is_err());
}

#[test]
fn ten_megabytes_are_the_limit() {
    let error = dialects::split(&" ".repeat(10_000_001)).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.sqlstate()), ("statement is too large", "54000"));
}
