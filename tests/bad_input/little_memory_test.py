"""smsflowd and smsflow-gateway with less and less memory: little_memory_test.py BIN.

What fits is served. What does not ends with a line and exit code 75, so that a supervisor starts it again; or a library ends it: gRPC
aborts without a word when it gets no thread, and jemalloc does not look whether a new thread could get an arena. Over Kafka as well:
librdkafka, given no thread for a new client, fails an assertion or never comes back, so smsflow looks before. A client that is asked for
while it runs is asked for again. What librdkafka allocates it asserts in rd.h.
"""

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BIN = Path(sys.argv[1]).resolve()
REFUSED = "out of memory or threads: the system refused more"
LINE = f": {REFUSED}; ending at once\n"
CONFIG = """
data = "{folder}/data"
shards = 4
[listen]
grpc = "unix:{folder}/socket"
metrics = ""
plaintext = true
[engine]
ballast = "1MB"
[[key]]
name = "app"
sha256 = "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"
role = "client"
tenants = ["acme"]
"""
NOBODY = "127.0.0.1:9"  # the port of "discard"
KAFKA = f"""
[kafka]
servers = "{NOBODY}"
"""


class LittleMemory(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def bounded(self, megabytes, program, *words):
        """How it ended, and what it said; one that has not within three seconds is stopped and must do so gracefully."""
        def bound():
            resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SMSFLOW_")}
        # pylint: disable-next=subprocess-popen-preexec-fn
        with subprocess.Popen([BIN / program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=environment, text=True, preexec_fn=bound) as process:
            try:
                _, said = process.communicate(timeout=3)
            except subprocess.TimeoutExpired:
                process.terminate()
                try:
                    _, said = process.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise
            return process.returncode, said

    def ends(self, megabytes, program, *words, kafka=False):
        """Each of them as it is allowed to; the codes. Over Kafka others may speak after the one that was given none."""
        codes = set()
        for bound in megabytes:
            with self.subTest(megabytes=bound):
                code, said = self.bounded(bound, program, *words)
                codes.add(code)
                self.assertIn(code, (0, 75, 127, -signal.SIGABRT, -signal.SIGSEGV), said)  # 127: no room for its libraries
                self.assertNotRegex(re.sub(rf"{program}: rd\.h:.*Assertion.*", "", said) if kafka else said, "terminate called|Assertion")
                if code == 75 and kafka:
                    self.assertEqual(1, said.count(program + LINE) + said.count(f"{program}: kafka: {REFUSED}\n"), said)
                elif code == 75:
                    self.assertEqual(said.count(program + LINE), 1, said)
                    self.assertTrue(said.endswith(program + LINE), said)
        return codes

    def test_the_engine(self):
        (self.folder / "c.toml").write_text(CONFIG.format(folder=self.folder), encoding="utf-8")
        codes = self.ends((*range(60, 300, 20), 2000), "smsflowd", "--config", self.folder / "c.toml")
        self.assertLessEqual({0, 75}, codes)

    def test_the_engine_over_kafka(self):
        (self.folder / "c.toml").write_text(CONFIG.format(folder=self.folder) + KAFKA, encoding="utf-8")
        codes = self.ends((*range(100, 320, 10), 2000), "smsflowd", "--config", self.folder / "c.toml", kafka=True)
        self.assertLessEqual({0, 75}, codes)

    def test_the_gateway(self):
        subprocess.run([BIN / "smsflow", "keygen", self.folder / "key"], check=True, stdout=subprocess.DEVNULL)
        codes = self.ends((*range(60, 180, 20), 2000), "smsflow-gateway", "--loopback", "--key", self.folder / "key.key.pem", "--store",
                          self.folder / "store", "--tenants", "acme", "--token", "token", "--ballast-mb", "1", "--engine",
                          f"unix:{self.folder}/socket")
        self.assertLessEqual({0, 75}, codes)

    def test_the_gateway_over_kafka(self):
        subprocess.run([BIN / "smsflow", "keygen", self.folder / "key"], check=True, stdout=subprocess.DEVNULL)
        codes = self.ends((*range(60, 240, 10), 2000), "smsflow-gateway", "--loopback", "--key", self.folder / "key.key.pem", "--store",
                          self.folder / "store", "--tenants", "acme", "--ballast-mb", "1", "--kafka", NOBODY, kafka=True)
        self.assertLessEqual({0, 75}, codes)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
