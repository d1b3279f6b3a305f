"""Numbers and texts of a real run are nowhere to be found; targets, batches and keys only where the rules let them be.

secrets_test.py SMSFLOWD SMSFLOW SMSFLOW-GATEWAY STORED-ROWS. Engine and gateway are processes of their own, as in production: the
engine never sees what is sealed. With a control that shows that the search would have found each form.
"""

import base64
import json
import random
import re
import string
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402
from search import Search, forms, why_memory_cannot_be_read  # noqa: E402

SMSFLOWD, SMSFLOW, GATEWAY, STORED_ROWS = (Path(argument).resolve() for argument in sys.argv[1:5])
CHANCE = random.SystemRandom()


def word(length):
    return "".join(CHANCE.choice(string.ascii_letters) for _ in range(length))


# One mark in all numbers, one in all texts, …: whatever part of one shows, shows it.
DIGITS = "".join(CHANCE.choice("123456789") for _ in range(11))
MARKS = {"number": DIGITS, "text": word(14), "target": word(14), "batch": word(14), "key": word(14), "token": word(30),
         "password": word(20), "person": word(14), "open": word(14)}  # the last is what nobody sealed, and was refused for it
# What clients call an SMS stands in stored values, until those are sealed, and in what they ask for.
SEALED = {name: MARKS[name] for name in ("number", "text", "token", "password")}

CONFIG = """
[log]
level = "trace"
format = "json"
[delivery]
max_jitter = "0ms"
max_attempts = 2
wait_after_fail = "100ms"
ack_send_timeout = "2s"
ack_receipt_timeout = "1s"
probe = "1s"
"""


class Secrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = running.Engine(SMSFLOWD, SMSFLOW)
        cls.folder = Path(cls.engine.folder)
        subprocess.run([SMSFLOW, "keygen", cls.folder / "other"], check=True, stdout=subprocess.DEVNULL)
        cls.engine.configure(
            CONFIG + "".join(running.key(role, cls.token(role), [role], () if role == "admin" else ["demo"])
                             for role in ("client", "gateway", "admin")), metrics=running.ANY_PORT, rest=running.ANY_PORT)
        cls.said = []  # all that a shell was told
        cls.refused = []  # the part of it that went wrong, and what was refused over REST
        cls.start()
        cls.run_lives()

    @staticmethod
    def token(role):
        return f"{role}-{MARKS['token']}"

    @classmethod
    def start(cls):
        with open(cls.folder / "engine.log", "ab") as log:
            cls.engine.start(log)
        with open(cls.folder / "gateway.log", "ab") as log:
            cls.gateway = running.Process(
                GATEWAY, "--loopback", "--engine", f"unix:{cls.folder}/socket", "--token-file", cls.token_file(), "--gateway",
                "gateway", "--tenants", "demo", "--store", cls.folder / "store", "--key", cls.folder / "gateway.key.pem",
                "--truth", cls.folder / "truth", "--normal-delay-ms", "20", "--log-level", "trace", "--audit", cls.folder / "audit",
                "--metrics", running.ANY_PORT, into=log, errors=log)

    @classmethod
    def token_file(cls):
        path = cls.folder / "token"
        path.write_text(cls.token("gateway"), encoding="ascii")
        path.chmod(0o600)
        return path

    @classmethod
    def cli(cls, *words, role="client", environment=None, typed=""):
        done = subprocess.run([SMSFLOW, *(str(each) for each in words)], capture_output=True, timeout=60, check=False,
                              input=typed.encode(),
                              env=cls.engine.environment(cls.token(role), "demo" if role == "client" else "") |
                              (environment or {}))
        cls.said.append((words, done.stdout + done.stderr))
        if done.returncode != 0:
            cls.refused.append((words, done.stdout + done.stderr))
        return done

    @classmethod
    def rest(cls, method, path, body=None, token=None):
        secret = f"client:{token or cls.token('client')}".encode()
        asked = urllib.request.Request(f"http://{cls.engine.ready['rest']}{path}", method=method, headers={
            "Authorization": "Basic " + base64.b64encode(secret).decode(), "Content-Type": "application/json"},
            data=None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                cls.taken.append((path, answer.read()))
        except urllib.error.HTTPError as error:
            cls.refused.append(((method, path), str(error.headers).encode() + error.read()))

    @classmethod
    def schedule(cls, number, text, at="+0", pubkey="gateway.jwk", **more):
        name = f"{MARKS['key']}{number}"
        more = [each for pair in more.items() for each in (f"--{pair[0]}", pair[1])]
        done = cls.cli("schedule", "--at", at, "--batch", MARKS["batch"], "--key", name, "--target",
                       f"{MARKS['target']}{number}", "--to", f"+{DIGITS}{number:04}", "--text", f"{text} {MARKS['text']}",
                       "--pubkey", cls.folder / pubkey, *more)
        return done.stdout.decode().split("\t")[0]

    @classmethod
    def run_lives(cls):
        """Every way in which an SMS can end, and every way in which a person can be wrong."""
        ids = [cls.schedule(1, "S1D1"), cls.schedule(2, "S0I1"), cls.schedule(3, "FAIL"), cls.schedule(4, "S1D0"),
               cls.schedule(5, "S1D1", at="10-20"), cls.schedule(6, "S1D1", pubkey="other.jwk"),
               cls.schedule(7, "S1D1", at="+1h"), cls.schedule(8, "S1D1", at="+1h"), cls.schedule(9, "S1D1", at="+1h")]
        cls.cli("cancel", ids[6])
        cls.cli("block", f"{MARKS['target']}8")
        cls.cli("schedule", "--at", "+0", "--to", f"+{DIGITS}99999", "--text", MARKS["text"], "--pubkey", cls.folder / "no")
        cls.cli("schedule", "--at", "+0", "--to", f"0{DIGITS}", "--text", MARKS["text"], "--pubkey",
                cls.folder / "gateway.jwk")
        cls.cli("schedule", "--at", "+0", "--txt", MARKS["text"], "--too", f"+{DIGITS}")
        cls.cli("schedule", "--at", "now", "--to", f"+{DIGITS}", "--text", MARKS["text"], "--pubkey",
                cls.folder / "gateway.jwk")
        cls.cli("get", ids[0], environment={"SMSFLOW_TOKEN": cls.token("client") + "x"})
        cls.cli("verify", role="client")
        cls.ask_badly(ids[0])
        end = time.monotonic() + 90
        while time.monotonic() < end:
            states = cls.cli("summary", MARKS["batch"]).stdout
            if not any(state in states for state in (b"IN_SLOT", b"SENT")) and b"PENDING\t2\n" in states:
                break
            time.sleep(0.1)
        for one in ids:
            for verb in (("get",), ("get", "--json"), ("journal",), ("journal", "--json"), ("why",), ("replay",)):
                cls.cli(verb[0], one, *verb[1:], role="client" if verb[0] == "get" else "admin")
        for verb in (("stats",), ("verify",), ("replay", "--all")):
            cls.cli(*verb, role="admin")
        cls.cli("list", "--json")
        cls.cli("watch", "--for", "1s", "--batch", MARKS["batch"])
        # Who logs in: the password goes in and nothing of it comes out; also where it is refused. Last, so that no other call
        # has used the memory again that it was in.
        cls.cli("account", "create", MARKS["person"], "--role", "users", role="admin", typed=MARKS["password"])
        cls.cli("account", "password", MARKS["person"], role="admin", typed=MARKS["password"] + "\x07")
        cls.cli("account", "password", "nobody", role="admin", typed=MARKS["password"])
        cls.cli("account", "show", MARKS["person"], "--json", role="admin")
        cls.made = cls.cli("account", "changes", role="admin").stdout
        cls.states = states
        with urllib.request.urlopen(f"http://{cls.engine.ready['metrics']}/metrics", timeout=60) as page:
            cls.page = page.read()
        port = re.search(r"metrics on port (\d+)", (cls.folder / "gateway.log").read_text(encoding="utf-8")).group(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as page:
            cls.gateway_page = page.read()
        cls.unread = why_memory_cannot_be_read(cls.engine.running.pid)
        if not cls.unread:
            # Of tokens gRPC keeps a table, and what nobody sealed was the client's to seal.
            search = Search({name: MARKS[name] for name in ("number", "text")})
            cls.memory = search.memory(cls.engine.running.pid)
            cls.memory_bytes = search.bytes
            until = time.monotonic() + 10  # an answer may leave a moment before its request is wiped
            while (found := Search({"password": MARKS["password"]}).memory(cls.engine.running.pid)) and time.monotonic() < until:
                time.sleep(0.2)
            cls.memory += found
            cls.gateway_memory = Search({"text": MARKS["text"]}).memory(cls.gateway.pid)
        for process in (cls.engine, cls.gateway):
            process.kill()
        cls.start()  # what was in their logs goes to tables
        end = time.monotonic() + 60
        while sum(table.stat().st_size for table in (cls.folder / "store").glob("*.sst")) < 1_000 and time.monotonic() < end:
            time.sleep(0.1)
        for process in (cls.engine, cls.gateway):
            process.kill()
        cls.cli("db", "verify", "--data", cls.folder / "data")
        cls.cli("db", "stats", "--data", cls.folder / "data")
        cls.dumped = cls.cli("db", "dump", "--data", cls.folder / "data").stdout

    @classmethod
    def ask_badly(cls, one):
        """With names that are too long, or hold what no name may, on every way in; each must be refused. The name of a field or a
        parameter is told again, for it says what is wrong."""
        cls.taken = []
        before = len(cls.refused)
        bad = {name: [MARKS[name] + "x" * 129, MARKS[name] + "\x07"] for name in ("target", "batch", "key")}
        for name, values in bad.items():
            for value in values:
                cls.cli("schedule", "--at", "+1h", f"--{name}", value, "--to", f"+{DIGITS}", "--text", MARKS["text"], "--pubkey",
                        cls.folder / "gateway.jwk")
                cls.cli("cancel", f"--{name}", value)
                cls.cli("list", f"--{name}", value)
                sms = {"schedule": "+1h", "payload": f"{MARKS['open']}", "target": MARKS["target"]}
                cls.rest("POST", "/api/v1/sms", sms | {name: value})
                cls.rest("POST", "/schedule/demo", sms | {name: value})
                cls.rest("GET", f"/api/v1/sms?{name}={value[:100].strip(chr(7))}&nothing={MARKS['batch']}")
                cls.rest("POST", "/api/v1/sms/cancel", {name: value})
        for value in bad["target"]:
            cls.cli("block", value)
            cls.rest("PUT", f"/api/v1/blocked/{value.replace(chr(7), '%07')}")
        cls.rest("POST", "/api/v1/sms", {"nothing": MARKS["target"], "payload": MARKS["open"]})
        cls.rest("POST", "/api/v1/sms", f'{{"target": "{MARKS["target"]}", "payload": "{MARKS["open"]}'.encode())
        cls.rest("POST", "/api/v1/sms", {"schedule": MARKS["open"], "payload": "x", "target": MARKS["target"]})
        cls.rest("POST", "/schedule/demo", {"schedule": MARKS["open"], "payload": MARKS["open"], "target": MARKS["target"]})
        cls.rest("POST", "/api/v1/sms", {"target": [MARKS["target"]], "key": {MARKS["key"]: 1}})
        cls.rest("POST", f"/api/v1/sms/{one}/reschedule", {"schedule": MARKS["key"], "payload": MARKS["open"]})
        cls.rest("GET", f"/api/v1/sms/{MARKS['key']}")
        cls.rest("GET", f"/api/v1/blocked?page_token={MARKS['target']}")
        cls.rest("GET", f"/api/v1/sms?target={MARKS['target']}", token=cls.token("client") + "x")
        cls.asked_badly = len(cls.refused) - before

    @classmethod
    def tearDownClass(cls):
        cls.engine.temporary.cleanup()

    def test_the_run_was_one(self):
        for state in (b"DELIVERED", b"INVALID", b"EXPIRED", b"CANCELED", b"BLOCKED", b"PENDING"):
            self.assertIn(state, self.states)
        self.assertGreater((self.folder / "engine.log").stat().st_size, 100)

    def test_an_account_was_made(self):
        self.assertIn(b"account made", self.made)

    def test_nothing_sealed_is_in_the_folder_of_data(self):
        search = Search(SEALED)
        self.assertEqual(search.folder(self.folder / "data") + search.rows(STORED_ROWS, self.folder / "data/db"), [])

    def test_nothing_sealed_is_in_the_gateways_store_and_truth(self):
        search = Search(SEALED)
        self.assertEqual(search.folder(self.folder / "store") + search.rows(STORED_ROWS, self.folder / "store") +
                         search.bytes_in((self.folder / "truth").read_bytes(), "truth"), [])

    def test_there_were_tables_to_search(self):
        for folder in ("data/db", "store"):
            self.assertGreater(sum(file.stat().st_size for file in (self.folder / folder).glob("*.sst")), 1_000, folder)

    def test_logs_and_metrics_name_nobody(self):
        search = Search(MARKS)
        self.assertIn(b"smsflow_gateway_audit_lines_total", self.gateway_page)
        audit = (self.folder / "audit/demo.log").read_bytes()
        self.assertIn(b"DELIVERED", audit)
        found = search.bytes_in(self.page, "the metrics") + search.bytes_in(self.gateway_page, "the gateway's metrics")
        found += search.bytes_in(audit, "the audit log")
        for name in ("engine.log", "gateway.log"):
            found += search.bytes_in((self.folder / name).read_bytes(), name)
        self.assertEqual(found, [])

    def test_nothing_sealed_is_said_in_a_shell(self):
        search = Search(SEALED)
        self.assertEqual([found for words, said in self.said for found in search.bytes_in(said, f"the answer to {words[0]}")], [])

    def test_what_is_refused_names_nobody(self):
        """Not even what the one who asked had given: it stands in logs of proxies and in screenshots."""
        self.assertEqual([path for path, _ in self.taken], [], "each was to be refused")
        self.assertGreater(self.asked_badly, 40)
        search = Search(MARKS)
        self.assertEqual([found for words, said in self.refused for found in search.bytes_in(said, f"the refusal of {words[:2]}")], [])

    def test_a_dump_without_names_has_none(self):
        self.assertGreater(len(self.dumped), 1000)
        self.assertEqual(Search(MARKS).bytes_in(self.dumped, "the dump"), [])

    def test_names_are_in_stored_values_alone(self):
        """And an SMS's key in the readable header of its envelope, base64url, by which it cannot be moved to another."""
        search = Search({name: MARKS[name] for name in ("target", "batch", "key")})
        found = search.folder(self.folder / "data")
        self.assertTrue(found, "they are stored, so the search must find them")
        for each in found:  # in the log and in tables; not in what RocksDB says, nor in its lists of tables, which have keys of rows
            self.assertRegex(each, r"^((target|batch|key) \(raw\)|key \(base64 \d\)) in .*/db/\d+\.(log|sst)$")
        rows = search.rows(STORED_ROWS, self.folder / "data/db")
        self.assertEqual({each.split(" ")[0] for each in rows}, {"target", "batch", "key"})
        for each in rows:
            self.assertRegex(each, r"^((target|batch|key) \(raw\)|key \(base64 \d\)) in the value of a row")

    def test_a_row_in_a_table_would_be_found(self):
        secret = word(16)
        planted = forms(secret)
        with tempfile.TemporaryDirectory() as folder:
            lines = b"\n".join(pattern for pattern in planted.values()) + b"\n"
            subprocess.run([STORED_ROWS, "--plant", f"{folder}/store"], input=lines, timeout=60, check=True)
            self.assertTrue(list(Path(folder, "store").glob("*.sst")))
            found = Search({"planted": secret}).rows(STORED_ROWS, f"{folder}/store")
        for form in planted:
            self.assertIn(f"planted ({form}) in the value of a row of family 2", found)

    def test_no_name_is_in_the_key_of_a_row(self):
        keys = [bytes.fromhex(json.loads(line)["key"]) for line in self.dumped.splitlines()]
        self.assertGreater(len(keys), 100)
        search = Search(MARKS)
        self.assertEqual([found for key in keys for found in search.bytes_in(key, "a key")], [])

    def test_the_engines_memory_never_held_what_is_sealed(self):
        if self.unread:
            self.skipTest(self.unread)
        self.assertGreater(self.memory_bytes, 20_000_000)
        self.assertEqual(self.memory, [])

    def test_the_gateways_memory_is_wiped_of_texts(self):
        if self.unread:
            self.skipTest(self.unread)
        self.assertEqual(self.gateway_memory, [])

    def test_every_form_would_be_found(self):
        secret = word(16)
        search = Search({"planted": secret})
        for form, pattern in forms(secret).items():
            for before in range(3):
                around = b"?" * (100 + before)
                self.assertTrue(search.bytes_in(around + pattern + around, form), form)
        planted = running.Process(sys.executable, "-c", "import signal\n"
                                  f"kept = bytearray({secret!r}, 'ascii')\nprint(flush=True)\nsignal.pause()")
        try:
            planted.output.readline()
            if not why_memory_cannot_be_read(planted.pid):
                self.assertTrue(search.memory(planted.pid))
        finally:
            planted.kill()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "plain").write_bytes(b"x" + secret.encode("utf-16-le"))
            self.assertEqual(len(search.folder(folder)), 1)


if __name__ == "__main__":
    running.test_main()
