"""node-postgres (pg, pg-cursor, pg-query-stream, pg-copy-streams): the checks are in node/suite.js."""

import os
import pathlib
import shutil

import pytest

import programs
from conftest import missing

HERE = pathlib.Path(__file__).parent / "node"
MODULES = pathlib.Path(os.environ.get("MANTISSA_NODE_MODULES", HERE / "node_modules"))


@pytest.mark.parametrize("name", programs.names(HERE / "suite.js", r'\ncheck\("([^"]+)"'))
def test_node(lake, name):
    if shutil.which("node") is None or not (MODULES / "pg").is_dir():
        missing("node-postgres", f"no node, or no packages in {MODULES}")
    told = programs.environment(lake, {**os.environ, "NODE_PATH": str(MODULES)})
    programs.run(("node", "suite.js"), HERE, told).check(name)
