"""An engine of our own on the OpenAI wire: chunks made beforehand, sent at fixed times.

``python -m bench.servers.upstream --port N [--tokens 200] [--interval-ms 20]``. Token ``i`` of a
stream leaves ``i * interval`` after the request came, whatever became of the one before: a slow
reader makes a late chunk, never a slower clock. The two figures can be overridden by a request's
``max_tokens`` and by its ``seed`` (taken as the interval in microseconds), which pass through any
gateway unchanged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from aiohttp import web

MODEL = "bench-model"
_ID = "chatcmpl-bench0123456789abcdef0123456789"


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    body = {
        "id": _ID,
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


_FIRST = _chunk({"role": "assistant", "content": ""})
_TOKEN = _chunk({"content": " token"})
_FINISH = _chunk({}, "stop")
_DONE = b"data: [DONE]\n\n"


def _usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 12, "completion_tokens": tokens, "total_tokens": tokens + 12}


def _usage_chunk(tokens: int) -> bytes:
    body = json.loads(_TOKEN[6:]) | {"choices": [], "usage": _usage(tokens)}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def _answer() -> bytes:
    message = {"role": "assistant", "content": "Warsaw is the capital of Poland."}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = json.loads(_TOKEN[6:]) | {
        "object": "chat.completion",
        "choices": [choice],
        "usage": _usage(7),
    }
    return json.dumps(body, separators=(",", ":")).encode()


class Upstream:
    """The handlers; ``tokens`` and ``interval`` (seconds) hold where a request does not say."""

    def __init__(self, tokens: int, interval: float) -> None:
        self._tokens = tokens
        self._interval = interval
        self._answer = _answer()

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        started = loop.time()
        body = json.loads(await request.read())
        if not body.get("stream"):
            return web.Response(body=self._answer, content_type="application/json")
        tokens = body.get("max_tokens") or self._tokens
        interval = body["seed"] / 1e6 if body.get("seed") is not None else self._interval
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(_FIRST)
        for number in range(1, tokens + 1):
            if interval:
                late = started + number * interval - loop.time()
                if late > 0:
                    await asyncio.sleep(late)
            await response.write(_TOKEN)
        await response.write(_FINISH)
        if (body.get("stream_options") or {}).get("include_usage"):
            await response.write(_usage_chunk(tokens))
        await response.write(_DONE)
        await response.write_eof()
        return response


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--interval-ms", type=float, default=20.0)
    options = parser.parse_args()
    upstream = Upstream(options.tokens, options.interval_ms / 1000)
    app = web.Application()
    app.router.add_get("/v1/models", upstream.models)
    app.router.add_get("/healthz", upstream.models)
    app.router.add_post("/v1/chat/completions", upstream.chat)
    import uvloop

    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None, backlog=1024)


if __name__ == "__main__":
    main()
