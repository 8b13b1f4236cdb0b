//! What bounds a statement: cancellation, work, nesting.

use mantissa_core::{ErrorKind, PgType, Problem};
use mantissa_pg_catalog::{Context, Datum, Relation, Relations, Session, Shape, Source, bind};
use tokio_util::sync::CancellationToken;

struct Nothing;

impl Relations for Nothing {
    fn lookup(&self, _: Option<&str>, name: &str, _: &[String]) -> Option<Source> {
        let shape = Shape::new(1, "pg_catalog", "numbers", &[("n", PgType::INT4)]);
        let rows = (0..3000).map(|n| [Datum::Int4(n)].into()).collect();
        (name == "numbers").then(|| Source::Rows(Relation::new(shape, rows).into()))
    }
}

impl Session for Nothing {
    fn pid(&self) -> i32 {
        1
    }

    fn database(&self) -> &str {
        "lake"
    }

    fn user(&self) -> &str {
        "ann"
    }

    fn is_superuser(&self) -> bool {
        false
    }

    fn search_path(&self) -> &[String] {
        &[]
    }

    fn setting(&self, _: &str) -> Option<String> {
        None
    }

    fn set(&self, _: &str, value: Option<&str>, _: bool) -> Result<String, Problem> {
        Ok(value.unwrap_or_default().to_owned())
    }

    fn cancel_backend(&self, _: i32) -> Result<bool, Problem> {
        Ok(false)
    }

    fn terminate_backend(&self, _: i32) -> Result<bool, Problem> {
        Ok(false)
    }
}

fn run(sql: &str, cancel: &CancellationToken) -> Result<usize, Problem> {
    let query = dialects::parse_query(sql).expect("a query");
    let context = Context::new(&Nothing, &Nothing, 0, cancel, &[]);
    let plan = bind(&context, &query, &[])?;
    Ok(plan.run(&context)?.len())
}

fn kind(sql: &str) -> Option<ErrorKind> {
    run(sql, &CancellationToken::new()).err().map(|problem| problem.kind)
}

#[test]
fn a_cancelled_statement_stops() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let problem = run("SELECT count(*) FROM numbers a, numbers b", &cancel).expect_err("cancelled");
    assert_eq!(problem.kind, ErrorKind::QueryCanceled);
}

#[test]
fn a_join_of_everything_with_everything_is_ended() {
    let sql = "SELECT 1 FROM generate_series(1, 100000) a, generate_series(1, 100000) b WHERE a + b = 0";
    assert_eq!(kind(sql), Some(ErrorKind::ProgramLimitExceeded));
}

#[test]
fn endless_recursion_is_ended() {
    let sql = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT n FROM t";
    assert_eq!(kind(sql), Some(ErrorKind::ProgramLimitExceeded));
}

#[test]
fn equal_columns_are_joined_without_looking_at_every_pair() {
    let sql = "SELECT 1 FROM numbers a, numbers b, numbers c, numbers d WHERE a.n = b.n AND b.n = c.n AND c.n = d.n";
    assert_eq!(run(sql, &CancellationToken::new()).expect("rows"), 3000);
}

#[test]
fn long_chains_do_not_overflow_the_stack() {
    let chain = |part: &str, glue: &str, count: usize| vec![part; count].join(glue);
    let ors = format!("SELECT {}", chain("1 = 2", " OR ", 90));
    let texts = format!("SELECT {}", chain("'a'", " || ", 190));
    let items = format!("SELECT 1 IN ({})", chain("2", ", ", 900));
    for sql in [ors, texts, items] {
        assert_eq!(run(&sql, &CancellationToken::new()).expect("a row"), 1);
    }
}

#[test]
fn errors_say_where() {
    let problem = run("SELECT n, nope FROM numbers", &CancellationToken::new()).expect_err("no such column");
    assert_eq!((problem.kind, problem.position), (ErrorKind::UndefinedColumn, Some(11)));
    assert_eq!(problem.message, "column \"nope\" does not exist");
    let problem = run("SELECT 1 + nope(2)", &CancellationToken::new()).expect_err("no such function");
    assert_eq!((problem.kind, problem.position), (ErrorKind::UndefinedFunction, Some(12)));
    assert_eq!(problem.message, "function nope(integer) does not exist");
    let problem = run("SELECT true + 1", &CancellationToken::new()).expect_err("no such operator");
    assert_eq!(problem.message, "operator does not exist: boolean + integer");
    assert_eq!(problem.position, Some(13));
}

#[test]
fn parameters_take_their_types_from_where_they_stand() {
    let describe = |sql: &str, hints: &[PgType]| {
        let query = dialects::parse_query(sql).expect("a query");
        let cancel = CancellationToken::new();
        bind(&Context::new(&Nothing, &Nothing, 0, &cancel, &[]), &query, hints).expect("a plan").parameters
    };
    assert_eq!(describe("SELECT n FROM numbers WHERE n = $1 LIMIT $2", &[]), [PgType::INT4, PgType::INT8]);
    assert_eq!(describe("SELECT n FROM numbers WHERE n = ANY($1)", &[]), [PgType(1007)]);
    assert_eq!(describe("SELECT $1, $2::date", &[]), [PgType::TEXT, PgType::DATE]);
    assert_eq!(describe("SELECT $1", &[PgType::INT4]), [PgType::INT4]);
    assert_eq!(describe("SELECT lower($1), $2 LIKE 'a'", &[]), [PgType::TEXT, PgType::TEXT]);
}
