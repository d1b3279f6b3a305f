"""A smsflowd whose metrics can be read, for the length of a test, and a life in it that ends UNKNOWN."""

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402

TOKEN = "only-for-this-test"
DELIVERY = """[delivery]
max_jitter = "0s"
ack_send_timeout = "200ms"
ack_receipt_timeout = "200ms"
probe = "200ms"
"""


class MetricsSite(running.Engine):
    def __enter__(self):
        self.configure(DELIVERY + running.key("client", TOKEN, ["client"], ["demo"]), loopback=True,
                       metrics=running.ANY_PORT)
        self.start()
        self.url = f"http://{self.ready['metrics']}/metrics"
        return self

    def __exit__(self, *_):
        self.close()

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
        subprocess.run([self.smsflow, "schedule", "--at", "+0+8s", "--target", "t", "--to", "+255700000001", "--sender", "S",
                        "--text", "S0D0", "--pubkey", f"{self.folder}/gateway.pub.pem"], env=self.environment(TOKEN, "demo"), check=True,
                       stdout=subprocess.DEVNULL, timeout=30)
        end = time.monotonic() + 60
        while True:
            found = self.metrics()
            if "UNKNOWN" in found.get("smsflow_results_total", {}).get("state", ()):
                return found
            assert time.monotonic() < end, "no UNKNOWN within 60 s"
            time.sleep(0.2)
