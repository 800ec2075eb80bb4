"""An answer under way: one terminal law, one account of it at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import UpstreamError, VenomError
from venom_core.sdk.frames import Chunk, Frame, FrameKind, Usage
from venom_core.sdk.messages import Sent
from venom_core.sdk.upstream_refusals import incomplete

log = logging.getLogger(__name__)
#: Seconds for what an upstream sends behind its finish: its usage, and the end.
SETTLE_SECONDS = 10.0


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
    ``left_out`` names parameters ignored under the policy ``warn``. Each of its ``choices`` has to
    come to an end.
    """

    def __init__(
        self,
        *,
        resolved: ListedModel,
        chosen_because: str | None,
        parameters: Mapping[str, Any],
        sent: Sent,
        origins: Mapping[str, str],
        left_out: tuple[str, ...],
        include_usage: bool,
        choices: int,
        source: AsyncGenerator[Frame, None],
        on_end: Callable[[Account], None],
    ) -> None:
        self.resolved = resolved
        self.chosen_because = chosen_because
        self.parameters = parameters
        self._sent = sent
        self.origins = origins
        self.left_out = left_out
        self.account = Account(time.monotonic())
        self._include_usage = include_usage
        self._source = source
        self._on_end = on_end
        self._streams = bool(parameters.get("stream"))
        self._ready: list[Frame] = []
        self._usage: Frame | None = None
        self._unfinished = set(range(choices))

    @property
    def upstream_body(self) -> Mapping[str, Any]:
        """Return the body as the upstream got it; before the first frame the request's own."""
        return self.parameters if self._sent.body is None else self._sent.body

    async def begin(self) -> None:
        """Wait for the first frame that carries something: until it is there, an error is an answer
        of its own.

        The account begins here: what went before was the queue.
        """
        self.account.started = time.monotonic()
        try:
            while not self._ready:
                frame = await anext(self._source, None)
                if frame is None:
                    raise incomplete()
                self._ready += self._lawful(frame)
        except BaseException as error:
            await self._end(error)
            raise

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield the frames for the client. Ends after a lawful finish, else raises a
        ``VenomError``."""
        ended: BaseException | None = None
        pieces = 0
        try:
            for part in self._ready:
                yield part
            if self._unfinished:
                async for frame in self._source:
                    shape = frame.shape
                    if shape is not None and shape.index in self._unfinished:
                        pieces += 1
                        yield frame  # nearly every frame: nothing to look at
                        continue
                    for part in self._lawful(frame):
                        yield part
                    if not self._unfinished:
                        break
            if self._unfinished:
                raise incomplete()
            await self._settle()
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

    def _lawful(self, frame: Frame) -> list[Frame]:
        """Return the frames that the client gets of one, noted on the account: none that carries
        nothing, and nothing of a choice that has its finish. Usage is kept for the end."""
        try:
            return [
                lawful
                for part in frame.split_usage()
                if (lawful := self._observed(part)) is not None
            ]
        except ValueError as error:
            raise UpstreamError("The provider made a frame that cannot be read.") from error

    def _observed(self, frame: Frame) -> Frame | None:
        event = frame.event
        if event.usage is not None:
            self.account.usage = event.usage
        if isinstance(event, Chunk) is not self._streams:
            raise UpstreamError("The provider made a frame that does not belong here.")
        if not event.choices:
            if event.usage is not None:
                self._usage = frame
            return None
        if self.account.first_token is None:
            self.account.first_token = time.monotonic()
        if not isinstance(event, Chunk):
            self._unfinished.clear()
            return frame
        if frame.kind is FrameKind.DELTA:
            self.account.pieces += 1
        return self._open_choices(frame, event)

    def _open_choices(self, frame: Frame, chunk: Chunk) -> Frame | None:
        """Return the frame without choices that have had their finish or were not asked for."""
        left_out = []
        for place, choice in enumerate(chunk.choices):
            if choice.index not in self._unfinished:
                left_out.append(place)
            elif choice.finish_reason is not None:
                self._unfinished.discard(choice.index)
        if not left_out:
            return frame
        return frame.without(left_out) if len(left_out) < len(chunk.choices) else None

    async def _settle(self) -> None:
        """Read what comes behind the last finish, where nothing but usage may: the answer is whole,
        whatever becomes of its upstream now."""
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                async for frame in self._source:
                    self._lawful(frame)
        except (VenomError, TimeoutError) as error:
            log.info("%s after its finish: %s", self.resolved.reference, error)

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
