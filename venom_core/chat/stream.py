"""An answer under way, and one account of it at the end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from venom_core.chat.asked import Asked
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.frames import Frame, FrameKind, Usage
from venom_core.sdk.upstream_refusals import incomplete


@dataclass(slots=True)
class Account:
    """The account of a request. Times are in seconds on the monotonic clock; ``code`` is None for a
    whole answer, ``client_gone`` where the caller left, else the error's code. ``pieces`` are the
    deltas that were relayed, ``finished`` why each choice ended, by its index."""

    started: float
    first_token: float | None = None
    ended: float | None = None
    usage: Usage | None = None
    code: str | None = None
    pieces: int = 0
    finished: dict[int, str] = field(default_factory=dict)

    @property
    def ttft_ms(self) -> float | None:
        return None if self.first_token is None else (self.first_token - self.started) * 1000

    @property
    def tokens(self) -> int:
        """Return prompt and completion tokens as the engine counted them, else the relayed
        deltas."""
        usage = self.usage
        return self.pieces if usage is None else usage.prompt_tokens + usage.completion_tokens

    @property
    def tokens_per_second(self) -> float | None:
        """Return the completion tokens after the first per second since it."""
        if self.usage is None or self.first_token is None or self.ended is None:
            return None
        seconds = self.ended - self.first_token
        tokens = self.usage.completion_tokens - 1
        return tokens / seconds if tokens > 0 and seconds > 0 else None


class ChatStream:
    """An accepted request: iterate :meth:`frames` once, or :meth:`close` it.

    ``resolved`` is the model that answers. ``asked`` is the request after the policy and what is
    stored for the model; its frames keep the law, as a guarded provider's do.
    """

    def __init__(
        self,
        *,
        resolved: ListedModel,
        chosen_because: str | None,
        asked: Asked,
        applied: Mapping[str, Any],
        include_usage: bool,
        on_end: Callable[[Account], None],
    ) -> None:
        self.resolved = resolved
        self.chosen_because = chosen_because
        self._asked = asked
        self._applied = applied
        self.account = Account(time.monotonic())
        self._include_usage = include_usage
        self._source = asked.frames()
        self._on_end = on_end
        self._ready: list[Frame] = []
        self._usage: Frame | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Return the body as the provider was asked it."""
        return self._asked.request.body

    @property
    def origins(self) -> Mapping[str, str]:
        """Return where each parameter came from."""
        return self._asked.origins

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return the names of the parameters ignored under the policy ``warn``; all of them are
        known from the first frame on."""
        return self._asked.left_out

    @property
    def values(self) -> Mapping[str, Any]:
        """Return the value of each parameter that has an origin; those of the model's own that its
        engine applies by itself are in no body."""
        return {name: self.parameters.get(name, self._applied.get(name)) for name in self.origins}

    @property
    def upstream_body(self) -> Mapping[str, Any]:
        """Return the body as the upstream got it; before the first frame the request's own."""
        sent = self._asked.request.sent
        return self.parameters if sent.body is None else sent.body

    @property
    def emulated(self) -> tuple[str, ...]:
        """Return the names of the parameters that the provider emulates; known from the first frame
        on."""
        return self._asked.request.sent.emulated

    async def begin(self) -> None:
        """Wait for the first frame that carries something: until it is there, an error is an answer
        of its own, and what the provider refuses by name may be left out.

        The account begins here: what went before was the queue.
        """
        self.account.started = time.monotonic()
        try:
            while not self._ready:
                first = await self._first()
                if first is None:
                    raise incomplete()
                if (part := self._observed(first)) is not None:
                    self._ready.append(part)
        except BaseException as error:
            await self._end(error)
            raise

    async def _first(self) -> Frame | None:
        """Return the next frame of the beginning; asks again where the policy allows it."""
        while True:
            try:
                return await anext(self._source, None)
            except InvalidRequest as error:
                fewer = None if self._usage is not None else self._asked.without(error)
                if fewer is None:
                    raise
            await self._source.aclose()
            self._asked, self._source = fewer, fewer.frames()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield the frames for the client. Ends after a lawful finish, else raises a
        ``VenomError``."""
        ended: BaseException | None = None
        pieces = 0
        try:
            for ready in self._ready:
                yield ready
            async for frame in self._source:
                if frame.kind is FrameKind.DELTA:
                    pieces += 1
                    yield frame  # nearly every frame: nothing to look at
                elif (part := self._observed(frame)) is not None:
                    yield part
            if self._usage is not None and self._include_usage:
                yield self._usage
        except BaseException as error:
            ended = error
            raise
        finally:
            self.account.pieces += pieces
            await self._end(ended)

    async def close(self) -> None:
        """Close the upstream of a stream that nobody will read."""
        await self._end(GeneratorExit())

    def _observed(self, frame: Frame) -> Frame | None:
        """Return the frame that the client gets now, noted on the account: usage is kept for the
        end."""
        kind = frame.kind
        if kind & (FrameKind.FINISH | FrameKind.ANSWER):
            for choice in frame.event.choices:
                if choice.finish_reason is not None:
                    self.account.finished[choice.index] = choice.finish_reason
        if FrameKind.USAGE in kind:
            self.account.usage = frame.event.usage
            if kind is FrameKind.USAGE:
                self._usage = frame
                return None
        if self.account.first_token is None:
            self.account.first_token = time.monotonic()
        self.account.pieces += kind is FrameKind.DELTA
        return frame

    async def _end(self, error: BaseException | None) -> None:
        if self.account.ended is not None:
            return
        self.account.ended = time.monotonic()
        if isinstance(error, VenomError):
            self.account.code = error.code
        elif error is not None:
            self.account.code = "client_gone"
        try:
            await self._source.aclose()
        finally:
            self._on_end(self.account)
