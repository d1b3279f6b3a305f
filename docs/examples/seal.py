#!/usr/bin/python3
"""Seals an SMS for a gateway, and prints the envelope: what a client in Python needs to do, and nothing else.

    seal.py --jwks gateway.jwks --tenant demo --key visit-17 --to +255123456789 --sender CLINIC --text "Come on Monday"

Needs python3-cryptography. The envelope is the payload of the SMS that is then scheduled under the same tenant and key.
"""

import argparse
import base64
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def agree(jwk, header):
    """ECDH-ES: a fresh key pair for this envelope; its public half travels in the header, the content key does not."""
    curve = ec.SECP256R1()
    gateway = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), curve).public_key()
    ephemeral = ec.generate_private_key(curve)
    point = ephemeral.public_key().public_numbers()
    header["epk"] = {"kty": "EC", "crv": "P-256", "x": base64url(point.x.to_bytes(32, "big")),
                     "y": base64url(point.y.to_bytes(32, "big"))}
    # The lengths and values of: the algorithm, who seals (nobody says), who opens (nobody says); the key's length in bits.
    about = b"\0\0\0\x07A256GCM" + b"\0\0\0\0" + b"\0\0\0\0" + (256).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), 32, about).derive(ephemeral.exchange(ec.ECDH(), gateway)), b""


def wrap(jwk):
    """RSA-OAEP-256: a random content key, sealed for the gateway's."""
    gateway = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
    content_key = os.urandom(32)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return content_key, gateway.encrypt(content_key, oaep)


def seal(jwk, tenant, key, to, sender, text):
    """JWE compact. It opens for the SMS of this tenant and key alone."""
    header = {"alg": "ECDH-ES" if jwk["kty"] == "EC" else "RSA-OAEP-256", "enc": "A256GCM", "typ": "sms+jwe",
              "kid": jwk["kid"], "sub": f"{tenant}/{key}"}
    content_key, encrypted_key = agree(jwk, header) if jwk["kty"] == "EC" else wrap(jwk)
    protected = base64url(json.dumps(header).encode())
    sms = f"To: {to}\n" + (f"Sender: {sender}\n" if sender else "") + f"\n{text}"
    plain = sms.encode()
    plain += bytes(-len(plain) % 64)  # so that its length tells less
    iv = os.urandom(12)
    sealed = AESGCM(content_key).encrypt(iv, plain, protected.encode())
    return ".".join([protected, base64url(encrypted_key), base64url(iv), base64url(sealed[:-16]), base64url(sealed[-16:])])


def first_key(file):
    """Of a JWK, or of a JWK Set the first that we can seal for: a set may hold keys of other kinds, now or later."""
    try:
        told = json.loads(Path(file).read_text(encoding="utf-8"))
        for jwk in told.get("keys", [told]):
            if jwk.get("use", "enc") == "enc" and (jwk.get("kty") == "RSA" or jwk.get("crv") == "P-256") and "kid" in jwk:
                return jwk
    except (OSError, ValueError, AttributeError, TypeError):
        raise SystemExit(f"seal.py: {file} is no JWK and no JWK Set; smsflow jwks makes one of a PEM") from None
    raise SystemExit(f"seal.py: {file} holds no key that can be sealed for")


def main():
    parser = argparse.ArgumentParser(description="Seals an SMS for a gateway.")
    parser.add_argument("--jwks", required=True, help="the gateway's published keys, a file: a JWK Set, or a JWK alone")
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--key", default="", help="the key that it will be scheduled with; may be none")
    parser.add_argument("--to", required=True)
    parser.add_argument("--sender", default="")
    parser.add_argument("--text", required=True)
    told = parser.parse_args()
    jwk = first_key(told.jwks)
    print(seal(jwk, told.tenant, told.key, told.to, told.sender, told.text))


if __name__ == "__main__":
    main()
