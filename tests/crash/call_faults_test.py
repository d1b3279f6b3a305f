"""What is preloaded lets each call fail that it says it does, at its number and not before; and refuses what it cannot read.

call_faults_test.py LIBRARY.
"""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LIBRARY = Path(sys.argv[1]).resolve()
# Each line is told whether it failed; the file is there, and not of those that do not count.
TRY = """
import os, sys
folder, doing = sys.argv[1], sys.argv[2]
here = os.open(folder, os.O_RDONLY)
for n in range(3):
    file = os.open(folder + "/file", os.O_RDWR | os.O_CREAT, 0o600) if "open" not in doing else -1
    try:
        done = eval(doing)
        print("ok", done if done is not None else "")
    except OSError as error:
        print("errno", error.errno)
"""


def attempt(order, doing, under=None):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "other").write_bytes(b"")
        place = {} if under is None and order is None else {"CALL_FAULT_UNDER": f"{folder}/" if under is None else under}
        done = subprocess.run([sys.executable, "-B", "-c", TRY, folder, doing], capture_output=True, text=True, timeout=60, check=False,
                              env=dict(os.environ, LD_PRELOAD=str(LIBRARY), **({"CALL_FAULT": order} if order else {}), **place))
    return done.returncode, done.stdout.split("\n")[:-1], done.stderr


class CallFaults(unittest.TestCase):
    def fails(self, call, error, doing, before="ok"):
        code, said, errors = attempt(f"{call}:{error}:2", doing)
        self.assertEqual(code, 0, errors)
        self.assertTrue(said[0].startswith(before) and said[2].startswith(before), (doing, said, errors))
        self.assertIn(f"call-faults: {call} number 2 fails ({error}) on ", errors)
        return said[1]

    def test_each_call_fails_at_its_number(self):
        for call, doings in {
                "fdatasync": ("os.fdatasync(file)", "os.fsync(file)"),
                "write": ("os.write(file, b'1234')", "os.pwrite(file, b'1234', 0)", "os.writev(file, [b'12', b'34'])",
                          "os.pwritev(file, [b'12', b'34'], 0)"),
                "open": ("os.open(folder + '/other', os.O_RDWR)", "os.open(folder + '/other', os.O_RDWR, dir_fd=here)"),
                "rename": ("os.rename(folder + '/other', folder + '/other')",
                           "os.rename(folder + '/other', folder + '/other', src_dir_fd=here)")}.items():
            for doing in doings:
                for name in ("EIO", "ENOSPC"):
                    self.assertEqual(self.fails(call, name, doing), f"errno {getattr(errno, name)}", doing)

    def test_a_write_is_cut_short(self):
        for doing in ("os.write(file, b'1234')", "os.pwrite(file, b'1234', 0)", "os.writev(file, [b'12', b'34'])",
                      "os.writev(file, [b'1234'])", "os.pwritev(file, [b'12', b'34'], 0)"):
            self.assertEqual(self.fails("write", "short", doing, before="ok 4"), "ok 2", doing)

    def test_elsewhere_nothing_fails(self):
        code, said, errors = attempt("fdatasync:EIO:1", "os.fdatasync(file)", under="/nowhere/")
        self.assertEqual((code, said, errors), (0, ["ok ", "ok ", "ok "], ""))

    def test_an_order_that_cannot_be_read_ends_the_process(self):
        for order in ("", "fdatasync", "fdatasync:EIO", "fsync:EIO:1", "write:EBADF:1", "write:EIO:0", "write:EIO:1x", "open:short:1"):
            code, said, errors = attempt(order or " ", "os.fdatasync(file)")
            self.assertEqual((code, said), (64, []), (order, errors))
            self.assertIn("cannot read CALL_FAULT", errors)

    def test_memory_that_was_not_given_is_told_of(self):
        for address, told in ((16, True), (1 << 40, False)):
            done = subprocess.run([sys.executable, "-B", "-c", f"import ctypes; ctypes.memset({address}, 1, 1)"], capture_output=True,
                                  text=True, timeout=60, check=False,
                                  env=dict(os.environ, LD_PRELOAD=str(LIBRARY), CALL_FAULT_MEMORY="1"))
            self.assertEqual(done.returncode, -signal.SIGSEGV)
            self.assertEqual("call-faults: used what was not given, in " in done.stderr, told, done.stderr)

    def test_without_an_order_nothing_fails(self):
        code, said, errors = attempt(None, "os.fdatasync(file)")
        self.assertEqual((code, said, errors), (0, ["ok ", "ok ", "ok "], ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
