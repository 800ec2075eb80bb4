"""The imports of other people's packages in our code, as the import graph has them."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import grimp

from tools.plugins import make_importable, packages

#: ``top`` is done with the module, ``guarded`` too and forgiven where it fails, ``lazy`` when a
#: function is called, ``dynamic`` by a name that stands in a text.
Kind = Literal["top", "guarded", "lazy", "dynamic"]
CORE = "venom_core"
#: The kit for plugin authors and what a plugin is examined by run in tests only.
TESTS_ONLY = ("venom_core.testing", ".conformance")


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One import statement: ``package`` is the top-level name that is imported."""

    package: str
    module: str
    line: int
    kind: Kind


def graph_of(root: Path) -> grimp.ImportGraph:
    """Return who imports whom in what ships to users, imports for the type checker left out."""
    make_importable(root)
    return grimp.build_graph(
        CORE,
        *packages(root),
        include_external_packages=True,
        exclude_type_checking_imports=True,
        cache_dir=str(root / ".cache" / "grimp"),
    )


def is_ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0].startswith("venom_")


def uses(graph: grimp.ImportGraph, root: Path) -> list[Use]:
    """Return every use of a third-party package, sorted; those of tests only are left out."""
    found = set[Use]()
    for module in filter(is_ours, sorted(graph.modules)):
        if module.startswith(TESTS_ONLY[0]) or module.endswith(TESTS_ONLY[1]):
            continue
        file = _file(root, module)
        if file is None:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        kinds = kinds_by_line(tree)
        for package in graph.find_modules_directly_imported_by(module):
            if is_ours(package) or package in sys.stdlib_module_names:
                continue
            for one in graph.get_import_details(importer=module, imported=package):
                line = one["line_number"]
                found.add(Use(package, module, line, kinds.get(line, "top")))
        found.update(dynamic(tree, module))
    return sorted(found)


def reached(graph: grimp.ImportGraph, starts: Iterable[str], all_uses: list[Use]) -> set[str]:
    """Return the packages that some modules bring when they are imported: directly, or through
    modules of ours that they import outside their functions."""
    ours = set(starts) & graph.modules
    waiting = list(ours)
    while waiting:
        module = waiting.pop()
        for child in graph.find_modules_directly_imported_by(module) - ours:
            details = graph.get_import_details(importer=module, imported=child)
            if is_ours(child) and not all(one["is_lazy"] for one in details):
                ours.add(child)
                waiting.append(child)
    return {use.package for use in all_uses if use.module in ours and use.kind != "lazy"}


def by_package(found: Iterable[Use]) -> Mapping[str, list[Use]]:
    grouped: dict[str, list[Use]] = defaultdict(list)
    for use in found:
        grouped[use.package].append(use)
    return grouped


def _file(root: Path, module: str) -> Path | None:
    top = module.split(".", maxsplit=1)[0]
    base = root if top == CORE else root / "plugins" / top
    path = base.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def kinds_by_line(tree: ast.Module) -> dict[int, Kind]:
    """Return how the import statement on each line is done."""
    return dict(_kinds(tree.body, "top"))


def _kinds(body: Iterable[ast.AST], kind: Kind) -> Iterator[tuple[int, Kind]]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node.lineno, kind
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _kinds(ast.iter_child_nodes(node), "lazy")
        elif isinstance(node, ast.Try | ast.With) and kind == "top":
            yield from _kinds(ast.iter_child_nodes(node), "guarded")
        else:
            yield from _kinds(ast.iter_child_nodes(node), kind)


def dynamic(tree: ast.Module, module: str) -> Iterator[Use]:
    """Yield imports by a name in a text: ``importlib.import_module("numpy")``."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        first = node.args[0]
        if name not in ("import_module", "__import__") or not isinstance(first, ast.Constant):
            continue
        package = str(first.value).split(".")[0]
        if package and not is_ours(package) and package not in sys.stdlib_module_names:
            yield Use(package, module, node.lineno, "dynamic")
