"""The routes under ``/v1``, of every wire. Plain Starlette: the hot path pays for nothing that it
does not use."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from venom_core.api.anthropic.routes import MessageRoutes
from venom_core.api.errors import error_response, internal_error, on_http_exception
from venom_core.api.health import healthz
from venom_core.api.ollama.routes import OllamaRoutes
from venom_core.api.openai.routes import OpenAIRoutes
from venom_core.api.redirects import WithOrWithoutSlash
from venom_core.api.responses.routes import ResponseRoutes
from venom_core.api.scopes import Scopes, scopes_of
from venom_core.sdk.errors import VenomError

if TYPE_CHECKING:
    from venom_core.api.security import KeyRing
    from venom_core.composition import Venom

Endpoint = Callable[[Request, str | None], Awaitable[Response]]
#: Method, path and endpoint.
WireRoute = tuple[str, str, Endpoint]


def wires_app(venom: Venom, ring: KeyRing, root_path: str = "") -> WireApp:
    """Return the application for ``/v1``. Every route is behind the key check but the one that
    says that the process answers."""
    table = (
        *OpenAIRoutes(venom).table(),
        *ResponseRoutes(venom).table(),
        *MessageRoutes(venom).table(),
        *OllamaRoutes(venom).table(),
    )
    found: list[BaseRoute] = [
        Route(
            path,
            Protected(endpoint, ring, scopes_of(method, path)),
            methods=[method],
            name=endpoint.__name__,
        )
        for method, path, endpoint in table
    ]
    found.append(Route("/v1/health", healthz, include_in_schema=False))
    app = WireApp(found, redirect_slashes=False)
    app.default = WithOrWithoutSlash(app, root_path, app.not_found)
    return app


class WireApp(Router):
    """A router and nothing around it; no exception leaves it before its answer has begun."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except HTTPException as error:  # the router's own: no such route, not this method
            response = await on_http_exception(Request(scope), error)
            await response(scope, receive, send)


class Protected:
    """An endpoint behind the check of the key and its scopes, as an ASGI application of its own:
    Starlette's wrapping of functions costs a call more for each message that is sent."""

    def __init__(self, endpoint: Endpoint, ring: KeyRing, scopes: Scopes) -> None:
        self._endpoint = endpoint
        self._ring = ring
        self._scopes = scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            caller = await self._ring.require(request.headers, request.method)
            caller.check(self._scopes)
            request.state.while_allowed = functools.partial(self._ring.until_revoked, caller)
            response = await self._endpoint(request, caller.key_id)
        except VenomError as error:
            response = error_response(scope, error)
        except HTTPException as error:
            response = await on_http_exception(request, error)
        except Exception as error:
            response = error_response(scope, internal_error(error))
        await response(scope, receive, send)
