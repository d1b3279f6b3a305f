"""The pages: every link leads somewhere, every file that a page names exists, every table has its header, every page can be
reached from the index."""

import posixpath
import re

from tree import CODE_FOLDERS, Finding

LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`((?:%s|proto|docs|deploy|cmake)/[\w./-]+\.(?:cc|h|proto|md|py|sh|toml|service|cmake))(?::\d+)?`"
                   % "|".join(CODE_FOLDERS))


def slug(heading):
    """The anchor of a heading, as the usual Markdown viewers make it."""
    text = re.sub(r"[`*]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(source):
    return {slug(match.group(1)) for match in re.finditer(r"(?m)^#+\s+(.*?)\s*$", source.text)}


def outside_code(source):
    """Numbered lines without fenced blocks."""
    fenced = False
    for number, line in enumerate(source.lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def check_pages(sources):
    by_path = {source.path: source for source in sources}
    folders = {posixpath.dirname(path) for path in by_path}
    folders |= {parent for folder in folders for parent in parents(folder)}
    linked = set()
    for source in sources:
        if source.path.endswith(".md"):
            yield from check_page(source, by_path, folders, linked)
    for path in sorted(by_path):
        if path.startswith("docs/") and path.endswith(".md") and path != "docs/README.md" and path not in linked:
            yield Finding(path, 1, "pages", "no page links here; docs/README.md is the index")
    yield from check_metrics(sources)
    for source in sources:
        if source.path.endswith((".cc", ".h", ".proto", "CMakeLists.txt")):
            for number, line in enumerate(source.lines, 1):
                for page in re.findall(r"\bdocs/[\w-]+\.md\b", line):
                    if page not in by_path:
                        yield Finding(source.path, number, "pages", f"refers to {page}, which does not exist")


def check_metrics(sources):
    """What dashboards and alerts ask for is what the server shows."""
    shown = {name for source in sources if source.folder == "server" and source.is_cpp
             for name in re.findall(r'"(smsflow_\w+)"', source.text)}
    for source in sources:
        if source.path.startswith("deploy/") and source.path.endswith((".yml", ".json")):
            for number, line in enumerate(source.lines, 1):
                for name in re.findall(r"\bsmsflow_\w+", line):
                    if shown and re.sub(r"_(bucket|sum|count)$", "", name) not in shown:
                        yield Finding(source.path, number, "pages", f"asks for {name}, which server/ does not show")


def parents(folder):
    while "/" in folder:
        folder = posixpath.dirname(folder)
        yield folder


def check_tables(source):
    """A row of a table has the table's header above it: an empty line between them cuts it off."""
    above = ""
    lines = list(outside_code(source))
    for (number, line), (_, below) in zip(lines, lines[1:] + [(0, "")]):
        if line.startswith("|") and not above.startswith("|") and not re.match(r"\|[\s:|-]+$", below):
            yield Finding(source.path, number, "pages", "a row of a table that has no header above it")
        above = line


def check_page(source, by_path, folders, linked):
    yield from check_tables(source)
    for number, line in outside_code(source):
        for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
            target = match.group(1) or match.group(2)
            if re.match(r"^[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            resolved = posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path)) if path else source.path
            if resolved not in by_path and resolved.rstrip("/") not in folders:
                yield Finding(source.path, number, "pages", f"link to {target}: there is no {resolved}")
                continue
            linked.add(resolved)
            if anchor and resolved in by_path and anchor not in anchors(by_path[resolved]):
                yield Finding(source.path, number, "pages", f"link to {target}: no heading makes that anchor")
        for match in NAMED.finditer(line):
            if match.group(1) not in by_path:
                yield Finding(source.path, number, "pages", f"speaks of {match.group(1)}, which does not exist")
