"""An answer under way, and one account of it at the end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame, FrameKind, Usage
from venom_core.sdk.messages import Sent
from venom_core.sdk.upstream_refusals import incomplete


@dataclass(slots=True)
class Account:
    """The account of a request. Times are in seconds on the monotonic clock; ``code`` is None for a
    whole answer, ``client_gone`` where the caller left, else the error's code. ``pieces`` are the
    deltas that were relayed."""

    started: float
    first_token: float | None = None
    ended: float | None = None
    usage: Usage | None = None
    code: str | None = None
    pieces: int = 0

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

    ``resolved`` is the model that answers, ``parameters`` is the body after the policy and
    what is stored for the model, ``origins`` says where each parameter came from,
    ``left_out`` names parameters ignored under the policy ``warn``. ``source`` keeps the law of
    frames: it is a guarded provider's.
    """

    def __init__(
        self,
        *,
        resolved: ListedModel,
        chosen_because: str | None,
        parameters: Mapping[str, Any],
        applied: Mapping[str, Any],
        sent: Sent,
        origins: Mapping[str, str],
        left_out: tuple[str, ...],
        include_usage: bool,
        source: AsyncGenerator[Frame, None],
        on_end: Callable[[Account], None],
    ) -> None:
        self.resolved = resolved
        self.chosen_because = chosen_because
        self.parameters = parameters
        self._applied = applied
        self._sent = sent
        self.origins = origins
        self.left_out = left_out
        self.account = Account(time.monotonic())
        self._include_usage = include_usage
        self._source = source
        self._on_end = on_end
        self._ready: list[Frame] = []
        self._usage: Frame | None = None

    @property
    def values(self) -> Mapping[str, Any]:
        """Return the value of each parameter that has an origin; those of the model's own that its
        engine applies by itself are in no body."""
        return {name: self.parameters.get(name, self._applied.get(name)) for name in self.origins}

    @property
    def upstream_body(self) -> Mapping[str, Any]:
        """Return the body as the upstream got it; before the first frame the request's own."""
        return self.parameters if self._sent.body is None else self._sent.body

    @property
    def emulated(self) -> tuple[str, ...]:
        """Return the names of the parameters that the provider emulates; known from the first frame
        on."""
        return self._sent.emulated

    async def begin(self) -> None:
        """Wait for the first frame that carries something: until it is there, an error is an answer
        of its own.

        The account begins here: what went before was the queue.
        """
        self.account.started = time.monotonic()
        try:
            while not self._ready:
                first = await anext(self._source, None)
                if first is None:
                    raise incomplete()
                if (part := self._observed(first)) is not None:
                    self._ready.append(part)
        except BaseException as error:
            await self._end(error)
            raise

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
