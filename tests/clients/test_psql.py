"""psql: what a person types."""

import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import missing
from statements import HEAVY


@pytest.fixture
def psql(lake):
    if shutil.which("psql") is None:
        missing("psql", "not installed")

    def psql(script, user="demo", code=0, options=(), **environment):
        given = lake.parameters(user)
        env = {**os.environ, "PGPASSWORD": given.pop("password", ""), "PGCONNECT_TIMEOUT": "10", **environment}
        target = " ".join(f"{name}={value}" for name, value in given.items())
        done = subprocess.run(
            ["psql", "-X", "-v", "ON_ERROR_STOP=1", *options, target],
            input=script, capture_output=True, text=True, timeout=60, env=env,
        )
        assert done.returncode == code, done.stderr + done.stdout
        psql.errors = done.stderr
        return done.stdout

    return psql


def cells(output):
    return [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if "|" in line]


def test_describe_a_table(psql):
    for command in ("\\d logs.cloudtrail", "\\d cloudtrail", "\\d+ logs.cloudtrail"):
        rows = {row[0]: row[1] for row in cells(psql(command))}
        assert rows["time"] == "timestamp with time zone"
        assert rows["event_id"] == "text" and rows["severity"] == "smallint" and rows["src_asn"] == "bigint"
        assert rows["mfa"] == "boolean"


def test_list_relations(psql):
    for command in ("\\dt", "\\dt+", "\\dt logs.*", "\\d"):
        names = {row[1] for row in cells(psql(command))}
        assert {"cloudtrail", "okta", "github"} <= names, command
    assert [row[1] for row in cells(psql("\\dv logs.*"))][1:] == ["events"]


def test_list_schemas_databases_roles_privileges(psql):
    assert any(row[0] == "logs" for row in cells(psql("\\dn")))
    assert any(row[0] == "lake" for row in cells(psql("\\l")))
    assert any(row[0] == "demo" for row in cells(psql("\\du")))
    assert any("cloudtrail" in row for row in cells(psql("\\dp logs.cloudtrail")))
    for command in ("\\dn+", "\\l+", "\\du+", "\\z", "\\dx", "\\df", "\\dT", "\\di", "\\ds", "\\dconfig", "\\dC", "\\db"):
        psql(command)


def test_show_a_view(psql):
    shown = psql("\\sv logs.events")
    assert shown.lower().startswith("create or replace view logs.events as") and "cloudtrail" in shown
    assert "View definition" in psql("\\d+ logs.events")


def test_describe_what_is_missing(psql):
    psql("\\d nothing", code=3)
    assert 'Did not find any relation named "nothing"' in psql.errors


def test_rows_and_their_number(psql):
    output = psql('SELECT action, count(*) FROM cloudtrail GROUP BY action ORDER BY 2 DESC LIMIT 3;')
    assert output.rstrip().endswith("(3 rows)") and cells(output)[0] == ["action", "count"]


def test_describe_a_result(psql):
    rows = cells(psql('SELECT "time", severity, mfa, raw FROM cloudtrail \\gdesc'))
    assert rows[1:4] == [["time", "timestamp with time zone"], ["severity", "smallint"], ["mfa", "boolean"]]


def test_variables_and_gset(psql):
    assert "got 3" in psql("SELECT 3 AS three \\gset\n\\echo got :three")


def test_crosstab_and_expanded(psql):
    psql("SELECT outcome, category, count(*) FROM cloudtrail GROUP BY 1, 2 \\crosstabview")
    assert "-[ RECORD 1 ]" in psql("\\x\nSELECT 1 AS one, 'x' AS two;")


def test_watch_runs_a_query_again(psql, lake):
    given = lake.parameters()
    target = " ".join(f"{name}={value}" for name, value in given.items())
    done = subprocess.run(
        ["timeout", "--signal=INT", "1.5", "psql", "-X", "-At", target], input="SELECT 'again' \\watch 0.2\n",
        capture_output=True, text=True, timeout=20,
    )
    assert done.stdout.count("again") >= 2


def test_connection_information(psql):
    assert 'connected to database "lake" as user "demo"' in psql("\\conninfo")
    assert psql("\\encoding").strip() == "UTF8"


def test_an_error_shows_line_caret_and_hint(psql):
    psql("SELECT event_id,\n       actr_name\nFROM cloudtrail;", code=3)
    assert 'column "actr_name" does not exist' in psql.errors
    assert "LINE 2:        actr_name" in psql.errors and re.search(r"\n +\^\n", psql.errors)
    assert "HINT:" in psql.errors and "actor_name" in psql.errors


def test_verbose_errors(psql):
    psql("\\set VERBOSITY verbose\nSELECT * FROM nope;", code=3)
    assert "42P01" in psql.errors


def test_copy_to_a_file(psql, tmp_path):
    out = tmp_path / "okta.csv"
    assert psql(f"\\copy (SELECT event_id, action FROM okta LIMIT 25) TO '{out}' CSV HEADER").strip() == "COPY 25"
    assert len(out.read_text().splitlines()) == 26


def test_fetch_count_reads_through_a_cursor(psql):
    output = psql("\\set FETCH_COUNT 50\nSELECT event_id FROM cloudtrail LIMIT 420;", options=["-At"])
    assert len(output.split()) == 420


def test_single_transaction(psql):
    assert psql("SELECT 1;\nSELECT 2;", options=["-At", "-1"]).split() == ["1", "2"]


def test_on_error_rollback(psql):
    script = "\\set ON_ERROR_STOP off\n\\set ON_ERROR_ROLLBACK on\nBEGIN;\nSELECT 1/0;\nSELECT 'alive';\nCOMMIT;"
    assert "alive" in psql(script)


def test_interrupt_cancels_a_statement(lake):
    given = lake.parameters()
    target = " ".join(f"{name}={value}" for name, value in given.items())
    started = time.monotonic()
    done = subprocess.run(
        ["timeout", "--signal=INT", "--preserve-status", "1", "psql", "-X", target, "-c", HEAVY],
        capture_output=True, text=True, timeout=30,
    )
    assert "canceling statement due to user request" in done.stderr
    assert time.monotonic() - started < 3


def test_timing_echo_and_include(psql, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text("SELECT 'included';\n")
    assert "included" in psql(f"\\timing\n\\i {script}")


def test_binary_and_odd_values(psql):
    output = psql(
        "SELECT '\\x00ff'::bytea, '1 day -02:03'::interval, 1e-7::float8, 'NaN'::float8, 0.10, "
        "ARRAY[1,NULL,3], ARRAY['a b','\"',NULL], '2026-01-02'::date, NULL;",
        options=["-At", "-P", "null=~"],
    )
    assert output.strip() == "\\x00ff|1 day -02:03:00|1e-07|NaN|0.10|{1,NULL,3}|{\"a b\",\"\\\"\",NULL}|2026-01-02|~"


def test_date_and_interval_styles(psql):
    script = (
        "SET datestyle = 'SQL, DMY'; SELECT '2026-02-01 03:04:05+00'::timestamptz; SET intervalstyle = 'iso_8601'; "
        "SELECT '1 year 2 days 03:04:05'::interval; SET bytea_output = 'escape'; SELECT '\\x4100'::bytea;"
    )
    assert psql(script, options=["-At", "-q"]).split("\n")[:3] == ["01/02/2026 03:04:05 UTC", "P1Y2DT3H4M5S", "A\\000"]
