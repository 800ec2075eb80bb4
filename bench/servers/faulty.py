"""An engine of our own on the OpenAI wire that goes wrong when it is told to, and counts.

``python -m bench.servers.faulty --port N``. A request's ``seed`` is an index into ``KINDS``.
``GET /count`` says what was asked, each ``X-Request-Id`` once: a gateway may ask again where a
connection broke. The tokens are those that were reported in an answer, ``ends`` the times in
seconds (monotonic) at which requests ended here.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import time
from collections import Counter
from typing import Any

from aiohttp import web

from bench.servers.upstream import (
    MODEL,
    _answer,
    _chunk,
    _usage_chunk,
)

KINDS = (
    "whole",
    "stream",
    "whole without usage",
    "stream without usage",
    "500",
    "429",
    "reset before the answer",
    "reset in a stream",
    "end in a stream",
    "error in a stream",
    "client leaves",
)
PROMPT_TOKENS, ANSWER_TOKENS, STREAM_TOKENS = 12, 7, 5


class Upstream:
    """The handlers and the count."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._kinds: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._ends: dict[str, float] = {}

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def count(self, request: web.Request) -> web.Response:
        told = {
            "requests": len(self._seen),
            "kinds": self._kinds,
            "prompt_tokens": self._tokens["prompt"],
            "completion_tokens": self._tokens["completion"],
        }
        if "ends" in request.query:
            told["ends"] = list(self._ends.values())
        return web.json_response(told)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        kind, request_id = KINDS[body["seed"]], request.headers["X-Request-Id"]
        if request_id not in self._seen:
            self._seen.add(request_id)
            self._kinds[kind] += 1
        try:
            return await self._answer(request, kind)
        finally:
            self._ends[request_id] = time.monotonic()

    async def _answer(self, request: web.Request, kind: str) -> web.StreamResponse:
        if kind in ("500", "429"):
            return web.json_response({"error": {"message": "told to"}}, status=int(kind))
        if kind == "reset before the answer":
            return self._reset(request)
        if kind.startswith("whole"):
            data = json.loads(_answer())
            if kind == "whole":
                self._report(ANSWER_TOKENS)
            else:
                del data["usage"]
            return web.json_response(data)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # who left is counted already
            await self._stream(request, response, kind)
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, kind: str) -> None:
        await response.write(_chunk({"role": "assistant", "content": "token"}))
        if kind == "client leaves":
            while True:  # until the gateway closes the connection, which raises
                await asyncio.sleep(0.01)
                await response.write(b": still here\n\n")
        await response.write(_chunk({"content": " token"}))
        if kind == "reset in a stream":
            self._reset(request)
            return
        if kind == "error in a stream":
            await response.write(b'data: {"error": {"message": "told to"}}\n\n')
        elif kind != "end in a stream":
            await response.write(_chunk({}, "stop"))
            if kind == "stream":
                self._report(STREAM_TOKENS)
                await response.write(_usage_chunk(STREAM_TOKENS))
            await response.write(b"data: [DONE]\n\n")
        await response.write_eof()

    def _report(self, tokens: int) -> None:
        self._tokens["prompt"] += PROMPT_TOKENS
        self._tokens["completion"] += tokens

    def _reset(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    upstream = Upstream()
    app: Any = web.Application()
    app.router.add_get("/v1/models", upstream.models)
    app.router.add_get("/healthz", upstream.models)
    app.router.add_get("/count", upstream.count)
    app.router.add_post("/v1/chat/completions", upstream.chat)
    import uvloop

    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None, backlog=1024)


if __name__ == "__main__":
    main()
