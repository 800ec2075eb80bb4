"""Bare relays, the least that a proxy for a stream can be: bytes in, bytes out.

``python -m bench.servers.relays aiohttp|starlette --port N --upstream URL``. ``aiohttp`` is an
aiohttp server over an aiohttp client; ``starlette`` is a Starlette application under uvicorn (with
the settings of ``venom serve``) over the same client. Both run on uvloop, as Venom does.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator

import aiohttp

PATH = "/v1/chat/completions"


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
    )


def serve_aiohttp(port: int, upstream: str) -> None:
    import uvloop
    from aiohttp import web

    async def client(app: web.Application) -> AsyncIterator[None]:
        async with _session() as app[key]:
            yield

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def relay(request: web.Request) -> web.StreamResponse:
        data = await request.read()
        headers = {"Content-Type": "application/json"}
        session = request.app[key]
        async with session.post(upstream + PATH, data=data, headers=headers) as answer:
            response = web.StreamResponse(headers={"Content-Type": answer.headers["Content-Type"]})
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    key = web.AppKey("session", aiohttp.ClientSession)
    app = web.Application()
    app.cleanup_ctx.append(client)
    app.router.add_get("/healthz", health)
    app.router.add_post(PATH, relay)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, backlog=1024)


def serve_starlette(port: int, upstream: str) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    from bench.servers.bare import SETTINGS

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _session() as app.state.session:
            yield

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def relay(request: Request) -> Response:
        data = await request.body()
        headers = {"Content-Type": "application/json"}
        session: aiohttp.ClientSession = request.app.state.session
        answer = await session.post(upstream + PATH, data=data, headers=headers)
        kind = answer.headers["Content-Type"]
        if not kind.startswith("text/event-stream"):
            return Response(await answer.read(), media_type=kind)

        async def chunks() -> AsyncIterator[bytes]:
            async with answer:
                async for chunk in answer.content.iter_any():
                    yield chunk

        return StreamingResponse(chunks(), media_type=kind)

    routes = [Route("/healthz", health), Route(PATH, relay, methods=["POST"])]
    uvicorn.run(
        Starlette(routes=routes, lifespan=lifespan),
        host="127.0.0.1",
        port=port,
        **SETTINGS,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("aiohttp", "starlette"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    options = parser.parse_args()
    serve = {"aiohttp": serve_aiohttp, "starlette": serve_starlette}[options.kind]
    serve(options.port, options.upstream)


if __name__ == "__main__":
    main()
