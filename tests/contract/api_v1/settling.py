"""The rule by which a recorded answer becomes an example: what changes from run to run is fixed.

- A moment is ``2026-01-15T12:00:00Z``, a day ``2026-01-15``, and a number of seconds since 1970 the
  same moment. What an answer says of hours and months stays.
- An id that was drawn is the same kind of id with a number in it: the first is 1, the second 2, and
  the same id is the same number in every example.
- A figure that was measured has a fixed value, by its field's name: ``MEASURED``.
- The key, the ticket of a sign-in link, a place on this machine, a port, and Venom's own version
  are fixed.
- A list has its first item only, and so has an object whose call says that its fields are alike; a
  stream has its first events, other text its first lines.

What is null stays null.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from venom_core._version import __version__

MOMENT, DAY, SECONDS = "2026-01-15T12:00:00Z", "2026-01-15", 1768478400
STAMP = "20260115T120000Z"
HOME = "/home/you/.venom"
PIECES = 4

#: Figures of the machine and of the run, by the end of their field's name.
MEASURED: Mapping[str, float] = {
    "latency_ms": 3.2, "_usage_percent": 41.5, "cpu_percent": 1.5, "disk_usage_gb": 12.4,
    "disk_system_total_gb": 512.0, "disk_system_used_gb": 212.5, "memory_total_gb": 32.0,
    "memory_used_gb": 13.3, "memory_mb": 180.5, "memory_usage_mb": 13312.0,
    "memory_total_mb": 32768.0, "vram_usage_mb": 4096.0, "vram_total_mb": 12288.0,
    "uptime_seconds": 3600, "duration_ms": 420, "load_ms": 120.0, "total_ms": 420.0,
    "first_token_ms": 85.0, "time_to_first_token_ms": 85.0, "tokens_per_second": 52.5, "pid": 4242,
    "cores": 8,
    "free_bytes": 16_000_000_000, "total_bytes": 32_000_000_000, "used_bytes": 13_000_000_000,
    "available_bytes": 16_000_000_000, "rss_bytes": 180_000_000,
}  # fmt: skip
_SECONDS = ("created", "modified")
_SECONDS_IN_TEXT = re.compile(r"\b1\.\d+e\+09")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_STAMP = re.compile(r"\b20\d{6}T\d{6}Z")
_DAY = re.compile(r"20\d\d-\d\d-\d\d(?!T)\b")
_ID = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<![0-9A-Za-z])[0-9a-f]{12,64}\b"
)
_EVENT_ID = re.compile(r"^id: \d+$", re.MULTILINE)
_TICKET = re.compile(r"(#sign-in=)[\w-]+")
_PORT = re.compile(r"\b(127\.0\.0\.1|localhost):\d+")


class Settling:
    """The rule over the answers of one run.

    Args:
        known: what this run drew and where it ran (a key, folders, addresses), and what stands for
            each.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._ids: dict[str, str] = {}

    def know(self, drawn: str, shown: str) -> None:
        """From now on show something else for what this run drew."""
        self._known[drawn] = shown

    def value(self, value: Any, field: str = "") -> Any:
        """Return a JSON value with what changes fixed, and its lists whole."""
        if isinstance(value, dict):
            return {self.text(key): self.value(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.value(one, field) for one in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool) or value is None:
            return value
        if field in _SECONDS:
            return SECONDS
        return _measured(field, value)

    def text(self, text: str) -> str:
        """Return a text with what changes fixed."""
        for drawn, shown in self._known.items():
            text = text.replace(drawn, shown)
        text = _MOMENT.sub(MOMENT, text)
        text = _DAY.sub(DAY, text)
        text = _STAMP.sub(STAMP, text)
        text = _SECONDS_IN_TEXT.sub(f"{SECONDS / 1e9}e+09", text)
        text = _ID.sub(lambda found: self._id(found[0]), text)
        text = _TICKET.sub(r"\1TICKET", text)
        text = _PORT.sub(r"\1:8366", text)
        return text.replace(__version__, "1.0.0")

    def stream(self, text: str) -> str:
        """Return the first events of a stream, the data of each with what changes fixed."""
        blocks = [block for block in text.split("\n\n") if block][:PIECES]
        shown = "".join("\n".join(map(self._line, block.split("\n"))) + "\n\n" for block in blocks)
        numbers = itertools.count(1)
        return _EVENT_ID.sub(lambda _: f"id: {next(numbers)}", shown)

    def table(self, text: str) -> str:
        """Return the head and the first row of CSV, its figures by their column's name."""
        head, row, *_ = csv.reader(io.StringIO(text))
        shown = [
            str(_measured(name, float(value))) if _is_measured(name) and value else self.text(value)
            for name, value in zip(head, row, strict=True)
        ]
        return f"{','.join(head)}\r\n{','.join(shown)}\r\n"

    def _line(self, line: str) -> str:
        name, _, data = line.partition(": ")
        if name != "data" or not data.startswith("{"):
            return self.text(line)
        return f"data: {json.dumps(self.value(json.loads(data)), ensure_ascii=False)}"

    def _id(self, drawn: str) -> str:
        if drawn not in self._ids:
            number = len(self._ids) + 1
            if "-" in drawn:
                self._ids[drawn] = f"00000000-0000-4000-8000-{number:012x}"
            else:
                self._ids[drawn] = f"{number:0{len(drawn)}x}"
        return self._ids[drawn]


def cut(value: Any, emptied: tuple[str, ...] = (), first: tuple[str, ...] = ()) -> Any:
    """Return a JSON value whose lists have their first item only.

    Args:
        emptied: fields at the top whose content is left out.
        first: fields at the top whose content is cut to its first field.
    """
    if isinstance(value, list):
        return [cut(one) for one in value[:1]]
    if not isinstance(value, dict):
        return value
    kept = {key: 0 if key in emptied else 1 if key in first else None for key in value}
    return {
        key: cut(one if kept[key] is None else dict(list(one.items())[: kept[key]]))
        for key, one in value.items()
    }


def outline(answer: Any) -> list[str]:
    """Return what an example and an answer of now must share: the fields of JSON; of text the
    events and their fields, or the first line. Of which kind a field is, its shape declares."""
    if not isinstance(answer, str):
        return sorted(set(_fields(answer)))
    if "data: " not in answer:
        return answer.split("\n")[:1]
    found = []
    for line in answer.split("\n"):
        name, _, data = line.partition(": ")
        fields = _fields(json.loads(data)) if name == "data" and data.startswith("{") else [data]
        if name in ("event", "data"):
            found.append(f"{name}: {', '.join(sorted(set(fields)))}")
    return found


def _fields(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _fields(one, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for one in value:
            yield from _fields(one, f"{place}[]")
    yield place


def _is_measured(field: str) -> bool:
    return field.endswith(tuple(MEASURED))


def _measured(field: str, value: float) -> float:
    for ending, fixed in MEASURED.items():
        if field.endswith(ending):
            return type(value)(fixed)
    return value
