"""The checks by name, in the order they run."""

from __future__ import annotations

from collections.abc import Callable

from tools.house import honesty, imports, lockstep, shape, traces
from tools.house.tree import Tree

CHECKS: dict[str, Callable[[Tree], list[str]]] = {
    "lockstep": lockstep.check,
    "shape": shape.check,
    "imports": imports.check,
    "honesty": honesty.check,
    "traces": traces.check,
}
