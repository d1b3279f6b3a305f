"""What the old system's shell clients ask with curl, against smsflowd and smsflow-gateway: old_clients_test.py SMSFLOWD
SMSFLOW_GATEWAY.

Each row is one of their scripts. The SMS of the whole life is in the old format, sealed here as they seal it, and opened by a
gateway that has the old vault.
"""

import json
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402
from old_format import OldGateway  # noqa: E402

SMSFLOWD, GATEWAY = (Path(argument).resolve() for argument in sys.argv[1:3])
PASSWORD = "clinic-password"
DELIVERY = """[delivery]
max_jitter = "0s"
"""


class OldClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = running.Engine(SMSFLOWD)
        cls.addClassCleanup(cls.engine.temporary.cleanup)
        cls.gateway = OldGateway(GATEWAY, cls.engine.folder, "clinic")
        cls.engine.configure(DELIVERY + running.key("ward7", PASSWORD, ["client"], ["clinic"]) + cls.gateway.key(),
                             rest=running.ANY_PORT, shards=4)
        cls.engine.start()
        cls.addClassCleanup(cls.engine.stop)
        cls.admin = "admin:" + Path(cls.engine.folder, "data/admin-password").read_text(encoding="utf-8")
        cls.gateway.start()
        cls.addClassCleanup(cls.gateway.stop)

    def curl(self, *words, user=f"ward7:{PASSWORD}"):
        done = subprocess.run(["curl", "-sS", "-m", "60", "-u", user, "-w", "\n%{http_code}", *words[:-1],
                               f"http://{self.engine.ready['rest']}{words[-1]}"], capture_output=True, text=True, timeout=90,
                              check=True)
        body, code = done.stdout.rsplit("\n", 1)
        return int(code), body

    def each(self, rows, user):
        """Script, words for curl, status, and what the body must say; `user` but where a row has its own."""
        for script, words, status, says, *own in rows:
            with self.subTest(script):
                code, body = self.curl(*words, user=own[0] if own else user)
                self.assertEqual(code, status, body)
                self.assertRegex(body, re.compile(says, re.DOTALL))

    def schedule(self, text="S1D1", **fields):
        body = dict({"schedule": "4000000000-4000000600",
"payload": self.gateway.seal(text)}, **fields)
        code, answer = self.curl("-X", "POST", "-H", "Content-Type: application/json", "--data-binary", json.dumps(body),
                                 "/schedule/clinic")
        self.assertEqual(code, 200, answer)
        return json.loads(answer)

    def test_a_whole_life_in_the_old_format(self):
        now = int(time.time())
        for text, end in (("S1D1", "DELIVERED"), ("S0I1", "INVALID")):
            sms = self.schedule(text, schedule=f"{now}-{now + 600}", key=f"life-{end}")
            until = time.monotonic() + 60
            while sms["status"] != end and time.monotonic() < until:
                code, answer = self.curl(f"/schedule/clinic/by-id/{sms['id']}")
                self.assertEqual(code, 200)
                sms = json.loads(answer)
            self.assertEqual((sms["status"], sms["key"], sms["retries"]), (end, f"life-{end}", 0))
            self.assertIsNotNone(sms["ended"])

    def test_every_script_that_schedules_lists_cancels_and_blocks(self):
        one = self.schedule(batch="b1", key="k1", target="t1")
        self.assertEqual({name: one[name] for name in ("client", "batch", "key", "target", "status", "retries", "user")},
                         {"client": "clinic", "batch": "b1", "key": "k1", "target": "t1", "status": "SCHEDULED", "retries": 0,
                          "user": "ward7"})
        for batch, key, target in (("b2", "k2", "t2"), ("b2", "k3", "t3"), ("b4", "k4", "t4"), ("b5", "k5", "t5")):
            self.schedule(batch=batch, key=key, target=target)
        self.each((
                ("schedule-get", [f"/schedule/clinic/by-id/{one['id']}"], 200, r'^\{"id":"' + one["id"]),
                ("schedule-list", ["/schedule/clinic"], 200, r'^\[\{.*"k5"'),
                ("schedule-list-batch", ["/schedule/clinic/by-batch/b2"], 200, r'^\[\{.*"k2".*"k3".*\}\]$'),
                ("schedule-list-bizkey", ["/schedule/clinic/by-key/k1"], 200, r'^\[\{[^{]*"k1"[^{]*\}\]$'),
                ("schedule-list-target", ["/schedule/clinic/by-target/t4"], 200, r'^\[\{[^{]*"k4"[^{]*\}\]$'),
                ("schedule-list-batch of nothing", ["/schedule/clinic/by-batch/none"], 200, r"^\[\]$"),
                ("cancel", ["-X", "DELETE", f"/schedule/clinic/by-id/{one['id']}"], 200, "^$"),
                ("schedule-get after it", [f"/schedule/clinic/by-id/{one['id']}"], 200, '"status":"CANCELED"'),
                ("cancel-batch", ["-X", "DELETE", "/schedule/clinic/by-batch/b2"], 200, "^$"),
                ("schedule-list-batch after it", ["/schedule/clinic/by-batch/b2"], 200, '"CANCELED".*"CANCELED"'),
                ("cancel-bizkey", ["-X", "DELETE", "/schedule/clinic/by-key/k4"], 200, "^$"),
                ("cancel-target", ["-X", "DELETE", "/schedule/clinic/by-target/t4"], 200, "^$"),
                ("cancel-all, unsure", ["-X", "DELETE", "/schedule/clinic?confirm=no"], 403, '"status":403'),
                ("cancel-all, unasked", ["-X", "DELETE", "/schedule/clinic"], 400, '"status":400'),
                ("cancel-all", ["-X", "DELETE", "/schedule/clinic?confirm=yes-i-am-sure"], 200, "^$"),
                ("schedule-list-bizkey after it", ["/schedule/clinic/by-key/k5"], 200, '"status":"CANCELED"'),
                ("block-check", ["/block/clinic/t9"], 404, '"status":404'),
                ("block", ["-X", "PUT", "/block/clinic/t9"], 200, "^$"),
                ("block again", ["-X", "PUT", "/block/clinic/t9"], 200, "^$"),
                ("block-check after it", ["/block/clinic/t9"], 200, "^$"),
                ("block-list", ["/block/clinic"], 200, "^t9\n$"),
                ("unblock", ["-X", "DELETE", "/block/clinic/t9"], 200, "^$"),
                ("block-list after it", ["/block/clinic"], 200, "^\n$"),
                ("schedule-list of another's", ["/schedule/other"], 403, '"status":403')), f"ward7:{PASSWORD}")

    def test_every_script_of_accounts_clients_and_roles(self):
        def raw(path, text):  # as curl sends it without a word on its type
            return ["-X", "POST", "--data-binary", text, path]

        def object_of(verb, path, **fields):
            return ["-X", verb, "-H", "Content-Type: application/json", "--data-binary", json.dumps(fields), path]

        nurse = "nurse:her next one"
        self.each((
            ("account-check", ["/iam/check"], 200, "admin.*users"),
            ("account-list", ["/iam/accounts"], 200, r'^\[\{"id":"admin",.*"password":null,"groups":\['),
            ("account-create", object_of("POST", "/iam/accounts", id="nurse", name="Nurse", email="n@example.org",
                                         password="her first", groups=["users"]), 200, r'^\{"id":"nurse",.*"groups":\["users"\]'),
            ("account-create again", object_of("POST", "/iam/accounts", id="nurse", groups=[]), 409, '"status":409'),
            ("account-show", ["/iam/accounts/nurse"], 200,
             r'^\{"id":"nurse","name":"Nurse","email":"n@example.org","password":null,"groups":\["users"\]\}$'),
            ("account-update", object_of("PUT", "/iam/accounts/nurse", name="Head nurse"), 200, '"name":"Head nurse","email":"n@'),
            ("account-password", raw("/iam/accounts/nurse/password", "her next one"), 200, "^$"),
            ("account-check of her old password", ["/iam/check"], 401, '"status":401', "nurse:her first"),
            ("account-show by herself", ["/iam/accounts/nurse"], 200, '^{"id":"nurse"', nurse),
            ("account-list by her", ["/iam/accounts"], 403, '"status":403', nurse),
            ("client-create", raw("/iam/clients", "lab"), 200, "^$"),
            ("client-create again", raw("/iam/clients", "lab"), 409, '"status":409'),
            ("client-list", ["/iam/clients"], 200, r'\{"id":"lab","type":"CLIENT","acounts":\[\]\}'),
            ("client-add-member", raw("/iam/clients/lab", "nurse"), 200, "^$"),
            ("client-add-member again", raw("/iam/clients/lab", "nurse"), 200, "^$"),
            ("client-add-member of nobody", raw("/iam/clients/lab", "nobody"), 400, '"status":400'),
            ("client-list of one", ["/iam/clients/lab"], 200, r'^\{"id":"lab","type":"CLIENT","acounts":\["nurse"\]\}$'),
            ("schedule-list by a member", ["/schedule/lab"], 200, r"^\[\]$", nurse),
            ("client-del-member", ["-X", "DELETE", "/iam/clients/lab/nurse"], 200, "^$"),
            ("schedule-list by no member", ["/schedule/lab"], 403, '"status":403', nurse),
            ("role-list", ["/iam/roles"], 200, r'\{"id":"admins","type":"ROLE","acounts":\["admin"\]\}'),
            ("role-add-member", raw("/iam/roles/admins", "nurse"), 200, "^$"),
            ("account-list by her now", ["/iam/accounts"], 200, '"id":"nurse"', nurse),
            ("role-del-member", ["-X", "DELETE", "/iam/roles/admins/nurse"], 200, "^$"),
            ("role-del-member of oneself", ["-X", "DELETE", "/iam/roles/admins/admin"], 403, '"status":403'),
            ("client-delete", ["-X", "DELETE", "/iam/clients/lab"], 200, "^$"),
            ("client-delete again", ["-X", "DELETE", "/iam/clients/lab"], 200, "^$"),
            ("account-delete", ["-X", "DELETE", "/iam/accounts/nurse"], 200, "^$"),
            ("account-show after it", ["/iam/accounts/nurse"], 404, '"status":404'),
            ("actuator", ["/actuator/health"], 200, '^{"status":"UP"')), self.admin)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
