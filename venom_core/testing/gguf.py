"""GGUF headers for tests: whole ones, damaged ones, ones that claim too much."""

from __future__ import annotations

import struct
from typing import Any


def gguf_bytes(
    facts: dict[str, Any], *, version: int = 3, tensors: int = 0, keys: int | None = None
) -> bytes:
    """Build a header from its metadata; ``tensors`` and ``keys`` are the counts that it claims.

    A value that is ``bytes`` is taken as kind and payload together.
    """
    head = struct.pack("<4sIQQ", b"GGUF", version, tensors, len(facts) if keys is None else keys)
    pairs = (
        struct.pack("<Q", len(key)) + key.encode() + _value(value) for key, value in facts.items()
    )
    return head + b"".join(pairs)


def _value(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, list):
        written = [text.encode() for text in value]
        texts = b"".join(struct.pack("<Q", len(text)) + text for text in written)
        return struct.pack("<IIQ", 9, 8, len(value)) + texts
    data = str(value).encode()
    return struct.pack("<IQ", 8, len(data)) + data
