"""What to get next: a short list with sizes, checked against this machine's memory.

Sizes are those of the files at their source in November 2026; nothing is fetched to show them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from venom_core.models.registry import Listing
from venom_core.sdk.architecture import Architecture, MemoryPlan


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``provider`` is who would serve it; ``sources`` are those that can fetch it.

    ``architecture``, ``memory_plan``: for the fit check, where they are known before a download.
    """

    name: str
    title: str
    provider: str
    sources: tuple[str, ...]
    size_bytes: int
    summary: str
    terms_url: str | None = None
    architecture: Architecture | None = None
    memory_plan: MemoryPlan | None = None


def _gemma(
    layers: int, heads: int, kv_heads: int, width: int, hidden: int, window: int, context: int,
    weights: int,
) -> Architecture:  # fmt: skip
    """As in the models' published ``config.json`` (google/gemma-3-4b-it and gemma-3-1b-it)."""
    return Architecture(
        "gemma3",
        layers=layers,
        heads=heads,
        kv_heads=(kv_heads,) * layers,
        key_length=256,
        value_length=256,
        window=window,
        windowed=tuple(layer % 6 != 5 for layer in range(layers)),
        vocabulary=262_144,
        embedding_length=width,
        feed_forward=hidden,
        weights_bytes=weights,
        context_length=context,
    )


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
        _gemma(34, 8, 4, 2560, 10_240, 1024, 131_072, 3_300_000_000),
        MemoryPlan("Ollama", context_length=4096, batch=512, graph="llama.cpp"),
    ),
    Suggestion(
        "hf.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M",
        "Gemma 3 1B",
        "llamacpp",
        ("llamacpp", "ollama"),
        806_000_000,
        "For small machines: conversation and short texts.",
        GEMMA_TERMS,
        _gemma(26, 4, 1, 1152, 6912, 512, 32_768, 806_000_000),
        MemoryPlan("llama.cpp", context_length=4096, parallel=2, batch=1024, graph="llama.cpp"),
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
                model.architecture,
                model.memory_plan,
            )
            found.append((offered, item.provider in answering))
    return found
