"""Bounds of generation parameters: those that a family of models has, whoever runs it, and those
outside of which a value is none at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from venom_core.sdk.architecture import MAX_CONTEXT
from venom_core.sdk.numbers import MOST_EXACT, plain, real, say, whole

Bounds = Mapping[str, tuple[float, float]]

_FAMILIES: tuple[tuple[re.Pattern[str], Bounds], ...] = (
    # It turns to nonsense above.
    (re.compile(r"llama-?3", re.IGNORECASE), {"temperature": (0.0, 1.0)}),
)


def bounds_of_name(name: str) -> Bounds:
    """Return the bounds, by parameter, of the family that a model's name tells; empty for most."""
    return next((bounds for pattern, bounds in _FAMILIES if pattern.search(name)), {})


def _number(value: object, name: str) -> float | None:
    return real(value, name, -1e9, 1e9)


def _stops(value: object, name: str) -> Any:
    if isinstance(value, list | tuple) and all(isinstance(text, str) for text in value):
        return value
    say(name, value)
    return None


_KINDS: Mapping[str, Callable[[object, str], Any]] = {
    "temperature": _number,
    "top_p": _number,
    "min_p": _number,
    "repeat_penalty": _number,
    "presence_penalty": _number,
    "frequency_penalty": _number,
    "max_tokens": lambda value, name: whole(value, name, MAX_CONTEXT, 1),
    "top_k": lambda value, name: whole(value, name, 1 << 31, -1),
    "seed": lambda value, name: whole(value, name, MOST_EXACT, -MOST_EXACT),
    "stop": _stops,
}


def possible_parameters(values: object, name: str) -> dict[str, Any]:
    """Return generation parameters by OpenAI name, without those whose value is none at all: they
    come from a model's file, a plugin or the store, and are sent to an engine.

    Args:
        name: says whose they are, for the log.
    """
    if not isinstance(values, Mapping):
        say(name, values)
        return {}
    kept = {}
    for parameter, value in values.items():
        check, place = _KINDS.get(parameter), f"{name}.{parameter}"
        good = plain(value, place) if check is None or value is None else check(value, place)
        if good is not None or value is None:
            kept[str(parameter)] = good
    return kept
