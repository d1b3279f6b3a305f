"""What the old system's shell clients ask with curl, against smsflowd and smsflow-gateway: old_clients_test.py SMSFLOWD
SMSFLOW_GATEWAY.

Each row is one of their scripts. The SMS of the whole life is in the old format, sealed here as they seal it, and opened by a
gateway that has the old vault.
"""

import base64
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import pkcs12

SMSFLOWD, GATEWAY = (Path(argument).resolve() for argument in sys.argv[1:3])
PASSWORD = "clinic-password"
GATEWAY_TOKEN = "gateway-only-for-this-test"
CONFIG = """
data = "{folder}/data"
shards = 4
[listen]
grpc = "unix:{folder}/socket"
metrics = ""
rest = "127.0.0.1:0"
plaintext = true
[engine]
ballast = "1MB"
[delivery]
max_jitter = "0s"
[[key]]
name = "ward7"
sha256 = "{digest}"
role = "client"
tenants = ["clinic"]
[[key]]
name = "gateway"
sha256 = "{gateway}"
role = "gateway"
tenants = ["clinic"]
gateways = ["g1"]
"""


def old_vault(folder, alias):
    """A PKCS#12 store as keytool makes one, its password beside it; and its key."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, alias)])
    begin = datetime.datetime(2024, 1, 1)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(1).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=36500))
                   .sign(key, hashes.SHA256()))
    Path(folder, "prod.vault.p12").write_bytes(pkcs12.serialize_key_and_certificates(
        alias.encode(), key, certificate, None, serialization.BestAvailableEncryption(PASSWORD.encode())))
    Path(folder, "storepass").write_text(PASSWORD + "\n", encoding="utf-8")
    for name in ("prod.vault.p12", "storepass"):
        os.chmod(Path(folder, name), 0o600)
    return key


def old_envelope(public_key, text):
    """The old format: a fresh key under RSA-OAEP, the text under AES in CFB mode, and a head that makes it begin with ENC."""
    content_key = os.urandom(32)
    wrapped = public_key.encrypt(content_key, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    plain = text.encode()
    fill = 16 - len(plain) % 16
    cipher = Cipher(algorithms.AES(content_key), modes.CFB(hashlib.md5(content_key).digest())).encryptor()
    head = (0b000100001101000010 << 14 | len(wrapped)).to_bytes(4, "big")
    return base64.b64encode(head + wrapped + cipher.update(plain + bytes([fill]) * fill) + cipher.finalize()).decode()


class OldClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = temporary.name
        cls.public_key = old_vault(cls.folder, "clinic").public_key()
        Path(cls.folder, "smsflow.toml").write_text(
            CONFIG.format(folder=cls.folder, digest=hashlib.sha256(PASSWORD.encode()).hexdigest(),
                          gateway=hashlib.sha256(GATEWAY_TOKEN.encode()).hexdigest()), encoding="utf-8")
        Path(cls.folder, "token").write_text(GATEWAY_TOKEN + "\n", encoding="utf-8")
        os.chmod(Path(cls.folder, "token"), 0o600)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SMSFLOW_")}
        engine = cls.start([SMSFLOWD, "--config", f"{cls.folder}/smsflow.toml"], kept)
        cls.rest = re.search(r"rest=(\S+)", engine.stdout.readline()).group(1)
        cls.start([GATEWAY, "--engine", f"unix:{cls.folder}/socket", "--token-file", f"{cls.folder}/token", "--gateway",
                   "g1", "--tenants", "clinic", "--store", f"{cls.folder}/store", "--key", f"{cls.folder}/prod.vault.p12",
                   "--key-password-file", f"{cls.folder}/storepass", "--old-envelopes", "--loopback", "--ballast-mb", "1",
                   "--normal-delay-ms", "20", "--long-delay-ms", "60"], kept)

    @classmethod
    def start(cls, words, environment):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
        cls.addClassCleanup(process.stdout.close)
        cls.addClassCleanup(process.wait, timeout=60)
        cls.addClassCleanup(process.terminate)
        return process

    def curl(self, *words, user="ward7"):
        done = subprocess.run(["curl", "-sS", "-m", "60", "-u", f"{user}:{PASSWORD}", "-w", "\n%{http_code}", *words[:-1],
                               f"http://{self.rest}{words[-1]}"], capture_output=True, text=True, timeout=90, check=True)
        body, code = done.stdout.rsplit("\n", 1)
        return int(code), body

    def schedule(self, text="S1D1", **fields):
        body = dict({"schedule": "4000000000-4000000600",
                     "payload": old_envelope(self.public_key, f"To: +255123456789\nSender: CLINIC\n\n{text}")}, **fields)
        code, answer = self.curl("-X", "POST", "-H", "Content-Type: application/json", "--data-binary", json.dumps(body),
                                 "/schedule/clinic")
        self.assertEqual(code, 200, answer)
        return json.loads(answer)

    def test_a_whole_life_in_the_old_format(self):
        now = int(time.time())
        for text, end in (("S1D1", "DELIVERED"), ("S0I1", "INVALID")):
            sms = self.schedule(text, schedule=f"{now}-{now + 600}", key=f"life-{end}")
            until = time.monotonic() + 60
            while sms["status"] != end and time.monotonic() < until:
                code, answer = self.curl(f"/schedule/clinic/by-id/{sms['id']}")
                self.assertEqual(code, 200)
                sms = json.loads(answer)
            self.assertEqual((sms["status"], sms["key"], sms["retries"]), (end, f"life-{end}", 0))
            self.assertIsNotNone(sms["ended"])

    def test_every_script_that_schedules_lists_cancels_and_blocks(self):
        one = self.schedule(batch="b1", key="k1", target="t1")
        self.assertEqual({name: one[name] for name in ("client", "batch", "key", "target", "status", "retries", "user")},
                         {"client": "clinic", "batch": "b1", "key": "k1", "target": "t1", "status": "SCHEDULED", "retries": 0,
                          "user": "ward7"})
        for batch, key, target in (("b2", "k2", "t2"), ("b2", "k3", "t3"), ("b4", "k4", "t4"), ("b5", "k5", "t5")):
            self.schedule(batch=batch, key=key, target=target)
        for script, words, status, says in (
                ("schedule-get", [f"/schedule/clinic/by-id/{one['id']}"], 200, r'^\{"id":"' + one["id"]),
                ("schedule-list", ["/schedule/clinic"], 200, r'^\[\{.*"k5"'),
                ("schedule-list-batch", ["/schedule/clinic/by-batch/b2"], 200, r'^\[\{.*"k2".*"k3".*\}\]$'),
                ("schedule-list-bizkey", ["/schedule/clinic/by-key/k1"], 200, r'^\[\{[^{]*"k1"[^{]*\}\]$'),
                ("schedule-list-target", ["/schedule/clinic/by-target/t4"], 200, r'^\[\{[^{]*"k4"[^{]*\}\]$'),
                ("schedule-list-batch of nothing", ["/schedule/clinic/by-batch/none"], 200, r"^\[\]$"),
                ("cancel", ["-X", "DELETE", f"/schedule/clinic/by-id/{one['id']}"], 200, "^$"),
                ("schedule-get after it", [f"/schedule/clinic/by-id/{one['id']}"], 200, '"status":"CANCELED"'),
                ("cancel-batch", ["-X", "DELETE", "/schedule/clinic/by-batch/b2"], 200, "^$"),
                ("schedule-list-batch after it", ["/schedule/clinic/by-batch/b2"], 200, '"CANCELED".*"CANCELED"'),
                ("cancel-bizkey", ["-X", "DELETE", "/schedule/clinic/by-key/k4"], 200, "^$"),
                ("cancel-target", ["-X", "DELETE", "/schedule/clinic/by-target/t4"], 200, "^$"),
                ("cancel-all, unsure", ["-X", "DELETE", "/schedule/clinic?confirm=no"], 403, '"status":403'),
                ("cancel-all, unasked", ["-X", "DELETE", "/schedule/clinic"], 400, '"status":400'),
                ("cancel-all", ["-X", "DELETE", "/schedule/clinic?confirm=yes-i-am-sure"], 200, "^$"),
                ("schedule-list-bizkey after it", ["/schedule/clinic/by-key/k5"], 200, '"status":"CANCELED"'),
                ("block-check", ["/block/clinic/t9"], 404, '"status":404'),
                ("block", ["-X", "PUT", "/block/clinic/t9"], 200, "^$"),
                ("block again", ["-X", "PUT", "/block/clinic/t9"], 200, "^$"),
                ("block-check after it", ["/block/clinic/t9"], 200, "^$"),
                ("block-list", ["/block/clinic"], 200, "^t9\n$"),
                ("unblock", ["-X", "DELETE", "/block/clinic/t9"], 200, "^$"),
                ("block-list after it", ["/block/clinic"], 200, "^\n$"),
                ("schedule-list of another's", ["/schedule/other"], 403, '"status":403')):
            with self.subTest(script):
                code, body = self.curl(*words)
                self.assertEqual(code, status, body)
                self.assertRegex(body, re.compile(says, re.DOTALL))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
