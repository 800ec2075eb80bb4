"""Work of the core's that is awaited, done to its end by a command without a connection."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Return what the work gives, on an event loop of its own."""
    # Imported here: asyncio is too slow for a help.
    import asyncio

    return asyncio.run(work)
