"""Bounds of generation parameters that a family of models has, whoever runs it."""

from __future__ import annotations

import re
from collections.abc import Mapping

Bounds = Mapping[str, tuple[float, float]]

_FAMILIES: tuple[tuple[re.Pattern[str], Bounds], ...] = (
    # It turns to nonsense above.
    (re.compile(r"llama-?3", re.IGNORECASE), {"temperature": (0.0, 1.0)}),
)


def bounds_of_name(name: str) -> Bounds:
    """Return the bounds, by parameter, of the family that a model's name tells; empty for most."""
    return next((bounds for pattern, bounds in _FAMILIES if pattern.search(name)), {})
