"""The one client for everything that speaks the OpenAI wire: local engines and remote servers.

A provider over such an engine subclasses :class:`OpenAIEngineProvider` and says where a model is
served (:meth:`~OpenAIEngineProvider.lease`); this module does the rest, relaying bytes and looking
inside only where a finish, a usage or an error occurs.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from venom_core.sdk import http
from venom_core.sdk.bounded_json import (
    MAX_LISTING_BYTES,
    MOST_ROWS,
    is_short,
    loads_vectors,
)
from venom_core.sdk.bounded_json import rows as rows_of
from venom_core.sdk.errors import (
    EngineUnreachable,
    InvalidRequest,
    UpstreamError,
)
from venom_core.sdk.frames import Frame
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest, RerankRequest
from venom_core.sdk.prefill import without_beginning
from venom_core.sdk.provider import Provider, ProviderContext
from venom_core.sdk.stall import StallTimer
from venom_core.sdk.stream_reader import (
    MAX_ANSWER_BYTES,
    PIECE,
    StreamReader,
    pieces,
    read_answer,
)
from venom_core.sdk.upstream_refusals import error_event, failure, no_openai_answer, refusal
from venom_core.sdk.wire_objects import load_object

if TYPE_CHECKING:
    import httpx

    from venom_core.sdk.upstream import Upstream

MAX_ERROR_BYTES = 64 * 1024
#: Vectors are read one by one; any other answer is read in one go.
MAX_VECTORS_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address at which a model is served.

    Args:
        base_url: up to, not including, ``/v1``.
        model: the name that this upstream takes.
        headers: sent along, such as the engine's key.
    """

    base_url: str
    model: str
    headers: Mapping[str, str] = field(default_factory=dict)


class OpenAIEngineProvider(Provider):
    """Chat, completion and embeddings over the OpenAI wire."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self._clients: dict[str, Upstream] = {}
        #: Servers that refuse to be asked for counts in a stream.
        self._counting_refused: set[str] = set()

    @abstractmethod
    def lease(self, ref: str) -> AbstractAsyncContextManager[Endpoint]:
        """Hold the address at which ``ref`` is served, for the time of one request.

        Entering may start an engine; leaving says that the request is over, so that an engine in
        use is never unloaded and the least busy node can be chosen. Raises ``ModelNotFound``,
        ``EngineMissing``, ``ModelLoading`` or another ``Unavailable``.
        """

    def lease_for(self, ref: str, path: str) -> AbstractAsyncContextManager[Endpoint]:
        """Hold the address for one request to ``path``; as :meth:`lease`, for a provider that has
        an engine of its own for some of them."""
        return self.lease(ref)

    async def close(self) -> None:
        """Close the clients; a subclass closes its engines and calls this."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    def client(self, base_url: str) -> Upstream:
        """Return the client for one upstream, made at its first use."""
        if base_url not in self._clients:
            self._clients[base_url] = http.make_client(base_url)
        return self._clients[base_url]

    async def forget(self, base_url: str) -> None:
        """Close the client of an upstream that is gone (an engine on a port of its own)."""
        if client := self._clients.pop(base_url, None):
            await client.aclose()

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._relay("/v1/chat/completions", request)

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._relay("/v1/completions", request)

    async def _relay(self, path: str, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        body = dict(request.body) | {"stream": request.stream}
        body.pop("stream_options", None)
        choices = int(body.get("n") or 1)
        if request.stream:
            body["stream_options"] = {"include_usage": True}
        async with self._exchange(path, request.model, body, request) as response:
            if not request.stream:
                data = await read_bounded(response, MAX_ANSWER_BYTES)
                bare = without_beginning(data, request.body.get("messages") or ())
                yield await read_answer(bare, choices)
                return
            reader = StreamReader(choices)
            with StallTimer(request.timeout) as timer:
                async for chunk in http.chunks(response):
                    timer.since = None
                    if len(chunk) <= PIECE:
                        for frame in reader.feed(chunk):
                            yield frame
                    else:  # the upstream is faster than we are
                        async for piece in pieces(chunk):
                            for frame in reader.feed(piece):
                                yield frame
                    if reader.ended:
                        break
                    timer.since = timer.now()
            for frame in reader.end():
                yield frame

    async def embed(self, request: EmbedRequest) -> Embeddings:
        inputs = request.tokens or request.inputs
        body: dict[str, Any] = {"input": list(inputs)}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        async with self._exchange("/v1/embeddings", request.model, body, request) as response:
            data = await read_bounded(response, MAX_VECTORS_BYTES)
            return await parse_embeddings(data, request.wanted)

    @contextlib.asynccontextmanager
    async def _exchange(
        self,
        path: str,
        model: str,
        body: Mapping[str, Any],
        request: ChatRequest | EmbedRequest | RerankRequest,
    ) -> AsyncGenerator[httpx.Response, None]:
        """Post to where the model is served; where that has just gone, once more to where it is
        then: an engine started anew, or another node. A server that refuses to be asked for counts
        is asked without."""
        moved = answered = False
        while True:
            address = ""
            try:
                async with self.lease_for(model, path) as endpoint:
                    address = endpoint.base_url
                    sent = {**body, "model": endpoint.model}
                    if address in self._counting_refused:
                        sent.pop("stream_options", None)
                    async with self._post(
                        endpoint,
                        path,
                        sent,
                        request.request_id,
                        request.timeout,
                        watched=bool(body.get("stream")),
                    ) as response:
                        answered = True
                        yield response
                        return
            except EngineUnreachable:
                if answered or moved:
                    raise
                moved = True
            except InvalidRequest as error:
                refused = "stream_options" in body and address not in self._counting_refused
                if answered or not refused or not _is_about_counting(error):
                    raise
                self._counting_refused.add(address)

    @contextlib.asynccontextmanager
    async def _post(
        self,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, Any],
        request_id: str,
        read_timeout: float | None,
        watched: bool = False,
    ) -> AsyncGenerator[httpx.Response, None]:
        await http.prepare()
        import httpx

        headers = {**endpoint.headers, "X-Request-Id": request_id}
        client = self.client(endpoint.base_url)
        try:
            async with http.open_stream(
                client,
                "POST",
                path,
                json=body,
                headers=headers,
                read_timeout=read_timeout,
                watched=watched,
            ) as response:
                if response.status_code != 200:
                    raise refusal(
                        response.status_code,
                        response.headers,
                        await read_bounded(response, MAX_ERROR_BYTES),
                        endpoint.model,
                        path,
                    )
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            title = self.context.spec.title
            raise EngineUnreachable(
                f"{title} cannot be reached.",
                fix="venom doctor says more; a local engine is restarted at the next request.",
            ) from error


def _is_about_counting(error: InvalidRequest) -> bool:
    return "stream_options" in f"{error.param} {error.message}" or "include_usage" in error.message


async def fetch_models(client: Upstream, headers: Mapping[str, str]) -> list[str]:
    """Return the ids of an upstream's ``/v1/models``, within three seconds a step.

    Raises ``Unavailable`` where it cannot be reached, else what its answer stands for.
    """
    import httpx

    try:
        async with http.open_stream(
            client, "GET", "/v1/models", headers=headers, read_timeout=3.0
        ) as response:
            data = await read_bounded(response, MAX_LISTING_BYTES)
            if response.status_code != 200:
                raise refusal(response.status_code, response.headers, data, "", "/v1/models")
            return _ids(data)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise EngineUnreachable("The server cannot be reached.") from error
    except ValueError as error:
        raise no_openai_answer() from error


def _ids(data: bytes) -> list[str]:
    """Return the ids in a listing; a row without one hides no other, and null is no row."""
    body = load_object(data) if is_short(data) else {"data": rows_of(data, "data")}
    if (told := failure(body)) is not None:
        raise error_event(told)
    rows = body.get("data", ())
    if not isinstance(rows, list | None):
        raise ValueError("no listing")
    named = (row.get("id") for row in rows or () if isinstance(row, dict))
    return [name for name in named if isinstance(name, str) and name][: MOST_ROWS + 1]


async def read_bounded(response: httpx.Response, limit: int) -> bytes:
    """Return the whole body; raises ``UpstreamError`` where it is larger than ``limit`` bytes."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise UpstreamError("The upstream's answer is too large to be an answer.")
    return bytes(body)


async def parse_embeddings(data: bytes, count: int) -> Embeddings:
    """Return the vectors of an OpenAI embeddings answer, in the order of the inputs."""
    try:
        body = await loads_vectors(data)
        if (told := failure(body)) is not None:
            raise error_event(told)
        rows = sorted(body["data"], key=lambda row: row["index"])
        vectors = tuple(tuple(row["embedding"]) for row in rows)
        if len(vectors) != count:
            raise ValueError("wrong number of vectors")
        usage = body.get("usage")
        prompt = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
        return Embeddings(vectors, prompt or 0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise no_openai_answer() from error
