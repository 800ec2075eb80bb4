"""Rules of models in memory and of the engine processes that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psutil

from venom_core.sdk.provider import EngineStatus, LoadedModel
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.conformance.case import Case
from venom_core.testing.conformance.rule import require, rule
from venom_core.testing.conformance.subject import NotApplicable

_ENGINE_STATES = ("stopped", "starting", "running", "failed")


@rule(Capability.LOAD, Capability.PS)
async def loaded_models_are_listed(case: Case) -> None:
    """A model that was loaded is in ``ps``, with numbers that can be."""
    provider, ref = await case.provider(), _ref(case)
    await provider.load(ref)
    listed = await _ps(case)
    names = [provider.canonical(model.ref) for model in listed]
    require(provider.canonical(ref) in names, f"{ref!r} was loaded, and ps has {names}.")
    for model in listed:
        for name in ("size_bytes", "vram_bytes", "context_length"):
            number: Any = getattr(model, name)
            can_be = number is None or (isinstance(number, int) and 0 <= number < 1 << 50)
            require(can_be, f"{model.ref!r} in memory cannot have {name} {number!r}.")


@rule(Capability.UNLOAD, Capability.PS)
async def unloading_takes_a_model_out(case: Case) -> None:
    """A model that was unloaded is not in ``ps``; to unload it once more does nothing."""
    provider, ref = await case.provider(), _ref(case)
    if case.has(Capability.LOAD):
        await provider.load(ref)
    await provider.unload(ref)
    names = [provider.canonical(model.ref) for model in await _ps(case)]
    require(provider.canonical(ref) not in names, f"{ref!r} was unloaded, and ps still has it.")
    await provider.unload(ref)


@rule(Capability.ENGINES)
async def engines_are_what_runs(case: Case) -> None:
    """``engines`` tells of the processes that there are: one that runs has a process and its
    memory."""
    provider = await case.provider()
    if case.has(Capability.LOAD):
        await provider.load(_ref(case))
    found = await provider.engines()
    require(isinstance(found, Sequence), f"engines returns a {type(found).__name__}, no list.")
    for engine in found:
        require(isinstance(engine, EngineStatus), f"engines has a {type(engine).__name__} in it.")
        require(engine.state in _ENGINE_STATES, f"An engine cannot be {engine.state!r}.")
        if engine.state == "running":
            require(
                engine.pid is not None and psutil.pid_exists(engine.pid),
                f"The engine {engine.name} is running without a process.",
            )
            memory = engine.memory_bytes
            require(memory is None or memory > 1 << 16, f"An engine cannot take {memory} bytes.")


@rule(Capability.START_ENGINE, Capability.ENGINES)
async def an_engine_is_started_once(case: Case) -> None:
    """``start_engine`` returns when the provider answers; to start once more does nothing."""
    provider = await case.provider()
    await provider.start_engine()
    health = await provider.health()
    require(
        health.status in (ProviderStatus.READY, ProviderStatus.DEGRADED),
        f"Its engine was started, and its health is {health.status}.",
    )
    before = [engine.pid for engine in await provider.engines()]
    await provider.start_engine()
    after = [engine.pid for engine in await provider.engines()]
    require(before == after, "To start an engine that runs started another.")


async def _ps(case: Case) -> Sequence[LoadedModel]:
    found = await (await case.provider()).ps()
    for one in found:
        require(isinstance(one, LoadedModel), f"ps has a {type(one).__name__} in it.")
    return found


def _ref(case: Case) -> str:
    ask = case.subject.chat or case.subject.complete or case.subject.embed
    ref = case.subject.load or (ask.model if ask else None)
    if ref is None:
        raise NotApplicable("The trial has no model that can be loaded.")
    return ref
