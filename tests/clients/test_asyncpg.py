"""asyncpg: binary values only, introspection of types, cursors, pools."""

import asyncio
import datetime
import decimal
import io
import uuid

import pytest

from conftest import missing
from statements import HEAVY, ROWS, STREAM

try:
    import asyncpg
except ImportError:
    missing("asyncpg", "not installed")

UTC = datetime.timezone.utc


@pytest.fixture
def run(lake):
    """Runs a coroutine function with a connection of its own."""

    def run(body, user="demo", **more):
        async def session():
            connection = await asyncpg.connect(**arguments(lake, user), timeout=20, **more)
            try:
                return await asyncio.wait_for(body(connection), 20)
            finally:
                connection.terminate()

        return asyncio.run(session())

    return run


def arguments(lake, user="demo"):
    given = lake.parameters(user)
    given["database"] = given.pop("dbname")
    return given


VALUES = [
    ("int2", -1),
    ("int4", 42),
    ("int8", 2**40),
    ("oid", 1184),
    ("float4", 0.25),
    ("float8", -1e-5),
    ("numeric", decimal.Decimal("12345.678900")),
    ("text", "é漢🙂"),
    ("varchar", "v"),
    ("bool", True),
    ("bytea", b"\x00\x01"),
    ("date", datetime.date(2026, 2, 28)),
    ("time", datetime.time(12, 30, 0, 5)),
    ("timestamp", datetime.datetime(2026, 1, 1, 0, 0, 0, 1)),
    ("timestamptz", datetime.datetime(2026, 1, 1, tzinfo=UTC)),
    ("interval", datetime.timedelta(days=2, hours=-3)),
    ("uuid", uuid.UUID(int=5)),
    ("json", '{"a": 1}'),
    ("jsonb", '{"a": 1}'),
    ("int4[]", [1, None]),
    ("text[]", ["x", None, ""]),
    ("float8[]", []),
    ("text", None),
    ("interval", None),
]


@pytest.mark.parametrize("type_name, given", VALUES, ids=lambda v: str(v)[:24])
def test_a_value_comes_back_as_it_went(run, type_name, given):
    assert run(lambda c: c.fetchval(f"SELECT $1::{type_name}", given)) == given


def test_parameter_types_are_inferred(run):
    async def body(c):
        limited = await c.prepare("SELECT event_id FROM cloudtrail WHERE action = $1 LIMIT $2")
        kinds = [kind.name for kind in limited.get_parameters()]
        rows = await limited.fetch("ConsoleLogin", 3)
        by_array = await c.fetchval("SELECT count(*) FROM cloudtrail WHERE action = ANY($1)", ["ConsoleLogin"])
        by_name = await c.fetchval("SELECT count(*) FROM cloudtrail WHERE action = $1", "ConsoleLogin")
        since = await c.fetchval('SELECT count(*) FROM cloudtrail WHERE "time" > $1', datetime.datetime(2020, 1, 1, tzinfo=UTC))
        between = await c.fetchval("SELECT count(*) FROM cloudtrail WHERE severity BETWEEN $1 AND $2", 0, 5)
        return kinds, len(rows), by_array == by_name, since, between

    kinds, rows, same, since, between = run(body)
    assert kinds == ["text", "int8"] and rows == 3 and same and since > 0 and between > 0


def test_attributes_of_a_prepared_statement(run):
    async def body(c):
        statement = await c.prepare(ROWS.format(limit=1))
        return [(a.name, a.type.name) for a in statement.get_attributes()]

    assert run(body)[:4] == [("event_id", "text"), ("time", "timestamptz"), ("action", "text"), ("severity", "int2")]


def test_a_cursor_streams_in_parts(run):
    async def body(c):
        rows = []
        async with c.transaction():
            async for row in c.cursor(ROWS.format(limit=300), prefetch=40):
                rows.append(tuple(row))
        return rows, [tuple(row) for row in await c.fetch(ROWS.format(limit=300))]

    streamed, fetched = run(body)
    assert streamed == fetched and len(fetched) == 300


def test_a_cursor_moves(run):
    async def body(c):
        async with c.transaction():
            cursor = await c.cursor("SELECT n FROM generate_series(1, 20) AS n")
            await cursor.forward(5)
            return [row[0] for row in await cursor.fetch(2)]

    assert run(body) == [6, 7]


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_copy_from_query(run, form):
    async def body(c):
        out = io.BytesIO()
        query = ROWS.format(limit=120)
        status = await c.copy_from_query(query, output=out, format=form)
        return status, out.getvalue()

    status, data = run(body)
    assert status == "COPY 120"
    if form == "binary":
        assert data.startswith(b"PGCOPY\n\xff\r\n\x00") and data.endswith(b"\xff\xff")
    else:
        assert data.count(b"\n") == 120


def test_copy_with_a_parameter(run):
    async def body(c):
        out = io.BytesIO()
        return await c.copy_from_query("SELECT event_id FROM cloudtrail WHERE action <> $1 LIMIT 9", "x", output=out)

    assert run(body) == "COPY 9"


def test_nested_transactions(run):
    async def body(c):
        async with c.transaction():
            try:
                async with c.transaction():
                    await c.fetchval("SELECT 1/0")
            except asyncpg.DivisionByZeroError:
                pass
            return await c.fetchval("SELECT 11")

    assert run(body) == 11


def test_a_timeout_of_the_driver_cancels(run):
    async def body(c):
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(asyncio.TimeoutError):
            await c.fetchval(HEAVY, timeout=0.5)
        taken = loop.time() - started
        return taken, await c.fetchval("SELECT 1")

    taken, alive = run(body)
    assert taken < 2 and alive == 1


def test_a_task_is_cancelled_while_rows_stream(run):
    async def body(c):
        task = asyncio.create_task(c.execute(STREAM))
        await asyncio.sleep(0.4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await c.fetchval("SELECT 1", timeout=5)

    assert run(body, user="wide") == 1


def test_errors_have_their_class(run):
    async def body(c):
        found = []
        for sql in ("SELECT nope FROM okta", "SELECT * FROM nope", "SELECT nope()", "SELEC"):
            with pytest.raises(asyncpg.PostgresError) as caught:
                await c.fetch(sql)
            found.append(caught.value.sqlstate)
        return found

    assert run(body) == ["42703", "42P01", "42883", "42601"]


def test_a_wrong_argument_is_refused_by_the_driver(run):
    async def body(c):
        with pytest.raises(asyncpg.DataError):
            await c.fetchval("SELECT $1::int4", "no number")
        return await c.fetchval("SELECT 1")

    assert run(body) == 1


def test_a_pool_resets_its_connections(lake):
    async def body():
        async with asyncpg.create_pool(**arguments(lake), min_size=1, max_size=1) as pool:
            async with pool.acquire() as c:
                await c.execute("SET statement_timeout = '9s'")
            async with pool.acquire() as c:
                return await c.fetchval("SHOW statement_timeout")

    assert asyncio.run(body()) != "9s"


def test_many_sessions_at_once(lake):
    async def body():
        async with asyncpg.create_pool(**arguments(lake), min_size=10, max_size=20) as pool:
            return await asyncio.gather(*(pool.fetchval("SELECT count(*) + $1 FROM okta", n) for n in range(100)))

    counts = asyncio.run(body())
    assert [count - counts[0] for count in counts] == list(range(100))


def test_server_settings_at_connect(run):
    settings = {"application_name": "suite", "TimeZone": "Asia/Tokyo"}
    got = run(lambda c: c.fetchrow("SELECT current_setting('application_name'), current_setting('TimeZone')"), server_settings=settings)
    assert tuple(got) == ("suite", "Asia/Tokyo")


def test_notices_reach_a_listener(run):
    async def body(c):
        seen = []
        c.add_log_listener(lambda _, message: seen.append(message.sqlstate))
        await c.execute("ROLLBACK")
        await asyncio.sleep(0.05)
        return seen

    assert run(body) == ["25P01"]


def test_several_statements_in_one_execute(run):
    assert run(lambda c: c.execute("SET TIME ZONE 'UTC'; SELECT 1; SHOW TimeZone")) == "SHOW"
