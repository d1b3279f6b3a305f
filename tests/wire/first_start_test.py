"""The first start: one account, whose password is shown once and stands in no log; with it everything else is made.

first_start_test.py SMSFLOWD SMSFLOW
"""

import json
import os
import pty
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "secrets"))
from rest_server import Client, address_of, request, running  # noqa: E402
from search import Search, why_memory_cannot_be_read  # noqa: E402

SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
PASSWORD = re.compile(r"made the account admin, with the password (\S{24}) ")
PATIENCE_S = 60


class FirstStart(unittest.TestCase):
    def setUp(self):
        self.engine = running.Engine(SMSFLOWD, SMSFLOW)
        self.addCleanup(self.engine.temporary.cleanup)
        self.addCleanup(self.end_what_still_runs)
        self.folder = Path(self.engine.folder)
        self.engine.configure(loopback=True, rest=running.ANY_PORT, shards=4)

    def end_what_still_runs(self):
        """After a test that failed, or was passed over in its midst."""
        if self.engine.running is not None and not self.engine.running.has_ended():
            self.engine.running.end()

    def start(self):
        """Its standard error, once it is ready."""
        with open(self.folder / "errors", "w", encoding="utf-8") as errors:
            self.engine.start(errors)
        self.address = address_of(self.engine)
        self.assertNotIn("password", self.engine.said)
        return (self.folder / "errors").read_text(encoding="utf-8")

    def first_start(self):
        """The password of admin, from the file that the log names; the file is then deleted, as it asks for."""
        said = self.start()
        file = self.folder / "data/admin-password"
        self.assertIn(str(file), said)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        password = file.read_text(encoding="utf-8")
        self.assertRegex(password, r"^\S{24}$")
        self.assertNotIn(password, said, "a log is kept and collected")
        file.unlink()
        return password

    def ask(self, method, path, user, body=None, kind="application/json"):
        client = Client(self.address)
        with client:
            client.send(request(method, path, user, body, [f"Content-Type: {kind}"] if body is not None else []))
            return client.read()

    def make_ann(self, admin):
        """Of a client that was there before neither of them: clinic."""
        self.assertEqual(self.ask("POST", "/iam/clients", admin, b"clinic", "text/plain").status, 200)
        made = self.ask("POST", "/iam/accounts", admin,
                        json.dumps({"id": "ann", "password": "her own", "groups": ["users", "clinic"]}).encode())
        self.assertEqual(made.status, 200, made.body)

    def test_one_password_is_shown_once_and_makes_all_others(self):
        password = self.first_start()
        admin = f"admin:{password}"
        self.assertEqual(self.ask("GET", "/iam/check", admin).status, 200)
        self.assertEqual(self.ask("GET", "/iam/check", "admin:admin").status, 401)
        self.make_ann(admin)
        sms = {"schedule": "4000000000-4000000600", "payload": "x", "key": "k"}
        old = self.ask("POST", "/schedule/clinic", "ann:her own", json.dumps(sms).encode())
        self.assertEqual(json.loads(old.body)["user"], "ann")
        new = self.ask("GET", "/api/v1/sms?key=k", "ann:her own")
        self.assertEqual([one["id"] for one in json.loads(new.body)["items"]], [json.loads(old.body)["id"]])
        self.assertEqual(self.ask("POST", "/schedule/users", "ann:her own", json.dumps(sms).encode()).status, 403)
        self.assertEqual(self.ask("POST", "/schedule/test", "ann:her own", json.dumps(sms).encode()).status, 403)
        self.engine.kill()
        self.assertNotIn("password", self.start(), "it is shown once")
        self.assertEqual(self.ask("GET", "/iam/check", "ann:her own").status, 200, "what was answered is on disk")
        self.engine.stop()
        self.assertNotIn("password", (self.folder / "errors").read_text(encoding="utf-8"))
        for file in self.folder.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                self.assertNotIn(password.encode(), data, file)
                self.assertNotIn(b"her own", data, file)
        verified = subprocess.run([SMSFLOW, "db", "verify", "--data", self.folder / "data"], capture_output=True, check=False)
        self.assertEqual(verified.returncode, 0, verified.stdout)

    def test_on_a_terminal_it_is_shown_there_and_nowhere_else(self):
        master, terminal = pty.openpty()
        self.addCleanup(os.close, master)
        self.engine.start(terminal)
        os.close(terminal)
        shown = os.read(master, 65536).decode()
        while not PASSWORD.search(shown):
            shown += os.read(master, 65536).decode()
        self.address = address_of(self.engine)
        password = PASSWORD.search(shown).group(1)
        self.assertEqual(self.ask("GET", "/iam/check", f"admin:{password}").status, 200)
        self.assertFalse((self.folder / "data/admin-password").exists())
        self.engine.stop()

    def test_a_password_is_gone_from_memory_once_it_was_looked_at(self):
        """Also as base64, which is how a credential comes."""
        admin = "admin:" + self.first_start()
        # Longer than a register, which the system may put on a stack as it pleases.
        words = [f"{name}-password-that-nothing-else-looks-like" for name in ("first", "next", "third", "fourth")]
        for method, path, kind, body in (
                ("POST", "/iam/accounts", "application/json", json.dumps({"id": "ann", "password": words[0], "groups": []})),
                ("PUT", "/iam/accounts/ann", "application/json", json.dumps({"password": words[1]})),
                ("POST", "/iam/accounts/ann/password", "text/plain", words[2]),
                ("POST", "/api/v1/accounts", "application/json", json.dumps({"account": "bob", "password": words[3]}))):
            self.assertEqual(self.ask(method, path, admin, body.encode(), kind).status, 200, path)
        self.assertEqual(self.ask("GET", "/iam/check", f"ann:{words[2]}").status, 200)
        self.assertEqual(self.ask("GET", "/iam/check", f"ann:{words[0]}").status, 401)
        process = self.engine.running.pid
        if why_memory_cannot_be_read(process):
            self.skipTest("the memory of another process cannot be read here")
        secrets = {word: word for word in words}
        until = time.monotonic() + PATIENCE_S  # an answer may leave a moment before its request is wiped
        while (found := Search(secrets).memory(process)) and time.monotonic() < until:
            pass
        self.assertEqual(found, [])
        self.engine.stop()

    def test_the_gateway_inside_serves_a_client_from_when_it_is_made(self):
        """No restart between."""
        admin = "admin:" + self.first_start()
        self.make_ann(admin)
        now = int(time.time())
        sms = {"schedule": f"{now}-{now + 600}", "payload": self.engine.seal("clinic", "S1D1")}
        made = json.loads(self.ask("POST", "/schedule/clinic", "ann:her own", json.dumps(sms).encode()).body)
        until = time.monotonic() + PATIENCE_S
        while made["status"] != "DELIVERED":
            self.assertLess(time.monotonic(), until, made)
            made = json.loads(self.ask("GET", f"/schedule/clinic/by-id/{made['id']}", "ann:her own").body)
        self.assertEqual(self.ask("DELETE", "/iam/clients/clinic", admin).status, 200)
        self.assertEqual(self.ask("POST", "/schedule/clinic", "ann:her own", json.dumps(sms).encode()).status, 403)
        self.engine.stop()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
