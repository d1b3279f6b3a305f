"""tools/dev as its users meet it: what it says, what it installs, and how it fails. Nothing is really installed here:
dpkg-query, apt-get, id and sudo are stand-ins that write down how they were called."""

import hashlib
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SETUP = (ROOT / "tools/dev.d/setup.sh").read_text()
PACKAGES = re.findall(r"[\w.+-]+", " ".join(
    line.split("#")[0] for line in re.search(r"PACKAGES=\((.*?)\n\)", SETUP, re.DOTALL).group(1).splitlines()))
KAFKA_PACKAGES = re.search(r"KAFKA_PACKAGES=\((.*?)\)", SETUP).group(1).split()
KAFKA_SUMS = hashlib.sha256((ROOT / "tools/dev.d/kafka/jars.sha256").read_bytes()).hexdigest()


class DevTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.bin = Path(self.folder.name) / "bin"
        self.bin.mkdir()
        for tool in ("bash", "env", "sed", "sort", "comm", "grep", "mkdir", "tail", "cut", "cat", "dirname", "sleep", "basename", "sha256sum", "realpath", "head"):
            self.stand_in(tool, f'exec {self.real(tool)} "$@"')
        self.machine()
        self.jars = Path(self.folder.name) / "cache" / f"kafka-{KAFKA_SUMS[:12]}"
        self.jars.mkdir(parents=True)
        (self.jars / ".checked").touch()

    def tearDown(self):
        self.folder.cleanup()

    @staticmethod
    def real(tool):
        return next(p for p in (f"/usr/bin/{tool}", f"/bin/{tool}") if os.access(p, os.X_OK))

    def stand_in(self, name, body):
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def machine(self, without=(), user=0, apt="true"):
        """A machine on which all packages are installed but `without`."""
        lines = "".join(f"installed {name}\\n" for name in PACKAGES + KAFKA_PACKAGES if name not in without)
        self.stand_in("dpkg-query", f"printf '{lines}'")
        self.stand_in("apt-get", f'echo "apt-get $*" >>{self.folder.name}/calls; {apt}')
        self.stand_in("id", f"echo {user}")

    def calls(self):
        path = Path(self.folder.name) / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def dev(self, *arguments):
        environment = {"PATH": str(self.bin), "DEV_BUILD": self.folder.name + "/build", "SMSFLOW_CACHE": self.folder.name + "/cache"}
        return subprocess.run(["/bin/bash", str(ROOT / "tools/dev"), *arguments], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)

    def test_help_names_every_command(self):
        commands = re.findall(r"^    ([a-z]+)\)", (ROOT / "tools/dev").read_text(), re.MULTILINE)
        told = self.dev("help")
        self.assertEqual(0, told.returncode)
        self.assertGreater(len(commands), 4)
        for command in commands:
            self.assertRegex(told.stdout, rf"(?m)^  {command}\b")

    def test_an_unknown_command_says_where_to_look(self):
        told = self.dev("tset")
        self.assertEqual(1, told.returncode)
        self.assertIn("there is no command 'tset'", told.stderr)
        self.assertIn("tools/dev help", told.stderr)

    def test_an_argument_that_is_not_known_is_named_and_nothing_is_done(self):
        for command in ("demo", "up", "down", "setup"):
            told = self.dev(command, "--bogus")
            self.assertEqual((1, ""), (told.returncode, told.stdout), command)
            self.assertIn(f"{command} does not know '--bogus'", told.stderr)

    def test_help_of_a_command_is_the_help(self):
        for command in ("demo", "down", "check", "fmt", "test"):
            told = self.dev(command, "--help")
            self.assertEqual((0, self.dev("help").stdout), (told.returncode, told.stdout), command)

    def test_check_knows_its_parts(self):
        self.machine()
        told = self.dev("check", "asan", "nosuch")
        self.assertEqual((1, ""), (told.returncode, told.stdout))
        self.assertIn("check knows format lint asan tsan coverage, not 'nosuch'", told.stderr)
        self.assertEqual([], self.calls())

    def test_setup_with_nothing_missing_is_silent_and_calls_nobody(self):
        told = self.dev("setup")
        self.assertEqual((0, "", ""), (told.returncode, told.stdout, told.stderr))
        self.assertEqual([], self.calls())

    def test_setup_installs_what_is_missing_and_removes_nothing(self):
        self.machine(without=("mold", "libboost1.81-dev"))
        told = self.dev("setup")
        self.assertEqual(0, told.returncode, told.stderr)
        self.assertIn("install 2 Debian packages", told.stdout)
        update, install = self.calls()
        self.assertTrue(update.endswith(" update"))
        self.assertRegex(install, r"install -y --no-remove --no-install-recommends libboost1.81-dev mold$")

    def test_setup_without_rights_says_what_to_run(self):
        self.machine(without=("mold",), user=1000)
        told = self.dev("setup")
        self.assertEqual(1, told.returncode)
        self.assertIn("needs root or sudo", told.stderr)
        self.assertIn("--no-remove --no-install-recommends mold", told.stderr)
        self.assertEqual([], self.calls())

    def test_a_failing_step_shows_its_output_and_fails(self):
        self.machine(without=("mold",), apt="echo E: no such mirror; exit 100")
        told = self.dev("setup")
        self.assertEqual(1, told.returncode)
        self.assertIn("E: no such mirror", told.stderr)
        self.assertIn("status 100", told.stderr)

    def test_setup_fetches_kafka_and_takes_no_jar_that_was_not_pinned(self):
        (self.jars / ".checked").unlink()
        self.jars.rmdir()
        for tool in ("mktemp", "cp", "touch", "mv", "rm", "timeout"):
            self.stand_in(tool, f'exec {self.real(tool)} "$@"')
        self.stand_in("mvn", 'for a; do case $a in -DoutputDirectory=*) mkdir "${a#*=}" && echo other >"${a#*=}/re2j-1.8.jar";; esac; done')
        told = self.dev("setup")
        self.assertEqual(1, told.returncode)
        self.assertIn("re2j-1.8.jar: FAILED", told.stderr)
        self.assertEqual([], list(self.jars.parent.iterdir()))

    def test_of_the_demos_only_the_one_over_kafka_needs_java(self):
        self.stand_in("java", "exit 1")
        self.stand_in("mktemp", "echo the demo begins >&2; exit 3")
        told = self.dev("demo", "--built", "--kafka")
        self.assertEqual((77, ""), (told.returncode, told.stderr))
        self.assertIn("skipped: there is no Java 17 or later", told.stdout)
        for over in ([], ["--smpp"]):
            told = self.dev("demo", "--built", *over)
            self.assertEqual(("", "the demo begins\n"), (told.stdout, told.stderr), over)

    def test_kafka_says_what_it_knows(self):
        for arguments, why in ((("kafka", "start"), "kafka knows up, down, status and fetch, not 'start'"),
                               (("kafka", "up", "--port", "x"), "--port wants a port, or 0 for any that is free, not 'x'"),
                               (("kafka", "up", "--for", "0"), "--for wants a number of seconds, not '0'"),
                               (("kafka", "up", "--bogus"), "not '--bogus'")):
            told = self.dev(*arguments)
            self.assertEqual((1, ""), (told.returncode, told.stdout), arguments)
            self.assertIn(why, told.stderr)

    def test_kafka_without_java_says_what_installs_it(self):
        told = self.dev("kafka", "up", "--dir", self.folder.name + "/kafka")
        self.assertEqual(1, told.returncode)
        self.assertIn("Kafka needs Java 17 or later, and there is none", told.stderr)
        told = self.dev("kafka", "up", "--installed", "--dir", self.folder.name + "/kafka")
        self.assertEqual(77, told.returncode)
        self.assertIn("skipped: there is no Java 17 or later", told.stdout)
        self.stand_in("java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
        self.assertEqual(77, self.dev("kafka", "up", "--installed", "--dir", self.folder.name + "/kafka").returncode)

    def test_what_does_not_start_shows_what_it_said_this_time(self):
        site, log = Path(self.folder.name) / "site", Path(self.folder.name) / "site/smsflowd.log"
        site.mkdir()
        log.write_text("an error of yesterday\n")
        (self.bin / "bin").mkdir()
        self.stand_in("bin/smsflowd", "echo listen.grpc: is the port taken? >&2; exit 78")
        told = subprocess.run(["/bin/bash", "-c", 'set -euo pipefail; source tools/dev.d/say.sh; source tools/dev.d/site.sh; '
                               'start_site "$1"', "start", str(site)], cwd=ROOT, env={"PATH": os.environ["PATH"],
                              "BUILD": str(self.bin)}, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(1, told.returncode)
        self.assertIn("listen.grpc: is the port taken?", told.stderr)
        self.assertNotIn("yesterday", told.stderr)
        self.assertIn("yesterday", log.read_text())


if __name__ == "__main__":
    unittest.main()
