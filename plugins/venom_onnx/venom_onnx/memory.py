"""Memory of onnxruntime-genai: what the fit check needs beside the model's own numbers."""

from __future__ import annotations

from venom_core.sdk.architecture import MemoryPlan

#: Python, the two libraries and the tokenizer of a large vocabulary.
OVERHEAD_BYTES = 300_000_000


def memory_plan(context: int, parallel: int) -> MemoryPlan:
    """Return how the runtime would hold a model.

    Args:
        context: tokens of one request; the cache has room for all of them from the start.
        parallel: answers at a time, each with a cache of its own.
    """
    return MemoryPlan(
        engine="ONNX Runtime",
        context_length=context,
        parallel=parallel,
        kv_type="f32",  # graphs for the processor compute in 32 bits
        windows=False,
        overhead_bytes=OVERHEAD_BYTES,
    )
