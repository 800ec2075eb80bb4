"""Logprobs of a text completion: llama.cpp tells them in the shape of chats."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

from venom_core.sdk.frames import Answer, Chunk, Frame


async def in_completion_shape(
    frames: AsyncGenerator[Frame, None],
) -> AsyncGenerator[Frame, None]:
    """Yield the frames of one choice with logprobs as OpenAI's completions have them: ``tokens``,
    ``token_logprobs``, ``top_logprobs`` (token to logprob) and ``text_offset``, in characters of
    the answer."""
    offset = 0
    async with contextlib.aclosing(frames):
        async for frame in frames:
            event = frame.event
            choices = []
            for choice in event.choices:
                told = _converted(choice.logprobs, offset) if choice.logprobs else None
                choices.append(replace(choice, logprobs=told))
                offset += len(choice.content or "")
            kind = Answer if isinstance(event, Answer) else Chunk
            yield Frame.of(kind(tuple(choices), event.usage))


def _converted(told: Mapping[str, Any], offset: int) -> Mapping[str, Any]:
    rows = told.get("content") or ()
    tokens = [row["token"] for row in rows]
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token)
    return {
        "tokens": tokens,
        "token_logprobs": [row["logprob"] for row in rows],
        "top_logprobs": [
            {top["token"]: top["logprob"] for top in row.get("top_logprobs") or ()} for row in rows
        ],
        "text_offset": offsets,
    }
