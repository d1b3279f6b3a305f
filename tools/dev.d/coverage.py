"""How much of each folder the tests reach, as a table; exit status 1 when one is reached less than FLOORS asks.

usage: coverage.py FILE, the JSON of gcovr. Branches that only an exception takes are not counted: gcovr leaves them out.
"""

import json
import sys

# Per cent of lines and of branches: what holds today, rounded down. A ratchet; the numbers only ever go up.
FLOORS = {}


def folder_of(path, floors):
    """The longest folder among `floors` that the file lies in, else its first one."""
    inside = [folder for folder in floors if path.startswith(folder + "/")]
    return max(inside, key=len, default=path.split("/", 1)[0])


def reached(report, floors):
    """folder -> [lines reached, lines, branches reached, branches]"""
    folders = {}
    for file in report["files"]:
        counts = folders.setdefault(folder_of(file["file"], floors), [0, 0, 0, 0])
        for line in file["lines"]:
            if line.get("gcovr/noncode"):
                continue
            branches = line.get("branches", [])
            counts[0] += line["count"] > 0
            counts[1] += 1
            counts[2] += sum(branch["count"] > 0 for branch in branches)
            counts[3] += len(branches)
    return folders


def share(part, whole):
    return 100.0 if whole == 0 else 100.0 * part / whole


def table(folders, floors):
    """The lines to print, and the folders that fall short; a folder that was not measured at all does too."""
    rows, short = [f"    {'folder':<20} {'lines':>13} {'at least':>9} {'branches':>13} {'at least':>9}"], []
    for folder in sorted(set(folders) | set(floors)):
        lines, all_lines, branches, all_branches = folders.get(folder, (0, 0, 0, 0))
        asked = floors.get(folder, (0, 0))
        shares = share(lines, all_lines), share(branches, all_branches)
        low = folder not in folders or shares[0] < asked[0] or shares[1] < asked[1]
        if low:
            short.append(folder)
        rows.append(f"    {folder:<20} {shares[0]:5.1f}% of {all_lines:<5} {asked[0]:>6} % {shares[1]:5.1f}% of {all_branches:<5} "
                    f"{asked[1]:>4} %{'   TOO FEW' if low else ''}")
    return rows, short


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows, short = table(reached(json.load(file), FLOORS), FLOORS)
    print("\n".join(rows))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
