"""Every row of docs/bad-input.md names tests that there are, and every row of bad_input_test.py stands on the page."""

import re
import unittest
from pathlib import Path

PAGE = Path("docs/bad-input.md")
NAMED = re.compile(r"`(tests/[\w/.]+)`(?: `([^`]+)`)?")
LEAST_ROWS = 60


def rows(text):
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split(" | ")]
        if line.startswith("| ") and not line.startswith("| input |"):
            yield number, cells


def holds(path, name):
    """Whether that file has a test of that name."""
    text = Path(path).read_text(encoding="utf-8")
    if path.endswith(".txt"):
        return name is None
    if name is None:
        return False
    if path.endswith(".cc"):
        suite, test = name.split(".")
        return re.search(rf"(?m)^TEST(_F|_P)?\({suite},\s+{test}\)", text) is not None
    return f'("{name}"' in text or f"def {name}(" in text


class Rows(unittest.TestCase):
    def test_each_names_a_test_that_is_there(self):
        count = 0
        for number, cells in rows(PAGE.read_text(encoding="utf-8")):
            count += 1
            with self.subTest(line=number):
                self.assertEqual(len(cells), 3)
                named = NAMED.findall(cells[2])
                self.assertTrue(named, "it names no test")
                for path, name in named:
                    self.assertTrue(Path(path).is_file(), f"{path} is not there")
                    self.assertTrue(holds(path, name or None), f"{path} has no test {name}")
        self.assertGreaterEqual(count, LEAST_ROWS)

    def test_each_of_the_shell_stands_on_the_page(self):
        page = PAGE.read_text(encoding="utf-8")
        tests = Path("tests/bad_input/bad_input_test.py").read_text(encoding="utf-8")
        for name in re.findall(r'(?m)^    \("([^"]+)",', tests):
            self.assertIn(f"`tests/bad_input/bad_input_test.py` `{name}`", page)

    def test_a_row_without_its_test_is_noticed(self):
        self.assertFalse(holds("tests/server/form_test.cc", "ValidationTest.ThatNobodyWrote"))
        self.assertFalse(holds("tests/bad_input/bad_input_test.py", "a row that nobody wrote"))


if __name__ == "__main__":
    unittest.main()
