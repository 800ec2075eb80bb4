"""Whether a model fits into memory, at which context: arithmetic over its numbers, nothing else.

``bench/fit.py`` compares these formulas with what real loads took; ``docs/fit.md`` says in words
what they count and what they cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from venom_core.sdk.architecture import KV_BLOCKS, MAX_CONTEXT, Architecture, MemoryPlan

Verdict = Literal["fits", "tight", "does_not_fit", "unknown"]

#: llama.cpp rounds the cells of a cache up to this many.
CELLS = 256
#: Where no load of an engine was compared, this share is added before anything is said to fit.
UNMEASURED_MARGIN = 0.25
#: For a model of which only the file's size is known: context, buffers and the engine itself.
#: A rule of thumb, used for proposals only.
WORKING_SHARE = 1.25
WORKING_BYTES = 400_000_000
#: Contexts above this are not searched where the model does not say what it was trained for.
SEARCHED_CONTEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class Need:
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
        return self.weights + self.kv_cache + (self.compute or 0) + (self.overhead or 0)

    @property
    def working(self) -> int:
        """What chats take of it for good."""
        return self.total - self.untouched - self.copies


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer; ``need`` and ``largest_context`` are None where they cannot be told.

    Args:
        largest_context: the most tokens at which it still fits; 0 where it never does.
        free_bytes: as seen at the time, with what the model itself holds already.
        unknown: names of the numbers that are missing.
        assumptions: sentences.
    """

    verdict: Verdict
    context_length: int | None
    largest_context: int | None
    need: Need | None
    free_bytes: int
    unknown: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


def check(
    architecture: Architecture, plan: MemoryPlan, free_bytes: int, context: int | None = None
) -> Fit:
    """Whether it fits at ``context`` tokens; without one, at what the engine would take."""
    asked = _context(architecture, plan, context)
    unknown = architecture.unknown
    if unknown or asked is None:
        missing = unknown or ("context_length",)
        return Fit("unknown", asked, None, None, free_bytes, missing)
    need = needed(architecture, plan, asked)
    return Fit(
        _verdict(need, plan, free_bytes),
        asked,
        largest_context(architecture, plan, free_bytes),
        need,
        free_bytes,
        (),
        tuple(_assumptions(architecture, plan, need, asked)),
    )


def _context(architecture: Architecture, plan: MemoryPlan, asked: int | None) -> int | None:
    """The context to count with: never more than the model was trained for."""
    trained = architecture.context_length
    context = asked or plan.context_length or trained
    return min(context, trained) if context and trained else context


class Weighed(Protocol):
    """A model, or the proposal of one."""

    @property
    def size_bytes(self) -> int | None: ...
    @property
    def architecture(self) -> Architecture | None: ...
    @property
    def memory_plan(self) -> MemoryPlan | None: ...


def fits_memory(model: Weighed, free_bytes: int) -> bool:
    """Whether a listed or proposed model can be expected to run: by its numbers where they are
    known, else by its size alone."""
    known, plan = model.architecture, model.memory_plan
    if known is not None and plan is not None and not known.unknown:
        context = _context(known, plan, None)
        if context is not None:
            return _verdict(needed(known, plan, context), plan, free_bytes) != "does_not_fit"
    return (model.size_bytes or 0) * WORKING_SHARE + WORKING_BYTES <= free_bytes


def needed(architecture: Architecture, plan: MemoryPlan, context: int) -> Need:
    """What a context takes. The architecture's ``unknown`` must be empty."""
    compute = compute_bytes(architecture, plan, context, all_outputs=plan.all_outputs)
    least = compute_bytes(architecture, plan, context, all_outputs=False)
    return Need(
        weights=(architecture.weights_bytes or 0) + plan.copies_bytes,
        kv_cache=cache_bytes(architecture, plan, context),
        compute=compute,
        overhead=plan.overhead_bytes,
        untouched=(compute or 0) - (least or 0),
        copies=plan.copies_bytes,
    )


def largest_context(architecture: Architecture, plan: MemoryPlan, free_bytes: int) -> int:
    """The most tokens at which it fits, never more than it was trained for; 0 where none does."""
    low, high = 0, architecture.context_length or SEARCHED_CONTEXT
    while low < high:
        middle = (low + high + 1) // 2
        if _verdict(needed(architecture, plan, middle), plan, free_bytes) == "fits":
            low = middle
        else:
            high = middle - 1
    return low


def cache_bytes(architecture: Architecture, plan: MemoryPlan, context: int) -> int:
    """Keys and values of every layer, of all requests at a time."""
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
    """Bytes of so many cached numbers; a block that is begun counts whole."""
    size, count = KV_BLOCKS[kv_type]
    return -(-elements // count) * size


def compute_bytes(
    architecture: Architecture, plan: MemoryPlan, context: int, *, all_outputs: bool
) -> int | None:
    """What llama.cpp sets aside to compute one batch, and for its outputs; None where unknown.

    Its graph is planned once, each intermediate result in the place of one no longer needed: the
    peak is that of one stage. Each stage's share by token was read off the log of real loads.
    """
    width, vocabulary = architecture.embedding_length, architecture.vocabulary
    if plan.graph is None or width is None or vocabulary is None:
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


def _verdict(need: Need, plan: MemoryPlan, free_bytes: int) -> Verdict:
    margin = plan.measured.worst if plan.measured else UNMEASURED_MARGIN
    if need.working > free_bytes:
        return "does_not_fit"
    return "fits" if need.total * (1 + margin) <= free_bytes else "tight"


def valid_context(context: int, architecture: Architecture | None) -> bool:
    """Whether a context can be asked for: positive, and no more than the model was trained for."""
    trained = architecture.context_length if architecture is not None else None
    return 1 <= context <= (trained or MAX_CONTEXT)


def _assumptions(
    architecture: Architecture, plan: MemoryPlan, need: Need, context: int
) -> Iterator[str]:
    yield (
        f"Counted for {plan.engine}: {plan.parallel} x {context} tokens at a time, in a cache of "
        f"{plan.kv_type}."
    )
    windowed = sum(architecture.windowed)
    if windowed and plan.windows:
        yield (
            f"{windowed} of its {architecture.layers} layers look back {architecture.window} "
            "tokens and keep no more."
        )
    elif architecture.window:
        yield f"Its window of {architecture.window} tokens saves nothing in {plan.engine}."
    if architecture.experts:
        yield f"All of its {architecture.experts} experts stay in memory, whichever are used."
    if architecture.kv_rank is not None and plan.compresses:
        yield "Its cache keeps one compressed row for all heads."
    if architecture.keeps_state:
        yield "Some of its layers keep a state beside the cache, which is not counted."
    if need.copies:
        yield f"While it loads, {size(need.copies)} of its weights are in memory twice."
    if need.untouched:
        yield f"Chats leave {size(need.untouched)} of it untouched; embedding a long text uses it."
    if need.compute is None:
        yield f"The buffers in which {plan.engine} computes are not known and not counted."
    if need.overhead is None:
        yield f"What {plan.engine} takes for itself is not known and not counted."
    yield "Only the main memory is looked at, not that of a graphics card."
    if plan.measured is None:
        yield (
            f"No load of {plan.engine} was compared with this estimate: a quarter is added before "
            "it is said to fit."
        )
    yield from plan.notes


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
