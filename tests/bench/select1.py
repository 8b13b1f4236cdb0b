"""`SELECT 1`, prepared, from many clients of pgbench."""

import pathlib
import subprocess
import tempfile

import peers
import servers


def pgbench(server, clients, seconds):
    """Transactions a second, and the latencies in ms, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "select1.sql"
        script.write_text("SELECT 1;\n")
        given = server.parameters()
        command = [
            "pgbench", "-h", given["host"], "-p", str(given["port"]), "-U", given["user"], "-n", "-M", "prepared", "-c", str(clients),
            "-j", "2", "-T", str(seconds), "-f", script, "--log", "--log-prefix", f"{folder}/log", given["dbname"],
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        tps = next(float(line.split()[2]) for line in done.stdout.splitlines() if line.startswith("tps"))
        logged = [line.split()[2] for log in pathlib.Path(folder).glob("log*") for line in log.read_text().splitlines()]
        return tps, sorted(int(micros) / 1000 for micros in logged)


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def main():
    given = peers.arguments("select1: transactions/s of pgbench against PostgreSQL", clients=100, seconds=5)
    with peers.Sample(2000) as sample:
        peer = servers.Postgres(settings=[f"max_connections={given.clients + 20}"]).start()
        try:
            for server in (sample.server, peer):
                pgbench(server, given.clients, 1)
            ours, latencies = pgbench(sample.server, given.clients, given.seconds)
            theirs, other = pgbench(peer, given.clients, given.seconds)
        finally:
            peer.stop()
    peers.report("select1", ours, theirs, "tps", 0.8)
    for name, values in (("ours", latencies), ("peer", other)):
        middle, late = quantile(values, 0.5), quantile(values, 0.99)
        if middle == 0:
            print(f"{name}: the log has no usable latencies")
            continue
        print(f"{name}: p50 {middle:.3f} ms, p99 {late:.3f} ms, p99/p50 {late / middle:.2f} (target <= 3)")


main()
