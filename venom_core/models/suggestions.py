"""What to get next: a short list with sizes, checked against this machine's memory.

Sizes are those of the files at their source in November 2026; nothing is fetched to show them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from venom_core.models.registry import Listing


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``provider`` is who would serve it; ``sources`` are those that can fetch it."""

    name: str
    title: str
    provider: str
    sources: tuple[str, ...]
    size_bytes: int
    summary: str
    terms_url: str | None = None


GEMMA_TERMS = "https://ai.google.dev/gemma/terms"

SUGGESTIONS = (
    Suggestion(
        "gemma3:4b",
        "Gemma 3 4B",
        "ollama",
        ("ollama",),
        3_300_000_000,
        "For everyday work: several languages, images, long texts.",
        GEMMA_TERMS,
    ),
    Suggestion(
        "hf.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M",
        "Gemma 3 1B",
        "llamacpp",
        ("llamacpp", "ollama"),
        806_000_000,
        "For small machines: conversation and short texts.",
        GEMMA_TERMS,
    ),
)


def suggestions(listing: Listing, providers: Collection[str]) -> list[tuple[Suggestion, bool]]:
    """What is not installed yet, the built-in models of ``listing`` last, each with whether one
    of ``providers`` could fetch it now."""
    installed = {item.model.ref for item in listing.installed}
    answering = set(providers) - set(listing.stale)
    found = [
        (suggestion, bool(answering & set(suggestion.sources)))
        for suggestion in SUGGESTIONS
        if suggestion.name not in installed
    ]
    for item in listing.models:
        model = item.model
        if not model.installed and model.size_bytes is not None:
            offered = Suggestion(
                model.ref,
                model.title or model.ref,
                item.provider,
                (item.provider,),
                model.size_bytes,
                model.summary or "",
                model.terms_url,
            )
            found.append((offered, item.provider in answering))
    return found
