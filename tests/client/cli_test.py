"""Runs every verb of smsflow against smsflowd with its loopback gateway: cli_test.py SMSFLOWD SMSFLOW."""

import json
import re
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from running_server import ADMIN_TOKEN, CLIENT_TOKEN, RunningServer

SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
LATER = "+1h"


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = RunningServer(SMSFLOWD, SMSFLOW)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def run_cli(self, *words, token=CLIENT_TOKEN, tenant="demo", expect=0):
        done = subprocess.run([SMSFLOW, *words], env=self.server.environment(token, tenant), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        if expect > 1:
            self.assertRegex(done.stderr, r"^(smsflow: [^\n]+\n)?$", "an error is one line")
        return done.stdout

    def admin(self, *words, expect=0):
        return self.run_cli(*words, token=ADMIN_TOKEN, tenant="", expect=expect)

    def schedule(self, batch, text="S1D1", at="+0", **more):
        words = [word for name, value in more.items() for word in (f"--{name}", value)]
        return self.run_cli("schedule", "--at", at, "--batch", batch, "--to", "+255123456789", "--text", text, "--pubkey",
                            f"{self.server.folder}/gateway.jwk", *words).split("\t")[0]

    def watch_live(self, batch, count):
        return self.run_cli("watch", "--batch", batch, "--live", "--expect", str(count), "--for", "30s")

    def with_password(self, password, *words, expect=0):
        done = subprocess.run([SMSFLOW, *words], env=self.server.environment(ADMIN_TOKEN, ""), input=password,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def test_accounts_are_made_changed_and_told(self):
        self.assertTrue(self.admin("client", "create", "clinic").startswith("clinic\t-\t20"))
        made = self.with_password("first-password\n", "account", "create", "ann", "--role", "users", "--client", "clinic",
                                  "--name", "Ann O.")
        self.assertTrue(made.startswith("ann\tusers\tclinic\tAnn O.\t-\tyes\t20"), made)
        self.with_password("next-password", "account", "password", "ann", "--password-file", "-")
        self.assertIn("password: must be 1 to 256 bytes", self.with_password("\n", "account", "password", "ann", expect=2))
        self.assertEqual(json.loads(self.admin("account", "show", "ann", "--json"))["clients"], ["clinic"])
        self.assertEqual(self.admin("role", "add", "admins", "ann"), "added\n")
        self.assertEqual(self.admin("role", "add", "admins", "ann"), "was in it already\n")
        self.assertEqual(self.admin("role", "list"), "admins\tann\t-\nusers\tann\t-\n")
        self.admin("role", "remove", "admins", "ann", expect=6)  # the last one
        self.assertEqual(self.admin("tenant", "remove", "clinic", "ann"), "removed\n")
        self.assertIn("ann\tadmins users\t-\tAnn O.\tann@x.org", self.admin("account", "update", "ann", "--email", "ann@x.org"))
        self.assertEqual(self.admin("client", "delete", "clinic"), "deleted\n")
        self.assertEqual(self.admin("client", "delete", "clinic"), "there was none\n")
        self.admin("account", "show", "nobody", expect=3)
        self.admin("client", "create", "users", expect=4)
        self.run_cli("account", "list", expect=6)
        changes = [line.split("\t")[1:] for line in self.admin("account", "changes", "--all").splitlines()]
        self.assertEqual(changes[-1], ["root", "client made", "-", "clinic", "-"])
        self.assertIn(["root", "password set", "ann", "-", "-"], changes)

    def test_a_batch_is_scheduled_watched_and_told(self):
        good = self.schedule("told", key="a", target="p1")
        bad = self.schedule("told", "S0I1", key="b", target="p2")
        past = self.schedule("told", at="10-20", key="c")
        seen = self.watch_live("told", 3)
        self.assertIn(f"{past}\t-\tEXPIRED\tEXPIRED\tlisted", seen)
        self.assertEqual(self.run_cli("summary", "told"), "DELIVERED\t1\nEXPIRED\t1\nINVALID\t1\ntotal\t3\n")
        self.assertEqual([line.split("\t")[0] for line in self.run_cli("list", "--batch", "told").splitlines()],
                         sorted([good, bad, past]))
        self.assertEqual(json.loads(self.run_cli("get", bad, "--json"))["cause"], "requested")
        self.assertEqual(self.run_cli("list", "--batch", "told", "--state", "delivered", "--csv").count("\n"), 2)
        journal = [line.split("\t") for line in self.admin("journal", good).splitlines()]
        self.assertEqual(journal[0][3:5], ["PENDING", "schedule"])
        self.assertEqual(journal[-1][3], "DELIVERED")
        self.assertTrue(self.admin("why", bad).startswith("state\tINVALID\n"))
        self.assertTrue(self.admin("replay", good).endswith(" 0 differences\n"))
        self.run_cli("get", good, tenant="other", expect=3)
        self.run_cli("journal", good, expect=6)

    def test_what_has_not_left_can_be_changed_and_stopped(self):
        sms = self.schedule("stopped", at=LATER, key="k", target="t1")
        self.assertIn("\tPENDING\t", self.run_cli("reschedule", sms, "--at", "+2h"))
        self.run_cli("reschedule", sms, "--to", "+255123456789", "--text", "S0I1", "--pubkey",
                     f"{self.server.folder}/gateway.jwk")
        self.assertEqual(self.run_cli("cancel", sms), "CANCELED\n")
        self.assertEqual(self.run_cli("cancel", sms, expect=4), "ALREADY_ENDED\n")
        self.run_cli("reschedule", sms, "--at", LATER, expect=4)
        self.schedule("stopped", at=LATER, target="t2")
        self.assertEqual(self.run_cli("block", "t2"), "target\tblocked\nended\t1\ntoo_late\t0\n")
        self.assertTrue(self.run_cli("blocked").startswith("t2\t"))
        self.assertEqual(self.run_cli("unblock", "t2"), "unblocked\n")
        self.schedule("stopped", at=LATER, target="t2")
        self.assertEqual(self.run_cli("cancel", "--batch", "stopped"), "canceled\t1\ntoo_late\t0\nalready_ended\t2\n")
        self.run_cli("cancel", "--all", expect=4)
        self.run_cli("get", "01a1fd55-7a80-7005-8000-000000000001", expect=3)
        self.run_cli("schedule", "--at", "20-10", "--payload-file", f"{self.server.folder}/gateway.jwk", expect=2)

    def test_a_pause_holds_until_it_is_resumed(self):
        self.assertEqual(self.admin("pause", "--tenant", "demo", "--batch", "held", "--reason", "try"), "paused\n")
        sms = self.schedule("held")
        self.assertIn("pause", self.admin("why", sms))
        self.assertEqual(self.admin("resume", "--tenant", "demo", "--batch", "held"), "resumed\n")
        self.watch_live("held", 1)
        self.assertIn("\tDELIVERED\t", self.run_cli("get", sms))
        self.run_cli("pause", "--all", expect=6)
        self.admin("resolve", sms, "retry", expect=4)

    def test_an_import_that_was_killed_is_run_again_and_doubles_none(self):
        rows = Path(self.server.folder, "rows.csv")
        rows.write_text("key,to,text\n" + "".join(f"k{i},+2551234{i:05d},S1D1\n" for i in range(3000)))
        words = ["import", str(rows), "--batch", "rows", "--at", LATER, "--pubkey", f"{self.server.folder}/gateway.jwk"]
        first = subprocess.Popen([SMSFLOW, *words], env=self.server.environment(CLIENT_TOKEN, "demo"),
                                 stdout=subprocess.DEVNULL)
        while first.poll() is None and "total\t0\n" in self.run_cli("summary", "rows"):
            pass  # until the first rows are there
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=60)
        self.run_cli(*words)
        self.assertTrue(self.run_cli(*words).endswith("scheduled\t0\nalready\t3000\nfailed\t0\nexpired\t0\nblocked\t0\n"))
        keys = [line.split("\t")[7] for line in self.run_cli("list", "--batch", "rows", "--all").splitlines()]
        self.assertEqual(len(keys), 3000)
        self.assertEqual(len(set(keys)), 3000)
        self.assertIn("canceled\t3000\n", self.run_cli("cancel", "--batch", "rows"))

    def test_a_watch_goes_on_over_a_killed_server(self):
        token = json.loads(self.run_cli("list", "--batch", "gone", "--json"))["watch_token"]
        sms = self.schedule("gone", at=LATER)
        watch = subprocess.Popen([SMSFLOW, "watch", "--batch", "gone", "--resume", token, "--for", "60s"],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 env=self.server.environment(CLIENT_TOKEN, "demo"))
        self.assertIn(f"{sms}\t-\tnew\tPENDING", watch.stdout.readline())
        self.server.kill()
        self.server.start()
        self.run_cli("reschedule", sms, "--at", "+0")
        changes = []
        while "DELIVERED" not in changes:
            changes.append(watch.stdout.readline().split("\t")[4])
        self.assertEqual(changes[-3:], ["IN_SLOT", "SENT", "DELIVERED"])
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(timeout=60), 0)
        watch.stdout.close()

    def test_what_is_stored_verifies_beside_the_server_and_after_its_death(self):
        sms = self.schedule("verified", key="v")
        self.watch_live("verified", 1)
        clean = re.compile(r"^[1-9]\d* records and [1-9]\d* SMSes checked, 0 violations\n$")
        self.assertRegex(self.admin("verify"), clean)
        folder = ["--data", f"{self.server.folder}/data"]
        self.run_cli("db", "verify", *folder, expect=4)  # in use
        self.server.kill()
        try:
            self.assertRegex(self.run_cli("db", "verify", *folder), clean)
            self.assertIn(sms, self.run_cli("db", "dump", *folder))
        finally:
            self.server.start()
        self.assertIn("\tDELIVERED\t", self.run_cli("get", sms))

    def test_doctor_and_stats_tell_how_it_is(self):
        self.assertIn("ok\tclient verbs\tallowed\n", self.run_cli("doctor"))
        self.assertIn("ok\tadmin verbs\tallowed", self.admin("doctor"))
        self.run_cli("doctor", token="wrong", expect=6)
        self.assertIn("smsflow_created_total\t", self.admin("stats"))
        self.assertTrue(self.admin("replay", "--all").endswith(" 0 differences\n"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
