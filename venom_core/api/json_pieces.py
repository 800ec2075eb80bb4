"""Long answers as JSON, made row by row: everybody else has a turn in between.

To write millions of numbers takes seconds, and nothing else runs while one call writes them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

#: Bytes that are written between two turns of the event loop.
PIECE = 64 * 1024
# As Starlette's own JSONResponse writes.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


async def long_json(
    answer: Mapping[str, Any], rows: Iterable[Any], headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer as JSON. One of its values is ``...``: there the list of ``rows`` stands."""
    parts: list[bytes] = []
    for name, value in answer.items():
        parts.append(b"," if parts else b"{")
        parts.append(f"{_ENCODER.encode(name)}:".encode())
        parts += [await _list(rows)] if value is ... else [_ENCODER.encode(value).encode()]
    return Response(b"".join((*parts, b"}")), 200, headers, "application/json")


async def _list(rows: Iterable[Any]) -> bytes:
    parts, written = [], 0
    for row in rows:
        part = _ENCODER.encode(row).encode()
        parts.append(part)
        written += len(part)
        if written >= PIECE:
            written = 0
            await asyncio.sleep(0)
    return b"[" + b",".join(parts) + b"]"
