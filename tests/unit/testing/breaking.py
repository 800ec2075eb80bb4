"""The registry of providers that break a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tests.unit.testing.lawful import Lawful

T = TypeVar("T", bound=type[Lawful])
#: Rule -> the providers that break it.
BROKEN: dict[str, list[type[Lawful]]] = {}


def breaks(name: str) -> Callable[[T], T]:
    def note(broken: T) -> T:
        BROKEN.setdefault(name, []).append(broken)
        return broken

    return note
