#!/usr/bin/env python3
"""The corpora as text: one input a line, in base64, so that a corpus is one file and a change of it can be read. Where it
saves much, the line is the input deflated, and begins with z.

corpus.py unpack FILE FOLDER   makes a file of each line
corpus.py pack FOLDER FILE     the smallest inputs first; what libFuzzer's -merge=1 left is a good folder
"""
import base64
import pathlib
import sys
import zlib


def of_line(line: str) -> bytes:
    return zlib.decompress(base64.b64decode(line[2:])) if line.startswith("z:") else base64.b64decode(line)


def to_line(data: bytes) -> str:
    deflated = zlib.compress(data, 9)
    return "z:" + base64.b64encode(deflated).decode() if 2 * len(deflated) < len(data) else base64.b64encode(data).decode()


def unpack(file: pathlib.Path, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(file.read_text().splitlines()):
        (folder / f"{number:05}").write_bytes(of_line(line))


def pack(folder: pathlib.Path, file: pathlib.Path) -> None:
    inputs = sorted({path.read_bytes() for path in folder.iterdir()}, key=lambda data: (len(data), data))
    file.write_text("".join(to_line(data) + "\n" for data in inputs))


def main() -> int:
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        print(__doc__, file=sys.stderr)
        return 2
    {"pack": pack, "unpack": unpack}[sys.argv[1]](pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
