"""Where a table of a page has a column `test`, each of its rows names tests, and they are there; each input of
bad_input_test.py stands on the page of bad input, each defect of the old system on that of moving over."""

import re
import unittest
from pathlib import Path

BAD_INPUT = Path("docs/bad-input.md")
MOVING_OVER = Path("docs/migrating.md")
NAMED = re.compile(r"`(tests/[\w/.-]+)`(?: `([^`]+)`)?")
LEAST_ROWS = {BAD_INPUT: 60, MOVING_OVER: 28}
DEFECTS = 28  # W1 to W28


def rows(text):
    """Of the tables whose last column is `test`: the line's number, its cells, and how many there should be."""
    columns = 0
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.strip("| ").split(" | ")
        if not line.startswith("|"):
            columns = 0
        elif cells[-1] == "test":
            columns = len(cells)
        elif columns > 0 and line.startswith("| "):
            yield number, cells, columns


def holds(path, name):
    """Whether that file has a test, or a story, of that name; of a story its first words do."""
    text = Path(path).read_text(encoding="utf-8")
    if path.endswith(".txt"):
        return name is None or re.search(rf"(?m)^#+ {re.escape(name)}(?![\w-])", text) is not None
    if name is None:
        return False
    if path.endswith(".cc"):
        suite, test = name.split(".")
        return re.search(rf"(?m)^TEST(_F|_P)?\({suite},\s+{test}\)", text) is not None
    return f'("{name}"' in text or f"def {name}(" in text


class Rows(unittest.TestCase):
    def test_each_names_a_test_that_is_there(self):
        counts = {}
        for page in sorted(Path("docs").glob("*.md")):
            for number, cells, columns in rows(page.read_text(encoding="utf-8")):
                counts[page] = counts.get(page, 0) + 1
                with self.subTest(page=page, line=number):
                    self.assertEqual(len(cells), columns)
                    named = NAMED.findall(cells[-1])
                    self.assertTrue(named, "it names no test")
                    for path, name in named:
                        self.assertTrue(Path(path).is_file(), f"{path} is not there")
                        self.assertTrue(holds(path, name or None), f"{path} has no test {name}")
        for page, least in LEAST_ROWS.items():
            self.assertGreaterEqual(counts.get(page, 0), least, page)

    def test_each_of_the_shell_stands_on_the_page(self):
        page = BAD_INPUT.read_text(encoding="utf-8")
        tests = Path("tests/bad_input/bad_input_test.py").read_text(encoding="utf-8")
        for name in re.findall(r'(?m)^    \("([^"]+)",', tests):
            self.assertIn(f"`tests/bad_input/bad_input_test.py` `{name}`", page)

    def test_each_defect_of_the_old_system_has_its_row(self):
        told = " ".join(cells[0] for _, cells, _ in rows(MOVING_OVER.read_text(encoding="utf-8")))
        self.assertEqual({int(number) for number in re.findall(r"\bW(\d+)\b", told)}, set(range(1, DEFECTS + 1)))

    def test_a_row_without_its_test_is_noticed(self):
        self.assertFalse(holds("tests/server/form_test.cc", "ValidationTest.ThatNobodyWrote"))
        self.assertFalse(holds("tests/bad_input/bad_input_test.py", "a row that nobody wrote"))
        self.assertFalse(holds("tests/wire/rest.txt", "cancel-by"))
        self.assertTrue(holds("tests/wire/rest.txt", "cancel-by-id"))


if __name__ == "__main__":
    unittest.main()
