"""``GET /openapi.json``, and the same as a page for people under ``/docs``."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from venom_core.api.openapi.declared import answers
from venom_core.ui.contents import Language


def operation_id(route: APIRoute) -> str:
    """Return the id of an operation: the name of the route's function."""
    return route.endpoint.__name__


class OpenAPIDocument(TypedDict):
    """This document, as the OpenAPI specification 3.1 has it."""

    openapi: str
    info: dict[str, Any]
    servers: list[dict[str, Any]]
    paths: dict[str, dict[str, Any]]
    components: dict[str, dict[str, Any]]
    externalDocs: dict[str, str]


class Description:
    """The OpenAPI document of an application, made when it is first asked for."""

    def __init__(self, app: FastAPI, root_path: str) -> None:
        self._app = app
        self._root_path = root_path
        self._making = threading.Lock()

    def document(self) -> dict[str, Any]:
        """Return the document. Blocks while it is made."""
        with self._making:
            return self._document

    def json(self) -> bytes:
        """Return the document as JSON. Blocks while it is made."""
        return json.dumps(self.document(), ensure_ascii=False).encode()

    def page(self, language: Language) -> tuple[str, str]:
        """Return the title and the body of the page that shows the document. Blocks while they are
        made."""
        from venom_core.ui.reference import render

        return render(self.document(), language)

    @functools.cached_property
    def _document(self) -> dict[str, Any]:
        from venom_core.api.openapi.document import document

        return document(self._app, self._root_path)


@answers(OpenAPIDocument)
async def openapi_json(request: Request) -> Response:
    """Return this document. It holds no secret and needs no key."""
    description: Description = request.app.api_description
    body = await asyncio.to_thread(description.json)
    return Response(body, media_type="application/json")
