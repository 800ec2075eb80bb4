"""The audit: one row for each package that our code imports or that a start brings."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tools.audit.packages import SHIPPED, locked, modules_of, owner_of, parents
from tools.audit.start import Recorded, record
from tools.audit.uses import Use, by_package, graph_of, is_ours, reached, uses
from tools.plugins import packages
from tools.projects import ROOT
from venom_core.testing.imports import HEAVY

#: Where a start begins, as the import graph sees it.
ENTRIES = ("venom_core.cli.main", "venom_core.cli.serving", "venom_core.api.app")
#: Python's own, under a name with the platform in it; and what an editable install leaves.
_NOT_PACKAGES = ("_sysconfigdata", "sitecustomize", "_editable")


@dataclass(frozen=True, slots=True)
class Row:
    """A package of the audit.

    Args:
        modules: the modules of ours that import it.
        kinds: how many of its imports are of each kind; empty where only other packages import it.
        path: who imports it first in a start, else anywhere: our module, the packages between, it.
        at_start: a recorded start imports it.
        critical: without it there is no start.
    """

    package: str
    modules: tuple[str, ...]
    kinds: Mapping[str, int]
    path: tuple[str, ...]
    at_start: bool
    critical: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """``heavy`` are heavy packages within reach of a start; ``attempted`` were tried and are not
    there."""

    rows: list[Row]
    uses: list[Use]
    heavy: list[str]
    attempted: list[str]


def audit() -> Audit:
    """Read the import graph and record a start."""
    graph = graph_of(ROOT)
    all_uses = uses(graph, ROOT)
    start = record()
    ours = {module for module in start.modules if is_ours(module)}
    entries = {*ENTRIES, *(f"{name}.plugin" for name in packages(ROOT)), *ours}
    within = reached(graph, entries, all_uses) | start.packages
    rows = _rows(all_uses, start, ours)
    tried = {name.split(".")[0] for name in start.modules} - start.packages
    return Audit(
        rows=rows,
        uses=all_uses,
        heavy=sorted(within & HEAVY),
        attempted=sorted(filter(_is_package, tried)),
    )


def _rows(all_uses: list[Use], start: Recorded, ours: set[str]) -> list[Row]:
    used: dict[str, list[Use]] = {}
    for module, found in by_package(all_uses).items():
        used.setdefault(owner_of(module), []).extend(found)
    # What only this environment's tools bring is no part of a person's start.
    shipped = locked(SHIPPED[-1])
    brought = {owner_of(name) for name in filter(_is_package, start.packages)} & shipped
    first = {
        name: use for name, mine in used.items() if name in brought
        for use in mine[::-1] if use.module in ours and use.kind != "lazy"
    }  # fmt: skip
    critical = _with_what_they_bring(set(first), brought)
    rows = []
    for name in sorted({*used, *brought}):
        mine = used.get(name, [])
        rows.append(
            Row(
                package=name,
                modules=tuple(sorted({use.module for use in mine})),
                kinds=dict(Counter(use.kind for use in mine)),
                path=_path(name, used, first, ours),
                at_start=name in brought,
                critical=name in critical,
            )
        )
    return rows


def _with_what_they_bring(critical: set[str], brought: set[str]) -> set[str]:
    """Return these packages, and those of a start that they need in turn."""
    while True:
        more = {name for name in brought - critical if parents().get(name, set()) & critical}
        if not more:
            return critical
        critical = critical | more


def _path(
    name: str, used: Mapping[str, list[Use]], first: Mapping[str, Use], ours: set[str]
) -> tuple[str, ...]:
    """Return who imports a package: in a start, where one does; by a package of ours else."""
    if name in first:
        return (first[name].module, name)
    above = sorted(parents().get(name, ()))
    for parent in (one for one in above if one in first):
        return (first[parent].module, parent, name)
    for one in (name, *above):
        modules = [use.module for use in used.get(one, ())]
        if modules:
            module = next((each for each in modules if each in ours), modules[0])
            return (module, name) if one == name else (module, one, name)
    return (name,)


def _is_package(name: str) -> bool:
    if name in sys.stdlib_module_names or is_ours(name):
        return False
    return not name.startswith(_NOT_PACKAGES) and name != "__main__"


def record_of(found: Audit) -> dict[str, object]:
    """Return the audit as JSON has it: every use with its line."""
    lines: dict[str, list[dict[str, object]]] = {}
    for use in found.uses:
        one = {"module": use.module, "line": use.line, "kind": use.kind}
        lines.setdefault(owner_of(use.package), []).append(one)
    return {
        "packages": [
            {
                "package": row.package,
                "imported_as": modules_of(row.package),
                "path": row.path,
                "reached_at_start": row.at_start,
                "critical": row.critical,
                "uses": lines.get(row.package, []),
            }
            for row in found.rows
        ],
        "heavy_within_reach": found.heavy,
        "attempted": found.attempted,
    }
