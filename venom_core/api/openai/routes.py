"""Chat, completions, embeddings, ranking and models on OpenAI's wire."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from venom_core.api.answering import header_text
from venom_core.api.anthropic.models import (
    AnthropicModel,
    AnthropicModelList,
    anthropic_model,
    anthropic_models,
)
from venom_core.api.callers import request_id, traceparent
from venom_core.api.errors import is_anthropic
from venom_core.api.json_pieces import long_json
from venom_core.api.openai import bodies
from venom_core.api.openai.answers import AnswerResponse
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
from venom_core.api.revocation import while_allowed
from venom_core.api.streaming import until_disconnect
from venom_core.chat.place import where
from venom_core.chat.service import ChatCall, Embedded, Ranked, ToolReader
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.messages import ChatBody, CompletionBody, EmbeddingBody, RerankBody

if TYPE_CHECKING:
    from venom_core.api.wires import WireRoute
    from venom_core.composition import Venom
    from venom_core.models.registry import ListedModel


class OpenAIRoutes:
    """The endpoints, over one ``Venom``."""

    def __init__(self, venom: Venom) -> None:
        self._venom = venom
        self._created = int(time.time())

    def table(self) -> Sequence[WireRoute]:
        """Return method, path and endpoint of each route."""
        return (
            ("POST", "/v1/chat/completions", self.create_chat_completion),
            ("POST", "/v1/completions", self.create_completion),
            ("POST", "/v1/embeddings", self.create_embeddings),
            ("POST", "/v1/rerank", self.rerank),
            ("GET", "/v1/models", self.list_served_models),
            ("GET", "/v1/models/{model_id:path}", self.get_served_model),
        )

    @answers(ServedModelList | AnthropicModelList)
    async def list_served_models(self, request: Request, key_id: str | None) -> Response:
        """List the installed models that can answer and that the key may use."""
        listing = await self._venom.registry.listing()
        allows = self._venom.quotas.allows
        served = (item for item in listing.installed if item.is_served)
        allowed = [item for item in served if allows(key_id, item)]
        if is_anthropic(request.scope):
            return JSONResponse(anthropic_models(allowed, self._created))
        data = [self._model(item) for item in allowed]
        return JSONResponse({"object": "list", "data": data})

    @answers(ServedModel | AnthropicModel)
    async def get_served_model(self, request: Request, key_id: str | None) -> Response:
        """Return one model by any name that it has."""
        item = await self._venom.registry.resolve(request.path_params["model_id"])
        self._venom.quotas.check_model(key_id, item)
        if is_anthropic(request.scope):
            return JSONResponse(anthropic_model(item, self._created))
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
