"""A file is one noun that fits in a reading: its length, and a name that says something."""

from __future__ import annotations

from pathlib import PurePosixPath

from tools.house.tree import Tree

LONGEST = 500
CODE = (".py", ".ts", ".tsx", ".js", ".mjs", ".css", ".sh")
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc"}


def check(tree: Tree) -> list[str]:
    problems = []
    for name in tree.matching(*CODE):
        lines = tree.text(name).count("\n")
        if lines > LONGEST:
            problems.append(f"{name}: {lines} lines; cut it by nouns, {LONGEST} at most")
    for name in tree.files:
        path = PurePosixPath(name)
        vague = SAYS_NOTHING & {part.lower() for part in (*path.parts[:-1], path.stem)}
        if vague:
            problems.append(f"{name}: '{vague.pop()}' says nothing; name it after what it holds")
    return problems
