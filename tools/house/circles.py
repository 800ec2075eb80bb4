"""No file of the page imports itself through others. For Python import-linter says so.

An import of types alone leaves nothing in what runs, so it closes no circle; one inside a function
does.
"""

from __future__ import annotations

import posixpath
import re
from graphlib import CycleError, TopologicalSorter

from tools.house.tree import Tree

FOLDER = "web"
CODE = (".ts", ".tsx", ".mjs", ".js")
_IMPORTED = re.compile(
    r"""^\s*(?:import|export)\s+(?!type\b)(?:[^;'"]*?\bfrom\s*)?["']([^"']+)["']"""
    r"""|\bimport\(\s*["']([^"']+)["']""",
    re.MULTILINE,
)


def check(tree: Tree) -> list[str]:
    names = set(tree.matching(*CODE, under=FOLDER))
    graph = {name: _imports(tree, name, names) for name in names}
    problems = []
    # One at a time; a circle is reported once and cut before the next is looked for.
    while circle := _circle(graph):
        problems.append(f"{circle[0]}: imports itself: {' -> '.join(circle[1:])}")
        graph[circle[0]].discard(circle[1])
    return sorted(problems)


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Return a circle of importers, each importing the next, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def _imports(tree: Tree, name: str, names: set[str]) -> set[str]:
    found = set()
    for match in _IMPORTED.finditer(tree.text(name)):
        target = match.group(1) or match.group(2)
        if target.startswith("@/"):
            path = f"{FOLDER}/{target[2:]}"
        elif target.startswith("."):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        else:
            continue
        candidates = (path, *(path + suffix for suffix in CODE), f"{path}/index.ts")
        found |= {candidate for candidate in candidates if candidate in names}
    return found
