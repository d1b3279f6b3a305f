"""The flags and the file of smsflow-gateway, and what it says of wrong ones: configuration_test.py GATEWAY."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

GATEWAY = Path(sys.argv[1]).resolve()

# What stands in the file, and what is said of it: at line and column.
WRONG = (
    (b'engine = "127.0.0.1:7070"\ngatewy = "g1"\n', "2:1: unknown key gatewy"),
    (b"engine = \n", "1:10: not TOML from here on"),
    (b"[engine\n", "1:8: not TOML from here on"),
    (b"a = '\xff'\n", "1:5: not TOML from here on"),
    (b'  credit = "secret"\n', "1:3: credit must be INT in [1 - 1000000]"),
    (b"credit = 0\n", "1:1: credit must be INT in [1 - 1000000]"),
    (b"loopback = 1\n", "1:1: loopback must be true or false"),
    (b"engine = true\n", "1:1: engine must be a text"),
    (b"engine = 2026-01-01\n", "1:1: engine must be a text"),
    (b'engine = ["a", "b"]\n', "1:1: engine must be a text"),
    (b'token-file = "/nowhere/secret"\n', "1:1: token-file must be a file that there is"),
    (b'log-level = "loud"\n', "1:1: log-level must be one of "),
    (b"[smsc]\nname = 'a'\n", "1:2: smsc must be a file that there is"),
    (b"[other]\n", "1:2: unknown key other"),
    (b"\n" + b"a." * 10_000 + b"a = 1\n", "2:1: more than 128 dots in one line"),
    (b'config = "another.toml"\n', "1:1: unknown key config"),
    (b'"a\\nsmsflow-gateway: all is well" = 1\n', "1:1: unknown key"),
)


class Configuration(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.file = Path(self.temporary.name) / "gateway.toml"

    def tearDown(self):
        self.temporary.cleanup()

    def start(self, *flags, **environment):
        """It always ends: there is no key."""
        return subprocess.run([GATEWAY, *flags], capture_output=True, text=True, timeout=60, check=False,
                              env=os.environ | environment)

    def with_file(self, text, *flags, **environment):
        self.file.write_bytes(text)
        return self.start("--config", self.file, *flags, **environment)

    def test_a_wrong_file_names_line_column_key_and_rule(self):
        for text, says in WRONG:
            with self.subTest(text=text):
                told = self.with_file(text)
                self.assertEqual((78, ""), (told.returncode, told.stdout))
                self.assertTrue(told.stderr.startswith(f"smsflow-gateway: {self.file}:{says}"), told.stderr)
                self.assertEqual(1, told.stderr.count("\n"), told.stderr)
                self.assertNotIn("secret", told.stderr)

    def test_all_that_is_wrong_is_told_at_once(self):
        told = self.with_file(b"one = 1\ncredit = 0\n")
        self.assertEqual(f"smsflow-gateway: {self.file}:2:1: credit must be INT in [1 - 1000000]\n{self.file}:1:1: unknown key one\n",
                         told.stderr)

    def test_a_file_that_is_not_there(self):
        told = self.start("--config", self.file)
        self.assertEqual((78, "smsflow-gateway: --config: the file cannot be read\n"), (told.returncode, told.stderr))

    def test_a_wrong_flag_is_another_exit_code(self):
        for flags in (["--gatewy", "g1"], ["--credit", "0"], ["--token-file", self.file]):
            told = self.start(*flags)
            self.assertEqual(64, told.returncode)
            self.assertIn(flags[0], told.stderr)

    def test_what_the_file_says_is_taken_and_flags_win(self):
        told = self.with_file(b"loopback = true\n", "--open-nothing")
        self.assertEqual("smsflow-gateway: carrier: say --smsc FILE, or --loopback to submit to nobody\n", told.stderr)
        told = self.with_file(b'open-nothing = true\ntenants = ["demo"]\ngateway = "no name"\n')
        self.assertEqual("smsflow-gateway: gateway: must be 1 to 64 characters of A-Z a-z 0-9 . _ -\n", told.stderr)
        told = self.with_file(b'open-nothing = true\ngateway = "no name"\n', "--gateway", "g1")
        self.assertEqual("smsflow-gateway: tenants: at least one is needed\n", told.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
