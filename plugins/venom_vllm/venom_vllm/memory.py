"""Memory of vLLM: what the fit check needs beside the model's own numbers."""

from __future__ import annotations

from venom_core.sdk.architecture import MemoryPlan

#: Its three processes, each with Python, torch and vLLM.
OVERHEAD_BYTES = 2_000_000_000


def memory_plan(context: int) -> MemoryPlan:
    """Return how vLLM would hold a model.

    Args:
        context: tokens of one request; what more requests need is shared out of what there is.
    """
    return MemoryPlan(
        engine="vLLM",
        context_length=context,
        parallel=1,
        kv_type="bf16",
        overhead_bytes=OVERHEAD_BYTES,
    )
