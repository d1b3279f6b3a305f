#!/usr/bin/python3
"""Seals an SMS, schedules it, and watches until it has ended: a whole client of smsflow in one file.

    SMSFLOW_ADDRESS=127.0.0.1:7070 SMSFLOW_TOKEN=... client.py --tenant demo --pubkey gateway.jwk \\
        --to +255123456789 --sender CLINIC --text "Your visit is tomorrow at 9"

Needs python3-grpcio, python3-protobuf, python3-cryptography, protobuf-compiler and protobuf-compiler-grpc. The Python
classes of the contracts are made from proto/ when it starts.
"""

import argparse
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROOT = Path(__file__).resolve().parents[2]


def load_contracts(folder):
    """Runs protoc on the contracts and imports what it made."""
    plugin = subprocess.run(["which", "grpc_python_plugin"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["protoc", "-I", ROOT / "proto", f"--python_out={folder}", f"--grpc_python_out={folder}",
                    f"--plugin=protoc-gen-grpc_python={plugin}", "smsflow/v1/scheduler.proto"], check=True)
    sys.path.insert(0, folder)
    from smsflow.v1 import scheduler_pb2, scheduler_pb2_grpc
    return scheduler_pb2, scheduler_pb2_grpc


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def first_key(file):
    """Of a JWK, or of a JWK Set the first that we can seal for: a set may hold keys of other kinds, now or later."""
    try:
        told = json.loads(Path(file).read_text(encoding="utf-8"))
        for jwk in told.get("keys", [told]):
            if jwk.get("use", "enc") == "enc" and jwk.get("crv") == "P-256" and "kid" in jwk:
                return jwk
    except (OSError, ValueError, AttributeError, TypeError):
        raise SystemExit(f"client.py: {file} is no JWK and no JWK Set; smsflow jwks makes one of a PEM") from None
    raise SystemExit(f"client.py: {file} holds no key that can be sealed for")


def seal(jwk, tenant, key, number, sender, text):
    """JWE compact, ECDH-ES on P-256 with A256GCM: only the gateway opens it, and only for this tenant and key."""
    curve = ec.SECP256R1()
    gateway = ec.EllipticCurvePublicNumbers(int.from_bytes(from_base64url(jwk["x"]), "big"),
                                            int.from_bytes(from_base64url(jwk["y"]), "big"), curve).public_key()
    ephemeral = ec.generate_private_key(curve)
    point = ephemeral.public_key().public_numbers()
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": "sms+jwe", "kid": jwk["kid"], "sub": f"{tenant}/{key}",
              "epk": {"kty": "EC", "crv": "P-256", "x": base64url(point.x.to_bytes(32, "big")),
                      "y": base64url(point.y.to_bytes(32, "big"))}}
    protected = base64url(json.dumps(header).encode())

    def number32(value):
        return value.to_bytes(4, "big")

    agreed = ephemeral.exchange(ec.ECDH(), gateway)
    content_key = hashlib.sha256(number32(1) + agreed + number32(7) + b"A256GCM" + number32(0) + number32(0) +
                                 number32(256)).digest()
    plain = f"To: {number}\nSender: {sender}\n\n{text}".encode()
    plain += bytes(-len(plain) % 64)  # so that its length tells less
    iv = os.urandom(12)
    sealed = AESGCM(content_key).encrypt(iv, plain, protected.encode())
    return ".".join([protected, "", base64url(iv), base64url(sealed[:-16]), base64url(sealed[-16:])])


def connect(address, ca):
    """Plaintext on this machine, TLS everywhere else."""
    host = address.rsplit(":", 1)[0]
    if not ca and (address.startswith("unix:") or host in ("localhost", "[::1]") or host.startswith("127.")):
        return grpc.insecure_channel(address)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(Path(ca).read_bytes() if ca else None))


def schedule(scheduler, pb, credential, request):
    """Repeats safely: with the same idempotency key the SMS is scheduled once, however often this is sent."""
    for attempt in range(5):
        try:
            return scheduler.Schedule(request, metadata=credential, timeout=10)
        except grpc.RpcError as error:
            worth_it = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
                                        grpc.StatusCode.RESOURCE_EXHAUSTED)
            if not worth_it or attempt == 4:
                raise
            time.sleep(0.5 * 2 ** attempt)


def watch_until_ended(scheduler, pb, credential, sms_id, key, timeout):
    """Every transition of the SMS; a List gives the token from which Watch goes on without a gap."""
    going_on = (pb.PENDING, pb.IN_SLOT, pb.SENT)
    wanted = pb.Filter(key=key)
    listed = scheduler.List(pb.ListRequest(filter=wanted, page_size=1000), metadata=credential, timeout=10)
    state = next(sms.state for sms in listed.items if sms.id == sms_id)
    token = listed.watch_token
    print(f"now {pb.SmsState.Name(state)}")
    deadline = time.monotonic() + timeout
    while state in going_on:
        try:
            left = deadline - time.monotonic()
            stream = scheduler.Watch(pb.WatchRequest(filter=wanted, token=token), metadata=credential, timeout=max(left, 0.1))
            for response in stream:
                for transition in response.transitions:
                    if transition.id != sms_id:
                        continue
                    state = transition.to
                    print(f"{pb.SmsState.Name(transition.to)}  {transition.event}  {transition.cause}".rstrip())
                token = response.token
                if state not in going_on:
                    break
            stream.cancel()
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                raise
            time.sleep(0.5)  # the server restarts: go on from the last token
    return state


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default=os.environ.get("SMSFLOW_ADDRESS", "127.0.0.1:7070"))
    parser.add_argument("--ca", default=os.environ.get("SMSFLOW_CA", ""))
    parser.add_argument("--tenant", default=os.environ.get("SMSFLOW_TENANT"), required="SMSFLOW_TENANT" not in os.environ)
    parser.add_argument("--pubkey", required=True, help="the gateway's key, of P-256: a JWK or a JWK Set")
    parser.add_argument("--to", required=True)
    parser.add_argument("--sender", default="smsflow")
    parser.add_argument("--text", required=True)
    parser.add_argument("--key", default=str(uuid.uuid4()), help="your own name of this SMS")
    parser.add_argument("--timeout", type=float, default=60)
    arguments = parser.parse_args()
    credential = (("authorization", "Bearer " + os.environ.get("SMSFLOW_TOKEN", "")),
                  ("smsflow-tenant", arguments.tenant))
    with tempfile.TemporaryDirectory() as folder, connect(arguments.address, arguments.ca) as channel:
        pb, pb_grpc = load_contracts(folder)
        scheduler = pb_grpc.SchedulerStub(channel)
        now = int(time.time())
        payload = seal(first_key(arguments.pubkey), arguments.tenant, arguments.key, arguments.to,
                       arguments.sender, arguments.text)
        answer = schedule(scheduler, pb, credential, pb.ScheduleRequest(
            key=arguments.key, target=arguments.key, schedule=f"{now}-{now + 600}", payload=payload.encode(),
            idempotency_key=arguments.key))
        print(f"scheduled {uuid.UUID(bytes=answer.id)}")
        state = watch_until_ended(scheduler, pb, credential, answer.id, arguments.key, arguments.timeout)
        return 0 if state == pb.DELIVERED else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except grpc.RpcError as failure:
        sys.exit(f"client.py: {failure.code().name}: {failure.details()}")
