"""clang-tidy over files of C++, several at once; what was found clean and has not changed since is not looked at again.

usage: lint.py BUILD JOBS RULES FILE…, from the root of the sources, BUILD with its compile_commands.json. RULES is a file that
holds what else a finding may depend on, as the versions of others' headers. Prints each finding, and how many files are clean.
Exit status 1 when there is a finding. Clean files are remembered in BUILD/lint by their text, that of all they include
from here and from what is generated, the compiler's words and the rules: so a run that was broken off goes on where it was.
"""

import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NOISE = re.compile(r"^\d+ warnings? .*generated|^Suppressed \d+|^Use -header-filter")
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
PLUGIN = "tools/dev.d/own_code_only.so"


def words_of(entry):
    return entry["arguments"] if "arguments" in entry else shlex.split(entry["command"])


def folders_of(words):
    """In which the compiler looks for what is included, but for those of the system."""
    return tuple(value[2:] if value.startswith("-I") else value
                 for flag, value in zip([""] + words, words) if value.startswith("-I") or flag == "-isystem")


@functools.cache
def included(file, folders):
    """What it includes itself, by a path with quotation marks; headers of others are found nowhere."""
    names = [os.fsdecode(name) for name in INCLUDE.findall(Path(file).read_bytes())]
    found = (next((path for folder in folders if os.path.isfile(path := os.path.join(folder, name))), None) for name in names)
    return [path for path in found if path]


def seen(file, folders):
    """The file and all that it includes."""
    files, open_ones = {file}, [file]
    while open_ones:
        for path in included(open_ones.pop(), folders):
            if path not in files:
                files.add(path)
                open_ones.append(path)
    return sorted(files)


@functools.cache
def digest(file):
    return hashlib.sha256(Path(file).read_bytes()).digest()


def key_of(entry, rules_seen):
    words = words_of(entry)
    file = os.path.join(entry["directory"], entry["file"])
    known = hashlib.sha256(rules_seen + json.dumps(words).encode())
    for path in seen(file, folders_of(words)):
        known.update(path.encode() + b"\n" + digest(path))
    return known.hexdigest()


def rules(file, build):
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    return Path(".clang-tidy").read_bytes() + Path(file).read_bytes() + (build / PLUGIN).read_bytes() + version


def lint(file, build, entry, rules_seen):
    """What clang-tidy says of it; nothing when it is clean. The second: whether that was known."""
    known = build / "lint" / key_of(entry, rules_seen)
    if known.exists():
        return "", True
    run = subprocess.run(["clang-tidy", "-p", build, "--quiet", f"--load={build / PLUGIN}", "--checks=smsflow-own-code-only",
                          "--extra-arg=-Wno-unknown-warning-option", file],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if run.returncode == 0:
        known.touch()
        return "", False
    return "\n".join(line for line in run.stdout.splitlines() if not NOISE.match(line)), False


def main():
    build, jobs, rules_file, files = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    (build / "lint").mkdir(exist_ok=True)
    entries = {os.path.relpath(Path(entry["directory"]) / entry["file"]): entry
               for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))}
    unbuilt = [file for file in files if file not in entries]
    for file in unbuilt:
        print(f"{file}: nothing compiles it")
    rules_seen = rules(rules_file, build)
    clean = before = 0
    with ThreadPoolExecutor(jobs) as pool:
        built = [file for file in files if file in entries]
        for file, (found, known) in zip(built, pool.map(lambda file: lint(file, build, entries[file], rules_seen), built)):
            clean += not found
            before += known
            print(found or f"clean {file}" + (", as before" if known else ""), flush=True)
    print(f"{clean} of {len(files)} files are clean, {before} of them as they were")
    return 0 if clean == len(files) else 1


if __name__ == "__main__":
    sys.exit(main())
