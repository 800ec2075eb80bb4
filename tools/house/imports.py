"""Import rules that concern a file's place: manifests are tiny, plugins' tests see public parts.

What linters can say is theirs: ruff's TID253 holds heavy modules out of module level, import-linter
holds the layers. Here is what they cannot: which suppressions and which manifests are allowed.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tools.house.tree import Tree

# Split, or this line would be a violation of itself.
SUPPRESSED = re.compile(r"noqa:[^\n]*TID" + "253")
PUBLIC_TO_PLUGINS = "venom_core.sdk"
PUBLIC_TO_PLUGIN_TESTS = ("venom_core.sdk", "venom_core.testing")


def check(tree: Tree) -> list[str]:
    problems = []
    for name in tree.matching(".py"):
        path = PurePosixPath(name)
        text = tree.text(name)
        if path.parts[0] in {"venom_core", "plugins"} and SUPPRESSED.search(text):
            problems.append(f"{name}: a heavy import at module level is never excused here")
        if path.match("plugins/*/venom_*/plugin.py"):
            problems += _manifest(name, tree)
        if path.match("plugins/*/tests/**/*.py") or path.match("plugins/*/tests/*.py"):
            problems += _plugin_test(name, tree)
    return problems


def imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import; `from a import b` gives `a`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: everything outside functions."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from at_import(child)


def _manifest(name: str, tree: Tree) -> Iterator[str]:
    for line, module in imported(at_import(tree.nodes(name)[0])):
        top = module.split(".")[0]
        if top not in sys.stdlib_module_names and not _within(module, PUBLIC_TO_PLUGINS):
            yield f"{name}:{line}: a manifest imports {PUBLIC_TO_PLUGINS} only, not {module}"


def _plugin_test(name: str, tree: Tree) -> Iterator[str]:
    for line, module in imported(tree.nodes(name)):
        ours = _within(module, "venom_core")
        if ours and not any(_within(module, public) for public in PUBLIC_TO_PLUGIN_TESTS):
            allowed = " and ".join(PUBLIC_TO_PLUGIN_TESTS)
            yield f"{name}:{line}: a plugin's tests see {allowed} only, not {module}"


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
