"""The linting of many files, with a stand-in for clang-tidy that notes what it is asked for and dislikes one word."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LINT = Path("tools/dev.d/lint.py").resolve()
TIDY = """#!/bin/sh
[ "$1" != --version ] || { echo "stand-in 1"; exit 0; }
for file; do :; done
echo "$file" >>"$ASKED"
if grep -q goto "$file"; then echo "$file:1: no goto"; exit 1; fi
"""


class Lint(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.asked = self.folder / "asked"
        for name, text in {"bin/clang-tidy": TIDY, ".clang-tidy": "Checks: all\n", "a.h": "int a();\n",
                           "a.cc": '#include <new>\n #  include "a.h"\n', "b.cc": "int b();\n", "versions": "libc 1\n",
                           "build/made.h": "int made();\n", "build/tools/dev.d/own_code_only.so": ""}.items():
            self.write(name, text)
        (self.folder / "bin/clang-tidy").chmod(0o700)
        build = self.folder / "build"
        entries = [{"directory": str(build), "file": str(self.folder / file),
                    "command": f"/usr/bin/ccache c++ -I{self.folder} -isystem {build} -MD -MT x.o -MF x.d -o x.o -c {self.folder / file}"}
                   for file in ("a.cc", "b.cc")]
        (build / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def lint(self, code=0, files=("a.cc", "b.cc")):
        """What it says, and which files were looked at."""
        self.asked.write_text("", encoding="utf-8")
        run = subprocess.run([sys.executable, "-B", LINT, "build", "2", "versions", *files], cwd=self.folder, capture_output=True, text=True,
                             env=dict(os.environ, PATH=f"{self.folder / 'bin'}:{os.environ['PATH']}", ASKED=str(self.asked)),
                             check=False)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout, sorted(self.asked.read_text(encoding="utf-8").split())

    def test_what_is_clean_is_looked_at_once(self):
        self.assertEqual(self.lint()[1], ["a.cc", "b.cc"])
        said, asked = self.lint()
        self.assertEqual(asked, [])
        self.assertIn("2 of 2 files are clean, 2 of them as they were", said)

    def test_a_change_of_a_header_a_generated_one_a_comment_or_the_rules_is_looked_at(self):
        self.lint()
        self.write("a.h", '#include "made.h"\nint a(int);\n')
        self.assertEqual(self.lint()[1], ["a.cc"])
        self.write("build/made.h", "int made(int);\n")
        self.assertEqual(self.lint()[1], ["a.cc"])
        self.write("b.cc", "int b();  // NOLINT\n")
        self.assertEqual(self.lint()[1], ["b.cc"])
        for rules in (".clang-tidy", "versions", "build/tools/dev.d/own_code_only.so"):
            self.write(rules, "more\n")
            self.assertEqual(self.lint()[1], ["a.cc", "b.cc"])

    def test_a_finding_is_told_each_time(self):
        self.write("b.cc", "int goto_b();\n")
        for _ in range(2):
            said, asked = self.lint(code=1)
            self.assertIn("b.cc:1: no goto\n", said)
            self.assertIn("1 of 2 files are clean", said)
        self.assertEqual(asked, ["b.cc"])

    def test_what_nothing_compiles_is_no_clean_file(self):
        self.assertIn("c.cc: nothing compiles it", self.lint(code=1, files=("a.cc", "c.cc"))[0])


if __name__ == "__main__":
    unittest.main()
