"""The application: routes put together, nothing opened."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from venom_core._version import __version__
from venom_core.api import health
from venom_core.api.access_log import Answering
from venom_core.api.callers import caller_of
from venom_core.api.cross_origin import cross_origin
from venom_core.api.errors import (
    OLLAMA,
    error_response,
    on_http_exception,
    on_unexpected,
    on_venom_error,
)
from venom_core.api.forwarding import ForwardedHeaders
from venom_core.api.openapi.routes import Description, openapi_json, operation_id
from venom_core.api.redirects import WithOrWithoutSlash
from venom_core.api.scopes import scopes_of
from venom_core.api.security import Gatekeeper, KeyRing
from venom_core.api.v1 import (
    answers,
    audit,
    benchmark,
    chat,
    config,
    engines,
    events,
    keys,
    models,
    overview,
    plugins,
    profiles,
    runtime,
    session,
    sessions,
    signins,
    system,
    usage,
)
from venom_core.api.validation import invalid
from venom_core.api.wires import wires_app
from venom_core.composition import Venom
from venom_core.language.polish import CatalogueRefresh
from venom_core.sdk.errors import VenomError
from venom_core.sdk.loopback import is_loopback_host, listens_on_loopback
from venom_core.settings.core import CoreSettings
from venom_core.ui.docs import Docs
from venom_core.ui.mount import PageFiles


def create_app(venom: Venom | None = None) -> FastAPI:
    """Return the ASGI application over ``venom``, or over the environment's installation.

    The lifespan starts and closes it. Raises ``InvalidRequest`` for an unusable setting.
    """
    venom = venom or Venom.from_environment()
    venom.host.add_observer("language", CatalogueRefresh())
    core = venom.settings.core
    ring = KeyRing(
        venom.store.keys,
        venom.settings.paths.store_file,
        Path(core.api_key_file) if core.api_key_file else None,
        venom.local_token,
        # Through a proxy others reach a server that listens on loopback.
        always=not listens_on_loopback(core.host) or bool(core.trusted_proxies),
        set_limits=venom.quotas.set_limits,
    )
    app = VenomApp(
        title="Venom",
        version=__version__,
        lifespan=_lifespan(venom, ring),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
        exception_handlers={
            VenomError: on_venom_error,
            HTTPException: on_http_exception,
            RequestValidationError: _on_validation_error,
            Exception: on_unexpected,
        },
    )
    app.arrival = ForwardedHeaders(core.root_path or "", core.trusted_proxies)
    app.state.venom = venom
    app.state.key_ring = ring
    app.api_description = Description(app, app.arrival.root_path)

    app.router.routes.append(Route("/healthz", health.healthz, methods=["GET"]))
    app.router.routes.append(Route("/health", health.healthz, include_in_schema=False))
    app.router.routes.append(Route("/readyz", health.readyz, methods=["GET"]))
    app.router.routes.append(Route("/openapi.json", openapi_json, methods=["GET"]))
    app.state.check_key = _key_check(ring)
    app.router.routes.extend(_api_routes())
    app.router.routes.append(
        Mount("/docs", Docs(root_path=app.arrival.root_path, reference=app.api_description.page))
    )
    app.router.default = WithOrWithoutSlash(
        app.router, app.arrival.root_path, _Page(app.arrival.root_path)
    )
    guards = _guards(core)
    for kind, options in guards:
        app.add_middleware(kind, **options)
    wires = wires_app(venom, ring, app.arrival.root_path)
    app.router.routes.extend(wires.routes)  # to be seen there; they are served before it
    app.wires_front = wires
    for kind, options in guards:
        app.wires_front = kind(app.wires_front, **options)
    return app


@functools.cache
def _api_routes() -> tuple[BaseRoute, ...]:
    """Return the routes that FastAPI serves, put together.

    They know no application, so all of a process share them: FastAPI works out what a route takes
    at the first request, and that takes longer than the request.
    """
    together = APIRouter(generate_unique_id_function=operation_id)
    protected = [Depends(caller_of)]  # none answers whose class has not asked who calls
    for router in (plugins.router, models.router, engines.router, overview.router, events.router):
        together.include_router(router, prefix="/api/v1", dependencies=protected)
    for router in (usage.router, audit.router, chat.router, sessions.router, answers.router):
        together.include_router(router, prefix="/api/v1", dependencies=protected)
    for router in (profiles.router, config.router, benchmark.router):
        together.include_router(router, prefix="/api/v1", dependencies=protected)
    for router in (system.router, runtime.router, keys.router, signins.router):
        together.include_router(router, prefix="/api/v1", dependencies=protected)
    together.include_router(session.router, prefix="/api/v1")
    together.include_router(health.router, dependencies=protected)
    return tuple(together.routes)


def _key_check(ring: KeyRing) -> Callable[[Request], Awaitable[None]]:
    """Let in whose key has one of the scopes that the route needs."""

    async def check(request: Request) -> None:
        caller = await ring.require(request.headers, request.method)
        path = request.scope["route"].path  # newer FastAPI leaves the prefix out
        whole = path if path.startswith(("/api/v1/", "/metrics")) else f"/api/v1{path}"
        caller.check(scopes_of(request.method, whole))
        request.state.caller = caller
        request.state.while_allowed = functools.partial(ring.until_revoked, caller)

    return check


def _guards(core: CoreSettings) -> list[tuple[Any, dict[str, Any]]]:
    """Return the middleware before every route, the innermost first."""
    guards: list[tuple[Any, dict[str, Any]]] = []
    if core.allowed_origins:
        guards.append((CORSMiddleware, cross_origin(core.allowed_origins)))
    bound = () if is_loopback_host(core.host) or core.host in ("0.0.0.0", "::") else (core.host,)
    gate = {
        "allowed_hosts": (*core.allowed_hosts, *bound),
        "allowed_origins": core.allowed_origins,
        "max_body_bytes": core.max_body_bytes,
    }
    return [*guards, (Gatekeeper, gate)]


class VenomApp(FastAPI):
    """FastAPI with ``/v1`` beside its middleware instead of below it, behind the same guards.

    Each of FastAPI's layers is a call more for every token that is sent; ``/v1`` uses none of them.
    """

    wires_front: ASGIApp
    arrival: ForwardedHeaders
    api_description: Description

    def openapi(self) -> dict[str, Any]:
        """Return the document that ``/openapi.json`` serves, ``/v1`` in it too."""
        return self.api_description.document()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        answering = Answering(scope, send)
        if not self.arrival.is_direct:
            scope = self.arrival(scope)
        try:
            if scope["path"].startswith("/v1/") or OLLAMA.fullmatch(scope["path"]):
                scope["app"] = self
                await self.wires_front(scope, receive, answering.send)
            else:
                await super().__call__(scope, receive, answering.send)
        finally:
            answering.log()


class _Page:
    """The answer where no route matched: the page's files, or 404 for what only a route could
    answer. Programs look for ``llms.txt`` here, and are sent to the documentation's."""

    def __init__(self, root_path: str) -> None:
        self._files = PageFiles()
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/api/") or scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(404)
        if scope["path"] in ("/llms.txt", "/llms-full.txt"):
            there = RedirectResponse(f"{self._root_path}/docs{scope['path']}")
            await there(scope, receive, send)
            return
        await self._files(scope, receive, send)


def _lifespan(
    venom: Venom, ring: KeyRing
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await ring.remember_keys()
        await venom.start()
        venom.services.is_served = True
        venom.operations.resume_interrupted(venom.store.file)
        try:
            yield
        finally:
            await ring.close()
            await venom.close()

    return lifespan


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    place = str(errors[0]["loc"][0])
    inside = [{**one, "loc": one["loc"][1:]} for one in errors]
    response = error_response(request.scope, invalid(inside, place))
    response.status_code = 422
    return response
