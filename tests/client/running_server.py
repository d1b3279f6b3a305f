"""A smsflowd with its loopback gateway, for the length of a test: its own folder, its own socket, its own keys."""

import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

CONFIG = """
data = "{folder}/data"
[listen]
grpc = "unix:{folder}/socket"
metrics = ""
plaintext = true
[engine]
ballast = "1MB"
[loopback]
enabled = true
keys = ["{folder}/gateway.key.pem"]
delay = "20ms"
[delivery]
max_jitter = "0s"
max_attempts = 2
wait_after_fail = "100ms"
[[key]]
name = "client"
sha256 = "{client}"
role = "client"
tenants = ["demo", "other"]
[[key]]
name = "root"
sha256 = "{admin}"
role = "admin"
"""
CLIENT_TOKEN = "client-only-for-this-test"
ADMIN_TOKEN = "admin-only-for-this-test"


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


class RunningServer:
    def __init__(self, smsflowd, smsflow, more=""):
        """`more`: of the configuration, whole sections."""
        self.smsflowd, self.smsflow = smsflowd, smsflow
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        subprocess.run([smsflow, "keygen", f"{self.folder}/gateway"], check=True, stdout=subprocess.DEVNULL)
        Path(self.folder, "smsflow.toml").write_text(
            CONFIG.format(folder=self.folder, client=digest(CLIENT_TOKEN), admin=digest(ADMIN_TOKEN)) + more)
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.smsflowd, "--config", f"{self.folder}/smsflow.toml"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = self.process.stdout.readline()
        self.address = re.search(r"grpc=(\S+)", ready).group(1)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def close(self):
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.temporary.cleanup()
        assert code == 0, f"smsflowd ended with {code}"

    def environment(self, token, tenant):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SMSFLOW_")}
        return dict(kept, SMSFLOW_ADDRESS=self.address, SMSFLOW_TOKEN=token, SMSFLOW_TENANT=tenant)
