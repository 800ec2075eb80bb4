"""A model in numbers as Ollama tells them, and how Ollama would hold it: for the fit check."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from venom_core.sdk.architecture import MAX_BYTES, Architecture, BadNumber, MemoryPlan
from venom_core.sdk.architecture_gguf import from_gguf, tensor_bytes
from venom_core.sdk.memory_estimate import ggml_compute_bytes
from venom_core.sdk.numbers import say_bad

#: What Ollama takes where neither the request nor the model names a context.
DEFAULT_CONTEXT = 4096
BATCH = 512
#: From 0.30 on an embedding model computes a whole context at a time, up to this.
EMBEDDING_BATCH = 2048
MAX_TENSORS = 20_000
NOTE = (
    "Ollama's own settings are not seen: one request at a time and a cache of f16 are assumed, not "
    "what OLLAMA_NUM_PARALLEL and OLLAMA_KV_CACHE_TYPE may say."
)
COMPARED = "The estimate was within 1 % of what Ollama 0.24.0 told of four loads of Gemma 3 270M."
COMPARED_CURRENT = "The estimate was within 11 % of what Ollama 0.32.15 told of eleven loads."


@dataclass(frozen=True, slots=True)
class Numbers:
    """``copies_bytes``: of the embeddings that serve as output as well, and are held once for each
    use."""

    architecture: Architecture
    copies_bytes: int = 0


def numbers_of(shown: Mapping[str, Any], size: int | None) -> Numbers | None:
    """Return the numbers in ``/api/show``; ``size`` is the bytes of all its files by the listing;
    None where nothing can be made of it."""
    info = shown.get("model_info")
    if not isinstance(info, Mapping) or not info:
        return None  # of a model elsewhere Ollama knows nothing
    tensors = _tensors(shown.get("tensors"))
    sizes = [tensor_bytes(kind, shape) for _, kind, shape in tensors]
    whole = sum(size or 0 for size in sizes) if sizes and None not in sizes else size
    shapes = {name: shape for name, _, shape in tensors}
    embeddings = shapes.get("token_embd.weight", ())
    copies = 0
    if embeddings and "output.weight" not in shapes:
        copies = sizes[list(shapes).index("token_embd.weight")] or 0
    try:
        vocabulary = embeddings[1] if len(embeddings) == 2 else None
        found = from_gguf(info, weights_bytes=whole, vocabulary=vocabulary)
    except BadNumber as error:
        say_bad("ollama.model", error)
        return None
    return Numbers(found, copies)


def _tensors(rows: Any) -> list[tuple[str, str, Sequence[int]]]:
    """Name, type and shape of each; empty where one of them cannot be."""
    found: dict[str, tuple[str, str, Sequence[int]]] = {}
    for row in rows[:MAX_TENSORS] if isinstance(rows, list) else ():
        if not isinstance(row, Mapping):
            return []
        name, kind, shape = row.get("name"), row.get("type"), row.get("shape")
        if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(shape, list):
            return []
        if len(shape) > 4 or not all(type(length) is int and length > 0 for length in shape):
            return []
        if any(length > MAX_BYTES for length in shape) or math.prod(shape) > MAX_BYTES:
            return []
        found[name] = (name, kind, shape)
    return list(found.values())


def memory_plan(
    numbers: Numbers,
    context: int | None,
    *,
    embeds: bool = False,
    by_llama_server: bool = False,
) -> MemoryPlan:
    """Return how Ollama would hold the model.

    Args:
        context: where the settings, the model or its present load name one.
        embeds: it is an embedding model.
        by_llama_server: the engine of Ollama 0.30 and newer.
    """
    plan = MemoryPlan(
        engine="Ollama",
        context_length=context or DEFAULT_CONTEXT,
        batch=BATCH,
        compute=ggml_compute_bytes,
        copies_bytes=0 if by_llama_server else numbers.copies_bytes,
        notes=(NOTE, COMPARED_CURRENT if by_llama_server else COMPARED),
    )
    if embeds and by_llama_server:
        return replace(plan, batch=EMBEDDING_BATCH, all_outputs=True)
    return plan
