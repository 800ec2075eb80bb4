"""Faults between us and an Ollama, on demand.

A fault is a JSON object sent to ``POST /__fake__/faults``::

    {"path": "/api/chat", "kind": "reset", "after_bytes": 200, "delay_ms": 0, "times": 1}

``after_bytes`` counts body bytes (framing aside); the fault strikes at the first line that begins
at or after it. ``times`` 0 means always. The kinds are the members of :class:`Kind`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kind of a fault."""

    #: Connection closed before a byte of the answer.
    REFUSE = "refuse"
    #: Request read, never answered; the connection stays open.
    SILENT = "silent"
    #: TCP reset in the middle of the body.
    RESET = "reset"
    #: Connection closed in the middle of the body, without the last chunk.
    EOF = "eof"
    #: The body ends early and legally: the last chunk comes, ``"done": true`` never did.
    CUT = "cut"
    #: No more bytes, at the latest none of the last chunk; the connection stays open.
    STALL = "stall"
    #: Half of the next line, then a legal end.
    HALF_LINE = "half_line"
    #: Bytes that are no UTF-8 inside the next line.
    BAD_UTF8 = "bad_utf8"
    #: A line ``{"error": message}`` and a legal end, as Ollama reports what fails in mid-stream.
    ERROR_FRAME = "error_frame"
    #: Something that is no JSON in place of the next line, then a legal end.
    GARBAGE = "garbage"
    #: Another status and body altogether (``status``, ``body``, ``headers``).
    STATUS = "status"
    #: The same bytes, ``delay_ms`` before the head, the lines and the last chunk.
    SLOW = "slow"
    #: The same bytes in chunks of ``size``, cut wherever that falls.
    SPLIT = "split"


#: Kinds which replace the whole exchange; the others strike inside the body.
WHOLE = frozenset({Kind.REFUSE, Kind.SILENT, Kind.STATUS})


@dataclass(slots=True)
class Fault:
    """One fault, waiting for its request."""

    kind: Kind
    path: str
    method: str | None = None
    after_bytes: int = 0
    delay_ms: int = 0
    times: int = 1
    size: int = 7
    status: int = 500
    body: str = '{"error":"fault injected by the fake"}'
    message: str = "an error was encountered while running the model: unexpected EOF"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Fault:
        """Build one from JSON. Raises ValueError naming an unknown kind or field."""
        known = set(cls.__slots__)
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValueError(f"unknown fields {unknown}; known are {sorted(known)}")
        if "path" not in data or "kind" not in data:
            raise ValueError("a fault needs 'path' and 'kind'")
        return cls(**{**data, "kind": Kind(data["kind"])})

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON."""
        return asdict(self)

    def error_line(self) -> bytes:
        """Return the line of an ERROR_FRAME."""
        return json.dumps({"error": self.message}).encode() + b"\n"


class Faults:
    """The faults that wait, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let ``fault`` strike the next matching request."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """Return the faults that have not struck yet, as JSON."""
        return [fault.to_json() for fault in self._waiting]

    def take(self, method: str, path: str) -> Fault | None:
        """Take the fault for this request, counted down."""
        for fault in self._waiting:
            if fault.path == path and fault.method in (None, method):
                if fault.times == 1:
                    self._waiting.remove(fault)
                elif fault.times > 1:
                    fault.times -= 1
                return fault
        return None
