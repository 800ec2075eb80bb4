"""Tells versions of Ollama apart by the number that it gives."""

from __future__ import annotations

import re

#: Older versions ignore ``truncate: false`` and cut a prompt that does not fit.
TRUNCATE_SINCE = (0, 12, 6)
#: From here on its engine is llama-server, which takes ``shift`` when it starts.
SHIFT_AT_LAUNCH_SINCE = (0, 30, 0)


def too_old(version: str) -> bool:
    """Return whether this Ollama ignores ``truncate``. A build of someone's own (0.0.0) counts as
    new."""
    return (0, 0, 0) < _numbers(version) < TRUNCATE_SINCE


def shifts_at_launch(version: str) -> bool:
    """Return whether ``shift`` is an argument of the engine's launch, and so loads a model anew."""
    numbers = _numbers(version)
    return numbers == (0, 0, 0) or numbers >= SHIFT_AT_LAUNCH_SINCE


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version[:40])[:3])
