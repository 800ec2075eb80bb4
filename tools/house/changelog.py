"""A release says what it changed: the changelog's newest entry is the version of the tree.

Between releases each change adds a fragment to changelog.d/; the entry is written from them.
"""

from __future__ import annotations

import re

from tools.house.markdown import sections
from tools.house.tree import Tree
from tools.projects import declared_version

FRAGMENT = re.compile(r"changelog\.d/[\w.-]+\.(added|changed|fixed|removed|security)\.md")


def check(tree: Tree) -> list[str]:
    if not tree.has("CHANGELOG.md"):
        return ["CHANGELOG.md: missing"]
    problems = []
    version = declared_version(tree.root)
    found = sections(tree.text("CHANGELOG.md"))
    entries = [one for one in found if one.level == 2]
    if not entries or str(version) not in entries[0].title:
        newest = f"'{entries[0].title}'" if entries else "missing"
        problems.append(f"CHANGELOG.md: the newest entry is {newest}, but the tree is {version}")
    elif not any(one.prose for one in found[found.index(entries[0]) :]):
        problems.append(f"CHANGELOG.md: the entry of {version} is empty")
    fragments = [name for name in tree.files if name.startswith("changelog.d/")]
    if "changelog.d/README.md" not in fragments:
        problems.append("changelog.d/README.md: missing; it says how to write a fragment")
    return problems + [
        f"{name}: a fragment is named SLUG.(added|changed|fixed|removed|security).md"
        for name in fragments
        if name != "changelog.d/README.md" and not FRAGMENT.fullmatch(name)
    ]
