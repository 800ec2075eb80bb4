"""The tree says nothing of the machine it was written on, and names no package index.

A user has other folders and may have another index; a lock or a script that names ours is wrong on
theirs. The words are put together here, or this file would be its own violation.
"""

from __future__ import annotations

import re
from pathlib import Path

from tools.house.tree import Tree

INDEX_HOSTS = (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"),
    ("deb", "debian", "org"),
)  # fmt: skip
# A first folder that is on every machine, or in every container, says nothing of this one.
EVERYWHERE = {
    "app", "bin", "data", "dev", "etc", "home", "lib", "mnt", "models", "opt", "proc", "run", "srv",
    "sys", "tmp", "usr", "var",
}  # fmt: skip
BINARY = (".png", ".ico", ".gif", ".jpg", ".webp", ".woff2", ".gz", ".whl")


def check(tree: Tree) -> list[str]:
    patterns = _patterns(tree.root)
    problems = []
    for name in tree.files:
        if name.endswith(BINARY):
            continue
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for pattern, what in patterns:
                if found := pattern.search(line):
                    problems.append(f"{name}:{number}: {what}: {found.group(0)!r}")
    return problems


def _patterns(root: Path) -> list[tuple[re.Pattern[str], str]]:
    hosts = "|".join(r"\.".join(parts) for parts in INDEX_HOSTS)
    patterns = [
        (re.compile(hosts), "names a package index"),
        (re.compile(r"(?<![\w.])/" + "root/"), "a path of one machine"),
        (re.compile(r"/(home|Users)/(?!you\b|user\b|me\b)[a-z]\w*/"), "a path of one machine"),
        (re.compile(r"\.\./" + "shared"), "a folder that its users do not have"),
        (re.compile(r"\b" + "work" + r"place\b"), "a word about where it was written"),
    ]
    first = root.resolve().parts[1]
    if first not in EVERYWHERE:
        patterns.append(
            (re.compile(rf"(?<![\w.)\]}}/-])/{re.escape(first)}/"), "a path of one machine")
        )
    return patterns
