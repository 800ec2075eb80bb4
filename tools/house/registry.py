"""The checks by name, in the order they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tools.house import (
    changelog,
    circles,
    commands,
    contents,
    dependencies,
    docs,
    docstrings,
    honesty,
    imports,
    lockstep,
    parity,
    plugins,
    sentences,
    shape,
    sitting,
    strangers,
    traces,
    workflows,
)
from tools.house.tree import Tree


class Check(Protocol):
    """A module of this package. It may have ``figure(tree) -> str`` too: what to print beside its
    name, whatever it finds."""

    def check(self, tree: Tree, /) -> list[str]: ...


CHECKS: dict[str, Check] = {
    "lockstep": lockstep,
    "plugins": plugins,
    "shape": shape,
    "sitting": sitting,
    "docstrings": docstrings,
    "imports": imports,
    "circles": circles,
    "honesty": honesty,
    "traces": traces,
    "dependencies": dependencies,
    "docs": docs,
    "contents": contents,
    "commands": commands,
    "parity": parity,
    "sentences": sentences,
    "changelog": changelog,
    "strangers": strangers,
    "workflows": workflows,
}


def figure_of(check: Check, tree: Tree) -> str:
    """Return what a check measures, or nothing for one that measures nothing."""
    measure: Callable[[Tree], str] | None = getattr(check, "figure", None)
    return measure(tree) if measure else ""
