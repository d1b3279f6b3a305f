"""The same search as secrets_test.py where SMSes leave over SMPP in TLS, and over plain SMPP where engine and gateway meet on Kafka.

sites_test.py PROGRAMS TESTS smpp|kafka. PROGRAMS is the folder with smsflowd and its like, TESTS that with stored_rows and
write_records. A phone answers, SMSes end well and badly; over Kafka clients also write what nobody can take. Then logs, figures, audit
log, stores, the memory of both and, of Kafka, all of the broker's files are searched. Exit code 77: there is no broker.
"""

import json
import random
import re
import string
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
TESTS_OF_ALL = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS_OF_ALL / "secrets"), str(TESTS_OF_ALL / "gateway")]
from search import Search, why_memory_cannot_be_read  # noqa: E402
from smpp_site import CLIENT_TOKEN, GATEWAY_TOKEN, Site, running  # noqa: E402

PROGRAMS, TESTS, WAY = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
DEV = TESTS_OF_ALL.parent / "tools/dev"
SKIPPED = 77
PATIENCE_S = 120
TOPICS = ("schedule-sms", "send-sms", "sms-status", "sms-timer", "sms-events", "sms-inbound", "smsflow-dead-letter")

# "open" is what a client forgot to seal, in records that nobody can take; "words" and "phone" are of a phone that writes.
CHANCE = random.SystemRandom()
MARKS = {name: "".join(CHANCE.choice(string.ascii_letters) for _ in range(14))
         for name in ("text", "target", "batch", "key", "open", "words")}
MARKS |= {name: "".join(CHANCE.choice("123456789") for _ in range(11)) for name in ("number", "phone")}
MARKS["password"] = "".join(CHANCE.choice(string.ascii_letters) for _ in range(8))  # SMPP has no room for more
MARKS |= {"client's token": CLIENT_TOKEN, "gateway's token": GATEWAY_TOKEN}
NAMES = ("target", "batch", "key")
SEALED = {name: mark for name, mark in MARKS.items() if name not in NAMES}
SCRIPT = f"""
[receipt]
delay_ms = [20, 200]
[[account]]
system_id = "demo"
password = "{MARKS['password']}"
[[inbound]]
after_ms = 1
source = "{MARKS['phone']}1"
destination = "15001"
text = "words {MARKS['words']} of a phone"
[[inbound]]
after_ms = 2
source = "{MARKS['phone']}2"
destination = "15001"
text = "{MARKS['words']}"
[[fault]]
kind = "refuse"
status = 0x0b
destination = "{MARKS['number']}0001"
[[fault]]
kind = "refuse"
status = 0x58
destination = "{MARKS['number']}0002"
to = 2
"""
# Which name may stand in which topic: what a client writes, the key that a gateway compares, and what events tell.
MAY = {"schedule-sms": {"target", "batch", "key", "open"}, "send-sms": {"key"}, "sms-events": {"batch", "key"},
       "sms-timer": {"batch", "open"}}
INBOUND = """
[[smsc.inbound]]
tenant = "demo"
numbers = ["15001"]
key_file = "{folder}/gateway.pub.pem"
"""
KAFKA = """
[kafka]
servers = "{broker}"
group = "engine"
unsigned = true
gateways = ["g1"]
repeat = "1s"
silence = "10s"
events = true
"""
LOG = """
[log]
level = "trace"
format = "json"
"""


class Broker:
    """Of this test alone, for what it holds is searched; ends by itself after ten minutes."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="smsflow-broker-")
        self.folder = self.temporary.name
        up = self.dev("up", "--installed", "--port", "0", "--for", "600")
        if up.returncode == SKIPPED:
            print(up.stdout)
            sys.exit(SKIPPED)
        assert up.returncode == 0, up.stdout
        self.address = Path(self.folder, "address").read_text(encoding="ascii").strip()

    def dev(self, verb, *words):
        return subprocess.run([DEV, "kafka", verb, "--dir", self.folder, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)

    def write(self, lines):
        subprocess.run([TESTS / "write_records", self.address], input="\n".join(lines) + "\n", text=True, timeout=180, check=True)

    def close(self):
        self.dev("down")
        self.temporary.cleanup()


class Secrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker() if WAY == "kafka" else None
        if cls.broker is not None:
            cls.addClassCleanup(cls.broker.close)
        cls.site = Site(PROGRAMS, SCRIPT)
        cls.addClassCleanup(cls.site.temporary.cleanup)
        cls.addClassCleanup(cls.site.end)
        cls.folder = Path(cls.site.folder)
        cls.start()
        cls.await_the_phone()
        cls.run_lives()
        cls.look()

    @classmethod
    def start(cls):
        site = cls.site
        config = (cls.folder / "engine.toml").read_text(encoding="utf-8").replace('metrics = ""', f'metrics = "{running.ANY_PORT}"')
        more = []
        if cls.broker is not None:
            config += KAFKA.format(broker=cls.broker.address)
            more = ["--kafka", cls.broker.address]
            cls.broker.write(f"topic {topic}" for topic in TOPICS)
        site.write("engine.toml", config + LOG)
        site.write("password", MARKS["password"] + "\n")
        site.start_smsc(tls=WAY == "smpp")
        smsc = (cls.folder / "smsc.toml").read_text(encoding="utf-8")
        site.write("smsc.toml", smsc + f'password_file = "{cls.folder}/password"\n' + INBOUND.format(folder=cls.folder) * bool(more))
        site.start_engine()
        site.start_gateway("--log-level", "trace", "--audit", cls.folder / "audit", "--metrics", running.ANY_PORT, *more)

    @classmethod
    def await_the_phone(cls):
        """What it wrote was answered for, on Kafka with a yes, over SMPP with a no, for there the number is nobody's; and nothing has
        come since that would stand where it stood."""
        def is_heard(event):
            return event["event"] == "delivered" and event["stat"] == "inbound" and (event["status"] == 0 or WAY == "smpp")
        until = time.monotonic() + PATIENCE_S
        while sum(map(is_heard, cls.site.truth())) < 2:
            assert time.monotonic() < until, "the phone was not heard:\n" + cls.site.log("gateway")[-3000:]
            time.sleep(0.05)
        gateway = cls.site.processes["gateway"].pid
        cls.unread = why_memory_cannot_be_read(gateway)
        cls.gateway_memory = [] if cls.unread else cls.plain().memory(gateway)

    @classmethod
    def plain(cls):
        """For what only a gateway opens, and wipes."""
        return Search({name: MARKS[name] for name in ("number", "text", "words", "phone")})

    @classmethod
    def name(cls, what, number):
        return f"{MARKS[what]}{number}"

    @classmethod
    def run_lives(cls):
        cls.import_smses(range(1, 9))
        count = 8
        if cls.broker is not None:
            cls.broker.write([f"schedule-sms {record}" for record in cls.records(range(9, 13))] + [
                f'sms-timer {{"client": "demo", "batch": "{MARKS["batch"]}"}}', f'sms-timer {{"client": "{MARKS["open"]}"}}'])
            count = 12
        until = time.monotonic() + PATIENCE_S
        while True:
            cls.states = [sms["state"] for sms in cls.site.states(MARKS["batch"])]
            if len(cls.states) == count and all(state in ("DELIVERED", "INVALID", "CANCELED", "BLOCKED") for state in cls.states):
                break
            assert time.monotonic() < until, f"{cls.states}\n{cls.site.log('gateway')[-3000:]}"
            time.sleep(0.2)
        while cls.broker is not None and not cls.has_all_letters():
            assert time.monotonic() < until, "not all that cannot be taken has its letter, or the phone was not heard"
            time.sleep(0.2)

    @classmethod
    def import_smses(cls, numbers):
        rows = ["key,target,at,to,sender,text"] + [
            f"{cls.name('key', n)},{cls.name('target', n)},+0+120s,+{MARKS['number']}{n:04},Clinic,{MARKS['text']} {'long ' * 70 * (n == 3)}"
            for n in numbers]
        cls.site.write("batch.csv", "\n".join(rows) + "\n")
        done = cls.site.run("smsflow", "import", cls.folder / "batch.csv", "--batch", MARKS["batch"], "--pubkey",
                            cls.folder / "gateway.pub.pem")
        assert done.returncode == 0, done.stdout

    @classmethod
    def records(cls, numbers):
        """By clients on Kafka: SMSes, one of which is canceled and one blocked; and what nobody can take."""
        now = int(time.time())
        for n in numbers:
            later = 3_600 * (n > 10)
            sealed = cls.site.run("smsflow", "seal", "--tenant", "demo", "--key", cls.name("key", n), "--to", f"+{MARKS['number']}{n:04}",
                                  "--text", MARKS["text"], "--pubkey", cls.folder / "gateway.pub.pem", check=True).stdout.strip()
            yield json.dumps({"action": "schedule", "client": "demo", "schedule": f"{now + later}-{now + later + 120}", "message": sealed,
                              "target": cls.name("target", n), "key": cls.name("key", n), "batch": MARKS["batch"]})
        yield json.dumps({"action": "cancel", "client": "demo", "key": cls.name("key", 11)})
        yield json.dumps({"action": "block", "client": "demo", "target": cls.name("target", 12)})
        good = {"action": "schedule", "client": "demo", "schedule": f"{now}-{now + 60}", "message": MARKS["open"], "target": MARKS["target"],
                "key": MARKS["key"], "batch": MARKS["batch"]}
        cls.refused = [good | {"client": MARKS["open"]}, good | {"schedule": MARKS["open"]}, good | {"action": MARKS["open"]},
                       good | {"key": MARKS["key"] * 10}, good | {"target": MARKS["target"] + "\x07"}, good | {"message": {MARKS["open"]: 1}},
                       good | {"batch": [MARKS["batch"]]}, {"action": "cancel", "client": MARKS["open"], "key": MARKS["key"]}]
        yield from map(json.dumps, cls.refused)
        yield f'{{"action": "schedule", "message": "{MARKS["open"]}'

    @classmethod
    def topic(cls, topic):
        return b"".join(file.read_bytes() for file in sorted(Path(cls.broker.folder).glob(f"data/{topic}-[0-9]*/*.log")))

    @classmethod
    def has_all_letters(cls):
        return cls.topic("smsflow-dead-letter").count(b'"reason"') > len(cls.refused) + 1 and b"payload" in cls.topic("sms-inbound")

    @classmethod
    def look(cls):
        """At what only a process that lives can show; then both are killed."""
        gateway = re.findall(r"metrics on port (\d+)", cls.site.log("gateway"))[-1]
        engine = re.search(r"metrics=(\S+)", cls.site.log("engine")).group(1)
        cls.pages = {}
        for name, address in (("engine", engine), ("gateway", f"127.0.0.1:{gateway}")):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as page:
                cls.pages[name] = page.read()
        processes = cls.site.processes
        cls.environments = [Path(f"/proc/{processes[name].pid}/environ").read_bytes() for name in ("engine", "gateway")]
        if not cls.unread:
            cls.engine_memory = cls.plain().memory(processes["engine"].pid)
            cls.gateway_memory += cls.plain().memory(processes["gateway"].pid)
        for name in ("engine", "gateway", "smsc"):
            cls.site.kill(name)

    def test_the_run_was_one(self):
        self.assertIn("INVALID", self.states)
        self.assertGreater(self.states.count("DELIVERED"), 6)
        self.assertIn(b"smsflow_gateway_audit_lines_total", self.pages["gateway"])
        self.assertIn(b"smsflow_", self.pages["engine"])
        self.assertIn("inbound" if WAY == "kafka" else "delivered", self.pages["gateway"].decode())
        if WAY == "kafka":
            self.assertEqual((self.states.count("CANCELED"), self.states.count("BLOCKED")), (1, 1))

    def test_logs_metrics_and_audit_name_nobody(self):
        search = Search(MARKS)
        found = [each for name, page in self.pages.items() for each in search.bytes_in(page, f"the metrics of the {name}")]
        for name in ("engine.log", "gateway.log", "audit/demo.log"):
            data = (self.folder / name).read_bytes()
            self.assertGreater(len(data), 100, name)
            found += search.bytes_in(data, name)
        self.assertEqual(found, [])

    def test_nothing_sealed_is_stored(self):
        search = Search(SEALED)
        self.assertEqual(search.folder(self.folder / "data") + search.folder(self.folder / "store") +
                         search.rows(TESTS / "stored_rows", self.folder / "data/db") +
                         search.rows(TESTS / "stored_rows", self.folder / "store"), [])

    def test_names_are_in_stored_values_alone(self):
        rows = Search({name: MARKS[name] for name in NAMES}).rows(TESTS / "stored_rows", self.folder / "data/db")
        self.assertEqual({each.split(" ")[0] for each in rows}, set(NAMES))
        for each in rows:
            self.assertRegex(each, r"^((target|batch|key) \(raw\)|key \(base64 \d\)) in the value of a row")

    def test_the_engines_memory_never_held_what_is_sealed(self):
        if self.unread:
            self.skipTest(self.unread)
        self.assertEqual(self.engine_memory, [])

    def test_the_gateways_memory_is_wiped_of_numbers_and_texts(self):
        if self.unread:
            self.skipTest(self.unread)
        self.assertEqual(self.gateway_memory, [])

    def test_both_were_started_anew_to_bind_all_functions(self):
        self.assertNotIn("LD_BIND_NOW", running.environment())
        for environment in self.environments:
            self.assertIn(b"LD_BIND_NOW=1", environment.split(b"\0"))

    if WAY == "kafka":
        def test_nothing_sealed_is_at_the_broker_and_each_name_only_where_it_must_be(self):
            for topic in TOPICS:
                self.assertGreater(len(self.topic(topic)), 100, topic)
            found = Search(MARKS).folder(Path(self.broker.folder, "data"))
            self.assertTrue(found, "clients write names, so the search must find them")
            for each in found:
                what, topic = re.match(r"(.+) \(.*\) in .*/data/([^/]+)-\d+/\d+\.log$", each).groups()
                self.assertIn(what, MAY.get(topic, ()), each)


if __name__ == "__main__":
    running.test_main()
