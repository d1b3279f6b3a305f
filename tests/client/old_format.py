"""SMSes sealed as the old system's clients seal them, and a smsflow-gateway that has the old vault, to open them."""

import base64
import datetime
import hashlib
import os
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import pkcs12

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402

TOKEN = "gateway-only-for-this-test"
STORE_PASSWORD = "store-password"


class OldGateway:
    """Of one tenant, with a loopback in place of an SMSC; all of its files lie in the engine's folder."""

    def __init__(self, program, folder, tenant):
        self.program, self.folder, self.tenant = program, folder, tenant
        self.running = None
        self.write("token", (TOKEN + "\n").encode())
        self.write("storepass", (STORE_PASSWORD + "\n").encode())
        private_key = rsa.generate_private_key(65537, 2048)
        self.public_key = private_key.public_key()
        self.write("prod.vault.p12", vault(private_key, tenant))

    def write(self, name, data):
        path = Path(self.folder, name)
        path.write_bytes(data)
        os.chmod(path, 0o600)

    def key(self):
        """For the engine's configuration."""
        return running.key("gateway", TOKEN, ["gateway"], [self.tenant], ["g1"])

    def start(self):
        self.running = running.Process(
            self.program, "--engine", f"unix:{self.folder}/socket", "--token-file", f"{self.folder}/token", "--gateway", "g1",
            "--tenants", self.tenant, "--store", f"{self.folder}/store", "--key", f"{self.folder}/prod.vault.p12",
            "--key-password-file", f"{self.folder}/storepass", "--old-envelopes", "--loopback", "--ballast-mb", "1",
            "--normal-delay-ms", "20", "--long-delay-ms", "60")

    def stop(self):
        self.running.stop()

    def seal(self, text):
        return envelope(self.public_key, f"To: +255123456789\nSender: CLINIC\n\n{text}")


def vault(private_key, alias):
    """A PKCS#12 store as keytool makes one."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, alias)])
    begin = datetime.datetime(2024, 1, 1)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private_key.public_key())
                   .serial_number(1).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=36500))
                   .sign(private_key, hashes.SHA256()))
    return pkcs12.serialize_key_and_certificates(alias.encode(), private_key, certificate, None,
                                                 serialization.BestAvailableEncryption(STORE_PASSWORD.encode()))


def envelope(public_key, text):
    """The old format: a fresh key under RSA-OAEP, the text under AES in CFB mode, and a head that makes it begin with ENC."""
    content_key = os.urandom(32)
    wrapped = public_key.encrypt(content_key, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    plain = text.encode()
    fill = 16 - len(plain) % 16
    cipher = Cipher(algorithms.AES(content_key), modes.CFB(hashlib.md5(content_key).digest())).encryptor()
    head = (0b000100001101000010 << 14 | len(wrapped)).to_bytes(4, "big")
    return base64.b64encode(head + wrapped + cipher.update(plain + bytes([fill]) * fill) + cipher.finalize()).decode()
