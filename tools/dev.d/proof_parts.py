"""The parts of the proof: which program each runs, for how long, and which figures it shows."""

import math
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

TURN_S = 1_200  # so that an interrupted run has something of each
DRAIN_S = 25  # of a crash run, for what is left to end
STOP_S = 110  # a minute's stop, with its start and its drain
OLD_ENGINE_S = 120
SMPP_CYCLE_S = 2
SMPP_SETTLE_S = 20  # with its start
FUZZ_MOST_S = 300  # of one in a turn
# A program that was told to end after so many seconds hangs when it has not ended so long after them, however busy the machine.
LATE_S = 300
STANDARD_SEEDS = 20_000
SIMULATOR_FIGURES = ("seeds", "simulated SMSes", "simulated submits", "simulated crashes")
KAFKA_FIGURES = ("seeds on Kafka", "records on Kafka", "submits on Kafka", "crashes on Kafka")
GATEWAY_FIGURES = ("seeds of the gateway", "attempts at the gateway", "submits of the gateway", "crashes of the gateway")
PAIR_FIGURES = ("seeds of both", "simulated SMSes of both", "submits of both", "crashes of both")
CRASH_FIGURES = (("calls", "calls in crash runs"), ("acknowledged", "acknowledged in crash runs"),
                 ("submitted", "submitted in crash runs"), ("kills", "kills"), ("strangers refused", "bad calls refused"))
CUTS = "power cuts and flipped bits"
TRIED = ("power cuts tried of one run, at most", "of so many that it has")
OLD_ENGINE_FIGURES = (("records", "records of an old engine"), ("acknowledged", "acknowledged to an old engine"),
                      ("submitted", "submitted for an old engine"), ("kills", "kills"))
SMPP_FIGURES = ("disturbances over SMPP", "SMSes over SMPP")
MAY_BE_0 = ("kills", "strangers refused")
HUNTS = {"seeded bugs, searched afresh": "sim_campaign", "seeded bugs on Kafka, searched afresh": "sim_kafka_campaign",
         "seeded bugs of the gateway, searched afresh": "sim_gateway_campaign",
         "seeded bugs between the two, searched afresh": "sim_pair_campaign"}


class Parts:
    def __init__(self, runner):
        self.runner = runner
        self.build = runner.build
        self.long = False  # the turn has time for what takes minutes
        self.standard = False  # it was begun
        self.fuzzed = 0  # fuzzers that had their stretch

    # What is to go to its end once, when there is time: so long at most, but not less than its share.
    def to_its_end_s(self, seconds):
        return max(seconds, min(1_800, self.runner.left() / 4)) if self.long else seconds

    # The standard run first, which must meet everything often enough, as far as there is time for it; then more seeds.
    def simulate(self, seconds):
        runner = self.runner
        seconds = seconds if self.standard else self.to_its_end_s(seconds)
        end = time.monotonic() + seconds
        while seconds > 0 and runner.time_for("simulator", 5):
            given_s = max(min(seconds if not self.standard else min(seconds, 120), runner.left() - 2), 1)
            standard = [] if self.standard else ["--standard", "--jobs", os.cpu_count() or 1]
            self.standard = True
            ran = runner.run("simulator", [self.build / "tests/sim_campaign", "--first", runner.next_seed() * 1_000_000,
                                           "--minutes", given_s / 60, *standard], given_s + LATE_S)
            shown = runner.sum_up(ran, r"(\d+) seeds from .*?; (\d+) scheduled, (\d+) submits, .*? (\d+) crashes", SIMULATOR_FIGURES)
            if standard:  # which fails when it went to its end and met a name too seldom
                runner.count("standard runs", ran.state == "held" and shown is not None and int(shown.group(1)) == STANDARD_SEEDS)
            seconds = end - time.monotonic() - 1

    # The other simulators: of an engine on Kafka, of a gateway, and of engine and gateway together.
    def simulate_beside(self, part, program, names):
        def go(seconds):
            runner = self.runner
            if not runner.time_for(part, 5):
                return
            given_s = max(min(seconds, runner.left() - 2), 1)
            ran = runner.run(part, [self.build / "tests" / program, "--first", runner.next_seed() * 1_000_000, "--seeds", 1_000_000_000,
                                    "--minutes", given_s / 60], given_s + LATE_S)
            runner.sum_up(ran, r"(?m)^(\d+) seeds from .*?; (\d+) \w+, (\d+) submits, (\d+) crashes", names)
        return go

    def hunt(self):
        for part, program in HUNTS.items():
            if not self.runner.time_for(part, 0):
                continue
            ran = self.runner.run(part, [self.build / "tests" / program, "--bugs", "--first", self.runner.next_seed() * 1_000], 3_600)
            rows = [row for row in ran.said.splitlines() if row.startswith("| ") and not row.startswith("| seeded bug")]
            found = [row for row in rows if "| none |" not in row]
            self.runner.count("seeded bugs searched", len(rows))
            self.runner.count("seeded bugs found", len(found))
            if ran.state == "held" and (not rows or rows != found):
                self.runner.broke(ran, f"it held, and found {len(found)} of {len(rows)} bugs")

    def crash(self, part, cycles, seconds, *flags, figures=CRASH_FIGURES):
        runner = self.runner
        folder = tempfile.mkdtemp(prefix="c", dir=runner.scratch)
        before = len(runner.findings)
        seconds = max(1, int(seconds))
        ran = runner.run(part, [self.build / "tests/crash_driver", "--cycles", cycles, "--seed", runner.next_seed(),
                                "--seconds", seconds, "--dir", folder, *flags], seconds + LATE_S)
        for line, name in figures:
            runner.sum_up(ran, rf"(?m)^{line} +(\d+)", [name], may_be_0=line in MAY_BE_0)
        moments = re.findall(r"(?m)^(\S.*?) +\d+ +(\d+)$", ran.said.partition("\nmoment ")[2])
        if ran.state == "held" and not moments:
            runner.broke(ran, "it held, and shows no moments")
        for moment, met in moments:
            if re.search(r"came true|failed sync|without space|disk full: new|clock turned|little memory|for a minute|"
                         r"small disk full: new|just (before|after) a sync", moment):
                runner.count("faults made", met)
        if len(runner.findings) == before:
            shutil.rmtree(folder, ignore_errors=True)
        return ran

    def crash_for(self, part, *flags, cycles=20):
        def go(seconds):
            runner = self.runner
            end = time.monotonic() + seconds
            while runner.time_for(part, 2 * DRAIN_S):
                ran = self.crash(part, cycles, min(end - time.monotonic(), runner.left()) - DRAIN_S, *flags)
                if end - time.monotonic() < 2 * DRAIN_S or ran.state == "skipped":
                    return
        return go

    def calls_of(self, who):
        """So that the next run, of this proof or another, goes on where the last one ended."""
        return "--calls", self.runner.log.parent / f"calls-of-the-{who}"

    # An engine of before, whose attempts have no ids of their own: the gateway alone, and a broker.
    def old_engine(self, _):
        part = "kill -9, with an old engine"
        if self.runner.time_for(part, OLD_ENGINE_S):
            self.crash(part, 4, OLD_ENGINE_S, "--kafka", "--old-engine", figures=OLD_ENGINE_FIGURES)

    # What lasts a minute, or a little longer.
    def stops(self):
        for part, flags in (("a minute's stop", ("--only", "stop the engine for a minute")),
                            ("a minute's stop", ("--only", "stop the gateway for a minute")),
                            ("a minute without a broker", ("--kafka", "--only", "no broker for a minute"))):
            if self.runner.time_for(part, STOP_S):
                self.crash(part, 1, STOP_S, *flags)

    # Gateway, SMSC and engine, judged by the SMSC's own log.
    def smpp(self, seconds):
        runner = self.runner
        part = "kill -9, over SMPP"
        cycles = min(100, max(5, int((seconds - SMPP_SETTLE_S) / SMPP_CYCLE_S)))
        given_s = cycles * SMPP_CYCLE_S + SMPP_SETTLE_S
        if not runner.time_for(part, given_s):
            return
        ran = runner.run(part, [sys.executable, "-B", "tests/gateway/smpp_crash.py", self.build / "bin", "--cycles", cycles,
                                "--seed", runner.next_seed()], given_s + LATE_S)
        runner.sum_up(ran, r"(?m)^seed \d+: (\d+) cycles, (\d+) SMSes", SMPP_FIGURES)

    # 64 descriptors and 300 connections: it takes new ones again.
    def connections(self, _):
        if self.runner.time_for("idle connections", 60):
            ran = self.runner.run("idle connections", [self.build / "tests/server_daemon_test", "--gtest_filter=*Connections*"], LATE_S)
            self.runner.sum_up(ran, r"\[  PASSED  \] (\d+) tests?", ["tests of idle connections"])

    # Once, when there is time: every operation of a run with every loss, on an idle machine a matter of minutes. Then as many
    # of another run as the time allows, drawn from all of it.
    def cut(self, seconds):
        runner = self.runner
        if not runner.time_for(CUTS, 20):
            return
        whole = CUTS not in runner.parts and self.long
        flips = 2_000 if whole else int(2 + seconds * 8)
        seconds = max(1, int(self.to_its_end_s(seconds) if whole else seconds))
        ran = runner.run(CUTS, [self.build / "tests/power_cuts", "--seconds", seconds, "--flips", flips, "--jobs", os.cpu_count() or 1,
                                "--seed", runner.next_seed()], seconds + LATE_S)
        shown = runner.sum_up(ran, r"power cuts (\d+) \(\d+ more left the same\), tried (\d+) of (\d+)", ["power cuts"])
        runner.sum_up(ran, r"flipped bits (\d+)", ["flipped bits"])
        if shown:
            tried, possible = int(shown.group(2)), int(shown.group(3))
            runner.count("runs cut at every operation", tried == possible)
            if tried > runner.figures.get(TRIED[0], 0):
                runner.figures.update(zip(TRIED, (tried, possible)))

    # As few of them as come all to their turn in the time that is left, so that each has a long stretch.
    def fuzz(self, seconds):
        runner = self.runner
        names = sorted(file.name[:-len("_fuzz.cc")] for file in Path("tests/fuzz").glob("*_fuzz.cc"))
        waiting = len(names) - self.fuzzed % len(names)
        turns = max(1, round(runner.left() / TURN_S))
        count = min(len(names), max(math.ceil(waiting / turns), int(seconds // FUZZ_MOST_S)))
        each = max(2, int(seconds / count))
        for name in names:
            if f"fuzzer {name}" not in runner.parts:
                runner.missed[f"fuzzer {name}"] = True
        for number in range(self.fuzzed, self.fuzzed + count):
            name = names[number % len(names)]
            if not runner.time_for(f"fuzzer {name}", each + 2):
                continue
            self.fuzzed += 1
            ran = runner.run(f"fuzzer {name}", ["tests/fuzz/run.sh", self.build / "fuzz/fuzz", name, each], each + LATE_S,
                             SMSFLOW_FUZZ_NEW=str(self.build / "fuzz/found"))
            runner.sum_up(ran, r"Done (\d+) runs", ["inputs"])

    def inputs(self):
        binaries = [self.build / "bin" / name for name in ("smsflowd", "smsflow", "smsflow-gateway")]
        for part, script, programs in (("bad input", "tests/bad_input/bad_input_test.py", binaries[:2]),
                                       ("secrets", "tests/secrets/secrets_test.py", [*binaries, self.build / "tests/stored_rows"])):
            ran = self.runner.run(part, [sys.executable, "-B", script, *programs], 2 * LATE_S)
            self.runner.sum_up(ran, r"(?m)^Ran (\d+) tests? in", ["tests of bad input and secrets"])
        for part, way in (("secrets over SMPP", "smpp"), ("secrets on Kafka", "kafka")):
            if not self.long:
                self.runner.missed[part] = True
                continue
            ran = self.runner.run(part, [sys.executable, "-B", "tests/secrets/sites_test.py", self.build / "bin", self.build / "tests", way],
                                  2 * LATE_S)
            self.runner.sum_up(ran, r"(?m)^Ran (\d+) tests? in", ["tests of bad input and secrets"])
