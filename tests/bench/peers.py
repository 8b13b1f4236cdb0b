"""What the benches share: our server over a kept sample, the peers, and how a figure is printed."""

import argparse
import os
import pathlib
import platform
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

import psycopg  # noqa: E402
import servers  # noqa: E402

CACHE = pathlib.Path(os.environ.get("MANTISSA_CACHE", pathlib.Path.home() / ".cache" / "mantissa")) / "bench"


def arguments(about, **options):
    """Command line of a bench: every option is a number with a default."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default in options.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    given = parser.parse_args()
    print(f"{about} | {platform.machine()}, {os.cpu_count()} cores, {servers.PROFILE} binary")
    return given


class Sample:
    """Our server over a demo lake that is generated once for a number of events."""

    def __init__(self, events):
        self.server = servers.Mantissa(CACHE / f"demo-{events}")
        self.server.folder.mkdir(parents=True, exist_ok=True)
        self.events = events

    def __enter__(self):
        servers.START_SECONDS = 3600
        self.server.start_demo(self.events)
        for name in ("wide",):
            self.server.run("role", "add", name, *self.server.ROLES[name], check=False)
            self.server.run("user", "add", name, "--role", name, stdin=self.server.USERS[name][0] + "\n", check=False)
        return self

    def __exit__(self, *_):
        self.server.stop()

    def connect(self, user="wide"):
        return psycopg.connect(**self.server.parameters(user), sslmode="disable", autocommit=True)

    def parquet(self, table):
        """A glob over the files of a table."""
        folders = {path.parent for path in self.server.data.rglob("*.parquet") if table in path.parts}
        if not folders:
            raise SystemExit(f"no Parquet files of {table} under {self.server.data}")
        root = next(parent for parent in [next(iter(folders)), *next(iter(folders)).parents] if parent.name == table)
        return f"{root}/**/*.parquet"


def report(name, ours, peer, unit, target, better="more"):
    """One line: figures, ratio of ours to the peer's, and whether the target is reached."""
    ratio = ours / peer
    reached = ratio >= target if better == "more" else ratio <= target
    sign = ">=" if better == "more" else "<="
    print(f"{name}: ours {ours:,.3f} {unit}, peer {peer:,.3f} {unit}, ratio {ratio:.2f} (target {sign} {target}: {'yes' if reached else 'NO'})")
    return ratio
