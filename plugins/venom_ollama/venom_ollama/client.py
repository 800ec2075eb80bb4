"""All that crosses the wire to Ollama: addresses, timeouts, shapes. No rules."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from venom_core.sdk.bounded_json import MAX_LISTING_BYTES, MOST_ROWS, loads_vectors
from venom_core.sdk.errors import (
    EngineMissing,
    NotHttp,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from venom_core.sdk.http import make_client, open_stream
from venom_core.sdk.programs import look_for
from venom_core.sdk.stream_reader import pieces
from venom_ollama.address import Address
from venom_ollama.lines import LineReader, not_ollama, parse_object
from venom_ollama.refusals import refusal

if TYPE_CHECKING:
    import httpx

    from venom_core.sdk.upstream import Upstream

VERSION_TIMEOUT = 2.0
#: Ollama says nothing while it computes the sha256 of a large layer.
PULL_STALL_TIMEOUT = 900.0
#: A vector is some 10 KB, an embedding answer has many.
MAX_VECTORS_BYTES = 256 * 2**20
_DRAIN_SECONDS = 0.25


class _NobodyListensError(Exception):
    """There is no program at the address."""


async def _nobody() -> bool:
    return False


class OllamaClient:
    """Ollama's native API.

    Args:
        address: where it is.
        request_timeout: seconds for calls that run no model.
        load_timeout: seconds that loading a model may take.
        revive: called where nothing listens, with no limit of time but its own; where it returns
            true, the request is sent once more.
        program: what speaks for an Ollama that is installed here and does not run.

    Every method raises the errors of ``venom_core.sdk.errors`` only: Unavailable(ollama_down) when
    nothing listens, UpstreamTimeout, UpstreamError, and what :mod:`venom_ollama.refusals` reads
    from an answer. Each takes and gives Ollama's own JSON.
    """

    def __init__(
        self,
        address: Address,
        *,
        request_timeout: float,
        load_timeout: float,
        revive: Callable[[], Awaitable[bool]] = _nobody,
        program: str = "ollama",
    ) -> None:
        self._program = program
        self._address = address
        self._revive = revive
        self._request_timeout = request_timeout
        self._load_timeout = load_timeout
        self._http: Upstream | None = None

    def open(self) -> None:
        """Make the HTTP client; no I/O."""
        self._http = make_client(self._address.url, headers=self._address.headers)

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def version(self) -> str:
        """Send ``GET /api/version``, within two seconds."""
        answer = await self._json("GET", "/api/version", timeout=VERSION_TIMEOUT)
        return str(_field(answer, "version", str))

    async def answers(self) -> bool:
        """Return whether an Ollama answers now; nothing is revived for it. Raises what is wrong
        with a program that is none."""
        try:
            async with self._begin("GET", "/api/version", None, "", VERSION_TIMEOUT) as response:
                text = await self._read(response, VERSION_TIMEOUT, MAX_LISTING_BYTES)
        except _NobodyListensError:
            return False
        return bool(_field(parse_object(text), "version", str))

    async def tags(self) -> list[dict[str, Any]]:
        """Send ``GET /api/tags``: the installed models."""
        answer = await self._json("GET", "/api/tags")
        return _objects(answer, "models")

    async def ps(self) -> list[dict[str, Any]]:
        """Send ``GET /api/ps``: the models in memory."""
        answer = await self._json("GET", "/api/ps")
        return _objects(answer, "models")

    async def show(self, model: str) -> dict[str, Any]:
        """Send ``POST /api/show``: everything about one model."""
        return await self._json("POST", "/api/show", {"model": model}, model=model)

    async def delete(self, model: str) -> None:
        """Send ``DELETE /api/delete``."""
        async with self._send("DELETE", "/api/delete", {"model": model}, model) as response:
            await self._read(response, self._request_timeout)

    async def embed(self, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Send ``POST /api/embed``; ``timeout`` bounds the whole call."""
        try:
            async with asyncio.timeout(timeout) as clock:
                async with self._send(
                    "POST", "/api/embed", body, body["model"], timeout, clock
                ) as response:
                    answer = await loads_vectors(await self._read(response, timeout))
        except TimeoutError:
            raise self.silent(timeout) from None
        except ValueError as error:
            raise not_ollama() from error
        if not isinstance(answer, dict):
            raise not_ollama()
        return answer

    async def load(self, body: Mapping[str, Any]) -> None:
        """Send ``POST /api/generate`` without a prompt: loads, or with ``keep_alive: 0`` unloads.
        Raises ModelNotCapable for an embedding model, which knows no prompts."""
        await self._json("POST", "/api/generate", body, body["model"], self._load_timeout)

    async def load_for_embedding(self, body: Mapping[str, Any]) -> None:
        """Send ``POST /api/embed`` with an empty input, which does the same."""
        await self.embed({**body, "input": ""}, self._load_timeout)

    def chat(self, body: Mapping[str, Any], timeout: float) -> AsyncGenerator[dict[str, Any], None]:
        """Send ``POST /api/chat``, streamed; ``timeout`` is the longest silence, before the headers
        (they come with the first token, after a load) and between bytes."""
        return self._lines("/api/chat", body, timeout, timeout)

    def generate(
        self, body: Mapping[str, Any], timeout: float
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Send ``POST /api/generate``, streamed; ``timeout`` as in :meth:`chat`."""
        return self._lines("/api/generate", body, timeout, timeout)

    def pull(self, model: str) -> AsyncGenerator[dict[str, Any], None]:
        """Send ``POST /api/pull``, streamed; closing the generator stops the transfer."""
        return self._lines("/api/pull", {"model": model}, PULL_STALL_TIMEOUT, self._request_timeout)

    async def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        model: str = "",
        timeout: float | None = None,
    ) -> dict[str, Any]:
        limit = timeout or self._request_timeout
        try:
            async with asyncio.timeout(limit) as clock:
                async with self._send(method, path, body, model, limit, clock) as response:
                    return parse_object(await self._read(response, limit, MAX_LISTING_BYTES))
        except TimeoutError:
            raise self.silent(limit) from None

    async def _lines(
        self, path: str, body: Mapping[str, Any], stall: float, first: float
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the objects of a streamed answer.

        ``first`` bounds the wait for headers, ``stall`` each silence after them.
        """
        reader = LineReader()
        async with self._send("POST", path, body, body["model"], first) as response:
            chunks = response.aiter_bytes()
            while (chunk := await self._next(chunks, stall)) is not None:
                async for piece in pieces(chunk):
                    for line in reader.feed(piece):
                        yield line
                        if line.get("done") is True:
                            await self._drain(chunks)
                            return
            for line in reader.end():
                yield line

    @contextlib.asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        model: str,
        wait: float | None = None,
        clock: asyncio.Timeout | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Return an answer whose status is good; where nothing listens, after it was revived.
        Raises what a bad one says.

        Args:
            clock: bounds the call, and stands still meanwhile.
        """
        async with contextlib.AsyncExitStack() as stack:
            asked = (method, path, body, model, wait)
            try:
                response = await stack.enter_async_context(self._begin(*asked))
            except _NobodyListensError:
                with _stopped(clock):
                    revived = await self._revive()
                    if not revived:
                        raise await self._down() from None
                try:
                    response = await stack.enter_async_context(self._begin(*asked))
                except _NobodyListensError:
                    raise await self._down() from None
            yield response

    @contextlib.asynccontextmanager
    async def _begin(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        model: str,
        wait: float | None,
    ) -> AsyncIterator[httpx.Response]:
        import httpx

        if self._http is None:
            raise RuntimeError("OllamaClient is used before open() or after close()")
        async with contextlib.AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(
                    open_stream(
                        self._http,
                        method,
                        path,
                        json=body,
                        read_timeout=wait or self._request_timeout,
                    )
                )
            except (httpx.ConnectError, httpx.ConnectTimeout):
                raise _NobodyListensError from None
            except NotHttp as error:  # OLLAMA_HOST names some other server's port
                raise not_ollama() from error
            if response.status_code != 200:
                raise await self._refused(response, model, body or {})
            yield response

    async def _refused(
        self, response: httpx.Response, model: str, body: Mapping[str, Any]
    ) -> Exception:
        text = await self._read(response, self._request_timeout, MAX_LISTING_BYTES)
        told: Mapping[str, Any] = {}
        try:
            told = parse_object(text)
        except UpstreamError:
            # Ollama's own refusals are JSON, but for its Host check (403) and unknown paths.
            if response.status_code in (404, 405):
                return not_ollama()
        error = refusal(
            response.status_code,
            str(told.get("error", "")),
            model,
            response.headers.get("retry-after"),
            told,
        )
        if error.code == "unusable_schema" and not body.get("format"):
            error.param = "tools"  # the only other schemas that it was sent
        return error

    async def _read(
        self, response: httpx.Response, stall: float, limit: int = MAX_VECTORS_BYTES
    ) -> bytes:
        body = bytearray()
        chunks = response.aiter_bytes()
        while (chunk := await self._next(chunks, stall)) is not None:
            body += chunk
            if len(body) > limit:
                raise not_ollama()
        return bytes(body)

    async def _next(self, chunks: AsyncIterator[bytes], stall: float) -> bytes | None:
        """Return the next bytes, or None at the end. Raises UpstreamTimeout after ``stall``
        seconds."""
        try:
            async with asyncio.timeout(stall):
                return await anext(chunks, None)
        except TimeoutError:
            raise self.silent(stall) from None

    async def _drain(self, chunks: AsyncIterator[bytes]) -> None:
        """Read the end of a finished body, so that the connection can serve the next request; an
        upstream that keeps us waiting for it loses the connection instead."""
        import httpx

        with contextlib.suppress(UpstreamTimeout, httpx.HTTPError):
            while await self._next(chunks, _DRAIN_SECONDS) is not None:
                continue

    def silent(self, seconds: float) -> UpstreamTimeout:
        """Return the refusal for an Ollama that said nothing for so long."""
        return UpstreamTimeout(
            f"Ollama sent nothing for {seconds:.0f} s.",
            fix="Try again; venom ps shows whether the model is loaded by now.",
        )

    async def _down(self) -> Unavailable:
        """Return the refusal for an Ollama that does not answer; where nothing speaks for one on
        this machine, or what is called so does not start, it is not down but not there."""
        if self._address.is_usual:
            program = await asyncio.to_thread(look_for, self._program)
            install = (
                "Install it from https://ollama.com/download and start it, or set OLLAMA_HOST to "
                "where it runs."
            )
            if program.path is None:
                return EngineMissing(
                    f"Ollama is not installed here: nothing answers at {self._address.shown}.",
                    fix=install,
                )
            if program.fault is not None:
                return EngineMissing(
                    f"Nothing answers at {self._address.shown}, and the program 'ollama' that PATH "
                    f"finds does not start ({program.fault}).",
                    fix=install,
                )
        return Unavailable(
            f"Ollama does not answer at {self._address.shown}.",
            code="ollama_down",
            fix=self._start_it,
        )

    @property
    def _start_it(self) -> str:
        if self._address.is_startable:
            return (
                "Start it: venom engines start ollama, or ollama serve (or install it: "
                "https://ollama.com/download), or set OLLAMA_HOST to where it runs."
            )
        return (
            "Start it: ollama serve (or install it: https://ollama.com/download), or set "
            "OLLAMA_HOST to where it runs."
        )


@contextlib.contextmanager
def _stopped(clock: asyncio.Timeout | None) -> Iterator[None]:
    """Let a timeout stand still during the block."""
    ends = None if clock is None else clock.when()
    if clock is None or ends is None:
        yield
        return
    loop = asyncio.get_running_loop()
    left = ends - loop.time()
    clock.reschedule(None)
    try:
        yield
    finally:
        clock.reschedule(loop.time() + left)


def _field(answer: Mapping[str, Any], name: str, kind: type) -> Any:
    value = answer.get(name)
    if not isinstance(value, kind):
        raise not_ollama()
    return value


def _objects(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    items = _field(answer, name, list)
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        raise not_ollama()
    return list(items[: MOST_ROWS + 1])
