"""The proof, for as long as asked: everything that tries to break smsflow, in turns, and one report of what it did.

proof.py BUILD --hours H [--seed S] [--report FILE] [--page FILE]. A turn runs every part for its share; each part goes on
from a seed of its own, and what it prints is read for its figures. It ends within the hours that were asked for: what runs
then is cut off, and the report says so. When it is interrupted, the report tells of what was done by then. Exit codes: 0 all
held, 1 something was broken, 2 the command line is wrong, 3 something was never tried though there was time, for want of a broker,
say; 130 interrupted.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from proof_parts import GATEWAY_FIGURES, HUNTS, KAFKA_FIGURES, PAIR_FIGURES, TURN_S, Parts
from proof_report import not_proven, report, write_page
from proof_run import Runner

SAID_MOST = 20_000  # of a finding, in the report; the log has all


# What a turn runs, and its share of the turn.
def shares_of(parts):
    crash_for, beside = parts.crash_for, parts.simulate_beside
    return ((0.16, parts.simulate),
            (0.03, beside("simulator of Kafka", "sim_kafka_campaign", KAFKA_FIGURES)),
            (0.03, beside("simulator of the gateway", "sim_gateway_campaign", GATEWAY_FIGURES)),
            (0.03, beside("simulator of both together", "sim_pair_campaign", PAIR_FIGURES)),
            (0.10, crash_for("kill -9")),
            (0.10, crash_for("kill -9, unsynced is lost", "--crashfs")),
            (0.06, crash_for("kill -9, on Kafka", "--kafka", cycles=8)),
            (0.10, crash_for("calls of the engine that fail", "--only", "let a call of the engine fail",
                             *parts.calls_of("engine"))),
            (0.04, crash_for("calls of the gateway that fail", "--only", "let a call of the gateway fail",
                             *parts.calls_of("gateway"))),
            (0.03, crash_for("clocks that jump", "--only", "turn the engine's clock", cycles=5)),
            (0.04, crash_for("a full disk", "--disk", "128", "--only", "fill the engine's disk", cycles=3)),
            (0.09, parts.cut), (0.10, parts.fuzz),
            (0.05, parts.smpp), (0.03, parts.old_engine), (0.01, parts.connections))


def turn(runner, parts, seconds, first):
    begun = time.monotonic()
    parts.long = seconds > 600
    if first:
        parts.inputs()
        if seconds > 300:
            parts.hunt()  # a minute of CPU time for each bug at most, and all must be looked for
    if parts.long:
        parts.stops()
    seconds = max(1, seconds - (time.monotonic() - begun))
    for share, part in shares_of(parts):
        part(seconds * share)
    hunted = next(iter(HUNTS))
    if first and hunted not in runner.parts and runner.time_for(hunted, 0):
        parts.hunt()


def prove(runner):
    base = tempfile.gettempdir()
    runner.scratch = tempfile.mkdtemp(prefix="proof-", dir=base if len(base) < 40 else "/tmp")  # sockets' names must be short
    parts = Parts(runner)
    try:
        first = True
        while first or runner.left() > 120:
            turns = max(1, round(runner.left() / TURN_S))
            turn(runner, parts, runner.left() / turns, first)
            first = False
    finally:
        runner.stop_running()
        if not runner.findings:
            shutil.rmtree(runner.scratch, ignore_errors=True)


def shown(finding):
    part, command, said = finding
    if len(said) > SAID_MOST:
        said = said[:SAID_MOST // 2] + "\n…\n" + said[-SAID_MOST // 2:]
    return f"## {part}\n\n`{command}`\n\n```\n{said}\n```\n"


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
    runner = Runner(arguments.build, arguments.hours, arguments.seed or random.SystemRandom().randrange(1, 1_000_000))
    interrupted = False

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        print(f"proof for {arguments.hours} hours, seeds from {runner.seed}; what the parts say is in {runner.log}", flush=True)
        prove(runner)
    except KeyboardInterrupt:
        interrupted = True
    told = report(runner, interrupted)
    target = Path(arguments.report or runner.build / "proof.md")
    target.write_text("\n".join([told, *(shown(finding) for finding in runner.findings)]), encoding="utf-8")
    if arguments.page:
        write_page(arguments.page, told)
    print(told + f"\nthe report is in {target}")
    return 130 if interrupted else 1 if runner.findings else 3 if not_proven(runner) else 0


if __name__ == "__main__":
    sys.exit(main())
