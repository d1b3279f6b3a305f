"""Runs docs/examples/client.py against smsflowd with its loopback gateway: python_client_test.py SOURCES SMSFLOWD SMSFLOW."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCES, SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:4])
TOKEN = "only-for-this-test"

CONFIG = """
data = "{folder}/data"
[listen]
grpc = "127.0.0.1:0"
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
[[key]]
name = "test"
sha256 = "{digest}"
role = "client"
tenants = ["demo", "other"]
"""


class PythonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run([SMSFLOW, "keygen", f"{cls.folder.name}/gateway"], check=True, stdout=subprocess.DEVNULL)
        config = Path(cls.folder.name, "smsflow.toml")
        config.write_text(CONFIG.format(folder=cls.folder.name, digest=hashlib.sha256(TOKEN.encode()).hexdigest()))
        cls.server = subprocess.Popen([SMSFLOWD, "--config", config], stdout=subprocess.PIPE, text=True)
        ready = cls.server.stdout.readline()
        cls.address = re.search(r"grpc=(\S+)", ready).group(1)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        code = cls.server.wait(timeout=20)
        cls.server.stdout.close()
        cls.folder.cleanup()
        assert code == 0, f"smsflowd ended with {code}"

    def run_client(self, *arguments, token=TOKEN, tenant="demo"):
        environment = dict(os.environ, SMSFLOW_ADDRESS=self.address, SMSFLOW_TOKEN=token, SMSFLOW_TENANT=tenant)
        return subprocess.run(["/usr/bin/python3", SOURCES / "docs/examples/client.py", "--pubkey",
                               f"{self.folder.name}/gateway.jwk", "--to", "+255123456789", *arguments],
                              env=environment, capture_output=True, text=True, timeout=60, check=False)

    def test_what_it_seals_is_delivered(self):
        # The gateway reads its orders from the text, so it has opened the envelope.
        done = self.run_client("--text", "Hello, S1D1", "--key", "visit 17/ä")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^scheduled [0-9a-f-]{36}\nnow \w+\n")
        self.assertIn("DELIVERED", done.stdout)

    def test_what_the_gateway_refuses_ends_invalid(self):
        done = self.run_client("--text", "S0I1")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("INVALID  report INVALID  requested", done.stdout)

    def test_the_same_key_is_scheduled_once_in_each_tenant(self):
        # The second call counts slots from another second: the first answer stands, or the server says why not.
        first = self.run_client("--text", "S1D1", "--key", "once")
        again = self.run_client("--text", "S1D1", "--key", "once")
        other = self.run_client("--text", "S1D1", "--key", "once", tenant="other")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(other.returncode, 0, other.stderr)
        self.assertNotEqual(first.stdout.splitlines()[0], other.stdout.splitlines()[0])
        if again.returncode == 0:
            self.assertEqual(first.stdout.splitlines()[0], again.stdout.splitlines()[0])
        else:
            self.assertIn("client.py: ALREADY_EXISTS", again.stderr)

    def test_nobody_enters_without_a_known_token(self):
        done = self.run_client("--text", "S1D1", token="wrong")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "client.py: UNAUTHENTICATED: the credential is missing or unknown\n")
        self.assertNotIn("255123456789", done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
