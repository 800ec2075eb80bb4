"""Engines: the processes that providers started, and what these tell of themselves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeVar

from typing_extensions import TypedDict

from venom_core.models.asked_providers import AskedProviders
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import VenomError
from venom_core.sdk.provider import EngineMetrics, EngineStatus, Provider
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import ProviderStatus

T = TypeVar("T")
log = logging.getLogger(__name__)


class EngineRecord(TypedDict):
    """An engine that a provider started, or tried to; what is not known is null.

    ``progress`` says in a few words how far one that starts is. ``started_at`` is ISO 8601 in UTC,
    ``memory_bytes`` what its processes hold resident, ``ready_seconds`` how long its start took.
    """

    name: str
    provider: str
    model: str | None
    reference: str | None
    state: Literal["stopped", "starting", "running", "failed"]
    progress: str | None
    pid: int | None
    port: int | None
    memory_bytes: int | None
    started_at: str | None
    ready_seconds: float | None
    restarts: int


class EngineListing(TypedDict):
    """``providers`` are those that start an engine for each model, running or not; ``servers``
    those with one engine for all of theirs, which is a service of the provider's name."""

    success: bool
    count: int
    engines: list[EngineRecord]
    providers: list[str]
    servers: list[str]


class EngineUseCases:
    """Use cases of engines; starting and stopping one is loading and unloading its model."""

    def __init__(self, host: ProviderAccess, providers: AskedProviders) -> None:
        self._host = host
        self._providers = providers

    async def listing(self) -> EngineListing:
        """Return every engine; a provider that cannot be asked has none."""
        asked, specs = await self._providers.names(), self._host.specs()
        names = [name for name in asked if self._has_engines(name)]
        told = await self._told(names, lambda provider: provider.engines())
        records = [engine_record(name, one) for name, engines in told.items() for one in engines]
        return {
            "success": True,
            "count": len(records),
            "engines": records,
            "providers": [name for name in names if specs[name].has_engines_of_models],
            "servers": [name for name in names if specs[name].has_one_engine],
        }

    async def metrics(self) -> dict[str, list[EngineMetrics]]:
        """Return what running engines tell Prometheus, by provider. None is opened for it: what is
        not in use has no engines."""
        in_use = (ProviderStatus.READY, ProviderStatus.DEGRADED)
        names = [
            provider.name
            for record in self._host.records()
            for provider in record.providers
            if provider.status in in_use and self._has_engines(provider.name)
        ]
        told = await self._told(names, lambda provider: provider.metrics())
        return {name: list(metrics) for name, metrics in told.items() if metrics}

    def _has_engines(self, provider: str) -> bool:
        spec = self._host.specs().get(provider)
        return spec is not None and Capability.ENGINES in spec.capabilities

    async def _told(
        self, names: list[str], ask: Callable[[Provider], Awaitable[T]]
    ) -> Mapping[str, T]:
        async def told(name: str) -> tuple[str, T] | None:
            try:
                return name, await ask(await self._host.provider(name))
            except VenomError as error:
                log.info("%s does not tell of its engines: %s", name, error)
                return None

        return dict(one for one in await asyncio.gather(*map(told, names)) if one is not None)


def engine_record(provider: str, engine: EngineStatus) -> EngineRecord:
    """Return JSON values."""
    return {
        "name": engine.name,
        "provider": provider,
        "model": engine.model,
        "reference": None if engine.model is None else f"{provider}://{engine.model}",
        "state": engine.state,
        "progress": engine.progress,
        "pid": engine.pid,
        "port": engine.port,
        "memory_bytes": engine.memory_bytes,
        "started_at": engine.started_at,
        "ready_seconds": engine.ready_seconds,
        "restarts": engine.restarts,
    }
