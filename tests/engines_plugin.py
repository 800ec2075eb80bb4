"""A plugin whose engines are played: what it says of them is what a test put here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from venom_core.sdk.frames import Frame
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import EngineMetrics, EngineStatus, LoadedModel, Model, Provider
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus
from venom_core.testing.staging import entry


@dataclass(slots=True)
class Played:
    """``metrics`` that are an exception are raised, and None hangs.

    With ``lives`` an engine is there while its model is loaded; ``refuses`` is raised by the next
    loads. ``pid`` is the process that such an engine is said to be.
    """

    engines: Sequence[EngineStatus] = ()
    metrics: Sequence[EngineMetrics] | BaseException | None = ()
    opened: int = 0
    calls: list[str] = field(default_factory=list)
    lives: bool = False
    refuses: BaseException | None = None
    pid: int | None = None
    models: Sequence[str] = ("org/m",)


PLAYED = Played()
ENTRY = entry("tests.engines_plugin", "played")


def reset() -> Played:
    """Forget what a test put here."""
    PLAYED.engines, PLAYED.metrics, PLAYED.opened = (), (), 0
    PLAYED.lives, PLAYED.refuses, PLAYED.pid, PLAYED.models = False, None, None, ("org/m",)
    PLAYED.calls.clear()
    return PLAYED


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="played",
            title="Played",
            summary="Plays engines in tests.",
            factory="tests.engines_plugin:PlayedProvider",
            capabilities=frozenset(
                {
                    Capability.CHAT, Capability.LOAD, Capability.UNLOAD, Capability.PS,
                    Capability.DESCRIBE, Capability.ENGINES,
                }
            ),
        )
    ]  # fmt: skip


class PlayedProvider(Provider):
    """Tells :data:`PLAYED`; a chat never begins."""

    async def open(self) -> None:
        PLAYED.opened += 1

    async def health(self) -> Health:
        return Health(ProviderStatus.READY)

    async def models(self) -> Sequence[Model]:
        return [Model(ref, "folder") for ref in PLAYED.models]

    async def describe(self, ref: str) -> Model:
        return Model(ref, "folder")

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        await asyncio.sleep(1e9)
        yield Frame.of(None)  # type: ignore[arg-type]

    async def load(self, ref: str) -> None:
        PLAYED.calls.append(f"load {ref}")
        if PLAYED.refuses is not None:
            raise PLAYED.refuses
        if PLAYED.lives:
            engine = EngineStatus(
                f"acme ({ref})", "running", ref, PLAYED.pid, 8123,
                log_tail=("starting", "ready in /srv/models", ""),
            )  # fmt: skip
            PLAYED.engines = [*(one for one in PLAYED.engines if one.model != ref), engine]

    async def unload(self, ref: str) -> None:
        PLAYED.calls.append(f"unload {ref}")
        if PLAYED.lives:
            PLAYED.engines = [one for one in PLAYED.engines if one.model != ref]

    async def ps(self) -> Sequence[LoadedModel]:
        return []

    async def engines(self) -> Sequence[EngineStatus]:
        return PLAYED.engines

    async def metrics(self) -> Sequence[EngineMetrics]:
        if isinstance(PLAYED.metrics, BaseException):
            raise PLAYED.metrics
        if PLAYED.metrics is None:
            await asyncio.sleep(1e9)
        return PLAYED.metrics or ()
