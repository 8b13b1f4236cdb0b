"""psycopg 3: the extended protocol with text and binary values, server-side cursors, pipelines, binary COPY."""

import asyncio
import datetime
import decimal
import threading
import time
import uuid

import pytest

from conftest import missing
from statements import HEAVY, ROWS, STREAM

try:
    import psycopg
    from psycopg import errors
    from psycopg.types.json import Json, Jsonb
except ImportError:
    missing("psycopg", "not installed")

UTC = datetime.timezone.utc


@pytest.fixture
def connect(lake):
    opened = []

    def connect(user="demo", **more):
        given = {**lake.parameters(user), "connect_timeout": 10, "autocommit": True, **more}
        opened.append(psycopg.connect(**given))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def connection(connect):
    return connect()


def value(connection, sql, parameters=None, **more):
    return connection.execute(sql, parameters, **more).fetchone()[0]


VALUES = [
    ("int2", 32767),
    ("int4", -2147483648),
    ("int8", 9223372036854775807),
    ("oid", 4294967295),
    ("float4", 0.5),
    ("float8", 1e300),
    ("float8", float("inf")),
    ("numeric", decimal.Decimal("0.000000000000000000001")),
    ("numeric", decimal.Decimal("98765432109876543210987654321098765432109876543210")),
    ("numeric", decimal.Decimal("-0.10")),
    ("text", "é 漢 🙂 ' \\ \t"),
    ("text", ""),
    ("varchar", "short"),
    ("name", "pg_class"),
    ("bool", False),
    ("bytea", bytes(range(256))),
    ("date", datetime.date(2000, 1, 1)),
    ("date", datetime.date(1, 1, 1)),
    ("time", datetime.time(0, 0, 0, 1)),
    ("timestamp", datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)),
    ("timestamptz", datetime.datetime(2026, 11, 18, 15, 42, 0, 123456, UTC)),
    ("interval", datetime.timedelta(days=400, hours=5, microseconds=1)),
    ("uuid", uuid.UUID(int=2**127)),
    ("int4[]", [1, 2, None]),
    ("int8[]", []),
    ("text[]", ["a", None, '"quoted"', "{}", ","]),
    ("timestamptz[]", [datetime.datetime(2026, 1, 1, tzinfo=UTC)]),
    ("bool[]", [True, False]),
    ("int4", None),
]


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("type_name, given", VALUES, ids=lambda v: str(v)[:24])
def test_a_value_comes_back_as_it_went(connection, type_name, given, binary):
    holder = "%b" if binary and given is not None else "%s"
    cursor = connection.cursor(binary=binary)
    assert cursor.execute(f"SELECT {holder}::{type_name}", (given,)).fetchone()[0] == given


@pytest.mark.parametrize("wrap, type_name", [(Json, "json"), (Jsonb, "jsonb")])
def test_json_comes_back_as_it_went(connection, wrap, type_name):
    given = {"a": [1, 2.5, None, {"b": "é"}]}
    assert value(connection, f"SELECT %s::{type_name}", (wrap(given),)) == given
    assert value(connection, f"SELECT %b::{type_name}", (wrap(given),), binary=True) == given


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_columns_of_a_table_in_both_formats(connection, binary):
    rows = connection.execute(ROWS.format(limit=300)).fetchall()
    assert connection.execute(ROWS.format(limit=300), binary=binary).fetchall() == rows


def test_limit_and_any_take_parameters(connection):
    assert len(connection.execute("SELECT event_id FROM cloudtrail LIMIT %s", (5,)).fetchall()) == 5
    assert len(connection.execute("SELECT event_id FROM cloudtrail LIMIT %s OFFSET %s", (5, 2)).fetchall()) == 5
    actions = ["ConsoleLogin", "GetObject"]
    counted = value(connection, "SELECT count(*) FROM cloudtrail WHERE action = ANY(%s)", (actions,))
    assert counted == value(connection, "SELECT count(*) FROM cloudtrail WHERE action IN ('ConsoleLogin', 'GetObject')")


def test_a_time_range_takes_parameters(connection):
    first, last = connection.execute('SELECT min("time"), max("time") FROM cloudtrail').fetchone()
    middle = first + (last - first) / 2
    sql = 'SELECT count(*) FROM cloudtrail WHERE "time" >= %s AND "time" < %s'
    early, late = value(connection, sql, (first, middle)), value(connection, sql, (middle, last + datetime.timedelta(1)))
    assert early > 0 and late > 0
    assert early + late == value(connection, "SELECT count(*) FROM cloudtrail")


def test_a_statement_is_prepared_and_reused(connection):
    for number in range(12):
        assert value(connection, "SELECT %s::int4 + 1", (number,), prepare=True) == number + 1
    prepared = value(connection, "SELECT count(*) FROM pg_prepared_statements")
    assert prepared >= 1
    connection.execute("DEALLOCATE ALL")
    assert value(connection, "SELECT count(*) FROM pg_prepared_statements") == 0


def test_prepare_and_execute_in_sql(connection):
    connection.execute("PREPARE by_action (text) AS SELECT count(*) FROM cloudtrail WHERE action = $1")
    expected = value(connection, "SELECT count(*) FROM cloudtrail WHERE action = 'ConsoleLogin'")
    assert value(connection, "EXECUTE by_action ('ConsoleLogin')") == expected
    connection.execute("DEALLOCATE by_action")
    with pytest.raises(errors.InvalidSqlStatementName):
        connection.execute("EXECUTE by_action ('ConsoleLogin')")


def test_a_prepared_statement_stays_in_its_session(connect):
    first, second = connect(), connect()
    first.execute("PREPARE mine AS SELECT 1")
    with pytest.raises(errors.InvalidSqlStatementName):
        second.execute("EXECUTE mine")


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_a_server_side_cursor_fetches_in_parts(connect, binary):
    connection = connect(autocommit=False)
    with connection.cursor("parts", binary=binary) as cursor:
        cursor.itersize = 33
        cursor.execute(ROWS.format(limit=200))
        rows = cursor.fetchmany(7) + list(cursor)
    assert rows == connection.execute(ROWS.format(limit=200)).fetchall()


def test_declare_fetch_move_close(connection):
    def numbers(sql):
        return [row[0] for row in connection.execute(sql).fetchall()]

    with connection.transaction():
        connection.execute("DECLARE c SCROLL CURSOR FOR SELECT n FROM generate_series(1, 10) AS n")
        assert numbers("FETCH 2 FROM c") == [1, 2]
        assert connection.execute("MOVE FORWARD 3 IN c").statusmessage == "MOVE 3"
        assert numbers("FETCH NEXT FROM c") == [6]
        assert numbers("FETCH PRIOR FROM c") == [5]
        assert numbers("FETCH LAST FROM c") == [10]
        assert numbers("FETCH ABSOLUTE 4 FROM c") == [4]
        assert numbers("FETCH RELATIVE -2 FROM c") == [2]
        assert numbers("FETCH ALL FROM c") == [3, 4, 5, 6, 7, 8, 9, 10]
        assert value(connection, "SELECT count(*) FROM pg_cursors WHERE name = 'c'") == 1
        connection.execute("CLOSE c")
        assert value(connection, "SELECT count(*) FROM pg_cursors") == 0
    with pytest.raises(errors.NoActiveSqlTransaction):
        connection.execute("DECLARE c CURSOR FOR SELECT 1")


def test_a_cursor_ends_with_its_transaction(connection):
    with connection.transaction():
        connection.execute("DECLARE c CURSOR FOR SELECT 1")
    with pytest.raises(errors.InvalidCursorName):
        connection.execute("FETCH 1 FROM c")


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_copy_gives_the_rows(connection, form):
    query = ROWS.format(limit=250)
    rows = connection.execute(query).fetchall()
    with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT {form})") as copy:
        if form == "csv":
            assert b"".join(copy).count(b"\n") == len(rows)
            return
        copy.set_types(["text", "timestamptz", "text", "int2", "int4", "bool", "int8"])
        assert list(copy.rows()) == rows


def test_copy_can_be_left_half_read(connect):
    connection = connect("wide")
    with pytest.raises(ZeroDivisionError):
        with connection.cursor().copy(f"COPY ({STREAM}) TO STDOUT") as copy:
            next(iter(copy))
            raise ZeroDivisionError
    connection.close()


def test_rows_stream_one_by_one(connect):
    connection = connect("wide")
    seen = 0
    for _ in connection.cursor().stream(STREAM + " LIMIT 20000"):
        seen += 1
    assert seen == 20000


def test_pipeline(connection):
    with connection.pipeline() as pipeline:
        first, second = connection.execute("SELECT 1"), connection.execute("SELECT %s::text", ("two",))
        pipeline.sync()
        third = connection.execute("SELECT 3")
    assert [cursor.fetchone()[0] for cursor in (first, second, third)] == [1, "two", 3]


def test_a_pipeline_skips_to_sync_after_an_error(connection):
    with pytest.raises(errors.DivisionByZero):
        with connection.pipeline() as pipeline:
            connection.execute("SELECT 1/0")
            connection.execute("SELECT 2")
            pipeline.sync()
    assert value(connection, "SELECT 3") == 3


def test_nested_blocks_are_savepoints(connect):
    connection = connect(autocommit=False)
    with connection.transaction():
        with pytest.raises(errors.DivisionByZero):
            with connection.transaction():
                connection.execute("SELECT 1/0")
        assert value(connection, "SELECT 5") == 5
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_failed_transaction(connect):
    connection = connect(autocommit=False)
    with pytest.raises(errors.UndefinedColumn):
        connection.execute("SELECT nope FROM okta")
    with pytest.raises(errors.InFailedSqlTransaction):
        connection.execute("SELECT 1")
    assert connection.execute("COMMIT").statusmessage == "ROLLBACK"


def test_an_error_carries_all_its_parts(connection):
    with pytest.raises(errors.UndefinedColumn) as caught:
        connection.execute("SELECT actr_name FROM logs.cloudtrail")
    diag = caught.value.diag
    assert diag.severity == "ERROR" and diag.severity_nonlocalized == "ERROR"
    assert diag.message_primary == 'column "actr_name" does not exist'
    assert diag.statement_position == "8"
    assert "actor_name" in (diag.message_hint or "")


def test_notices_reach_the_client(connection):
    seen = []
    connection.add_notice_handler(lambda diag: seen.append((diag.severity, diag.sqlstate)))
    connection.execute("COMMIT")
    assert seen == [("WARNING", "25P01")]


def test_parameter_status_follows_settings(connection):
    connection.execute("SET TIME ZONE 'Europe/Berlin'")
    assert connection.info.parameter_status("TimeZone") == "Europe/Berlin"
    got = value(connection, "SELECT '2026-07-01 00:00:00+00'::timestamptz")
    assert got.utcoffset() == datetime.timedelta(hours=2)
    connection.execute("RESET TIME ZONE")
    assert connection.info.parameter_status("TimeZone") in ("UTC", "Etc/UTC", "GMT")


def test_options_of_the_connection_string(connect):
    connection = connect(options="-c statement_timeout=4321 -c search_path=logs")
    assert value(connection, "SHOW statement_timeout") == "4321ms"
    assert value(connection, "SHOW search_path") == "logs"


def test_type_information_is_read(connection):
    info = psycopg.types.TypeInfo.fetch(connection, "timestamptz")
    assert info.oid == 1184 and info.array_oid == 1185


def test_search_path_decides_what_a_bare_name_means(connection):
    connection.execute("SET search_path = pg_catalog")
    with pytest.raises(errors.UndefinedTable):
        connection.execute("SELECT 1 FROM cloudtrail")
    connection.execute("SET search_path = logs")
    assert value(connection, "SELECT count(*) > 0 FROM cloudtrail")


def test_multiple_results_of_one_batch(connection):
    cursor = connection.execute("SELECT 1; SELECT 'two'; SHOW client_encoding")
    found = [cursor.fetchone()[0]]
    while cursor.nextset():
        found.append(cursor.fetchone()[0])
    assert found == [1, "two", "UTF8"]


def test_cancel_stops_a_running_statement(connection):
    threading.Timer(0.5, connection.cancel).start()
    started = time.monotonic()
    with pytest.raises(errors.QueryCanceled):
        connection.execute(HEAVY)
    assert time.monotonic() - started < 2
    assert value(connection, "SELECT 1") == 1


def test_a_prepared_statement_runs_out_of_time(connection):
    connection.execute("SET statement_timeout = '400ms'")
    started = time.monotonic()
    with pytest.raises(errors.QueryCanceled):
        connection.execute(HEAVY + " AND a.action <> %s", ("x",), prepare=True)
    assert time.monotonic() - started < 1.5


def test_asynchronous_connections(lake):
    async def ask():
        async with await psycopg.AsyncConnection.connect(**lake.parameters()) as connection:
            cursor = await connection.execute("SELECT count(*) FROM okta")
            return (await cursor.fetchone())[0]

    async def all_at_once():
        return await asyncio.gather(*(ask() for _ in range(20)))

    counts = asyncio.run(all_at_once())
    assert len(set(counts)) == 1 and counts[0] > 0
