"""Sessions beside each other: cancel, terminate, activity, clients that vanish, limits and the end of the server."""

import os
import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from psycopg import errors

import servers
import wire
from statements import HEAVY, STREAM


@pytest.fixture
def connect(lake):
    opened = []

    def connect(user="demo", server=lake, **more):
        opened.append(psycopg.connect(**{**server.parameters(user), "connect_timeout": 10, "autocommit": True, **more}))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def in_background(body):
    """Runs `body` in a thread; joining gives its result or error."""
    outcome = {}

    def run():
        try:
            outcome["result"] = body()
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def join(seconds):
        thread.join(seconds)
        assert not thread.is_alive(), f"not within {seconds} s"
        return outcome

    return join


def active(connection, pid):
    row = connection.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone()
    return row and row[0]


def test_activity_shows_a_running_statement(connect):
    busy, watcher = connect(application_name="busy"), connect()
    pid = busy.info.backend_pid
    join = in_background(lambda: busy.execute(HEAVY))
    servers.wait_until(lambda: active(watcher, pid) == "active", 5, "an active session")
    row = watcher.execute(
        "SELECT usename, datname, application_name, query, backend_start <= now(), client_addr::text FROM pg_stat_activity WHERE pid = %s", (pid,)
    ).fetchone()
    assert row[0] == "demo" and row[1] == "lake" and row[2] == "busy" and row[3].startswith("SELECT count(*)")
    assert row[4] and row[5].startswith("127.0.0.1")
    assert watcher.execute("SELECT pg_cancel_backend(%s)", (pid,)).fetchone()[0] is True
    assert isinstance(join(2)["error"], errors.QueryCanceled)
    assert active(watcher, pid) == "idle"


def test_pg_backend_pid_is_the_one_of_the_protocol(connect):
    connection = connect()
    assert connection.execute("SELECT pg_backend_pid()").fetchone()[0] == connection.info.backend_pid


def test_pg_cancel_backend_of_nobody_is_false(connect):
    assert connect().execute("SELECT pg_cancel_backend(1)").fetchone()[0] is False


def test_pg_terminate_backend_ends_a_session(connect):
    victim, other = connect(), connect()
    join = in_background(lambda: victim.execute(HEAVY))
    servers.wait_until(lambda: active(other, victim.info.backend_pid) == "active", 5, "an active session")
    assert other.execute("SELECT pg_terminate_backend(%s)", (victim.info.backend_pid,)).fetchone()[0] is True
    assert isinstance(join(2)["error"], (errors.AdminShutdown, psycopg.OperationalError))
    servers.wait_until(lambda: active(other, victim.info.backend_pid) is None, 3, "no such session")


@pytest.mark.product
def test_only_admins_end_other_users_sessions(connect):
    victim = connect("ann")
    with pytest.raises(errors.InsufficientPrivilege):
        connect("otto").execute("SELECT pg_terminate_backend(%s)", (victim.info.backend_pid,))
    with pytest.raises(errors.InsufficientPrivilege):
        connect("otto").execute("SELECT pg_cancel_backend(%s)", (victim.info.backend_pid,))
    assert connect("boss").execute("SELECT pg_terminate_backend(%s)", (victim.info.backend_pid,)).fetchone()[0] is True


def test_a_forged_cancel_request_does_nothing(lake, connect):
    busy = connect()
    join = in_background(lambda: busy.execute("SET statement_timeout = '1500ms'; " + HEAVY))
    for key in (0, 1, -1, 12345678):
        with wire.Socket(lake.port) as raw:
            raw.send(wire.struct.pack("!iiii", 16, wire.CANCEL, busy.info.backend_pid, key))
            assert raw.is_closed()
    error = join(5)["error"]
    assert isinstance(error, errors.QueryCanceled) and "timeout" in str(error)


KILLED = """
import sys, psycopg
connection = psycopg.connect(sys.argv[1], autocommit=True)
print(connection.info.backend_pid, flush=True)
rows = connection.cursor().stream(sys.argv[2]) if sys.argv[3] == "stream" else iter(connection.execute(sys.argv[2]))
seen = 0
for row in rows:
    seen += 1
    if seen == 100:
        print("streaming", flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["stream", "compute"])
def test_a_killed_client_stops_its_statement(lake, connect, how):
    watcher = connect()
    target = psycopg.conninfo.make_conninfo(**lake.parameters("wide"))
    sql = STREAM if how == "stream" else HEAVY
    client = subprocess.Popen(
        [sys.executable, "-c", KILLED, target, sql, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pid = int(client.stdout.readline())
    if how == "stream":
        assert client.stdout.readline().strip() == "streaming"
    else:
        servers.wait_until(lambda: visible(lake, pid) == "active", 5, "an active session")
    client.send_signal(signal.SIGKILL)
    client.wait()
    servers.wait_until(lambda: visible(lake, pid) is None, 3, "the session of a killed client is gone")
    assert watcher.execute("SELECT 1").fetchone()[0] == 1
    assert idles(lake), "the server still works for nobody"


def visible(lake, pid):
    user = "boss" if lake.is_mantissa else "demo"
    with psycopg.connect(**lake.parameters(user), autocommit=True) as connection:
        return active(connection, pid)


def idles(lake):
    """Whether the server takes less than a quarter of a core within the next second or two."""

    def ticks():
        pids = [lake.server.pid] if lake.is_mantissa else []
        return sum(sum(map(int, open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:13])) for pid in pids)

    for _ in range(4):
        before = ticks()
        time.sleep(0.5)
        if ticks() - before < os.sysconf("SC_CLK_TCK") // 8:
            return True
    return False


@pytest.mark.product
def test_memory_stays_flat_while_rows_stream(lake, connect):
    connection = connect("wide")
    rows = connection.cursor().stream(STREAM)
    for _ in range(1000):
        next(rows)
    before = lake.server.resident_kib()
    for _ in range(200_000):
        next(rows)
    assert lake.server.resident_kib() - before < 64 * 1024
    connection.close()


def test_a_slow_reader_holds_nobody_up(lake, connect):
    with wire.Socket(lake.port) as raw:
        raw.log_in(user="demo") if not lake.is_mantissa else raw.log_in()
        raw.send(wire.message(b"Q", b"SELECT raw FROM cloudtrail\0"))
        started = time.monotonic()
        for _ in range(20):
            connect().execute("SELECT count(*) FROM okta")
        assert time.monotonic() - started < 10


def test_settings_do_not_cross_sessions(connect):
    first, second = connect(), connect()
    first.execute("SET TIME ZONE 'Asia/Tokyo'")
    first.execute("SET search_path = pg_catalog")
    assert second.execute("SHOW TimeZone").fetchone()[0] != "Asia/Tokyo"
    assert second.execute("SELECT count(*) > 0 FROM okta").fetchone()[0]


def test_many_sessions_at_once(connect):
    sessions = [connect() for _ in range(60)]
    joins = [in_background(lambda s=s: s.execute("SELECT count(*) FROM cloudtrail").fetchone()[0]) for s in sessions]
    counts = {join(30)["result"] for join in joins}
    assert len(counts) == 1


@pytest.mark.product
def test_one_heavy_statement_leaves_room_for_others(connect):
    busy = [connect() for _ in range(3)]
    joins = [in_background(lambda c=c: c.execute(HEAVY)) for c in busy]
    other = connect()
    started = time.monotonic()
    for _ in range(10):
        other.execute("SELECT 1")
    taken = time.monotonic() - started
    for connection in busy:
        connection.cancel()
    for join in joins:
        assert isinstance(join(3)["error"], errors.QueryCanceled)
    assert taken < 2


@pytest.mark.product
def test_too_many_connections_are_refused(guarded):
    opened = [psycopg.connect(**guarded.parameters("ann")) for _ in range(guarded.max_connections)]
    with pytest.raises(psycopg.OperationalError, match="too many"):
        psycopg.connect(**guarded.parameters("ann"))
    opened.pop().close()
    servers.wait_until(lambda: can_connect(guarded), 3, "a place that became free")
    for connection in opened:
        connection.close()


def can_connect(server):
    try:
        psycopg.connect(**server.parameters("ann")).close()
        return True
    except psycopg.OperationalError:
        return False


@pytest.mark.product
def test_an_idle_session_ends(guarded):
    connection = servers.wait_until(lambda: connected(guarded), 5, "a free place")
    with connection:
        def ended():
            try:
                return select_is_over(connection)
            except psycopg.Error:
                return True

        servers.wait_until(ended, 10, "the end of an idle session")


def connected(server):
    try:
        return psycopg.connect(**server.parameters("ann"), autocommit=True)
    except psycopg.OperationalError:
        return None


def select_is_over(connection):
    import select

    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    if readable:
        connection.execute("SELECT 1")
    return False


@pytest.mark.product
def test_a_login_that_is_never_finished_ends(guarded):
    with wire.Socket(guarded.port, timeout=10) as raw:
        raw.send(wire.startup(user="ann", database="lake"))
        raw.read()
        started = time.monotonic()
        assert raw.is_closed()
        assert time.monotonic() - started < 8


@pytest.mark.product
def test_sigterm_lets_statements_end_and_tells_sessions(tmp_path):
    server = servers.Mantissa(tmp_path)
    server.start_demo(events=2000)
    idle = psycopg.connect(**server.parameters(), autocommit=True)
    assert idle.execute("SELECT count(*) > 0 FROM cloudtrail").fetchone()[0]
    assert server.stop() == 0
    with pytest.raises(psycopg.OperationalError):
        idle.execute("SELECT 1")


@pytest.mark.product
def test_the_demo_serves_again_what_its_folder_holds(tmp_path):
    server = servers.Mantissa(tmp_path)
    counts = []
    for events in (2000, 0):
        server.start_demo(events=events)
        with psycopg.connect(**server.parameters()) as connection:
            counts.append(connection.execute("SELECT source, count(*) FROM events GROUP BY source ORDER BY 1").fetchall())
        server.stop()
    assert counts[0] == counts[1] and sum(count for _, count in counts[0]) >= 1900
