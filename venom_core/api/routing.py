"""Routes of FastAPI that look at the caller before they look at the body.

FastAPI reads and parses a body before the first dependency runs, and so before a key is asked for.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from venom_core.api.errors import too_large
from venom_core.api.json_text import json_text
from venom_core.api.received_bodies import read_body

#: Of a body that needs no key.
MAX_OPEN_BODY_BYTES = 64 * 1024

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyedRoute(APIRoute):
    """A route behind the check of the key, which the application has at ``state.check_key``."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            await request.app.state.check_key(request)
            await read_body(request, lambda body: _read(request, body))
            return await handler(request)

        return keyed


def _read(request: Request, body: bytes) -> None:
    """Read the body as JSON for whoever asks the request for it; for FastAPI to refuse where it is
    none."""
    text = json_text(body)
    request._body = text  # where Request.body() keeps it, and Request.json() what it read
    with contextlib.suppress(ValueError, RecursionError):
        if text:
            request._json = json.loads(text)


class OpenRoute(APIRoute):
    """A route that needs no key and reads a small body only."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def small(request: Request) -> Response:
            body = bytearray()
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_OPEN_BODY_BYTES:
                    raise too_large(MAX_OPEN_BODY_BYTES, fix="Send less.")
            request._body = bytes(body)  # where Request.body() keeps it
            return await handler(request)

        return small


def keyed_router(prefix: str = "") -> APIRouter:
    """Return a router whose routes are behind the check of the key."""
    return APIRouter(prefix=prefix, route_class=KeyedRoute)
