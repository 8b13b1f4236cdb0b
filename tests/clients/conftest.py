"""What the suites share: the servers, started once, and how a missing client is said."""

import os
import pathlib
import shutil

import pytest

import servers

EVENTS = int(os.environ.get("MANTISSA_E2E_EVENTS", "20000"))
AGAINST_POSTGRES = os.environ.get("MANTISSA_E2E_AGAINST") == "postgres"


def missing(name, why):
    """A suite that cannot run says so by name; on CI it fails."""
    message = f"{name} ({why})"
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing: {message}", pytrace=False)
    pytest.skip(message, allow_module_level=True)


def pytest_configure(config):
    config.addinivalue_line("markers", "product: states what PostgreSQL does not do")


def pytest_collection_modifyitems(items):
    if AGAINST_POSTGRES:
        for item in items:
            if item.get_closest_marker("product"):
                item.add_marker(pytest.mark.skip(reason="PostgreSQL does not do this"))


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"SKIPPED: {report.nodeid} ({report.longrepr[2]})")


def assert_no_panic(server):
    lines = server.server.log.read_text(errors="replace").splitlines()
    said = [line for number, line in enumerate(lines) if "panicked" in line or number and "panicked" in lines[number - 1]]
    assert not said, "\n".join(said[:10])


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    """The demo: user `demo` is trusted; ann, boss, wide, otto and slim have passwords."""
    if AGAINST_POSTGRES:
        server = servers.Postgres().start()
        server.psql((pathlib.Path(__file__).parent / "standin.sql").read_text())
    else:
        server = servers.Mantissa(tmp_path_factory.mktemp("lake"))
        server.start_demo(EVENTS)
        server.add_users()
    yield server
    code = server.stop()
    assert code == 0, f"the server ended with {code} on SIGTERM:\n{server.server.tail()}"
    if server.is_mantissa:
        assert_no_panic(server)


@pytest.fixture(scope="session")
def oracle():
    """An empty PostgreSQL."""
    if servers.postgres_bin() is None or shutil.which("psql") is None:
        missing("comparisons with PostgreSQL", "no PostgreSQL server found")
    server = servers.Postgres().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """The binary over an empty lake, for its commands."""
    if AGAINST_POSTGRES:
        pytest.skip("PostgreSQL does not do this")
    return servers.Mantissa(tmp_path_factory.mktemp("command"))


@pytest.fixture(scope="session")
def corpora():
    folder = pathlib.Path(os.environ.get("MANTISSA_CORPORA", servers.ROOT.parent / "shared"))
    if not folder.is_dir():
        missing("the corpora suites", f"no folder {folder}; set MANTISSA_CORPORA")
    return folder


GUARDED = """
[server]
max_connections = {connections}
idle_timeout = 3
authentication_timeout = 2
"""


@pytest.fixture(scope="session")
def guarded(tmp_path_factory):
    """`mantissa serve` over an empty lake, with narrow limits."""
    if AGAINST_POSTGRES:
        pytest.skip("PostgreSQL does not do this")
    server = servers.Mantissa(tmp_path_factory.mktemp("guarded"))
    server.max_connections = 6
    (server.folder / "mantissa.toml").write_text(GUARDED.format(connections=server.max_connections))
    server.add_users()
    server.start_serve()
    yield server
    assert server.stop() == 0, server.server.tail()
    assert_no_panic(server)
