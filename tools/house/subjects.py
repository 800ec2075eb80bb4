"""Subjects that the documentation must cover, read off the code itself."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.house.honesty import dotted
from tools.house.tree import Tree

PROBE = Path(__file__).with_name("probe.py")
TOPICS = {"subjects": "settings and commands", "names": "names of the plugins' providers"}
# Code that users never meet: the fakes and scripted engines raise on purpose.
NOT_FOR_USERS = ("venom_core/testing/",)


@dataclass(slots=True)
class Subjects:
    """Codes with the file that raises each first, settings by environment name, commands."""

    codes: dict[str, str] = field(default_factory=dict)
    settings: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def collect(tree: Tree) -> Subjects:
    subjects = Subjects()
    for name in tree.matching(".py"):
        shipped = name.startswith("venom_core/") or name.split("/")[2:3] == name.split("/")[1:2]
        if shipped and not name.startswith(NOT_FOR_USERS):
            for code in codes(tree.nodes(name)):
                subjects.codes.setdefault(code, name)
    if not subjects.codes:
        subjects.problems.append("venom_core/: no error code found; was `default_code` renamed?")
    _probe(tree, subjects)
    return subjects


def codes(nodes: list[ast.AST]) -> Iterator[str]:
    """The literal codes of a module: `default_code = "x"`, `code="x"`, `Reason("x", ...)` and
    `reason("x", ...)`, and those of the tables `REASONS` and `_CAUSES`."""
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {one.id for one in targets if isinstance(one, ast.Name)}
            if "default_code" in names:
                yield from _literal(node.value)
            elif names & {"REASONS", "_CAUSES"}:
                yield from _table(node.value)
        elif isinstance(node, ast.Call):
            if dotted(node.func).split(".")[-1] in ("Reason", "reason") and node.args:
                yield from _literal(node.args[0])
            for word in node.keywords:
                if word.arg == "code":
                    yield from _literal(word.value)


def _table(value: ast.expr | None) -> Iterator[str]:
    """The keys of a table, or the second of each row: text to look for, code, sentence, fix."""
    if isinstance(value, ast.Dict):
        for key in value.keys:
            yield from _literal(key)
    elif isinstance(value, ast.Tuple):
        for row in value.elts:
            yield from _literal(row.elts[1] if isinstance(row, ast.Tuple) else None)


def _literal(value: ast.expr | None) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _literal(value.body)
        yield from _literal(value.orelse)


def _probe(tree: Tree, subjects: Subjects) -> None:
    """Settings and commands come from the running code, imported from this very tree."""
    try:
        found = probe(tree, "subjects")
    except Unreadable as error:
        subjects.problems.append(str(error))
        return
    for what in ("settings", "commands"):
        if not found[what]:
            subjects.problems.append(f"no {what} found in the code; did their home move?")
    subjects.settings = found["settings"]
    subjects.commands = found["commands"]


class Unreadable(Exception):
    """The tree's code could not be imported; the text says why."""


def path_of(tree: Tree) -> dict[str, str]:
    """Return an environment in which this very tree is imported."""
    folders = [tree.root, *sorted((tree.root / "plugins").glob("venom_*"))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders)}


def probe(tree: Tree, topic: str) -> dict[str, Any]:
    """Return what ``probe.py`` finds in this very tree.

    Raises:
        Unreadable: the core or a manifest cannot be imported.
    """
    folders = sorted((tree.root / "plugins").glob("venom_*"))
    plugins = [folder.name for folder in folders if (folder / folder.name / "plugin.py").exists()]
    done = subprocess.run(
        [sys.executable, str(PROBE), topic, *plugins], env=path_of(tree),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        raise Unreadable(f"the {TOPICS[topic]} could not be read: {last[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
