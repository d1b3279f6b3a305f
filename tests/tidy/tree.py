"""What the rules look at: the project's own files, read once, and how a finding is written."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

# Folders of first-party C++ at the root.
CODE_FOLDERS = ("ids", "crypto", "workflows", "smpp", "storage", "engine", "kafka", "logging", "toml", "metrics", "server", "gateway", "tools", "tests")
SKIPPED = re.compile(r"^(build.*|run|\.git|\.cache|__pycache__|node_modules)$")
TEXT = (".cc", ".h", ".proto", ".py", ".sh", ".mjs", ".md", ".txt", ".cmake", ".toml", ".yml", ".yaml", ".json", ".service")
# What a fuzzer leaves where it is run.
ARTEFACT = re.compile(r"^(?:.*-)?(?:crash|leak|oom|slow-unit|timeout)-[0-9a-f]{40}$")


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    why: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.why}"


class Source:
    """One text file. `code` is its text with comments and string contents blanked, line for line."""

    def __init__(self, root, path):
        self.path = path
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.splitlines()
        self.folder = path.split("/")[0] if "/" in path else ""
        self._code = None

    @property
    def is_cpp(self):
        return self.path.endswith((".cc", ".h"))

    @property
    def code(self):
        if self._code is None:
            self._code = blank(self.text).splitlines() if self.is_cpp else self.lines
        return self._code

    def includes(self):
        """(line number, name, quoted?) of every #include."""
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
            if match:
                yield number, match.group(1) or match.group(2), match.group(1) is not None


def blank(text):
    """C++ without comments and without what stands in string and character literals; newlines stay."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])*\'',
        re.DOTALL)

    def replace(match):
        found = match.group(0)
        kept = '""' if found[0] in 'R"' else ("''" if found[0] == "'" else " ")
        return kept + "\n" * found.count("\n")

    return token.sub(replace, text)


def read_tree(root):
    root = Path(root)
    sources = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not SKIPPED.match(name))
        for name in sorted(files):
            path = (Path(folder) / name).relative_to(root).as_posix()
            if name.endswith(TEXT) or path in ("tools/dev", ".ci/run") or ARTEFACT.match(name):
                sources.append(Source(root, path))
    return sources
