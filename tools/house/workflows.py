"""A forge's workflows may do little, run what is pinned, and call the Makefile's commands alone.

Read as text, so that no library is needed: each rule is about single lines. The linters that read
them whole are asked in tests/install/test_workflows.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.house.tree import Tree

FOLDER = ".github/workflows"
#: What a job may be given, and why nothing else: files are read, and attested by name.
MAY = {"contents: read", "attestations: write", "id-token: write"}
_USES = re.compile(r"^\s*(?:- )?uses:\s*(?P<what>.*)$")
_PINNED = re.compile(
    r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(?:\.\d+)*(?: # zizmor: ignore\[[a-z-]+\])?"
)
_RUN = re.compile(r"^\s*(?:- )?run:\s*(?P<what>.*)$")
_MAKE = re.compile(r"make (?:[a-z][a-z0-9-]*|\"\$TARGET\")(?: [A-Z]+=[\w.-]+)*")
_TARGETS = re.compile(r"^\s+target: \[(?P<names>[^\]]*)\]$", re.MULTILINE)
_SCOPE = re.compile(r"^\s+(?P<what>[a-z-]+: (?:read|write|write-all|read-all|none))\s*(?:#.*)?$")
_SECRET = re.compile(
    r"\bsecrets\.|\bgithub\.token\b|pull_request_target|workflow_run\b|self-hosted"
)


def check(tree: Tree) -> list[str]:
    names = list(tree.matching(".yml", ".yaml", under=FOLDER))
    makefile = tree.text("Makefile") if tree.has("Makefile") else ""
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    return [problem for name in names for problem in _of_one(name, tree.text(name), targets)]


def _of_one(name: str, text: str, targets: set[str]) -> Iterator[str]:
    if "not run" not in text.partition("\nname:")[0]:
        yield f"{name}:1: its first lines do not say that it was not run"
    if not re.search(r"^permissions: \{\}$", text, re.MULTILINE):
        yield f"{name}: `permissions: {{}}` is missing: each job says what it may do"
    called: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        place = f"{name}:{number}"
        if (found := _USES.match(line)) and not _PINNED.fullmatch(found["what"]):
            yield f"{place}: not pinned by a commit and its version: {found['what']}"
        if found := _RUN.match(line):
            if _MAKE.fullmatch(found["what"]):
                called.append((number, found["what"].split()[1]))
            else:
                yield f"{place}: runs no command of the Makefile: {found['what']}"
        if (found := _SCOPE.match(line)) and found["what"] not in MAY:
            yield f"{place}: may {found['what']}; a job may {', '.join(sorted(MAY))}"
        if found := _SECRET.search(line):
            yield f"{place}: {found.group()} opens more than a workflow here needs"
    for listed in _TARGETS.finditer(text):
        row = text.count("\n", 0, listed.start()) + 1
        called += [(row, one.strip()) for one in listed["names"].split(",")]
    for number, target in called:
        if target != '"$TARGET"' and target not in targets:
            yield f"{name}:{number}: make {target} is no command of the Makefile"
