"""The one client for everything that speaks the OpenAI wire: local engines and remote servers.

A provider over such an engine subclasses :class:`OpenAIEngineProvider` and says where a model is
served (:meth:`~OpenAIEngineProvider.lease`); this module does the rest, relaying bytes and looking
inside only where a finish, a usage or an error occurs.
"""

from __future__ import annotations

import contextlib
import json
import re
from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from venom_core.sdk import http, sse
from venom_core.sdk.errors import (
    ContextLengthExceeded,
    EngineUnreachable,
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    RateLimited,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.frames import Frame, FrameKind, decode, kind_of
from venom_core.sdk.masking import masked
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.provider import Provider, ProviderContext
from venom_core.sdk.stall import StallTimer

if TYPE_CHECKING:
    import httpx

    from venom_core.sdk.upstream import Upstream

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
_SECONDS = re.compile(r"\d{1,5}(\.\d+)?")


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

    @abstractmethod
    def lease(self, ref: str) -> AbstractAsyncContextManager[Endpoint]:
        """Hold the address at which ``ref`` is served, for the time of one request.

        Entering may start an engine; leaving says that the request is over, so that an engine in
        use is never unloaded and the least busy node can be chosen. Raises ``ModelNotFound``,
        ``EngineMissing``, ``ModelLoading`` or another ``Unavailable``.
        """

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
        if request.stream:
            body["stream_options"] = {"include_usage": True}
        async with self._exchange(path, request.model, body, request) as response:
            if not request.stream:
                yield answer_frame(await read_bounded(response, MAX_ANSWER_BYTES))
                return
            splitter = sse.EventSplitter()
            with StallTimer(request.timeout) as timer:
                async for chunk in http.chunks(response):
                    timer.since = None
                    for data in splitter.feed(chunk):
                        if data == sse.DONE:
                            return
                        yield stream_frame(data)
                    timer.since = timer.now()

    async def embed(self, request: EmbedRequest) -> Embeddings:
        body: dict[str, Any] = {"input": list(request.inputs)}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        async with self._exchange("/v1/embeddings", request.model, body, request) as response:
            return parse_embeddings(
                await read_bounded(response, MAX_ANSWER_BYTES), len(request.inputs)
            )

    @contextlib.asynccontextmanager
    async def _exchange(
        self, path: str, model: str, body: Mapping[str, Any], request: ChatRequest | EmbedRequest
    ) -> AsyncGenerator[httpx.Response, None]:
        """Post to where the model is served; where that has just gone, once more to where it is
        then: an engine started anew, or another node."""
        for last in (False, True):
            try:
                async with (
                    self.lease(model) as endpoint,
                    self._post(
                        endpoint,
                        path,
                        {**body, "model": endpoint.model},
                        request.request_id,
                        request.timeout,
                        watched=bool(body.get("stream")),
                    ) as response,
                ):
                    yield response
                    return
            except EngineUnreachable:
                if last:
                    raise

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
                    )
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            title = self.context.spec.title
            raise EngineUnreachable(
                f"{title} cannot be reached.",
                fix="venom doctor says more; a local engine is restarted at the next request.",
            ) from error


async def fetch_models(client: Upstream, headers: Mapping[str, str]) -> list[str]:
    """Return the ids of an upstream's ``/v1/models``, within three seconds a step.

    Raises ``Unavailable`` where it cannot be reached, else what its answer stands for.
    """
    import httpx

    try:
        async with http.open_stream(
            client, "GET", "/v1/models", headers=headers, read_timeout=3.0
        ) as response:
            data = await read_bounded(response, MAX_ANSWER_BYTES)
            if response.status_code != 200:
                raise refusal(response.status_code, response.headers, data, "")
            return [str(item["id"]) for item in json.loads(data)["data"]]
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise EngineUnreachable("The server cannot be reached.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _garbage() from error


async def read_bounded(response: httpx.Response, limit: int) -> bytes:
    """Return the whole body; raises ``UpstreamError`` where it is larger than ``limit`` bytes."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise UpstreamError("The upstream's answer is too large to be an answer.")
    return bytes(body)


# Only a frame with one of these keys is decoded on its way through. A quote inside a JSON string is
# escaped, so the pattern never matches text that the model wrote.
_LOOK_INSIDE = re.compile(
    rb'"(?:error"\s*:\s*[^\sn]|usage"\s*:\s*\{|finish_reason"\s*:\s*"|reasoning"\s*:)'
)
_REASONING = re.compile(rb'"reasoning"(\s*):')


def stream_frame(data: bytes) -> Frame:
    """Return one upstream event as a frame; raises what an error event says, or ``UpstreamError``
    where the bytes are no JSON object."""
    if not (data.startswith(b"{") and data.endswith(b"}")):
        raise _garbage()
    try:
        if not data.isascii():
            data.decode()
        if _LOOK_INSIDE.search(data) is None:
            return Frame(FrameKind.DELTA, None, data)
        body = json.loads(data)
        if body.get("error"):
            raise error_event(body["error"])
        if "reasoning_content" not in data.decode():
            data = _REASONING.sub(rb'"reasoning_content"\1:', data)
        event = decode(body, answer=False)
        return Frame(kind_of(event), event, data)
    except (ValueError, AttributeError) as error:
        raise _garbage() from error


def answer_frame(data: bytes) -> Frame:
    """Return a whole upstream answer as an ANSWER frame."""
    try:
        body = json.loads(data)
        if body.get("error"):
            raise error_event(body["error"])
        event = decode(body, answer=True)
        if not event.choices:
            raise ValueError("no choices")
        return Frame(kind_of(event), event, data)
    except (ValueError, AttributeError) as error:
        raise _garbage() from error


def parse_embeddings(data: bytes, count: int) -> Embeddings:
    """Return the vectors of an OpenAI embeddings answer, in the order of the inputs."""
    try:
        body = json.loads(data)
        rows = sorted(body["data"], key=lambda row: row["index"])
        vectors = tuple(tuple(float(x) for x in row["embedding"]) for row in rows)
        if len(vectors) != count:
            raise ValueError("wrong number of vectors")
        usage = body.get("usage") or {}
        return Embeddings(vectors, int(usage.get("prompt_tokens") or 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _garbage() from error


def _garbage() -> UpstreamError:
    return UpstreamError(
        "The upstream's answer is not an OpenAI answer.",
        fix="Check that the provider's base_url points at an OpenAI-compatible server.",
    )


_CONTEXT = re.compile(
    r"context[ _](?:size|length|window)|exceed_context|maximum context|too many tokens"
    r"|prompt is too long",
    re.IGNORECASE,
)
_CONTEXT_SIZE = re.compile(
    r"context (?:size|length|window)[^\d.]{0,40}(\d{1,12})(?!\d)", re.IGNORECASE
)
_TOKENS = re.compile(r"(?<!\d)(\d{1,12}) (?:\w+ )?tokens", re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.\-~ ]+){2,}")


def error_event(error: Any) -> VenomError:
    """Return the refusal that an upstream's ``error`` object stands for."""
    text, code = _error_text(error)
    if _CONTEXT.search(text) or _CONTEXT.search(code):
        return _context_exceeded(error)
    return UpstreamError(f"The engine reported an error: {text}" if text else "The engine failed.")


def refusal(status: int, headers: Mapping[str, str], data: bytes, model: str) -> VenomError:
    """Return the refusal that an upstream's error answer stands for."""
    try:
        body = json.loads(data)
        error = body.get("error", body.get("message", body.get("detail", "")))
    except (ValueError, AttributeError):
        error = ""
    text, code = _error_text(error)
    if status in (400, 413, 422) and (_CONTEXT.search(text) or _CONTEXT.search(code)):
        return _context_exceeded(error)
    if status in (400, 413, 422):
        return InvalidRequest(f"The engine refused the request: {text or 'no reason given'}")
    if status in (401, 403):
        return Unavailable(
            "The upstream server refused our key.",
            code="upstream_key_refused",
            fix="Set the provider's api_key to one that this server accepts.",
        )
    if status == 404:
        return ModelNotFound(f"The upstream server has no model {model!r}.", fix="venom list")
    retry_after = _retry_after(headers)
    if status == 429:
        return RateLimited("The upstream server asks for fewer requests.", retry_after=retry_after)
    if status == 503:
        return ModelLoading("The engine is still loading the model.", retry_after=retry_after or 2)
    if status == 504:
        return UpstreamTimeout("The upstream server timed out.")
    return UpstreamError(
        f"The upstream server answered {status}." + (f" It says: {text}" if text else "")
    )


def _error_text(error: Any) -> tuple[str, str]:
    """Return a message fit to be shown (bounded, no paths), and whatever names the kind of
    error."""
    if isinstance(error, Mapping):
        code = f"{error.get('type', '')} {error.get('code', '')}"
        text = error.get("message")
    else:
        code, text = "", error
    text = text if isinstance(text, str) else ""
    return _PATH.sub("<path>", masked(text))[:300], code


def _context_exceeded(error: Any) -> ContextLengthExceeded:
    needed, size = _overflow_numbers(error)
    return ContextLengthExceeded.counted(
        needed,
        size,
        fix="Shorten the conversation, or give the model a larger context where it is served.",
    )


def _overflow_numbers(error: Any) -> tuple[int | None, int | None]:
    """Return how many tokens the prompt has and how many the context, as far as the upstream says:
    llama.cpp in fields of their own, vLLM, LM Studio and others in their sentence."""
    if isinstance(error, Mapping):
        needed, size = error.get("n_prompt_tokens"), error.get("n_ctx")
        if _is_count(needed) and _is_count(size):
            return needed, size
    text, _ = _error_text(error)
    found = _CONTEXT_SIZE.search(text)
    size = int(found[1]) if found else None
    counts = [int(count) for count in _TOKENS.findall(text)]
    needed = next((count for count in counts if size is not None and count > size), None)
    return needed, size


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**12


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return min(float(value), 3600.0) if _SECONDS.fullmatch(value) else None
