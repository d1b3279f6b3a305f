"""The proof's report, from stand-ins for what it runs: its sums, its verdict, and what an interrupted one still says."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROOF = Path("tools/dev.d/proof.py").resolve()
# The time is short, and each program must have its turn, on a busy machine too.
SIMULATED = "echo '7 seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes; digest 0; 0.1 s'; sleep 0.1"
ON_KAFKA = ("echo '8 seeds from 1: all held; 80 records, 31 submits, 6 crashes, 2 letters, 1 partitions stopped, 0 expired late; 0.1 s'; "
            "case \"$*\" in *--bugs*) echo '| seeded bug | what it does | found by seed | as | CPU s |'; echo '|---|---|---|---|---|'; "
            "echo '| a | 1 | x | 0 |'; echo '| b | none | | 60 |' ;; esac; sleep 0.1")
AT_THE_GATEWAY = "echo '9 seeds from 1: all held; 90 attempts, 32 submits, 7 crashes; digest 0; 0.1 s of CPU'; sleep 0.1"
CRASHED = r"""printf 'calls    %9d   0 lost\nacknowledged    11\nsubmitted    12\nkills     3\n\n' 9
printf 'moment      aimed  met\nengine: the n-th write with EIO, came true      2    1\n'; sleep 0.1"""
CUT = "echo 'power cuts 40 (2 more left the same): recovered 40, repaired 0'; echo 'flipped bits 20: whole 1'"


class Report(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "tmp").mkdir()
        for name, text in {"build/tests/sim_campaign": SIMULATED, "build/tests/crash_driver": CRASHED,
                           "build/tests/sim_kafka_campaign": ON_KAFKA, "build/tests/sim_gateway_campaign": AT_THE_GATEWAY,
                           "build/tests/power_cuts": CUT}.items():
            self.program(name, text)
        for name in ("tests/bad_input/bad_input_test.py", "tests/secrets/secrets_test.py"):
            path = self.folder / name
            path.parent.mkdir(parents=True)
            path.write_text("", encoding="utf-8")

    def program(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o700)

    def start(self, hours):
        return subprocess.Popen([sys.executable, "-B", PROOF, "--hours", str(hours), "--page", "page.md", "build"],
                                cwd=self.folder, env=dict(os.environ, TMPDIR=str(self.folder / "tmp")), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def proof(self, hours=0.005, code=0):
        (self.folder / "page.md").write_text("before\n<!-- table proof -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
        running = self.start(hours)
        said, _ = running.communicate(timeout=120)
        self.assertEqual(running.returncode, code, said)
        return (self.folder / "page.md").read_text(encoding="utf-8")

    def test_sums_and_verdict(self):
        page = self.proof()
        self.assertRegex(page, r"\| seeds \| [1-9]\d* \|")
        self.assertRegex(page, r"\| seeds on Kafka \| [1-9]\d* \|\n\| records on Kafka \| [1-9]\d*0 \|")
        self.assertRegex(page, r"\| seeds of the gateway \| [1-9]\d* \|\n\| attempts at the gateway \| [1-9]\d*0 \|")
        self.assertRegex(page, r"\| simulator of Kafka \| [1-9]\d* \| \d+ \| held \|\n\| simulator of the gateway \| [1-9]\d* \| \d+ \| held \|")
        self.assertIn("| seeded bugs searched | 2 |\n| seeded bugs found | 1 |", page)
        self.assertRegex(page, r"\| kills \| [1-9]\d* \|")
        self.assertRegex(page, r"\| power cuts \| 40 \|\n\| flipped bits \| 20 \|")
        self.assertRegex(page, r"\| faults made \| [1-9]")
        self.assertIn("| **lost** | 0 |\n| **doubled** | 0 |\n| **leaked** | 0 |\n| broken in any way | 0 |", page)
        self.assertTrue(page.startswith("before\n<!-- table proof -->\n\n"))
        self.assertTrue(page.endswith("\n<!-- end -->\nafter\n"))
        self.assertNotIn("old", page)

    def test_a_loss_is_told_and_ends_with_one(self):
        self.program("build/tests/power_cuts", "echo 'BROKEN: shard 1 ends at 3, but 4 was acknowledged: it is lost'; exit 1")
        page = self.proof(code=1)
        self.assertIn("| **lost** | 1 |\n| **doubled** | 0 |", page)
        self.assertRegex(page, r"\| power cuts and flipped bits \| 1 \| \d+ \| BROKEN 1 \|")
        self.assertIn("it is lost", (self.folder / "build/proof.md").read_text(encoding="utf-8"))

    def test_it_ends_in_its_time_whatever_its_parts_do(self):
        for name in ("build/tests/sim_campaign", "build/tests/sim_kafka_campaign", "build/tests/sim_gateway_campaign",
                     "build/tests/crash_driver", "build/tests/power_cuts"):
            self.program(name, "echo '7 seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes'; exec sleep 600")
        begun = time.monotonic()
        page = self.proof(hours=0.003)
        self.assertLess(time.monotonic() - begun, 3 * 0.003 * 3_600 + 20)  # its parts would take minutes
        self.assertIn("| seeds | 7 |", page)  # what it had said by then
        self.assertRegex(page, r"\| simulator \| 1 \| \d+ \| cut off \|")
        self.assertIn("| broken in any way | 0 |", page)
        self.assertRegex(page, "Not begun, for want of time: simulator of Kafka, .*kill -9, .*power cuts and flipped bits, seeded bugs")
        self.assertEqual([], list((self.folder / "tmp").iterdir()))

    def test_the_standard_run_comes_first_and_is_counted(self):
        self.program("build/tests/sim_campaign", """case "$*" in *--standard*) n=20000 ;; *) n=3 ;; esac
echo "$n seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes; digest 0"; sleep 0.1""")
        page = self.proof()
        self.assertRegex(page, r"\| seeds \| 20,\d+ \|\n\| standard runs \| 1 \|")

    def test_an_interrupted_one_tells_what_was_done(self):
        (self.folder / "page.md").write_text("<!-- table proof -->\n<!-- end -->\n", encoding="utf-8")
        running = self.start(hours=1)
        log = self.folder / "build/log/proof.log"
        end = time.monotonic() + 60
        while time.monotonic() < end and not (log.exists() and log.read_text(encoding="utf-8").count("7 seeds") > 2):
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGINT)
        said, _ = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 130, said)
        page = (self.folder / "page.md").read_text(encoding="utf-8")
        self.assertIn(", interrupted:", page)
        self.assertEqual([], list((self.folder / "tmp").iterdir()))
        self.assertRegex(page, r"\| seeds \| \d+ \|")


if __name__ == "__main__":
    unittest.main()
