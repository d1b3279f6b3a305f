"""smsflowd and its like as processes of a test: with a folder and a configuration of their own, waited for, and stopped.

What the environment of the test says to smsflow is kept from them.
"""

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BASE = """
data = "{folder}/data"
shards = {shards}
[listen]
grpc = "unix:{folder}/socket"
metrics = "{metrics}"
rest = "{rest}"
plaintext = true
[engine]
ballast = "1MB"
"""
LOOPBACK = """
[loopback]
enabled = true
keys = ["{folder}/gateway.key.pem"]
delay = "20ms"
long_delay = "60ms"
"""
SKIPPED = 77
ANY_PORT = "127.0.0.1:0"


def test_main():
    """unittest.main(), which is green when a test was skipped; so is this, but it ends with what ctest and the proof call skipped."""
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if result.skipped else 0)


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def key(name, token, roles, tenants=(), gateways=()):
    """A credential of the configuration; its name, for REST, is that of the user."""
    lists = {"role": roles, "tenants": tenants, "gateways": gateways}
    return f'[[key]]\nname = "{name}"\nsha256 = "{digest(token)}"\n' + "".join(
        f"{word} = [{', '.join(f'{chr(34)}{one}{chr(34)}' for one in listed)}]\n" for word, listed in lists.items() if listed)


def environment(**more):
    return {name: value for name, value in os.environ.items() if not name.startswith("SMSFLOW_")} | more


class Process:
    """Its standard output is `output`, but where that is to go to `into`, a file; the standard error goes to `errors`, a
    file or with the output, or nowhere."""

    def __init__(self, *words, errors=subprocess.DEVNULL, into=subprocess.PIPE):
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=into, stderr=errors, env=environment(),
                                        text=True)
        self.output = self.process.stdout

    @property
    def name(self):
        return Path(self.process.args[0]).name

    @property
    def pid(self):
        return self.process.pid

    def has_ended(self):
        return self.process.poll() is not None

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, code=0):
        self.process.terminate()
        ended = self.wait()
        assert ended == code, f"{self.name} ended with {ended}"

    def kill(self):
        """It must have lived until now: one that crashed before would be buried here, and nobody the wiser."""
        ended = self.end()
        assert ended == -signal.SIGKILL, f"{self.name} had ended by itself, with {ended}"

    def end(self):
        """However it fares, to clean up after it; its exit code."""
        self.process.kill()
        return self.wait()

    def wait(self):
        ended = self.process.wait(timeout=60)
        if self.output is not None:
            self.output.close()
        return ended


class Engine:
    """A smsflowd. With `smsflow`, there are the keys of a gateway in its folder: gateway.key.pem and what belongs to it."""

    def __init__(self, smsflowd, smsflow=None):
        self.smsflowd, self.smsflow = smsflowd, smsflow
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        self.running = None
        if smsflow is not None:
            subprocess.run([smsflow, "keygen", f"{self.folder}/gateway"], check=True, stdout=subprocess.DEVNULL)

    def configure(self, more="", loopback=False, rest="", metrics="", shards=64):
        """`more`: whole sections."""
        text = (BASE + LOOPBACK * loopback).format(folder=self.folder, rest=rest, metrics=metrics, shards=shards)
        Path(self.folder, "smsflow.toml").write_text(text + more, encoding="utf-8")

    def start(self, errors=subprocess.DEVNULL):
        """Returns when it serves; `ready` has where, by door."""
        self.running = Process(self.smsflowd, "--config", f"{self.folder}/smsflow.toml", errors=errors)
        self.said = self.running.output.readline()
        self.ready = dict(re.findall(r"(\w+)=(\S+)", self.said))

    def stop(self):
        self.running.stop()

    def kill(self):
        self.running.kill()

    def close(self):
        try:
            self.stop()
        finally:
            self.temporary.cleanup()

    def environment(self, token, tenant):
        """In which `smsflow` speaks to it."""
        return environment(SMSFLOW_ADDRESS=self.ready["grpc"], SMSFLOW_TOKEN=token, SMSFLOW_TENANT=tenant)

    def seal(self, tenant, text):
        """An SMS with this text, for the gateway whose keys are in the folder."""
        done = subprocess.run([self.smsflow, "seal", "--tenant", tenant, "--to", "+255123456789", "--text", text, "--pubkey",
                               f"{self.folder}/gateway.jwk"], capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()
