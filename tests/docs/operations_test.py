"""docs/operations.md lists every key of the configuration with its default, and no other; the examples in deploy/ are taken.

usage: operations_test.py SMSFLOWD; from the root of the sources.
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SMSFLOWD = sys.argv.pop(1)


def print_config(*arguments):
    return subprocess.run([SMSFLOWD, "--print-config", *arguments], env={}, capture_output=True, text=True, timeout=30,
                          check=False)


def keys_in_effect():
    """key: default, as --print-config shows them without any file."""
    keys, section = {}, ""
    told = print_config("--plaintext")
    for line in told.stdout.splitlines():
        if match := re.match(r"\[(\w+)\]", line):
            section = match.group(1) + "."
        elif match := re.match(r"(\w+) = (.*?)\s+# ", line):
            keys[section + match.group(1)] = match.group(2).strip('"')
    return keys


def keys_in_page():
    keys = {}
    for line in Path("docs/operations.md").read_text(encoding="utf-8").splitlines():
        match = re.match(r"\| ((?:`[a-z_.]+`(?:, )?)+) \| (.*?) \|", line)
        if match:
            for name in re.findall(r"`([a-z_.]+)`", match.group(1)):
                keys[name] = match.group(2).strip("`")
    return keys


class OperationsTest(unittest.TestCase):
    def test_every_key_is_in_the_page_and_no_other(self):
        keys = keys_in_effect()
        self.assertGreater(len(keys), 30)
        self.assertEqual(sorted(keys), sorted(keys_in_page()))

    def test_the_defaults_are_those_of_the_program(self):
        page = keys_in_page()
        for key, default in keys_in_effect().items():
            if default in ("", "[]") or key == "listen.plaintext":
                continue  # the page says in words what an empty value means
            self.assertEqual(default, page[key], key)

    def test_the_example_is_taken(self):
        told = print_config("--config", "deploy/smsflowd.toml")
        self.assertEqual((0, ""), (told.returncode, told.stderr))
        self.assertIn("deploy/smsflowd.toml", told.stdout)

    def test_what_moving_over_asks_for_is_taken(self):
        blocks = re.findall(r"(?ms)^```toml\n(.*?)^```$", Path("docs/migrating.md").read_text(encoding="utf-8"))
        self.assertTrue(blocks)
        with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
            file.write("\n".join(blocks).replace("…", "clinic"))
            file.flush()
            told = print_config("--plaintext", "--config", file.name)
        self.assertEqual((0, ""), (told.returncode, told.stderr))

    def test_a_wrong_key_is_told_by_its_place(self):
        told = print_config("--plaintext", "--set", "delivery.nonsense=1")
        self.assertEqual(78, told.returncode)
        self.assertIn("delivery.nonsense", told.stderr)


if __name__ == "__main__":
    unittest.main()
