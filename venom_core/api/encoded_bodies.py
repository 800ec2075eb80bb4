"""Bodies that a client has compressed, made plain before anything reads them.

A few kilobytes can stand for gigabytes: what comes out is bounded as what comes in is, and made
in small pieces, so that others have their turn in between.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import NoReturn

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from venom_core.api.errors import too_large
from venom_core.sdk.errors import InvalidRequest, UnsupportedEncoding, VenomError

PIECE = 256 * 1024
_GZIP = zlib.MAX_WBITS + 16
#: What ``deflate`` means by its specification, and what some clients send in its place.
_ZLIB, _RAW = zlib.MAX_WBITS, -zlib.MAX_WBITS
_FORMATS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}
_DROPPED = (b"content-encoding", b"content-length")


def decoded(scope: Scope, receive: Receive, limit: int) -> tuple[Scope, Receive]:
    """Return the request as it would have come without a ``Content-Encoding``.

    Args:
        limit: bytes of the plain body; a larger one ends the reading.
    """
    value = ",".join(Headers(scope=scope).getlist("content-encoding"))
    codings = [word for part in value.split(",") if (word := part.strip().lower())]
    codings = [coding for coding in codings if coding != "identity"]
    if not codings:
        return scope, receive
    kept = [pair for pair in scope["headers"] if pair[0] not in _DROPPED]
    body = _Decoded(receive, codings, limit)
    return {**scope, "headers": kept}, body.receive


class _Decoded:
    """The body of one request, decoded while it is read."""

    def __init__(self, receive: Receive, codings: list[str], limit: int) -> None:
        self._receive = receive
        self._codings = codings
        self._limit = limit
        self._packed = b""
        self._more = True  # packed bytes are still to come
        self._plain = 0
        self._over = False
        self._inflater: zlib._Decompress | None = None

    async def receive(self) -> Message:
        """Return the next message: a piece of the plain body, or what the server itself says."""
        if self._over:
            return await self._receive()
        piece = b""
        while not piece and not self._over:
            if self._more and not self._packed:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._packed = message.get("body", b"")
                self._more = message.get("more_body", False)
            piece = self._next_piece()
            await asyncio.sleep(0)
        return {"type": "http.request", "body": piece, "more_body": not self._over}

    def _next_piece(self) -> bytes:
        if self._inflater is None and not self._packed:
            self._over = not self._more
            return b""
        inflater = self._inflater or self._begin()
        try:
            piece = inflater.decompress(self._packed, PIECE)
        except zlib.error:
            _refuse(_damaged())
        self._packed = inflater.unconsumed_tail or inflater.unused_data
        self._plain += len(piece)
        if self._plain > self._limit:
            _refuse(too_large(self._limit))
        if inflater.eof:
            # Gzip files may follow one another; nothing else may follow.
            self._inflater = None
            self._over = not self._packed and not self._more
        elif not piece and not self._packed and not self._more:
            _refuse(_damaged())
        return piece

    def _begin(self) -> zlib._Decompress:
        if len(self._codings) > 1 or self._codings[0] not in _FORMATS:
            _refuse(_unknown(", ".join(self._codings)))
        bits = _FORMATS[self._codings[0]]
        if bits == _ZLIB and self._packed and not _begins_zlib(self._packed):
            bits = _RAW
        self._inflater = zlib.decompressobj(bits)
        return self._inflater


def _begins_zlib(packed: bytes) -> bool:
    method_is_deflate = packed[0] & 0x0F == 8
    return method_is_deflate and (len(packed) == 1 or int.from_bytes(packed[:2]) % 31 == 0)


def _refuse(error: VenomError) -> NoReturn:
    """Raise what frameworks let pass; the cause is what is shown."""
    raise HTTPException(error.status, detail=error.message) from error


def _damaged() -> InvalidRequest:
    return InvalidRequest(
        "The body is not what its Content-Encoding says, or it ends too early.",
        fix="Send it whole, or without Content-Encoding and uncompressed.",
    )


def _unknown(coding: str) -> UnsupportedEncoding:
    return UnsupportedEncoding(
        f"A body cannot be read in the encoding {coding[:40]!r}.",
        fix="Send it with Content-Encoding: gzip or deflate, or uncompressed without one.",
    )
