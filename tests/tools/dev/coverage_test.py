"""What is told of a coverage report: of places that were not reached, and of sources that no program has."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COVERAGE = Path("tools/dev.d/coverage.py").resolve()
SOURCE = "int ids() {\n  return one ? 1 : 2;\n}\n"
# The parts that are measured, each with one source.
PARTS = ("engine/tokens.cc", "ids/ids.cc", "workflows/a/machine.cc", "workflows/delivery/codec/codec.cc", "storage/keys.cc",
         "storage/records.cc", "storage/journal.cc", "storage/accounts.cc")


class Coverage(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        for part in PARTS:
            self.write(part)

    def write(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE, encoding="utf-8")

    def told(self, code, linked=PARTS, false=1):
        """Of programs with these sources, in which the condition was true once and false so often."""
        functions = [{"filenames": [str(self.root / name)], "regions": [[1, 1, 3, 2, 1, 0, 0, 0]],
                      "branches": [[2, 10, 2, 13, 1, false, 0, 0, 4]]} for name in linked]
        files = [{"filename": str(self.root / name)} for name in linked]
        report = self.root / "coverage.json"
        report.write_text(json.dumps({"data": [{"files": files, "functions": functions}]}), encoding="utf-8")
        run = subprocess.run([sys.executable, "-B", COVERAGE, report], cwd=self.root, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout

    def test_all_is_reached(self):
        self.assertNotIn("not reached", self.told(0))

    def test_a_side_that_was_not_taken_is_told(self):
        self.assertIn("ids/ids.cc:2: always true: one", self.told(1, false=0))

    def test_a_source_that_no_program_links_is_told(self):
        for name in ("ids/more.cc", "workflows/b/more.cc", "storage/more.cc"):
            self.write(name)
        told = self.told(1)
        self.assertIn("ids/more.cc: no test program links it", told)
        self.assertIn("workflows/b/more.cc: no test program links it", told)
        self.assertNotIn("storage/more.cc", told)

    def test_a_part_that_is_not_there_at_all_is_told(self):
        told = self.told(1, linked=PARTS[1:])
        self.assertIn("engine/tokens.cc: no test program links it", told)
        self.assertIn("TOO FEW", told)


if __name__ == "__main__":
    unittest.main()
