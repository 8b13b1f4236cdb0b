"""CloudTrail files to Parquet on one core."""

import gzip
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import peers
import servers

FILE_EVENTS = 2_000
ACTIONS = [
    ("s3.amazonaws.com", "GetObject"), ("s3.amazonaws.com", "PutObject"), ("sts.amazonaws.com", "AssumeRole"),
    ("ec2.amazonaws.com", "DescribeInstances"), ("iam.amazonaws.com", "ListRoles"), ("kms.amazonaws.com", "Decrypt"),
    ("signin.amazonaws.com", "ConsoleLogin"), ("logs.amazonaws.com", "CreateLogStream"),
]


def record(chance, number):
    """An event as the vendor writes it; the same number and seed give the same event."""
    service, action = chance.choices(ACTIONS, weights=[40, 15, 15, 10, 5, 10, 1, 4])[0]
    person = f"person{chance.randrange(200)}"
    failed = chance.random() < 0.04
    account = chance.choice(["111111111111", "222222222222", "333333333333"])
    event = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole", "principalId": f"AROA{chance.randrange(10**12):012}:{person}",
            "arn": f"arn:aws:sts::{account}:assumed-role/Engineer/{person}", "accountId": account,
            "accessKeyId": f"ASIA{chance.randrange(10**12):012}",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account}:role/Engineer", "accountId": account, "userName": "Engineer"},
                "attributes": {"creationDate": "2026-11-01T08:00:00Z", "mfaAuthenticated": "true"},
            },
        },
        "eventTime": f"2026-11-{1 + number % 28:02}T{number // 28 % 24:02}:{number // 700 % 60:02}:{number % 60:02}Z",
        "eventSource": service, "eventName": action, "awsRegion": chance.choice(["us-east-1", "eu-central-1"]),
        "sourceIPAddress": f"198.51.{chance.randrange(256)}.{chance.randrange(256)}", "userAgent": "aws-sdk-go-v2/1.30.0 os/linux lang/go",
        "requestParameters": {"bucketName": f"bucket-{chance.randrange(50)}", "key": f"path/{chance.randrange(10**6)}"},
        "responseElements": None, "requestID": f"{chance.randrange(16**16):016X}",
        "eventID": f"{chance.randrange(16**8):08x}-0000-4000-8000-{number:012x}", "readOnly": action.startswith(("Get", "Describe", "List")),
        "eventType": "AwsApiCall", "managementEvent": service != "s3.amazonaws.com", "recipientAccountId": account,
        "eventCategory": "Management", "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
    }
    if failed:
        event |= {"errorCode": "AccessDenied", "errorMessage": "not authorized to perform this action"}
    return event


def files(events):
    """Makes the files once."""
    folder = peers.CACHE / f"cloudtrail-{events}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        chance = random.Random(1)
        for first in range(0, events, FILE_EVENTS):
            records = [record(chance, number) for number in range(first, min(events, first + FILE_EVENTS))]
            data = json.dumps({"Records": records}, separators=(",", ":")).encode()
            (folder / f"{first:09}.json.gz").write_bytes(gzip.compress(data, 6, mtime=0))
        (folder / "complete").touch()
    return folder


# DuckDB twice: with the structure it infers, and with each record kept as JSON. The faster one counts.
COLUMNS = {
    "inferred": (
        "read_json('{files}', maximum_object_size = 100000000)",
        "r.eventTime::timestamptz AS \"time\", r.eventID AS event_id, r.eventSource AS service, r.eventName AS action, r.awsRegion AS region, "
        "r.sourceIPAddress AS src_ip, r.userAgent AS user_agent, r.userIdentity.type AS actor_type, r.userIdentity.arn AS actor_id, "
        "r.userIdentity.accountId AS account_id, r.errorCode AS reason, r.readOnly AS read_only, r.requestID AS request_id, "
        "to_json(r)::varchar AS raw",
    ),
    "JSON": (
        "read_json('{files}', columns = {{'Records': 'JSON[]'}}, maximum_object_size = 100000000)",
        "(r->>'eventTime')::timestamptz AS \"time\", r->>'eventID' AS event_id, r->>'eventSource' AS service, r->>'eventName' AS action, "
        "r->>'awsRegion' AS region, r->>'sourceIPAddress' AS src_ip, r->>'userAgent' AS user_agent, r->>'$.userIdentity.type' AS actor_type, "
        "r->>'$.userIdentity.arn' AS actor_id, r->>'$.userIdentity.accountId' AS account_id, r->>'errorCode' AS reason, "
        "r->>'readOnly' AS read_only, r->>'requestID' AS request_id, r::varchar AS raw",
    ),
}
DUCK = "import duckdb, sys; c = duckdb.connect(); c.execute('SET threads = 1'); c.execute(sys.argv[1])"


def seconds(command, cwd):
    started = time.perf_counter()
    subprocess.run(["taskset", "-c", "0", *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd=cwd)
    return time.perf_counter() - started


def main():
    given = peers.arguments("ingest: CloudTrail events/s on one core against DuckDB", events=100_000, repeats=2)
    source = files(given.events)
    best = {}
    for _ in range(given.repeats):
        work = pathlib.Path(tempfile.mkdtemp(prefix="mantissa-ingest-"))
        try:
            ours = [servers.BINARY, "--data", work / "lake", "ingest", "--source", "cloudtrail", source]
            taken = {"ours": seconds(ours, work)}
            for name, (scan, columns) in COLUMNS.items():
                query = f"SELECT {columns} FROM (SELECT unnest(Records) AS r FROM {scan.format(files=f'{source}/*.json.gz')})"
                copy = f"COPY ({query} ORDER BY 1) TO '{work}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
                taken[name] = seconds([sys.executable, "-c", DUCK, copy], work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        best = {name: min(value, best.get(name, value)) for name, value in taken.items()}
    for name in COLUMNS:
        print(f"DuckDB, {name}: {given.events / best[name]:,.0f} events/s")
    peer = min(best[name] for name in COLUMNS)
    peers.report("ingest", given.events / best["ours"], given.events / peer, "events/s", 1.5)


main()
