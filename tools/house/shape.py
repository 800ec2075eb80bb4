"""A file is one noun that fits in a reading: its length, and a name that says something."""

from __future__ import annotations

from pathlib import PurePosixPath
from statistics import median

from tools.house.tree import Tree

LONGEST = 500
CODE = (".py", ".ts", ".tsx", ".js", ".mjs", ".css", ".sh")
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc"}


def check(tree: Tree) -> list[str]:
    problems = []
    for name, lines in _lines(tree).items():
        if lines > LONGEST:
            problems.append(f"{name}: {lines} lines; cut it by nouns, {LONGEST} at most")
    for name in tree.files:
        path = PurePosixPath(name)
        vague = SAYS_NOTHING & {part.lower() for part in (*path.parts[:-1], path.stem)}
        if vague:
            problems.append(f"{name}: '{vague.pop()}' says nothing; name it after what it holds")
    return problems


def figure(tree: Tree) -> str:
    """Return the largest file of code, and the median length."""
    lines = _lines(tree)
    largest = max(lines, key=lines.__getitem__)
    return f"largest {largest}: {lines[largest]} lines; median {median(lines.values()):.0f}"


def _lines(tree: Tree) -> dict[str, int]:
    return {name: tree.text(name).count("\n") for name in tree.matching(*CODE)}
