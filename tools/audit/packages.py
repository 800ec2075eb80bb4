"""Decides about each package: its cluster, its status, who brings it and why."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.projects import ROOT, direct_requirements, locked_versions

Status = Literal["required", "optional", "excluded-from-light"]
CLUSTERS = ("core-light", "ml-heavy", "academy/habitat", "voice/onnx", "dev/test")
DECISIONS = Path(__file__).with_suffix(".toml")
#: Locks of what ships to users, from the smallest; ``light`` is what everybody has.
SHIPPED = ("light", "embedded", "full")


@dataclass(frozen=True, slots=True)
class Package:
    """A row of the matrix.

    Args:
        lock: the smallest set of ours that holds it; None for none.
        parents: the packages that bring it, where nobody of ours asks for it.
        why: in English and in Polish; empty where ``parents`` say it.
    """

    name: str
    cluster: str
    status: Status
    lock: str | None
    demo: bool
    why: tuple[str, str]
    risk: tuple[str, str]
    parents: tuple[str, ...] = ()


@cache
def decisions() -> Mapping[str, Any]:
    return tomllib.loads(DECISIONS.read_text(encoding="utf-8"))


@cache
def locked(lock: str) -> frozenset[str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return frozenset(locked_versions(text))


def named() -> list[str]:
    """Return every package of the matrix: locked for users, for developers, and decided about."""
    return sorted({*locked("full"), *locked("dev"), *decisions()})


def matrix() -> list[Package]:
    """Return a row for each package, by cluster and name."""
    rows = [_row(name) for name in named()]
    return sorted(rows, key=lambda row: (CLUSTERS.index(row.cluster), row.name))


def modules_of(name: str) -> list[str]:
    """Return the top-level names that a package is imported by."""
    given = decisions().get(name, {}).get("modules")
    if given:
        return list(given)
    mine = (top for top, owner in _owners().items() if owner == name)
    found = [top for top in mine if re.fullmatch(r"[A-Za-z]\w*", top)]
    same = name.replace("-", "_")
    return sorted(found, key=lambda top: (top != same, top)) or [same]


def owner_of(module: str) -> str:
    """Return the package that brings a top-level name."""
    for name, one in decisions().items():
        if module in one.get("modules", ()):
            return str(name)
    return _owners().get(module, canonicalize_name(module))


@cache
def _owners() -> Mapping[str, str]:
    """Return the package of each top-level name that is installed here; of a namespace, the one
    that the others need."""
    found = importlib.metadata.packages_distributions()
    return {top: min(map(canonicalize_name, owners)) for top, owners in found.items()}


def problems() -> list[str]:
    """Say which decisions are missing, idle or contradict the extras."""
    shipped = {canonicalize_name(one.name) for one in direct_requirements(ROOT, "full")}
    found = [
        f"{name}: an extra asks for it and {DECISIONS.name} does not decide about it"
        for name in sorted(shipped - set(decisions()))
    ]
    for name, one in decisions().items():
        lock = _lock_of(name)
        if one["cluster"] not in CLUSTERS:
            found.append(f"{name}: there is no cluster {one['cluster']}")
        if (one["cluster"] == "core-light") is not (lock == "light"):
            found.append(f"{name}: it is in the lock {lock}, and in the cluster {one['cluster']}")
        if one["demo"] and lock != "light":
            found.append(f"{name}: the demonstration needs it, and light does not bring it")
        if lock is not None and name not in shipped:
            found.append(f"{name}: nobody of ours asks for it; take its decision out")
    return found


def _row(name: str) -> Package:
    lock = _lock_of(name)
    status: Status = (
        "required" if lock == "light" else "optional" if lock else "excluded-from-light"
    )
    if name in decisions():
        one = decisions()[name]
        why, risk = tuple(one["why"]), tuple(one["risk"])
        return Package(name, one["cluster"], status, lock, one["demo"], why, risk)
    asked = {canonicalize_name(one.name) for one in direct_requirements(ROOT, lock or "dev")}
    of = _roots(name, asked) if name not in asked else []
    cluster = "dev/test"
    if lock is not None:
        held = [parent for parent in of if parent in decisions() and _lock_of(parent) == lock]
        cluster = str(decisions()[held[0]]["cluster"]) if held else "core-light"
    demo = lock == "light" and any(decisions().get(parent, {}).get("demo") for parent in of)
    return Package(name, cluster, status, lock, demo, ("", ""), ("", ""), tuple(of))


def _lock_of(name: str) -> str | None:
    return next((lock for lock in SHIPPED if name in locked(lock)), None)


def _roots(name: str, asked: Collection[str]) -> list[str]:
    """Return the packages that we ask for by name and that bring this one."""
    seen, waiting, found = {name}, [name], set()
    while waiting:
        for parent in parents().get(waiting.pop(), ()):
            if parent in seen:
                continue
            seen.add(parent)
            if parent in asked:
                found.add(parent)
            else:
                waiting.append(parent)
    return sorted(found)


@cache
def parents() -> dict[str, set[str]]:
    """Return who requires whom among what is installed here."""
    known = {*locked("full"), *locked("dev")}
    found: dict[str, set[str]] = {}
    for one in importlib.metadata.distributions():
        parent = canonicalize_name(one.name)
        if parent not in known:
            continue
        for text in one.requires or ():
            needed = Requirement(text)
            if needed.marker is None or "extra" not in str(needed.marker):
                found.setdefault(canonicalize_name(needed.name), set()).add(parent)
    return found
