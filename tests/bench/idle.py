"""Memory of connections that do nothing."""

import resource
import time

import peers
import wire


def open_connections(port, number):
    opened = []
    for _ in range(number):
        opened.append(wire.Socket(port))
        opened[-1].log_in()
    return opened


def settled(process):
    """Resident memory once it no longer changes."""
    seen = process.resident_kib()
    while True:
        time.sleep(0.5)
        now = process.resident_kib()
        if abs(now - seen) < 64:
            return now
        seen = now


def main():
    given = peers.arguments("idle: KiB of memory for each idle connection", connections=2000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, given.connections + 200)), hard))
    with peers.Sample(2000) as sample:
        for connection in open_connections(sample.server.port, 50):
            connection.socket.close()
        before = settled(sample.server.server)
        opened = open_connections(sample.server.port, given.connections)
        after = settled(sample.server.server)
        each = (after - before) / given.connections
        print(f"idle: {each:.1f} KiB a connection over {given.connections} (target < 20: {'yes' if each < 20 else 'NO'})")
        for connection in opened:
            connection.socket.close()


main()
