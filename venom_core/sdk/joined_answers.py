"""Several requests one after another, answered as one: the choices of ``n``, or of a list of
prompts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk, Event, Frame, Usage
from venom_core.sdk.messages import ChatRequest

#: Answers one request: ``Provider.chat`` or ``Provider.complete``.
Ask = Callable[[ChatRequest], AsyncGenerator[Frame, None]]


def choices_of(ask: Ask, request: ChatRequest) -> AsyncGenerator[Frame, None]:
    """Answer ``n`` for an engine that makes one choice: as often as it says, each with a seed of
    its own where the request has one. Notes ``n`` in ``request.sent``; prompt tokens count once.
    """
    count = int(request.body.get("n") or 1)
    body = {name: value for name, value in request.body.items() if name != "n"}
    if count == 1:
        return ask(replace(request, body=body))
    request.sent.emulate("n")
    seed = body.get("seed")
    requests = [
        replace(request, body=body if seed is None else {**body, "seed": _next(seed, place)})
        for place in range(count)
    ]
    return joined(ask, requests, same_prompt=True)


def _next(seed: int, place: int) -> int:
    """Return a seed of its own for each choice, in the range of those that a request may have."""
    return seed - place if seed > 0 else seed + place


async def joined(
    ask: Ask, requests: Sequence[ChatRequest], choices: int = 1, *, same_prompt: bool = False
) -> AsyncGenerator[Frame, None]:
    """Yield the answers to requests as one answer, the choices of the first request first.

    Args:
        choices: how many each request has.
        same_prompt: they have one prompt, whose tokens count once.
    """
    whole: list[Choice] = []
    usages: list[Usage | None] = []
    for place, request in enumerate(requests):
        usages.append(None)
        async with contextlib.aclosing(ask(request)) as frames:
            async for frame in frames:
                event = _event(frame)
                usages[-1] = event.usage or usages[-1]
                moved = [replace(c, index=c.index + place * choices) for c in event.choices]
                if isinstance(event, Answer):
                    whole += moved
                elif moved:
                    yield Frame.of(Chunk(tuple(moved)))
    usage = _together(usages, same_prompt=same_prompt)
    if not requests[0].stream:
        yield Frame.of(Answer(tuple(whole), usage))
    elif usage is not None:
        yield Frame.of(Chunk(usage=usage))


def _event(frame: Frame) -> Event:
    try:
        return frame.event
    except ValueError as error:
        raise UpstreamError("The provider made a frame that cannot be read.") from error


def _together(usages: Sequence[Usage | None], *, same_prompt: bool) -> Usage | None:
    """Return the sum; None where one of them is not known."""
    known = [usage for usage in usages if usage is not None]
    if len(known) != len(usages):
        return None
    said = sum(usage.completion_tokens for usage in known)
    if same_prompt:
        return replace(known[0], completion_tokens=said)
    cached = [usage.cached_tokens for usage in known if usage.cached_tokens is not None]
    prompts = sum(usage.prompt_tokens for usage in known)
    return Usage(prompts, said, sum(cached) if cached else None)
