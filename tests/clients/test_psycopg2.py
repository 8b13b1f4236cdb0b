"""psycopg2: libpq's simple protocol, client-side parameters, named cursors, COPY."""

import datetime
import decimal
import io
import threading
import time
import uuid

import pytest

from conftest import missing
from statements import HEAVY, ROWS, STREAM

try:
    import psycopg2
    import psycopg2.errors
    import psycopg2.extensions
    import psycopg2.extras
except ImportError:
    missing("psycopg2", "not installed")

UTC = datetime.timezone.utc


@pytest.fixture
def connect(lake):
    opened = []

    def connect(user="demo", **more):
        opened.append(psycopg2.connect(**{**lake.parameters(user), "connect_timeout": 10, **more}))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def cursor(connect):
    connection = connect()
    connection.autocommit = True
    return connection.cursor()


def value(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetchone()[0]


def test_start_up_reports_what_the_driver_reads(connect):
    connection = connect(application_name="suite")
    assert 150000 <= connection.server_version < 160000
    assert connection.get_parameter_status("standard_conforming_strings") == "on"
    assert connection.get_parameter_status("integer_datetimes") == "on"
    assert connection.get_parameter_status("application_name") == "suite"
    assert connection.get_parameter_status("DateStyle").startswith("ISO")
    assert connection.encoding == "UTF8"


VALUES = [
    ("int2", -32767),
    ("int4", 2147483647),
    ("int8", -9223372036854775807),
    ("float8", 1.5e-300),
    ("numeric", decimal.Decimal("-12345678901234567890.123456789")),
    ("text", "it's a \\ 'test' \n é 漢 🙂"),
    ("bool", True),
    ("bytea", b"\x00\xff'\\"),
    ("date", datetime.date(1, 1, 1)),
    ("date", datetime.date(9999, 12, 31)),
    ("time", datetime.time(23, 59, 59, 999999)),
    ("timestamp", datetime.datetime(2026, 2, 28, 1, 2, 3, 4)),
    ("timestamptz", datetime.datetime(2026, 2, 28, 1, 2, 3, 4, UTC)),
    ("interval", datetime.timedelta(days=-3, seconds=7, microseconds=8)),
    ("int4[]", [1, None, 3]),
    ("text[]", ["a,b", '"', None, "", "NULL"]),
    ("json", {"a": [1, None, "x"]}),
    ("jsonb", {"a": {"b": 2}}),
    ("uuid", "00000000-0000-0000-0000-00000000002a"),
    ("text", None),
]


@pytest.mark.parametrize("type_name, given", VALUES, ids=lambda v: str(v)[:24])
def test_a_value_comes_back_as_it_went(cursor, type_name, given):
    sent = psycopg2.extras.Json(given) if isinstance(given, dict) else given
    got = value(cursor, f"SELECT %s::{type_name}", (sent,))
    assert (bytes(got) if isinstance(got, memoryview) else got) == given


def test_uuids_are_adapted(cursor):
    psycopg2.extras.register_uuid(conn_or_curs=cursor)
    given = uuid.UUID(int=7)
    assert value(cursor, "SELECT %s", (given,)) == given


def test_rows_carry_names_and_types(cursor):
    cursor.execute(ROWS.format(limit=3))
    names = [column.name for column in cursor.description]
    assert names == ["event_id", "time", "action", "severity", "src_port", "mfa", "src_asn"]
    assert [column.type_code for column in cursor.description] == [25, 1184, 25, 21, 23, 16, 20]
    rows = cursor.fetchall()
    assert cursor.rowcount == 3 and len(rows) == 3
    assert rows[0][1].tzinfo is not None


def test_parameters_filter(cursor):
    total = value(cursor, "SELECT count(*) FROM cloudtrail")
    login = value(cursor, "SELECT count(*) FROM cloudtrail WHERE action = %s", ("ConsoleLogin",))
    other = value(cursor, "SELECT count(*) FROM cloudtrail WHERE action <> ALL(%s)", (["ConsoleLogin"],))
    both = value(cursor, "SELECT count(*) FROM cloudtrail WHERE action IN %s", (("ConsoleLogin", "GetObject"),))
    assert 0 < login < both < total and login + other == total


def test_a_named_cursor_fetches_in_parts(connect):
    with connect() as connection, connection.cursor(name="in parts") as named:
        named.itersize = 70
        named.execute(ROWS.format(limit=500))
        first = named.fetchmany(10)
        rest = list(named)
    with connect().cursor() as plain:
        plain.execute(ROWS.format(limit=500))
        assert first + rest == plain.fetchall()


def test_a_scrollable_cursor_moves_both_ways(connect):
    connection = connect()
    named = connection.cursor(name="scrolling", scrollable=True)
    named.execute("SELECT n FROM generate_series(1, 20) AS n")
    assert named.fetchmany(3) == [(1,), (2,), (3,)]
    named.scroll(5)
    assert named.fetchone() == (9,)
    named.scroll(0, mode="absolute")
    assert named.fetchone() == (1,)
    named.close()


def test_a_holdable_cursor_outlives_its_transaction(connect):
    connection = connect()
    named = connection.cursor(name="held", withhold=True)
    named.execute("SELECT n FROM generate_series(1, 5) AS n")
    connection.commit()
    assert named.fetchall() == [(1,), (2,), (3,), (4,), (5,)]
    named.close()


def test_copy_gives_the_rows(cursor):
    query = ROWS.format(limit=200)
    cursor.execute(query)
    rows = cursor.fetchall()
    text, csv = io.StringIO(), io.StringIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT", text)
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", csv)
    lines = text.getvalue().splitlines()
    assert len(lines) == len(rows)
    assert [line.split("\t")[0] for line in lines] == [row[0] for row in rows]
    ports = [line.split("\t")[4] for line in lines]
    assert ports == ["\\N" if row[4] is None else str(row[4]) for row in rows]
    head, *body = csv.getvalue().splitlines()
    assert head == "event_id,time,action,severity,src_port,mfa,src_asn" and len(body) == len(rows)


def test_copy_of_a_table(cursor):
    out = io.StringIO()
    cursor.copy_expert("COPY github (event_id, action) TO STDOUT", out)
    assert len(out.getvalue().splitlines()) == value(cursor, "SELECT count(*) FROM github")


@pytest.mark.product
def test_copy_into_a_table_is_refused(cursor):
    with pytest.raises((psycopg2.errors.ReadOnlySqlTransaction, psycopg2.errors.InsufficientPrivilege)):
        cursor.copy_expert("COPY okta FROM STDIN", io.StringIO("x"))
    assert value(cursor, "SELECT 1") == 1


@pytest.mark.parametrize(
    "sql, state, position",
    [
        ("SELEC 1", "42601", 1),
        ("SELECT nope FROM cloudtrail", "42703", 8),
        ("SELECT 1 FROM nope", "42P01", 15),
        ("SELECT nope(1)", "42883", 8),
        ("SELECT 1/0", "22012", None),
        ("SELECT 'x'::int4", "22P02", 8),
        ("SELECT '2026-13-01'::date", "22008", 8),
        ("SELECT 3000000000::int4", "22003", None),
        ("SELECT action, count(*) FROM cloudtrail", "42803", 8),
        ("FETCH 1 FROM nowhere", "34000", None),
        ("EXECUTE nothing", "26000", None),
        ("SHOW nothing", "42704", None),
        ("SET work_mem = 'much'", "22023", None),
        ("ROLLBACK TO SAVEPOINT nothing", "25P01", None),
    ],
)
def test_an_error_has_its_code_and_place(cursor, sql, state, position):
    with pytest.raises(psycopg2.Error) as caught:
        cursor.execute(sql)
    assert caught.value.pgcode == state, caught.value
    if position:
        assert caught.value.diag.statement_position == str(position)
    assert value(cursor, "SELECT 1") == 1


def test_a_failed_transaction_stays_failed_until_its_end(connect):
    connection = connect()
    cursor = connection.cursor()
    with pytest.raises(psycopg2.errors.UndefinedTable):
        cursor.execute("SELECT * FROM nope")
    assert connection.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_INERROR
    with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
        cursor.execute("SELECT 1")
    connection.rollback()
    assert value(cursor, "SELECT 1") == 1


def test_a_savepoint_rescues_a_transaction(connect):
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SAVEPOINT before")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        cursor.execute("SELECT 1/0")
    cursor.execute("ROLLBACK TO SAVEPOINT before")
    assert value(cursor, "SELECT 7") == 7
    cursor.execute("RELEASE SAVEPOINT before")
    connection.commit()


def test_a_batch_stops_at_its_first_error(cursor):
    with pytest.raises(psycopg2.errors.DivisionByZero):
        cursor.execute("SET application_name = 'first'; SELECT 1/0; SET application_name = 'second'")
    assert value(cursor, "SHOW application_name") != "second"


def test_settings_are_set_shown_and_reset(cursor):
    cursor.execute("SET statement_timeout = '5s'")
    assert value(cursor, "SHOW statement_timeout") == "5s"
    assert value(cursor, "SELECT current_setting('statement_timeout')") == "5s"
    cursor.execute("RESET statement_timeout")
    assert value(cursor, "SHOW statement_timeout") != "5s"
    cursor.execute("SET TIME ZONE 'America/New_York'")
    assert value(cursor, "SELECT '2026-01-01 12:00:00+00'::timestamptz::text") == "2026-01-01 07:00:00-05"
    cursor.execute("DISCARD ALL")
    assert value(cursor, "SELECT '2026-01-01 12:00:00+00'::timestamptz::text") == "2026-01-01 12:00:00+00"


def test_set_local_ends_with_the_transaction(connect):
    connection = connect()
    cursor = connection.cursor()
    before = value(cursor, "SHOW statement_timeout")
    cursor.execute("SET LOCAL statement_timeout = '1234ms'")
    assert value(cursor, "SHOW statement_timeout") == "1234ms"
    connection.commit()
    assert value(cursor, "SHOW statement_timeout") == before


def test_isolation_and_read_only_can_be_asked_for(connect):
    connection = connect()
    connection.set_session(isolation_level="SERIALIZABLE", readonly=True)
    cursor = connection.cursor()
    assert value(cursor, "SHOW transaction_isolation") == "serializable"
    assert value(cursor, "SHOW transaction_read_only") == "on"


def test_reset_makes_a_session_new(connect):
    connection = connect()
    connection.cursor().execute("SET statement_timeout = '7s'")
    connection.reset()
    assert value(connection.cursor(), "SHOW statement_timeout") != "7s"


def test_cancel_stops_a_running_statement(connect):
    connection = connect()
    started = time.monotonic()
    threading.Timer(0.5, connection.cancel).start()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        connection.cursor().execute(HEAVY)
    assert time.monotonic() - started < 2
    connection.rollback()
    assert value(connection.cursor(), "SELECT 1") == 1


def test_cancel_stops_a_streaming_statement(connect):
    connection = connect("wide")
    named = connection.cursor(name="streaming")
    named.execute(STREAM)
    assert len(named.fetchmany(10)) == 10
    threading.Timer(0.3, connection.cancel).start()
    started = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        named.fetchall()
    assert time.monotonic() - started < 2


def test_a_statement_runs_out_of_time(cursor):
    cursor.execute("SET statement_timeout = '400ms'")
    started = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        cursor.execute(HEAVY)
    assert 0.3 < time.monotonic() - started < 1.5


def test_execute_values_and_batches_are_reads_too(cursor):
    psycopg2.extras.execute_batch(cursor, "SELECT %s", [(1,), (2,), (3,)])
    assert cursor.fetchone()[0] == 3


def test_rows_as_dictionaries(connect):
    with connect().cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SELECT outcome, count(*) AS events FROM cloudtrail GROUP BY outcome ORDER BY events DESC")
        rows = cursor.fetchall()
    assert {"outcome", "events"} == set(rows[0]) and len(rows) >= 2
