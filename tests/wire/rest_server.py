"""A smsflowd with its REST door and its loopback gateway, for the length of a test; and a client that sends exactly the
bytes it is told to."""

import base64
import hashlib
import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path

CONFIG = """
data = "{folder}/data"
shards = 8
[listen]
grpc = "unix:{folder}/socket"
metrics = ""
rest = "127.0.0.1:0"
plaintext = true
[rest]
patience = "{patience}"
[engine]
ballast = "1MB"
[loopback]
enabled = true
keys = ["{folder}/gateway.key.pem"]
delay = "20ms"
long_delay = "60ms"
[delivery]
max_jitter = "0s"
max_attempts = 1
ack_receipt_timeout = "10m"
"""
KEY = """[[key]]
name = "{name}"
sha256 = "{digest}"
role = [{roles}]
tenants = [{tenants}]
"""
# Whose password is his name and "-password".
PEOPLE = {
    "admin": (("client", "admin"), ("test", "acme")),
    "user": (("client",), ("acme",)),
    "other": (("client",), ("beta",)),
    "adm": (("admin",), ("nobody",)),
}


class RestServer:
    def __init__(self, smsflowd, smsflow, patience="20s"):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder, self.smsflow = self.temporary.name, smsflow
        subprocess.run([smsflow, "keygen", f"{self.folder}/gateway"], check=True, stdout=subprocess.DEVNULL)
        config = CONFIG.format(folder=self.folder, patience=patience)
        for name, (roles, tenants) in PEOPLE.items():
            digest = hashlib.sha256(password(name).encode()).hexdigest()
            config += KEY.format(name=name, digest=digest, roles=quoted(roles), tenants=quoted(tenants))
        Path(self.folder, "smsflow.toml").write_text(config, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SMSFLOW_")}
        self.process = subprocess.Popen([smsflowd, "--config", f"{self.folder}/smsflow.toml"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=kept, text=True)
        ready = self.process.stdout.readline()
        host, port = re.search(r"rest=(\S+):(\d+)", ready).groups()
        self.address = host, int(port)

    def close(self):
        self.process.terminate()
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.temporary.cleanup()
        assert code == 0, f"smsflowd ended with {code}"

    def seal(self, tenant, text):
        """An SMS with this text, for the loopback gateway."""
        done = subprocess.run([self.smsflow, "seal", "--tenant", tenant, "--to", "+255123456789", "--text", text, "--pubkey",
                               f"{self.folder}/gateway.jwk"], capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()

    def connect(self):
        return Client(self.address)

    def ask(self, method, path, user=None, body=None, headers=()):
        with self.connect() as client:
            client.send(request(method, path, user, body, headers))
            return client.read(method == "HEAD")


def quoted(words):
    return ", ".join(f'"{word}"' for word in words)


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
