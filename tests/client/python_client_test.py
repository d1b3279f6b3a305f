"""Runs docs/examples/client.py against smsflowd with its loopback gateway: python_client_test.py SOURCES SMSFLOWD SMSFLOW."""

import subprocess
import sys
import unittest
from pathlib import Path

from running_server import CLIENT_TOKEN, RunningServer

SOURCES, SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:4])


class PythonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = RunningServer(SMSFLOWD, SMSFLOW)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def run_client(self, *arguments, token=CLIENT_TOKEN, tenant="demo"):
        return subprocess.run(["/usr/bin/python3", SOURCES / "docs/examples/client.py", "--pubkey",
                               f"{self.server.folder}/gateway.jwk", "--to", "+255123456789", *arguments],
                              env=self.server.environment(token, tenant), capture_output=True, text=True, timeout=60, check=False)

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

    def test_a_set_of_keys_does_as_well_and_what_is_none_is_one_line(self):
        key = f"{self.server.folder}/gateway.jwk"
        jwks = subprocess.run([SMSFLOW, "jwks", key], capture_output=True, text=True, timeout=60, check=True).stdout
        Path(f"{key}s").write_text(jwks, encoding="utf-8")
        done = self.run_client("--text", "S1D1", "--pubkey", f"{key}s")
        self.assertEqual(done.returncode, 0, done.stderr)
        pem = f"{self.server.folder}/gateway.pub.pem"
        done = self.run_client("--text", "S1D1", "--pubkey", pem)
        self.assertEqual(done.stderr, f"client.py: {pem} is no JWK and no JWK Set; smsflow jwks makes one of a PEM\n")

    def test_nobody_enters_without_a_known_token(self):
        done = self.run_client("--text", "S1D1", token="wrong")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "client.py: UNAUTHENTICATED: the credential is missing or unknown\n")
        self.assertNotIn("255123456789", done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
