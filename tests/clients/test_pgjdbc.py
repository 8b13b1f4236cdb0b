"""pgjdbc: the checks are in java/Suite.java."""

import os
import pathlib
import shutil
import subprocess

import pytest

import programs
from conftest import missing

SOURCE = pathlib.Path(__file__).parent / "java" / "Suite.java"
DRIVER = os.environ.get("MANTISSA_PGJDBC", "")


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    if shutil.which("javac") is None or not pathlib.Path(DRIVER).is_file():
        missing("pgjdbc", "no javac, or no driver in MANTISSA_PGJDBC")
    folder = tmp_path_factory.mktemp("classes")
    subprocess.run(["javac", "-cp", DRIVER, "-d", folder, SOURCE], check=True, timeout=110)
    return folder


@pytest.mark.parametrize("name", programs.names(SOURCE, r'\n +check\("([^"]+)"'))
def test_pgjdbc(lake, classes, name):
    command = ("java", "-Xmx256m", "-cp", f"{DRIVER}:{classes}", "Suite")
    programs.run(command, classes, programs.environment(lake, os.environ)).check(name)
