"""Bytes that no client sends: each gets a clear error, and nobody else is disturbed."""

import contextlib
import struct
from random import Random

import psycopg
import pytest

import wire


@pytest.fixture(autouse=True)
def nobody_is_disturbed(lake):
    """A session that is open before keeps working after."""
    with psycopg.connect(**lake.parameters(), autocommit=True) as bystander:
        before = bystander.execute("SELECT count(*) FROM okta").fetchone()
        yield
        assert bystander.execute("SELECT count(*) FROM okta").fetchone() == before


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 500,
        b"\0" * 64,
        b"\xff" * 64,
        struct.pack("!ii", 2**31 - 1, 3 << 16) + b"user\0",
        struct.pack("!ii", -5, 3 << 16),
        struct.pack("!ii", 8, 1 << 16),
        struct.pack("!ii", 7, 3 << 16),
        wire.startup(user="demo")[:-1] + b"x",
    ],
    ids=["http", "tls hello", "zeros", "ones", "2 GB start-up", "negative length", "protocol 1", "too short", "unterminated"],
)
def test_garbage_at_the_start_ends_the_connection(lake, data):
    with wire.Socket(lake.port, timeout=20) as raw:
        finish(raw, data)
        assert raw.is_closed()


def finish(raw, data):
    """Sends the last that this side has to say. The server may have closed before."""
    with contextlib.suppress(OSError):
        raw.send(data)
        raw.socket.shutdown(1)


def test_random_bytes_at_the_start(lake):
    random = Random(1)
    for _ in range(40):
        with wire.Socket(lake.port, timeout=20) as raw:
            finish(raw, random.randbytes(200))
            assert raw.is_closed()


def test_half_a_start_up_packet_holds_nothing_up(lake):
    waiting = [wire.Socket(lake.port) for _ in range(30)]
    for raw in waiting:
        raw.send(wire.startup(user="demo", database="lake")[:9])
    with wire.Socket(lake.port) as raw:
        assert raw.log_in()[-1] == (b"Z", b"I")
    for raw in waiting:
        raw.socket.close()


@pytest.mark.parametrize("length", [2**31 - 1, 3, 0, -1], ids=["2 GB", "3", "0", "negative"])
@pytest.mark.parametrize("kind", [b"Q", b"P", b"X", b"\x00", b"z"], ids=["Query", "Parse", "Terminate", "NUL", "unknown"])
def test_a_message_of_an_impossible_length(lake, kind, length):
    with wire.Socket(lake.port, timeout=20) as raw:
        raw.log_in()
        finish(raw, kind + struct.pack("!i", length) + b"SELECT")
        assert raw.is_closed()


@pytest.mark.parametrize(
    "data, state",
    [
        (wire.message(b"z", b"abc"), "08P01"),
        (wire.message(b"Q", b"SELECT 1"), "08P01"),
        (wire.message(b"P", b"\0SELECT 1\0"), "08P01"),
        (wire.message(b"B", b"\0\0\0\1"), "08P01"),
        (wire.message(b"Q", b"SELECT '\xff\xfe'\0"), "22021"),
    ],
    ids=["unknown kind", "Query without its end", "half a Parse", "half a Bind", "invalid UTF-8"],
)
def test_a_malformed_message_is_named(lake, data, state):
    with wire.Socket(lake.port) as raw:
        raw.log_in()
        raw.send(data + wire.SYNC)
        assert raw.error()["C"] == state


@pytest.mark.parametrize(
    "data, state",
    [
        (wire.bind(statement=b"nothing"), "26000"),
        (wire.execute(b"nothing"), "34000"),
        (wire.describe(b"S", b"nothing"), "26000"),
        (wire.describe(b"P", b"nothing"), "34000"),
        (wire.parse("SELECT $1::int4") + wire.bind(values=[]), "08P01"),
        (wire.parse("SELECT $1::int4") + wire.bind(values=[b"x"]) + wire.execute(), "22P02"),
        (wire.parse("SELECT 1; SELECT 2"), "42601"),
        (wire.parse("SELECT 1", b"twice") + wire.parse("SELECT 2", b"twice"), "42P05"),
    ],
    ids=["bind", "execute", "describe statement", "describe portal", "too few values", "bad value", "two statements", "name taken"],
)
def test_messages_in_a_wrong_order(lake, data, state):
    with wire.Socket(lake.port) as raw:
        raw.log_in()
        raw.send(data + wire.parse("SELECT 1") + wire.bind() + wire.execute() + wire.SYNC)
        found = raw.until_ready()
        errors = [wire.fields(body)["C"] for kind, body in found if kind == b"E"]
        assert errors == [state]
        assert all(kind != b"D" for kind, _ in found), "everything up to Sync is skipped"
        assert any(kind == b"D" for kind, _ in raw.query("SELECT 1"))


def test_messages_of_a_login_after_the_login(lake):
    with wire.Socket(lake.port) as raw:
        raw.log_in()
        raw.send(wire.message(b"p", b"secret\0"))
        assert raw.error()["C"] == "08P01"


def test_a_query_before_the_login(lake):
    with wire.Socket(lake.port) as raw:
        finish(raw, wire.message(b"Q", b"SELECT 1\0"))
        assert raw.is_closed()


def test_ssl_and_gss_requests(lake):
    with wire.Socket(lake.port) as raw:
        raw.send(struct.pack("!ii", 8, wire.GSS))
        assert raw.receive(1) == b"N"
        assert raw.log_in()[-1] == (b"Z", b"I")


def test_protocol_options_that_are_unknown_are_negotiated(lake):
    with wire.Socket(lake.port) as raw:
        found = raw.log_in(**{"_pq_.future": "1"})
        negotiated = [body for kind, body in found if kind == b"v"]
        assert len(negotiated) == 1 and b"_pq_.future" in negotiated[0]


@pytest.mark.parametrize("minor", [2, 9999])
def test_newer_protocols_are_negotiated(lake, minor):
    with wire.Socket(lake.port) as raw:
        raw.send(wire.startup((3 << 16) | minor, user="demo", database="lake"))
        assert raw.until_ready()[-1] == (b"Z", b"I")
        assert len(raw.key) >= 8


def test_what_a_start_up_tells(lake):
    with wire.Socket(lake.port) as raw:
        raw.log_in()
        expected = {
            "client_encoding": "UTF8", "DateStyle": "ISO, MDY", "integer_datetimes": "on", "IntervalStyle": "postgres",
            "is_superuser": "off", "server_encoding": "UTF8", "standard_conforming_strings": "on", "session_authorization": "demo",
        }
        if not lake.is_mantissa:
            expected["is_superuser"] = "on"
        assert {name: raw.parameters.get(name) for name in expected} == expected
        assert raw.parameters["server_version"].startswith("15")


@pytest.mark.parametrize(
    "parameters, state",
    [
        ({"database": "nowhere"}, "3D000"),
        ({"DateStyle": "nonsense"}, "22023"),
        ({"client_encoding": "KLINGON"}, "22023"),
    ],
    ids=["database", "setting", "encoding"],
)
def test_a_start_up_that_cannot_be_served(lake, parameters, state):
    with wire.Socket(lake.port) as raw:
        raw.send(wire.startup(**{"user": "demo", "database": "lake", **parameters}))
        told = raw.error()
        assert told["C"] == state and told["S"] == "FATAL"
        assert raw.is_closed()


def test_an_empty_query(lake):
    with wire.Socket(lake.port) as raw:
        raw.log_in()
        assert [kind for kind, _ in raw.query("")] == [b"I", b"Z"]
        assert [kind for kind, _ in raw.query(" ; -- nothing\n")] == [b"I", b"Z"]


def test_portals_suspend(lake):
    with wire.Socket(lake.port) as raw:
        raw.log_in()
        raw.send(wire.parse("SELECT n FROM generate_series(1, 25) AS n") + wire.bind() + wire.describe())
        raw.send(wire.execute(rows=10) * 3 + wire.SYNC)
        kinds = b"".join(kind for kind, _ in raw.until_ready())
        assert kinds == b"12T" + b"D" * 10 + b"s" + b"D" * 10 + b"s" + b"D" * 5 + b"C" + b"Z"


def test_a_statement_of_a_megabyte(lake):
    with psycopg.connect(**lake.parameters(), autocommit=True) as connection:
        text = "x" * (1 << 20)
        assert connection.execute(f"SELECT length('{text}')").fetchone()[0] == 1 << 20
        assert connection.execute("SELECT length(%s::text)", (text,)).fetchone()[0] == 1 << 20
