"""Lengths of texts in a model's own tokens, where the engine's refusal would name no text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from venom_core.sdk.bounded_json import MOST_VALUES, TooManyValues
from venom_core.sdk.errors import ContextLengthExceeded

#: Posts a body to a path of the engine and gives its answer, read.
Post = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


async def count_tokens(text: str, post: Post, *, add_special: bool = False) -> int:
    """Return how many tokens a text has; with those around it, where they are wanted."""
    try:
        body = {"content": text, "add_special": add_special}
        return len((await post("/tokenize", body))["tokens"])
    except TooManyValues:
        return MOST_VALUES


async def check_inputs(inputs: Sequence[str], limit: int, post: Post) -> None:
    """Refuse an input to embed that is no batch: the engine answers it with a 500 and no
    numbers."""
    for place, text in enumerate(inputs):
        # A token is at least a byte, and the engine adds two of its own.
        if len(text.encode()) <= limit - 2:
            continue
        count = await count_tokens(text, post, add_special=True)
        if count > limit:
            raise ContextLengthExceeded(
                f"Input {place} has {count} tokens; this model embeds {limit} at a time.",
                fix="Split it into shorter pieces.",
                param=f"input[{place}]",
            )
