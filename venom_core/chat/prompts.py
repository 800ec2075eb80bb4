"""Prompts and inputs: one or several, each a text or, where a provider takes them, its tokens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import Literal

from venom_core.sdk.errors import UnsupportedParameter, UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk, Event, Frame, Usage
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.spec import ProviderSpec

Text = str | tuple[int, ...]
Complete = Callable[[ChatRequest], AsyncGenerator[Frame, None]]


def texts(value: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]]) -> tuple[Text, ...]:
    """Return a validated ``prompt`` or ``input`` as the texts that are in it."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value[0], int):
        value = (value,)  # type: ignore[assignment]
    return tuple(text if isinstance(text, str) else tuple(text) for text in value)  # type: ignore[arg-type]


def check_tokens(
    found: Sequence[Text], field: Literal["prompt", "input"], spec: ProviderSpec, model: str
) -> None:
    """Raise ``UnsupportedParameter`` for tokens where the provider takes texts only.

    Their numbers mean other words in another vocabulary, and a client that makes them with
    OpenAI's gets vectors of nonsense from every other model.
    """
    if field in spec.tokens or all(isinstance(text, str) for text in found):
        return
    raise UnsupportedParameter(
        f"{model} takes texts, and no numbers of tokens: they are of another vocabulary.",
        param=field,
        fix="Send the texts themselves; in LangChain:"
        " OpenAIEmbeddings(check_embedding_ctx_length=False)."
        if field == "input"
        else "Send the texts themselves.",
    )


def completions(
    complete: Complete, request: ChatRequest, prompts: Sequence[Text], choices: int
) -> AsyncGenerator[Frame, None]:
    """Complete each prompt; the answer to several is one, with the choices of the first first.

    Args:
        choices: how many each prompt has.
    """
    if len(prompts) == 1:
        return complete(_of(request, prompts[0]))
    return _one_after_another(complete, request, prompts, choices)


def _of(request: ChatRequest, prompt: Text) -> ChatRequest:
    sent = prompt if isinstance(prompt, str) else list(prompt)
    return replace(request, body={**request.body, "prompt": sent})


async def _one_after_another(
    complete: Complete, request: ChatRequest, prompts: Sequence[Text], choices: int
) -> AsyncGenerator[Frame, None]:
    whole: list[Choice] = []
    usages: list[Usage | None] = []
    for place, prompt in enumerate(prompts):
        usages.append(None)
        async with contextlib.aclosing(complete(_of(request, prompt))) as frames:
            async for frame in frames:
                event = _event(frame)
                usages[-1] = event.usage or usages[-1]
                moved = [replace(c, index=c.index + place * choices) for c in event.choices]
                if isinstance(event, Answer):
                    whole += moved
                elif moved:
                    yield Frame.of(Chunk(tuple(moved)))
    usage = _together(usages)
    if not request.stream:
        yield Frame.of(Answer(tuple(whole), usage))
    elif usage is not None:
        yield Frame.of(Chunk(usage=usage))


def _event(frame: Frame) -> Event:
    try:
        return frame.event
    except ValueError as error:
        raise UpstreamError("The provider made a frame that cannot be read.") from error


def _together(usages: Sequence[Usage | None]) -> Usage | None:
    """Return the sum; None where one of them is not known."""
    known = [usage for usage in usages if usage is not None]
    if len(known) != len(usages):
        return None
    cached = [usage.cached_tokens for usage in known if usage.cached_tokens is not None]
    return Usage(
        sum(usage.prompt_tokens for usage in known),
        sum(usage.completion_tokens for usage in known),
        sum(cached) if cached else None,
    )
