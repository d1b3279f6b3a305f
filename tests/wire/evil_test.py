"""Clients that mean ill, or that were written in haste, against the real server: evil_test.py SMSFLOWD SMSFLOW.

Each is answered or cut off, and the next one is served.
"""

import json
import sys
import time
import unittest
from pathlib import Path

from rest_server import RestServer, basic, request

SMSFLOWD, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
GOOD = b'{"batch":"evil","schedule":"4000000000-4000000600","payload":"x"}'
JSON = ("Content-Type: application/json",)
AUTH = f"Authorization: {basic('user')}\r\n"

HEAD = "head: is malformed"
LINE = "head: each line must be NAME: VALUE, unfolded, without white space before the colon"
CONTROL = "head: must hold no control characters"
CODING = "transfer-encoding: must be chunked alone"
CHUNKS = "body: its chunks are malformed"
BEGIN = "head: must begin with METHOD PATH VERSION"
ENCODED = "path: must be percent-encoded, and without a fragment"
SEGMENTS = "path: must be segments of printable UTF-8, percent-encoded, and none of them . or .."
METHOD = "method: must be one of those that Allow names"

# (name, what is sent before the blank line, body, status, message): each is refused, and the connection with it.
SMUGGLED = (
    ("a length beside chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", 400, HEAD),
    ("chunks beside a length", "Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n", 400, HEAD),
    ("a length said twice", "Content-Length: 5\r\nContent-Length: 5", b"hello", 400, "content-length: must not be there twice"),
    ("two lengths", "Content-Length: 5\r\nContent-Length: 6", b"hello!", 400, HEAD),
    ("a list of lengths", "Content-Length: 5, 5", b"hello", 400, "content-length: must be digits"),
    ("a length with a sign", "Content-Length: +5", b"hello", 400, HEAD),
    ("a length below zero", "Content-Length: -1", b"", 400, HEAD),
    ("a length beyond all numbers", "Content-Length: 18446744073709551617", b"x", 400, HEAD),
    ("a coding that is not ours", "Transfer-Encoding: gzip", b"x", 501, CODING),
    ("a coding that looks like ours", "Transfer-Encoding: xchunked", b"0\r\n\r\n", 501, CODING),
    ("chunks in chunks", "Transfer-Encoding: chunked, chunked", b"0\r\n\r\n", 501, CODING),
    ("chunks said twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", 400, HEAD),
    ("white space before a colon", "Transfer-Encoding : chunked\r\nContent-Length: 5", b"0\r\n\r\n", 400, LINE),
    ("a folded header", "X-A: b\r\n folded: c\r\nContent-Length: 0", b"", 400, LINE),
    ("a header without a colon", "nonsense\r\nContent-Length: 0", b"", 400, LINE),
    ("a header without a name", ": nonsense\r\nContent-Length: 0", b"", 400, LINE),
    ("a bare line feed", "X-A: b\nContent-Length: 0", b"", 400, CONTROL),
    ("a bare carriage return", "X-A: b\rContent-Length: 0", b"", 400, CONTROL),
    ("a NUL in a header", "X-A: \0\r\nContent-Length: 0", b"", 400, CONTROL),
    ("a second Host", "Host: elsewhere\r\nContent-Length: 0", b"", 400, "host: must be there once"),
    ("a second credential", f"Authorization: {basic('other')}\r\nContent-Length: 0", b"", 400, "authorization: must not be there twice"),
    ("a second idempotency key", "Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0", b"", 400, "idempotency-key: must not be there twice"),
    ("a second tenant", "Smsflow-Tenant: a\r\nSmsflow-Tenant: b\r\nContent-Length: 0", b"", 400, "smsflow-tenant: must not be there twice"),
    ("a chunk without a size", "Transfer-Encoding: chunked", b"x\r\n", 400, CHUNKS),
    ("a chunk longer than it says", "Transfer-Encoding: chunked", b"2\r\nabc\r\n0\r\n\r\n", 400, CHUNKS),
    ("a chunk below zero", "Transfer-Encoding: chunked", b"-1\r\nabc\r\n0\r\n\r\n", 400, CHUNKS),
    ("a trailer that says a length", "Transfer-Encoding: chunked", b"1\r\nx\r\n0\r\nContent-Length: 7\r\n\r\n", 400, "body: its trailer is malformed"),
    ("a packed body", "Content-Encoding: gzip\r\nContent-Length: 3", b"\x1f\x8b\x08", 415, "content-encoding: a body must not be packed"),
    ("an expectation that is none of ours", "Expect: 200-ok\r\nContent-Length: 0", b"", 417, "expect: must be 100-continue"),
)

# (name, request line, status, message): no request line that could be two things.
LINES = (
    ("no version", "GET /schedule/acme", 400, BEGIN),
    ("HTTP/2 in words", "GET /schedule/acme HTTP/2.0", 505, "head: must be of HTTP/1.1 or HTTP/1.0"),
    ("two spaces", "GET  /schedule/acme HTTP/1.1", 400, BEGIN),
    ("a space in the path", "GET /schedule/a cme HTTP/1.1", 400, BEGIN),
    ("a NUL in the path", "GET /schedule/\0 HTTP/1.1", 400, CONTROL),
    ("a fragment", "GET /schedule/acme#x HTTP/1.1", 400, ENCODED),
    ("bytes beyond ASCII", "GET /schedule/\xff HTTP/1.1", 400, ENCODED),
    ("an encoded slash", "GET /schedule/acme%2Fby-batch/x HTTP/1.1", 400, SEGMENTS),
    ("an encoded backslash", "GET /schedule/acme%5cby-batch HTTP/1.1", 400, SEGMENTS),
    ("an encoded NUL", "GET /block/acme/%00 HTTP/1.1", 400, SEGMENTS),
    ("an encoded line feed", "GET /block/acme/a%0Ab HTTP/1.1", 400, SEGMENTS),
    ("a broken escape", "GET /block/acme/%4 HTTP/1.1", 400, SEGMENTS),
    ("no UTF-8", "GET /block/acme/%c3%28 HTTP/1.1", 400, SEGMENTS),
    ("an overlong slash", "GET /block/acme/%c0%af HTTP/1.1", 400, SEGMENTS),
    ("dots", "GET /schedule/../iam HTTP/1.1", 400, SEGMENTS),
    ("encoded dots", "GET /schedule/%2e%2e/iam HTTP/1.1", 400, SEGMENTS),
    ("two slashes", "GET //schedule/acme HTTP/1.1", 404, "path: there is nothing here"),
    ("a star", "OPTIONS * HTTP/1.1", 400, SEGMENTS),
    ("an address instead of a path", "CONNECT localhost:80 HTTP/1.1", 400, SEGMENTS),
    ("a method that is none", "BREW /schedule/acme HTTP/1.1", 405, METHOD),
    ("TRACE", "TRACE /schedule/acme HTTP/1.1", 405, METHOD),
)

# (name, body, what the message names)
BODIES = (
    ("no JSON", b"schedule", "JSON object"),
    ("half of an object", b'{"schedule":"1-2"', "JSON object"),
    ("more than an object", GOOD + b"x", "JSON object"),
    ("two objects", GOOD + GOOD, "JSON object"),
    ("a list", b"[" + GOOD + b"]", "JSON object"),
    ("null", b"null", "JSON object"),
    ("NaN", b'{"schedule":NaN,"payload":"x"}', "JSON object"),
    ("a comment", b'{/* */"schedule":"1-2","payload":"x"}', "JSON object"),
    ("a comma too many", b'{"schedule":"1-2","payload":"x",}', "JSON object"),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, "JSON object"),
    ("no UTF-8 in a body", b'{"schedule":"1-2","payload":"\xff"}', "JSON object"),
    ("an overlong character", b'{"schedule":"1-2","payload":"\xc0\xaf"}', "JSON object"),
    ("half of a surrogate", b'{"schedule":"1-2","payload":"\\ud800"}', "JSON object"),
    ("a control character", b'{"schedule":"1-2","payload":"\x01"}', "JSON object"),
    ("ten thousand lists in each other", b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nest"),
    ("the same member twice", b'{"schedule":"1-2","schedule":"3-4","payload":"x"}', "schedule: must not be there twice"),
    ("a list as payload", b'{"schedule":"1-2","payload":["x"]}', "payload: must be a string"),
    ("a number as payload", b'{"schedule":"1-2","payload":1}', "payload: must be a string"),
    ("an object as batch", b'{"batch":{},"schedule":"1-2","payload":"x"}', "batch: must be a string"),
    ("a number that is none as key", b'{"key":1e400,"schedule":"1-2","payload":"x"}', "key: must be a string"),
    ("an empty payload", b'{"schedule":"1-2","payload":""}', "payload: must not be empty"),
    ("a payload beyond its limit", b'{"schedule":"1-2","payload":"' + b"x" * 16_385 + b'"}', "payload: must be 1 to 16384"),
    ("a batch beyond its limit", b'{"batch":"' + b"b" * 129 + b'","schedule":"1-2","payload":"x"}', "batch: must be 1 to 128"),
    ("a key with a line feed", b'{"key":"a\\nb","schedule":"1-2","payload":"x"}', "key: must be 1 to 128"),
    ("a target with a NUL", b'{"target":"a\\u0000b","schedule":"1-2","payload":"x"}', "target: must be 1 to 128"),
    ("an envelope that is broken", b'{"schedule":"1-2","payload":"eyJhbGciOiJub25lIn0..."}', "payload: "),
    ("slots turned round", b'{"schedule":"20-10","payload":"x"}', "schedule: "),
    ("a slot beyond all numbers", b'{"schedule":"99999999999999999999-1","payload":"x"}', "schedule: "),
    ("sixty-five slots", b'{"schedule":"' + b";".join(b"%d-%d" % (10 * i, 10 * i + 5) for i in range(65)) +
     b'","payload":"x"}', "schedule: "),
    ("a time without an offset", b'{"schedule":"2096-10-02T10:06:40/2096-10-02T10:16:40","payload":"x"}', "schedule: "),
)

# (name, path, status, what the message names)
NAMES = (
    ("a name in the path beyond its limit", "GET /schedule/acme/by-batch/" + "b" * 129, 400, "batch: must be 1 to 128"),
    ("the same to cancel", "DELETE /schedule/acme/by-key/" + "k" * 129, 400, "key: must be 1 to 128"),
    ("a target beyond its limit to block", "PUT /block/acme/" + "t" * 129, 400, "target: must be 1 to 128"),
)


class Evil(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = RestServer(SMSFLOWD, SMSFLOW, patience="2s")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def tearDown(self):
        self.assertEqual(self.server.ask("GET", "/actuator/health", "user").status, 200, "it serves no more")

    def test_what_could_be_two_requests_is_none(self):
        for name, headers, body, status, message in SMUGGLED:
            with self.subTest(name), self.server.connect() as client:
                head = f"POST /schedule/acme HTTP/1.1\r\nHost: h\r\n{AUTH}Content-Type: application/json\r\n{headers}\r\n\r\n"
                smuggled = request("DELETE", "/schedule/acme?confirm=yes-i-am-sure", "user")
                client.send(head.encode("latin-1") + body + smuggled)
                answer = client.read()
                self.assertEqual((answer.status, json.loads(answer.body)["message"]), (status, message))
                self.assertEqual(answer.headers["connection"], "close")
                self.assertTrue(client.ends(), "what came behind it was taken for a request")

    def test_request_lines(self):
        for name, line, status, message in LINES:
            with self.subTest(name), self.server.connect() as client:
                client.send(f"{line}\r\nHost: h\r\n{AUTH}\r\n".encode("latin-1"))
                answer = client.read()
                self.assertEqual((answer.status, json.loads(answer.body)["message"]), (status, message))
                self.assertEqual("allow" in answer.headers, status == 405)
                self.assertIn('"path":', answer.body)

    def test_bodies(self):
        for name, body, named in BODIES:
            with self.subTest(name):
                answer = self.server.ask("POST", "/schedule/acme", "user", body, JSON)
                self.assertEqual(answer.status, 400, answer.body)
                self.assertIn(named, answer.body)
        self.assertEqual(self.server.ask("GET", "/schedule/acme/by-batch/b", "user").body, "[]")

    def test_names_in_paths(self):
        for name, line, status, named in NAMES:
            with self.subTest(name):
                answer = self.server.ask(*line.split(" "), "user")
                self.assertEqual(answer.status, status, answer.body)
                self.assertIn(named, answer.body)

    def test_no_value_is_repeated(self):
        secret = "+255777000111"
        for body in (f'{{"key":"{secret}\\n","schedule":"1-2","payload":"x"}}', f'{{"schedule":"{secret}","payload":"x"}}',
                     f'{{"schedule":"1-2","payload":{{"{secret}":1}}}}', f'{{"{secret}'):
            answer = self.server.ask("POST", "/schedule/acme", "user", body.encode(), JSON)
            self.assertEqual(answer.status, 400)
            self.assertNotIn(secret, answer.body)

    def test_an_absolute_address_is_a_path(self):
        answer = self.server.ask("GET", "http://elsewhere.example/actuator/health", "user")
        self.assertEqual((answer.status, answer.body), (200, '{"status":"UP"}'))

    def test_a_head_that_is_too_long(self):
        for more in ([f"X-{i}: y" for i in range(70)], ["X: " + "y" * 17_000], [f"X{i}: " + "y" * 1_000 for i in range(20)]):
            answer = self.server.ask("GET", "/actuator/health", "user", headers=more)
            self.assertEqual(answer.status, 431)
        answer = self.server.ask("GET", "/block/acme/" + "x" * 20_000, "user")
        self.assertEqual(answer.status, 431)

    def test_a_flood_of_headers_without_an_end(self):
        with self.server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000)
            self.assertEqual(client.read().status, 431)
            self.assertTrue(client.ends())

    def test_a_body_that_is_too_long_is_not_read(self):
        with self.server.connect() as client:
            client.send(request("POST", "/schedule/acme", "user", None, (*JSON, "Content-Length: 10000000")))
            self.assertEqual(client.read().status, 413)
            self.assertTrue(client.ends())
        with self.server.connect() as client:
            client.send(request("POST", "/schedule/acme", "user", None, (*JSON, "Transfer-Encoding: chunked")))
            for _ in range(40):
                client.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            self.assertEqual(client.read().status, 413)

    def test_a_strangers_body_is_not_read(self):
        with self.server.connect() as client:
            client.send(request("POST", "/schedule/acme", None, None, (*JSON, "Content-Length: 200000")))
            answer = client.read()
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.headers["www-authenticate"], 'Basic realm="SMS Scheduler"')
            self.assertTrue(client.ends())

    def test_a_slow_head_is_cut_off(self):
        with self.server.connect() as client:
            begin = time.monotonic()
            client.send(b"GET / HTTP/1.1\r\nHost: h\r\n")
            while not client.held and time.monotonic() < begin + 90:
                client.send(b"X: y\r\n")  # each is progress, the whole is none
                client.socket.settimeout(0.2)
                try:
                    if not client.more():
                        break
                except TimeoutError:
                    pass
            client.socket.settimeout(60)
            answer = client.read()
            self.assertTrue(answer is None or answer.status == 408)
            self.assertLess(time.monotonic(), begin + 45)

    def test_a_slow_body_is_cut_off(self):
        with self.server.connect() as client:
            client.send(request("POST", "/schedule/acme", "user", None, (*JSON, "Content-Length: 100")) + b"{")
            self.assertEqual(client.read().status, 408)
            self.assertTrue(client.ends())

    def test_one_who_says_nothing_harms_nobody(self):
        silent = [self.server.connect() for _ in range(100)]
        self.assertEqual(self.server.ask("GET", "/actuator/health", "user").status, 200)
        for client in silent:
            client.__exit__()

    def test_half_closed(self):
        with self.server.connect() as client:
            client.send(request("GET", "/actuator/health", "user"))
            client.half_close()
            self.assertEqual(client.read().status, 200)
            self.assertTrue(client.ends())
        with self.server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHo")
            client.half_close()
            self.assertTrue(client.ends())
        with self.server.connect() as client:
            client.send(request("POST", "/schedule/acme", "user", None, (*JSON, "Content-Length: 100")) + b"{")
            client.half_close()
            self.assertTrue(client.ends())

    def test_what_is_sent_ahead_is_answered_in_order(self):
        with self.server.connect() as client:
            asks = [f"/schedule/acme/by-batch/p{i}" for i in range(200)]
            post = GOOD.replace(b"evil", b"ahead")
            client.send(b"".join(request("GET", path, "user") for path in asks[:100]) +
                        request("POST", "/schedule/acme", "user", post, JSON) +
                        b"".join(request("GET", path, "user") for path in asks[100:]) +
                        request("GET", "/nosuch", "user", headers=("Connection: close",)))
            answers = [client.read() for _ in range(202)]
            self.assertEqual([answer.status for answer in answers], [200] * 201 + [404])
            self.assertIn('"batch":"ahead"', answers[100].body)
            self.assertTrue(client.ends())

    def test_a_body_may_wait_to_be_asked_for(self):
        with self.server.connect() as client:
            expect = (*JSON, "Expect: 100-continue", f"Content-Length: {len(GOOD)}")
            client.send(request("POST", "/schedule/acme", "user", None, expect))
            self.assertEqual(client.read().status, 100)
            client.send(GOOD)
            self.assertEqual(client.read().status, 200)
        with self.server.connect() as client:
            client.send(request("POST", "/schedule/acme", None, None, (*JSON, "Expect: 100-continue", "Content-Length: 9")))
            self.assertEqual(client.read().status, 401)

    def test_chunks_are_a_body(self):
        with self.server.connect() as client:
            client.send(request("POST", "/schedule/acme", "user", None, (*JSON, "Transfer-Encoding: chunked")))
            for i in range(0, len(GOOD), 7):
                piece = GOOD[i:i + 7]
                client.send(b"%x;why=not\r\n%s\r\n" % (len(piece), piece))
            client.send(b"0\r\nAuthorization: Basic nonsense\r\nX-Other: 7\r\n\r\n")
            self.assertEqual(client.read().status, 200)
            client.send(request("GET", "/actuator/health", "user"))
            self.assertEqual(client.read().status, 200)

    def test_http_1_0(self):
        with self.server.connect() as client:
            client.send(f"GET /schedule/acme/by-batch/none HTTP/1.0\r\n{AUTH}\r\n".encode())
            answer = client.read()
            self.assertEqual((answer.status, answer.body), (200, "[]"))
            self.assertTrue(client.ends())

    def test_a_name_and_password_must_be_known(self):
        for credential in ("Basic", "Basic !", "Basic Og==", basic("user", "x" * 3_000), basic("user", ""), "Bearer user-password",
                           basic("", "user-password"), "Digest username=user", basic("USER")):
            answer = self.server.ask("GET", "/actuator/health", headers=(f"Authorization: {credential}",))
            self.assertEqual((answer.status, answer.headers["www-authenticate"]), (401, 'Basic realm="SMS Scheduler"'))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
