"""Values of the store's columns as they are read back: whatever a damaged page, a foreign hand or
an older release has put there, one of them never keeps the others from being read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from venom_core.sdk.numbers import plain, say


class Unreadable:
    """In place of a value that is no JSON."""


UNREADABLE = Unreadable()


def read_json(text: Any) -> Any:
    """Return what a column of JSON holds, without numbers that no reader of JSON takes;
    ``UNREADABLE`` where it is no JSON."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        say("store.json", text)
        return UNREADABLE
    good = plain(value, "store.number", keys=False)
    return UNREADABLE if good is None else good  # nothing is stored as a null of SQL's


def an_object(value: Any) -> dict[str, Any] | None:
    """Return a column that holds an object or nothing; None for anything else."""
    return dict(value) if isinstance(value, Mapping) else None


def texts(value: Any) -> tuple[str, ...] | None:
    """Return a column that holds a list of texts, None where it holds nothing; an empty list for
    anything else, which allows nothing."""
    if value is None:
        return None
    good = isinstance(value, list) and all(isinstance(text, str) for text in value)
    return tuple(value) if good else ()
