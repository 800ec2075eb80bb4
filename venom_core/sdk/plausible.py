"""Answers of providers with their numbers checked: the one place that says which are possible.

The guarded provider passes everything through here that a plugin gives it, so no caller meets a
negative size or a context of thirty digits. What a plugin made is never changed in place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar, cast

from venom_core.sdk.architecture import MAX_BYTES, MAX_CONTEXT, MemoryPlan
from venom_core.sdk.bounded_json import MOST_ROWS
from venom_core.sdk.catalogue import CatalogueEntry, RepositoryCard, RepositoryFile, SearchPage
from venom_core.sdk.frames import Frame, FrameKind, Usage
from venom_core.sdk.memory_estimate import MemoryNeed
from venom_core.sdk.messages import Embeddings, Reranked
from venom_core.sdk.numbers import (
    MOST_EXACT,
    MOST_SECONDS,
    plain,
    real,
    say,
    tokens,
    vector,
    whole,
)
from venom_core.sdk.parameter_bounds import possible_parameters
from venom_core.sdk.provider import (
    BuildProgress,
    EngineStatus,
    LoadedModel,
    Model,
    PullPlan,
    PullProgress,
)

T = TypeVar("T")
Check = Callable[[object, str], Any]


def _whole(most: int, least: int = 0) -> Check:
    return lambda value, name: whole(value, name, most, least)


_BYTES, _CONTEXT = _whole(MAX_BYTES), _whole(MAX_CONTEXT, 1)
_COUNT, _POSITIVE = _whole(MOST_EXACT), _whole(1 << 31, 1)


def _seconds(value: object, name: str) -> float | None:
    return real(value, name, 0, MOST_SECONDS)


#: The numbers of each kind of answer. One that cannot be takes the field's default.
NUMBERS: Mapping[type, Mapping[str, Check]] = {
    Model: {"size_bytes": _BYTES, "context_length": _CONTEXT},
    LoadedModel: {"size_bytes": _BYTES, "vram_bytes": _BYTES, "context_length": _CONTEXT},
    PullProgress: {"bytes_done": _BYTES, "bytes_total": _BYTES},
    BuildProgress: {"percent": _whole(100)},
    PullPlan: {"bytes_total": _BYTES, "bytes_here": _BYTES, "bytes_needed": _BYTES},
    EngineStatus: {
        "pid": _POSITIVE, "port": _whole(65_535, 1), "memory_bytes": _BYTES,
        "ready_seconds": _seconds, "restarts": _COUNT,
    },
    CatalogueEntry: {"size_bytes": _BYTES, "downloads": _COUNT, "likes": _COUNT},
    SearchPage: {"total": _COUNT},
    RepositoryFile: {"size_bytes": _BYTES},
    RepositoryCard: {"download_bytes": _BYTES},
    MemoryPlan: {
        "context_length": _CONTEXT, "parallel": _POSITIVE, "batch": _POSITIVE,
        "copies_bytes": _BYTES, "overhead_bytes": _BYTES,
    },
    MemoryNeed: {
        "weights": _BYTES, "kv_cache": _BYTES, "compute": _BYTES, "overhead": _BYTES,
        "untouched": _BYTES, "copies": _BYTES,
    },
}  # fmt: skip


def plausible(answer: T, whose: str) -> T:
    """Return an answer without the numbers that cannot be; itself where it has none. Of a tuple
    what is nothing without them is left out.

    Args:
        whose: the provider's name, for the log.

    Raises ``ValueError`` where nothing is left without them: a part of an estimate.
    """
    if isinstance(answer, tuple):
        if len(answer) > MOST_ROWS:
            say(f"{whose}.listing", len(answer))
        return cast(T, tuple(one for item in answer[:MOST_ROWS] for one in _kept(item, whose)))
    checks = NUMBERS.get(type(answer))
    item: Any = answer if checks is None else _checked(answer, checks, whose)
    if isinstance(item, Model):
        item = _model(item, whose)
    elif isinstance(item, PullProgress):
        item = _progress(item)
    elif isinstance(item, SearchPage):
        item = replace(item, entries=plausible(tuple(item.entries), whose))
    elif isinstance(item, RepositoryCard):
        files = plausible(item.files, whose)
        item = replace(item, entry=plausible(item.entry, whose), files=files)
    return cast(T, item)


def _kept(item: T, whose: str) -> tuple[T, ...]:
    try:
        return (plausible(item, whose),)
    except ValueError:
        return ()


def _checked(item: T, checks: Mapping[str, Check], whose: str) -> T:
    kind, changes = type(item), {}
    for part in fields(item):  # type: ignore[arg-type]
        value, check = getattr(item, part.name), checks.get(part.name)
        optional = "None" in str(part.type)
        if check is None or (value is None and optional):
            continue
        if value is not None and check(value, f"{whose}.{kind.__name__}.{part.name}") is value:
            continue
        if part.default is MISSING and not optional:
            raise ValueError(f"{part.name} cannot be")
        changes[part.name] = None if part.default is MISSING else part.default
    return replace(item, **changes) if changes else item  # type: ignore[type-var]


def _model(item: Model, whose: str) -> Model:
    where = f"{whose}.Model"
    defaults = possible_parameters(item.defaults, f"{where}.defaults")
    details = plain(item.details, f"{where}.details")
    bounds = {
        name: pair
        for name, pair in item.parameter_bounds.items()
        if None not in (real(n, f"{where}.parameter_bounds", -1e9, 1e9) for n in pair)
    }
    plan = None if item.memory_plan is None else plausible(item.memory_plan, whose)
    changes: dict[str, Any] = {
        name: new
        for name, old, new in (
            ("defaults", item.defaults, defaults), ("details", item.details, details),
            ("parameter_bounds", item.parameter_bounds, bounds),
            ("memory_plan", item.memory_plan, plan),
        )
        if new != old
    }  # fmt: skip
    return replace(item, **changes) if changes else item


def _progress(item: PullProgress) -> PullProgress:
    """Return a step; a total that is less than what has come is none."""
    if item.bytes_total is None or item.bytes_done <= item.bytes_total:
        return item
    return replace(item, bytes_total=None)


async def plausible_embeddings(answer: Embeddings, count: int, whose: str) -> Embeddings:
    """Return an answer with ``count`` vectors of finite numbers. Raises ``ValueError`` where it has
    others: a vector without some of its numbers is none."""
    if len(answer.vectors) != count:
        raise ValueError(f"{len(answer.vectors)} vectors for {count} texts")
    vectors = []
    for one in answer.vectors:
        good = vector(one, f"{whose}.vector")
        if good is None:
            raise ValueError("a vector cannot be")
        vectors.append(good)
        await asyncio.sleep(0)  # there may be millions of numbers
    prompt = tokens(answer.prompt_tokens, f"{whose}.Embeddings.prompt_tokens")
    return Embeddings(tuple(vectors), prompt or 0)


def plausible_scores(answer: Reranked, count: int, whose: str) -> Reranked:
    """Return an answer with ``count`` finite scores. Raises ``ValueError`` where it has others."""
    scores = vector(answer.scores, f"{whose}.score")
    if scores is None or len(scores) != count:
        raise ValueError(f"no {count} scores")
    prompt = tokens(answer.prompt_tokens, f"{whose}.Reranked.prompt_tokens")
    return Reranked(scores, prompt or 0)


def plausible_frame(frame: Frame, whose: str) -> Frame | None:
    """Return a frame whose token counts can be; None where it had nothing else to say.

    Raises ``ValueError`` for one that cannot be read.
    """
    if FrameKind.USAGE not in frame.kind:
        return frame
    event = frame.event
    usage = None if event.usage is None else _usage(event.usage, whose)
    told = frame.told_usage()
    counts = None if told is None or usage is None else _counts(told, f"{whose}.usage")
    if usage is not None and usage == event.usage and counts == told:
        return frame
    if usage is None and frame.kind is FrameKind.USAGE:
        return None
    return frame.with_usage(usage, counts)


def _usage(usage: Usage, whose: str) -> Usage | None:
    """Return token counts that can be; None where prompt or answer has none."""
    prompt = tokens(usage.prompt_tokens, f"{whose}.usage.prompt_tokens")
    completion = tokens(usage.completion_tokens, f"{whose}.usage.completion_tokens")
    cached = tokens(usage.cached_tokens, f"{whose}.usage.cached_tokens")
    if prompt is None or completion is None:
        return None
    return Usage(prompt, completion, cached)


def _counts(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a usage object of the wire without what cannot be; an amount of money may be part."""
    kept: dict[str, Any] = {}
    for key, value in told.items():
        if isinstance(value, Mapping):
            kept[key] = _counts(value, f"{name}.{key}")
        elif value is None or isinstance(value, str):
            kept[key] = value
        elif isinstance(value, float):
            good = real(value, f"{name}.{key}", 0, MOST_SECONDS)
            kept |= {} if good is None else {key: good}
        elif (count := tokens(value, f"{name}.{key}")) is not None:
            kept[key] = count
    if "prompt_tokens" in kept and "total_tokens" in told and "total_tokens" not in kept:
        kept["total_tokens"] = kept["prompt_tokens"] + kept.get("completion_tokens", 0)
    return kept
