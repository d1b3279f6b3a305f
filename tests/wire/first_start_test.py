"""The first start: one account, whose password is shown once and stands nowhere; with it everything else is made.

first_start_test.py SMSFLOWD SMSFLOW
"""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from rest_server import Client, request

SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
CONFIG = """
data = "{folder}/data"
shards = 4
[listen]
grpc = "unix:{folder}/socket"
metrics = ""
rest = "127.0.0.1:0"
plaintext = true
[engine]
ballast = "1MB"
"""


class FirstStart(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "smsflow.toml").write_text(CONFIG.format(folder=self.folder), encoding="utf-8")

    def start(self):
        """Its standard error, once it is ready."""
        self.errors = open(self.folder / "errors", "w+", encoding="utf-8")
        self.addCleanup(self.errors.close)
        self.process = subprocess.Popen([SMSFLOWD, "--config", self.folder / "smsflow.toml"], stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)
        self.addCleanup(self.process.stdout.close)
        ready = self.process.stdout.readline()
        host, port = re.search(r"rest=(\S+):(\d+)", ready).groups()
        self.address = host, int(port)
        self.assertNotIn("password", ready)
        return (self.folder / "errors").read_text(encoding="utf-8")

    def stop(self, kill=False):
        self.process.kill() if kill else self.process.terminate()
        self.assertIn(self.process.wait(timeout=60), (0, -9))

    def ask(self, method, path, user, body=None, kind="application/json"):
        client = Client(self.address)
        with client:
            client.send(request(method, path, user, body, [f"Content-Type: {kind}"] if body is not None else []))
            return client.read()

    def test_one_password_is_shown_once_and_makes_all_others(self):
        said = self.start()
        password = re.search(r"made the account admin, with the password (\S{24}) ", said).group(1)
        admin = f"admin:{password}"
        self.assertEqual(self.ask("GET", "/iam/check", admin).status, 200)
        self.assertEqual(self.ask("GET", "/iam/check", "admin:admin").status, 401)
        self.assertEqual(self.ask("POST", "/iam/clients", admin, b"clinic", "text/plain").status, 200)
        made = self.ask("POST", "/iam/accounts", admin,
                        json.dumps({"id": "ann", "password": "her own", "groups": ["users", "clinic"]}).encode())
        self.assertEqual(made.status, 200, made.body)
        sms = {"schedule": "4000000000-4000000600", "payload": "x", "key": "k"}
        old = self.ask("POST", "/schedule/clinic", "ann:her own", json.dumps(sms).encode())
        self.assertEqual(json.loads(old.body)["user"], "ann")
        new = self.ask("GET", "/api/v1/sms?key=k", "ann:her own")
        self.assertEqual([one["id"] for one in json.loads(new.body)["items"]], [json.loads(old.body)["id"]])
        self.assertEqual(self.ask("POST", "/schedule/users", "ann:her own", json.dumps(sms).encode()).status, 403)
        self.assertEqual(self.ask("POST", "/schedule/test", "ann:her own", json.dumps(sms).encode()).status, 403)
        self.stop(kill=True)
        self.assertNotIn("password", self.start(), "it is shown once")
        self.assertEqual(self.ask("GET", "/iam/check", "ann:her own").status, 200, "what was answered is on disk")
        self.stop()
        self.assertNotIn("password", (self.folder / "errors").read_text(encoding="utf-8"))
        for file in self.folder.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                self.assertNotIn(password.encode(), data, file)
                self.assertNotIn(b"her own", data, file)
        verified = subprocess.run([SMSFLOW, "db", "verify", "--data", self.folder / "data"], capture_output=True, check=False)
        self.assertEqual(verified.returncode, 0, verified.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
