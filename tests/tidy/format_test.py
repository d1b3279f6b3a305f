"""Whether all C++ is as clang-format writes it, in the suite that everybody runs; exit status 77 where there is none.

usage: format_test.py ROOT
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tree import read_tree

AT_ONCE = 100


def main():
    if not shutil.which("clang-format"):
        print("skipped: clang-format is not installed; tools/dev check installs it")
        return 77
    root = Path(sys.argv[1])
    files = [source.path for source in read_tree(root) if source.is_cpp]
    wrong = set()
    for start in range(0, len(files), AT_ONCE):
        told = subprocess.run(["clang-format", "--dry-run", *files[start:start + AT_ONCE]], cwd=root, stderr=subprocess.PIPE,
                              text=True, timeout=300, check=True)
        wrong |= {line.split(":")[0] for line in told.stderr.splitlines() if "clang-format-violations" in line}
    for path in sorted(wrong):
        print(f"{path}: not formatted; tools/dev fmt mends it")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
