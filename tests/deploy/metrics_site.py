"""A smsflowd whose metrics can be read, for the length of a test, and a life in it that ends UNKNOWN."""

import hashlib
import os
import re
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

TOKEN = "only-for-this-test"
CONFIG = """
data = "{folder}/data"
[listen]
grpc = "unix:{folder}/socket"
metrics = "127.0.0.1:0"
plaintext = true
[engine]
ballast = "1MB"
[loopback]
enabled = true
keys = ["{folder}/gateway.key.pem"]
delay = "20ms"
[delivery]
max_jitter = "0s"
ack_send_timeout = "200ms"
ack_receipt_timeout = "200ms"
probe = "200ms"
[[key]]
name = "client"
sha256 = "{digest}"
role = "client"
tenants = ["demo"]
"""


class MetricsSite:
    def __init__(self, smsflowd, smsflow):
        self.smsflowd, self.smsflow = smsflowd, smsflow
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name

    def __enter__(self):
        subprocess.run([self.smsflow, "keygen", f"{self.folder}/gateway"], check=True, stdout=subprocess.DEVNULL)
        config = Path(self.folder, "smsflowd.toml")
        config.write_text(CONFIG.format(folder=self.folder, digest=hashlib.sha256(TOKEN.encode()).hexdigest()))
        self.process = subprocess.Popen([self.smsflowd, "--config", config], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = "http://" + re.search(r"metrics=(\S+)", self.process.stdout.readline()).group(1) + "/metrics"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.temporary.cleanup()
        assert code == 0, f"smsflowd ended with {code}"

    def metrics(self):
        """name -> label -> the values that it has"""
        with urllib.request.urlopen(self.url, timeout=20) as answer:
            text = answer.read().decode()
        found = {}
        for line in text.splitlines():
            if match := re.match(r"(smsflow_\w+)(?:\{(.*)\})? ", line):
                labels = found.setdefault(match.group(1), {})
                for label, value in re.findall(r'(\w+)="([^"]*)"', match.group(2) or ""):
                    labels.setdefault(label, set()).add(value)
        return found

    def metrics_after_an_unknown(self):
        """The gateway takes S0D0 and never says a word: the one result that an alert names."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SMSFLOW_")}
        environment = dict(kept, SMSFLOW_ADDRESS=f"unix:{self.folder}/socket", SMSFLOW_TOKEN=TOKEN, SMSFLOW_TENANT="demo")
        subprocess.run([self.smsflow, "schedule", "--at", "+0+2s", "--target", "t", "--to", "+255700000001", "--sender", "S",
                        "--text", "S0D0", "--pubkey", f"{self.folder}/gateway.pub.pem"], env=environment, check=True,
                       stdout=subprocess.DEVNULL, timeout=30)
        end = time.monotonic() + 40
        while True:
            found = self.metrics()
            if "UNKNOWN" in found.get("smsflow_results_total", {}).get("state", ()):
                return found
            assert time.monotonic() < end, "no UNKNOWN within 40 s"
            time.sleep(0.2)
