"""The checks by name, in the order they run."""

from __future__ import annotations

from collections.abc import Callable

from tools.house import (
    changelog,
    dependencies,
    docs,
    honesty,
    imports,
    lockstep,
    parity,
    sentences,
    shape,
    traces,
)
from tools.house.tree import Tree

CHECKS: dict[str, Callable[[Tree], list[str]]] = {
    "lockstep": lockstep.check,
    "shape": shape.check,
    "imports": imports.check,
    "honesty": honesty.check,
    "traces": traces.check,
    "dependencies": dependencies.check,
    "docs": docs.check,
    "parity": parity.check,
    "sentences": sentences.check,
    "changelog": changelog.check,
}
