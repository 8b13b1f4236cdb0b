"""Suites written in a client's own language: a program prints one line of JSON a check, and each check is a test here."""

import functools
import json
import re
import subprocess


def names(source, pattern):
    """The checks that a program's source declares."""
    return re.findall(pattern, source.read_text())


class Results:
    """What a program said of its checks."""

    def __init__(self, done):
        self.done = done
        self.by_name = {}
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                said = json.loads(line)
                self.by_name[said["name"]] = said.get("error")

    def check(self, name):
        assert name in self.by_name, f"the program did not come so far; it ended with {self.done.returncode}:\n{self.done.stderr}"
        error = self.by_name[name]
        assert error is None, error


@functools.cache
def run(command, cwd, environment):
    """Runs a program once for all of its checks."""
    return Results(
        subprocess.run(command, cwd=cwd, env=dict(environment), capture_output=True, text=True, timeout=115)
    )


def environment(lake, base):
    """What every program reads: where the server is, and who is who."""
    given = lake.parameters()
    told = {name: value for name, value in base.items() if not name.startswith("PYTEST_")}
    told |= {"E2E_HOST": given["host"], "E2E_PORT": str(given["port"]), "E2E_DATABASE": given["dbname"]}
    told["E2E_PRODUCT"] = "1" if lake.is_mantissa else ""
    told["E2E_USER"] = given["user"]
    for user in ("ann", "mallory", "wide"):
        parameters = lake.parameters(user)
        told[f"E2E_{user.upper()}"] = parameters["user"]
        told[f"E2E_{user.upper()}_PASSWORD"] = parameters.get("password", "")
    if lake.is_mantissa:
        told["E2E_CERTIFICATE"] = str(lake.certificate)
    return tuple(sorted(told.items()))
