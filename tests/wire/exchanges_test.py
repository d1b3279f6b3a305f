"""Asks what rest.txt asks, one after the other, and compares the answers with what stands there.

exchanges_test.py SMSFLOWD SMSFLOW; with SMSFLOW_REWRITE=1 the answers are written anew, to be read before they are
believed. What is made for the run is masked: <id> an id, <time> a time, <text> a message, <version>; `$name` in a request
is what was kept under that name, `seal(…)` a sealed SMS.
"""

import json
import os
import re
import sys
import time
import unittest
from pathlib import Path

from rest_server import RestServer, request

SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
PAGE = Path(__file__).with_name("rest.txt")
SHOWN = ("www-authenticate", "allow", "accept", "content-type", "retry-after", "smsflow-outcome")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r'"20[2-8]\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}\+00:00|Z)"')


def mask(text):
    text = UUID.sub("<id>", text)
    text = TIME.sub('"<time>"', text)
    text = re.sub(r'("message":)"(?:[^"\\]|\\.)*"', r'\1"<text>"', text)
    return re.sub(r'("version":)"[^"]*"', r'\1"<version>"', text)


def show(answer):
    lines = [f"STATUS {answer.status}"]
    lines += [f"{name}: {answer.headers[name]}" for name in SHOWN if name in answer.headers]
    body = mask(answer.body)
    if body == "\n":
        body = "<an empty line>\n"
    if body and not body.endswith("\n"):
        body += "<no newline>\n"
    return "\n".join(lines) + "\nBODY\n" + body


class Exchange:
    """### name, - rule, $ request, then the answer."""

    def __init__(self, text):
        lines = text.split("\n")
        self.name = lines[0]
        self.rules = [line for line in lines if line.startswith("- ")]
        self.asks = [line for line in lines if line.startswith(("$ ", "> "))]
        self.answer = text[text.index("\nSTATUS") + 1:] if "\nSTATUS" in text else ""

    def write(self, answer):
        return "\n".join([f"### {self.name}", *self.rules, *self.asks]) + "\n" + answer


def read_page():
    head, *blocks = re.split(r"(?m)^### ", PAGE.read_text(encoding="utf-8"))
    return head, [Exchange(block.rstrip("\n") + "\n") for block in blocks]


class Exchanges(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = RestServer(SMSFLOWD, SMSFLOW)
        cls.kept = {}

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def fill(self, text):
        text = re.sub(r"seal\((\w+),(\w+)\)", lambda match: self.server.seal(match[1], match[2]), text)
        now = int(time.time())
        text = text.replace("<now>", f"{now - 5}-{now + 3600}")
        return re.sub(r"\$(\w+)", lambda match: self.kept.get(match[1], match[0]), text)

    def ask(self, line):
        """`USER METHOD PATH [TYPE] [HEADER: VALUE] [BODY]`, the parts between ` | `."""
        parts = [self.fill(part) for part in line.split(" | ")]
        user, method, path = parts[0].split(" ")
        headers = [part for part in parts[1:-1]]
        body = parts[-1].encode() if len(parts) > 1 else None
        # SMSes are listed in the order of their milliseconds: two of one would have none.
        begun_ms = time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 == begun_ms:
            pass
        with self.server.connect() as client:
            client.send(request(method, path, None if user == "-" else user, body, headers))
            return client.read(method == "HEAD")

    def until(self, line, wanted):
        end = time.monotonic() + 60
        answer = self.ask(line)
        while wanted not in answer.body and time.monotonic() < end:
            answer = self.ask(line)
        return answer

    def run_one(self, exchange):
        answer = None
        for ask in exchange.asks:
            line = ask[2:]
            keep = re.search(r" => (\w+)$", line)
            wait = re.search(r" \.\.\. (\w+)$", line)
            line = re.sub(r" (=>|\.\.\.) \w+$", "", line)
            answer = self.until(line, wait[1]) if wait else self.ask(line)
            if keep:
                self.kept[keep[1]] = json.loads(answer.body)["id"]
        return show(answer)

    def test_every_exchange_is_as_it_is_written(self):
        head, exchanges = read_page()
        written = head
        for exchange in exchanges:
            answer = self.run_one(exchange)
            written += exchange.write(answer) + "\n"
            if "SMSFLOW_REWRITE" not in os.environ:
                with self.subTest(exchange.name):
                    self.assertTrue(exchange.rules, "it cites no rule")
                    self.assertEqual(exchange.answer, answer)
        if "SMSFLOW_REWRITE" in os.environ:
            PAGE.write_text(written.rstrip("\n") + "\n", encoding="utf-8")

    def test_the_mask_hides_only_what_differs(self):
        self.assertEqual(mask('{"due":"2096-10-02T07:06:40Z","message":"a \\"b\\""}'),
                         '{"due":"2096-10-02T07:06:40Z","message":"<text>"}')


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
