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
sys.path.insert(0, str(PROOF.parent))
from proof_report import of_part  # noqa: E402
from proof_run import Runner  # noqa: E402

# The time is short, and each program must have its turn, on a busy machine too.
BUGS = ("case \"$*\" in *--bugs*) echo '| seeded bug | what it does | found by seed | as | CPU s |'; echo '|---|---|---|---|---|'; "
        "echo '| a | is bad | 1 | x | 0 |'; echo '| b | is worse | 2 | y | 60 |' ;; esac; sleep 0.1")
SIMULATED = "echo '7 seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes; digest 0; 0.1 s'; " + BUGS
ON_KAFKA = ("echo '8 seeds from 1: all held; 80 records, 31 submits, 6 crashes, 2 letters, 1 partitions stopped, 0 expired late; 0.1 s'; "
            + BUGS)
AT_THE_GATEWAY = "echo '9 seeds from 1: all held; 90 attempts, 32 submits, 7 crashes; digest 0; 0.1 s of CPU'; " + BUGS
CRASHED = r"""printf 'calls    %9d   0 lost\nacknowledged    11\nsubmitted    12\nkills     3\nstrangers refused    0   0 unanswered\n\n' 9
printf 'moment      aimed  met\nengine: the n-th write with EIO, came true      2    1\n'; sleep 0.1"""
FUZZED = "echo 'Done 50 runs in 1 second(s)'"
RAN = "print('Ran 3 tests in 0.1s')\n"
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
        self.program("tests/fuzz/run.sh", FUZZED)
        for name, text in {"tests/fuzz/first_fuzz.cc": "", "tests/fuzz/second_fuzz.cc": "",
                           "tests/bad_input/bad_input_test.py": RAN, "tests/secrets/secrets_test.py": RAN}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

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
        self.assertIn("| seeded bugs searched | 6 |\n| seeded bugs found | 6 |", page)
        self.assertRegex(page, r"\| kills \| [1-9]\d* \|")
        self.assertRegex(page, r"\| power cuts \| 40 \|\n\| flipped bits \| 20 \|")
        self.assertRegex(page, r"\| faults made \| [1-9]")
        self.assertIn("| inputs | 100 |\n| tests of bad input and secrets | 6 |", page)
        self.assertRegex(page, r"\| fuzzer first \| 1 \| \d+ \| held \|\n\| fuzzer second \| 1 \| \d+ \| held \|")
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
        self.assertRegex(page, "Not begun, for want of time: simulator of Kafka, .*kill -9, .*power cuts and flipped bits, .*, seeded bugs")
        self.assertEqual([], list((self.folder / "tmp").iterdir()))

    def test_a_part_that_holds_and_counts_nothing_is_a_finding(self):
        self.program("build/tests/power_cuts", "echo 'power cuts 0 (0 more left the same): recovered 0'; echo 'flipped bits 20: whole 1'")
        self.program("build/tests/crash_driver", CRASHED.replace("moment ", "moments"))
        self.program("tests/fuzz/run.sh", "[ $2 = first ] || exit 1; echo 'Done, in other words'")
        self.program("build/tests/sim_kafka_campaign", "echo '8 seeds held'")
        page = self.proof(hours=0.003, code=1)
        for part in ("power cuts and flipped bits", "fuzzer first", "simulator of Kafka", "seeded bugs on Kafka, searched afresh",
                     "kill -9", "a full disk"):
            self.assertRegex(page, rf"\| {part} \| \d+ \| \d+ \| BROKEN \d+ \|")
        self.assertRegex(page, r"\| fuzzer second \| 1 \| \d+ \| BROKEN 1 \|")  # it is not there
        report = (self.folder / "build/proof.md").read_text(encoding="utf-8")
        for why in ("shows no power cuts", "shows no inputs", "shows no seeds on Kafka", "found 0 of 0 bugs", "shows no moments"):
            self.assertIn(f"it held, and {why}", report)

    def test_the_standard_run_comes_first_and_is_counted(self):
        self.program("build/tests/sim_campaign", """case "$*" in *--standard*) n=20000 ;; *) n=3 ;; esac
echo "$n seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes; digest 0"; """ + BUGS)
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


class OneRun(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.runner = Runner(temporary.name, hours=1, seed=1)
        self.runner.scratch = temporary.name

    def ran(self, script, patience_s=60):
        return self.runner.run("a part", ["/bin/sh", "-c", script], patience_s)

    def test_one_that_hangs_is_a_finding(self):
        ran = self.ran("echo begun; exec sleep 600", patience_s=0.5)
        self.assertEqual(ran.state, "broken")
        [(part, command, said)] = self.runner.findings
        self.assertEqual((part, command), ("a part", "/bin/sh -c echo begun; exec sleep 600"))
        self.assertIn("begun\n\nit did not end within", said)
        self.assertEqual(of_part(self.runner.parts["a part"]), "BROKEN 1")

    def test_one_that_the_proof_has_no_more_time_for_is_cut_off(self):
        self.runner.hours = 1.5 / 3_600
        self.assertEqual(self.ran("exec sleep 600").state, "cut")
        self.assertEqual(self.runner.findings, [])
        self.assertEqual(of_part(self.runner.parts["a part"]), "cut off")

    def test_what_it_had_found_when_it_was_cut_off_counts(self):
        for said in ("BROKEN: one is lost", "seed 7, step 3: I9: it is gone", "again: tools/dev sim --first 7 --seeds 1",
                     "repeat:  tools/dev sim --kafka --first 7 --seeds 1"):
            self.runner.hours = (time.monotonic() - self.runner.began + 2) / 3_600
            self.assertEqual(self.ran(f"echo some words; echo '{said}'; exec sleep 600").state, "broken", said)
        self.assertEqual(len(self.runner.findings), 4)

    def test_it_ends_though_a_process_is_left_that_holds_its_output(self):
        begun = time.monotonic()
        self.assertEqual(self.ran("setsid sleep 20 & echo done").said, "done\n")
        self.assertLess(time.monotonic() - begun, 19)

    def test_parts_say_how_many_were_cut_off(self):
        self.ran("true")
        self.ran("exit 77")
        self.assertEqual(of_part(self.runner.parts["a part"]), "held, 1 skipped")
        self.runner.hours = (time.monotonic() - self.runner.began + 1.2) / 3_600
        self.ran("exec sleep 600")
        self.assertEqual(of_part(self.runner.parts["a part"]), "held, 1 skipped, 1 cut off")


if __name__ == "__main__":
    unittest.main()
