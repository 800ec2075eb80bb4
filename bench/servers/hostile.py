"""An engine of our own on the OpenAI wire that sends far too much, of one kind a model.

``python -m bench.servers.hostile --port N``. The name of a model says what it does; every other
name answers in a few words. ``GET /list?names=N`` makes the next listings N names longer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bench.servers.upstream import _answer, _chunk

PLAIN = "plain"
#: Each sends the same bytes over and over, as fast as they are taken.
ENDLESS: dict[str, bytes] = {
    "endless-lines": b"data: x\n" * 4096,
    "endless-line": b"data: " + b"x" * 65_536,
    "endless-events": _chunk({"content": " token"}) * 256,
    "endless-nothings": b"data: {}\n\n" * 4096,
    "endless-comments": b":\n" * 16_384,
}
CALLS = "answer-of-fragments"
TEXT = "answer-of-60-mb"
MODELS = (PLAIN, *ENDLESS, CALLS, TEXT)
FRAGMENTS = 200_000
TEXT_BYTES = 60_000_000
DIMENSIONS = 1536
MOST_VECTORS = 2048
BODY_LIMIT = 64 * 2**20


def _fragments() -> bytes:
    """A stream, sent where one answer was asked for: the arguments of one call in small pieces."""
    piece = _chunk({"tool_calls": [{"index": 0, "function": {"arguments": "[1, 2, 3], "}}]})
    return piece * FRAGMENTS + _chunk({}, "tool_calls") + b"data: [DONE]\n\n"


def _text() -> bytes:
    body = json.loads(_answer())
    body["choices"][0]["message"]["content"] = '\n"' * (TEXT_BYTES // 4)
    return json.dumps(body).encode()


def _vectors(count: int) -> bytes:
    vector = json.dumps([round(number / 7919 - 0.1, 8) for number in range(DIMENSIONS)])
    row = '{"object":"embedding","index":%d,"embedding":%s}'
    rows = ",".join(row % (number, vector) for number in range(count))
    return f'{{"object":"list","data":[{rows}],"usage":{{"prompt_tokens":{count}}}}}'.encode()


class Upstream:
    """The handlers; ``names`` are listed beside the models."""

    def __init__(self) -> None:
        self._names = 0
        self._kept: dict[Any, bytes] = {}

    async def listing(self, request: web.Request) -> web.Response:
        self._names = int(request.query["names"])
        return web.json_response({})

    async def models(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._once(self._names, self._listed), content_type="application/json"
        )

    def _listed(self) -> bytes:
        names = (*MODELS, *(f"organisation/name-{number:06}" for number in range(self._names)))
        return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        model = body["model"]
        if model in ENDLESS:
            return await self._endless(request, ENDLESS[model])
        if model == CALLS:
            data, kind = self._once(CALLS, _fragments), "text/event-stream"
            return web.Response(body=data, content_type=kind)
        if model == TEXT:
            return web.Response(body=self._once(TEXT, _text), content_type="application/json")
        return web.Response(body=_answer(), content_type="application/json")

    async def embeddings(self, request: web.Request) -> web.Response:
        inputs = json.loads(await request.read())["input"]
        count = len(inputs) if isinstance(inputs, list) else 1
        if count > MOST_VECTORS:
            return web.json_response({"error": {"message": "too many inputs"}}, status=400)
        data = self._once(("vectors", count), lambda: _vectors(count))
        return web.Response(body=data, content_type="application/json")

    async def _endless(self, request: web.Request, piece: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(piece)
                await asyncio.sleep(0)
        return response

    def _once(self, name: Any, make: Callable[[], bytes]) -> bytes:
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    upstream = Upstream()
    app = web.Application(client_max_size=BODY_LIMIT)
    app.router.add_get("/healthz", upstream.models)
    app.router.add_get("/list", upstream.listing)
    app.router.add_get("/v1/models", upstream.models)
    app.router.add_post("/v1/chat/completions", upstream.chat)
    app.router.add_post("/v1/completions", upstream.chat)
    app.router.add_post("/v1/embeddings", upstream.embeddings)
    import uvloop

    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None, backlog=1024)


if __name__ == "__main__":
    main()
