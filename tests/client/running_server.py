"""A smsflowd with its loopback gateway, for the length of a test, and the credentials to speak to it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import running  # noqa: E402

DELIVERY = """[delivery]
max_jitter = "0s"
max_attempts = 2
wait_after_fail = "100ms"
"""
CLIENT_TOKEN = "client-only-for-this-test"
ADMIN_TOKEN = "admin-only-for-this-test"


class RunningServer(running.Engine):
    def __init__(self, smsflowd, smsflow, more=""):
        """`more`: of the configuration, whole sections."""
        super().__init__(smsflowd, smsflow)
        self.configure(DELIVERY + running.key("client", CLIENT_TOKEN, ["client"], ["demo", "other"]) +
                       running.key("root", ADMIN_TOKEN, ["admin"]) + more, loopback=True)
        self.start()
