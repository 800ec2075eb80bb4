"""The routes under ``/v1``. Plain Starlette: the hot path pays for nothing that it does not use."""

from __future__ import annotations

import base64
import functools
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from venom_core.api.callers import request_id, traceparent
from venom_core.api.errors import error_response, internal_error, on_http_exception
from venom_core.api.health import healthz
from venom_core.api.json_pieces import long_json
from venom_core.api.openai import bodies
from venom_core.api.openai.answers import AnswerResponse, header_text
from venom_core.api.openai.wire import (
    ChatCompletion,
    ChatCompletionChunk,
    EmbeddingList,
    RankedItem,
    Ranking,
    ServedModel,
    ServedModelList,
    TextCompletion,
)
from venom_core.api.openapi.declared import answers
from venom_core.api.redirects import WithOrWithoutSlash
from venom_core.api.revocation import while_allowed
from venom_core.api.scopes import Scopes, scopes_of
from venom_core.api.streaming import until_disconnect
from venom_core.chat.place import where
from venom_core.chat.service import ChatCall, Embedded, Ranked, ToolReader
from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.messages import ChatBody, CompletionBody, EmbeddingBody, RerankBody

if TYPE_CHECKING:
    from venom_core.api.security import KeyRing
    from venom_core.composition import Venom
    from venom_core.models.registry import ListedModel

Endpoint = Callable[[Request, str | None], Awaitable[Response]]


def openai_app(venom: Venom, ring: KeyRing, root_path: str = "") -> OpenAIApp:
    """Return the application for ``/v1``. Every route is behind the key check but the one that
    says that the process answers."""
    routes = OpenAIRoutes(venom)
    table: tuple[tuple[str, str, Endpoint], ...] = (
        ("POST", "/v1/chat/completions", routes.create_chat_completion),
        ("POST", "/v1/completions", routes.create_completion),
        ("POST", "/v1/embeddings", routes.create_embeddings),
        ("POST", "/v1/rerank", routes.rerank),
        ("GET", "/v1/models", routes.list_served_models),
        ("GET", "/v1/models/{model_id:path}", routes.get_served_model),
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
    app = OpenAIApp(found, redirect_slashes=False)
    app.default = WithOrWithoutSlash(app, root_path, app.not_found)
    return app


class OpenAIApp(Router):
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


class OpenAIRoutes:
    """The endpoints, over one ``Venom``."""

    def __init__(self, venom: Venom) -> None:
        self._venom = venom
        self._created = int(time.time())

    @answers(ServedModelList)
    async def list_served_models(self, request: Request, key_id: str | None) -> Response:
        """List the installed models that can answer and that the key may use."""
        listing = await self._venom.registry.listing()
        allows = self._venom.quotas.allows
        served = (item for item in listing.installed if item.is_served)
        data = [self._model(item) for item in served if allows(key_id, item)]
        return JSONResponse({"object": "list", "data": data})

    @answers(ServedModel)
    async def get_served_model(self, request: Request, key_id: str | None) -> Response:
        """Return one model by any name that it has."""
        item = await self._venom.registry.resolve(request.path_params["model_id"])
        self._venom.quotas.check_model(key_id, item)
        return JSONResponse(self._model(item))

    @answers(ChatCompletion, events={"": ChatCompletionChunk}, takes=ChatBody)
    async def create_chat_completion(self, request: Request, key_id: str | None) -> Response:
        """Answer a conversation, whole or, with ``stream``, piece by piece up to ``[DONE]``."""
        body = await bodies.read_chat(request)
        tools = _tool_reader(request)
        call = ChatCall(wire="chat", tools=tools, **_call(request, body, key_id))
        return self._answer(request, call)

    @answers(TextCompletion, events={"": TextCompletion}, takes=CompletionBody)
    async def create_completion(self, request: Request, key_id: str | None) -> Response:
        """Continue a text, whole or, with ``stream``, piece by piece up to ``[DONE]``."""
        body = await bodies.read_completion(request)
        return self._answer(request, ChatCall(wire="completion", **_call(request, body, key_id)))

    @answers(EmbeddingList, takes=EmbeddingBody)
    async def create_embeddings(self, request: Request, key_id: str | None) -> Response:
        """Return the vectors of one or several texts."""
        body = await bodies.read_embedding(request)

        async def answer() -> Response:
            asked_by = (request_id(request), key_id, traceparent(request))
            found = await self._venom.chat.embed(body, *asked_by)
            return await _embeddings(body, found)

        return await _while_there(request, answer)

    @answers(Ranking, takes=RerankBody)
    async def rerank(self, request: Request, key_id: str | None) -> Response:
        """Return the most relevant of several texts to a query, with their scores."""
        body = await bodies.read_rerank(request)

        async def answer() -> Response:
            asked_by = (request_id(request), key_id, traceparent(request))
            found = await self._venom.chat.rerank(body, *asked_by)
            return await _ranking(body, found)

        return await _while_there(request, answer)

    def _answer(self, request: Request, call: ChatCall) -> Response:
        return AnswerResponse(self._venom.chat, call, request)

    def _model(self, item: ListedModel) -> ServedModel:
        return {
            "id": item.id,
            "object": "model",
            "created": self._created,
            "owned_by": item.provider,
            "locality": item.model.locality,
            "runs_at": item.model.runs_at,
        }


def _call(request: Request, body: dict[str, Any], key_id: str | None) -> dict[str, Any]:
    return {
        "model": body.get("model"),
        "body": body,
        "request_id": request_id(request),
        "stream": bool(body.get("stream")),
        "include_usage": bodies.wants_usage(body),
        "key_id": key_id,
        "traceparent": traceparent(request),
    }


def _tool_reader(request: Request) -> ToolReader | None:
    """Return who is to read the model's calls of tools. Raises ``InvalidRequest``."""
    asked = request.headers.get("venom-tools")
    for reader in get_args(ToolReader):
        if asked == reader:
            return cast(ToolReader, reader)
    if asked is None:
        return None
    raise InvalidRequest(
        "The header Venom-Tools is native or emulated.",
        fix="Leave it out: what the model's self-test saw counts then.",
    )


async def _while_there(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    """Return an answer that is made while its client is there, and its key allowed."""
    made: list[Response] = []
    async with until_disconnect(request.receive), while_allowed(request):
        made.append(await answer())
    return made[0] if made else Response(status_code=499)


def _headers(found: Embedded | Ranked) -> dict[str, str]:
    headers = {name: header_text(text) for name, text in where(found.resolved).items()}
    if found.left_out:
        headers["Venom-Ignored-Parameters"] = header_text(", ".join(found.left_out))
    return headers


async def _ranking(body: dict[str, Any], found: Ranked) -> Response:
    tokens, scores = found.reranked.prompt_tokens, found.reranked.scores
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    told = {
        "object": "list",
        "model": body.get("model") or found.resolved.id,
        "results": ...,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }

    def row(index: int) -> RankedItem:
        item: RankedItem = {"index": index, "relevance_score": scores[index]}
        if body.get("return_documents"):
            item["document"] = {"text": found.documents[index]}
        return item

    rows = (row(index) for index in order[: body.get("top_n")])
    return await long_json(told, rows, _headers(found))


async def _embeddings(body: dict[str, Any], found: Embedded) -> Response:
    tokens = found.embeddings.prompt_tokens
    encoding = body.get("encoding_format")
    headers = _headers(found)
    told = {
        "object": "list",
        "model": body.get("model") or found.resolved.id,
        "data": ...,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    rows = (
        {"object": "embedding", "index": index, "embedding": _vector(vector, encoding)}
        for index, vector in enumerate(found.embeddings.vectors)
    )
    return await long_json(told, rows, headers)


def _vector(vector: Sequence[float], encoding: str | None) -> list[float] | str:
    """Return a vector; Base64 is little-endian float32, as OpenAI's client asks for by default."""
    if encoding == "base64":
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return list(vector)
