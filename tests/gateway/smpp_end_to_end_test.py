"""SMSes through engine, gateway and SMSC as processes of their own, over SMPP; restarts in the middle; nothing leaks."""

import glob
import re
import sys
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, sys.path[0])
from smpp_site import Site  # noqa: E402

PROGRAMS = sys.argv.pop(1)
SCRIPT = """
[ids]
first = 4096
response = "hex"
receipt = "decimal"
tlv = "none"
[receipt]
delay_ms = [20, 200]
"""


class SmppEndToEnd(unittest.TestCase):
    def setUp(self):
        self.site = None

    def tearDown(self):
        if self.site is not None:
            self.site.close()

    def up(self, script=SCRIPT, **options):
        self.site = Site(PROGRAMS, script, **options)
        self.site.start_smsc()
        self.site.start_engine()
        self.site.start_gateway()
        return self.site

    def test_every_sms_is_delivered_and_taken_once(self):
        site = self.up()
        texts = [f"Visit {number}" for number in range(40)] + ["long " * 80, "Журнал " * 20]
        site.send(texts)
        site.await_ends(["DELIVERED"], len(texts))
        taken = site.submits()
        self.assertEqual(len(taken), len(texts))
        for number, text in enumerate(texts):
            parts = taken[f"2557{number:08d}"]
            self.assertEqual(len(parts), len(set(parts)), "a part was submitted twice")
            self.assertEqual(len(parts), 3 if number >= 40 else 1, text)
        site.stop("gateway")
        site.stop("engine")

    def test_no_number_and_no_text_is_on_the_gateways_disk_or_in_its_log(self):
        """Nor what a phone writes, nor the password of the SMSC, however much it says."""
        site = self.site = Site(PROGRAMS, SCRIPT + """
[[account]]
system_id = "demo"
password = "pw-4711"
[[inbound]]
after_ms = 1
source = "255711111111"
destination = "15001"
text = "words of a phone"
""")
        site.start_smsc()
        site.start_engine()
        site.write("password", "pw-4711\n")
        smsc = Path(site.folder, "smsc.toml").read_text(encoding="utf-8")
        site.write("smsc.toml", smsc + f'password_file = "{site.folder}/password"\n')
        site.start_gateway("--log-level", "trace")
        site.send(["a text that nobody may read"] * 5)
        site.await_ends(["DELIVERED"], 5)
        site.stop("gateway")
        self.assertIn(101, [event.get("status") for event in site.truth()], "the phone was not answered")
        files = [name for name in glob.glob(f"{site.folder}/store/**", recursive=True) if not name.endswith("/")]
        found = 0
        for name in files + [f"{site.folder}/gateway.log"]:
            try:
                with open(name, "rb") as file:
                    content = file.read()
            except IsADirectoryError:
                continue
            found += len(content)
            for secret in (b"2557000000", b"nobody may read", b"Clinic", b"255711111111", b"words of a phone", b"pw-4711"):
                self.assertNotIn(secret, content, name)
        self.assertGreater(found, 1000)

    def test_a_gateway_that_is_killed_submits_nothing_twice_and_finds_its_receipts_again(self):
        site = self.up(SCRIPT.replace("[20, 200]", "[1500, 3000]"))
        site.send([f"Visit {number}" for number in range(60)])
        site.await_ends(["SENT", "DELIVERED"], 60)
        site.kill("gateway")
        site.start_gateway()
        site.await_ends(["DELIVERED"], 60)
        self.assertEqual(sorted(map(len, site.submits().values())), [1] * 60)

    def paced(self, routes, script=SCRIPT, **options):
        site = self.site = Site(PROGRAMS, script, **options)
        site.start_smsc()
        site.start_engine()
        site.write("routes.toml", routes)
        site.start_gateway("--routes", f"{site.folder}/routes.toml")
        return site

    def test_killed_while_they_wait_for_their_turn_none_is_in_doubt(self):
        site = self.paced('[[route]]\nname = "all"\nprefixes = ["+255"]\nsmscs = ["sim"]\nrate = 3\n', attempts=1, window=2)
        site.send([f"Visit {number}" for number in range(40)])
        until = time.monotonic() + 60
        while len(site.submits()) < 5 and time.monotonic() < until:
            time.sleep(0.02)
        site.kill("gateway")
        taken = len(site.submits())
        self.assertLess(taken, 40, "none waited")
        site.start_gateway("--routes", f"{site.folder}/routes.toml")
        # In doubt may be what had left unanswered, and whose answer was being written; what waited is not.
        ends = site.await_ends(["DELIVERED", "UNKNOWN"], 40)
        self.assertLessEqual(ends.count("UNKNOWN"), 4, "more than had just left, and their answers")
        submits = site.truth()
        self.assertEqual(sorted(map(len, site.submits_of(submits).values())), [1] * len(site.submits_of(submits)))

    def test_a_rate_is_kept_and_what_waits_too_long_expires(self):
        site = self.paced('[[route]]\nname = "all"\nprefixes = ["+"]\nrate = 2\n', attempts=1)
        site.await_bound()
        begun = time.monotonic()
        site.send([f"Visit {number}" for number in range(60)], seconds=15)
        ends = site.await_ends(["DELIVERED", "EXPIRED"], 60)
        taken = len(site.submits())
        self.assertEqual(ends.count("DELIVERED"), taken)
        self.assertGreater(taken, 5)
        self.assertLessEqual(taken, 2 * (time.monotonic() - begun) + 1)
        self.assertGreater(ends.count("EXPIRED"), 10)

    def test_the_audit_log_and_the_figures_tell_all_and_nothing_secret(self):
        site = self.site = Site(PROGRAMS, SCRIPT)
        site.start_smsc()
        site.start_engine()
        site.write("routes.toml", '[[route]]\nname = "all"\nprefixes = ["+255"]\nrate = 10\n')
        more = ["--audit", f"{site.folder}/audit", "--metrics", "127.0.0.1:0", "--log-level", "info", "--routes",
                f"{site.folder}/routes.toml"]
        site.start_gateway(*more)
        site.send([f"secret {number}" for number in range(40)])
        until = time.monotonic() + 60
        while len(site.submits()) < 20 and time.monotonic() < until:
            time.sleep(0.02)
        site.kill("gateway")
        site.start_gateway(*more)
        site.await_ends(["DELIVERED", "UNKNOWN"], 40)
        port = re.findall(r"metrics on port (\d+)", site.log("gateway"))[-1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            figures = answer.read().decode()
        for line in (r'smsc_bound\{smsc="sim"\} 1', r'waiting\{route="all",priority="code"\} 0', r"attached 1",
                     r'receipts_total\{state="delivered"\} [1-9]', r"opened_total [1-9]", r"store_sync_seconds_count [1-9]",
                     r"audit_lines_total [1-9]", r'tokens_segments\{route="all"\} -?[0-9]+'):
            self.assertRegex(figures, f"(?m)^smsflow_gateway_{line}")
        site.stop("gateway")
        lines = Path(site.folder, "audit", "demo.log").read_text(encoding="utf-8").splitlines()
        marks = [line.split("\t")[2] for line in lines if line.split("\t")[1] == "-"]
        self.assertEqual(marks, ["OPENED", "OPENED", "CLOSED"], "the first was killed")
        ends = {}
        for line in lines:
            at, attempt, result, _ = line.split("\t")
            self.assertRegex(at, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            if attempt != "-":
                ends.setdefault(attempt, set()).add(result)
        self.assertEqual(len(ends), 40)
        for attempt, words in ends.items():
            self.assertTrue(words & {"DELIVERED", "UNKNOWN"}, f"{attempt}: {words}")
        for secret in ("2557000000", "secret", "Clinic"):
            self.assertNotIn(secret, "\n".join(lines) + figures)

    def test_an_smsc_that_is_away_is_waited_for(self):
        site = self.up()
        site.kill("smsc")
        site.send(["Hello"] * 5)
        site.await_line("gateway", "could not connect|closed by the SMSC|lost")
        site.start_smsc()
        site.await_ends(["DELIVERED"], 5)

    def test_an_smsc_that_is_away_holds_up_no_other(self):
        """However few may be under way at once, and however long it lasts; then its own arrive."""
        site = self.site = Site(PROGRAMS, SCRIPT, attempts=0)
        other = Site(PROGRAMS, SCRIPT)  # for its port and its SMSC alone
        self.addCleanup(other.close)
        site.start_smsc()
        site.start_engine()
        smsc = Path(site.folder, "smsc.toml").read_text(encoding="utf-8")
        away = smsc.replace('"sim"', '"away"').replace(f"port = {site.port}", f"port = {other.port}") + "away_ms = 300\n"
        site.write("smsc.toml", smsc + away)
        site.write("routes.toml", "".join(f'[[route]]\nname = "{name}"\nprefixes = ["{prefix}"]\nsmscs = ["{name}"]\n'
                                          for name, prefix in (("sim", "+25570"), ("away", "+25571"))))
        site.start_gateway("--routes", f"{site.folder}/routes.toml", "--credit", "4")
        site.await_bound()
        site.send(["Hello"] * 12, batch="away", first=10_000_000)
        site.send(["Hello"] * 12)
        site.await_ends(["DELIVERED"], 12, seconds=60)
        self.assertEqual({sms["state"] for sms in site.states("away")} & {"DELIVERED", "EXPIRED", "INVALID"}, set())
        other.start_smsc()
        site.await_ends(["DELIVERED"], 12, batch="away", seconds=60)
        self.assertEqual(sorted(map(len, other.submits().values())), [1] * 12)

    def test_a_refusal_ends_with_its_cause_and_a_throttled_one_arrives(self):
        site = self.up(SCRIPT + """
[[fault]]
kind = "refuse"
status = 0x0b
destination = "255700000000"
[[fault]]
kind = "refuse"
status = 0x58
destination = "255700000001"
to = 3
""")
        site.send(["Hello"] * 2)
        self.assertEqual(sorted(site.await_ends(["INVALID", "DELIVERED"], 2)), ["DELIVERED", "INVALID"])
        causes = {sms["key"]: sms.get("cause", "") for sms in site.states()}
        self.assertEqual(causes["k0"], "invalid_recipient")

    def test_a_wrong_file_stops_it_and_says_why(self):
        site = self.site = Site(PROGRAMS)
        site.write("smsc.toml", '[[smsc]]\nname = "a"\nhost = "smsc.example"\nwindow = 0\n')
        done = site.run("smsflow-gateway", "--smsc", f"{site.folder}/smsc.toml", "--tenants", "demo", "--store",
                        f"{site.folder}/store", "--key", f"{site.folder}/gateway.key.pem")
        self.assertEqual(done.returncode, 78)
        for line in ("toml:4:1: window must be", "toml:3:1: host is not this machine", "toml:1:1: system_id must be there"):
            self.assertIn(line, done.stdout)
        self.assertNotIn("smsc.example", done.stdout)
        site.write("smsc.toml", '[[smsc]]\nname = "a"\nhost = "127.0.0.1"\nsystem_id = "s"\n')
        site.write("routes.toml", '[[route]]\nname = "all"\nprefixes = ["+"]\nsmscs = ["b"]\nrate = -1\n')
        routes = site.run("smsflow-gateway", "--smsc", f"{site.folder}/smsc.toml", "--routes",
                          f"{site.folder}/routes.toml")
        self.assertEqual(routes.returncode, 78)
        for line in ("toml:4:1: smscs must name connections", "toml:5:1: rate must be an integer"):
            self.assertIn(line, routes.stdout)
        both = site.run("smsflow-gateway", "--loopback", "--smsc", f"{site.folder}/smsc.toml")
        self.assertEqual(both.returncode, 78)
        self.assertIn("say --smsc FILE, or --loopback", both.stdout)

    def test_smses_from_phones_need_somewhere_to_go(self):
        site = self.site = Site(PROGRAMS)
        site.write("smsc.toml", '[[smsc]]\nname = "a"\nhost = "127.0.0.1"\nsystem_id = "s"\n[[smsc.inbound]]\n'
                   f'tenant = "demo"\nnumbers = ["15001"]\nkey_file = "{site.folder}/gateway.pub.pem"\n')
        for tenants, why in (("demo", "say --kafka or --inbound-kafka"), ("other", "tenant must be one of --tenants")):
            done = site.run("smsflow-gateway", "--smsc", f"{site.folder}/smsc.toml", "--tenants", tenants, "--store",
                            f"{site.folder}/store", "--key", f"{site.folder}/gateway.key.pem")
            self.assertEqual(done.returncode, 78)
            self.assertIn(why, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
