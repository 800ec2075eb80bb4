"""Providers, their host and a store, for tests of what is in use."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.unit.guards import guarded
from venom_core.models.manager import ModelManager
from venom_core.models.memory import ModelMemory
from venom_core.models.registry import ModelRegistry
from venom_core.plugins.guarded import GuardedProvider, Waits
from venom_core.sdk.errors import LlmOff, NotFound
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import LoadedModel, Model
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.store.database import open_database
from venom_core.store.in_use import InUseRepository

EVERYTHING = frozenset(Capability)


@dataclass
class StagedProvider:
    """``faults`` by method name are raised; what it was asked is in ``asked``."""

    stock: Sequence[Model] = ()
    capabilities: frozenset[Capability] = EVERYTHING
    parameters: frozenset[str] = frozenset({"temperature", "max_tokens"})
    health: Health = field(default_factory=lambda: Health(ProviderStatus.READY))
    faults: dict[str, BaseException] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    memory: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def _do(self, what: str, ref: str = "") -> None:
        self.asked.append(f"{what} {ref}".strip())
        if what in self.hangs:
            await asyncio.sleep(1e6)
        if what in self.faults:
            raise self.faults[what]

    async def models(self) -> Sequence[Model]:
        await self._do("models")
        return self.stock

    async def load(self, ref: str) -> None:
        await self._do("load", ref)
        self.memory.append(ref)

    async def unload(self, ref: str) -> None:
        await self._do("unload", ref)
        self.memory.remove(ref)

    async def ps(self) -> Sequence[LoadedModel]:
        await self._do("ps")
        return [LoadedModel(ref, 1000) for ref in self.memory]


class Stage:
    """A manager over staged providers; ``again()`` is the next process over the same store."""

    def __init__(self, home: Path, disk_limit_bytes: int = 10**12, **providers: StagedProvider):
        self.home = home
        self.providers = providers
        self.disk_limit_bytes = disk_limit_bytes
        self.allowed = True
        self.events: list[ObservedEvent] = []
        self.file = home / "venom.db"
        self.registry = ModelRegistry(
            self, self._names, lambda: list(providers), lambda: 60.0,  # type: ignore[arg-type]
            names=lambda: self.manager.names(),
        )  # fmt: skip
        memory = ModelMemory(self, self.registry, self._check_allowed)  # type: ignore[arg-type]
        self.manager = ModelManager(
            self, self.registry, memory, self.repository, self.file.exists, disk_limit_bytes,
            self.events.append,
        )  # fmt: skip

    def again(self) -> ModelManager:
        return Stage(self.home, self.disk_limit_bytes, **self.providers).manager

    def repository(self) -> InUseRepository:
        return InUseRepository(open_database(self.file))

    async def _names(self) -> Sequence[str]:
        return list(self.providers)

    def _check_allowed(self) -> None:
        if not self.allowed:
            raise LlmOff("No model runs here.")

    async def provider(self, name: str) -> GuardedProvider:
        if name not in self.providers:
            raise NotFound("There is none.", code="provider_not_found")
        return guarded(self.providers[name], name, Waits(answer=0.2))

    async def health(self, name: str) -> Health:
        if name not in self.providers:
            raise NotFound("There is no such provider.")
        return self.providers[name].health

    def resolve_name(self, name: str) -> str | None:
        return name if name in self.providers else None

    def specs(self) -> Mapping[str, ProviderSpec]:
        return {
            name: ProviderSpec(name, name, "", "", one.capabilities, one.parameters)
            for name, one in self.providers.items()
        }


def down(code: str = "a_down") -> Health:
    return Health(ProviderStatus.UNAVAILABLE, Reason(code, "It is down.", fix="Start it."))
