"""Passwords, TLS and channel binding; who may come in at all."""

import shutil
import ssl
import struct
import subprocess

import psycopg
import pytest

import servers
import wire
from conftest import missing

pytestmark = pytest.mark.product


def who(lake, user, **more):
    with psycopg.connect(**{**lake.parameters(user), "connect_timeout": 10, **more}) as connection:
        return connection.execute("SELECT current_user").fetchone()[0], connection.info.parameter_status("is_superuser")


def refused(lake, user, **more):
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(**{**lake.parameters(user), "connect_timeout": 10, **more})
    return str(caught.value)


def test_the_demo_user_is_trusted(lake):
    assert who(lake, "demo")[0] == "demo"


@pytest.mark.parametrize("user", ["ann", "boss", "wide", "otto", "slim"])
def test_a_password_logs_in(lake, user):
    assert who(lake, user)[0] == user


@pytest.mark.parametrize("password", ["wrong", "", "mallory's secret ", "Mallory's secret"])
def test_a_wrong_password_is_refused(lake, password):
    assert "password" in refused(lake, "mallory", password=password)


def test_an_unknown_user_looks_like_a_wrong_password(lake):
    unknown = refused(lake, "nobody", password="x").replace("nobody", "USER")
    known = refused(lake, "mallory", password="x").replace("mallory", "USER")
    assert unknown == known


def test_guessing_locks_the_account_and_no_other(lake):
    for _ in range(12):
        refused(lake, "trudy", password="guess")
    assert "password authentication failed" in refused(lake, "trudy"), "the right password does not tell a guesser"
    assert who(lake, "ann")[0] == "ann"


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_tls_with_the_generated_certificate(lake, mode):
    with psycopg.connect(**lake.parameters("ann"), sslmode=mode, sslrootcert=str(lake.certificate)) as connection:
        assert connection.pgconn.ssl_in_use


def test_a_certificate_for_the_host_name(lake):
    parameters = {**lake.parameters("ann"), "host": "localhost", "hostaddr": servers.HOST}
    with psycopg.connect(**parameters, sslmode="verify-full", sslrootcert=str(lake.certificate)) as connection:
        assert connection.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**{**parameters, "host": "elsewhere.example"}, sslmode="verify-full", sslrootcert=str(lake.certificate))


def test_channel_binding(lake):
    assert who(lake, "ann", sslmode="require", channel_binding="require")[0] == "ann"
    assert who(lake, "ann", sslmode="require", channel_binding="disable")[0] == "ann"
    assert "channel binding" in refused(lake, "ann", sslmode="disable", channel_binding="require")


def test_what_a_server_offers(lake):
    def offered(raw):
        raw.send(wire.startup(user="ann", database="lake"))
        kind, body = raw.read()
        assert kind == b"R" and struct.unpack("!i", body[:4])[0] == 10
        return [name for name in body[4:].split(b"\0") if name]

    with wire.Socket(lake.port) as raw:
        assert offered(raw) == [b"SCRAM-SHA-256"]
    with wire.Socket(lake.port) as raw:
        raw.send(struct.pack("!ii", 8, wire.SSL))
        assert raw.receive(1) == b"S"
        context = ssl.create_default_context(cafile=lake.certificate)
        raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
        assert set(offered(raw)) == {b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256"}


def test_old_tls_is_refused(lake):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with wire.Socket(lake.port) as raw:
        raw.send(struct.pack("!ii", 8, wire.SSL))
        assert raw.receive(1) == b"S"
        with pytest.raises(OSError):
            context.wrap_socket(raw.socket)


def test_bytes_smuggled_before_tls_are_not_read(lake):
    with wire.Socket(lake.port, timeout=5) as raw:
        raw.send(struct.pack("!ii", 8, wire.SSL) + wire.startup(user="demo", database="lake"))
        assert raw.receive(1) == b"S"
        assert raw.is_closed()


def test_the_demo_user_needs_a_password_where_no_demo_runs(guarded):
    assert "password authentication failed" in refused(guarded, "demo", password="x")


REMOTE = """
set -e
ip link set lo up
ip addr add 192.0.2.1/32 dev lo
"$1" --data "$2" serve --listen 192.0.2.1:5432 >"$2/remote.log" 2>&1 &
server=$!
trap 'kill $server; wait $server' EXIT
export PGPASSWORD="$3" PGCONNECT_TIMEOUT=5
for attempt in $(seq 100); do
  if psql -X -At "host=192.0.2.1 port=5432 user=ann dbname=lake sslmode=require" -c "SELECT 'came in with TLS'" 2>/dev/null; then break; fi
  sleep 0.1
done
psql -X -At "host=192.0.2.1 port=5432 user=ann dbname=lake sslmode=disable" -c "SELECT 'came in without'" 2>&1 || true
psql -X -At "host=192.0.2.1 port=5432 user=demo dbname=lake sslmode=require" -c "SELECT 'came in as demo'" 2>&1 || true
"""


def test_from_another_address_tls_is_required(guarded):
    """In a network namespace of its own, so that the address is no loopback one."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        missing("connections from another address", "no network namespace can be made here")
    command = ["unshare", "-rn", "bash", "-c", REMOTE, "remote", guarded.binary, guarded.data, guarded.USERS["ann"][0]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=guarded.folder)
    assert "came in with TLS" in done.stdout, done.stdout + done.stderr
    assert "came in without" not in done.stdout and "came in as demo" not in done.stdout
    assert "TLS" in done.stdout or "SSL" in done.stdout or "encryption" in done.stdout
