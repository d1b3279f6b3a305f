"""The proof's report: what was done, what was found, and what there was no time for, as two tables."""

import os
import subprocess
import time
from pathlib import Path

import proof_words
from proof_parts import (CRASH_FIGURES, GATEWAY_FIGURES, KAFKA_FIGURES, OLD_ENGINE_FIGURES, PAIR_FIGURES, SIMULATOR_FIGURES, SMPP_FIGURES,
                         TRIED)

ORDER = ("seeds", "standard runs", *SIMULATOR_FIGURES[1:], *KAFKA_FIGURES, *GATEWAY_FIGURES, *PAIR_FIGURES, "seeded bugs searched",
         "seeded bugs found", "kills", "calls in crash runs", "acknowledged in crash runs", "submitted in crash runs",
         "bad calls refused", *(name for _, name in OLD_ENGINE_FIGURES[:-1]), *SMPP_FIGURES, "tests of idle connections", "faults made", "power cuts",
         "runs cut at every operation", *TRIED, "flipped bits", "inputs", "tests of bad input and secrets")
assert all(name in ORDER for _, name in CRASH_FIGURES)


def of_part(part):
    words = []
    if part["broken"]:
        words.append(f"BROKEN {part['broken']}")
    elif part["held"]:
        words.append("held")
    for state, name in (("skipped", "skipped"), ("cut", "cut off")):
        if part[state]:
            words.append(name if part[state] == part["runs"] else f"{part[state]} {name}")
    return ", ".join(words)


def not_proven(runner):
    """Parts that had time and were only ever skipped, for want of what they need: of these it is not known whether they hold."""
    return [name for name, part in runner.parts.items() if part["skipped"] and not part["held"] and not part["broken"]]


def report(runner, interrupted):
    hours = (time.monotonic() - runner.began) / 3_600
    commit = subprocess.run(["git", "log", "-1", "--format=%h"], capture_output=True, text=True, check=False).stdout.strip()
    cpu = sum(os.times()[2:4]) / 3_600
    lines = [f"{hours:.2f} hours at {commit or 'an unknown commit'}, {os.cpu_count()} cores, {cpu:.2f} hours of CPU"
             + (", interrupted" if interrupted else "") + ":", "", "| what | how many |", "|---|---:|"]
    lines += [f"| {name} | {runner.figures[name]:,} |" for name in ORDER if name in runner.figures]
    lines += [f"| **{kind}** | {count} |" for kind, count in proof_words.verdict(runner.findings).items()]
    if names := not_proven(runner):
        lines.append(f"| **not proven**: {'; '.join(names)} | {len(names)} |")
    lines += [f"| broken in any way | {len(runner.findings)} |", "", "| part | runs | seconds | |", "|---|---:|---:|---|"]
    lines += [f"| {name} | {part['runs']} | {part['seconds']:.0f} | {of_part(part)} |" for name, part in runner.parts.items()]
    if left_out := [name for name in runner.missed if name not in runner.parts]:
        lines += ["", "Not begun, for want of time: " + ", ".join(left_out) + "."]
    return "\n".join(lines) + "\n"


def write_page(page, text):
    whole = Path(page).read_text(encoding="utf-8")
    begin, end = "<!-- table proof -->\n", "<!-- end -->"
    head, rest = whole.split(begin, 1)
    Path(page).write_text(head + begin + "\n" + text + "\n" + end + rest.split(end, 1)[1], encoding="utf-8")
