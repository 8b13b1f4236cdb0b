"""One large SELECT to a client that only reads the bytes, the same client for both servers."""

import os
import socket
import struct
import threading
import time

import psycopg

import peers
import servers

COLUMNS = '"time", event_id, action, service, outcome, actor_name, src_ip, region, severity, src_port'
TYPES = "timestamptz, text, text, text, text, text, text, text, smallint, int".split(", ")


def rows_per_second(connection, sql, binary):
    """Sends the query on the connection's own socket and reads until ReadyForQuery, without decoding a row."""
    taken = socket.socket(fileno=os.dup(connection.fileno()))
    taken.settimeout(600)
    text = sql.encode() + b"\0"
    if binary:
        parse, bind = b"\0" + text + b"\0\0", b"\0\0" + struct.pack("!hhhh", 0, 0, 1, 1)
        messages = [(b"P", parse), (b"B", bind), (b"E", b"\0\0\0\0\0"), (b"S", b"")]
    else:
        messages = [(b"Q", text)]
    request = b"".join(kind + struct.pack("!i", len(body) + 4) + body for kind, body in messages)
    buffer, tail, read = memoryview(bytearray(1 << 20)), b"", 0
    started = time.perf_counter()
    taken.sendall(request)
    while not (len(tail) >= 6 and tail[-6:-1] == b"Z\0\0\0\5"):
        got = taken.recv_into(buffer)
        if not got:
            raise SystemExit("the server closed the connection")
        read += got
        tail = (tail + bytes(buffer[max(0, got - 64) : got]))[-64:]
    seconds = time.perf_counter() - started
    taken.close()
    tag = tail[tail.index(b"SELECT ") : -7].decode()
    return int(tag.split()[1]) / seconds, read


class Peak:
    """The most memory that a process held while the block ran, above what it held before."""

    def __init__(self, process):
        self.process, self.growth, self.stop = process, 0, threading.Event()

    def __enter__(self):
        self.before = self.process.resident_kib()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.stop.wait(0.02):
            self.growth = max(self.growth, self.process.resident_kib() - self.before)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def fill(peer, sample, rows):
    """Copies the rows into PostgreSQL."""
    with psycopg.connect(**peer.parameters(), autocommit=True) as target, sample.connect() as source:
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS.split(", "), TYPES))
        target.execute("CREATE SCHEMA logs")
        target.execute(f"CREATE UNLOGGED TABLE logs.cloudtrail ({columns})")
        select = f"SELECT {COLUMNS} FROM logs.cloudtrail LIMIT {rows}"
        with source.cursor().copy(f"COPY ({select}) TO STDOUT (FORMAT binary)") as out:
            with target.cursor().copy("COPY logs.cloudtrail FROM STDIN (FORMAT binary)") as into:
                for part in out:
                    into.write(part)
        target.execute("VACUUM ANALYZE logs.cloudtrail")
        return target.execute("SELECT count(*) FROM logs.cloudtrail").fetchone()[0]


def main():
    given = peers.arguments("stream: rows/s of a SELECT of 10 columns against PostgreSQL", rows=200_000, repeats=3)
    with peers.Sample(int(given.rows * 2.6)) as sample:
        peer = servers.Postgres().start()
        try:
            rows = fill(peer, sample, given.rows)
            sql = f"SELECT {COLUMNS} FROM logs.cloudtrail LIMIT {rows}"
            print(f"{rows} rows")
            with sample.connect() as ours, psycopg.connect(**peer.parameters(), autocommit=True) as theirs:
                for connection in (ours, theirs):
                    rows_per_second(connection, sql, False)
                for binary in (False, True):
                    with Peak(sample.server.server) as memory:
                        mine = max(rows_per_second(ours, sql, binary)[0] for _ in range(given.repeats))
                    other = max(rows_per_second(theirs, sql, binary)[0] for _ in range(given.repeats))
                    peers.report(f"stream {'binary' if binary else 'text'}", mine, other, "rows/s", 1.0)
                    grown = memory.growth / 1024
                    print(f"memory growth {grown:.1f} MiB (target < 32 MiB: {'yes' if grown < 32 else 'NO'})")
        finally:
            peer.stop()


main()
