"""The memory that a model takes: arithmetic over its numbers and an engine's plan, nothing else.

``bench/fit.py`` compares these formulas with what real loads took. The cache is counted alike for
every engine; how it computes, and so what it sets aside for that, is a function in its plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from venom_core.sdk.architecture import KV_BLOCKS, Architecture, MemoryPlan

#: llama.cpp rounds the cells of a cache up to this many.
CELLS = 256


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes by part; None where a part is not known and so not counted.

    Args:
        weights: as stored, with ``copies``: what the engine holds of them in another order too. The
            originals are read once, and the system may take their place back.
        untouched: of ``compute``, what is set aside and used only where a whole batch is embedded.
    """

    weights: int
    kv_cache: int
    compute: int | None
    overhead: int | None
    untouched: int = 0
    copies: int = 0

    @property
    def total(self) -> int:
        """Return all of it, in bytes; what is not known counts nothing."""
        return self.weights + self.kv_cache + (self.compute or 0) + (self.overhead or 0)

    @property
    def working(self) -> int:
        """Return what chats take of it for good."""
        return self.total - self.untouched - self.copies


def needed(architecture: Architecture, plan: MemoryPlan, context: int) -> MemoryNeed:
    """Return what a context takes. The architecture's ``unknown`` must be empty."""
    compute = compute_bytes(architecture, plan, context, all_outputs=plan.all_outputs)
    least = compute_bytes(architecture, plan, context, all_outputs=False)
    return MemoryNeed(
        weights=(architecture.weights_bytes or 0) + plan.copies_bytes,
        kv_cache=cache_bytes(architecture, plan, context),
        compute=compute,
        overhead=plan.overhead_bytes,
        untouched=(compute or 0) - (least or 0),
        copies=plan.copies_bytes,
    )


def cache_bytes(architecture: Architecture, plan: MemoryPlan, context: int) -> int:
    """Return the keys and values of every layer, of all requests at a time."""
    return plan.parallel * sum(
        cells * elements_bytes(elements, plan.kv_type)
        for cells, elements in _cached(architecture, plan, context)
    )


def _cached(
    architecture: Architecture, plan: MemoryPlan, context: int
) -> Iterator[tuple[int, int]]:
    """For each layer its cells, and the elements of one cell."""
    full, short = _cells(architecture, plan, context)
    compressed = architecture.kv_rank is not None and plan.compresses
    key, value = architecture.key_length or 0, architecture.value_length or 0
    window_key = architecture.window_key_length or key
    window_value = architecture.window_value_length or value
    layers = architecture.layers or 0
    for layer in range(layers - architecture.shared_layers):
        windowed = bool(architecture.windowed) and architecture.windowed[layer]
        cells = short if windowed else full
        if compressed:
            yield cells, (architecture.kv_rank or 0) + (architecture.rope_length or 0)
        elif architecture.kv_rank is not None:
            expanded = architecture.expanded_key_length or 0
            expanded += architecture.expanded_value_length or 0
            yield cells, (architecture.heads or 0) * expanded
        else:
            each = window_key + window_value if windowed else key + value
            yield cells, architecture.kv_heads[layer] * each


def _cells(architecture: Architecture, plan: MemoryPlan, context: int) -> tuple[int, int]:
    """Cells of a layer that sees everything, and of one with a window."""
    full = _padded(context)
    if not plan.windows or architecture.window is None:
        return full, full
    return full, _padded(min(full, architecture.window + min(plan.batch, context)))


def _padded(cells: int) -> int:
    return -(-cells // CELLS) * CELLS


def elements_bytes(elements: int, kv_type: str) -> int:
    """Return the bytes of so many cached numbers; a block that is begun counts whole."""
    size, count = KV_BLOCKS[kv_type]
    return -(-elements // count) * size


def compute_bytes(
    architecture: Architecture, plan: MemoryPlan, context: int, *, all_outputs: bool
) -> int | None:
    """Return what the plan's engine sets aside to compute; None where that is not known."""
    if plan.compute is None:
        return None
    return plan.compute(architecture, plan, context, all_outputs)


def ggml_compute_bytes(
    architecture: Architecture, plan: MemoryPlan, context: int, all_outputs: bool
) -> int | None:
    """Return what an engine on ggml sets aside to compute a batch, and for its outputs; None where
    the model does not tell enough.

    Its graph is planned once, each intermediate result in the place of one no longer needed: the
    peak is that of one stage. Each stage's share by token was read off the log of real loads.
    """
    width, vocabulary = architecture.embedding_length, architecture.vocabulary
    if width is None or vocabulary is None:
        return None
    batch = min(plan.batch, context)
    row = 4 * width
    full, short = _cells(architecture, plan, context)
    masks = 2 * (full + (short if any(architecture.windowed) else 0))
    outputs = 4 * vocabulary
    stages = [
        5 * row,
        *_attention_stage(architecture, row),
        *_feed_forward_stage(architecture, row),
    ]
    if all_outputs:
        stages.append(outputs + 5 * row)
    return batch * (max(stages) + masks) + plan.parallel * outputs


def _attention_stage(architecture: Architecture, row: int) -> Iterator[int]:
    heads = 4 * (architecture.heads or 0)
    if architecture.kv_rank is not None:
        rank, rope = architecture.kv_rank, architecture.rope_length or 0
        key = architecture.expanded_key_length or 0
        yield heads * (2 * rank + 2 * rope + key) + 5 * row
        return
    key, value = architecture.key_length or 0, architecture.value_length or 0
    kv_heads = 4 * max(architecture.kv_heads, default=0)
    yield 2 * heads * key + kv_heads * (key + value) + 4 * row


def _feed_forward_stage(architecture: Architecture, row: int) -> Iterator[int]:
    yield 3 * 4 * (architecture.feed_forward or 0) + 5 * row
    if used := architecture.experts_used:
        hidden = 4 * (architecture.expert_feed_forward or architecture.feed_forward or 0)
        yield 3 * used * hidden + 5 * row
        yield used * (row + hidden) + 4 * row
