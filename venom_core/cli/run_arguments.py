"""The words after `venom run`: a model, a prompt, or both.

The rule, as the help tells it: what contains a space is a prompt, unless a model is called exactly
so; a single word is a model where one is called so, or where it looks like a model's name; any
other single word is a prompt.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

STDIN = "-"
# `gemma3:4b`, `hf.co/org/repo`, `ollama://gemma3`, `model.gguf`; not `hi`, `Hello.` or `why:`.
_LOOKS_LIKE_MODEL = re.compile(r"[^\s:/]+(:|/|://)[^\s:/]\S*|\S+\.gguf", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """``model`` None: the one that Venom chooses. ``prompt`` None: talk, or with ``stdin`` what the
    standard input holds."""

    model: str | None
    prompt: str | None
    stdin: bool = False
    assumed: str | None = None


def is_text(word: str) -> bool:
    """Return whether a word can only be a prompt."""
    return not word or any(character.isspace() for character in word)


def read_words(words: Sequence[str], known: Iterable[str]) -> Request:
    """Return the request that the words make.

    Args:
        known: every name that models go by, installed or not.
    """
    stdin = bool(words) and words[-1] == STDIN
    words = words[:-1] if stdin else words
    if not words:
        return Request(None, None, stdin)
    first, rest = words[0], words[1:]
    if is_text(first) and first not in set(known):
        return Request(None, " ".join(words), stdin)
    if rest:
        return Request(first, " ".join(rest), stdin)
    if means_model(first, known):
        return Request(first, None, stdin)
    assumed = f"No model is called {first!r}, so it is taken as the prompt."
    return Request(None, first, stdin, assumed)


def means_model(word: str, known: Iterable[str]) -> bool:
    """Return whether a single word names a model, or was meant to: a misspelt name is refused as
    such and not sent to some other model as its prompt."""
    names = set(known)
    short = {name.partition(":")[0] for name in names}
    return (
        word in names
        or word in short
        or bool(_LOOKS_LIKE_MODEL.fullmatch(word))
        or bool(difflib.get_close_matches(word, names | short, n=1, cutoff=0.8))
    )


def known_names(listing: dict[str, Any]) -> set[str]:
    """Return every name in a listing of models, however it is written."""
    names: set[str] = set()
    for model in (*listing["models"], *listing["available"]):
        names |= {model["name"], model["id"], model["reference"]} - {""}
    return names
