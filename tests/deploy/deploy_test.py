"""What deploy/ says of the programs is so: the names of metrics, the flags, the libraries, the hardening.

usage: deploy_test.py SMSFLOWD SMSFLOW SMSFLOW-GATEWAY; from the root of the sources.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from metrics_site import MetricsSite

GATEWAY, SMSFLOW, SMSFLOWD = sys.argv.pop(), sys.argv.pop(), sys.argv.pop()
DEPLOY = Path("deploy")
ALERTS = DEPLOY / "prometheus/smsflow-alerts.yml"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
# Of 100, as systemd-analyze security counts: what a service could still do. Both stand at 1.1 of 10.
EXPOSURE_MOST = 15


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def expressions():
    """(where, PromQL) of every alert and every panel."""
    for number, line in enumerate(ALERTS.read_text(encoding="utf-8").splitlines(), 1):
        if match := re.match(r"\s+expr: (.*)", line):
            yield f"{ALERTS}:{number}", match.group(1)
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]


def dashboard():
    return json.loads((DEPLOY / "grafana/smsflow.json").read_text(encoding="utf-8"))


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with MetricsSite(SMSFLOWD, SMSFLOW) as site:
            cls.metrics = site.metrics_after_an_unknown()

    def test_every_name_in_an_expression_is_a_metric(self):
        read = list(expressions())
        self.assertGreater(len(read), 20)
        for where, expression in read:
            for name in re.findall(r"\bsmsflow_\w+", expression):
                self.assertIn(name, self.metrics, where)

    def test_every_label_in_an_expression_is_one_of_its_metric(self):
        seen = 0
        for where, expression in expressions():
            names = re.findall(r"\bsmsflow_\w+", expression)
            labels = set().union(*(self.metrics[name] for name in names)) if names else set()
            for by in re.findall(r"by \(([^)]*)\)", expression):
                for label in by.replace(" ", "").split(","):
                    self.assertIn(label, labels, where)
                    seen += 1
            for name, label, value in re.findall(r'(smsflow_\w+)\{(\w+)="(\w+)"\}', expression):
                self.assertIn(value, self.metrics[name].get(label, ()), where)
                seen += 1
        self.assertGreater(seen, 3)


class DashboardTest(unittest.TestCase):
    def test_no_two_panels_share_a_number_or_a_place(self):
        numbers, places = set(), set()
        for panel in dashboard()["panels"]:
            self.assertNotIn(panel["id"], numbers)
            numbers.add(panel["id"])
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & places, panel["title"])
            self.assertLessEqual(max(x for x, _ in cells), 23, panel["title"])
            places |= cells


class AlertsTest(unittest.TestCase):
    def setUp(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool (Debian's package prometheus) is not installed")

    def test_the_rules_are_rules(self):
        told = run("promtool", "check", "rules", str(ALERTS))
        self.assertEqual(0, told.returncode, told.stdout + told.stderr)

    def test_each_fires_when_it_should_and_only_then(self):
        told = run("promtool", "test", "rules", "tests/deploy/alerts_test.yml")
        self.assertEqual(0, told.returncode, told.stdout + told.stderr)


class UnitsTest(unittest.TestCase):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze (Debian's package systemd) is not installed")
        self.temporary = tempfile.TemporaryDirectory()
        for unit in UNITS:
            text = unit.read_text(encoding="utf-8")
            # Where they will lie, nothing lies yet.
            for program in (SMSFLOWD, GATEWAY):
                text = text.replace(f"/usr/bin/{Path(program).name} ", f"{program} ")
            Path(self.temporary.name, unit.name).write_text(text, encoding="utf-8")

    def tearDown(self):
        if hasattr(self, "temporary"):
            self.temporary.cleanup()

    def test_systemd_understands_each_line(self):
        self.assertEqual(2, len(UNITS))
        told = run("systemd-analyze", "verify", "--man=no", *(f"{self.temporary.name}/{unit.name}" for unit in UNITS))
        self.assertEqual((0, ""), (told.returncode, told.stderr))

    def test_the_services_may_do_little(self):
        for unit in UNITS:
            told = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MOST}", str(unit))
            self.assertEqual(0, told.returncode, told.stdout[-300:] + told.stderr)


class UnitFlagsTest(unittest.TestCase):
    def test_the_flags_of_each_start_are_flags_of_the_program(self):
        for unit in UNITS:
            line = re.search(r"^ExecStart=(.*?)(?<!\\)\n", unit.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE).group(1)
            program = {"smsflowd": SMSFLOWD, "smsflow-gateway": GATEWAY}[Path(line.split()[0]).name]
            told = run(program, "--help").stdout
            flags = re.findall(r"--[\w-]+", line)
            self.assertTrue(flags, unit)
            for flag in flags:
                self.assertRegex(told, rf"{flag}\b", unit)

    def test_no_service_stays_down_for_a_disk_that_was_full_for_long(self):
        for unit in UNITS:
            text = unit.read_text(encoding="utf-8")
            self.assertIn("\nRestart=on-failure\n", text, unit)
            self.assertIn("\nStartLimitIntervalSec=0\n", text, unit)
            self.assertNotRegex(text, r"RestartPreventExitStatus=.*\b75\b", unit)

    def test_the_keys_of_the_gateway_s_example_are_flags(self):
        told = run(GATEWAY, "--help").stdout
        keys = re.findall(r"^(?:# )?(\w+) = ", (DEPLOY / "smsflow-gateway.toml").read_text(encoding="utf-8"), re.MULTILINE)
        self.assertGreater(len(keys), 2)
        self.assertIn("smsc", keys)
        for key in keys:
            self.assertRegex(told, rf"--{key.replace('_', '-')}\b")

    def test_the_files_of_the_gateway_s_example_are_credentials_of_its_unit(self):
        """With DynamicUser it can read nothing else of root's."""
        unit = (DEPLOY / "systemd/smsflow-gateway.service").read_text(encoding="utf-8")
        names = re.findall(r'"/run/credentials/smsflow-gateway\.service/([\w.]+)"',
                           (DEPLOY / "smsflow-gateway.toml").read_text(encoding="utf-8"))
        self.assertEqual({"smsc.toml", "smsc.password"}, set(names))
        for name in names:
            self.assertRegex(unit, rf"(?m)^#?LoadCredential={re.escape(name)}:/etc/smsflow/{re.escape(name)}$")


class ComposeTest(unittest.TestCase):
    """The containers cannot be started here; what they are told can be looked up."""

    text = (DEPLOY / "compose/compose.yml").read_text(encoding="utf-8")

    def test_the_flags_of_each_program_are_its_own(self):
        command = re.search(r"smsflow-gateway\"\]\n    command: \[(.*?)\]\n", self.text, re.DOTALL).group(1)
        told = run(GATEWAY, "--help").stdout
        flags = re.findall(r"--[\w-]+", command)
        self.assertGreater(len(flags), 5)
        for flag in flags:
            self.assertRegex(told, rf"{flag}\b")
        told = run(SMSFLOW, "doctor", "--help").stdout
        for flag in re.findall(r"smsflow doctor .*", self.text)[-1].split("|")[0].split():
            if flag.startswith("--"):
                self.assertIn(flag, told)

    def test_the_engine_takes_its_configuration_and_meets_the_gateway_on_one_broker(self):
        told = run(SMSFLOWD, "--config", str(DEPLOY / "compose/smsflowd.toml"), "--print-config")
        self.assertEqual(0, told.returncode, told.stderr)
        servers = re.search(r'servers = "(.*)"', (DEPLOY / "compose/smsflowd.toml").read_text(encoding="utf-8")).group(1)
        self.assertIn(f"KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://{servers}", self.text)
        self.assertIn(f'"--kafka", "{servers}", "--gateway", "loopback"', self.text)

    def test_what_it_mounts_is_there_and_every_volume_is_named(self):
        for mounted in re.findall(r"- \./(\S+?):", self.text):
            self.assertTrue((DEPLOY / "compose" / mounted).is_file())
        named = set(re.findall(r"^  (\w+):$", self.text.split("\nvolumes:\n")[1], re.MULTILINE))
        used = set(re.findall(r'(?:- |\[")(\w+):/', self.text))
        self.assertEqual(named, used)


class ImageTest(unittest.TestCase):
    """The container file cannot be built here; what it names can be looked up."""

    dockerfile = (DEPLOY / "container/Dockerfile").read_text(encoding="utf-8")

    def test_what_it_copies_is_there(self):
        sources = re.findall(r"/src/(\S+)", self.dockerfile)
        self.assertIn("deploy/container/install-libraries", sources)
        built = set(re.search(r"tools/dev build (.*?) &&", self.dockerfile).group(1).split())
        for source in sources:
            if source.startswith("build/bin/"):
                self.assertIn(Path(source).name, built)
            else:
                self.assertTrue(Path(source).stat().st_mode & 0o100, f"{source} cannot be run")

    def test_its_libraries_are_those_that_the_programs_load(self):
        listed = re.search(r"--no-install-recommends (.*?)\nrm", (DEPLOY / "container/install-libraries").read_text(), re.DOTALL)
        there = closure(set(listed.group(1).replace("\\", "").split()))
        paths = set()
        for program in (SMSFLOWD, SMSFLOW, GATEWAY):
            paths |= set(re.findall(r"=> (/\S+)", run("ldd", program).stdout))
        loaded = owners(paths)
        self.assertGreater(len(loaded), 10)
        # Of GCC; a sanitizer's library comes with it, and is in no image.
        sanitizers = {"libasan8", "libubsan1", "libtsan2"}
        self.assertEqual(set(), loaded - there - sanitizers)


def owners(paths):
    """The packages that libraries are of; dpkg may know /usr/lib/… under /lib/…, the name it was packed with."""
    names = {path: {p.replace("/usr/lib/", "/lib/") for p in (path, str(Path(path).resolve()))} for path in paths}
    names = {path: some | {"/usr" + name for name in some} for path, some in names.items()}
    told = run("dpkg", "-S", *sorted(set().union(*names.values()))).stdout
    package = {line.split(": ", 1)[1]: line.split(":")[0] for line in told.splitlines()}
    found = {path: {package[name] for name in some if name in package} for path, some in names.items()}
    assert all(found.values()), f"of no package: {[path for path, some in found.items() if not some]}"
    return set().union(*found.values())


def closure(packages):
    """They, what they pull in, and what is on every Debian."""
    fields = "${Package}\t${Essential}\t${Pre-Depends}, ${Depends}\n"
    depends, essential = {}, set()
    for line in run("dpkg-query", "-W", "-f", fields).stdout.splitlines():
        name, is_essential, wants = line.split("\t")
        depends.setdefault(name, set()).update(re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]*)", wants))
        if is_essential == "yes":
            essential.add(name)
    found, new = set(), packages | essential
    while new:
        found |= new
        new = set().union(*(depends.get(name, set()) for name in new)) - found
    return found


if __name__ == "__main__":
    unittest.main()
