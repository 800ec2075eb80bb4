"""Whether a model fits into memory, and at which context: what it is expected to take against what
is free. ``docs/fit.md`` says in words what is counted and what cannot be known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from venom_core.sdk.architecture import MAX_CONTEXT, Architecture, MemoryPlan
from venom_core.sdk.memory_estimate import MemoryNeed, needed

Verdict = Literal["fits", "tight", "does_not_fit", "unknown"]

#: Where no load of an engine was compared, this share is added before anything is said to fit.
UNMEASURED_MARGIN = 0.25
#: For a model of which only the file's size is known: context, buffers and the engine itself.
#: A rule of thumb, used for proposals only.
WORKING_SHARE = 1.25
WORKING_BYTES = 400_000_000
#: Contexts above this are not searched where the model does not say what it was trained for.
SEARCHED_CONTEXT = 1 << 20


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
    need: MemoryNeed | None
    free_bytes: int
    unknown: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


def check_need(need: MemoryNeed, free_bytes: int, context: int | None) -> Fit:
    """Whether a need that a provider estimated itself fits; at other contexts nothing is known."""
    verdict = _verdict(need, UNMEASURED_MARGIN, free_bytes)
    return Fit(verdict, context, None, need, free_bytes)


def check(
    architecture: Architecture, plan: MemoryPlan, free_bytes: int, context: int | None = None
) -> Fit:
    """Check whether it fits at ``context`` tokens; without one, at what the engine would take."""
    asked = _context(architecture, plan, context)
    unknown = architecture.unknown
    if unknown or asked is None:
        missing = unknown or ("context_length",)
        return Fit("unknown", asked, None, None, free_bytes, missing)
    need = needed(architecture, plan, asked)
    return Fit(
        _verdict(need, _margin(plan), free_bytes),
        asked,
        largest_context(architecture, plan, free_bytes),
        need,
        free_bytes,
        (),
        tuple(_assumptions(architecture, plan, need, asked)),
    )


def _context(architecture: Architecture, plan: MemoryPlan, asked: int | None) -> int | None:
    """Return the context to count with: never more than the model was trained for."""
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
    """Return whether a listed or proposed model can be expected to run: by its numbers where they
    are known, else by its size alone."""
    known, plan = model.architecture, model.memory_plan
    if known is not None and plan is not None and not known.unknown:
        context = _context(known, plan, None)
        if context is not None:
            return (
                _verdict(needed(known, plan, context), _margin(plan), free_bytes) != "does_not_fit"
            )
    return (model.size_bytes or 0) * WORKING_SHARE + WORKING_BYTES <= free_bytes


def largest_context(architecture: Architecture, plan: MemoryPlan, free_bytes: int) -> int:
    """Return the most tokens at which it fits, never more than it was trained for; 0 where none
    does."""
    low, high = 0, architecture.context_length or SEARCHED_CONTEXT
    while low < high:
        middle = (low + high + 1) // 2
        if _verdict(needed(architecture, plan, middle), _margin(plan), free_bytes) == "fits":
            low = middle
        else:
            high = middle - 1
    return low


def _margin(plan: MemoryPlan) -> float:
    return plan.measured.worst if plan.measured else UNMEASURED_MARGIN


def _verdict(need: MemoryNeed, margin: float, free_bytes: int) -> Verdict:
    if need.working > free_bytes:
        return "does_not_fit"
    return "fits" if need.total * (1 + margin) <= free_bytes else "tight"


def valid_context(context: int, architecture: Architecture | None) -> bool:
    """Return whether a context can be asked for: positive, and no more than the model was trained
    for."""
    trained = architecture.context_length if architecture is not None else None
    return 1 <= context <= (trained or MAX_CONTEXT)


def _assumptions(
    architecture: Architecture, plan: MemoryPlan, need: MemoryNeed, context: int
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
    """Return bytes for people."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
