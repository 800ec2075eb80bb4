"""Providers that break one rule of answers each, and nothing else on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.unit.testing import lawful
from tests.unit.testing.breaking import breaks
from tests.unit.testing.lawful import ENGINE, Lawful
from venom_core.sdk import (
    ChatRequest,
    Choice,
    Chunk,
    Embeddings,
    EmbedRequest,
    Frame,
    FrameKind,
    Model,
    ToolCall,
    Usage,
)
from venom_core.sdk.errors import InvalidRequest, Unavailable, UpstreamError

# -- answers


class Answers(Lawful):
    """Makes other frames of those of a chat."""

    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        raise NotImplementedError

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        frames = [frame async for frame in super().chat(request)]
        for frame in self.other(frames, request.stream):
            yield frame


@breaks("frames")
class YieldsText(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        return ["one"]


@breaks("frames")
class MisnamesFrames(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        raw = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
        return [*frames[:-2], Frame.raw(FrameKind.DELTA, raw), frames[-1]] if stream else frames


@breaks("shape_asked_for")
class StreamsAlways(Answers):
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        async for frame in super(Answers, self).chat(replace(request, stream=True)):
            yield frame


@breaks("one_answer")
class AnswersTwice(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        return frames if stream else frames * 2


@breaks("known_choices")
class MoreChoices(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        more = Frame.of(Chunk((Choice(index=1, role="assistant", content="x"),)))
        return [more, *frames] if stream else frames


@breaks("nothing_after_finish")
class GoesOn(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        more = Frame.of(Chunk((Choice(index=0, content="x"),)))
        return [*frames, more] if stream else frames


@breaks("one_finish")
class FinishesTwice(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        return [*frames[:-1], frames[-2], frames[-1]] if stream else frames


@breaks("one_finish")
class OtherReason(Lawful):
    def end(self, stream: bool, text: str, role: Any, thought: Any, reason: Any, usage: Any) -> Any:
        return super().end(stream, text, role, thought, "eos", usage)


@breaks("finish_each_choice")
class NeverFinishes(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        return frames[:-2] if stream else frames


@breaks("one_usage")
class UsageTwice(Lawful):
    """Breaks nothing else, so that a whole examination of it waits for nothing."""

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        async for frame in super().chat(request):
            yield frame
            if request.stream and frame.event.usage:
                yield frame


@breaks("one_usage")
class UsageFirst(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        return [frames[-1], *frames[:-1]] if stream else frames


@breaks("role_comes_first")
class NoRole(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        first = Frame.of(Chunk((Choice(index=0, content="one "),)))
        return [first, *frames[1:]] if stream else frames


@breaks("both_views_are_equal")
class TwoViews(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        event = frames[0].event
        body = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "uno "}}]}
        return [Frame(FrameKind.DELTA, event, b"{}", body), *frames[1:]] if stream else frames


@breaks("both_modes_say_the_same")
class StreamsShort(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        return [frames[0], *frames[2:]] if stream else frames


@breaks("usage_is_counted")
class CountsNothing(Lawful):
    def usage(self, count: int) -> Usage:
        return Usage(0, count)


@breaks("usage_is_counted")
class CountsInOneMode(Answers):
    def other(self, frames: list[Frame], stream: bool) -> list[Any]:
        return frames[:-1] if stream else frames


@breaks("chats_run_side_by_side")
class MixesUp(Lawful):
    asked = 0

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self.asked += 1
        mine = self.asked
        async for frame in super().chat(request):
            if self.asked == mine or FrameKind.DELTA not in frame.kind:
                yield frame


@breaks("tool_calls_join")
class CutsArguments(Lawful):
    def calling(self, request: ChatRequest) -> list[Frame]:
        frames = super().calling(request)
        return [frames[0], *frames[2:]] if request.stream else frames


@breaks("tool_calls_join")
class EndsOtherwise(Lawful):
    def calling(self, request: ChatRequest) -> list[Frame]:
        frames = super().calling(request)
        stop = Frame.of(Chunk((Choice(index=0, finish_reason="stop"),)))
        return [*frames[:2], stop, frames[3]] if request.stream else frames


@breaks("tool_calls_join")
class NamelessCall(Lawful):
    def calling(self, request: ChatRequest) -> list[Frame]:
        frames = super().calling(request)
        first = Choice(index=0, role="assistant", tool_calls=(ToolCall(0, None, "w", '{"c'),))
        return [Frame.of(Chunk((first,))), *frames[1:]] if request.stream else frames


@breaks("reasoning_is_apart")
class ThinksAloud(Lawful):
    def piece(self, word: str, role: str | None, thought: str | None) -> Frame:
        return super().piece((thought or "") + word, role, thought)


# -- parameters


@breaks("declared_parameters_arrive")
class DropsTopK(Lawful):
    def sends(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value for name, value in body.items() if name != "top_k"}


@breaks("declared_parameters_arrive")
class RefusesNamelessly(Lawful):
    def sends(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if "top_k" in body:
            raise InvalidRequest("It cannot do that.")
        return super().sends(body)


@breaks("max_tokens_ends_an_answer")
class EndsForStop(Lawful):
    def end(self, stream: bool, text: str, role: Any, thought: Any, reason: Any, usage: Any) -> Any:
        return super().end(stream, text, role, thought, "stop", usage)


@breaks("stop_strings_end_an_answer")
class IgnoresStop(Lawful):
    def sends(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value for name, value in body.items() if name != "stop"}


@breaks("too_long_prompts_are_refused")
class CutsPrompts(Lawful):
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        cut = {**request.body, "messages": lawful.HELLO}
        async with contextlib.aclosing(super().chat(replace(request, body=cut))) as frames:
            async for frame in frames:
                yield frame


@breaks("images_reach_the_engine")
class DropsImages(Lawful):
    def sends(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**body, "messages": []}


@breaks("dimensions_are_kept")
class IgnoresDimensions(Lawful):
    async def embed(self, request: EmbedRequest) -> Embeddings:
        return await super().embed(replace(request, dimensions=3))


# -- embeddings


class Embeds(Lawful):
    """Makes other vectors of those of a batch."""

    def other(self, vectors: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        raise NotImplementedError

    async def embed(self, request: EmbedRequest) -> Embeddings:
        found = await super().embed(request)
        return Embeddings(self.other(found.vectors), found.prompt_tokens)


@breaks("embeddings_are_even")
class LosesOne(Embeds):
    def other(self, vectors: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return vectors[:1]


@breaks("embeddings_are_even")
class NotANumber(Embeds):
    def other(self, vectors: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return tuple((float("nan"), *vector[1:]) for vector in vectors)


@breaks("embeddings_keep_the_order")
class Turned(Embeds):
    def other(self, vectors: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return vectors[::-1]


@breaks("embeddings_keep_the_order")
class AllTheSame(Embeds):
    def other(self, vectors: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return tuple((1.0, 0.0) for _ in vectors)


# -- what goes wrong


@breaks("lets_go")
class WorksOn(Lawful):
    """Goes on when its reader has left."""

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        words = ENGINE.answer(request.body)
        KEPT.append(words)
        role: str | None = "assistant"
        async for word in words:
            yield self.piece(word, role, None)
            role = None
        yield Frame.of(Chunk((Choice(index=0, finish_reason="stop"),)))


KEPT: list[Any] = []


@breaks("lets_go")
class Swallows(Lawful):
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        with contextlib.suppress(asyncio.CancelledError):
            async with contextlib.aclosing(super().chat(request)) as frames:
                async for frame in frames:
                    yield frame


@breaks("broken_streams_raise")
class EndsGracefully(Lawful):
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        try:
            async with contextlib.aclosing(super().chat(request)) as frames:
                async for frame in frames:
                    yield frame
        except UpstreamError:
            for frame in self.end(request.stream, "one", "assistant", None, "stop", None):
                yield frame


@breaks("refusals_come_before_frames")
class BeginsTooSoon(Lawful):
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        yield Frame.of(Chunk((Choice(index=0, role="assistant"),)))
        async with contextlib.aclosing(super().chat(request)) as frames:
            async for frame in frames:
                yield frame


@breaks("only_refusals")
class RaisesKeyError(Lawful):
    async def describe(self, ref: str) -> Model:
        return self.model(ref, ENGINE.models[ref])


@breaks("secrets_stay_secret")
class TellsKey(Lawful):
    def _check(self, ref: str) -> None:
        if self._down:
            raise Unavailable(f"No answer for {self.context.settings['api_key']}.", fix="Wait.")
        super()._check(ref)


@breaks("secrets_stay_secret")
class LogsKey(Lawful):
    async def open(self) -> None:
        logging.getLogger("elsewhere").debug("opening with %s", self.context.settings["api_key"])


@breaks("never_blocks")
class Blocks(Lawful):
    blocked = False

    async def describe(self, ref: str) -> Model:
        if not Blocks.blocked:
            Blocks.blocked = True
            end = time.monotonic() + 60
            while _is_watched() and time.monotonic() < end:
                time.sleep(0.01)  # noqa: ASYNC251 -- that is what it breaks
        return await super().describe(ref)


def _is_watched() -> bool:
    return any(thread.name == "loop watch" for thread in threading.enumerate())


@breaks("reaches_no_further")
class PhonesHome(Lawful):
    async def models(self) -> Sequence[Model]:
        with contextlib.suppress(OSError):
            await asyncio.open_connection("192.0.2.1", 443)
        return await super().models()
