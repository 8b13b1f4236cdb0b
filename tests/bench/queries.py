"""Twenty security queries through the wire, and on DuckDB over the same Parquet files."""

import datetime
import statistics
import time

import duckdb

import peers

TABLES = ("cloudtrail", "okta", "vpc_flow", "kubernetes", "github", "syslog", "guardduty")

# {day}, {week}: moments near the end of the data. A pair where DuckDB spells a thing differently.
QUERIES = {
    "count all": "SELECT count(*) FROM cloudtrail",
    "failed root logins": "SELECT \"time\", src_ip, src_country FROM cloudtrail WHERE action = 'ConsoleLogin' AND outcome = 'failure' AND actor_type = 'Root' ORDER BY \"time\" DESC LIMIT 100",
    "one address": "SELECT count(*), min(\"time\"), max(\"time\") FROM cloudtrail WHERE src_ip = '198.51.100.23'",
    "one event by id": "SELECT * FROM cloudtrail WHERE event_id = '{event_id}'",
    "last day by action": "SELECT action, count(*) AS n FROM cloudtrail WHERE \"time\" >= '{day}' GROUP BY action ORDER BY n DESC, action LIMIT 20",
    "last week by service and outcome": "SELECT service, outcome, count(*) FROM cloudtrail WHERE \"time\" >= '{week}' GROUP BY service, outcome",
    "top actors": "SELECT actor_name, count(*) AS n FROM cloudtrail GROUP BY actor_name ORDER BY n DESC, actor_name LIMIT 10",
    "addresses of an actor": "SELECT src_ip, count(*) FROM cloudtrail WHERE actor_name = 'svc-backup-sync' GROUP BY src_ip",
    "failures by country": "SELECT src_country, count(*) AS n FROM okta WHERE outcome = 'failure' GROUP BY src_country ORDER BY n DESC",
    "password spray": "SELECT src_ip, count(DISTINCT actor_name) AS people, count(*) FROM okta WHERE action = 'user.session.start' AND outcome = 'failure' GROUP BY src_ip HAVING count(DISTINCT actor_name) >= 10",
    "rejected flows by port": "SELECT dst_port, count(*) AS n FROM vpc_flow WHERE action = 'REJECT' GROUP BY dst_port ORDER BY n DESC, dst_port LIMIT 25",
    "port scan": "SELECT src_ip, count(DISTINCT dst_port) AS ports FROM vpc_flow WHERE action = 'REJECT' GROUP BY src_ip HAVING count(DISTINCT dst_port) > 20 ORDER BY ports DESC",
    "bytes out": "SELECT src_ip, dst_ip, sum(bytes) AS total FROM vpc_flow WHERE \"time\" >= '{week}' AND action = 'ACCEPT' GROUP BY src_ip, dst_ip ORDER BY total DESC LIMIT 10",
    "events by hour": "SELECT date_trunc('hour', \"time\") AS h, count(*) FROM cloudtrail WHERE \"time\" >= '{week}' GROUP BY h ORDER BY h",
    "api errors": "SELECT action, reason, count(*) AS n FROM cloudtrail WHERE outcome = 'failure' AND \"time\" >= '{week}' GROUP BY action, reason ORDER BY n DESC LIMIT 20",
    "text in raw": "SELECT count(*) FROM cloudtrail WHERE action = 'AuthorizeSecurityGroupIngress' AND raw LIKE '%0.0.0.0/0%'",
    "path in raw": (
        "SELECT actor_name, count(*) FROM cloudtrail WHERE action = 'GetObject' AND raw #>> '{{requestParameters,bucketName}}' = 'larkspur-customer-exports' GROUP BY actor_name",
        "SELECT actor_name, count(*) FROM cloudtrail WHERE action = 'GetObject' AND json_extract_string(raw, '$.requestParameters.bucketName') = 'larkspur-customer-exports' GROUP BY actor_name",
    ),
    "travel": "SELECT a.actor_name, count(*) FROM okta a JOIN okta b ON a.actor_name = b.actor_name AND a.src_country <> b.src_country AND b.\"time\" > a.\"time\" AND b.\"time\" < a.\"time\" + interval '1 hour' WHERE a.action = 'user.session.start' AND b.action = 'user.session.start' AND a.outcome = 'success' AND b.outcome = 'success' AND a.\"time\" >= '{week}' AND b.\"time\" >= '{week}' GROUP BY a.actor_name",
    "latest of each actor": "SELECT actor_name, max(\"time\") FROM github GROUP BY actor_name ORDER BY 1",
    "findings": "SELECT \"time\", action, severity, target_name FROM guardduty WHERE severity >= 4 ORDER BY \"time\"",
}


def median_seconds(run, repeats):
    run()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main():
    given = peers.arguments("queries: seconds against DuckDB", events=1_000_000, repeats=3, threads=2)
    with peers.Sample(given.events) as sample:
        ours, duck = sample.connect(), duckdb.connect()
        duck.execute(f"SET threads = {given.threads}; SET TimeZone = 'UTC'")
        for table in TABLES:
            duck.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{sample.parquet(table)}', union_by_name = true)")
        last, event_id = ours.execute('SELECT "time", event_id FROM cloudtrail ORDER BY "time" DESC LIMIT 1').fetchone()
        words = {
            "day": (last - datetime.timedelta(days=1)).isoformat(),
            "week": (last - datetime.timedelta(days=7)).isoformat(),
            "event_id": event_id,
        }
        ratios = []
        for name, sql in QUERIES.items():
            our_sql, duck_sql = (text.format(**words) for text in ((sql, sql) if isinstance(sql, str) else sql))
            here, there = ours.execute(our_sql).fetchall(), duck.execute(duck_sql).fetchall()
            if len(here) != len(there) or (name == "count all" and here != there):
                raise SystemExit(f"{name}: the two do not read the same rows: {here[:3]}, {there[:3]}")
            mine = median_seconds(lambda: ours.execute(our_sql).fetchall(), given.repeats)
            theirs = median_seconds(lambda: duck.execute(duck_sql).fetchall(), given.repeats)
            ratios.append(peers.report(name, mine, theirs, "s", 1.1, better="less"))
        mean = statistics.geometric_mean(ratios)
        print(f"queries: geometric mean of the ratios {mean:.2f} (target <= 0.3: {'yes' if mean <= 0.3 else 'NO'})")


main()
