"""The house rules, as a test: reads the tree and prints each line that breaks one, with the rule and its reason.

usage: tidy.py ROOT; exit status 1 when a rule is broken.
"""

import sys

from layering import check_layering
from pages import check_pages
from shape import check_shape
from tree import read_tree
from words import check_words

RULES = (check_layering, check_words, check_shape, check_pages)


def check_tree(root):
    sources = read_tree(root)
    return sources, sorted({finding for rule in RULES for finding in rule(sources)})


def main():
    sources, findings = check_tree(sys.argv[1] if len(sys.argv) > 1 else ".")
    for finding in findings:
        print(finding)
    print(f"{len(sources)} files read, {len(findings)} findings")
    # A tree without sources means that the wrong folder was given, not that all is well.
    return 1 if findings or not any(source.is_cpp for source in sources) else 0


if __name__ == "__main__":
    sys.exit(main())
