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
from collections.abc import Iterator
from typing import Any

#: What an upstream's listing or answer may hold; read in less than a tenth of a second.
MOST_VALUES = 300_000

#: Of a listing that is longer than is read.
MOST_ROWS = 2000
#: What of a listing comes over the wire at all.
MAX_LISTING_BYTES = 16 * 1024 * 1024

#: Every byte but those that begin a value: the comma before it, and what opens a list or object.
_NO_MARKS = bytes(set(range(256)) - set(b",[{"))
#: A list of a few numbers or more, up to those of the longest vector, and nothing else.
_NUMBERS = re.compile(rb"\[[-+.0-9eE,\s]{16,2097152}\]")
_SMALL = 256 * 1024
_SLICE = 64 * 1024
_ESCAPE = re.compile(rb"\\*[^\\]?")
_BETWEEN = re.compile(r"[\s,]*")


class TooManyValues(ValueError):
    """The text holds more values than are read."""


def check_values(text: bytes, most: int = MOST_VALUES, most_objects: int | None = None) -> None:
    """Raise ``TooManyValues`` where JSON text holds more than ``most`` values, or more than
    ``most_objects`` objects and lists. Makes none of them, and reads no further than to the first
    that is one too many."""
    bound = most if most_objects is None else most_objects
    if _readable(text, most, bound) == len(text):
        return
    values = objects = quotes = 0
    for piece in _slices(text):
        plain = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        in_text = quotes % 2
        quotes += plain.count(b'"')
        # Each value has at most two texts of its own: its key and itself.
        if quotes > 4 * most:
            raise TooManyValues
        marks = b"".join(plain.split(b'"')[in_text::2]).translate(None, _NO_MARKS)
        values += len(marks)
        objects += len(marks) - marks.count(b",")
        if values > most or objects > bound:
            raise TooManyValues


def _slices(text: bytes) -> Iterator[bytes]:
    """Yield the text in pieces, none of which ends inside an escape."""
    begin = 0
    while begin < len(text):
        escape = _ESCAPE.match(text, begin + _SLICE)
        end = escape.end() if escape else len(text)
        yield text[begin:end]
        begin = end


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
    ``MOST_ROWS`` or fewer. Raises ``ValueError`` or ``TypeError`` where there is none."""
    end = _readable(text, MOST_VALUES, MOST_VALUES)
    if end < len(text):
        return _first_rows(text[:end].decode("utf-8", "replace"), name)
    try:
        found = json.loads(text.decode("utf-8", "replace"))[name]
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except KeyError as error:
        raise ValueError("there is no such list") from error
    if not isinstance(found, list):
        raise TypeError("it is no list")
    return found[: MOST_ROWS + 1]


def is_short(text: bytes) -> bool:
    """Return whether a text can be read whole, seen from what looks like a value in it."""
    return _readable(text, MOST_VALUES, MOST_VALUES) == len(text)


def _readable(text: bytes, most: int, most_objects: int) -> int:
    """Return how much of a text may be read by what begins a value in it, inside texts too."""
    values = objects = end = 0
    while end < len(text):
        marks = text[end : end + _SLICE].translate(None, _NO_MARKS)
        values += len(marks)
        objects += len(marks) - marks.count(b",")
        if values > most or objects > most_objects:
            return end
        end += _SLICE
    return len(text)


def _first_rows(text: str, name: str) -> list[Any]:
    """Return the whole rows at the beginning of a list that was cut."""
    begin = re.search(f'"{re.escape(name)}"\\s*:\\s*\\[', text)
    if begin is None:
        raise ValueError("there is no such list")
    decoder, place = json.JSONDecoder(), begin.end()
    found: list[Any] = []
    while len(found) <= MOST_ROWS:
        between = _BETWEEN.match(text, place)
        place = between.end() if between else place
        try:
            row, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):  # the end of the list, or what the cut has left
            break
        found.append(row)
    if not found:
        raise ValueError("no row of it can be read")
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
