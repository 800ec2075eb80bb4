"""Requests of this application to itself: what asks as a client does, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.types import Message, Scope

from venom_core.usecases.selftest.asking import Received

#: Who asked us, and from which page. Not the language: what comes back is read by a program.
_KEPT = frozenset(
    {b"host", b"authorization", b"x-api-key", b"cookie", b"origin", b"sec-fetch-site"}
)


class InnerWire:
    """Sends bodies to paths of the same application as whoever sent ``request``: through the same
    guards, behind the same key, with the same limits and turns."""

    def __init__(self, request: Request) -> None:
        self._app = request.app
        self._scope = request.scope

    async def __call__(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        """Return the whole answer. Whoever is cancelled here is a client that went away."""
        # A task of its own: the id that is logged, and guards that cancel what they are around,
        # are the inner request's and not those of the one that is waiting here.
        return await asyncio.create_task(self._exchange(path, body, headers), name="inner request")

    async def _exchange(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        sent = json.dumps(body).encode()
        pieces: list[bytes] = []
        start: dict[str, Any] = {}
        told = False

        async def receive() -> Message:
            nonlocal told
            if told:
                await asyncio.Event().wait()
            told = True
            return {"type": "http.request", "body": sent, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))

        await self._app(self._made(path, len(sent), headers), receive, send)
        received = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Received(start["status"], received, b"".join(pieces))

    def _made(self, path: str, length: int, headers: Mapping[str, str]) -> Scope:
        kept = [pair for pair in self._scope["headers"] if pair[0].lower() in _KEPT]
        ours = {"content-type": "application/json", "content-length": str(length), **headers}
        scope = {
            name: self._scope[name]
            for name in ("type", "asgi", "http_version", "scheme", "client", "server")
            if name in self._scope
        }
        return {
            **scope,
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [
                *kept,
                *((name.lower().encode(), value.encode()) for name, value in ours.items()),
            ],
            "state": {},
        }
