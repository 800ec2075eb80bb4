"""Memory of transformers: what the fit check needs beside the model's own numbers."""

from __future__ import annotations

from dataclasses import replace

from venom_core.sdk.architecture import Architecture, KvType, MemoryPlan
from venom_core.sdk.graphics import has_cards

#: Python, torch, transformers and the tokenizer of a large vocabulary.
OVERHEAD_BYTES = 700_000_000


def computes_wide(device: str, dtype: str) -> bool:
    """Return whether a model of sixteen bits is computed in 32, as the settings have it. Blocks for
    some small files."""
    if dtype != "auto":
        return dtype == "float32"
    return device == "cpu" or (device == "auto" and not has_cards())


def widened(architecture: Architecture, device: str, dtype: str) -> Architecture:
    """Return a model's numbers with its weights as they lie in memory: files have sixteen bits."""
    weights = architecture.weights_bytes
    if weights is None or not computes_wide(device, dtype):
        return architecture
    return replace(architecture, weights_bytes=2 * weights)


def memory_plan(context: int, parallel: int, device: str, dtype: str) -> MemoryPlan:
    """Return how the library would hold a model.

    Args:
        context: tokens of one request; the cache grows up to them.
        parallel: answers at a time, each with a cache of its own.
    """
    kv_type: KvType = "f32" if computes_wide(device, dtype) else "f16"
    return MemoryPlan(
        engine="transformers",
        context_length=context,
        parallel=parallel,
        kv_type=kv_type,
        windows=True,
        overhead_bytes=OVERHEAD_BYTES,
    )
