"""The proof, for as long as asked: everything that tries to break smsflow, in turns, and one report of what it did.

proof.py BUILD --hours H [--seed S] [--report FILE] [--page FILE]. A turn runs every part for its share; each part goes on
from a seed of its own, and what it prints is read for its figures. It ends within the hours that were asked for: what runs
then is cut off, and the report says so. When it is interrupted, the report tells of what was done by then. Exit codes: 0 all
held, 1 something was broken, 2 the command line is wrong, 130 interrupted.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOST = re.compile(r"is lost|lacks|missing|no journal|below|nobody was told|has lost|never ends")
DOUBLED = re.compile(r"twice|second instance|more than one copy|copies of|doubled")
LEAKED = re.compile(r"\((raw|hex|HEX|UTF-16..|backwards|base64 \d)\) in|I17|payload in a row")
TURN_S = 1_200  # so that an interrupted run has something of each
LAST_S = 1  # for the report
DRAIN_S = 25  # of a crash run, for what is left to end
STOP_S = 110  # a minute's stop, with its start and its drain
STANDARD_SEEDS = 20_000
KAFKA_FIGURES = ("seeds on Kafka", "records on Kafka", "submits on Kafka", "crashes on Kafka")
GATEWAY_FIGURES = ("seeds of the gateway", "attempts at the gateway", "submits of the gateway", "crashes of the gateway")


class Proof:
    def __init__(self, build, hours, seed):
        self.build, self.hours, self.seed = Path(build).resolve(), hours, seed
        self.figures = {}  # sums by name
        self.missed = {}  # what there was no time for, in order
        self.parts = {}  # by name: seconds, runs, broken
        self.findings = []
        self.keep = False  # what a finding left behind
        self.running = None
        self.scratch = None  # of the parts; nothing of theirs is left anywhere else
        self.began = time.monotonic()
        self.log = self.build / "log" / "proof.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("", encoding="utf-8")

    def left(self):
        return self.hours * 3_600 - LAST_S - (time.monotonic() - self.began)

    # Whether it is worth while to begin: what cannot end any more tells nothing. Each part has its try.
    def time_for(self, part, least_s):
        worth_while = self.left() > (least_s if part in self.parts else 0)
        if not worth_while:
            self.missed[part] = True
        return worth_while

    def count(self, name, number):
        self.figures[name] = self.figures.get(name, 0) + int(number)

    def next_seed(self):
        self.seed += 1
        return self.seed

    # Runs one program to its end and returns what it printed. A part that fails is a finding, with its own words.
    # At the end of the proof's time it is cut off, which is none.
    def run(self, part, words, expect=0, patience_s=3_600, **environment):
        begun = time.monotonic()
        allowed_s = max(0.0, min(patience_s, self.left()))
        environment["TMPDIR"] = self.scratch
        self.running = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors="replace", start_new_session=True,
                                        env=dict(os.environ, **environment))
        cut = False
        try:
            said, _ = self.running.communicate(timeout=allowed_s)
        except subprocess.TimeoutExpired:
            self.stop_running()
            said, _ = self.running.communicate()
            cut = allowed_s < patience_s
            said += f"\nit was cut off after {allowed_s:.0f} s" if cut else f"\nit did not end within {patience_s} s"
        code = self.running.returncode
        self.running = None
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"==== {part}: {' '.join(str(word) for word in words)}\n{said}\n")
        entry = self.parts.setdefault(part, {"seconds": 0.0, "runs": 0, "broken": 0, "skipped": 0, "cut": 0})
        entry["seconds"] += time.monotonic() - begun
        entry["runs"] += 1
        if cut:
            entry["cut"] += 1
        elif code == 77:
            entry["skipped"] += 1
        elif code != expect:
            entry["broken"] += 1
            self.findings.append((part, " ".join(str(word) for word in words), said[-3_000:]))
        return said

    def stop_running(self):
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)  # its own session, made above
            self.running.wait()

    # The standard run first, which must meet everything often enough, as far as there is time for it; then more seeds.
    def simulate(self, seconds):
        end = time.monotonic() + seconds
        standard = ["--standard", "--jobs", os.cpu_count() or 1]
        left = seconds
        while left > 0 and self.time_for("simulator", 5):
            minutes = max(min(left if standard else min(left, 120), self.left() - 2), 1) / 60
            said = self.run("simulator", [self.build / "tests/sim_campaign", "--first", self.next_seed() * 1_000_000,
                                          "--minutes", minutes, *standard])
            left = end - time.monotonic() - 1
            if done := re.search(r"(\d+) seeds from .*?; (\d+) scheduled, (\d+) submits, .*? (\d+) crashes", said):
                for name, number in zip(("seeds", "simulated SMSes", "simulated submits", "simulated crashes"), done.groups()):
                    self.count(name, number)
                if standard and int(done.group(1)) == STANDARD_SEEDS:
                    self.count("standard runs", 1)
            standard = []

    # The other two simulators: of an engine on Kafka, and of a gateway.
    def simulate_beside(self, part, program, names):
        def go(seconds):
            if not self.time_for(part, 5):
                return
            said = self.run(part, [self.build / "tests" / program, "--first", self.next_seed() * 1_000_000, "--seeds", 1_000_000_000,
                                   "--minutes", max(min(seconds, self.left() - 2), 1) / 60])
            if done := re.search(r"(?m)^(\d+) seeds from .*?; (\d+) \w+, (\d+) submits, (\d+) crashes", said):
                for name, number in zip(names, done.groups()):
                    self.count(name, number)
        return go

    def hunt(self, _):
        for part, program in (("seeded bugs, searched afresh", "sim_campaign"),
                              ("seeded bugs on Kafka, searched afresh", "sim_kafka_campaign"),
                              ("seeded bugs of the gateway, searched afresh", "sim_gateway_campaign")):
            if not self.time_for(part, 0):
                continue
            said = self.run(part, [self.build / "tests" / program, "--bugs", "--first", self.next_seed() * 1_000])
            rows = [row for row in said.splitlines() if row.startswith("| ") and not row.startswith("| seeded bug")]
            self.count("seeded bugs searched", len(rows))
            self.count("seeded bugs found", len([row for row in rows if "not found" not in row and "| none |" not in row]))

    def crash(self, part, cycles, seconds, *flags):
        folder = tempfile.mkdtemp(prefix="c", dir=self.scratch)
        before = len(self.findings)
        said = self.run(part, [self.build / "tests/crash_driver", "--cycles", cycles, "--seed", self.next_seed(),
                               "--seconds", max(1, int(seconds)), "--dir", folder, *flags],
                        patience_s=120 + cycles * 90)
        if len(self.findings) == before:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            self.keep = True
        for line, name in (("kills", "kills"), ("acknowledged", "acknowledged in crash runs"),
                           ("submitted", "submitted in crash runs"), ("calls", "calls in crash runs"),
                           ("strangers refused", "bad calls refused")):
            if found := re.search(rf"(?m)^{line} +(\d+)", said):
                self.count(name, found.group(1))
        for moment, met in re.findall(r"(?m)^(\S.*?) +\d+ +(\d+)$", said.partition("\nmoment ")[2]):
            if re.search(r"came true|failed sync|without space|disk full: new|clock turned|little memory|for a minute|"
                         r"small disk full: new|just (before|after) a sync", moment):
                self.count("faults made", met)

    def crash_for(self, part, *flags, cycles=20):
        def go(seconds):
            end = time.monotonic() + seconds
            while self.time_for(part, 2 * DRAIN_S):
                self.crash(part, cycles, min(end - time.monotonic(), self.left()) - DRAIN_S, *flags)
                skipped = self.parts[part]["skipped"] > 0
                if end - time.monotonic() < 2 * DRAIN_S or skipped:
                    return
        return go

    def cut(self, seconds):
        if not self.time_for("power cuts and flipped bits", 20):
            return
        said = self.run("power cuts and flipped bits",
                        [self.build / "tests/power_cuts", "--seconds", int(seconds), "--flips", int(2 + seconds * 8),
                         "--share", 1 if seconds > 1_800 else max(0.001, seconds * 0.6 / 600), "--seed", self.next_seed()])
        for pattern, name in ((r"power cuts (\d+)", "power cuts"), (r"flipped bits (\d+)", "flipped bits")):
            if found := re.search(pattern, said):
                self.count(name, found.group(1))

    def fuzz(self, seconds):
        fuzzers = [name for name in sorted(file.name[:-len("_fuzz.cc")] for file in Path("tests/fuzz").glob("*_fuzz.cc"))
                   if (self.build / "fuzz/fuzz" / f"{name}_fuzz").exists()]
        if not fuzzers:
            return
        each = max(2, int(seconds / len(fuzzers)))
        for name in fuzzers:
            if not self.time_for(f"fuzzer {name}", each + 2):
                continue
            said = self.run(f"fuzzer {name}", ["tests/fuzz/run.sh", self.build / "fuzz/fuzz", name, each],
                            SMSFLOW_FUZZ_NEW=str(self.build / "fuzz/found"))
            if done := re.search(r"Done (\d+) runs", said):
                self.count("inputs", done.group(1))

    def inputs(self, _):
        binaries = [self.build / "bin" / name for name in ("smsflowd", "smsflow", "smsflow-gateway")]
        self.run("bad input", [sys.executable, "-B", "tests/bad_input/bad_input_test.py", *binaries[:2]])
        self.run("secrets", [sys.executable, "-B", "tests/secrets/secrets_test.py", *binaries])

    def turn(self, seconds, first):
        shares = ((0.22, self.simulate),
                  (0.03, self.simulate_beside("simulator of Kafka", "sim_kafka_campaign", KAFKA_FIGURES)),
                  (0.03, self.simulate_beside("simulator of the gateway", "sim_gateway_campaign", GATEWAY_FIGURES)),
                  (0.13, self.crash_for("kill -9")),
                  (0.14, self.crash_for("kill -9, unsynced is lost", "--crashfs")),
                  (0.06, self.crash_for("kill -9, on Kafka", "--kafka", cycles=8)),
                  (0.11, self.crash_for("calls of the engine that fail", "--only", "let a call of the engine fail")),
                  (0.04, self.crash_for("calls of the gateway that fail", "--only", "let a call of the gateway fail")),
                  (0.03, self.crash_for("clocks that jump", "--only", "turn the engine's clock", cycles=5)),
                  (0.04, self.crash_for("a full disk", "--disk", "128", "--only", "fill the engine's disk", cycles=3)),
                  (0.09, self.cut), (0.08, self.fuzz))
        begun = time.monotonic()
        if first:
            self.inputs(0)
            if seconds > 300:
                self.hunt(0)  # a minute of CPU time for each bug at most, and all must be looked for
        stops = seconds > 600
        if stops:
            for who in ("engine", "gateway"):
                if self.time_for("a minute's stop", STOP_S):
                    self.crash("a minute's stop", 1, STOP_S, "--only", f"stop the {who} for a minute")
        seconds = max(1, seconds - (time.monotonic() - begun))
        for share, part in shares:
            part(seconds * share)
        if first and "seeded bugs, searched afresh" not in self.parts and self.time_for("seeded bugs, searched afresh", 0):
            self.hunt(0)

    def go(self):
        base = tempfile.gettempdir()
        self.scratch = tempfile.mkdtemp(prefix="proof-", dir=base if len(base) < 40 else "/tmp")  # sockets' names must be short
        try:
            first = True
            while first or self.left() > 120:
                turns = max(1, round(self.left() / TURN_S))
                self.turn(self.left() / turns, first)
                first = False
        finally:
            self.stop_running()
            if not self.keep:
                shutil.rmtree(self.scratch, ignore_errors=True)

    def verdict(self, pattern, *parts):
        """Findings of these parts, or of all but the rows of bad input, that speak of it."""
        return len([1 for part, _, said in self.findings
                    if (part in parts if parts else part not in ("bad input", "secrets")) and pattern.search(said)])

    def report(self, interrupted):
        hours = (time.monotonic() - self.began) / 3_600
        commit = subprocess.run(["git", "log", "-1", "--format=%h"], capture_output=True, text=True, check=False).stdout.strip()
        cpu = sum(os.times()[2:4]) / 3_600
        lines = [f"{hours:.2f} hours at {commit or 'an unknown commit'}, {os.cpu_count()} cores, {cpu:.2f} hours of CPU"
                 + (", interrupted" if interrupted else "") + ":", "", "| what | how many |", "|---|---:|"]
        order = ("seeds", "standard runs", "simulated SMSes", "simulated submits", "simulated crashes", *KAFKA_FIGURES,
                 *GATEWAY_FIGURES, "seeded bugs searched", "seeded bugs found", "kills", "calls in crash runs", "acknowledged in crash runs", "submitted in crash runs",
                 "bad calls refused", "faults made", "power cuts", "flipped bits", "inputs")
        lines += [f"| {name} | {self.figures[name]:,} |" for name in order if name in self.figures]
        lines += [f"| **lost** | {self.verdict(LOST)} |", f"| **doubled** | {self.verdict(DOUBLED)} |",
                  f"| **leaked** | {self.verdict(LEAKED, 'secrets', 'simulator', 'simulator of the gateway')} |", f"| broken in any way | {len(self.findings)} |", "",
                  "| part | runs | seconds | |", "|---|---:|---:|---|"]
        for name, part in self.parts.items():
            ended = part["runs"] - part["cut"]
            held = (f"BROKEN {part['broken']}" if part["broken"] else "cut off" if ended == 0
                    else "skipped" if part["skipped"] == ended else "held")
            lines.append(f"| {name} | {part['runs']} | {part['seconds']:.0f} | {held} |")
        if left_out := [name for name in self.missed if name not in self.parts]:
            lines += ["", "Not begun, for want of time: " + ", ".join(left_out) + "."]
        return "\n".join(lines) + "\n"


def write_page(page, report):
    text = Path(page).read_text(encoding="utf-8")
    begin, end = "<!-- table proof -->\n", "<!-- end -->"
    head, rest = text.split(begin, 1)
    Path(page).write_text(head + begin + "\n" + report + "\n" + end + rest.split(end, 1)[1], encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(prog="tools/dev proof", description="Everything that tries to break smsflow, in turns.")
    parser.add_argument("--hours", type=float, default=1, help="for how long; fractions are fine (1)")
    parser.add_argument("--seed", type=int, default=0, help="what the parts' seeds begin at; 0: a new one")
    parser.add_argument("--report", help="where the report goes (BUILD/proof.md)")
    parser.add_argument("--page", help="a page that has a place for the report")
    parser.add_argument("build")
    arguments = parser.parse_args()
    if not 0 < arguments.hours <= 10_000:
        parser.error("--hours wants a number above 0")
    proof = Proof(arguments.build, arguments.hours, arguments.seed or random.SystemRandom().randrange(1, 1_000_000))
    interrupted = False

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        print(f"proof for {arguments.hours} hours, seeds from {proof.seed}; what the parts say is in {proof.log}", flush=True)
        proof.go()
    except KeyboardInterrupt:
        interrupted = True
        proof.stop_running()
    report = proof.report(interrupted)
    target = Path(arguments.report or proof.build / "proof.md")
    target.write_text("\n".join([report, *(f"## {part}\n\n`{words}`\n\n```\n{said}\n```\n" for part, words, said in proof.findings)]),
                      encoding="utf-8")
    if arguments.page:
        write_page(arguments.page, report)
    print(report + f"\nthe report is in {target}")
    return 130 if interrupted else 1 if proof.findings else 0


if __name__ == "__main__":
    sys.exit(main())
