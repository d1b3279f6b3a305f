"""Shows that each house rule can fail: a small clean tree, and one planted fault at a time."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tidy import check_tree
from tree import blank

CLEAN = {
    "README.md": "# x\n\nSee [the pages](docs/README.md).\n",
    "docs/README.md": "# Pages\n\n- [Keys](keys.md#how-keys-sort)\n",
    "docs/keys.md": "# Keys\n\n## How keys sort\n\nThe code is in `storage/keys.cc`.\n",
    "proto/smsflow/v1/a.proto": 'syntax = "proto3";\n',
    "ids/ids.h": "// Ids.\n#pragma once\n",
    "ids/CMakeLists.txt": "",
    "crypto/hash.h": "// Hashes.\n#pragma once\n#include <openssl/evp.h>\n",
    "workflows/CMakeLists.txt": "w/w.cc w/codec.cc\n",
    "workflows/w/w.h": "// A workflow. W decides.\n#pragma once\n#include \"ids/ids.h\"\nclass W {\n};\n",
    "workflows/w/w.cc": '#include "workflows/w/w.h"\n#include <boost/msm/back/state_machine.hpp>\n',
    "workflows/w/codec.cc": '#include "smsflow/v1/a.pb.h"\n',
    "smpp/CMakeLists.txt": "codec.cc\n",
    "smpp/codec.cc": '#include "absl/status/status.h"\n',
    "storage/CMakeLists.txt": "keys.cc\n",
    "storage/keys.h": "// Keys.\n#pragma once\n",
    "storage/keys.cc": '#include "storage/keys.h"\n#include <rocksdb/db.h>\n// time(nullptr) in a comment is none\n',
    "engine/CMakeLists.txt": "seams.cc engine.cc\n",
    "engine/seams.cc": "auto now = std::chrono::system_clock::now();\n",
    "engine/engine.h": "// The engine.\n#pragma once\n",
    "engine/engine.cc": '#include "engine/engine.h"\n#include "storage/keys.h"\nauto s = "gettimeofday";\n',
    "gateway/g.h": "// The gateway.\n#pragma once\n",
    "server/CMakeLists.txt": "main.cc\n",
    "server/s.h": "// The server.\n#pragma once\n",
    "server/main.cc": '#include "server/s.h"\n#include "gateway/g.h"\n#include <grpcpp/grpcpp.h>\nauto n = "smsflow_late";\n',
    "deploy/alerts.yml": "expr: smsflow_late_bucket > 1\n",
    "tests/engine/CMakeLists.txt": "engine_test.cc\n",
    "tests/engine/engine_test.cc": '#include "engine/engine.h"\n',
}

# name: (file, its text or a function of its text, line, rule, a word of the reason)
FAULTS = {
    "storage calls up": ("storage/keys.cc", '#include "engine/engine.h"\n', 1, "layering", "storage/ may not include engine/"),
    "ids includes ours": ("ids/ids.h", '// Ids.\n#pragma once\n#include "crypto/hash.h"\n', 3, "layering", "nothing of ours"),
    "workflow reads storage": ("workflows/w/w.cc", '#include "storage/keys.h"\n', 1, "layering", "workflows/"),
    "machine sees proto": ("workflows/w/w.cc", '#include "smsflow/v1/a.pb.h"\n', 1, "layering", "proto/"),
    "machine sees proto through a header": (
        "workflows/w/codec.h", '// Codec.\n#pragma once\n#include "smsflow/v1/a.pb.h"\n', 2, "purity", "codec's header"),
    "smpp includes ours": ("smpp/codec.cc", '#include "storage/keys.h"\n', 1, "layering", "smpp/ may not include storage/"),
    "smpp opens a socket": ("smpp/codec.cc", "#include <boost/asio.hpp>\n", 1, "library", "doors"),
    "smpp looks at a file": ("smpp/codec.cc", "#include <fstream>\n", 1, "purity", "smpp/"),
    "smpp with a clock": ("smpp/codec.cc", "\nauto n = std::chrono::steady_clock::now();\n", 2, "banned call", "pure"),
    "engine includes smpp": ("engine/engine.cc", '#include "smpp/codec.h"\n', 1, "layering", "engine/ may not include smpp/"),
    "engine includes server": ("engine/engine.cc", '#include "server/s.h"\n', 1, "layering", "server/"),
    "tool includes server": ("tools/cli/main.cc", '#include "server/s.h"\n', 1, "layering", "server/"),
    "server beside main includes gateway": ("server/s.h", '// S.\n#pragma once\n#include "gateway/g.h"\n', 3, "layering", "gateway/"),
    "tests are included": ("gateway/g.h", '// G.\n#pragma once\n#include "tests/engine/x.h"\n', 3, "layering", "tests/"),
    "relative include": ("engine/engine.cc", '#include "../ids/ids.h"\n', 1, "include-path", "from the root"),
    "include of nothing": ("engine/engine.cc", '#include "ids/none.h"\n', 1, "include-path", "does not exist"),
    "include of no contract": ("engine/engine.cc", '#include "smsflow/v1/none.pb.h"\n', 1, "include-path", "does not exist"),
    "rocksdb outside storage": ("engine/engine.cc", "#include <rocksdb/db.h>\n", 1, "library", "storage/ alone"),
    "openssl outside crypto": ("storage/keys.cc", "#include <openssl/evp.h>\n", 1, "library", "crypto/ alone"),
    "grpc in the engine": ("engine/engine.cc", "\n#include <grpcpp/grpcpp.h>\n", 2, "library", "doors"),
    "grpc service in the engine": ("engine/engine.cc", '#include "smsflow/v1/a.grpc.pb.h"\n', 1, "library", "doors"),
    "a workflow with a random": ("workflows/w/w.cc", "#include <random>\n", 1, "purity", "pure"),
    "a workflow with a thread": ("workflows/w/w.cc", "#include <thread>\n", 1, "purity", "pure"),
    "a workflow with a zone file": ("workflows/w/w.cc", "#include <date/tz.h>\n", 1, "purity", "pure"),
    "a workflow with a clock": ("workflows/w/w.cc", "\nauto n = std::chrono::steady_clock::now();\n", 2, "banned call", "pure"),
    "msm in a header": ("workflows/w/w.h", "// W.\n#pragma once\n#include <boost/msm/x.hpp>\n", 3, "purity", "one .cc"),
    "the msm driver in a header": (
        "workflows/w/w.h", '// W.\n#pragma once\n#include "workflows/msm_driver.h"\n', 3, "purity", "one .cc"),
    "a clock outside the seam": ("engine/engine.cc", "auto n = system_clock::now();\n", 1, "banned call", "Clock seam"),
    "gettimeofday": ("storage/keys.cc", "int a = gettimeofday(&t, 0);\n", 1, "banned call", "Clock seam"),
    "rand": ("gateway/g.h", "// G.\n#pragma once\nint a = std::rand();\n", 3, "banned call", "Random seam"),
    "a merge left unfinished": ("storage/keys.cc", "<" * 7 + " HEAD\n", 1, "words", "merge"),
    "sleep in a test": ("tests/engine/engine_test.cc", "sleep_for(1ms);\n", 1, "banned call", "virtual clock"),
    "skipped test": ("tests/engine/engine_test.cc", "GTEST_SKIP();\n", 1, "banned call", "proves nothing"),
    "a test that cannot fail": ("tests/engine/engine_test.cc", "EXPECT_TRUE(true);\n", 1, "banned call", "proves nothing"),
    "a library that prints": ("storage/keys.cc", "void f() { std::cout << 1; }\n", 1, "banned call", "print"),
    "a detached thread": ("server/main.cc", "t.detach();\n", 1, "banned call", "joins"),
    "unfinished": ("engine/engine.cc", "// TO" "DO: later\n", 1, "words", "finish"),
    "a path of a machine": ("docs/keys.md", "# Keys\n\n## How keys sort\n\nin /ho" "me/jo/x\n", 5, "words", "one machine"),
    "a number of a tracker": ("engine/engine.cc", "// see iss" "ue 12\n", 1, "words", "tracker"),
    "a long file": ("engine/engine.cc", "int a;\n" * 701, 701, "length", "one purpose"),
    "no pragma once": ("engine/engine.h", "// The engine.\n", 1, "header", "#pragma once"),
    "no opening comment": ("engine/engine.h", "#pragma once\n", 1, "header", "what it is for"),
    "a class without a word": ("engine/engine.h", "// It.\n#pragma once\nclass A {\n};\nclass Engine {\n};\n", 5, "header", "class Engine"),
    "a fuzzer's leavings": ("slow-unit-" + "0a" * 20, "x", 1, "artefact", "corpus"),
    "a fuzzer's leavings in a folder": ("tests/broken-texts-crash-" + "0a" * 20, "x", 1, "artefact", "corpus"),
    "a folder util": ("engine/util/CMakeLists.txt", "", 1, "folder", "purpose"),
    "tests of nothing": ("tests/nothing/CMakeLists.txt", "", 1, "folder", "mirrors"),
    "a test that is never built": ("tests/engine/lost_test.cc", "int a;\n", 1, "built", "neither compiled nor run"),
    "a dead link": ("README.md", "[a](docs/none.md) [b](docs/README.md)\n", 1, "pages", "there is no docs/none.md"),
    "a dead anchor": ("README.md", "[a](docs/keys.md#nothing)\n", 1, "pages", "no heading"),
    "a page that nobody finds": ("docs/lost.md", "# Lost\n", 1, "pages", "no page links here"),
    "a comment on a lost page": ("engine/engine.cc", "\n// see docs/none.md\n", 2, "pages", "refers to docs/none.md"),
    "an alert on nothing": ("deploy/alerts.yml", "\nexpr: smsflow_none > 1\n", 2, "pages", "does not show"),
    "a page that lies": ("docs/keys.md", "## How keys sort\n\n`storage/none.cc`\n", 3, "pages", "does not exist"),
    "a row cut off its table": ("docs/keys.md", "## How keys sort\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n", 7, "pages", "no header"),
}


def plant(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        plant(self.root, CLEAN)

    def tearDown(self):
        self.folder.cleanup()

    def findings(self):
        return check_tree(self.root)[1]

    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual([], [str(finding) for finding in self.findings()])

    def test_every_planted_fault_is_found(self):
        for name, (path, text, line, rule, reason) in FAULTS.items():
            with self.subTest(name):
                files = {path: text}
                if path == "workflows/w/codec.h":
                    path, files["workflows/w/w.cc"] = "workflows/w/w.cc", '\n#include "workflows/w/codec.h"\n'
                plant(self.root, files)
                found = [f for f in self.findings() if (f.path.startswith(path.rsplit("/CMake", 1)[0]), f.line, f.rule) ==
                         (True, line, rule) and reason in f.why]
                self.assertTrue(found, f"not found; instead: {[str(f) for f in self.findings()]}")
                for extra in files:
                    (self.root / extra).unlink()
                plant(self.root, CLEAN)
                self.remove_empty_folders()

    def remove_empty_folders(self):
        for folder in sorted(self.root.rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def test_comments_and_strings_are_not_code(self):
        code = blank('a("x // y"); // sleep_for\n/* sleep_for\n */ b(\'"\'); c(R"(sleep_for\n)"); d(1\'000);')
        self.assertNotIn("sleep_for", code)
        self.assertEqual(3, code.count("\n"))
        for kept in ("a(", "b(", "c(", "d(1'000)"):
            self.assertIn(kept, code)

    def test_the_program_fails_on_findings_and_on_an_empty_tree(self):
        program = [sys.executable, str(Path(__file__).with_name("tidy.py"))]
        self.assertEqual(0, subprocess.run(program + [self.root], capture_output=True, check=False).returncode)
        plant(self.root, {"engine/engine.h": "int a;\n"})
        told = subprocess.run(program + [self.root], capture_output=True, text=True, check=False)
        self.assertEqual(1, told.returncode)
        self.assertIn("engine/engine.h:1: header:", told.stdout)
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual(1, subprocess.run(program + [empty], capture_output=True, check=False).returncode)


if __name__ == "__main__":
    unittest.main()
