"""Starts and stops the servers that the suites talk to. Every server listens on loopback, on a free port, over a
folder of its own."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROFILE = os.environ.get("MANTISSA_PROFILE", "debug")
BINARY = TARGET / PROFILE / "mantissa"
START_SECONDS = 180
HOST = "127.0.0.1"
DATABASE = "lake"


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls until `condition` gives a true value, which it returns."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def accepts(port):
    """Whether something at the port answers an SSLRequest as a Postgres server does."""
    with contextlib.suppress(OSError):
        with socket.create_connection((HOST, port), 2) as probe:
            probe.settimeout(2)
            probe.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))
            return probe.recv(1) in (b"S", b"N")
    return False


class Process:
    """A server process with its log in a file."""

    def __init__(self, arguments, log, env=None, **options):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                **options,
            )

    @property
    def pid(self):
        return self.process.pid

    def wait_ready(self, port):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            return accepts(port)

        wait_until(ready, START_SECONDS, f"the server on port {port}")

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def resident_kib(self):
        """Memory that the process itself holds, in KiB: anonymous pages, no file mapped into it."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
        raise AssertionError("no RssAnon")

    def stop(self, seconds=30):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


class Mantissa:
    """The product's own binary over one data folder."""

    USERS = {
        # name: (password, role)
        "ann": ("ann's secret", "reader"),
        "boss": ("boss's secret", "admin"),
        "wide": ("wide's secret", "wide"),
        "otto": ("otto's secret", "okta_only"),
        "slim": ("slim's secret", "few_rows"),
        # Whose passwords are guessed.
        "mallory": ("mallory's secret", "reader"),
        "trudy": ("trudy's secret", "reader"),
    }
    ROLES = {
        "wide": ["--table", "*", "--max-rows", "1000000000"],
        "okta_only": ["--table", "okta", "--table", "github(time,event_id,actor_name)"],
        "few_rows": ["--table", "*", "--max-rows", "50"],
    }
    is_mantissa = True

    def __init__(self, folder, binary=BINARY):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.binary = binary
        self.port = None
        self.server = None

    def run(self, *arguments, stdin="", check=True, env=None, cwd=None, timeout=120):
        """Runs a command of the binary over the data folder."""
        done = subprocess.run(
            [str(self.binary), "--data", str(self.data), *map(str, arguments)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=timeout,
            env={**os.environ, **(env or {})},
            cwd=cwd or self.folder,
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        if check and done.returncode != 0:
            raise AssertionError(f"mantissa {arguments} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
        return done

    def start_demo(self, events, seed=1):
        self._start("demo", "--port", "{port}", "--events", str(events), "--seed", str(seed))

    def start_serve(self, *options):
        self._start("serve", "--listen", HOST + ":{port}", *options)

    def _start(self, *arguments):
        self.port = free_port()
        command = [self.binary, "--data", self.data, *(argument.format(port=self.port) for argument in arguments)]
        self.server = Process(command, self.folder / "server.log", cwd=self.folder)
        self.server.wait_ready(self.port)

    def add_users(self):
        for role, options in self.ROLES.items():
            self.run("role", "add", role, *options)
        for user, (password, role) in self.USERS.items():
            self.run("user", "add", user, "--role", role, stdin=password + "\n")

    @property
    def certificate(self):
        return self.data / "server.crt"

    def parameters(self, user="demo", database=DATABASE):
        """Connection parameters under libpq's names."""
        given = {"host": HOST, "port": self.port, "user": user, "dbname": database}
        if user in self.USERS:
            given["password"] = self.USERS[user][0]
        return given

    def stop(self):
        return self.server.stop() if self.server else None


def postgres_bin():
    """PostgreSQL's programs: from MANTISSA_PG_BIN, or the newest that Debian installed."""
    given = os.environ.get("MANTISSA_PG_BIN")
    if given:
        return pathlib.Path(given)
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """A PostgreSQL server of its own: the oracle. Runs as an unprivileged user where the suites run as root."""

    is_mantissa = False

    def __init__(self, settings=()):
        self.bin = postgres_bin()
        self.account = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mantissa-oracle-"))
        self.data = self.folder / "data"
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.port = free_port()
        self.settings = settings

    def _as(self):
        return {"user": self.account.pw_uid, "group": self.account.pw_gid} if self.account else {}

    def start(self):
        subprocess.run(
            [self.bin / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **self._as(),
        )
        options = ["-c", f"port={self.port}", "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off"]
        for setting in ("timezone=UTC", "listen_addresses=127.0.0.1", *self.settings):
            options += ["-c", setting]
        self.server = Process(
            [self.bin / "postgres", "-D", self.data, *options], self.folder / "log", cwd=self.folder, **self._as()
        )
        self.server.wait_ready(self.port)
        self.psql("CREATE ROLE demo SUPERUSER LOGIN", user="postgres", database="postgres")
        self.psql("CREATE DATABASE lake", user="postgres", database="postgres")
        return self

    def psql(self, sql, user="demo", database=DATABASE):
        subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", HOST, "-p", str(self.port), "-U", user, "-d", database],
            input=sql.encode(),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def parameters(self, user="demo", database=DATABASE):
        return {"host": HOST, "port": self.port, "user": "demo", "dbname": database}

    def stop(self):
        code = self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code
