"""smsflow-gateway reads its keys again on SIGHUP, and refuses a store that it cannot serve: reload_test.py GATEWAY SMSFLOW. Its engine is never there."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402

GATEWAY, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
PATIENCE = 60


class Reload(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.keys = self.folder / "keys"
        self.keys.mkdir()
        self.keygen("2026")
        self.command = [GATEWAY, "--loopback", "--engine", f"unix:{self.folder}/nobody", "--tenants", "demo", "--store",
                        self.folder / "store", "--ballast-mb", "0", "--key", self.keys]
        self.gateway = running.Process(*self.command, errors=subprocess.STDOUT)
        self.deadline = threading.Timer(PATIENCE, self.gateway.process.kill)
        self.deadline.start()
        while not (self.folder / "store/CURRENT").exists() and not self.gateway.has_ended():
            time.sleep(0.02)  # before that a signal would end it

    def tearDown(self):
        self.deadline.cancel()
        self.gateway.end()
        self.temporary.cleanup()

    def keygen(self, name):
        subprocess.run([SMSFLOW, "keygen", self.keys / name], check=True, stdout=subprocess.DEVNULL)

    def reload(self):
        """What it says to a SIGHUP."""
        self.gateway.signal(signal.SIGHUP)
        for line in self.gateway.output:
            if "private key" in line or "keys stay" in line:
                return line
        return "it ended"

    def test_a_key_is_added_and_taken_away(self):
        self.assertIn("read again: 1 private keys", self.reload())
        self.keygen("2027")
        self.assertIn("read again: 2 private keys", self.reload())
        os.remove(self.keys / "2026.key.pem")
        self.assertIn("read again: 1 private keys", self.reload())
        self.gateway.stop()

    def test_a_file_that_is_wrong_changes_nothing(self):
        self.keygen("2027")
        os.chmod(self.keys / "2027.key.pem", 0o644)
        said = self.reload()
        self.assertIn("the keys stay as they were", said)
        self.assertIn("2027.key.pem: others can read this private key; chmod 600 it", said)
        for file in self.keys.glob("*.key.pem"):
            os.remove(file)
        said = self.reload()
        self.assertIn("the keys stay as they were", said)
        self.assertIn("at least one private key is needed", said)
        self.gateway.stop()

    def test_its_store_is_its_own_while_it_runs(self):
        second = subprocess.run(self.command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((78, f"smsflow-gateway: folder {self.folder}/store is in use by another process; stop that one first\n"),
                         (second.returncode, second.stderr))
        self.gateway.stop()

    def test_a_damaged_store_is_for_a_person(self):
        self.gateway.stop()
        [log] = [file for file in (self.folder / "store").glob("*.log") if file.stat().st_size > 0]
        damaged = bytearray(log.read_bytes())
        damaged[20] ^= 1
        log.write_bytes(damaged)
        again = subprocess.run(self.command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(78, again.returncode, again.stderr)
        self.assertRegex(again.stderr, "^smsflow-gateway: .*; 'smsflow db repair' does not mend it: what it costs to move "
                                       f"{self.folder}/store away is in docs/operations.md.*\n$")

    def test_a_store_that_may_not_be_made_is_for_a_person(self):
        self.gateway.stop()
        self.command[self.command.index(self.folder / "store")] = self.keys / "2026.key.pem" / "store"
        again = subprocess.run(self.command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(78, again.returncode, again.stderr)
        self.assertIn("cannot make the folder", again.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
