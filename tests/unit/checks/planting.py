"""The type of the `plant` fixture."""

from __future__ import annotations

from collections.abc import Callable

from tools.house.tree import Tree

Plant = Callable[[dict[str, str]], Tree]
