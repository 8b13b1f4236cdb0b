"""The protocol by hand, for what no driver would send."""

import socket
import struct

import servers

CANCEL, SSL, GSS = 80877102, 80877103, 80877104


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def startup(version=3 << 16, **parameters):
    pairs = b"".join(name.encode() + b"\0" + value.encode() + b"\0" for name, value in parameters.items()) + b"\0"
    return struct.pack("!ii", len(pairs) + 8, version) + pairs


def fields(body):
    """The fields of an ErrorResponse or NoticeResponse, by their letter."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


class Socket:
    def __init__(self, port, timeout=10):
        self.socket = socket.create_connection((servers.HOST, port), timeout)
        self.key = b""
        self.parameters = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, length):
        data = b""
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise EOFError(f"closed after {data!r}")
            data += part
        return data

    def read(self):
        kind = self.receive(1)
        return kind, self.receive(struct.unpack("!i", self.receive(4))[0] - 4)

    def is_closed(self):
        """Whether the server closed the connection, after whatever it still had to say."""
        try:
            while self.socket.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def until_ready(self):
        """Messages up to ReadyForQuery, which is the last."""
        found = []
        while True:
            kind, body = self.read()
            found.append((kind, body))
            if kind == b"K":
                self.key = body
            elif kind == b"S":
                name, value = body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            if kind == b"Z":
                return found

    def error(self):
        """The first error that comes."""
        while True:
            kind, body = self.read()
            if kind == b"E":
                return fields(body)

    def log_in(self, user="demo", database="lake", **more):
        self.send(startup(user=user, database=database, **more))
        return self.until_ready()

    def query(self, sql):
        self.send(message(b"Q", sql.encode() + b"\0"))
        return self.until_ready()


def parse(sql, name=b"", types=()):
    return message(b"P", name + b"\0" + sql.encode() + b"\0" + struct.pack(f"!h{len(types)}I", len(types), *types))


def bind(portal=b"", statement=b"", values=()):
    body = portal + b"\0" + statement + b"\0" + struct.pack("!hh", 0, len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message(b"B", body + struct.pack("!h", 0))


def describe(kind=b"P", name=b""):
    return message(b"D", kind + name + b"\0")


def execute(portal=b"", rows=0):
    return message(b"E", portal + b"\0" + struct.pack("!i", rows))


SYNC = message(b"S")
FLUSH = message(b"H")
