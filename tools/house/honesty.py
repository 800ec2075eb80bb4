"""Nothing fails in silence: no exception swallowed whole, no test skipped without a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.house.tree import Tree

BROAD = {"Exception", "BaseException"}


def check(tree: Tree) -> list[str]:
    problems = []
    for name in tree.matching(".py"):
        for node in tree.nodes(name):
            problems += [f"{name}:{line}: {text}" for line, text in _problems(node)]
    return problems


def _problems(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and _is_empty(node.body):
        yield node.lineno, "every exception is swallowed without a word; say which, or report it"
    if isinstance(node, ast.Call):
        called = dotted(node.func)
        if called in {"suppress", "contextlib.suppress"} and any(map(_is_broad, node.args)):
            yield node.lineno, "every exception is suppressed; name the ones that may happen"
        reasons = node.args + [word.value for word in node.keywords if word.arg == "reason"]
        if called in {"pytest.skip", "pytest.mark.skip"} and not reasons:
            yield node.lineno, "a skip without a reason; name what is missing"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for decorator in node.decorator_list:
            if dotted(decorator) == "pytest.mark.skip":
                yield decorator.lineno, "a skip without a reason; name what is missing"


def dotted(node: ast.expr) -> str:
    """The name of what is called: `pytest.mark.skip`; nothing for what has no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _is_broad(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        return any(map(_is_broad, kind.elts))
    return isinstance(kind, ast.Name) and kind.id in BROAD


def _is_empty(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(statement, ast.Pass | ast.Continue)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in body
    )
