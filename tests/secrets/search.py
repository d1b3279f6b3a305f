"""Looks for secrets in files, outputs and the memory of processes, in every form in which one could stand there."""

import base64
import os
import re
import subprocess
from pathlib import Path


def base64_forms(secret):
    """Whatever stands before it, and in both alphabets: the characters that are its own bytes alone."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret)
        begin = (before * 8 + 5) // 6
        end = (before + len(secret)) * 8 // 6
        yield text[begin:end]
        yield text[begin:end].translate(bytes.maketrans(b"+/", b"-_"))


def forms(secret):
    """By name, for whoever reads a finding."""
    raw = secret.encode()
    found = {"raw": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
             "UTF-16LE": secret.encode("utf-16-le"), "UTF-16BE": secret.encode("utf-16-be"), "backwards": raw[::-1]}
    for number, form in enumerate(base64_forms(raw)):
        found[f"base64 {number}"] = form
    return found


class Search:
    def __init__(self, secrets):
        """`secrets`: by name. Each at least 8 characters, or it would be found everywhere."""
        self.patterns = [(name, form, pattern) for name, secret in secrets.items() for form, pattern in forms(secret).items()]
        assert all(len(pattern) >= 8 for _, _, pattern in self.patterns)
        self.bytes = 0

    def bytes_in(self, data, where):
        self.bytes += len(data)
        return [f"{name} ({form}) in {where}" for name, form, pattern in self.patterns if pattern in data]

    def folder(self, folder):
        found = []
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                found += self.bytes_in(file.read_bytes(), str(file))
                found += self.bytes_in(str(file).encode(), f"the name of {file}")
        return found

    def rows(self, stored_rows, folder):
        """Of a store of RocksDB, key and value, as they were before they were compressed; the least that it must have is one."""
        listed = subprocess.run([stored_rows, folder], capture_output=True, text=True, timeout=60, check=True).stdout
        found = []
        for line in listed.splitlines():
            family, key, value = line.split(" ")
            found += self.bytes_in(bytes.fromhex(key), f"the key of a row of family {family}")
            found += self.bytes_in(bytes.fromhex(value), f"the value of a row of family {family}")
        assert listed, f"{folder} has no rows"
        return found

    def memory(self, pid):
        """As a core dump would show it: everything that the process can write to, and no less than it says it has."""
        found = []
        part, overlap = 16 << 20, 4096
        before, held = self.bytes, status_kb(pid, "RssAnon") << 10
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if not rights.startswith("rw") or "[vvar]" in line:
                    continue
                begin, end = (int(address, 16) for address in span.split("-"))
                for at in range(begin, end, part):
                    try:
                        memory.seek(at)
                        data = memory.read(min(part + overlap, end - at))
                    except OSError:
                        continue  # reserved, and nothing there
                    found += self.bytes_in(data, f"the memory of process {pid} at {at:x}")
        read = self.bytes - before
        assert read >= held > 0, f"of the memory of process {pid} {read} bytes were read, and it has {held}"
        return found


def status_kb(pid, name):
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{name}:\s+(\d+)", status).group(1))


def why_memory_cannot_be_read(pid):
    """Empty: it can. There are but two reasons why not; if it fails for another, that is an error."""
    if status_kb(pid, "VmSize") >= 1 << 30:
        return "it is a sanitizer's program: its shadow is terabytes, and what was freed is kept"
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if os.geteuid() != 0 and scope.exists() and int(scope.read_text(encoding="ascii")) >= 2:
        return "on this machine nobody reads the memory of another process"
    return ""
