"""The guard through the wire: what is refused, with which code; ceilings on every path; roles; the audit trail."""

import psycopg
import pytest

from statements import STREAM

pytestmark = pytest.mark.product


@pytest.fixture
def connect(lake):
    opened = []

    def connect(user="demo", **more):
        opened.append(psycopg.connect(**{**lake.parameters(user), "connect_timeout": 10, "autocommit": True, **more}))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def state(connection, sql):
    """The SQLSTATE that a statement ends with, or None."""
    try:
        connection.execute(sql)
        return None
    except psycopg.Error as error:
        return error.sqlstate


def nested(levels):
    sql = "SELECT 1 AS x FROM okta"
    for level in range(levels):
        sql = f"SELECT x FROM ({sql}) AS s{level}"
    return sql


HOSTILE = {
    "25006": [
        "DELETE FROM cloudtrail", "INSERT INTO okta VALUES (1)", "UPDATE okta SET action = 'x'", "TRUNCATE okta",
        "DROP TABLE okta", "CREATE TABLE mine (a int)", "ALTER TABLE okta ADD COLUMN a int", "CREATE VIEW v AS SELECT 1",
        "SELECT * INTO copy_of_okta FROM okta", "CREATE TABLE copy_of_okta AS SELECT * FROM okta",
        "WITH gone AS (DELETE FROM okta RETURNING *) SELECT * FROM gone",
        "WITH added AS (INSERT INTO okta (action) VALUES ('x') RETURNING 1) SELECT * FROM added",
        "GRANT ALL ON okta TO demo", "MERGE INTO okta USING github ON true WHEN MATCHED THEN DELETE",
        "/* SELECT */ DELETE FROM okta", "DELETE/**/FROM okta", "DROP SCHEMA logs CASCADE", "EXPLAIN ANALYZE DELETE FROM okta",
        "PREPARE p AS DELETE FROM okta", "COPY okta FROM STDIN", "COPY okta FROM '/etc/passwd'", "CREATE ROLE intruder SUPERUSER",
        "ALTER ROLE demo SUPERUSER", "VACUUM", "REFRESH MATERIALIZED VIEW v", "SELECT event_id FROM okta FOR UPDATE",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'", "CREATE EXTENSION dblink",
    ],
    "42501": [
        "SELECT pg_read_file('/etc/passwd')", "SELECT pg_ls_dir('/')", "SELECT pg_sleep(60)", "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM mantissa.audit", "SELECT \"pg_read_file\"('/etc/passwd')", "SELECT pg_catalog.pg_sleep(60)",
        "COPY (SELECT 1) TO '/tmp/out'", "COPY (SELECT 1) TO PROGRAM 'sh'", "SELECT * FROM pg_authid", "SELECT * FROM pg_shadow",
        "SELECT event_id FROM okta UNION ALL SELECT statement FROM mantissa.audit",
        "SELECT pg_reload_conf()", "SELECT pg_read_binary_file('/etc/passwd')", "SET ROLE boss", "SET SESSION AUTHORIZATION boss",
    ],
    "42601": ["SELECT 1 FROM okta; ; SELEC", "SELECT", "SELECT * FROM okta WHERE", "SELECT 'unterminated"],
    "54001": [nested(6)],
    "54000": [
        "SELECT 1 FROM okta WHERE action IN (" + ", ".join(["'x'"] * 200_000) + ")",
        "SELECT * FROM cloudtrail a, cloudtrail b", "SELECT * FROM cloudtrail CROSS JOIN okta CROSS JOIN github",
        "SELECT repeat('x', 1000000000)", "SELECT * FROM generate_series(1, 10000000000)",
    ],
    "42P01": ["SELECT * FROM \"/etc/passwd\"", "SELECT * FROM 'okta.parquet'", "SELECT * FROM logs.\"okta; DROP TABLE okta\""],
    "42883": ["SELECT read_parquet('/etc/passwd')", "SELECT * FROM read_csv('/etc/passwd')", "SELECT dblink('x', 'y')"],
}
# Codes that say the same of such a statement as well.
ALSO = {
    "42501": {"42883", "42P01", "0A000", "25006"},
    "54000": {"54001", "0A000", "57014", "22023"},
    "25006": {"42601", "0A000", "42501"},
    "42P01": {"42601"},
    "54001": set(),
    "42601": set(),
    "42883": {"42501", "42P01"},
}
STATEMENTS = [(code, sql) for code, statements in HOSTILE.items() for sql in statements]


@pytest.mark.parametrize("code, sql", STATEMENTS, ids=[sql[:60] for _, sql in STATEMENTS])
def test_a_hostile_statement_is_refused(connect, code, sql):
    connection = connect()
    got = state(connection, sql)
    assert got == code or got in ALSO[code], f"{sql[:80]}: {got}, expected {code}"
    assert connection.execute("SELECT count(*) > 0 FROM okta").fetchone()[0]


def test_nothing_was_changed_by_the_hostile_statements(connect, lake):
    connection = connect()
    assert connection.execute("SELECT count(*) FROM cloudtrail").fetchone()[0] > 0
    tables = connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'logs'").fetchone()[0]
    for code, sql in STATEMENTS:
        state(connection, sql)
    assert connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'logs'").fetchone()[0] == tables


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM okta WHERE action = 'delete; drop table okta'",
        "SELECT 'DROP TABLE okta' AS \"delete\"",
        "SELECT count(*) AS \"insert into\" FROM okta -- DELETE FROM okta",
        "SELECT count(*) FROM okta /* DROP TABLE okta */ WHERE action LIKE '%update%'",
        "WITH delete_me AS (SELECT 1 AS a) SELECT a FROM delete_me",
        "SELECT $$DELETE FROM okta$$",
        "SELECT E'it\\'s; TRUNCATE okta'",
    ],
)
def test_words_inside_literals_do_not_trip_it(connect, sql):
    assert state(connect(), sql) is None


CAP = 10_000


def notices(connection):
    seen = []
    connection.add_notice_handler(lambda diag: seen.append(diag.message_primary))
    return seen


@pytest.mark.parametrize("sql", [STREAM, STREAM + " LIMIT 999999999", f"SELECT * FROM ({STREAM}) AS s", f"({STREAM}) UNION ALL ({STREAM})"])
def test_ten_thousand_rows_and_a_notice(connect, sql):
    connection = connect()
    seen = notices(connection)
    assert len(connection.execute(sql).fetchall()) == CAP
    assert len(seen) == 1 and "10000" in seen[0].replace(",", "").replace("_", "")


def test_a_result_below_the_ceiling_says_nothing(connect):
    connection = connect()
    seen = notices(connection)
    assert len(connection.execute(STREAM + f" LIMIT {CAP}").fetchall()) == CAP
    assert seen == []


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_the_ceiling_binds_copy(connect, form):
    connection = connect()
    seen = notices(connection)
    with connection.cursor().copy(f"COPY ({STREAM}) TO STDOUT (FORMAT {form})") as copy:
        data = b"".join(copy)
    if form != "binary":
        assert data.count(b"\n") == CAP
    assert len(seen) == 1


def test_the_ceiling_binds_cursors(connect):
    connection = connect(autocommit=False)
    connection.execute(f"DECLARE c CURSOR FOR {STREAM}")
    fetched = 0
    while rows := connection.execute("FETCH 3000 FROM c").fetchall():
        fetched += len(rows)
        assert fetched <= CAP
    assert fetched == CAP
    connection.execute("ROLLBACK")
    connection.execute(f"DECLARE c CURSOR WITH HOLD FOR {STREAM}")
    connection.execute("COMMIT")
    assert len(connection.execute("FETCH ALL FROM c").fetchall()) == CAP


def test_the_ceiling_binds_portals_and_prepared_statements(connect):
    connection = connect()
    assert len(connection.execute(STREAM + " LIMIT %s", (10**9,), prepare=True).fetchall()) == CAP
    connection.execute(f"PREPARE p AS {STREAM}")
    assert len(connection.execute("EXECUTE p").fetchall()) == CAP
    connection.close()


def test_the_ceiling_can_be_lowered_but_not_raised(connect):
    connection = connect()
    connection.execute("SET mantissa.max_rows = 25")
    assert len(connection.execute(STREAM).fetchall()) == 25
    connection.execute("RESET mantissa.max_rows")
    outcome = state(connection, "SET mantissa.max_rows = 1000000")
    assert outcome in (None, "22023", "42501")
    assert len(connection.execute(STREAM).fetchall()) == CAP
    assert state(connection, "SET statement_timeout = 0") in (None, "22023", "42501")


def test_a_role_has_its_own_ceiling(connect):
    assert len(connect("slim").execute(STREAM).fetchall()) == 50
    assert len(connect("wide").execute(STREAM + " LIMIT 12345").fetchall()) == 12345


def test_a_role_reads_its_tables_only(connect):
    otto = connect("otto")
    assert otto.execute("SELECT count(*) > 0 FROM okta").fetchone()[0]
    for sql in (
        "SELECT * FROM cloudtrail", "SELECT count(*) FROM logs.cloudtrail", "SELECT 1 FROM okta WHERE EXISTS (SELECT 1 FROM cloudtrail)",
        "WITH c AS (SELECT * FROM cloudtrail) SELECT 1 FROM c", "COPY cloudtrail TO STDOUT", "TABLE cloudtrail",
        "SELECT event_id FROM okta UNION SELECT event_id FROM cloudtrail", "EXPLAIN SELECT * FROM cloudtrail",
        "SELECT raw FROM github", "SELECT g.raw FROM github g", "SELECT 1 FROM github WHERE raw IS NULL", "ASK 'failed console logins by root'",
    ):
        assert state(otto, sql) == "42501", sql
    assert otto.execute("SELECT event_id, actor_name FROM github LIMIT 1").fetchone()
    star = [column.name for column in otto.execute("SELECT * FROM github LIMIT 1").description]
    assert sorted(star) == ["actor_name", "event_id", "time"]
    events = otto.execute("SELECT DISTINCT source FROM events").fetchall() if state(otto, "SELECT 1 FROM events LIMIT 1") is None else []
    assert ("cloudtrail",) not in events


def test_the_audit_trail_tells_admins_what_was_asked(connect):
    with connect("ann", application_name="audited") as ann:
        ann.execute("SELECT event_id FROM okta LIMIT 7").fetchall()
        assert state(ann, "SELECT nope FROM okta") == "42703"
        ann.execute("ASK 'failed console logins by root'").fetchall()
    rows = connect("boss").execute(
        "SELECT statement, outcome, sqlstate, rows, tables, question, client_addr, duration_us FROM mantissa.audit "
        "WHERE user_name = 'ann' AND application = 'audited' ORDER BY id DESC LIMIT 10"
    ).fetchall()
    by_statement = {row[0]: row[1:] for row in rows}
    read = by_statement["SELECT event_id FROM okta LIMIT 7"]
    assert read[1] is None and read[2] == 7 and "okta" in read[3] and read[5].startswith("127.0.0.1") and read[6] > 0
    failed = by_statement["SELECT nope FROM okta"]
    assert failed[1] == "42703" and failed[0] != read[0]
    assert any(row[5] == "failed console logins by root" for row in rows)


def test_refused_statements_are_audited_too(connect):
    with connect("ann", application_name="audited2") as ann:
        state(ann, "DELETE FROM okta")
        state(ann, "SELECT 1/0")
        state(ann, "SELECT * FROM mantissa.audit")
    rows = connect("boss").execute("SELECT statement, sqlstate FROM mantissa.audit WHERE application = 'audited2'").fetchall()
    found = dict(rows)
    assert found.get("DELETE FROM okta") == "25006" and found.get("SELECT * FROM mantissa.audit") == "42501"


def test_the_audit_trail_is_closed_to_readers(connect):
    for user in ("demo", "ann", "wide", "otto"):
        for sql in ("SELECT * FROM mantissa.audit", "SELECT count(*) FROM mantissa.audit", "COPY mantissa.audit TO STDOUT"):
            assert state(connect(user), sql) == "42501", (user, sql)


def test_secrets_are_nowhere_in_the_catalog(connect):
    connection = connect()
    assert state(connection, "SELECT rolpassword FROM pg_authid") in ("42501", "42P01")
    assert {row[0] for row in connection.execute("SELECT rolpassword FROM pg_roles").fetchall()} <= {"********", None}
