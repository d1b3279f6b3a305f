"""A smsflowd with its REST door and its loopback gateway, for the length of a test; and a client that sends exactly the
bytes it is told to."""

import base64
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402

MORE = """
[rest]
patience = "{patience}"
[delivery]
max_jitter = "0s"
max_attempts = 1
ack_receipt_timeout = "10m"
"""
# Whose password is his name and "-password".
PEOPLE = {
    "admin": (("client", "admin"), ("test", "acme")),
    "user": (("client",), ("acme",)),
    "other": (("client",), ("beta",)),
    "adm": (("admin",), ("nobody",)),
}


class RestServer(running.Engine):
    def __init__(self, smsflowd, smsflow, patience="20s"):
        super().__init__(smsflowd, smsflow)
        self.configure(MORE.format(patience=patience) + "".join(
            running.key(name, password(name), roles, tenants) for name, (roles, tenants) in PEOPLE.items()),
            loopback=True, rest=running.ANY_PORT, shards=8)
        self.start()
        self.address = address_of(self)

    def connect(self):
        return Client(self.address)

    def ask(self, method, path, user=None, body=None, headers=()):
        with self.connect() as client:
            client.send(request(method, path, user, body, headers))
            return client.read(method == "HEAD")


def address_of(engine):
    """Of its REST door."""
    host, port = engine.ready["rest"].rsplit(":", 1)
    return host, int(port)


def password(user):
    return f"{user}-password"


def basic(user, secret=None):
    both = f"{user}:{password(user) if secret is None else secret}"
    return "Basic " + base64.b64encode(both.encode()).decode()


def request(method, path, user=None, body=None, headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if user:
        lines.append("Authorization: " + (basic(*user.split(":", 1)) if ":" in user else basic(user)))
    lines += headers
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


class Answer:
    def __init__(self, status, headers, body, whole):
        self.status, self.headers, self.body, self.whole = status, headers, body, whole


class Client:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=60)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had enough; what it said is read

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.held += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.held:
            if not self.more():
                return b""
        line, self.held = self.held.split(b"\r\n", 1)
        return line

    def take(self, size):
        while len(self.held) < size:
            if not self.more():
                return None
        taken, self.held = self.held[:size], self.held[size:]
        return taken

    def ends(self):
        """Whether it closes without another byte."""
        while not self.held:
            if not self.more():
                return True
        return False

    def read(self, to_head=False):
        """The next answer; None when the connection ended before."""
        first = self.line()
        if not first:
            return None
        status, headers = int(first.split()[1]), {}
        while line := self.line():
            name, value = line.decode().split(": ", 1)
            headers[name.lower()] = value
        if to_head or status < 200:
            return Answer(status, headers, "", True)
        if "content-length" in headers:
            body = self.take(int(headers["content-length"]))
            return Answer(status, headers, (body or b"").decode(), body is not None)
        body = b""
        while True:
            size = int(self.line() or b"-1", 16)
            piece = self.take(size) if size >= 0 else None
            if piece is None or self.line() != b"":
                return Answer(status, headers, body.decode(), False)
            body += piece
            if size == 0:
                return Answer(status, headers, body.decode(), True)
