//! What must never be approved, each with its SQLSTATE.

mod common;

use common::{clerk, reader, refusal};

#[test]
fn hostile_statements_are_refused() {
    let list = |item: &str, count: usize| vec![item; count].join(", ");
    let million = format!("select 1 from okta where actor_name in ({})", list("'a'", 1_000_000));
    let deep = format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let ors = format!("select 1 from okta where {} true", "action = 'a' or ".repeat(500_000));
    let array = format!("select array[{}]", list("1", 20_000));
    let values = format!("values {}", list("(1)", 20_000));
    let doubling = (1..=3).fold("with c0 as (select action from okta)".to_owned(), |sql, n| {
        let (previous, copies) = (n - 1, (0..5).map(|i| format!("c{} x{i}", n - 1)).collect::<Vec<_>>());
        let ties = (1..5).map(|i| format!("x0.action = x{i}.action")).collect::<Vec<_>>().join(" and ");
        assert!(previous < n);
        format!("{sql}, c{n} as (select x0.action from {} where {ties})", copies.join(", "))
    }) + " select count(*) from c3";
    let cases: &[(&str, &str)] = &[
        // Stacked statements and other commands.
        ("select 1; drop table okta", "42601"),
        ("select * from okta; unload (select * from okta) to 's3://evil'", "42601"),
        ("select 1; vacuum", "42601"),
        ("select 1; use other", "42601"),
        ("dr/**/op table okta", "42601"),
        ("drop/**/table okta", "25006"),
        ("delete from okta", "25006"),
        ("insert into okta values (1)", "25006"),
        ("update okta set action = 'x'", "25006"),
        ("truncate okta", "25006"),
        ("create table x as select 1", "25006"),
        ("copy okta to '/tmp/x'", "25006"),
        ("copy okta to program 'sh'", "25006"),
        ("call f()", "25006"),
        ("do $$ begin end $$", "25006"),
        ("grant all on okta to ann", "25006"),
        ("set role admin", "42601"),
        ("vacuum okta", "25006"),
        ("lock table okta", "25006"),
        ("refresh materialized view x", "25006"),
        ("merge into okta using okta o on true when matched then delete", "25006"),
        // Writes inside reading statements.
        ("with x as (delete from okta returning *) select * from x", "25006"),
        ("with x as (insert into okta values (1) returning *) select * from x", "25006"),
        ("with x as (update okta set action = 'x' returning *) select * from x", "25006"),
        ("with x as (select 1) delete from okta", "25006"),
        ("select * into copy_of_okta from okta", "25006"),
        ("select * from okta for update", "25006"),
        ("select * from okta for share nowait", "25006"),
        ("select * from (select * from okta for update) t", "25006"),
        // Tables that are not the user's.
        ("with a as (select * from secret_db.x) select * from a", "42501"),
        ("select * from (select * from information_schema_x.tables) t", "42501"),
        ("select (select max(password) from secret.users)", "42501"),
        ("select action from okta union all select password from secret.users", "42501"),
        ("select action from okta union (select 'a' union select password from secret.users)", "42501"),
        ("select * from okta join secret_db.users on true", "42501"),
        ("select * from other_db.cloudtrail", "42501"),
        ("select * from \"secret\".\"users\"", "42501"),
        ("select * from secret . users", "42501"),
        ("select * from/**/secret/**/./**/users", "42501"),
        ("select * from SECRET.USERS", "42501"),
        ("select * from U&\"secret\".users", "42601"),
        ("select * from lake.logs.okta", "0A000"),
        ("select * from users", "42P01"),
        ("select * from \"OKTA\"", "42P01"),
        ("table secret.users", "42501"),
        ("select 1 from okta where exists (table secret.users)", "42501"),
        ("select 1 from okta order by (select password from secret.users)", "42501"),
        ("select 1 from okta limit (select 1 from secret.users)", "0A000"),
        ("select count(*) filter (where exists (select 1 from secret.users)) from okta", "42501"),
        ("select sum(1) over (order by (select 1 from secret.users)) from okta", "42501"),
        ("select case when true then (select 1 from secret.users) end", "42501"),
        ("select array(select password from secret.users)", "42501"),
        ("values ((select password from secret.users))", "42501"),
        ("select 1 from okta group by (select password from secret.users)", "42501"),
        ("select 1 from okta o join cloudtrail c on c.time = o.time and exists (select 1 from secret.users)", "42501"),
        ("select statement from mantissa.audit", "42501"),
        // Functions.
        ("select pg_sleep(100)", "42501"),
        ("select pg_catalog.pg_sleep(100)", "42501"),
        ("select \"pg_sleep\"(100)", "42501"),
        ("select PG_SLEEP(100)", "42501"),
        ("select * from pg_sleep(100)", "42501"),
        ("select pg_read_file('/etc/passwd')", "42501"),
        ("select * from pg_read_file('/etc/passwd')", "42501"),
        ("select * from pg_ls_dir('/')", "42501"),
        ("select * from read_csv('/etc/passwd')", "42501"),
        ("select * from read_parquet('s3://x')", "42501"),
        ("select * from table(system.query('select 1'))", "0A000"),
        ("select * from openrowset('x')", "42501"),
        ("select lo_import('/etc/passwd')", "42501"),
        ("select dblink('host=x', 'select 1')", "42501"),
        ("select nextval('x')", "42501"),
        ("select query_to_xml('select 1', true, true, '')", "42501"),
        ("select evil.count(1)", "42883"),
        ("select no_such_function(1)", "42883"),
        ("select set_config('a', 'b', false) from okta", "42501"),
        ("select pg_terminate_backend(1) from okta", "42501"),
        ("select * from okta where pg_sleep(1) is null", "42501"),
        ("select 1 from okta order by pg_sleep(1)", "42501"),
        ("select '/etc/passwd'::regclass from okta", "0A000"),
        ("select * from input_file_name()", "42501"),
        ("select * from '/etc/passwd'", "42P01"),
        ("select * from \"/etc/passwd\"", "42P01"),
        // Size.
        (&million, "54000"),
        (&array, "54000"),
        (&values, "54000"),
        (&deep, "54001"),
        (&ors, "54001"),
        (&doubling, "54000"),
        ("select count(*) from okta, cloudtrail", "54000"),
        ("select count(*) from okta cross join cloudtrail", "54000"),
        ("select count(*) from okta a, okta b, okta c", "54000"),
        ("select count(*) from okta a join okta b on true", "54000"),
        ("select count(*) from okta a join okta b on 1 = 1", "54000"),
        ("select count(*) from okta a join okta b on a.action = a.action", "54000"),
        ("select count(*) from okta a join okta b on a.action <> b.action", "54000"),
        ("select count(*) from okta a join okta b on a.time = b.time or true", "54000"),
        ("select count(*) from okta a, (select * from okta) b", "54000"),
        ("with x as (select * from okta) select count(*) from x a, x b", "54000"),
        ("select count(*) from (okta a cross join cloudtrail b)", "54000"),
        ("select count(*) from generate_series(1, 1000000000000)", "54000"),
        ("select count(*) from generate_series(1, 1e12)", "54000"),
        ("select count(*) from generate_series(1, 10000 * 10000)", "54000"),
        ("select count(*) from generate_series(1, 10000) a, generate_series(1, 10000) b", "54000"),
        ("select generate_series(1, 1000000000)", "54000"),
        ("select count(*) from generate_series('1970-01-01'::timestamp, now(), interval '1 second')", "54000"),
        ("select count(*) from generate_series(1, (select count(*) from okta))", "54000"),
        ("select repeat('a', 1000000000)", "54000"),
        ("select repeat(repeat(repeat('a', 1000), 1000), 1000)", "54000"),
        ("select repeat(x, 10000) from (select repeat('a', 10000) x) t", "54000"),
        ("select repeat(action, src_port) from okta", "54000"),
        ("select lpad('a', 1000000000)", "54000"),
        ("select rpad('a', 2147483647, 'x')", "54000"),
        ("select format('%1000000000s', 'a')", "54000"),
        // Nesting and recursion.
        ("select * from (select * from (select * from (select * from (select 1 from okta) a) b) c) d", "54001"),
        (
            "select 1 where exists (select 1 where exists (select 1 where exists (select 1 where exists (select 1 from okta))))",
            "54001",
        ),
        (
            "with a as (select 1 from okta), b as (select * from a), c as (select * from b), d as (select * from c), \
          e as (select * from d) select * from e",
            "54001",
        ),
        ("with recursive r as (select 1 n union all select n + 1 from r) select * from r", "0A000"),
        ("with recursive r as (select action from okta union all select action from r) select * from r", "0A000"),
        // Other databases' syntax.
        ("select * from okta tablesample system (1)", "0A000"),
        ("select top 5 * from okta", "0A000"),
        ("select * exclude (raw) from okta", "42601"),
        ("select * from okta limit -1", "22023"),
        ("select * from okta fetch first 5 rows with ties", "0A000"),
        ("select okta from okta", "0A000"),
        ("select action -> x -> 1 from okta", "42703"),
        // Names.
        ("select no_such_column from okta", "42703"),
        ("select o.no_such_column from okta o", "42703"),
        ("select okta.action from okta o", "42P01"),
        ("select x.action from okta", "42P01"),
        ("select x.* from okta", "42P01"),
        ("select * from okta join cloudtrail using (no_such_column)", "42703"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .map(|(sql, state)| (sql, state, refusal(sql, &reader())))
        .filter(|(_, state, got)| !got.starts_with(*state))
        .map(|(sql, state, got)| {
            format!("{}\n    wanted {state}, got {}", &sql[..sql.len().min(150)], &got[..got.len().min(200)])
        })
        .collect();
    assert!(cases.len() >= 80);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn columns_that_a_role_hides_cannot_be_reached() {
    let cases = [
        ("select actor_name from cloudtrail", "42501 8 permission denied for column actor_name of table cloudtrail"),
        (
            "select c.actor_name from cloudtrail c",
            "42501 8 permission denied for column actor_name of table cloudtrail",
        ),
        ("select 1 from cloudtrail where raw is null", "42501 32 permission denied for column raw of table cloudtrail"),
        ("select 1 from okta join cloudtrail using (actor_name)", "APPROVED"),
        (
            "select logs.cloudtrail.raw from logs.cloudtrail",
            "42501 8 permission denied for column raw of table cloudtrail",
        ),
        ("select cloudtrail from cloudtrail", "0A000 8 a whole row as a value is not supported"),
        ("select count(c.*) from cloudtrail c", "0A000 8 a whole row as an argument is not supported"),
        ("select * from github", "42501 15 permission denied for table github"),
        ("select * from events", "42501 15 permission denied for table events"),
        ("select * from logs.github", "42501 15 permission denied for table github"),
    ];
    for (sql, expected) in cases {
        let got = refusal(sql, &clerk());
        assert!(got.starts_with(expected), "{sql}: {got}");
    }
    let narrowed = "(SELECT time, action FROM logs.cloudtrail)";
    let cases = [
        ("select * from cloudtrail", format!("SELECT * FROM {narrowed} AS cloudtrail LIMIT 10001")),
        ("select c.* from logs.cloudtrail c", format!("SELECT c.* FROM {narrowed} c LIMIT 10001")),
        ("select c.x from cloudtrail c(x)", format!("SELECT c.x FROM {narrowed} c (x) LIMIT 10001")),
        (
            "select logs.cloudtrail.* from logs.cloudtrail",
            format!("SELECT cloudtrail.* FROM {narrowed} AS cloudtrail LIMIT 10001"),
        ),
        (
            "select * from okta natural join cloudtrail",
            format!("SELECT * FROM logs.okta NATURAL JOIN {narrowed} AS cloudtrail LIMIT 10001"),
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(refusal(sql, &clerk()), format!("APPROVED {expected}"), "{sql}");
    }
}

#[test]
fn messages_name_the_place_and_what_was_meant() {
    let cases = [
        ("select * from cloudtrial", "42P01 15 relation \"cloudtrial\" does not exist"),
        ("select actor_nam from okta", "42703 8 column \"actor_nam\" does not exist"),
        ("select cuont(*) from okta", "42883 8 function cuont does not exist"),
        ("select 1 from okta where\n  pg_sleep(1) is null", "42501 28 permission denied for function pg_sleep"),
    ];
    for (sql, expected) in cases {
        assert_eq!(refusal(sql, &reader()), expected);
    }
    let hint = |sql: &str| common::run(sql, &reader()).err().and_then(|problem| problem.hint);
    assert_eq!(hint("select * from cloudtrial").as_deref(), Some("Perhaps you meant \"cloudtrail\"."));
    assert_eq!(hint("select actor_nam from okta").as_deref(), Some("Perhaps you meant \"actor_name\"."));
    assert_eq!(hint("select cuont(*) from okta").as_deref(), Some("Perhaps you meant \"count\"."));
}
