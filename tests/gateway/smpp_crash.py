"""Kills the gateway, the SMSC and the engine under load, and looks for broken promises in the SMSC's own log.

    smpp_crash.py PROGRAMS --cycles N [--seed N] [--window N] [--lies]

PROGRAMS is the folder with smsflowd, smsflow, smsflow-gateway and smsflow-smsc. A cycle is some SMSes, then one
disturbance at a moment that the seed draws: the gateway is killed, stopped for a while or asked to end; the SMSC is
killed; the engine is killed. The SMSC itself drops and doubles receipts, sends some before their response, and resets
the connection now and then. Each SMS has one attempt, a number of its own, and a text of its own. In the end:

    no part of an attempt was submitted twice, whoever was told what;
    what the engine says was delivered the SMSC has, and what it calls a definite failure the SMSC has not;
    UNKNOWN are at most the window for each time that a connection or a gateway was lost;
    everything has ended, or is SENT or UNCONFIRMED for want of a receipt;
    gateway, SMSC and engine lived until the run ended them, each time.

Exit code 0: all of it holds. 1: not so; what was found is printed, and the folder is kept.
"""

import argparse
import collections
import random
import signal
import sys
import time

sys.path.insert(0, sys.path[0])
from smpp_site import Site  # noqa: E402

SCRIPT = """
seed = {seed}
[ids]
first = 70000
response = "hex"
receipt = "decimal"
tlv = "none"
[response]
delay_ms = [0, 20]
[receipt]
delay_ms = [5, 300]
[[fault]]
kind = "early-receipt"
rate = 0.1
delay_ms = 50
[[fault]]
kind = "double-receipt"
rate = 0.1
delay_ms = [0, 500]
[[fault]]
kind = "refuse"
status = 0x58
rate = 0.05
[[fault]]
kind = "refuse"
status = 0x45
rate = 0.02
[[fault]]
kind = "drop-response"
rate = 0.005
[[fault]]
kind = "reset"
every = 331
from = 150
"""
ENDS = ["DELIVERED", "EXPIRED", "INVALID", "UNKNOWN", "SENT", "UNCONFIRMED"]
OURS = {"kill gateway": 6, "pause gateway": 2, "end gateway": 2, "kill smsc": 4, "kill engine": 2}


class Run:
    def __init__(self, site, random_, per_cycle):
        self.site, self.random, self.per_cycle = site, random_, per_cycle
        self.scheduled = 0
        self.disturbed = collections.Counter()

    def send(self):
        # Some are long, so that they leave in parts.
        texts = [f"n{number} " + "long " * (70 if number % 11 == 0 else 0)
                 for number in range(self.scheduled, self.scheduled + self.per_cycle)]
        self.site.send(texts, first=self.scheduled, seconds=600)
        self.scheduled += self.per_cycle

    def disturb(self):
        site, what = self.site, self.random.choices(list(OURS), list(OURS.values()))[0]
        self.disturbed[what] += 1
        if what == "kill gateway":
            site.kill("gateway")
            site.start_gateway()
        elif what == "pause gateway":
            site.processes["gateway"].signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(0.1, 1))
            site.processes["gateway"].signal(signal.SIGCONT)
        elif what == "end gateway":
            site.stop("gateway")
            site.start_gateway()
        elif what == "kill smsc":
            site.kill("smsc")
            site.start_smsc()
        else:
            site.kill("engine")
            site.start_engine()

    def cycle(self):
        self.send()
        time.sleep(self.random.uniform(0, 0.4))
        self.look()
        self.disturb()

    def look(self):
        """Who crashed between two disturbances would be started anew by the next one, and what it did be forgiven."""
        crashed = self.site.crashed()
        assert not crashed, "\n".join(crashed)

    def settle(self, seconds):
        """Until everything has ended, but for those whose receipt died with an SMSC."""
        until = time.monotonic() + seconds
        while True:
            states = self.site.states()
            open_ = [sms for sms in states if sms["state"] not in ENDS]
            if len(states) == self.scheduled and not open_:
                return states
            if time.monotonic() > until:
                return states
            time.sleep(0.3)


def findings(run, states, truth):
    """What does not hold, a line each."""
    taken, broken = Site.submits_of(truth), []
    for destination, parts in taken.items():
        for data, count in collections.Counter(parts).items():
            if count > 1:
                broken.append(f"{destination}: one part was taken {count} times")
    if len(states) != run.scheduled:
        broken.append(f"{run.scheduled} were scheduled, {len(states)} are there")
    counts = collections.Counter(sms["state"] for sms in states)
    for sms in states:
        number = int(sms["key"][1:])
        parts, whole = len(taken.get(f"2557{number:08d}", [])), 3 if number % 11 == 0 else 1
        if sms["state"] not in ENDS:
            broken.append(f"{sms['key']} has not ended: {sms['state']}")
        if sms["state"] in ("DELIVERED", "SENT", "UNCONFIRMED") and parts != whole:
            broken.append(f"{sms['key']} is {sms['state']}, and the SMSC took {parts} of its {whole} parts")
        if sms["state"] in ("EXPIRED", "INVALID") and parts == whole:
            broken.append(f"{sms['key']} is {sms['state']} ({sms['cause']}), and the SMSC took it")
    if counts["DELIVERED"] * 2 < run.scheduled:
        broken.append("not even half were delivered: this run shows nothing")
    resets = sum("reset" in (event.get("faults") or []) for event in truth if event["event"] == "submit")
    dropped = sum("drop-response" in (event.get("faults") or []) for event in truth if event["event"] == "submit")
    lost = (run.disturbed["kill gateway"] + run.disturbed["end gateway"] + run.disturbed["kill smsc"] +
            run.disturbed["pause gateway"] + resets)
    bound = lost * run.site.window + dropped
    if counts["UNKNOWN"] > bound:
        broken.append(f"{counts['UNKNOWN']} are UNKNOWN, more than {bound}: the window of {run.site.window} for each of "
                      f"{lost} losses, and {dropped} answers that never came")
    return broken, counts, resets, dropped


def lies(run, states, truth):
    """Broken promises that did not happen: each must be found. Those that were not, by name."""
    submit = next(event for event in truth if event["event"] == "submit" and event["status"] == 0 and "parts" not in event)
    key = f"k{int(submit['destination'][4:])}"
    others = [event for event in truth if event is not submit]

    def said(state, cause=""):
        return [dict(sms, state=state, cause=cause) if sms["key"] == key else sms for sms in states]

    told = {
        "one part was taken twice": (states, truth + [submit]),
        "it is DELIVERED and was never submitted": (said("DELIVERED"), others),
        "it failed for good and the SMSC has it": (said("INVALID", "rejected"), truth),
        "an SMS is gone": (states[1:], truth),
        "one never ends": (said("IN_SLOT"), truth),
        "all are UNKNOWN": ([dict(sms, state="UNKNOWN") for sms in states], truth),
    }
    return ([name for name, (heard, seen) in told.items() if not findings(run, heard, seen)[0]] +
            [f"{name} had ended by itself" for name in list(run.site.processes) if not tells_of_the_end_of(run, name)])


def tells_of_the_end_of(run, name):
    """Whether it is found that this process crashes: before the next disturbance, and by the one that would kill it."""
    run.site.processes[name].signal(signal.SIGALRM)  # which ends it, as a crash would, but leaves no core
    run.site.processes[name].wait()
    found = [line for line in run.site.crashed() if f"with {-signal.SIGALRM}:" in line]
    try:
        run.site.kill(name)
    except AssertionError as wrong:
        return len(found) == 1 and "had ended by itself" in str(wrong)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("programs")
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--sms", type=int, default=60, help="scheduled in each cycle")
    parser.add_argument("--lies", action="store_true", help="afterwards tell this driver lies, each of which it must find")
    options = parser.parse_args()
    site = Site(options.programs, SCRIPT.format(seed=options.seed), window=options.window, attempts=1, patience=120)
    began = time.monotonic()
    run = Run(site, random.Random(options.seed), options.sms)
    kept = False
    try:
        site.start_smsc(seconds=7200)
        site.start_engine()
        site.start_gateway()
        try:
            for _ in range(options.cycles):
                run.cycle()
            states = run.settle(60 + options.cycles)
            run.look()
        except AssertionError as wrong:
            kept = True
            print("BROKEN", wrong)
            print("what is left of it:", site.folder)
            return 1
        truth = site.truth()
        broken, counts, resets, dropped = findings(run, states, truth)
        if options.lies:
            broken += [f"this lie was believed: {name}" for name in lies(run, states, truth)]
        print(f"seed {options.seed}: {options.cycles} cycles, {run.scheduled} SMSes in {time.monotonic() - began:.0f} s; "
              + ", ".join(f"{name} {count}" for name, count in sorted(run.disturbed.items()))
              + f", resets {resets}, answers dropped {dropped}")
        print("ended: " + ", ".join(f"{state} {count}" for state, count in sorted(counts.items())))
        for line in broken[:40]:
            print("BROKEN", line)
        if broken:
            kept = True
            print("what is left of it:", site.folder)
            return 1
        print("every promise held")
        return 0
    finally:
        if kept:
            site.temporary._finalizer.detach()
            site.end()
        else:
            site.close()


if __name__ == "__main__":
    sys.exit(main())
