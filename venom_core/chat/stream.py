"""An answer under way: one terminal law, one account of it at the end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import UpstreamError, UpstreamIncomplete, VenomError
from venom_core.sdk.frames import Chunk, Frame, FrameKind, Usage


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

    ``resolved`` is the model that answers, ``origins`` says where each parameter came from,
    ``left_out`` names parameters ignored under the policy ``warn``.
    """

    def __init__(
        self,
        *,
        resolved: ListedModel,
        chosen_because: str | None,
        upstream_body: Mapping[str, Any],
        origins: Mapping[str, str],
        left_out: tuple[str, ...],
        include_usage: bool,
        source: AsyncGenerator[Frame, None],
        on_end: Callable[[Account], None],
    ) -> None:
        self.resolved = resolved
        self.chosen_because = chosen_because
        self.upstream_body = upstream_body
        self.origins = origins
        self.left_out = left_out
        self.account = Account(time.monotonic())
        self._include_usage = include_usage
        self._source = source
        self._on_end = on_end
        self._first: Frame | None = None
        self._unfinished = set(range(int(upstream_body.get("n") or 1)))

    async def begin(self) -> None:
        """Wait for the first frame: until it is there, an error is an answer of its own.

        The account begins here: what went before was the queue.
        """
        self.account.started = time.monotonic()
        try:
            self._first = await anext(self._source, None)
            if self._first is None:
                raise _incomplete()
        except BaseException as error:
            await self._end(error)
            raise

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield the frames for the client. Ends after a lawful finish, else raises a
        ``VenomError``."""
        ended: BaseException | None = None
        pieces = 0
        try:
            if self._first is not None:
                for part in self._lawful(self._first):
                    yield part
            async for frame in self._source:
                if frame.kind is FrameKind.DELTA and self.account.first_token is not None:
                    pieces += 1
                    yield frame  # nearly every frame: nothing to look at
                else:
                    for part in self._lawful(frame):
                        yield part
            if self._unfinished:
                raise _incomplete()
        except BaseException as error:
            ended = error
            raise
        finally:
            self.account.pieces += pieces
            await self._end(ended)

    async def close(self) -> None:
        """Close the upstream of a stream that nobody will read."""
        await self._end(GeneratorExit())

    def _lawful(self, frame: Frame) -> Iterator[Frame]:
        """Return the frames that the client gets of one, noted on the account."""
        if self.account.first_token is None:
            self.account.first_token = time.monotonic()
        if frame.kind is FrameKind.DELTA:
            self.account.pieces += 1
            yield frame
            return
        for part in frame.split_usage():
            if self._observe(part):
                yield part

    def _observe(self, frame: Frame) -> bool:
        """Note a frame that is no plain delta; False where the client has not asked for it."""
        try:
            event = frame.event
        except ValueError as error:
            raise UpstreamError("The provider made a frame that cannot be read.") from error
        if event.usage is not None:
            self.account.usage = event.usage
        if not isinstance(event, Chunk):
            self._unfinished.clear()
            return True
        self._unfinished -= {c.index for c in event.choices if c.finish_reason is not None}
        return frame.kind is not FrameKind.USAGE or self._include_usage

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


def _incomplete() -> UpstreamIncomplete:
    return UpstreamIncomplete(
        "The engine closed its stream before the answer was whole.",
        fix="Try again; venom doctor shows whether the engine still runs.",
    )
