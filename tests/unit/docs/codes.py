"""Every code that the shipped sources give, read off their syntax."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from tests.unit.docs.pages import ROOT
from venom_core.plugins.reasons import REASONS
from venom_core.sdk import errors, pip

SOURCES = ("venom_core/**/*.py", "plugins/*/venom_*/**/*.py")
CAUSES = frozenset(code for _, code, *_ in pip._CAUSES)


@functools.cache
def _nodes() -> tuple[ast.AST, ...]:
    """Every class and call of the shipped sources."""
    found: list[ast.AST] = []
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if "testing" not in path.relative_to(ROOT).parts:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                kinds = (ast.Call, ast.ClassDef)
                found += [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return tuple(found)


def _literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@functools.cache
def raised() -> dict[str, set[int]]:
    """Code -> the statuses that it is raised with, wherever a literal says so."""
    found: dict[str, set[int]] = {}
    classes: dict[str, int] = {}
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, errors.VenomError):
            classes[name] = value.status
            found.setdefault(value.default_code, set()).add(value.status)
    for name, status, code in _further_classes(classes):
        classes[name] = status
        if code is not None:
            found.setdefault(code, set()).add(status)
    for name, code in _coded_calls():
        if name in classes:
            found.setdefault(code, set()).add(classes[name])
    for code in CAUSES:
        found.setdefault(code, set()).add(pip.InstallFailed.status)
    return found


def _further_classes(known: dict[str, int]) -> Iterator[tuple[str, int, str | None]]:
    """Subclasses outside of the SDK: name, status, code of their own."""
    for node in _nodes():
        bases = [ast.unparse(base) for base in getattr(node, "bases", ())]
        inherited = [known[base] for base in bases if base in known]
        if isinstance(node, ast.ClassDef) and inherited:
            own = {
                ast.unparse(line.targets[0]): line.value
                for line in node.body
                if isinstance(line, ast.Assign)
            }
            status = own.get("status")
            number = status.value if isinstance(status, ast.Constant) else inherited[0]
            yield node.name, number, _literal(own.get("default_code"))


def _coded_calls() -> Iterator[tuple[str, str]]:
    """``Name(..., code="code")`` as name and code."""
    for node in _nodes():
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).split(".")[-1]
            for word in node.keywords:
                values = [word.value]
                if isinstance(word.value, ast.IfExp):
                    values = [word.value.body, word.value.orelse]
                for code in filter(None, map(_literal, values if word.arg == "code" else ())):
                    yield name, code


@functools.cache
def reasons() -> frozenset[str]:
    """The host's reasons, and those of literal ``Reason("code", ...)``."""
    found = set(REASONS)
    for node in _nodes():
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Reason") and node.args:
            found |= {code for code in [_literal(node.args[0])] if code}
    return frozenset(found)
