"""Ollama's routes: its clients work against every provider by changing one address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from venom_core._version import __version__
from venom_core.api.bodies import checked
from venom_core.api.callers import request_id, traceparent
from venom_core.api.errors import OllamaError
from venom_core.api.ollama import models as told
from venom_core.api.ollama.answers import LINES, OllamaAnswer, lines
from venom_core.api.ollama.body import (
    OllamaChatBody,
    OllamaGenerateBody,
    chat_messages,
    generate_messages,
    parameters,
)
from venom_core.api.ollama.draft import Kind, now
from venom_core.api.ollama.requests import (
    CopyBody,
    EmbedBody,
    EmbeddingsBody,
    NameBody,
    PullBody,
    name_of,
)
from venom_core.api.ollama.wire import (
    OllamaEmbedding,
    OllamaEmbeddings,
    OllamaLine,
    OllamaLoadedList,
    OllamaProgress,
    OllamaShown,
    OllamaTags,
    OllamaVersion,
)
from venom_core.api.openapi.declared import answers
from venom_core.api.received_bodies import read_body
from venom_core.api.revocation import while_allowed
from venom_core.api.streaming import until_disconnect
from venom_core.chat.service import ChatCall
from venom_core.sdk.errors import NotFound, VenomError
from venom_core.store.audit import Actor

if TYPE_CHECKING:
    from venom_core.api.wires import WireRoute
    from venom_core.composition import Venom
    from venom_core.models.registry import ListedModel
    from venom_core.models.views import OperationView

#: The version whose API this is, which clients compare with what they need.
SPOKEN = "0.32.15"
#: Seconds between two looks at a pull.
POLL = 0.25


class _NotMade(NotFound):
    status = 501
    default_code = "not_implemented"


class OllamaRoutes:
    """The endpoints, over one ``Venom``."""

    def __init__(self, venom: Venom) -> None:
        self._venom = venom
        self._since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def table(self) -> Sequence[WireRoute]:
        """Return method, path and endpoint of each route."""
        return (
            ("GET", "/api/version", self.ollama_version),
            ("GET", "/api/tags", self.ollama_tags),
            ("GET", "/api/ps", self.ollama_ps),
            ("POST", "/api/show", self.ollama_show),
            ("POST", "/api/chat", self.ollama_chat),
            ("POST", "/api/generate", self.ollama_generate),
            ("POST", "/api/embed", self.ollama_embed),
            ("POST", "/api/embeddings", self.ollama_embeddings),
            ("POST", "/api/pull", self.ollama_pull),
            ("DELETE", "/api/delete", self.ollama_delete),
            ("POST", "/api/copy", self.ollama_copy),
            ("POST", "/api/create", self.ollama_create),
            ("POST", "/api/push", self.ollama_push),
        )

    @answers(OllamaVersion)
    async def ollama_version(self, request: Request, key_id: str | None) -> Response:
        """Return the version of Ollama's API that is spoken here."""
        return JSONResponse({"version": SPOKEN, "venom": __version__})

    @answers(OllamaTags)
    async def ollama_tags(self, request: Request, key_id: str | None) -> Response:
        """List the installed models that can answer and that the key may use."""
        listing = await self._venom.registry.listing()
        allows = self._venom.quotas.allows
        served = [one for one in listing.installed if one.is_served and allows(key_id, one)]
        return JSONResponse({"models": [told.listed(one, self._since) for one in served]})

    @answers(OllamaLoadedList)
    async def ollama_ps(self, request: Request, key_id: str | None) -> Response:
        """List the models in memory."""
        listing = await self._venom.registry.listing(fresh=False)
        known = {one.reference: one for one in listing.installed}
        found = await self._venom.models.loaded()
        return JSONResponse({"models": [told.loaded(one, known.get(one["reference"]))
                                        for one in found]})  # fmt: skip

    @answers(OllamaShown, takes=NameBody)
    async def ollama_show(self, request: Request, key_id: str | None) -> Response:
        """Return what is known of a model."""
        body = await read_body(request, lambda raw: checked(raw, NameBody))
        return JSONResponse(told.shown(await self._described(name_of(body), key_id), self._since))

    @answers(OllamaLine, text=LINES, takes=OllamaChatBody)
    async def ollama_chat(self, request: Request, key_id: str | None) -> Response:
        """Answer a conversation line by line, or whole without ``stream``."""
        body = await read_body(request, lambda raw: checked(raw, OllamaChatBody, ("model",)))
        if not body.get("messages"):
            return await self._load("chat", request, body, key_id)
        hints: set[str] = set()
        made = {**parameters(body, hints), "messages": chat_messages(body)}
        if tools := body.get("tools"):
            made["tools"] = tools
        return self._answer("chat", request, body, made, hints, key_id)

    @answers(OllamaLine, text=LINES, takes=OllamaGenerateBody)
    async def ollama_generate(self, request: Request, key_id: str | None) -> Response:
        """Answer a prompt line by line, or whole without ``stream``; ``raw`` continues it."""
        body = await read_body(request, lambda raw: checked(raw, OllamaGenerateBody, ("model",)))
        if not body.get("prompt") and not body.get("images"):
            return await self._load("generate", request, body, key_id)
        hints: set[str] = set()
        made = parameters(body, hints)
        if body.get("raw"):
            made["prompt"] = body["prompt"]
        else:
            made["messages"] = generate_messages(body)
        return self._answer("generate", request, body, made, hints, key_id)

    def _answer(
        self,
        kind: Kind,
        request: Request,
        body: Mapping[str, Any],
        made: Mapping[str, Any],
        hints: set[str],
        key_id: str | None,
    ) -> Response:
        call = ChatCall(
            model=body["model"],
            body=made,
            request_id=request_id(request),
            wire="completion" if "prompt" in made else "chat",
            stream=body.get("stream") is not False,
            include_usage=True,
            key_id=key_id,
            traceparent=traceparent(request),
        )
        return OllamaAnswer(self._venom.chat, call, request, kind, hints)

    async def _load(
        self, kind: Kind, request: Request, body: Mapping[str, Any], key_id: str | None
    ) -> Response:
        """Bring a model into memory, or take it out where ``keep_alive`` is 0."""
        item = await self._described(body["model"], key_id)
        gone = body.get("keep_alive") in (0, "0")
        actor = _actor(request, key_id)
        if gone:
            await self._venom.models.unload(item.reference, actor)
        else:
            await self._venom.models.load(item.reference, actor)
        said = {"message": {"role": "assistant", "content": ""}}
        line = {
            "model": body["model"], "created_at": now(),
            **(said if kind == "chat" else {"response": ""}),
            "done": True, "done_reason": "unload" if gone else "load",
        }  # fmt: skip
        if body.get("stream") is False:
            return JSONResponse(line)
        return Response(lines([line]), media_type=LINES)

    @answers(OllamaEmbeddings, takes=EmbedBody)
    async def ollama_embed(self, request: Request, key_id: str | None) -> Response:
        """Return the vectors of one or several texts."""
        body = await read_body(request, lambda raw: checked(raw, EmbedBody, ("model", "input")))
        if not body["input"]:
            return JSONResponse({"model": body["model"], "embeddings": [], "total_duration": 0,
                                 "load_duration": 0, "prompt_eval_count": 0})  # fmt: skip
        began = time.monotonic_ns()
        found = await self._vectors(request, body, body["input"], key_id)
        if found is None:
            return Response(status_code=499)
        vectors, tokens = found
        return JSONResponse({
            "model": body["model"], "embeddings": vectors,
            "total_duration": time.monotonic_ns() - began, "load_duration": 0,
            "prompt_eval_count": tokens,
        })  # fmt: skip

    @answers(OllamaEmbedding, takes=EmbeddingsBody)
    async def ollama_embeddings(self, request: Request, key_id: str | None) -> Response:
        """Return the vector of one text, in the older form."""
        body = await read_body(request, lambda raw: checked(raw, EmbeddingsBody, ("model",)))
        if not body.get("prompt"):
            return JSONResponse({"embedding": []})
        found = await self._vectors(request, body, body["prompt"], key_id)
        return Response(status_code=499) if found is None else JSONResponse(
            {"embedding": found[0][0]}
        )  # fmt: skip

    async def _vectors(
        self, request: Request, body: Mapping[str, Any], texts: Any, key_id: str | None
    ) -> tuple[list[list[float]], int] | None:
        asked = {"model": body["model"], "input": texts}
        if (dimensions := body.get("dimensions")) is not None:
            asked["dimensions"] = dimensions
        made: list[tuple[list[list[float]], int]] = []
        async with until_disconnect(request.receive), while_allowed(request):
            by = (request_id(request), key_id, traceparent(request))
            found = await self._venom.chat.embed(asked, *by)
            vectors = [list(vector) for vector in found.embeddings.vectors]
            made.append((vectors, found.embeddings.prompt_tokens))
        return made[0] if made else None

    @answers(OllamaProgress, text=LINES, takes=PullBody)
    async def ollama_pull(self, request: Request, key_id: str | None) -> Response:
        """Fetch a model, told line by line; who leaves lets it go on as an operation."""
        body = await read_body(request, lambda raw: checked(raw, PullBody))
        actor = _actor(request, key_id)
        operation = await self._venom.operations.install(name_of(body), actor=actor)
        steps = self._steps(operation)
        if body.get("stream") is not False:
            return StreamingResponse(_as_lines(steps), media_type=LINES)
        last = [step async for step in steps][-1]
        return JSONResponse(last, 500 if "error" in last else 200)

    async def _steps(self, operation: OperationView) -> AsyncIterator[Mapping[str, Any]]:
        yield {"status": "pulling manifest"}
        before: Mapping[str, Any] = {}
        while operation["status"] in ("pending", "in_progress"):
            step = {"status": f"pulling {operation['model_name']}",
                    "digest": operation["operation_id"],
                    "completed": operation["bytes_done"]}  # fmt: skip
            if operation["bytes_total"] is not None:
                step["total"] = operation["bytes_total"]
            if step != before:
                yield step
            before = step
            await asyncio.sleep(POLL)
            operation = await self._venom.operations.get(operation["operation_id"])
        if operation["status"] == "completed":
            yield {"status": "success"}
        else:
            yield {"error": operation["error"] or operation["message"]}

    @answers(OllamaProgress, takes=NameBody)
    async def ollama_delete(self, request: Request, key_id: str | None) -> Response:
        """Delete an installed model."""
        body = await read_body(request, lambda raw: checked(raw, NameBody))
        await self._venom.models.remove(name_of(body), _actor(request, key_id))
        return JSONResponse({"status": "success"})

    @answers(OllamaProgress, takes=CopyBody)
    async def ollama_copy(self, request: Request, key_id: str | None) -> Response:
        """Give a model another name: an alias, which takes no room."""
        required = ("source", "destination")
        body = await read_body(request, lambda raw: checked(raw, CopyBody, required))
        actor = _actor(request, key_id)
        await self._venom.models.set_alias(body["destination"], body["source"], actor)
        return JSONResponse({"status": "success"})

    @answers(OllamaError, takes=NameBody, statuses=(501,))
    async def ollama_create(self, request: Request, key_id: str | None) -> Response:
        """Refuse: a model is made by a build or by Ollama itself."""
        raise _NotMade(
            "Making models from a Modelfile is Ollama's own.",
            fix="Ask Ollama itself, or build another format: venom build --help",
        )

    @answers(OllamaError, takes=NameBody, statuses=(501,))
    async def ollama_push(self, request: Request, key_id: str | None) -> Response:
        """Refuse: nothing is published from here."""
        raise _NotMade("Venom publishes no models.", fix="Ask Ollama itself.")

    async def _described(self, name: str, key_id: str | None) -> ListedModel:
        item = await self._venom.models.describe(name)
        self._venom.quotas.check_model(key_id, item)
        return item


def _actor(request: Request, key_id: str | None) -> Actor:
    return Actor(key_id, request_id(request))


async def _as_lines(steps: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    try:
        async for step in steps:
            yield lines([step])
    except VenomError as error:
        yield lines([{"error": error.message}])
