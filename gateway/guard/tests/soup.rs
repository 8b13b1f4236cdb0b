//! Random and damaged statements never panic, and nothing that is approved reads a table that its user may not.

mod common;

use common::{clerk, reader, run};
use proptest::prelude::*;

const LEGITIMATE: &[&str] = &[
    "select action, count(*) from okta where time > now() - interval '7 days' group by 1 order by 2 desc limit 10",
    "with a as (select actor_email from okta), b as (select * from a) select b.* from b join cloudtrail c using (actor_email)",
    "select o.action, rank() over (partition by o.action order by o.time) from logs.okta o left join github g on g.time = o.time",
    "select * from (select raw ->> 'x' as x from okta where src_ip in ('a', 'b') limit 5) t where x like '%y%'",
    "select case when exists (select 1 from slack) then repeat('a', 5) else coalesce(action, 'x') end from okta",
    "select g, count(*) from generate_series(1, 10) g left join okta on severity = g group by g union all values (1, 2)",
];
const PIECES: &[&str] = &[
    "secret.users",
    "pg_sleep(1)",
    "(",
    ")",
    ",",
    "select",
    "from",
    "union all",
    "*",
    "okta",
    "cloudtrail",
    "raw",
    "time",
    "limit 5",
    "where",
    "is null",
    "and",
    "or",
    "'x'",
    "1",
    "[1]",
    "::text",
    "join",
    "on true",
    "with x as (",
    "delete from okta",
    "for update",
    "lateral",
    "using (time)",
    "natural",
    "c.*",
    "o.raw",
    "exists (",
    "array(",
    "values (1)",
    "generate_series(1, 9)",
    "order by",
    "t.",
];

/// A legitimate statement with words replaced, dropped and inserted.
fn damaged() -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, prop::sample::select(PIECES)), 0..6);
    (prop::sample::select(LEGITIMATE), edits).prop_map(|(sql, edits)| {
        let mut words: Vec<&str> = sql.split(' ').collect();
        for (place, edit, piece) in edits {
            let index = place.index(words.len());
            match edit {
                0 => words[index] = piece,
                1 => words.insert(index, piece),
                _ if words.len() > 1 => drop(words.remove(index)),
                _ => {}
            }
        }
        words.join(" ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_statements_never_panic_and_never_leak(sql in damaged()) {
        for identity in [reader(), clerk()] {
            let Ok(approved) = run(&sql, &identity) else { continue };
            for relation in dialects::relations(approved.query()).tables {
                let schema = relation.schema.unwrap_or_default();
                let name = mantissa_core::TableName::new(schema.clone(), relation.name.clone());
                let is_system = schema == "pg_catalog" || schema == "information_schema";
                prop_assert!(is_system || schema == "logs" && identity.may_read(&name), "{}: {}", sql, approved.query());
            }
            let printed = approved.query().to_string();
            prop_assert!(!printed.contains("secret.") && !printed.contains("pg_sleep"), "{}", printed);
            if identity.user.as_str() == "clerk" {
                // Whatever reads cloudtrail reads the two granted columns of it.
                let reads = printed.matches("FROM logs.cloudtrail").count() + printed.matches("JOIN logs.cloudtrail").count();
                prop_assert_eq!(reads, printed.matches("(SELECT time, action FROM logs.cloudtrail)").count(), "{}", printed);
            }
        }
    }
}
