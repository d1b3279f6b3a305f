"""What a shell, a configuration and a data folder answer to what they cannot take: bad_input_test.py SMSFLOWD SMSFLOW.

Each row has a name, by which docs/bad-input.md refers to it. No answer repeats the secret that stands in the input.
"""

import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "client"))
from running_server import ADMIN_TOKEN, CLIENT_TOKEN, RunningServer  # noqa: E402

SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
SECRET = "Geheimnis-4711"
NOBODY = "01a1fd55-7a80-7005-8000-000000000001"
GOOD = {"--at": "+0", "--to": "+255123456789", "--text": SECRET, "--pubkey": "{folder}/gateway.jwk"}


def schedule(**changes):
    """The words of a good schedule, but for these; None leaves one out."""
    words = dict(GOOD, **{"--" + name.replace("_", "-"): value for name, value in changes.items()})
    return ["schedule"] + [word for pair in words.items() if pair[1] is not None for word in pair]


SEALED = dict(to=None, text=None, pubkey=None, payload_file="{folder}/sealed")
# name, words, exit code, what the one line must say
CLI = [
    ("unknown verb", ["frobnicate"], 2, "there is no verb 'frobnicate'"),
    ("unknown flag", ["get", NOBODY, "--colour", SECRET], 2, "not expected: --colour"),
    ("words too many", ["get", NOBODY, SECRET], 2, "more words than the verb takes"),
    ("missing argument", ["get"], 2, "id is required"),
    ("id that is none", ["get", SECRET], 2, "id: not the id of an SMS"),
    ("id of nobody", ["get", NOBODY], 3, "no such SMS for this tenant"),
    ("no slot", schedule(at=None), 2, "--at is missing"),
    ("slot that is none", schedule(at=SECRET), 2, r"--at: slot 1: a time slot must be"),
    ("slot of three parts", schedule(at="2026-01-01T10:00Z/2026-01-01T11:00Z/3"), 2, "--at: slot 1"),
    ("slot turned around", schedule(at="20-10", **SEALED), 2, "time slot must end after it starts"),
    ("slot beyond all years", schedule(at="99999999999999999999-1", **SEALED), 2, "must not lie beyond the year 9999"),
    ("slot beyond the horizon", schedule(at="+500d", **SEALED), 2, "--at: the last slot must end within 400 days"),
    ("sealing without a key", schedule(pubkey=None), 2, "--pubkey: name the gateway's public key file"),
    ("number that is none", schedule(to=SECRET), 2, r"to: must be \+ and 7 to 15 digits"),
    ("empty text", schedule(text=""), 2, "text: must not be empty"),
    ("text twice", schedule(text_file="{folder}/sealed"), 2, "--text, --text-file: give one of them"),
    ("sealed and to be sealed", schedule(payload_file="{folder}/sealed"), 2, "--payload-file: is sealed already"),
    ("public key that is not there", schedule(pubkey="{folder}/nothing"), 2, "nothing: cannot be opened"),
    ("public key that is none", schedule(pubkey="{folder}/sealed"), 2, "not a public key: expected PEM"),
    ("payload that is not there", schedule(**dict(SEALED, payload_file="{folder}/nothing")), 2, "cannot be opened"),
    ("empty payload", schedule(**dict(SEALED, payload_file="{folder}/empty")), 2, "payload: must be 1 to 16384 bytes"),
    ("name too long", schedule(key="x" * 129, **SEALED), 2, "key: must be 1 to 128 bytes of printable UTF-8"),
    ("name with a control character", schedule(batch="a\x07b", **SEALED), 2, "batch: must be 1 to 128 bytes of print"),
    ("state that is none", ["list", "--state", SECRET], 2, "--state: must be PENDING, IN_SLOT"),
    ("time that is none", ["list", "--since", SECRET], 2, "--since: a time is"),
    ("limit of none", ["list", "--limit", "0"], 2, "--limit: Value 0 not in range"),
    ("two filters", ["list", "--batch", "a", "--key", "b"], 2, "--batch excludes --key"),
    ("page token that is none", ["list", "--page", SECRET], 2, "page_token: must be of the page before"),
    ("watch token that is none", ["watch", "--resume", SECRET], 2, "token: must be of a List or Watch of this server"),
    ("length of time that is none", ["watch", "--for", SECRET], 2, "--for: a length of time is"),
    ("cancel of nothing", ["cancel"], 2, "cancel: say what, one of"),
    ("cancel of two things", ["cancel", NOBODY, "--batch", "x"], 2, "cancel: say what, one of"),
    ("cancel of all, unasked", ["cancel", "--all"], 4, "add --yes if you mean it"),
    ("target too long", ["block", "x" * 129], 2, "target: must be 1 to 128 bytes of printable UTF-8"),
    ("word that is not on the list", ["resolve", NOBODY, "perhaps"], 2, r"how: perhaps not in \{delivered,retry,give-up"),
    ("pause of nothing", ["pause"], 2, "pause: say what, one of"),
    ("pause of a batch of nobody", ["pause", "--batch", "x"], 2, "--batch needs --tenant"),
    ("replay of nothing", ["replay"], 2, "replay: say which"),
    ("key file that is there", ["keygen", "{folder}/gateway"], 4, "is there already; choose another name"),
    ("import that is not there", ["import", "{folder}/nothing"], 2, "cannot be read as a file"),
    ("import without lines", ["import", "{folder}/empty", "--at", "+0"], 2, "the file is empty"),
    ("import of unknown columns", ["import", "{folder}/columns.csv", "--at", "+0"], 2, "line 1: names a column that"),
    ("import with an open quote", ["import", "{folder}/quote.csv", "--at", "+0", "--pubkey", "{folder}/gateway.jwk"], 2,
     "line 2, column 3: a quote is never closed"),
    ("import with a column twice", ["import", "{folder}/twice.csv"], 2, "line 1: the column at stands there twice"),
    ("import with two kinds of payload", ["import", "{folder}/both.csv"], 2, "line 1: needs the columns to and text"),
    ("import with a quote within a cell", ["import", "{folder}/within.csv"], 2, "line 2, column 2: a quote stands within"),
    ("import with a zero byte", ["import", "{folder}/zero.csv"], 2, "line 2, column 1: holds a zero byte"),
    ("import with a row too long", ["import", "{folder}/long.csv"], 2, "line 2, column 3: a row must be at most 64 KB"),
    ("import with a bare carriage return", ["import", "{folder}/return.csv"], 2, "line 1, column 3: a carriage return ends"),
    ("import of what is not sealed", ["import", "{folder}/bare.csv"], 1, "line 2: payload: is not sealed; it must be a"),
    ("import of what is not UTF-8", ["import", "{folder}/latin.csv"], 1, "line 2: key: must be printable UTF-8"),
    ("rejects onto the import", ["import", "{folder}/bare.csv", "--rejects", "{folder}/bare.csv"], 2, "--rejects: is the fil"),
    ("rejects that cannot be made", ["import", "{folder}/bare.csv", "--rejects", "{folder}/no/file"], 2, "cannot be made"),
    ("flowable flag with a file", ["import", "{folder}/bare.csv", "--dsn", SECRET], 2, "--dsn: goes with `smsflow import fl"),
    ("import with a bad row", ["import", "{folder}/row.csv", "--at", "+1h", "--pubkey", "{folder}/gateway.jwk"], 1,
     r"line 3: to: must be \+ and 7 to 15 digits"),
    ("folder that is not there", ["db", "verify", "--data", "{folder}/nothing"], 3, "there is no data folder"),
    ("folder that is none", ["db", "verify", "--data", "{folder}"], 3, "is not a data folder of smsflow"),
    ("folder in use", ["db", "verify", "--data", "{folder}/data"], 4, "in use"),
    ("repair without a place", ["db", "repair", "--data", "{folder}/data"], 2, "--to must name the folder for the copy"),
    ("repair onto something", ["db", "repair", "--data", "{folder}/data", "--to", "{folder}"], 4, "exists already"),
    ("address that is none", ["list", "--address", SECRET], 2, "--address: must be host:port or unix:/path"),
    ("server that is not there", ["list", "--address", "127.0.0.1:1", "--timeout", "2"], 5, "cannot reach 127.0.0.1:1"),
    ("brokers that are not there", ["dead-letter", "list", "--kafka", "127.0.0.1:1"], 5, "cannot reach 127.0.0.1:1: are Kafka"),
    ("number of none that are watched", ["watch", "--expect", "3"], 2, "--expect requires --live"),
    ("client of an account that there is not", ["account", "create", "ann", "--client", "nobody", "--password-file",
                                                "{folder}/sealed"], 2, "smsflow client create CLIENT makes one"),
    ("certificates that are not there", ["list", "--ca", "{folder}/nothing", "--address", "127.0.0.1:1"], 2, "cannot be"),
    ("workflow that is none", ["graph", "unheard-of"], 3, "there is no such workflow; this program knows: delivery"),
    ("timeout that is none", ["list", "--timeout", SECRET], 2, "--timeout: a number of seconds"),
]
# name, token, tenant, exit code, what it must say
CREDENTIALS = [
    ("no token", "", "demo", 6, "the credential is missing or unknown"),
    ("unknown token", SECRET, "demo", 6, "the credential is missing or unknown"),
    ("tenant of others", CLIENT_TOKEN, "elsewhere", 6, "the credential does not allow it"),
    ("no tenant of several", CLIENT_TOKEN, "", 2, "must name one of the credential's tenants"),
]


class BadInput(unittest.TestCase):
    def check(self, done, code, says):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stderr, says)
        # Before it the log may say that a folder was made.
        said = re.sub(r"^\S+Z warning made a new data folder[^\n]*\n", "", done.stderr)
        self.assertRegex(said, r"^[^\n]+\n(Run with --help for more information.\n)?$", "an error is one line")
        self.assertNotIn(SECRET, done.stdout + done.stderr)


class Cli(BadInput):
    @classmethod
    def setUpClass(cls):
        cls.server = RunningServer(SMSFLOWD, SMSFLOW)
        for name, text in {"sealed": f"{SECRET} {SECRET}", "empty": "", "columns.csv": f"{SECRET},at\nred,+0\n",
                           "quote.csv": f'key,to,text\na,+255123456789,"{SECRET}\n',
                           "twice.csv": f"key,at,schedule,payload\na,+0,+0,{SECRET}\n",
                           "both.csv": f"key,at,to,text,payload\na,+0,+255123456789,{SECRET},x\n",
                           "within.csv": f'key,payload,at\na,{SECRET}"x,+0\n',
                           "zero.csv": f"key,payload,at\n\0,{SECRET},+0\n",
                           "long.csv": f"key,payload,at\na,{SECRET},{'x' * 70_000}\n",
                           "return.csv": f"key,payload,at\ra,{SECRET},+0\r",
                           "bare.csv": f"key,at,payload\na,+1h,{SECRET} {SECRET}\n",
                           "row.csv": f"key,to,text\na,+255123456789,S1D1\nb,{SECRET},{SECRET}\n"}.items():
            Path(cls.server.folder, name).write_text(text, encoding="utf-8", newline="")
        Path(cls.server.folder, "latin.csv").write_bytes(b"key,at,payload\n\xfc,+1h,x\n")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def run_cli(self, words, token=CLIENT_TOKEN, tenant="demo"):
        words = [word.replace("{folder}", self.server.folder) for word in words]
        return subprocess.run([SMSFLOW, *words], env=self.server.environment(token, tenant), capture_output=True,
                              text=True, timeout=60, check=False)

    def test_rows(self):
        for name, words, code, says in CLI:
            with self.subTest(name):
                admin = words[0] in ("pause", "resolve", "replay", "account")
                done = self.run_cli(words, *((ADMIN_TOKEN, "") if admin else ()))
                self.check(done, code, says)

    def test_a_doctor_who_reaches_no_broker(self):
        done = self.run_cli(["doctor", "--kafka", "127.0.0.1:1"])
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertIn("cannot reach 127.0.0.1:1: are Kafka", done.stdout)
        self.assertNotIn("_TRANSPORT", done.stdout + done.stderr)

    def test_credentials(self):
        for name, token, tenant, code, says in CREDENTIALS:
            with self.subTest(name):
                self.check(self.run_cli(["list"], token, tenant), code, says)


BASE = "listen.plaintext = true\n"
# name, the file, flags, exit code, what it must say
CONFIGURATION = [
    ("a file with a zero byte", b"a\0b", [], 78, "c.toml:1:2: not TOML"),
    ("a file that is not UTF-8", b"\xff\xfe\x00", [], 78, "c.toml:1:1: not TOML"),
    ("ten thousand brackets", b"[" * 10_000, [], 78, "not TOML"),
    ("ten thousand dots", b"a." * 10_000 + b"a = 1", [], 78, "c.toml:1:1: not TOML: more than 128 dots in one line"),
    ("a key given twice", b"shards = 1\nshards = 2\n", [], 78, "c.toml:2:[0-9]+: not TOML: .*redefine"),
    ("an empty file", b"", [], 78, "listen.grpc needs tls.cert and tls.key, or listen.plaintext = true"),
    ("a flag that is none", BASE.encode(), ["--nope", "3"], 64, "not expected: .*--nope"),
    ("a value beyond its range", f"{BASE}limits.slots = 100000\n".encode(), [], 78, "must be a whole number from 1 to"),
]
# name, how the folder is damaged, what the start says; None: it starts all the same
FOLDER = [
    ("a flipped bit in the log", lambda f: flip(newest(f, "*.log"), 0.5), "is damaged after [0-9]+ of its [0-9]+ bytes.*db repair"),
    ("a log cut in half", lambda f: cut(newest(f, "*.log"), 0.5), "acknowledged data is missing: the last row of .* ends within a record.*db repair"),
    ("a log that is gone", lambda f: os.remove(newest(f, "*.log")), "meta row is gone; restore the folder"),
    ("a flipped bit in the list of tables", lambda f: flip(newest(f, "MANIFEST-*"), 0.3), "is damaged after [0-9]+ of its [0-9]+ bytes"),
    ("a list of tables that is gone", lambda f: os.remove(newest(f, "MANIFEST-*")), "No such file.*db repair"),
    ("a CURRENT that names nothing", lambda f: Path(f, "db/CURRENT").write_text("nonsense", encoding="utf-8"),
     "CURRENT file does not end with newline"),
    ("a CURRENT that is gone", lambda f: os.remove(f"{f}/db/CURRENT"), "is gone, but .*high-water knows of data"),
    ("a database that is gone", lambda f: shutil.rmtree(f"{f}/db"), "is gone, but .*high-water knows of data"),
    ("a high-water file that is gone", lambda f: os.remove(f"{f}/high-water"), "high-water is missing, though"),
    ("an empty high-water file", lambda f: cut(f"{f}/high-water", 0), "what was acknowledged is not known"),
    ("two bad slots of the high-water file", lambda f: (flip(f"{f}/high-water", 0.004), flip(f"{f}/high-water", 0.504)),
     "what was acknowledged is not known"),
    ("one bad slot of the high-water file", lambda f: flip(f"{f}/high-water", 0.004), None),
    ("options that are nonsense", lambda f: Path(newest(f, "OPTIONS-*")).write_text("no", encoding="utf-8"), None),
    ("an index key that is gone", lambda f: os.remove(f"{f}.key"), "index key .* is missing; without it"),
    ("an index key of another folder", lambda f: flip(f"{f}.key", 0.2), "is not the one that .* was made with"),
    ("an index key that is too short", lambda f: cut(f"{f}.key", 0.3), "is not 32 bytes long"),
    ("an index key that others can read", lambda f: os.chmod(f"{f}.key", 0o644), "can be read by others; chmod 600 it"),
    ("a file in the folder's place", lambda f: (shutil.rmtree(f), Path(f).write_text("", encoding="utf-8")),
     "Not a directory"),
    ("a data folder whose disk is away", lambda f: (shutil.rmtree(f), Path(f).mkdir()), "data.key is there, but .* is its disk mounted"),
    ("a folder of other things", lambda f: (shutil.rmtree(f), Path(f).mkdir(), Path(f, "notes").write_text("", encoding="utf-8")),
     "data is not a data folder of smsflow; name an empty one"),
]
# Where no copy can be mended, none is proposed.
BEYOND_REPAIR = {"a high-water file that is gone", "an empty high-water file", "two bad slots of the high-water file"}


# What shows only once the database is open, which has then put its log into tables; no row is another.
OPENED = {"a log that is gone", "a high-water file that is gone", "an index key of another folder"}


def newest(folder, pattern):
    return max(glob.glob(f"{folder}/db/{pattern}"), key=os.path.getsize)


def flip(path, where):
    data = bytearray(Path(path).read_bytes())
    data[int(len(data) * where)] ^= 4
    Path(path).write_bytes(data)


def cut(path, where):
    os.truncate(path, int(os.path.getsize(path) * where))


class Daemon(BadInput):
    """Starts smsflowd on what it must refuse."""

    @classmethod
    def setUpClass(cls):
        cls.server = RunningServer(SMSFLOWD, SMSFLOW)
        cls.folder = cls.server.folder
        for i in range(20):
            words = [word.replace("{folder}", cls.folder) for word in schedule(at="+1h", key=f"k{i}")]
            subprocess.run([SMSFLOW, *words, "--timeout", "60"], env=cls.server.environment(CLIENT_TOKEN, "demo"), check=True,
                           stdout=subprocess.DEVNULL)
        signal.sigtimedwait([], 0.3)  # the marks are at most 100 ms behind
        cls.server.kill()
        cls.keep(cls, "data", "good")

    def keep(self, source, target):
        for end in ("", ".key"):
            path = f"{self.folder}/{target}{end}"
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)
        shutil.copytree(f"{self.folder}/{source}", f"{self.folder}/{target}")
        shutil.copy(f"{self.folder}/{source}.key", f"{self.folder}/{target}.key")
        os.chmod(f"{self.folder}/{target}.key", 0o600)

    @classmethod
    def tearDownClass(cls):
        cls.server.temporary.cleanup()

    def start(self, *flags, config="smsflow.toml"):
        return subprocess.run([SMSFLOWD, "--config", f"{self.folder}/{config}", *flags], capture_output=True, text=True,
                              timeout=60, check=False)

    def test_configuration(self):
        for name, text, flags, code, says in CONFIGURATION:
            with self.subTest(name):
                Path(self.folder, "c.toml").write_bytes(text)
                self.check(self.start(*flags, config="c.toml"), code, says)
        with self.subTest("a folder in the file's place"):
            self.check(self.start(config="good"), 78, "good: cannot be read")

    def test_folder(self):
        for name, damage, says in FOLDER:
            with self.subTest(name):
                self.keep("good", "data")
                damage(f"{self.folder}/data")
                if says is not None:
                    before = self.bytes()
                    done = self.start()
                    self.check(done, 78, says)
                    self.assertFalse(name in BEYOND_REPAIR and "db repair" in done.stderr, done.stderr)
                    if name not in OPENED:
                        self.assertEqual(self.bytes() == before, True, "a refused folder is not changed")
                    continue
                self.server.start()
                self.server.kill()

    def test_a_socket_path_that_is_too_long(self):
        self.keep("good", "data")
        done = self.start("--listen.grpc", f"unix:{self.folder}/{'x' * 200}")
        self.assertIn(done.returncode, (64, 78), done.stderr)
        self.assertNotEqual(done.stderr, "")

    def test_an_address_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            Path(self.folder, "c.toml").write_text(
                BASE + f'data = "{self.folder}/other"\nlisten.grpc = "127.0.0.1:{taken.getsockname()[1]}"\n'
                + 'listen.metrics = ""\n', encoding="utf-8")
            self.check(self.start(config="c.toml"), 78, "listen.grpc: cannot listen on")

    def bytes(self):
        data = Path(self.folder, "data")
        files = [data] if data.is_file() else sorted(file for file in data.rglob("*") if file.is_file())
        return {str(file): file.read_bytes() for file in files if not file.name.startswith("LO")}


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
