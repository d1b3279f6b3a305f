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
from proof_parts import Parts  # noqa: E402
from proof_report import of_part  # noqa: E402
from proof_run import Ran, Runner  # noqa: E402
from proof_words import verdict  # noqa: E402

ROOT = PROOF.parents[2]
# The time is short, and each program must have its turn, on a busy machine too.
BUGS = ("case \"$*\" in *--bugs*) echo '| seeded bug | what it does | found by seed | as | CPU s |'; echo '|---|---|---|---|---|'; "
        "echo '| a | is bad | 1 | x | 0 |'; echo '| b | is worse | 2 | y | 60 |' ;; esac; sleep 0.1")
SIMULATED = "echo '7 seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes; digest 0; 0.1 s'; " + BUGS
ON_KAFKA = ("echo '8 seeds from 1: all held; 80 records, 31 submits, 6 crashes, 2 letters, 1 partitions stopped, 0 expired late; 0.1 s'; "
            + BUGS)
AT_THE_GATEWAY = "echo '9 seeds from 1: all held; 90 attempts, 32 submits, 7 crashes; digest 0; 0.1 s of CPU'; " + BUGS
OF_BOTH = "echo '6 seeds from 1: all held; 60 SMSes, 33 submits, 8 crashes; digest 0; 0.1 s of CPU'; " + BUGS
CRASHED = r"""printf 'calls    %9d   0 lost\nacknowledged    11\nsubmitted    12\nkills     3\nrecords    7\nstrangers refused    0   0 unanswered\n\n' 9
printf 'moment      aimed  met\nengine: the n-th write with EIO, came true      2    1\n'; sleep 0.1"""
FUZZED = "echo 'Done 50 runs in 1 second(s)'"
RAN = "print('Ran 3 tests in 0.1s')\n"
OVER_SMPP = "import sys; print('seed 1:', sys.argv[3], 'cycles, 180 SMSes in 9 s; kill gateway 3')\n"
CONNECTED = "echo '[  PASSED  ] 2 tests.'"
CUT = "echo 'power cuts 40 (2 more left the same), tried 42 of 42: recovered 40, repaired 0'; echo 'flipped bits 20: whole 1'"

# By kind: the source, its words, and a line that the program prints with them.
SIM, CRASH = "tests/sim", "tests/crash"
ID = "0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
SENTENCES = {
    "lost": [
        (f"{SIM}/checks.cc", " was acknowledged and is gone", f"seed 7, step 31: I9: {ID} was acknowledged and is gone; it ended at 5, the clock never was beyond 4"),
        (f"{SIM}/checks.cc", " starts below its high-water mark", "seed 7, step 31: I9: shard 1 starts below its high-water mark"),
        (f"{SIM}/checks.cc", " lacks what was answered as durable", f"seed 7, step 31: I14: attempt {ID}.1 lacks what was answered as durable"),
        (f"{SIM}/checks.cc", " left and is not stored", f"seed 7, step 31: I10: attempt {ID}.1 left and is not stored"),
        (f"{SIM}/ledger.cc", " has lost its journal up to ", "seed 7, step 31: I9: shard 1 has lost its journal up to 9 in a crash"),
        (f"{SIM}/quiet.cc", " cannot be read", f"seed 7, step 31: I9: {ID} cannot be read"),
        (f"{SIM}/checks.cc", " was never delivered", f"seed 7, step 31: I6: {ID} was never delivered"),
        ("engine/inspect_journal.cc", ": what was between is missing", "seed 7, step 31: I12 and others: shard 0: journal record 5 follows 3: what was between is missing"),
        ("engine/inspect_instances.cc", ", but is not stored", f"seed 7, step 31: I12 and others: shard 0: {ID} is in the journal, last at 4, but is not stored"),
        (f"{SIM}/kafka_checks.cc", " is lost, of ", "k5 is lost, of orders/1 12"),
        (f"{SIM}/kafka_checks.cc", " is delivered and was never submitted", "k5 is delivered and was never submitted"),
        (f"{SIM}/gateway/gateway_checks.cc", " was delivered, and its receipts are lost", f"G7: {ID}.1 was delivered, and its receipts are lost; ids 4"),
        (f"{SIM}/pair/pair_checks.cc", " was acknowledged and is gone", f"seed 7, step 31: P4: {ID} was acknowledged and is gone"),
        (f"{CRASH}/checks.cc", " was acknowledged and is lost: ", f"BROKEN: {ID} was acknowledged and is lost: NOT_FOUND: no SMS has this id"),
        (f"{CRASH}/checks.cc", " is in no list", f"BROKEN: {ID} is in no list"),
        (f"{CRASH}/checks.cc", " has no journal: ", f"BROKEN: {ID} has no journal: NOT_FOUND"),
        (f"{CRASH}/life.cc", "nothing left for it", f"BROKEN: {ID} (ok, DELIVERED, cause '', attempts 1, submitted 0): nothing left for it"),
        (f"{CRASH}/book.cc", ", and its SMS was lost", f"BROKEN: the record of {ID} is at the broker, and its SMS was lost"),
        (f"{CRASH}/kafka_load.cc", ", and its SMS is lost", "BROKEN: the record of b7 is at the broker, and its SMS is lost"),
        (f"{CRASH}/kafka_load.cc", "not every record of Kafka was applied", "BROKEN: not every record of Kafka was applied"),
        (f"{CRASH}/crash_driver.cc", "the engine does not know marks that it gave out", "BROKEN: the engine does not know marks that it gave out; engine.log has the line"),
        (f"{CRASH}/old_engine_run.cc", "the broker has lost a record of partition ", "the broker has lost a record of partition 1, offset 4"),
        (f"{CRASH}/old_engine_run.cc", " is lost: the gateway knows nothing of it", "record 1/4 of a7 is lost: the gateway knows nothing of it"),
        (f"{CRASH}/old_engine_run.cc", " never left, and is ", "record 1/4 of a7 never left, and is 5"),
        (f"{CRASH}/old_engine_run.cc", " words are lost", "7 words are lost"),
        (f"{CRASH}/left_disk.cc", " ends at ", "BROKEN: a power cut after operation 7 that loses all that was not synced: shard 1 ends at 3, but 4 was acknowledged; the disk that was left is in /dev/shm/a/kept"),
        ("tests/gateway/smpp_crash.py", "} were scheduled, {", "BROKEN 60 were scheduled, 59 are there"),
        ("tests/gateway/smpp_crash.py", ", and the SMSC took {parts} of its {whole} parts", "BROKEN k7 is DELIVERED, and the SMSC took 0 of its 1 parts"),
    ],
    "doubled": [
        (f"{SIM}/checks.cc", ' + " is " + sms.id->ToString() + " and "', f"seed 7, step 31: I10: sms6 is {ID} and {ID}"),
        (f"{SIM}/checks.cc", " was handed to a second store", f"seed 7, step 31: I7: attempt {ID}.1 was handed to a second store"),
        (f"{SIM}/checks.cc", " left twice", f"seed 7, step 31: I18: {ID}.1 left twice"),
        (f"{SIM}/checks.cc", " takes again what it was told", "seed 7, step 31: I13: shard 1 takes again what it was told"),
        (f"{SIM}/commands.cc", " was made again, its key was forgotten", "seed 7, step 31: I10: sms6 was made again, its key was forgotten"),
        (f"{SIM}/commands.cc", " was given twice", f"seed 7, step 31: I4: {ID} was given twice"),
        (f"{SIM}/checks.cc", " is a copy of ", f"seed 7, step 31: I8: {ID}.2 is a copy of {ID}.1, which was there and not in doubt"),
        (f"{SIM}/quiet.cc", " is stored, and nobody was told of it", f"seed 7, step 31: I10: {ID} is stored, and nobody was told of it"),
        (f"{SIM}/model_gateway.cc", "I7: submitted twice: ", f"seed 7, step 31: I7: submitted twice: {ID}.1"),
        ("engine/inspect_instances.cc", " has the same idempotency key as another instance", f"shard 0: {ID} has the same idempotency key as another instance"),
        (f"{SIM}/kafka_checks.cc", '" SMSes"', "k5 is 2 SMSes"),
        (f"{SIM}/kafka_checks.cc", " was submitted ", "k5 was submitted 2 times"),
        (f"{SIM}/kafka_checks.cc", "another folder applied what this one had", "another folder applied what this one had"),
        (f"{SIM}/gateway/gateway_checks.cc", " was taken twice", f"G1: {ID}.1 part 1 was taken twice"),
        (f"{SIM}/gateway/gateway_checks.cc", " was submitted after NEVER_SEEN", f"G4: {ID}.1 was submitted after NEVER_SEEN"),
        (f"{SIM}/pair/pair_checks.cc", " was taken twice", f"seed 7, step 31: P1: {ID}.1 part 1 was taken twice"),
        (f"{SIM}/pair/pair_checks.cc", " is a copy of ", f"seed 7, step 31: P3: {ID}.2 is a copy of {ID}.1, which was not in doubt"),
        (f"{SIM}/pair/pair_checks.cc", " was handed to a second store", f"seed 7, step 31: P9: {ID}.1 was handed to a second store"),
        (f"{CRASH}/truth.cc", " was submitted twice", f"BROKEN: {ID}.1 was submitted twice"),
        (f"{CRASH}/life.cc", "more than one copy", f"BROKEN: {ID} (ok, DELIVERED, cause '', attempts 2, submitted 2): more than one copy"),
        (f"{CRASH}/checks.cc", " is listed twice", f"BROKEN: {ID} is listed twice"),
        (f"{CRASH}/checks.cc", " is there, and nobody was told of it", f"BROKEN: {ID} is there, and nobody was told of it"),
        (f"{CRASH}/book.cc", " was acknowledged twice as new", f"BROKEN: {ID} was acknowledged twice as new"),
        (f"{CRASH}/book.cc", " is a second instance of the key of ", f"BROKEN: {ID} is a second instance of the key of {ID}"),
        ("tests/gateway/smpp_crash.py", ": one part was taken {count} times", "BROKEN 255700000007: one part was taken 2 times"),
        ("tests/gateway/smpp_crash.py", "), and the SMSC took it", "BROKEN k7 is INVALID (rejected), and the SMSC took it"),
    ],
    "leaked": [
        (f"{SIM}/sim_store.cc", "I17: a payload in a row of kind ", "seed 7, step 31: I17: a payload in a row of kind j"),
        (f"{SIM}/sim_store.cc", "I17: a name stands in a key of kind ", "seed 7, step 31: I17: a name stands in a key of kind i"),
        (f"{SIM}/quiet.cc", " is over and still has its payload", f"seed 7, step 31: I17: {ID} is over and still has its payload"),
        (f"{SIM}/gateway/gateway_checks.cc", "G8: a number stands in a row of kind ", "G8: a number stands in a row of kind a"),
        ("tests/secrets/search.py", '"{name} ({form}) in {where}"', "AssertionError: Lists differ: ['text (UTF-16LE) in engine.log'] != []"),
    ],
}
# What they say when all holds, or tell of a life beside a finding.
HARMLESS = """calls                            1234   3 answers lost, 2 asked again
UNKNOWN in lost windows              0
words lost in kills                  3
seed 7, step 31: I1: the next attempt of a1 is planned outside its slots
as short as it could be made:
  I9: it was acknowledged and is gone
    asked at 10:00 to send 'ok' in 10:00 to 11:00, the answer was lost
| lease given twice | hands out a lease again | 7 | 0.1 | I7: submitted twice: ID |
below 1000: 3  I9
flipped bits 20: whole 1, refused 2, found when read 3; of the refused and found, repaired 1, not to be repaired 0
"""


class Words(unittest.TestCase):
    def test_each_sentence_is_counted_as_what_it_means_and_as_nothing_else(self):
        for kind, rows in SENTENCES.items():
            for _, _, line in rows:
                said = f"seed 7, folder /tmp/a\n{line}\n{HARMLESS}"
                counts = {"lost": 0, "doubled": 0, "leaked": 0, kind: 1}
                self.assertEqual(verdict([("a part", "its command", said)]), counts, line)

    def test_each_sentence_stands_in_the_source_that_says_it(self):
        for rows in SENTENCES.values():
            for source, words, _ in rows:
                said = words in (ROOT / source).read_text(encoding="utf-8")
                self.assertTrue(said, f"{source} does not say '{words}': what it says now is to be known here and in proof_words.py")

    def test_a_finding_at_the_beginning_of_much_is_counted(self):
        said = f"seed 7, step 31: I9: {ID} was acknowledged and is gone\n" + "0 PENDING -> IN_SLOT\n" * 10_000
        self.assertEqual(verdict([("simulator", "", said), ("kill -9", "", "BROKEN: x is in no list\n" * 2)]), {"lost": 2, "doubled": 0, "leaked": 0})

    def test_rows_of_bad_input_are_no_losses(self):
        self.assertEqual(verdict([("bad input", "", f"I9: {ID} is lost")]), {"lost": 0, "doubled": 0, "leaked": 0})


class Report(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "tmp").mkdir()
        for name, text in {"build/tests/sim_campaign": SIMULATED, "build/tests/crash_driver": CRASHED,
                           "build/tests/sim_kafka_campaign": ON_KAFKA, "build/tests/sim_gateway_campaign": AT_THE_GATEWAY,
                           "build/tests/sim_pair_campaign": OF_BOTH,
                           "build/tests/power_cuts": CUT, "build/tests/server_daemon_test": CONNECTED}.items():
            self.program(name, text)
        self.program("tests/fuzz/run.sh", FUZZED)
        for name, text in {"tests/fuzz/first_fuzz.cc": "", "tests/fuzz/second_fuzz.cc": "",
                           "tests/gateway/smpp_crash.py": OVER_SMPP, "tests/bad_input/bad_input_test.py": RAN, "tests/secrets/secrets_test.py": RAN,
                           "tests/secrets/sites_test.py": RAN}.items():
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
        (self.folder / "page.md").write_text("before\n<!-- table proof -->\nof before\n<!-- end -->\nafter\n", encoding="utf-8")
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
        self.assertRegex(page, r"\| seeds of both \| [1-9]\d* \|\n\| simulated SMSes of both \| [1-9]\d*0 \|")
        self.assertIn("| seeded bugs searched | 8 |\n| seeded bugs found | 8 |", page)
        self.assertRegex(page, r"\| kills \| [1-9]\d* \|")
        self.assertIn("| power cuts | 40 |\n| runs cut at every operation | 1 |\n| power cuts tried of one run, at most | 42 |\n"
                      "| of so many that it has | 42 |\n| flipped bits | 20 |", page)
        self.assertRegex(page, r"\| faults made \| [1-9]")
        self.assertIn("| records of an old engine | 7 |\n| acknowledged to an old engine | 11 |\n| submitted for an old engine | 12 |\n"
                      "| disturbances over SMPP | 5 |\n| SMSes over SMPP | 180 |\n| tests of idle connections | 2 |", page)
        self.assertIn("| inputs | 100 |\n| tests of bad input and secrets | 6 |", page)
        self.assertRegex(page, r"\| fuzzer first \| 1 \| \d+ \| held \|\n\| fuzzer second \| 1 \| \d+ \| held \|")
        self.assertIn("| **lost** | 0 |\n| **doubled** | 0 |\n| **leaked** | 0 |\n| broken in any way | 0 |", page)
        self.assertTrue(page.startswith("before\n<!-- table proof -->\n\n"))
        self.assertTrue(page.endswith("\n<!-- end -->\nafter\n"))
        self.assertNotIn("of before", page)

    def test_a_loss_is_told_and_ends_with_one(self):
        self.program("build/tests/power_cuts", "echo 'BROKEN: a power cut after operation 7: shard 1 ends at 3, but 4 was acknowledged'; exit 1")
        page = self.proof(code=1)
        self.assertIn("| **lost** | 1 |\n| **doubled** | 0 |", page)
        self.assertRegex(page, r"\| power cuts and flipped bits \| 1 \| \d+ \| BROKEN 1 \|")
        self.assertIn("shard 1 ends at 3", (self.folder / "build/proof.md").read_text(encoding="utf-8"))

    def test_what_was_only_ever_skipped_is_told_as_not_proven(self):
        self.program("build/tests/crash_driver", "case \"$*\" in *--kafka*) exit 77 ;; esac\n" + CRASHED)
        page = self.proof(code=3)
        self.assertIn("| **leaked** | 0 |\n| **not proven**: kill -9, on Kafka; kill -9, with an old engine | 2 |\n| broken in any way | 0 |", page)

    def test_it_ends_in_its_time_whatever_its_parts_do(self):
        for name in ("build/tests/sim_campaign", "build/tests/sim_kafka_campaign", "build/tests/sim_gateway_campaign",
                     "build/tests/sim_pair_campaign", "build/tests/crash_driver", "build/tests/power_cuts"):
            self.program(name, "echo '7 seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes'; exec sleep 600")
        begun = time.monotonic()
        page = self.proof(hours=0.003)
        self.assertLess(time.monotonic() - begun, 3 * 0.003 * 3_600 + 20)  # its parts would take minutes
        self.assertIn("| seeds | 7 |", page)  # what it had said by then
        self.assertRegex(page, r"\| simulator \| 1 \| \d+ \| cut off \|")
        self.assertIn("| broken in any way | 0 |", page)
        self.assertRegex(page, "Not begun, for want of time: .*simulator of Kafka, .*kill -9, .*power cuts and flipped bits, .*, seeded bugs")
        self.assertEqual([], list((self.folder / "tmp").iterdir()))

    def test_a_part_that_holds_and_counts_nothing_is_a_finding(self):
        self.program("build/tests/power_cuts", "echo 'power cuts 0 (0 more left the same), tried 0 of 42: recovered 0'; echo 'flipped bits 20: whole 1'")
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

    def test_a_standard_run_that_meets_a_name_too_seldom_is_broken(self):
        self.program("build/tests/sim_campaign", """case "$*" in *--standard*) n=20000; code=1 ;; *) n=3; code=0 ;; esac
echo "$n seeds from 1: all held; 70 scheduled, 30 submits, 20 delivered, 5 crashes; digest 0"; sleep 0.1; exit $code""")
        page = self.proof(hours=0.002, code=1)
        self.assertRegex(page, r"\| standard runs \| 0 \|")
        self.assertRegex(page, r"\| simulator \| \d+ \| \d+ \| BROKEN 1 \|")

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
        ran = self.ran("echo begun; exec sleep 600", patience_s=5)
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
                     "again: tools/dev sim --kafka --first 7 --seeds 1"):
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


class Fuzzers(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.runner = Runner(temporary.name, hours=24, seed=1)
        self.parts = Parts(self.runner)
        self.ran = []
        self.runner.run = lambda part, words, patience_s, **environment: self.ran.append((part, words[-1])) or Ran(
            "Done 5 runs in 1 second(s)", "held", part, "")

    def test_in_a_long_proof_each_has_a_long_stretch_in_its_turn(self):
        names = sorted(file.name[:-len("_fuzz.cc")] for file in Path("tests/fuzz").glob("*_fuzz.cc"))
        for _ in names:
            self.parts.fuzz(120)
        self.assertEqual(self.ran, [(f"fuzzer {name}", 120) for name in names])

    def test_in_a_short_one_each_is_tried(self):
        self.runner.hours = 0.1
        self.parts.fuzz(30)
        self.assertEqual(len({part for part, _ in self.ran}), len(list(Path("tests/fuzz").glob("*_fuzz.cc"))))


if __name__ == "__main__":
    unittest.main()
