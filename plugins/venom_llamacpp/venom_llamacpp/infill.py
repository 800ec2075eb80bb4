"""Filling in the middle of a text: between a prompt and what is to follow, its ``suffix``.

llama.cpp's own ``/infill`` cuts what is longer than a batch without a word, and puts the names of a
project and a file before it. So it is asked once for the markers that it knows of a model, whether
from the file or by their names, and the text between them is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.sdk.bounded_json import TooManyValues
from venom_core.sdk.errors import (
    ContextLengthExceeded,
    UnsupportedParameter,
    UpstreamError,
)
from venom_llamacpp.lengths import Post

_UNKNOWN = re.compile(r"Infill is not supported")


@dataclass(frozen=True, slots=True)
class Markers:
    """Tokens around the parts of a text that is filled in: what every text begins with, and what
    stands before the prompt, before the suffix, and before what is filled in."""

    begin: tuple[int, ...]
    prefix: int
    suffix: int
    middle: int


class Infill:
    """Makes prompts of the engines' own tokens. Remembers the markers of each engine."""

    def __init__(self) -> None:
        #: Model -> the address of its engine, and what that knows; None where it has no markers.
        self._known: dict[str, tuple[str, Markers | None]] = {}

    async def prompt(
        self, ref: str, address: str, post: Post, body: Mapping[str, Any]
    ) -> list[int]:
        """Return the tokens of a completion's ``prompt`` and ``suffix`` with the model's markers.

        Raises ``UnsupportedParameter`` where the model has none.
        """
        known = self._known.get(ref)
        if known is None or known[0] != address:
            known = self._known[ref] = address, await _markers(post)
        if (marks := known[1]) is None:
            raise UnsupportedParameter(
                f"{ref} has no tokens for filling in the middle of a text: it cannot honour "
                "'suffix'.",
                param="suffix",
                fix="Leave 'suffix' out, or choose a model for code, such as qwen2.5-coder:1.5b.",
            )
        prompt = body["prompt"]
        before = await _tokens(post, prompt) if isinstance(prompt, str) else list(prompt)
        after = await _tokens(post, body["suffix"])
        return [*marks.begin, marks.prefix, *before, marks.suffix, *after, marks.middle]


async def _markers(post: Post) -> Markers | None:
    nothing = {"input_prefix": "", "input_suffix": "", "n_predict": 0}
    try:
        around = (await post("/infill", nothing))["prompt"]
    except UpstreamError as error:
        if _UNKNOWN.search(error.message):
            return None
        raise
    tokens = await _tokens(post, around, parse_special=True)
    begin = await _tokens(post, "", add_special=True)
    return Markers(tuple(begin), *tokens[-3:])


async def _tokens(post: Post, text: str, **how: bool) -> list[int]:
    body = {"content": text, "parse_special": False, **how}
    try:
        found: list[int] = (await post("/tokenize", body))["tokens"]
    except TooManyValues as error:
        raise ContextLengthExceeded.counted(
            None, None, fix="Shorten the text before and behind what is to be filled in."
        ) from error
    return found
