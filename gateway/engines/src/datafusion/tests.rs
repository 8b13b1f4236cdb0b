//! The engine against PostgreSQL's answers.
//!
//! `tests/cases/*.slt` hold statements with the types and rows that PostgreSQL 15 gives over `tests/cases/rows/*.ndjson`.
//! With `MANTISSA_ORACLE` set to psql's connection arguments (`-h /tmp -p 54395 -U postgres`) the same statements run there
//! too and must agree with the files; with `MANTISSA_UPDATE=1` the files are rewritten from it. The evaluation set's gold
//! queries run over its fixture where the corpora are, and are compared with PostgreSQL row by row where an oracle is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, IntervalMonthDayNanoType};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use mantissa_core::{Field, Problem, Rows};
use mantissa_lake::{Lake, LakeOptions};
use tokio_util::sync::CancellationToken;

use super::engine::Kept;
use super::functions::printing;
use super::{Config, DataFusionEngine};

/// The evaluation set's frozen clock.
fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-18T15:42:00Z").unwrap().to_utc()
}

fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn corpora() -> Option<PathBuf> {
    let named = std::env::var_os("MANTISSA_CORPORA").map(PathBuf::from);
    let path = named.unwrap_or_else(|| manifest().join("../../../shared"));
    path.join("questions").is_dir().then_some(path)
}

/// A lake over files of rows, one a table, and the engine over it.
fn engine_over(rows: &Path) -> (tempfile::TempDir, DataFusionEngine) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::create(folder.path(), LakeOptions::default()).unwrap();
    for entry in std::fs::read_dir(rows).unwrap() {
        let path = entry.unwrap().path();
        let table = path.file_name().unwrap().to_string_lossy().split('.').next().unwrap().to_owned();
        lake.ingest_rows(&table, &[path.display().to_string()], &mut |_| ()).unwrap();
    }
    let config = Config { threads: 2, ..Config::default() };
    (folder, DataFusionEngine::new(Arc::new(lake), &config).unwrap())
}

async fn run(engine: &DataFusionEngine, sql: &str) -> Result<(Vec<Field>, Vec<Vec<String>>), Problem> {
    let mut query =
        dialects::parse_query(sql).map_err(|e| Problem::new(mantissa_core::ErrorKind::SyntaxError, e.to_string()))?;
    dialects::freeze_now(&mut query, dialects::Instant(now().timestamp_micros()));
    let dialect = dialects::dialect("datafusion").unwrap();
    let rendering = dialect
        .render(&query)
        .map_err(|e| Problem::new(mantissa_core::ErrorKind::FeatureNotSupported, e.to_string()))?;
    let rows = engine.execute_tree(&rendering.tree, None, &[], now(), &CancellationToken::new()).await?;
    print(rows).await
}

async fn print(rows: Rows) -> Result<(Vec<Field>, Vec<Vec<String>>), Problem> {
    let fields = rows.fields.to_vec();
    let mut printed = Vec::new();
    let batches: Vec<_> = rows.batches.try_collect().await?;
    for batch in batches {
        for row in 0..batch.num_rows() {
            printed.push(batch.columns().iter().map(|column| cell(column, row)).collect());
        }
    }
    Ok((fields, printed))
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    match column.data_type() {
        DataType::Boolean => {
            if column.as_boolean().value(row) {
                "t".to_owned()
            } else {
                "f".to_owned()
            }
        }
        DataType::Float64 => printing::float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => printing::real(column.as_primitive::<Float32Type>().value(row)),
        DataType::Timestamp(_, zone) => {
            let micros = arrow::compute::cast(column, &super::types::timestamp()).unwrap();
            let micros = micros.as_primitive::<arrow::datatypes::TimestampMicrosecondType>().value(row);
            format!("{}{}", printing::timestamp(micros), if zone.is_some() { "+00" } else { "" })
        }
        DataType::Time64(_) => {
            printing::time(column.as_primitive::<arrow::datatypes::Time64MicrosecondType>().value(row))
        }
        DataType::Interval(_) => printing::interval(column.as_primitive::<IntervalMonthDayNanoType>().value(row)),
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row);
            format!("\\x{}", bytes.iter().map(|b| format!("{b:02x}")).collect::<String>())
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items: Vec<String> = (0..items.len())
                .map(|index| match cell(&items, index) {
                    item if item == "NULL" => item,
                    item => printing::array_item(&item),
                })
                .collect();
            format!("{{{}}}", items.join(","))
        }
        _ => arrow::util::display::array_value_to_string(column, row).unwrap(),
    }
}

/// One statement of a case file.
struct Case {
    line: usize,
    sql: String,
    /// SQLSTATE, where an error is expected.
    error: Option<String>,
    sorted: bool,
    expected: Vec<String>,
}

fn read_cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let mut words = line.split_whitespace();
        let (kind, argument) = (words.next(), words.next());
        let error = match kind {
            Some("query") => None,
            Some("error") => argument.map(str::to_owned),
            _ => continue,
        };
        let mut sql = Vec::new();
        let mut expected = Vec::new();
        let mut after_rule = false;
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
            match line {
                "----" => after_rule = true,
                line if after_rule => expected.push(line.to_owned()),
                line => sql.push(line.to_owned()),
            }
        }
        let sorted = argument == Some("rowsort");
        cases.push(Case { line: number + 1, sql: sql.join("\n"), error, sorted, expected });
    }
    cases
}

fn lines_of(types: &[String], mut rows: Vec<String>, sorted: bool) -> Vec<String> {
    if sorted {
        rows.sort();
    }
    std::iter::once(types.join("\t")).chain(rows).collect()
}

async fn answer(engine: &DataFusionEngine, case: &Case) -> Result<Vec<String>, Problem> {
    let (fields, rows) = run(engine, &case.sql).await?;
    let types: Vec<String> = fields.iter().map(|field| format!("{}:{}", field.name, field.ty.name())).collect();
    Ok(lines_of(&types, rows.into_iter().map(|row| row.join("\t")).collect(), case.sorted))
}

/// PostgreSQL, asked through psql.
struct Oracle {
    arguments: Vec<String>,
}

impl Oracle {
    fn find() -> Option<Self> {
        let arguments = std::env::var("MANTISSA_ORACLE").ok()?;
        Some(Self { arguments: arguments.split_whitespace().map(str::to_owned).collect() })
    }

    fn psql(&self, database: &str, input: &str) -> (String, String) {
        use std::io::Write;
        use std::process::{Command, Stdio};
        let mut child = Command::new("psql")
            .args(&self.arguments)
            .args(["-d", database, "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=NULL"])
            .args(["-v", "VERBOSITY=sqlstate"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn ask(&self, database: &str, sql: &str, sorted: bool) -> Result<Vec<String>, String> {
        const SET_UP: &str = "set search_path = clock, logs, pg_catalog; set timezone = 'UTC';\n";
        let (described, _) = self.psql(database, &format!("{SET_UP}{sql}\n\\gdesc\n"));
        let types = described.lines().filter_map(|line| {
            let (name, ty) = line.split_once('\t')?;
            let ty = ty.trim_start_matches("pg_catalog.");
            let base = ty.split('(').next().unwrap_or(ty).to_owned() + ty.split_once(')').map_or("", |(_, rest)| rest);
            let ty = mantissa_core::PgType::by_name(&base).map_or(ty.to_owned(), |ty| ty.name());
            Some(format!("{name}:{ty}"))
        });
        let types: Vec<String> = types.collect();
        let (rows, problems) = self.psql(database, &format!("{SET_UP}{sql};\n"));
        match problems.trim() {
            "" => Ok(lines_of(&types, rows.lines().map(str::to_owned).collect(), sorted)),
            problem => Err(problem.rsplit(' ').next().unwrap_or(problem).to_owned()),
        }
    }

    /// Makes a database that holds the rows.
    fn load(&self, database: &str, rows: &Path, corpora: &Path) {
        self.psql("postgres", &format!("drop database if exists {database};\ncreate database {database};\n"));
        let schema = std::fs::read_to_string(corpora.join("questions/fixture/schema.sql")).unwrap();
        self.psql(database, &schema);
        for entry in std::fs::read_dir(rows).unwrap() {
            let path = entry.unwrap().path();
            let table = path.file_name().unwrap().to_string_lossy().split('.').next().unwrap().to_owned();
            let lines = std::fs::read_to_string(&path).unwrap();
            let insert = |line: &str| {
                let quoted = line.replace('\'', "''");
                format!("insert into logs.{table} select (json_populate_record(null::logs.{table}, '{quoted}')).*;\n")
            };
            // The rows hold `raw` as text, the table as json.
            let as_json =
                format!("update logs.{table} set raw = (raw #>> '{{}}')::json where json_typeof(raw) = 'string';\n");
            self.psql(database, &(lines.lines().map(insert).collect::<String>() + &as_json));
        }
    }
}

static CASES: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let mut files: Vec<PathBuf> = std::fs::read_dir(manifest().join("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    files
});

#[tokio::test]
async fn statements_give_what_postgres_gives() {
    let rows = manifest().join("tests/cases/rows");
    if let (Some(oracle), Some(corpora)) = (Oracle::find(), corpora()) {
        oracle.load("cases", &rows, &corpora);
        for path in CASES.iter() {
            check_oracle(&oracle, path);
        }
    }
    let (_folder, engine) = engine_over(&rows);
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in CASES.iter() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for case in read_cases(&std::fs::read_to_string(path).unwrap()) {
            count += 1;
            let at = format!("{name}:{}: {}", case.line, case.sql);
            match (answer(&engine, &case).await, &case.error) {
                (Ok(lines), None) if lines == case.expected => {}
                (Ok(lines), None) => {
                    wrong.push(format!("{at}\n  expected {:?}\n  got      {lines:?}", case.expected));
                }
                (Ok(lines), Some(state)) => wrong.push(format!("{at}\n  expected error {state}, got {lines:?}")),
                (Err(problem), Some(state)) if problem.kind.sqlstate() == state => {}
                (Err(problem), _) => wrong.push(format!("{at}\n  {} {problem:?}", problem.kind.sqlstate())),
            }
        }
    }
    assert!(count > 0);
    assert!(wrong.is_empty(), "{} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// The file must say what PostgreSQL says, or is made to.
fn check_oracle(oracle: &Oracle, path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    let mut rewritten = String::new();
    for block in text.split("\n\n") {
        let Some(case) = read_cases(block).pop() else {
            rewritten.push_str(&format!("{}\n\n", block.trim_end()));
            continue;
        };
        let answer = oracle.ask("cases", &case.sql, case.sorted);
        let sort = if case.sorted { " rowsort" } else { "" };
        let block = match &answer {
            Ok(lines) => format!("query{sort}\n{}\n----\n{}\n\n", case.sql, lines.join("\n")),
            Err(state) => format!("error {state}\n{}\n\n", case.sql),
        };
        let agrees = match (&answer, &case.error) {
            (Ok(lines), None) => *lines == case.expected,
            (Err(state), Some(expected)) => state == expected,
            _ => false,
        };
        if !agrees {
            wrong.push(format!("{}: {answer:?}", case.sql));
        }
        rewritten.push_str(&block);
    }
    if std::env::var_os("MANTISSA_UPDATE").is_some() {
        std::fs::write(path, format!("{}\n", rewritten.trim_end())).unwrap();
    } else {
        assert!(wrong.is_empty(), "{}: PostgreSQL says otherwise\n{}", path.display(), wrong.join("\n"));
    }
}

#[tokio::test]
async fn gold_queries_give_what_postgres_gives() {
    let Some(corpora) = corpora() else {
        eprintln!("skipped: the evaluation set is not there (MANTISSA_CORPORA)");
        return;
    };
    let questions = std::fs::read_to_string(corpora.join("questions/questions_open.jsonl")).unwrap();
    let expected = std::fs::read_to_string(corpora.join("questions/fixture/expected_open.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
    let (_folder, engine) = engine_over(&corpora.join("questions/fixture/rows"));
    let oracle = Oracle::find();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in questions.lines() {
        let question: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = question["id"].as_str().unwrap();
        let gold = question["gold_sql"].as_str().map(|sql| (sql, true));
        let others = question["alternatives"].as_array().into_iter().flatten().filter_map(|sql| sql.as_str());
        for (sql, is_gold) in gold.into_iter().chain(others.map(|sql| (sql, false))) {
            count += 1;
            let case = Case { line: 0, sql: sql.to_owned(), error: None, sorted: true, expected: Vec::new() };
            let lines = match answer(&engine, &case).await {
                Ok(lines) => lines,
                Err(problem) => {
                    wrong.push(format!("{id}: {sql}\n  {problem:?}"));
                    continue;
                }
            };
            let rows = expected[id]["rows"].as_u64().unwrap_or_default();
            if is_gold && lines.len() as u64 - 1 != rows {
                wrong.push(format!("{id}: {sql}\n  {} rows, not {rows}", lines.len() - 1));
            }
            if let Some(oracle) = &oracle {
                let theirs = oracle.ask("postgres", sql, true).unwrap();
                if theirs != lines {
                    let first = theirs.iter().zip(&lines).find(|(theirs, ours)| theirs != ours);
                    wrong.push(format!("{id}: {sql}\n  first difference {first:?}"));
                }
            }
        }
    }
    assert!(count > 200);
    assert!(wrong.is_empty(), "{} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_cancelled_statement_stops_at_once() {
    let (_folder, engine) = engine_over(&manifest().join("tests/cases/rows"));
    let sql = "select count(*) from generate_series(1, 1000000) a(x), generate_series(1, 1000000) b(y) where x <> y";
    let query = dialects::parse_query(sql).unwrap();
    let cancel = CancellationToken::new();
    let rows = engine.execute_tree(&query, None, &[], now(), &cancel).await.unwrap();
    let mut batches = rows.batches;
    let wait = tokio::spawn(async move { batches.try_next().await });
    tokio::task::yield_now().await;
    let started = std::time::Instant::now();
    cancel.cancel();
    let problem = wait.await.unwrap().unwrap_err();
    assert_eq!(problem.kind, mantissa_core::ErrorKind::QueryCanceled);
    // The engine takes the next statement: its threads are free again.
    let (_, rows) = run(&engine, "select 1").await.unwrap();
    assert_eq!(rows, [["1"]]);
    assert!(started.elapsed() < std::time::Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_hog_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::create(folder.path(), LakeOptions::default()).unwrap();
    let config = Config { threads: 2, memory_limit: 4 << 20, spill_limit: 1 << 20, ..Config::default() };
    let engine = DataFusionEngine::new(Arc::new(lake), &config).unwrap();
    let hog = "select x, count(*) from generate_series(1, 3000000) a(x) group by x order by 2, 1";
    let problem = run(&engine, hog).await.unwrap_err();
    assert_eq!(problem.kind, mantissa_core::ErrorKind::OutOfMemory, "{problem:?}");
    assert_eq!(run(&engine, "select 2").await.unwrap().1, [["2"]]);
}

#[tokio::test]
async fn statements_are_described_without_running() {
    let (_folder, engine) = engine_over(&manifest().join("tests/cases/rows"));
    let engine = engine.with_origins(Arc::new(|table, column| {
        let attnum = i16::try_from(column).ok()? + 1;
        (table.name == "okta").then_some(mantissa_core::Origin { table_oid: 7, attnum })
    }));
    let sql = "select event_id, count(*) as n from okta where time >= $1 and severity = $2 and action = $3 \
               group by 1 having count(*) > $4::int limit $5";
    let query = dialects::parse_query(sql).unwrap();
    let rendering = dialects::dialect("datafusion").unwrap().render(&query).unwrap();
    let description = engine.describe_tree(&rendering.tree, &[], &[], now()).await.unwrap();
    let types: Vec<String> = description.parameters.iter().map(|ty| ty.name()).collect();
    assert_eq!(types, ["timestamptz", "int2", "text", "int4", "int8"]);
    let fields: Vec<_> = description.fields.iter().map(|field| (field.name.as_str(), field.ty.name())).collect();
    assert_eq!(fields, [("event_id", "text".to_owned()), ("n", "int8".to_owned())]);
    let plain = dialects::parse_query("select time, o.event_id from okta o").unwrap();
    let description = engine.describe_tree(&plain, &[], &[], now()).await.unwrap();
    let attnums: Vec<_> = description.fields.iter().map(|field| field.origin.map(|origin| origin.attnum)).collect();
    assert_eq!(attnums, [Some(1), Some(2)]);
}

#[tokio::test]
async fn errors_say_where_and_what_was_meant() {
    let (_folder, engine) = engine_over(&manifest().join("tests/cases/rows"));
    let cases = [
        ("select evnt_id from okta", "column \"evnt_id\" does not exist", Some(8), Some("event_id")),
        ("select 1 from nosuch", "relation \"nosuch\" does not exist", Some(15), None),
    ];
    for (sql, message, position, hint) in cases {
        let problem = run(&engine, sql).await.unwrap_err();
        assert_eq!((problem.message.as_str(), problem.position), (message, position), "{sql}");
        if let Some(hint) = hint {
            assert!(problem.hint.unwrap().contains(hint), "{sql}");
        }
    }
}

#[tokio::test]
async fn estimates_shrink_with_the_time_range() {
    let (_folder, engine) = engine_over(&manifest().join("tests/cases/rows"));
    let estimate = async |sql: &str| {
        let query = dialects::parse_query(sql).unwrap();
        engine.estimate_tree(&query, &[], now(), &CancellationToken::new()).await.unwrap().0
    };
    let all = estimate("select action, raw from cloudtrail").await;
    let day = estimate("select action, raw from cloudtrail where time >= timestamptz '2026-11-18 00:00:00+00'").await;
    let one = estimate("select action from cloudtrail").await;
    assert_eq!((all.rows, day.rows), (Some(8), Some(3)));
    assert!(day.bytes < all.bytes && one.bytes < all.bytes && one.bytes > Some(0), "{all:?} {day:?} {one:?}");
    let query =
        dialects::parse_query("select action from cloudtrail where time >= timestamptz '2026-11-18 00:00:00+00'")
            .unwrap();
    let lines = engine.explain_tree(&query, true, &[], now(), &CancellationToken::new()).await.unwrap();
    assert!(
        lines[0].contains("(cost=0.00..") && lines[0].contains("rows=") && lines[0].contains("width="),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.trim() == "Files: 1"), "{lines:?}");
}

#[tokio::test]
async fn the_plan_of_an_estimate_is_the_one_that_runs() {
    let (_folder, engine) = engine_over(&manifest().join("tests/cases/rows"));
    let query = dialects::parse_query("select count(*) from okta").unwrap();
    let cancel = CancellationToken::new();
    let later = now() + chrono::Duration::seconds(1);
    let cases = [
        (&["logs".to_owned()][..], now(), true),
        (&["logs".to_owned()][..], later, false),
        (&["logs".to_owned(), "clock".to_owned()][..], now(), false),
    ];
    for (path, at, is_same) in cases {
        let (_, planned) = engine.estimate_tree(&query, &["logs".to_owned()], now(), &cancel).await.unwrap();
        let statement = engine.statement(&query, path, at).unwrap();
        assert_eq!(planned.statement.sees_what(&statement), is_same, "{path:?} {at}");
        let kept = Kept::new(planned);
        let rows = engine.execute_tree(&query, Some(&kept), path, at, &cancel).await.unwrap();
        assert_eq!(print(rows).await.unwrap().1, [["2"]]);
        assert!(kept.is_taken());
        // A plan runs once: the next execution makes its own.
        let again = engine.execute_tree(&query, Some(&kept), path, at, &cancel).await.unwrap();
        assert_eq!(print(again).await.unwrap().1, [["2"]]);
    }
}
