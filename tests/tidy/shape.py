"""The shape of the house: how long a file may be, what a header begins with, which folders exist, that nothing lies about."""

import re
from itertools import takewhile

from tree import ARTEFACT, CODE_FOLDERS, Finding

LINES_MAX = 700
# A ratchet. A file that was longer when the rule came stands here with its length; the number only ever goes down.
LONGER = {}
BANNED_FOLDERS = {"util", "utils", "common", "misc", "helpers", "shared", "lib"}
# tests/ mirrors the tree; these stand beside it.
TEST_FOLDERS = {"scenarios", "sim", "crash", "fuzz", "tidy", "golden", "client", "docs", "bad_input", "secrets", "wire"}


def check_shape(sources):
    paths = {source.path for source in sources}
    folders = {path.rsplit("/", 1)[0] for path in paths if "/" in path}
    yield from check_folders(folders)
    lists = {source.path.rsplit("/", 1)[0]: source.text for source in sources if source.path.endswith("/CMakeLists.txt")}
    for source in sources:
        yield from check_length(source)
        if ARTEFACT.match(source.path.rsplit("/", 1)[-1]):
            yield Finding(source.path, 1, "artefact", "a fuzzer left it; what it teaches belongs into tests/fuzz/corpus")
        if not source.is_cpp or source.folder not in CODE_FOLDERS:
            continue
        if source.path.endswith(".h"):
            yield from check_header(source)
        else:
            yield from check_built(source, lists)


def check_folders(folders):
    for folder in sorted(folders):
        parts = folder.split("/")
        for part in parts:
            if part in BANNED_FOLDERS:
                yield Finding(folder, 1, "folder", f"'{part}' says nothing; name the room by its purpose")
        if parts[0] == "tests" and len(parts) > 1 and parts[1] not in TEST_FOLDERS and not any(
                other.split("/")[0] == parts[1] for other in folders):
            yield Finding(folder, 1, "folder", f"tests/ mirrors the tree, and there is no {parts[1]}/")


def check_length(source):
    if not source.path.endswith((".cc", ".h", ".py", ".sh", ".proto")) and source.path != "tools/dev":
        return
    count = len(source.lines)
    limit = LONGER.get(source.path, LINES_MAX)
    if count > limit:
        yield Finding(source.path, limit + 1, "length", f"{count} lines, at most {limit}: is it still one purpose?")
    elif source.path in LONGER and count < limit:
        yield Finding(source.path, count, "length", f"now {count} lines: lower its number in LONGER from {limit}")


def check_header(source):
    if "#pragma once" not in source.lines:
        yield Finding(source.path, 1, "header", "#pragma once is missing")
    first = next((line for line in source.lines if line.strip()), "")
    if not first.startswith("//"):
        yield Finding(source.path, 1, "header", "a header begins with what it is for, who owns what, and from which threads")
    if source.folder == "tests":
        return
    # The header's opening comment speaks of its first class, and of those that it names.
    opening = " ".join(takewhile(lambda line: line.startswith("//"), source.lines)).lower()
    first = True
    for number, line in enumerate(source.lines, 1):
        match = re.match(r"class\s+(?:\[\[\w+\]\]\s*)?(\w+)[^;]*(?:\{|$)", line)
        if not match:
            continue
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", match.group(1)).lower()
        if not first and words not in opening and not has_comment(source.lines, number - 1):
            yield Finding(source.path, number, "header", f"class {match.group(1)} says first what it promises")
        first = False


def has_comment(lines, index):
    """Whether a comment stands above lines[index], with at most its template head in between."""
    while index > 0 and re.match(r"\s*(template\s*<|requires\b|\[\[)", lines[index - 1]):
        index -= 1
    return index > 0 and bool(re.match(r"\s*(//|.*\*/\s*$)", lines[index - 1]))


def check_built(source, lists):
    """A source that no CMakeLists.txt names is neither compiled nor tested."""
    folder, name = source.path.rsplit("/", 1)
    while folder:
        relative = source.path[len(folder) + 1:]
        if re.search(r"(?<![\w/])" + re.escape(relative) + r"(?![\w])", lists.get(folder, "")):
            return
        folder = folder.rsplit("/", 1)[0] if "/" in folder else ""
    yield Finding(source.path, 1, "built", f"no CMakeLists.txt names {name}: it is neither compiled nor run")
