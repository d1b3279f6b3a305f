"""clang-tidy over files of C++, several at once; what was found clean and has not changed since is not looked at again.

usage: lint.py BUILD JOBS FILE…, from the root of the sources, BUILD with its compile_commands.json. Prints each finding, and
how many files are clean. Exit status 1 when there is a finding. Clean files are remembered in BUILD/lint by what the
compiler sees of them, comments too, and by the rules: so a run that was broken off goes on where it was.
"""

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


def preprocessing(entry):
    """The command that compiles it, but only as far as its text goes; without the compiler's launcher."""
    words = entry["arguments"] if "arguments" in entry else shlex.split(entry["command"])
    while Path(words[0]).name == "ccache":
        words = words[1:]
    kept, skip = [], False
    for word in words:
        if skip or word in ("-c", "-MD"):
            skip = False
        elif word in ("-o", "-MT", "-MF"):
            skip = True
        else:
            kept.append(word)
    return kept + ["-E", "-C", "-P", "-o", "-"]


def rules():
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    return Path(".clang-tidy").read_bytes() + version


def lint(file, build, entry, rules_seen):
    """What clang-tidy says of it; nothing when it is clean. The second: whether that was known."""
    text = subprocess.run(preprocessing(entry), cwd=entry["directory"], capture_output=True, check=False)
    known = None
    if text.returncode == 0:  # else clang-tidy shall say what is wrong
        known = build / "lint" / hashlib.sha256(rules_seen + text.stdout).hexdigest()
        if known.exists():
            return "", True
    run = subprocess.run(["clang-tidy", "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option", file],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if run.returncode == 0:
        if known:
            known.touch()
        return "", False
    return "\n".join(line for line in run.stdout.splitlines() if not NOISE.match(line)), False


def main():
    build, jobs, files = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    (build / "lint").mkdir(exist_ok=True)
    entries = {os.path.relpath(Path(entry["directory"]) / entry["file"]): entry
               for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))}
    unbuilt = [file for file in files if file not in entries]
    for file in unbuilt:
        print(f"{file}: nothing compiles it")
    rules_seen = rules()
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
