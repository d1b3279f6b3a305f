"""Runs docs/examples/seal.py and seal.mjs; smsflow opens what they sealed: seal_examples_test.py SOURCES SMSFLOW."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCES, SMSFLOW = (Path(argument).resolve() for argument in sys.argv[1:3])
NODE = shutil.which("node")
PROGRAMS = {"python": ["/usr/bin/python3", "-B", SOURCES / "docs/examples/seal.py"],
            "javascript": [NODE, SOURCES / "docs/examples/seal.mjs"]}
TEXT = "Come on Monday, ü 漢字 😀\nand bring your card"


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


class SealExamples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        for kind in ([], ["--rsa"]):
            name = cls.folder / ("rsa" if kind else "ec")
            subprocess.run([SMSFLOW, "keygen", name, *kind], check=True, stdout=subprocess.DEVNULL)
            jwks = run(SMSFLOW, "jwks", f"{name}.jwk")
            assert jwks.returncode == 0, jwks.stderr
            Path(f"{name}.jwks").write_text(jwks.stdout, encoding="utf-8")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def seal(self, program, kind, key="visit 17/ä \"x\"", sender="CLINIC", form="jwks"):
        done = run(*PROGRAMS[program], "--jwks", f"{self.folder}/{kind}.{form}", "--tenant", "demo", "--key", key, "--to",
                   "+255123456789", "--sender", sender, "--text", TEXT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def unseal(self, kind, envelope, key="visit 17/ä \"x\""):
        return run(SMSFLOW, "unseal", "--private-key", f"{self.folder}/{kind}.key.pem", "--tenant", "demo", "--key", key,
                   input=envelope)

    def each(self):
        for program in PROGRAMS:
            for kind in ("ec", "rsa"):
                with self.subTest(program=program, kind=kind):
                    if PROGRAMS[program][0] is None:
                        self.skipTest("there is no node; tools/dev test installs it")
                    yield program, kind

    def test_what_they_seal_opens(self):
        for program, kind in self.each():
            opened = self.unseal(kind, self.seal(program, kind))
            self.assertEqual(opened.returncode, 0, opened.stderr)
            self.assertEqual(opened.stdout, f"To: +255123456789\nSender: CLINIC\n\n{TEXT}\n")

    def test_a_key_alone_does_as_well_as_a_set(self):
        for program, kind in self.each():
            opened = self.unseal(kind, self.seal(program, kind, form="jwk"))
            self.assertEqual(opened.returncode, 0, opened.stderr)

    def test_what_is_no_key_is_one_line(self):
        wrong = {f"{self.folder}/ec.pub.pem": "is no JWK and no JWK Set", f"{self.folder}/none": "is no JWK and no JWK Set"}
        for number, text in enumerate(('{"keys":[]}', '{"kty":"oct","kid":"k"}', "{}")):
            wrong[f"{self.folder}/wrong{number}"] = "no key that can be sealed for"
            Path(f"{self.folder}/wrong{number}").write_text(text, encoding="utf-8")
        for program, kind in self.each():
            for file, says in wrong.items():
                done = run(*PROGRAMS[program], "--jwks", file, "--tenant", "demo", "--to", "+255123456789", "--text", TEXT)
                self.assertEqual((1, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
                self.assertIn(says, done.stderr)

    def test_a_flag_that_is_missing_is_named(self):
        for program, kind in self.each():
            done = run(*PROGRAMS[program])
            self.assertNotEqual(0, done.returncode)
            self.assertIn("--jwks", done.stderr)
            self.assertNotIn("    at ", done.stderr)

    def test_a_sender_and_a_key_may_be_left_out(self):
        for program, kind in self.each():
            opened = self.unseal(kind, self.seal(program, kind, key="", sender=""), key="")
            self.assertEqual(opened.returncode, 0, opened.stderr)
            self.assertEqual(opened.stdout, f"To: +255123456789\n\n{TEXT}\n")

    def test_it_opens_for_no_other_sms(self):
        for program, kind in self.each():
            opened = self.unseal(kind, self.seal(program, kind), key="another")
            self.assertEqual(opened.returncode, 2)
            self.assertEqual(opened.stderr,
                             "smsflow: the envelope was sealed for another SMS: its sub is not this tenant/key\n")

    def test_its_length_is_that_of_others(self):
        for program, kind in self.each():
            lengths = {len(self.seal(program, kind, key="k", sender="C" * length)) for length in (1, 4)}
            self.assertEqual(len(lengths), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
