"""tokio-postgres: the checks are in tests/src/bin/tokio_client.rs."""

import os

import pytest

import programs
import servers
from conftest import missing

PROGRAM = servers.BINARY.parent / "tokio_client"
SOURCE = servers.ROOT / "tests" / "src" / "bin" / "tokio_client.rs"


@pytest.mark.parametrize("name", programs.names(SOURCE, r'\n    "([^"]+)" \w+,'))
def test_tokio_postgres(lake, name):
    if not PROGRAM.is_file():
        missing("tokio-postgres", f"{PROGRAM} is not built; cargo build -p mantissa-e2e")
    programs.run((str(PROGRAM),), PROGRAM.parent, programs.environment(lake, os.environ)).check(name)
