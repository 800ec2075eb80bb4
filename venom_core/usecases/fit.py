"""The fit check of one model on this machine: its numbers, the memory free now, and the answer."""

from __future__ import annotations

import asyncio
import logging

from typing_extensions import TypedDict

from venom_core.models.fit import Fit, Verdict, check, check_need, size, valid_context
from venom_core.models.registry import ListedModel
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.architecture import Architecture, MemoryPlan
from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.machine import this_machine
from venom_core.sdk.memory_estimate import MemoryNeed
from venom_core.sdk.spec import Capability
from venom_core.usecases.models import ModelUseCases

log = logging.getLogger(__name__)

#: For a model of a source: which engine will serve it is not known, so weights and cache is all.
ANY_ENGINE = MemoryPlan("any engine")


class InvalidContext(InvalidRequest):
    """A context that this model cannot have."""

    status = 422
    default_code = "invalid_context"


class FitParts(TypedDict):
    """Bytes by what takes them; null where a part is not known and so not counted."""

    weights: int
    kv_cache: int
    compute: int | None
    overhead: int | None


class FitAssumption(TypedDict):
    message: str


class FitEngine(TypedDict):
    """The engine that the estimate is for, as it would be started."""

    name: str
    parallel: int
    batch: int
    kv_type: str


class FitError(TypedDict):
    """The shares by which estimates for this engine were off, over so many real loads."""

    median: float
    worst: float
    loads: int
    message: str


class FitNumbers(TypedDict):
    """The verdict and what it is made of; null where the model's numbers are not known."""

    verdict: Verdict
    message: str
    context_length: int | None
    trained_context_length: int | None
    largest_context_length: int | None
    needed_bytes: int | None
    working_bytes: int | None
    parts: FitParts | None
    unknown: list[str]
    assumptions: list[FitAssumption]
    engine: FitEngine | None
    estimate_error: FitError | None


class FitView(FitNumbers):
    """A model against this machine's memory; ``free_bytes`` counts what the model itself takes now,
    ``loaded_bytes``, as free."""

    success: bool
    model_name: str
    reference: str
    provider: str
    installed: bool
    free_bytes: int
    memory_total_bytes: int
    loaded_bytes: int | None


class FitUseCases:
    """Says whether a model fits into this machine's memory."""

    def __init__(self, host: ProviderAccess, models: ModelUseCases) -> None:
        self._host = host
        self._models = models

    async def check(self, name: str, context: int | None = None) -> FitView:
        """Return the verdict for a model by name, fetched already or not.

        Args:
            context: tokens of one request; None for what the engine would take.

        Raises ``InvalidContext``, and as ``ModelUseCases.describe``.
        """
        return await fit_view(self._host, await self._models.describe(name), context)


async def fit_view(host: ProviderAccess, item: ListedModel, context: int | None) -> FitView:
    """Return JSON values for a described model.

    Args:
        context: tokens of one request; None for what the engine would take.

    Raises ``InvalidContext`` where the model was trained for fewer.
    """
    model = item.model
    if context is not None and not valid_context(context, model.architecture):
        trained = model.architecture.context_length if model.architecture else None
        raise InvalidContext(
            f"{model.ref} was trained for {trained} tokens; {context} cannot be asked for.",
            param="context",
            fix=f"Ask for 1 to {trained} tokens, or leave the context out.",
        )
    machine = await asyncio.to_thread(this_machine)
    held = await _held(host, item)
    free = machine.memory_available_bytes + held
    asked = model.runs_at is None and model.architecture is None
    need = await _estimated(host, item, context) if asked else None
    if model.runs_at is not None:
        numbers = _elsewhere(item, model.runs_at)
    elif need is not None:
        told = check_need(need, free, context or model.context_length)
        numbers = _with_need(item, need, told)
    elif model.architecture is None:
        numbers = _without_numbers(item, free)
    else:
        plan = model.memory_plan or ANY_ENGINE
        found = check(model.architecture, plan, free, context)
        numbers = _with_numbers(item, model.architecture, plan, found)
    return {
        "success": True,
        "model_name": model.ref,
        "reference": item.reference,
        "provider": item.provider,
        "installed": model.installed,
        "free_bytes": free,
        "memory_total_bytes": machine.memory_total_bytes,
        "loaded_bytes": held or None,
        **numbers,
    }


async def _estimated(
    host: ProviderAccess, item: ListedModel, context: int | None
) -> MemoryNeed | None:
    """Return what the provider itself expects the model to take; None where it does not tell."""
    try:
        provider = await host.provider(item.provider)
        return await provider.estimate(item.model.ref, context)
    except VenomError as error:
        log.info("%s does not estimate %s: %s", item.provider, item.model.ref, error)
        return None


async def _held(host: ProviderAccess, item: ListedModel) -> int:
    """Return what the model takes now, where it is loaded: loading it anew would begin by giving
    that back. 0 where it is not loaded, or on another machine, or its provider does not tell."""
    if item.model.runs_at is not None:
        return 0
    if not item.model.installed or Capability.PS not in host.specs()[item.provider].capabilities:
        return 0
    try:
        loaded = await (await host.provider(item.provider)).ps()
    except VenomError as error:
        log.info("%s does not say what it has loaded: %s", item.provider, error)
        return 0
    return sum(one.size_bytes or 0 for one in loaded if one.ref == item.model.ref)


def _without_numbers(item: ListedModel, free: int) -> FitNumbers:
    """Return what can be said without numbers: a file larger than the memory does not fit."""
    weights = item.model.size_bytes
    too_large = weights is not None and weights > free
    message = (
        f"{item.model.ref} does not fit: its weights alone are {size(weights or 0)}, and "
        f"{size(free)} are free."
        if too_large
        else f"Whether {item.model.ref} fits is not known: its provider does not tell its numbers."
    )
    return _unknown(item, "does_not_fit" if too_large else "unknown", message, "architecture")


def _elsewhere(item: ListedModel, host: str) -> FitNumbers:
    message = f"{item.model.ref} runs on {host} and takes no memory of this machine."
    return _unknown(item, "unknown", message, "memory")


def _unknown(item: ListedModel, verdict: Verdict, message: str, missing: str) -> FitNumbers:
    return {
        "verdict": verdict,
        "message": message,
        "context_length": None,
        "trained_context_length": item.model.context_length,
        "largest_context_length": None,
        "needed_bytes": None,
        "working_bytes": None,
        "parts": None,
        "unknown": [missing],
        "assumptions": [],
        "engine": None,
        "estimate_error": None,
    }


def _with_numbers(
    item: ListedModel, architecture: Architecture, plan: MemoryPlan, found: Fit
) -> FitNumbers:
    need, measured = found.need, plan.measured
    return {
        "verdict": found.verdict,
        "message": _message(item.model.ref, found),
        "context_length": found.context_length,
        "trained_context_length": architecture.context_length,
        "largest_context_length": found.largest_context,
        "needed_bytes": need.total if need else None,
        "working_bytes": need.working if need else None,
        "parts": _parts(need),
        "unknown": list(found.unknown),
        "assumptions": [{"message": line} for line in found.assumptions],
        "engine": {
            "name": plan.engine,
            "parallel": plan.parallel,
            "batch": plan.batch,
            "kv_type": plan.kv_type,
        },
        "estimate_error": None
        if measured is None
        else {
            "median": measured.median,
            "worst": measured.worst,
            "loads": measured.loads,
            "message": measured.against,
        },
    }


def _with_need(item: ListedModel, need: MemoryNeed, found: Fit) -> FitNumbers:
    """The answer for a need that the provider told as a whole."""
    return {
        "verdict": found.verdict,
        "message": _estimate_message(item.model.ref, need, found),
        "context_length": found.context_length,
        "trained_context_length": item.model.context_length,
        "largest_context_length": None,
        "needed_bytes": need.total,
        "working_bytes": need.working,
        "parts": _parts(need),
        "unknown": [],
        "assumptions": [{"message": "The provider estimated this itself; a quarter is added."}],
        "engine": None,
        "estimate_error": None,
    }


def _parts(need: MemoryNeed | None) -> FitParts | None:
    if need is None:
        return None
    return {
        "weights": need.weights,
        "kv_cache": need.kv_cache,
        "compute": need.compute,
        "overhead": need.overhead,
    }


def _estimate_message(ref: str, need: MemoryNeed, found: Fit) -> str:
    wanted, free = size(need.total), size(found.free_bytes)
    if found.verdict == "fits":
        return f"{ref} fits: its provider expects {wanted}, and {free} are free."
    if found.verdict == "tight":
        return f"{ref} is tight: its provider expects {wanted}, and {free} are free."
    return f"{ref} does not fit: its provider expects {wanted}, and {free} are free."


def _message(ref: str, found: Fit) -> str:
    need, free = found.need, size(found.free_bytes)
    if need is None:
        return f"Whether {ref} fits is not known: nothing tells its {', '.join(found.unknown)}."
    context, most = found.context_length, found.largest_context
    if found.verdict == "fits":
        return (
            f"{ref} fits: it needs {size(need.total)} of the {free} that are free, at a context of "
            f"{context} tokens."
        )
    if found.verdict == "tight":
        said = (
            f"{ref} is tight at a context of {context} tokens: it needs {size(need.working)} to "
            f"{size(need.total)}, and {free} are free."
        )
    else:
        said = (
            f"{ref} does not fit at a context of {context} tokens: it needs "
            f"{size(need.working)} at least, and {free} are free."
        )
    rest = f"With {most} tokens it fits." if most else "No context fits."
    return f"{said} {rest}"
