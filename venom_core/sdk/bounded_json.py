"""JSON of strangers: how many values a text holds is counted before the first one is made.

A byte of JSON is cheap to send and dear to read: ``[],[],`` becomes objects of sixty bytes each,
and nothing else runs meanwhile. A long text or an image is one value and costs next to nothing, so
it is values that are bounded here and not bytes; whoever reads bounds those.
"""

from __future__ import annotations

import json
from typing import Any

#: What an upstream's listing or answer may hold; read in less than a tenth of a second.
MOST_VALUES = 300_000

_MARKS = b",[{"
_ESCAPED = ((b"\\\\", b""), (b'\\"', b""))


class TooManyValues(ValueError):
    """The text holds more values than are read."""


def check_values(text: bytes, most: int = MOST_VALUES) -> None:
    """Raise ``TooManyValues`` where JSON text holds more than ``most`` values. Makes none of
    them."""
    if _marks(text) <= most:
        return
    for escaped, nothing in _ESCAPED:
        text = text.replace(escaped, nothing)
    # Each value has at most two texts of its own: its key and itself.
    if text.count(b'"') > 4 * most or _marks(b"".join(text.split(b'"')[::2])) > most:
        raise TooManyValues


def loads(text: bytes, most: int = MOST_VALUES) -> Any:
    """Return the value of JSON text. Raises ``ValueError`` where it is none, holds more than
    ``most`` values, or nests too deeply."""
    check_values(text, most)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _marks(text: bytes) -> int:
    """Return how many marks begin a value; inside texts they are counted as well."""
    return len(text) - len(text.translate(None, _MARKS))
