//! What must be approved.

mod common;

use common::{corpora, reader, run};
use mantissa_core::Identity;

const LEGITIMATE: &[&str] = &[
    "select 1",
    "-- a comment first\nselect 1",
    "/* LIMIT 1 */ select 1",
    "select 1;",
    "(select 1)",
    "((select 1) union (select 2)) order by 1",
    "values (1, 'a'), (2, 'b')",
    "table okta",
    "select * from okta",
    "select * from logs.okta",
    "select * from \"logs\".\"okta\"",
    "select * from LOGS.Okta",
    "select o.* from okta o",
    "select okta.action from okta",
    "select logs.okta.action from logs.okta",
    "select 'delete from okta; drop table x -- /*'",
    "select * from okta where action = 'Delete'",
    "select * from okta where action in ('create', 'update', 'drop', 'pg_sleep(1)')",
    "select * from okta where action like '%pinto%'",
    "select replace(action, 'a', 'b') from okta",
    "select upper(lower(trim(coalesce(action, '')))) from okta",
    "select length(upper(lower(trim(coalesce(nullif(action, ''), ''))))) from okta",
    "select $$it's; drop table okta$$",
    "select E'\\'; drop table okta --'",
    "select \"action\" as \"drop table\" from okta",
    "select action as delete from okta",
    "select count(*) from okta",
    "select count(distinct actor_name) from okta where time > now() - interval '7 days'",
    "select action, count(*) as n from okta group by action order by n desc limit 10",
    "select action, count(*) from okta group by 1 having count(*) > 5 order by 2 desc",
    "select date_trunc('hour', time) as bucket, count(*) from cloudtrail group by bucket order by bucket",
    "select raw ->> 'a', raw #>> '{a,b}', raw -> 'x' ->> 'y' from okta",
    "select * from okta where raw ->> 'eventType' ~* '^user\\.'",
    "select * from okta where src_ip::inet <<= '10.0.0.0/8'::inet",
    "select extract(hour from time), extract(isodow from time) from okta",
    "select * from okta where time between '2026-11-01' and '2026-11-02'",
    "select * from okta where mfa is not true and outcome is distinct from 'failure'",
    "select * from okta limit 5 offset 10",
    "select * from okta limit all",
    "select * from okta limit null",
    "select * from okta fetch first 5 rows only",
    "select * from okta fetch first row only",
    "select * from okta offset 5 rows fetch next 5 rows only",
    "select * from okta limit 999999999",
    "select distinct actor_name from okta",
    "select distinct on (actor_name) actor_name, time from okta order by actor_name, time desc",
    "select actor_name from okta union select actor_name from github except select 'root' order by actor_name",
    "select actor_name from okta intersect select actor_name from github",
    "select * from okta o join github g on o.actor_email = g.actor_email",
    "select * from okta o join github g using (actor_email)",
    "select * from okta natural join github",
    "select * from okta o, github g where o.actor_email = g.actor_email and o.time > g.time",
    "select * from okta o left join lateral (select max(time) from github g where g.actor_email = o.actor_email) x on true",
    "select * from okta o join github g on lower(o.actor_email) = lower(g.actor_email) join slack s on s.actor_email = g.actor_email",
    "select o.n::numeric / a.n from (select count(*) n from okta) o, (select count(*) n from github) a",
    "select o.*, t.n from okta o cross join (select count(*) n from okta) t",
    "select * from okta cross join (values ('a'), ('b')) v(x)",
    "select * from okta o, (select * from github limit 10) g",
    "with a as (select * from okta where outcome = 'failure') select actor_name, count(*) from a group by 1",
    "with a as (select actor_email from okta), b as (select actor_email from github) select * from a join b using (actor_email)",
    "with a as (select action from okta), b as (select * from a), c as (select * from b), d as (select * from c) select * from d",
    "with f(x, y) as (select action, time from okta) select x, y from f",
    "with recursive a as (select 1 as n) select * from a",
    "select * from (select * from (select * from (select action from okta) a) b) c",
    "select * from okta where actor_name in (select actor_name from github where outcome = 'failure')",
    "select * from okta o where exists (select 1 from github g where g.actor_email = o.actor_email)",
    "select * from okta where (actor_name, src_ip) in (select actor_name, src_ip from github)",
    "select (select count(*) from okta) as a, (select count(*) from github) as b",
    "select actor_name, rank() over (partition by action order by time desc) from okta",
    "select lag(time) over w from okta window w as (partition by actor_name order by time)",
    "select sum(bytes) over (order by time rows between 3 preceding and current row) from vpc_flow",
    "select percentile_cont(0.95) within group (order by bytes) from vpc_flow",
    "select string_agg(distinct action, ', ' order by action) from okta",
    "select array_agg(action order by time desc) filter (where action is not null) from okta",
    "select action, outcome, count(*) from okta group by rollup (action, outcome)",
    "select action, outcome, grouping(action) from okta group by grouping sets ((action), (outcome), ())",
    "select action, outcome, count(*) from okta group by cube (action, outcome)",
    "select g, count(o.time) from generate_series(now() - interval '7 days', now(), interval '1 hour') g \
     left join okta o on o.time >= g and o.time < g + interval '1 hour' group by g",
    "select * from generate_series(1, 100)",
    "select * from generate_series(date '2026-01-01', date '2026-12-31', interval '1 day') as d",
    "select * from unnest(array['a', 'b']) with ordinality as t(x, n)",
    "select case action when 'a' then 1 else 2 end, cast(severity as text), severity::int + 1 from okta",
    "select repeat('ab', 10), lpad(action, 20, ' '), format('%s-%s', action, outcome) from okta",
    "select * from okta where action = any(array['a', 'b']) or action like any(array['x%'])",
    "select array(select action from okta limit 5)",
    "select current_date, current_timestamp, current_user, now(), version(), current_database(), current_schema()",
    "select action from okta order by 1 nulls last, time desc nulls first",
    "select position('a' in action), substring(action from 2 for 3), trim(both 'x' from action), overlay(action placing 'x' from 1) from okta",
    "select action collate \"C\" from okta order by action collate \"C\"",
    "select time at time zone 'Europe/Berlin' from okta",
    "select host(src_ip::inet) from okta",
    "select * from pg_catalog.pg_class c join pg_namespace n on n.oid = c.relnamespace where pg_table_is_visible(c.oid)",
    "select * from information_schema.tables, information_schema.columns",
    "select pg_catalog.format_type(a.atttypid, a.atttypmod), 'x'::regclass from pg_attribute a",
    "select pg_cancel_backend(5)",
    "select set_config('application_name', 'x', false)",
    "select count(*) n, count(*) * 2 m from okta where severity >= 4",
    "select max(time) - min(time) from okta",
    "select b.n from (select count(*) as n from okta) b where b.n > 5",
    "select count from (select count(*) from okta) t",
    "select o.action from okta as o where o.time > (select max(g.time) from github g where g.actor_name = o.actor_name)",
];

#[test]
fn legitimate_statements_are_approved() {
    assert!(LEGITIMATE.len() >= 80);
    let wrong: Vec<String> = LEGITIMATE
        .iter()
        .filter_map(|sql| {
            run(sql, &reader()).err().map(|problem| format!("{sql}\n    {problem} {:?}", problem.position))
        })
        .collect();
    assert!(wrong.is_empty(), "{} refused:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_row_cap_is_on_every_query() {
    let cases = [
        ("select * from okta", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select * from okta limit 5", "SELECT * FROM logs.okta LIMIT 5"),
        ("select * from okta limit 10000", "SELECT * FROM logs.okta LIMIT 10000"),
        ("select * from okta limit 10001", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select * from okta limit 999999999", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select * from okta limit 99999999999999999999999999", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select * from okta limit 1e9", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select * from okta limit '7'", "SELECT * FROM logs.okta LIMIT 7"),
        ("select * from okta limit (20)::bigint", "SELECT * FROM logs.okta LIMIT 20"),
        ("select * from okta limit all", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select * from okta limit null offset 3", "SELECT * FROM logs.okta LIMIT 10001 OFFSET 3"),
        ("select * from okta fetch first 5 rows only", "SELECT * FROM logs.okta LIMIT 5"),
        ("select * from okta fetch first 999999 rows only", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select * from okta -- limit 1", "SELECT * FROM logs.okta LIMIT 10001"),
        ("select 'limit 1' from okta", "SELECT 'limit 1' FROM logs.okta LIMIT 10001"),
        (
            "select * from (select * from okta limit 1) t",
            "SELECT * FROM (SELECT * FROM logs.okta LIMIT 1) t LIMIT 10001",
        ),
        ("(select * from okta limit 50000)", "(SELECT * FROM logs.okta LIMIT 50000) LIMIT 10001"),
        ("select 1 union all select 2", "SELECT 1 UNION ALL SELECT 2 LIMIT 10001"),
        ("values (1)", "VALUES (1) LIMIT 10001"),
        ("table okta", "SELECT * FROM logs.okta LIMIT 10001"),
        ("with a as (select 1) select * from a", "WITH a AS (SELECT 1) SELECT * FROM a LIMIT 10001"),
    ];
    for (sql, expected) in cases {
        assert_eq!(run(sql, &reader()).unwrap().query().to_string(), expected, "{sql}");
    }
}

#[test]
fn bounds_narrow_and_never_raise() {
    let with = |max_rows| mantissa_guard::Bounds { max_rows: Some(max_rows), ..Default::default() };
    for (asked, granted) in [(5, 5), (10_000, 10_000), (1_000_000, 10_000)] {
        let query = dialects::parse_query("select 1").unwrap();
        let approved =
            mantissa_guard::check(query, &reader(), &common::catalog(), &common::search_path(), &with(asked)).unwrap();
        assert_eq!(approved.max_rows(), granted);
        assert_eq!(approved.query().to_string(), format!("SELECT 1 LIMIT {}", granted + 1));
    }
}

#[test]
fn an_approval_lists_the_tables_that_it_reads() {
    let sql = "with github as (select * from slack) select * from okta o join github g using (actor_email) \
               where exists (select 1 from logs.okta)";
    let approved = run(sql, &reader()).unwrap();
    let tables: Vec<String> = approved.tables().iter().map(ToString::to_string).collect();
    assert_eq!(tables, ["logs.slack", "logs.okta"]);
    assert!(!approved.is_catalog_only());
    assert!(run("select * from pg_class", &reader()).unwrap().is_catalog_only());
}

#[test]
fn administrators_read_the_audit() {
    let admin = Identity { admin: true, ..reader() };
    assert!(run("select statement from mantissa.audit", &admin).is_ok());
}

#[test]
fn every_gold_query_of_the_question_corpus_is_approved() {
    let file = corpora().join("questions/questions_open.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        assert!(std::env::var_os("CI").is_none(), "the corpus {} is missing", file.display());
        eprintln!("skipped: every_gold_query_of_the_question_corpus_is_approved ({} is missing)", file.display());
        return;
    };
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let alternatives = record["alternatives"].as_array().cloned().unwrap_or_default();
        for sql in [record["gold_sql"].clone()].iter().chain(&alternatives).filter_map(|sql| sql.as_str()) {
            count += 1;
            if let Err(problem) = run(sql, &reader()) {
                wrong.push(format!("{}: {problem} at {:?}: {sql}", record["id"], problem.position));
            }
        }
    }
    assert!(count > 200, "only {count} queries were found");
    assert!(wrong.is_empty(), "{} of {count} refused:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_database_tools_ask_of_the_catalog_is_approved() {
    let folder = corpora().join("clients");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten().filter(|e| e.path().is_dir()) {
        if !entry.file_name().to_string_lossy().starts_with('_') {
            files.extend(std::fs::read_dir(entry.path()).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
    if files.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "the corpus {} is missing", folder.display());
        eprintln!("skipped: what_database_tools_ask_of_the_catalog_is_approved ({} is missing)", folder.display());
        return;
    }
    let (mut count, mut wrong) = (0, Vec::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "sql")) {
        let text = std::fs::read_to_string(file).unwrap();
        for fragment in dialects::split(&text).unwrap() {
            let Ok(query) = dialects::parse_query(fragment.text) else { continue };
            let named = dialects::relations(&query).tables;
            let is_system = |schema: Option<&str>, name: &str| match schema {
                Some(schema) => schema == "pg_catalog" || schema == "information_schema",
                None => name.starts_with("pg_"),
            };
            if dialects::parameter_count(&query) > 0 || named.is_empty() {
                continue;
            }
            if !named.iter().all(|relation| is_system(relation.schema.as_deref(), &relation.name)) {
                continue;
            }
            count += 1;
            if let Err(problem) = run(fragment.text, &reader()) {
                wrong.push(format!("{}: {problem} at {:?}", file.display(), problem.position));
            }
        }
    }
    assert!(count > 150, "only {count} statements were found");
    assert!(wrong.is_empty(), "{} of {count} refused:\n{}", wrong.len(), wrong.join("\n"));
}
