"""Runs the proof's programs one at a time, within its time, and keeps what became of them: figures, findings, seconds.

A program that fails is a finding, and so is one that does not end in the time that its part allows, or that held and counted
nothing. At the end of the proof's own time it is cut off; that is none, unless it had said by then what it found.
"""

import collections
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import proof_words

LAST_S = 1  # for the report
SKIPPED = 77

# What a program printed; how it ended: held, broken, cut or skipped; and its part and command line.
Ran = collections.namedtuple("Ran", "said state part command")


class Runner:
    def __init__(self, build, hours, seed):
        self.build, self.hours, self.seed = Path(build).resolve(), hours, seed
        self.figures = {}  # sums by name
        self.missed = {}  # what there was no time for, in order
        self.parts = {}  # by name: seconds, runs, and how many ended in which way
        self.findings = []  # part, command, what was said
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

    def next_seed(self):
        self.seed += 1
        return self.seed

    # Runs one program to its end, and at most so long.
    def run(self, part, words, patience_s, **environment):
        command = " ".join(str(word) for word in words)
        begun = time.monotonic()
        allowed_s = max(0.0, min(patience_s, self.left()))
        said, code, interrupt = self.wait_for([str(word) for word in words], allowed_s, environment)
        state = "held" if code == 0 else "skipped" if code == SKIPPED else "broken"
        if code is None:
            cut = interrupt is not None or allowed_s < patience_s
            state = "cut" if cut and not proof_words.found(said) else "broken"
            said += f"\nit was cut off after {allowed_s:.0f} s" if cut else f"\nit did not end within {patience_s:.0f} s"
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"==== {part}: {command}\n{said}\n")
        entry = self.parts.setdefault(part, collections.Counter())
        entry["seconds"] += time.monotonic() - begun
        entry["runs"] += 1
        entry[state] += 1
        ran = Ran(said, state, part, command)
        if state == "broken":
            self.findings.append((part, command, said))
        if interrupt is not None:
            raise interrupt
        return ran

    # What it printed, to a file: no process that it leaves behind can hold the end back. The code is None when it did not end.
    def wait_for(self, words, allowed_s, environment):
        code = interrupt = None
        with tempfile.TemporaryFile() as out:
            self.running = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                            env=dict(os.environ, TMPDIR=self.scratch, **environment))
            try:
                code = self.running.wait(timeout=allowed_s)
            except subprocess.TimeoutExpired:
                pass
            except KeyboardInterrupt as stopped:
                interrupt = stopped
            self.stop_running()
            self.running = None
            out.seek(0)
            return out.read().decode(errors="replace"), code, interrupt

    def stop_running(self):
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)  # its own session, made above
            self.running.wait()

    def count(self, name, number):
        self.figures[name] = self.figures.get(name, 0) + int(number)

    # Adds what the pattern's groups show. A run that held shows them; and the first is not 0, or nothing was proved.
    def sum_up(self, ran, pattern, names, may_be_0=False):
        shown = re.search(pattern, ran.said)
        for name, number in zip(names, shown.groups() if shown else ()):
            self.count(name, number)
        if ran.state == "held" and (shown is None or int(shown.group(1)) == 0 and not may_be_0):
            self.broke(ran, f"it held, and shows no {names[0]}")
        return shown

    # What held by its own words, and not by ours.
    def broke(self, ran, why):
        self.parts[ran.part]["held"] -= 1
        self.parts[ran.part]["broken"] += 1
        self.findings.append((ran.part, ran.command, ran.said + "\n" + why))
