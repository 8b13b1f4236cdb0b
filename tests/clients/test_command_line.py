"""The binary's commands, as a person or a script runs them."""

import gzip
import json
import subprocess
from random import Random

import pytest

import servers
from conftest import missing

pytestmark = pytest.mark.product


def event(number, **more):
    return {
        "eventVersion": "1.08", "eventID": f"00000000-0000-0000-0000-{number:012}", "eventTime": f"2026-11-0{1 + number % 7}T10:00:00Z",
        "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "awsRegion": "us-east-1",
        "sourceIPAddress": f"198.51.100.{number % 200}", "userIdentity": {"type": "Root", "accountId": "123456789012"},
        "responseElements": {"ConsoleLogin": "Failure"}, "recipientAccountId": "123456789012", **more,
    }


@pytest.fixture
def lake(tmp_path):
    return servers.Mantissa(tmp_path)


def records(path, numbers, compress=True):
    data = json.dumps({"Records": [event(number) for number in numbers]}).encode()
    path.write_bytes(gzip.compress(data) if compress else data)
    return path


def ingest(lake, *arguments, **options):
    return json.loads(lake.run("--json", "ingest", *arguments, **options).stdout)


def count(lake, table="cloudtrail"):
    return number(lake, f"SELECT count(*) AS n FROM {table}")


def lines(done):
    """What `--json` prints: one object a line."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def number(lake, sql):
    return lines(lake.run("--json", "query", sql))[0]["n"]


def test_help_names_every_command(lake):
    text = lake.run("--help").stdout
    for command in ("serve", "demo", "ingest", "sources", "query", "ask", "translate", "check-config", "user", "role"):
        assert command in text, command
        help_text = lake.run(command, "--help").stdout
        assert "Usage:" in help_text and "TODO" not in help_text
    assert lake.run("--version").stdout.startswith("mantissa ")


def test_an_unknown_command_is_refused(lake):
    done = lake.run("frobnicate", check=False)
    assert done.returncode == 2 and "frobnicate" in done.stderr


def test_sources_are_listed(lake):
    text = lake.run("sources").stdout
    for name in ("cloudtrail", "vpc_flow", "okta", "github", "kubernetes", "guardduty", "syslog", "json"):
        assert name in text, name
    listed = lines(lake.run("--json", "sources"))
    assert {row["source"] for row in listed} >= {"cloudtrail", "okta", "windows", "dns"}


def test_the_same_file_twice_adds_nothing(lake, tmp_path):
    path = records(tmp_path / "one.json.gz", range(25))
    first, second = ingest(lake, "--source", "cloudtrail", path), ingest(lake, "--source", "cloudtrail", path)
    assert first["rows"] == 25 and second["rows"] == 0 and second["known_inputs"] == 1
    copy = tmp_path / "copy.json"
    copy.write_bytes(gzip.decompress(path.read_bytes()))
    third = ingest(lake, "--source", "cloudtrail", copy)
    assert third["rows"] == 0 and count(lake) == 25


def test_folders_globs_and_standard_input(lake, tmp_path):
    folder = tmp_path / "logs" / "2026"
    folder.mkdir(parents=True)
    records(folder / "a.json.gz", range(5))
    records(folder / "b.json", range(5, 9), compress=False)
    assert ingest(lake, "--source", "cloudtrail", tmp_path / "logs")["rows"] == 9
    records(tmp_path / "c1.json", range(20, 22), compress=False)
    records(tmp_path / "c2.json", range(22, 25), compress=False)
    assert ingest(lake, "--source", "cloudtrail", f"{tmp_path}/c?.json")["rows"] == 5
    lines = "".join(json.dumps(event(number)) + "\n" for number in range(40, 47))
    assert ingest(lake, "--source", "cloudtrail", "-", stdin=lines)["rows"] == 7
    assert count(lake) == 21


def test_a_truncated_gzip_loses_nothing_that_was_whole(lake, tmp_path):
    whole = gzip.compress("".join(json.dumps(event(number)) + "\n" for number in range(3000)).encode())
    path = tmp_path / "cut.json.gz"
    path.write_bytes(whole[: len(whole) // 2])
    done = lake.run("--json", "ingest", "--source", "cloudtrail", path, check=False)
    report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    assert done.returncode != 0 or report.get("quarantined", 0) >= 1
    assert "panicked" not in done.stderr
    path.write_bytes(whole)
    lake.run("ingest", "--source", "cloudtrail", path)
    assert count(lake) == 3000


def test_quarantine_and_its_retry(lake, tmp_path):
    path = tmp_path / "mixed.json"
    good = [json.dumps(event(number)) for number in range(4)]
    path.write_text("\n".join([*good[:2], '{"eventVersion": broken', "not json at all", *good[2:]]) + "\n")
    report = ingest(lake, "--source", "cloudtrail", path)
    assert report["rows"] == 4 and report["quarantined"] >= 1
    again = ingest(lake, "--retry-quarantine")
    assert again["rows"] == 0 and count(lake) == 4
    assert ingest(lake, "--source", "cloudtrail", path)["rows"] == 0


def test_odd_values_are_kept(lake, tmp_path):
    odd = [
        event(1, sourceIPAddress="AWS Internal"), event(2, readOnly="true"), event(3, requestParameters=None),
        event(4, eventTime="0000-01-01T00:00:00Z"), event(5, eventTime="9999-12-31T23:59:59Z"), event(6, userIdentity=None),
    ]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"Records": odd}))
    report = ingest(lake, "--source", "cloudtrail", path)
    assert report["rows"] + report["quarantined"] == len(odd) and report["rows"] >= 4
    assert count(lake) == report["rows"]


def test_invalid_utf8_is_no_panic(lake, tmp_path):
    path = tmp_path / "bytes.json"
    path.write_bytes(json.dumps(event(1)).encode() + b"\n\xff\xfe\x00garbage\n" + json.dumps(event(2)).encode() + b"\n")
    report = ingest(lake, "--source", "cloudtrail", path)
    assert report["rows"] == 2 and report["quarantined"] >= 1


def test_rows_that_have_the_columns_already(lake, tmp_path):
    path = tmp_path / "dns.ndjson"
    path.write_text("".join(json.dumps({"time": "2026-11-01T00:00:00Z", "event_id": f"d{n}", "source": "dns", "query": "example.com"}) + "\n" for n in range(6)))
    assert ingest(lake, "--rows", "dns", path)["rows"] == 6
    assert count(lake, "dns") == 6
    assert lake.run("ingest", "--rows", "nothing", path, check=False).returncode != 0


def test_columns_of_plain_json_evolve(lake, tmp_path):
    first, second = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    first.write_text('{"time": "2026-11-01T00:00:00Z", "colour": "red"}\n')
    second.write_text('{"time": "2026-11-02T00:00:00Z", "colour": "blue", "weight": 1.5}\n')
    ingest(lake, "--source", "json", first)
    ingest(lake, "--source", "json", second)
    text = lake.run("query", "SELECT colour, weight FROM json ORDER BY \"time\"").stdout
    assert "red" in text and "blue" in text and "1.5" in text


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["ingest", "--source", "nothing", "x.json"], "nothing"),
        (["ingest", "--source", "cloudtrail", "/no/such/file.json"], "/no/such/file.json"),
        (["ingest"], "--source"),
        (["query", "SELECT nope FROM okta"], "nope"),
        (["query", "DELETE FROM okta"], "DELETE"),
        (["ask", "colourless green ideas"], "colourless"),
        (["translate", "--dialect", "klingon", "SELECT 1"], "klingon"),
        (["--config", "/no/such.toml", "check-config"], "/no/such.toml"),
        (["serve", "--listen", "nonsense"], "nonsense"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else v,
)
def test_a_mistake_is_told(lake, arguments, word):
    done = lake.run(*arguments, check=False)
    assert done.returncode not in (0, 101) and word in done.stderr + done.stdout
    assert "panicked" not in done.stderr and "RUST_BACKTRACE" not in done.stderr


def test_query_ask_and_translate(lake, tmp_path):
    lake.run("ingest", "--source", "cloudtrail", records(tmp_path / "a.json.gz", range(12)))
    table = lake.run("query", "SELECT src_ip, outcome FROM cloudtrail ORDER BY 1 LIMIT 2").stdout
    assert "198.51.100.0" in table and "failure" in table and "src_ip" in table
    asked = lake.run("ask", "failed console logins by root")
    assert "198.51.100.11" in asked.stdout
    explained = lake.run("ask", "--explain", "failed console logins by root")
    assert "SELECT" in explained.stdout and "198.51.100.11" not in explained.stdout
    for dialect in ("postgres", "datafusion"):
        translated = lake.run("translate", "--dialect", dialect, "SELECT count(*) FROM okta WHERE severity > 3").stdout
        assert "okta" in translated and "severity > 3" in translated
    assert "okta" in lake.run("translate", "--dialect", "postgres", "-", stdin="SELECT 1 FROM okta").stdout


def test_check_config_lists_every_fault(lake, tmp_path):
    config = tmp_path / "faulty.toml"
    config.write_text('[server]\nlisten = ["nowhere"]\ntls_key = "/no/key.pem"\n[limits]\nmax_rows = 0\n[engine]\nmemory_mib = 1\n')
    done = lake.run("--config", config, "check-config", check=False)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    for word in ("server.listen", "server.tls_key", "/no/key.pem", "limits.max_rows", "engine.memory_mib"):
        assert word in told, word


def test_check_config_names_unknown_keys_files_and_variables(lake, tmp_path):
    config = tmp_path / "unknown.toml"
    config.write_text('[server]\nlisten_on = ["127.0.0.1:1"]\n')
    done = lake.run("--config", config, "check-config", check=False)
    assert done.returncode != 0 and "listen_on" in done.stdout + done.stderr and "unknown.toml" in done.stdout + done.stderr
    done = lake.run("check-config", check=False, env={"MANTISSA__LIMITS__MAX_ROWS": "many"})
    assert done.returncode != 0 and "max_rows" in (done.stdout + done.stderr).lower()
    assert lake.run("check-config").returncode == 0


def test_users_and_roles(lake):
    lake.run("role", "add", "okta_reader", "--table", "okta(time,actor_name)", "--max-rows", "10", "--timeout", "5")
    lake.run("user", "add", "eve", "--role", "okta_reader", "--role", "reader", stdin="secret\n")
    listed = {row["user"]: row for row in lines(lake.run("--json", "user", "list"))}
    assert "okta_reader" in listed["eve"]["roles"]
    assert lake.run("user", "add", "eve", stdin="again\n", check=False).returncode != 0
    assert lake.run("user", "add", "mute", stdin="\n", check=False).returncode != 0
    assert lake.run("user", "add", "zoe", "--role", "nothing", stdin="x\n", check=False).returncode != 0
    assert lake.run("role", "remove", "okta_reader", check=False).returncode != 0
    lake.run("user", "password", "eve", stdin="other\n")
    lake.run("user", "remove", "eve")
    lake.run("role", "remove", "okta_reader")
    assert "eve" not in lake.run("user", "list").stdout
    assert "secret" not in lake.run("role", "list").stdout


def test_a_data_folder_that_cannot_be_used(tmp_path):
    lake = servers.Mantissa(tmp_path)
    lake.data = tmp_path / "file"
    lake.data.write_text("no folder")
    done = lake.run("query", "SELECT count(*) FROM okta", check=False)
    assert done.returncode not in (0, 101) and str(lake.data) in done.stderr


def test_killed_at_any_moment_ingest_stays_whole(lake, tmp_path):
    """Kills the ingest at several moments; what a later run adds makes it whole, never more than whole."""
    paths = [records(tmp_path / f"{part}.json.gz", range(part * 400, part * 400 + 400)) for part in range(8)]
    for delay in (0.02, 0.1, 0.25, 0.5):
        process = servers.Process(
            [lake.binary, "--data", lake.data, "ingest", "--source", "cloudtrail", *paths], tmp_path / "log", cwd=tmp_path
        )
        try:
            process.process.wait(delay)
        except subprocess.TimeoutExpired:
            process.process.kill()
            process.process.wait()
        seen = count(lake)
        assert seen <= 3200
        assert number(lake, "SELECT count(DISTINCT event_id) AS n FROM cloudtrail") == seen
    ingest(lake, "--source", "cloudtrail", *paths)
    assert count(lake) == 3200


NARROW = """
set -e
mkdir -p "$2" && mount -t tmpfs -o "size=$4,mode=700" tmpfs "$2"
if [ "$5" = ro ]; then "$1" --data "$2" query "SELECT 1" >/dev/null; mount -o remount,ro "$2"; fi
"$1" --data "$2" ingest --source cloudtrail "$3" && echo "came in" || echo "code $?"
"$1" --data "$2" --json query "SELECT count(*) AS n FROM cloudtrail" || true
"""


@pytest.mark.parametrize("size, mode", [("600k", "rw"), ("20m", "ro")], ids=["full", "read-only"])
def test_a_lake_that_cannot_grow(lake, tmp_path, size, mode):
    """A file system of its own, full or read-only: an error that says so."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        missing("full and read-only lakes", "no mount namespace can be made here")
    noise = Random(1)
    path = tmp_path / "many.json"
    path.write_text("".join(json.dumps(event(number, requestID=noise.randbytes(200).hex())) + "\n" for number in range(10_000)))
    command = ["unshare", "-rm", "bash", "-c", NARROW, "narrow", lake.binary, lake.data, path, size, mode]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path)
    said = done.stdout + done.stderr
    assert "came in" not in said and "code 101" not in said and "panicked" not in said
    assert "space" in said.lower() or "full" in said.lower() if mode == "rw" else "read-only" in said.lower()


def test_a_line_of_300_megabytes(lake, tmp_path):
    path = tmp_path / "line.ndjson"
    with open(path, "w") as out:
        out.write(json.dumps(event(1)) + "\n")
        out.write('{"eventID": "')
        for _ in range(300):
            out.write("x" * (1 << 20))
        out.write('"}\n')
        out.write(json.dumps(event(2)) + "\n")
    report = ingest(lake, "--source", "cloudtrail", path)
    assert report["rows"] == 2 and report["quarantined"] == 1
    assert count(lake) == 2


def test_a_closed_pipe_ends_quietly(lake):
    command = f"'{lake.binary}' --data '{lake.data}' sources | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, cwd=lake.folder)
    assert "panicked" not in done.stderr and done.stdout
