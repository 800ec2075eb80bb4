"""Rules of listings: what a model says of itself, and how models are named."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from venom_core.sdk import law
from venom_core.sdk.declared import wrong_field
from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.messages import EmbedRequest, RerankRequest
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case, refusal, told
from venom_core.testing.conformance.rule import Broken, kept, require, rule
from venom_core.testing.network import no_network

_TEXTS = ("title", "summary", "digest", "quantization", "license", "terms_url", "runs_at")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
#: The largest that can be meant in bytes and in tokens.
_MOST_BYTES, _MOST_TOKENS = 1 << 50, 1 << 30


@kept(law.DECLARED_TYPES)
async def declared_types(case: Case) -> None:
    """Look at each field of each listed model."""
    found = await _listed(case)
    require(isinstance(found, Sequence), f"models returns a {type(found).__name__}, no list.")
    for model in found:
        require(isinstance(model, Model), f"models returns a {type(model).__name__}, no Model.")
        for fault in _faults(model):
            raise Broken(f"The model {str(model.ref)!r:.80} is wrong. {fault}")


@kept(law.PRINTABLE_TEXT)
async def printable_text(case: Case) -> None:
    """Look at the texts of each listed model."""
    for model in await _listed(case):
        for name in ("ref", *_TEXTS):
            text: object = getattr(model, name)
            shown = not isinstance(text, str) or text.isprintable()
            require(shown, f"A model has a {name} that cannot be shown: {text!r:.80}.")


@kept(law.UNIQUE_NAMES)
async def unique_names(case: Case) -> None:
    """Compare the canonical names of the listed models."""
    provider, seen = await case.provider(), set()
    for model in await _listed(case):
        with no_network(loopback=False) as guard:
            name = provider.canonical(model.ref)
            again = provider.canonical(name)
        require(not guard.tried, "canonical connects to somewhere.")
        require(again == name, f"canonical makes {name!r} of {model.ref!r}, and {again!r} of that.")
        require(name not in seen, f"The model {model.ref!r} is listed twice.")
        seen.add(name)


@rule()
async def listing_repeats(case: Case) -> None:
    """Two listings in a row have the same models."""
    first = {model.ref for model in await _listed(case)}
    second = {model.ref for model in await (await case.provider()).models()}
    changed = ", ".join(sorted(first ^ second))
    require(first == second, f"Nothing happened, and the listing changed: {changed}.")


@kept(law.POSSIBLE_NUMBERS)
async def possible_numbers(case: Case) -> None:
    """Compare the numbers of each listed model with its files."""
    for model in await _listed(case):
        size, context = model.size_bytes, model.context_length
        can_be = size is None or 0 < size < _MOST_BYTES
        require(can_be, f"The model {model.ref!r} cannot have {size} bytes.")
        can_be = context is None or 0 < context < _MOST_TOKENS
        require(can_be, f"The model {model.ref!r} cannot have a context of {context} tokens.")
        if size is not None and model.location is not None and model.installed:
            real = _bytes_of(model.location)
            require(
                abs(real - size) <= real * 0.1,
                f"The model {model.ref!r} says {size} bytes, its files have {real}.",
            )


@rule()
async def listings_show_no_path(case: Case) -> None:
    """Texts and details of a model name no path of this machine and no password."""
    for model in await _listed(case):
        shown = [model.title, model.summary, model.runs_at, model.license, model.digest]
        for text in (*filter(None, shown), *_texts(dict(model.details))):
            require(
                not _is_path(text), f"The model {model.ref!r} shows a path in its details or texts."
            )
        require(
            model.runs_at is None or not {"/", "@"} & set(model.runs_at),
            f"The model {model.ref!r} names more than a host as where it runs.",
        )


@rule(Capability.DESCRIBE)
async def describing_agrees_with_listing(case: Case) -> None:
    """``describe`` tells of the model that was asked for, and nothing that its listing denies."""
    provider = await case.provider()
    for listed in [model for model in await _listed(case) if model.installed][:8]:
        model = await provider.describe(listed.ref)
        require(isinstance(model, Model), f"describe returns a {type(model).__name__}.")
        require(
            provider.canonical(model.ref) == provider.canonical(listed.ref),
            f"describe of {listed.ref!r} tells of {model.ref!r}.",
        )
        for name in ("type", "size_bytes", "digest", "installed"):
            one, other = getattr(listed, name), getattr(model, name)
            require(
                None in (one, other) or one == other,
                f"{listed.ref!r} is listed with {name} {one!r} and described with {other!r}.",
            )
        for fault in _faults(model):
            raise Broken(f"The description of {model.ref!r} is wrong. {fault}")


@rule()
async def unknown_models_are_not_found(case: Case) -> None:
    """A reference of no model raises ``ModelNotFound``, whatever was asked of it, and before the
    first frame."""
    provider, name = await case.provider(), case.subject.unknown
    before = [model.ref for model in await _listed(case)]
    require(name not in before, f"The trial calls {name!r} unknown, and it is listed.")
    calls: dict[Capability, Callable[[], Awaitable[Any]]] = {
        Capability.DESCRIBE: lambda: provider.describe(name),
        Capability.REMOVE: lambda: provider.remove(name),
        Capability.LOAD: lambda: provider.load(name),
        Capability.EMBED: lambda: provider.embed(EmbedRequest(name, ("a",), "conformance")),
        Capability.RERANK: lambda: provider.rerank(RerankRequest(name, "a", ("b",), "conformance")),
        Capability.CARD: lambda: provider.card(name),
    }
    for verb in (Capability.CHAT, Capability.COMPLETE):
        if case.has(verb):
            for stream in (True, False):
                await _not_found(verb.value, lambda v=verb, s=stream: _first(case, v, s))  # type: ignore[misc]
    for verb, call in calls.items():
        if case.has(verb):
            await _not_found(verb.value, call)


async def _first(case: Case, verb: Capability, stream: bool) -> None:
    request = case.request(case.ask_of(verb), stream=stream)
    request = replace(request, model=case.subject.unknown)
    provider = await case.provider()
    async with contextlib.aclosing(getattr(provider, verb.value)(request)) as frames:
        async for _ in frames:
            raise Broken(f"{verb.value} yields a frame for a model that there is not.")


async def _not_found(what: str, call: Callable[[], Awaitable[object]]) -> None:
    error = await refusal(f"{what} of a model that there is not", call)
    require(
        isinstance(error, ModelNotFound),
        f"{what} of a model that there is not raises {type(error).__name__} ({told(error)}) and"
        " not ModelNotFound.",
    )


async def _listed(case: Case) -> Any:
    if "listed" not in case.known:
        case.known["listed"] = await (await case.provider()).models()
    return case.known["listed"]


def _faults(model: Model) -> Iterator[str]:
    """Yield what is wrong with a model's fields, each as a sentence."""
    if (wrong := wrong_field(model, Model)) is not None:
        yield wrong
        return
    if not model.ref.strip() or not model.type:
        yield "It has no reference, or no type."
    for name in ("size_bytes", "context_length"):
        value = getattr(model, name)
        if value is not None and type(value) is not int:
            yield f"It has a {name} that is no whole number."
    for code in model.languages or ():
        if not _LANGUAGE.fullmatch(code):
            yield f"It has a language {code!r:.20} that is no code."
    if model.location is not None and not model.location.is_absolute():
        yield "It has a location that is no absolute path."
    for name in ("defaults", "details"):
        try:
            json.dumps(dict(getattr(model, name)), allow_nan=False)
        except (TypeError, ValueError):
            yield f"It has {name} that are no JSON values."
    for name, bounds in model.parameter_bounds.items():
        if not bounds[0] <= bounds[1]:
            yield f"It has bounds of {name} that nothing is between."


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _is_path(text: str) -> bool:
    if "\n" in text or "://" in text:
        return False
    absolute = PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()
    return absolute and len(text) > 1


def _bytes_of(path: Path) -> int:
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    return path.stat().st_size
