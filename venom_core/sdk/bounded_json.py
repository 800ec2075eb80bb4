"""JSON of strangers: how many values a text holds is counted before the first one is made.

A byte of JSON is cheap to send and dear to read: ``[],[],`` becomes objects of sixty bytes each,
and nothing else runs meanwhile. A long text or an image is one value and costs next to nothing, so
it is values that are bounded here and not bytes; whoever reads bounds those.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from typing import Any

#: What an upstream's listing or answer may hold; read in less than a tenth of a second.
MOST_VALUES = 300_000

#: Of a listing that is longer than is read; a row of one is at most so long.
MOST_ROWS = 2000
LONGEST_ROW = 64 * 1024

_MARKS = b",[{"
#: A list of a few numbers or more, and nothing else.
_NUMBERS = re.compile(rb"\[[-+.0-9eE,\s]{16,}\]")
_SMALL = 256 * 1024
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


def rows(text: bytes, name: str) -> list[Any]:
    """Return the list under ``name`` of an object; of one that is too long to be read its first
    ``MOST_ROWS``. Raises ``ValueError`` or ``TypeError`` where there is none."""
    try:
        found = loads(text)[name]
    except TooManyValues:
        return _first_rows(text, name)
    except KeyError as error:
        raise ValueError("there is no such list") from error
    if not isinstance(found, list):
        raise TypeError("it is no list")
    return found[: MOST_ROWS + 1]


def _first_rows(text: bytes, name: str) -> list[Any]:
    begin = re.search(rb'"' + re.escape(name.encode()) + rb'"\s*:\s*\[', text)
    if begin is None:
        raise ValueError("there is no such list")
    decoder, place = json.JSONDecoder(), begin.end()
    found: list[Any] = []
    while len(found) <= MOST_ROWS:
        piece = text[place : place + LONGEST_ROW].decode("utf-8", "replace")
        row = piece.lstrip(" \t\r\n,")
        if row[:1] in ("", "]"):
            break
        value, length = decoder.raw_decode(row)
        found.append(value)
        place += len(piece[: len(piece) - len(row) + length].encode())
    return found


async def loads_vectors(text: bytes) -> Any:
    """Return the value of JSON text with long lists of numbers in it, read list by list, so that
    the event loop turns meanwhile. Raises ``ValueError`` as :func:`loads` does."""
    if len(text) < _SMALL:
        return loads(text)
    mark, place = secrets.token_hex(8), 0
    parts: list[bytes] = []
    lists: list[Any] = []
    for match in _NUMBERS.finditer(text):
        parts += [text[place : match.start()], b'"%s:%d"' % (mark.encode(), len(lists))]
        lists.append(loads(match[0]))
        place = match.end()
        await asyncio.sleep(0)
    whole = loads(b"".join((*parts, text[place:])))
    return _with_lists(whole, f"{mark}:", lists)


def _with_lists(value: Any, mark: str, lists: list[Any]) -> Any:
    if isinstance(value, str) and value.startswith(mark):
        return lists[int(value[len(mark) :])]
    if isinstance(value, list):
        return [_with_lists(item, mark, lists) for item in value]
    if isinstance(value, dict):
        return {key: _with_lists(item, mark, lists) for key, item in value.items()}
    return value


def _marks(text: bytes) -> int:
    """Return how many marks begin a value; inside texts they are counted as well."""
    return len(text) - len(text.translate(None, _MARKS))
