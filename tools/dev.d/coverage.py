"""How much of the deciding code the tests beside it reach, as a table, and each place that they do not.

usage: coverage.py [--short] FILE, the JSON of `llvm-cov export`, from the root of the sources. Exit status 1 when a part
is reached less than FLOORS asks; --short prints one line and always ends with 0. A source of these parts that no program links is an error too.

A region is a stretch of code that runs as a whole; a branch is one side of one condition. What several instances of a
template reach counts together. The conditions of assert() are left out, for their other side ends the process, and
regions whose first line says that it "never runs but in the compiler".
"""

import json
import os
import sys
from pathlib import Path

# The parts that are measured, folders or files without their ending, and per cent of their regions and branches: what
# holds today, rounded down. A ratchet; the numbers only ever go up.
FLOORS = {
    "engine/tokens": (100, 100),
    "ids": (100, 100),
    "workflows": (100, 100),
    "workflows/delivery/codec": (100, 100),
    "storage/keys": (100, 100),
    "storage/records": (100, 100),
    "storage/journal": (100, 100),
    "storage/accounts": (100, 100),
}

CODE_REGION = 0


def part_of(path, floors):
    """The longest part among `floors` to which the file belongs, or nothing."""
    inside = [part for part in floors if path.startswith((part + "/", part + "."))]
    return max(inside, key=len, default=None)


def counts(report, root, floors):
    """Two maps from (file, place in it): of regions to how often each ran, of branches to how often each side was taken."""
    regions, branches = {}, {}
    for function in report["data"][0]["functions"]:
        # As the compiler was called, perhaps by way of the build folder.
        names = [os.path.relpath(name, root) for name in function["filenames"]]
        for *place, count, file, _, kind in function["regions"]:
            if kind == CODE_REGION and part_of(names[file], floors):
                key = (names[file], *place)
                regions[key] = regions.get(key, 0) + count
        for *place, true, false, file, _, _ in function["branches"]:
            if part_of(names[file], floors):
                key = (names[file], *place)
                before = branches.get(key, (0, 0))
                branches[key] = before[0] + true, before[1] + false
    return regions, branches


def reached(report, root, floors):
    """part -> [regions reached, regions, sides taken, sides], and a line of text for each place that is not whole"""
    regions, branches = counts(report, root, floors)
    parts, missed, sources = {}, set(), {}

    def text_of(path, line):
        if path not in sources:
            sources[path] = (root / path).read_text(encoding="utf-8").splitlines()
        return sources[path][line - 1]

    for (path, line, column, *_), count in regions.items():
        if "never runs but in the compiler" in text_of(path, line):
            continue
        of = parts.setdefault(part_of(path, floors), [0, 0, 0, 0])
        of[0] += count > 0
        of[1] += 1
        if count == 0:
            missed.add((path, line, column, "never: " + text_of(path, line)[column - 1:].strip()))
    for (path, line, column, to_line, to_column), sides in branches.items():
        # Neither side: the place itself was not reached, or the compiler knows the answer.
        if "assert(" in text_of(path, line) or sides == (0, 0):
            continue
        of = parts.setdefault(part_of(path, floors), [0, 0, 0, 0])
        of[2] += sum(side > 0 for side in sides)
        of[3] += 2
        if 0 in sides:
            asked = text_of(path, line)[column - 1:to_column - 1 if to_line == line else None]
            missed.add((path, line, column, f"always {'false' if sides[0] == 0 else 'true'}: {asked}"))
    return parts, [f"{path}:{line}: {what}" for path, line, _, what in sorted(missed)]


def unlinked(report, root, floors):
    """Sources of the parts that no program has: what is in none of them would count neither as reached nor as missed."""
    linked = {os.path.relpath(file["filename"], root) for file in report["data"][0]["files"]}
    sources = {os.path.relpath(path, root) for part in floors
               for path in [root / f"{part}.cc", *(root / part).rglob("*.cc")] if path.is_file()}
    return sorted(sources - linked)


def share(part, whole):
    return 100.0 if whole == 0 else 100.0 * part / whole


def table(parts, floors):
    """The lines to print, and the parts that fall short; one that was not measured at all does too."""
    rows, short = [f"    {'part':<26} {'regions':>13} {'at least':>9} {'branches':>13} {'at least':>9}"], []
    for part, asked in sorted(floors.items()):
        regions, all_regions, sides, all_sides = parts.get(part, (0, 0, 0, 0))
        shares = share(regions, all_regions), share(sides, all_sides)
        low = part not in parts or shares[0] < asked[0] or shares[1] < asked[1]
        if low:
            short.append(part)
        rows.append(f"    {part:<26} {shares[0]:5.1f}% of {all_regions:<5} {asked[0]:>6} % {shares[1]:5.1f}% of {all_sides:<5} "
                    f"{asked[1]:>4} %{'   TOO FEW' if low else ''}")
    return rows, short


def summary(parts):
    regions, all_regions, sides, all_sides = (sum(of[i] for of in parts.values()) for i in range(4))
    return f"{regions} of {all_regions} regions, {sides} of {all_sides} branches"


def main():
    with open(sys.argv[-1], encoding="utf-8") as file:
        report = json.load(file)
    parts, missed = reached(report, Path.cwd(), FLOORS)
    if sys.argv[1] == "--short":
        print(summary(parts))
        return 0
    rows, short = table(parts, FLOORS)
    print("\n".join(rows))
    if missed:
        print(f"    not reached, {len(missed)} places:")
    for line in missed:
        print(f"      {line}")
    left_out = unlinked(report, Path.cwd(), FLOORS)
    for source in left_out:
        print(f"    {source}: no test program links it, so nothing of it is counted")
    return 1 if short or left_out else 0


if __name__ == "__main__":
    sys.exit(main())
