"""Plain pieces of text, relayed without being parsed.

The chunks of a stream differ in one string. Of a chunk that was parsed once, what stands before and
behind that string is kept; whatever begins and ends with the same bytes and has a string between
them is such a chunk as well, and as valid.
"""

from __future__ import annotations

import re
import secrets

from venom_core.sdk.frames import Envelope, FrameKind, decode, kind_of
from venom_core.sdk.wire_objects import dump, load_object, normalised

#: Bytes around the text; chunks with more are rare, and comparing them costs as much as parsing.
MAX_AROUND = 4096
# The place of a text. Inside a JSON string every quote is escaped, so it is found in keys only.
_KEY = re.compile(rb'"(?:content|reasoning_content|reasoning|arguments|text)"\s*:\s*"')
# What may stand in a JSON string. Surrogates are left to the parser: one half alone is no text.
_TEXT = re.compile(
    rb'[^"\\\x00-\x1f]*'
    rb'(?:\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*'
)


class DeltaShape:
    """The bytes around the text of one plain delta; ``index`` is that of its choice."""

    __slots__ = ("_closing", "_envelope", "_head", "_mark", "_opening", "_start", "_tail", "index")

    def __init__(self, head: bytes, tail: bytes, mark: bytes) -> None:
        self._head, self._tail, self._mark = head, tail, mark
        self._start = len(head)
        self._envelope: Envelope | None = None
        self._opening = self._closing = b""
        self.index = 0

    @classmethod
    def of(cls, data: bytes) -> DeltaShape | None:
        """Return the shape of a chunk that is a plain delta, or None where it has no one text."""
        keys = _KEY.findall(data)
        found = _KEY.search(data)
        if found is None or len(keys) != 1:
            return None
        text = _TEXT.match(data, found.end())
        assert text is not None  # it matches nothing at least
        if data[text.end() : text.end() + 1] != b'"':
            return None
        head, tail = data[: found.end()], data[text.end() :]
        if len(head) + len(tail) > MAX_AROUND:
            return None
        shape = cls(head, tail, secrets.token_hex(8).encode())
        try:
            return shape if shape._is_plain() else None
        except ValueError:
            return None

    def _is_plain(self) -> bool:
        """Return whether a chunk of this shape is one piece of one choice and nothing else, whose
        text is sent as it came."""
        body = self._body()
        event = decode(body, answer=False)
        self.index = event.choices[0].index if event.choices else 0
        return (
            len(event.choices) == 1
            and kind_of(event) is FrameKind.DELTA
            and dump(body).count(b'"%s"' % self._mark) == 1
        )

    def _body(self) -> dict[str, object]:
        return normalised(load_object(self._head + self._mark + self._tail), answer=False)

    def fits(self, data: bytes) -> bool:
        """Return whether ``data`` is a chunk of this shape."""
        start, end = self._start, len(data) - len(self._tail)
        return (
            start <= end
            and data.startswith(self._head)
            and data.endswith(self._tail)
            and _TEXT.fullmatch(data, start, end) is not None
            and (data.isascii() or _is_utf8(data[start:end]))
        )

    def put(self, data: bytes, envelope: Envelope) -> bytes:
        """Return a chunk of this shape in the envelope."""
        if envelope is not self._envelope:
            told = dump(envelope.around(self._body(), answer=False))
            self._opening, _, self._closing = told.partition(self._mark)
            self._envelope = envelope
        return self._opening + data[self._start : len(data) - len(self._tail)] + self._closing


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
