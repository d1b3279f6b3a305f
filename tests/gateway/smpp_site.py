"""An engine, a gateway and an SMSC as three processes that meet over gRPC and SMPP alone, for the length of a test.

The SMSC is the simulator; what it was given stands in its own log, whatever engine and gateway believe.
"""

import datetime
import ipaddress
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402

ENGINE = running.BASE + """
[delivery]
max_jitter = "0s"
max_attempts = {attempts}
wait_after_fail = "200ms"
ack_send_timeout = "{patience}s"
ack_receipt_timeout = "{patience}s"
probe = "1s"
"""
SMSC = """
[[smsc]]
name = "sim"
host = "127.0.0.1"
port = {port}
system_id = "demo"
window = {window}
again_least_ms = 50
again_most_ms = 400
throttle_least_ms = 20
response_ms = 3000
drain_ms = 1000
"""
CLIENT_TOKEN = "client-only-for-this-test"
GATEWAY_TOKEN = "gateway-only-for-this-test"


class Site:
    """`programs` is the folder of smsflowd, smsflow, smsflow-gateway and smsflow-smsc."""

    def __init__(self, programs, script="", window=10, attempts=2, patience=60):
        self.programs = Path(programs)
        self.temporary = tempfile.TemporaryDirectory(prefix="smsflow-smpp-")
        self.folder = self.temporary.name
        self.processes = {}
        self.truth_files = 0
        self.held = socket.socket()  # bound from now on, so that nobody else gets the port while the SMSC is away
        self.held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.held.bind(("127.0.0.1", 0))
        self.port = self.held.getsockname()[1]
        self.window = window
        self.run("smsflow", "keygen", f"{self.folder}/gateway", check=True)
        self.write("engine.toml", ENGINE.format(folder=self.folder, attempts=attempts, patience=patience, shards=64, metrics="",
                                                rest="") +
                   running.key("client", CLIENT_TOKEN, ["client", "admin"], ["demo"]) +
                   running.key("gateway", GATEWAY_TOKEN, ["gateway"], ["demo"], ["g1"]))
        self.write("token", GATEWAY_TOKEN)
        self.write("script.toml", script)

    def write(self, name, text):
        path = Path(self.folder, name)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def environment(self):
        return running.environment(SMSFLOW_ADDRESS=f"unix:{self.folder}/socket", SMSFLOW_TOKEN=CLIENT_TOKEN,
                                   SMSFLOW_TENANT="demo")

    def run(self, program, *arguments, check=False):
        return subprocess.run([self.programs / program, *arguments], env=self.environment(), check=check, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def start(self, name, program, *arguments):
        with open(f"{self.folder}/{name}.log", "ab") as log:
            self.processes[name] = running.Process(self.programs / program, *arguments, into=log, errors=log)

    def await_line(self, name, text, seconds=60, process=None):
        """Waits for a line in a log; True when it came."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = re.search(text, self.log(name))
            if found:
                return found
            if process is not None and self.processes[process].has_ended():
                break
            time.sleep(0.05)
        raise AssertionError(f"{name} does not say {text!r}; its last words:\n" + self.log(name)[-1500:])

    def log(self, name):
        return Path(self.folder, f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def start_smsc(self, seconds=600, tls=False):
        """On the port of this site; each start has a truth file of its own."""
        more, said = [], ""
        if tls:
            self.make_certificate()
            more = ["--tls-cert", f"{self.folder}/smsc.crt", "--tls-key", f"{self.folder}/smsc.key"]
            said = f'tls = true\nca_file = "{self.folder}/smsc.crt"\n'
        self.truth_files += 1
        name = f"smsc{self.truth_files}"
        self.start(name, "smsflow-smsc", "--script", f"{self.folder}/script.toml", "--truth",
                   f"{self.folder}/truth{self.truth_files}.jsonl", "--listen", f"127.0.0.1:{self.port}",
                   "--seconds", str(seconds), *more)
        self.processes["smsc"] = self.processes.pop(name)
        self.await_line(name, rf"on port {self.port}\b", process="smsc")
        self.write("smsc.toml", SMSC.format(port=self.port, window=self.window) + said)

    def make_certificate(self):
        """Of the SMSC, signed by nobody else."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "smsc")])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                       .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
                       .not_valid_after(now + datetime.timedelta(days=1))
                       .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
                       .sign(key, hashes.SHA256()))
        pem = serialization.Encoding.PEM
        self.write("smsc.crt", certificate.public_bytes(pem).decode())
        self.write("smsc.key", key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode())

    def await_bound(self, seconds=60):
        until = time.monotonic() + seconds
        while not any(event["event"] == "bind" and event["status"] == 0 for event in self.truth()):
            assert time.monotonic() < until, "no gateway is bound:\n" + self.log("gateway")[-1500:]
            time.sleep(0.05)

    def start_engine(self):
        log = Path(self.folder, "engine.log")
        before = log.read_text().count("smsflowd ready") if log.exists() else 0
        self.start("engine", "smsflowd", "--config", f"{self.folder}/engine.toml")
        until = time.monotonic() + 60
        while self.log("engine").count("smsflowd ready") == before:
            assert time.monotonic() < until and not self.processes["engine"].has_ended(), self.log("engine")[-1500:]
            time.sleep(0.02)

    def start_gateway(self, *more):
        self.start("gateway", "smsflow-gateway", "--smsc", f"{self.folder}/smsc.toml", "--engine",
                   f"unix:{self.folder}/socket", "--token-file", f"{self.folder}/token", "--gateway", "g1", "--tenants",
                   "demo", "--key", f"{self.folder}/gateway.key.pem", "--store", f"{self.folder}/store", *more)

    def kill(self, name):
        try:
            self.processes.pop(name).kill()
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}:\n" + self.last_words(name)) from wrong

    def stop(self, name, code=0):
        try:
            self.processes.pop(name).stop(code)
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}:\n" + self.last_words(name)) from wrong

    def last_words(self, name):
        return self.log(f"smsc{self.truth_files}" if name == "smsc" else name)[-1500:]

    def crashed(self):
        """Those of its processes that ended though nobody ended them, a line each."""
        return [f"{process.name} had ended by itself, with {process.wait()}:\n" + self.last_words(name)
                for name, process in self.processes.items() if process.has_ended()]

    def end(self):
        """All of its processes, and leaves its folder."""
        for process in self.processes.values():
            process.end()
        self.held.close()

    def close(self):
        crashed = self.crashed()
        self.end()
        self.temporary.cleanup()
        assert not crashed, "\n".join(crashed)

    def send(self, texts, batch="b", seconds=120, first=0):
        """Schedules SMSes to numbers of their own, due at once."""
        rows = ["key,target,at,to,sender,text"]
        for number, text in enumerate(texts, first):
            rows.append(f"k{number},t{number},+0+{seconds}s,+2557{number:08d},Clinic,{text}")
        name = f"batch{first}.csv"
        self.write(name, "\n".join(rows) + "\n")
        done = self.run("smsflow", "import", f"{self.folder}/{name}", "--batch", batch, "--pubkey",
                        f"{self.folder}/gateway.pub.pem")
        assert done.returncode == 0, done.stdout

    def states(self, batch="b"):
        done = self.run("smsflow", "list", "--batch", batch, "--all", "--json")
        assert done.returncode == 0, done.stdout
        return [sms for line in done.stdout.splitlines() for sms in json.loads(line)["items"]]

    def await_ends(self, ends, count, batch="b", seconds=150):
        """Until `count` SMSes are in one of these states; what they are in else."""
        until = time.monotonic() + seconds
        while True:
            states = [sms["state"] for sms in self.states(batch)]
            if len(states) == count and all(state in ends for state in states):
                return states
            assert time.monotonic() < until, f"not all of {count} ended in {ends}: " + str(
                {state: states.count(state) for state in set(states)}) + "\n" + self.log("gateway")[-1500:]
            time.sleep(0.2)

    def truth(self):
        """All that every SMSC wrote, in order."""
        events = []
        for number in range(1, self.truth_files + 1):
            for line in Path(self.folder, f"truth{number}.jsonl").read_text(encoding="utf-8").splitlines():
                try:
                    events.append(json.loads(line))
                except ValueError:
                    pass  # the last half line of one that was killed
        return events

    def submits(self):
        return self.submits_of(self.truth())

    @staticmethod
    def submits_of(truth):
        """What SMSCs took, by destination: the user data of each."""
        taken = {}
        for event in truth:
            if event["event"] == "submit" and event["status"] == 0:
                taken.setdefault(event["destination"], []).append(event["user_data"])
        return taken
