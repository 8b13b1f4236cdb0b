"""What psql sends, as captured in the corpus, sent by psql again: no error, and the same output as PostgreSQL's where it
does not depend on the schema."""

import difflib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import missing

FOLDER = pathlib.Path(os.environ.get("MANTISSA_CORPORA", pathlib.Path(__file__).resolve().parents[3] / "shared")) / "clients" / "psql"
# \\watch does not end; test_psql.py has it.
FILES = sorted(path for path in FOLDER.glob("*.sql") if "watch" not in path.stem)

# Commands whose output says nothing of tables, users or this server: it must be PostgreSQL's to the letter.
SAME_EVERYWHERE = {
    "22_di", "23_ds", "24_dm", "25_dT", "29_dC", "30_dd", "31_dD", "36_dRp", "37_drds", "38_det", "39_dew", "40_des",
    "42_dA", "43_do", "44_dL", "45_dO", "46_dc", "47_dF", "48_dX", "49_dy", "50_dE", "52_encoding", "53_lo_list", "54_gdesc",
    "55_crosstab",
}
# Relations of the captured schema, and what stands in for them here.
RENAMED = {
    "id, email": "event_id, actor_email", "users": "okta", "sales.orders": "logs.github", "v_active": "events", "sales.": "logs.",
    "add1": "lower",
}


def command(path):
    """The command that a file captured."""
    return re.match(r"-- psql 15 (.*)", path.read_text()).group(1)


def local(text):
    for name, ours in RENAMED.items():
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)" if not name.endswith(".") else re.escape(name), ours, text)
    return text


def send(server, script):
    target = " ".join(f"{name}={value}" for name, value in server.parameters().items())
    return subprocess.run(["psql", "-X", target], input=script + "\n", capture_output=True, text=True, timeout=30)


@pytest.fixture(autouse=True)
def client():
    if shutil.which("psql") is None:
        missing("the psql corpus", "psql is not installed")


def test_the_corpus_is_there(corpora):
    assert len(FILES) >= 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_command_of_psql(lake, path):
    script = command(path)
    done = send(lake, local(script) if lake.is_mantissa else script)
    assert "ERROR" not in done.stderr, f"{script}: {done.stderr}"


@pytest.mark.parametrize("path", [path for path in FILES if path.stem in SAME_EVERYWHERE], ids=lambda path: path.stem)
def test_an_answer_is_postgresqls(lake, oracle, path):
    if not lake.is_mantissa:
        pytest.skip("PostgreSQL against itself")
    # This server has no comments on built-in objects: they are PostgreSQL's prose.
    send(oracle, "DELETE FROM pg_catalog.pg_description;")
    ours, theirs = send(lake, command(path)), send(oracle, command(path))
    lines = [(done.stdout + done.stderr).splitlines() for done in (theirs, ours)]
    difference = list(difflib.unified_diff(*lines, "PostgreSQL", "here", lineterm="", n=0))
    assert not difference, "\n".join(difference[:20])
