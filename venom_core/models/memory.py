"""Models in memory: brought in, told of and taken out by asking their providers, all at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import Unavailable, VenomError
from venom_core.sdk.provider import LoadedModel
from venom_core.sdk.spec import Capability

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, and whose it is."""

    provider: str
    model: LoadedModel

    @property
    def reference(self) -> str:
        return f"{self.provider}://{self.model.ref}"


class ModelMemory:
    """Load, list, unload; ``check_allowed`` raises where no model may run (the profile's word)."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        check_allowed: Callable[[], None],
    ) -> None:
        self._host = host
        self._registry = registry
        #: Raises ``LlmOff`` where no model may run.
        self.check_allowed = check_allowed

    async def load(self, item: ListedModel) -> bool:
        """Load a model and return whether it is in memory; False where its provider loads at first
        use."""
        self.check_allowed()
        if not self._can(item.provider, Capability.LOAD):
            return False
        provider = await self._host.provider(item.provider)
        self.check_allowed()
        await provider.load(item.model.ref)
        self._registry.forget(item.provider)
        return True

    async def unload(self, item: ListedModel) -> None:
        """Take a model out of memory; no error where it was not there."""
        provider = await self._host.provider(item.provider)
        await provider.unload(item.model.ref)
        self._registry.forget(item.provider)

    async def loaded(self) -> list[Loaded]:
        """Return the models in memory over all providers that can tell; one that is down has
        nothing."""
        found: list[Loaded] = []
        names = [n for n in await self._registry.providers() if self._can(n, Capability.PS)]
        parts = await asyncio.gather(*map(self._ps, names), return_exceptions=True)
        for name, part in zip(names, parts, strict=True):
            if isinstance(part, VenomError):
                log.info("%s does not say what it has loaded: %s", name, part)
            elif isinstance(part, BaseException):
                raise part
            else:
                found += [Loaded(name, model) for model in part]
        return found

    async def unload_all(self) -> tuple[list[str], dict[str, VenomError]]:
        """Ask every provider to unload everything: the references that went, and who failed.

        A provider that is not available has nothing in memory, and did not fail.
        """
        names = [
            name
            for name in await self._registry.providers()
            if self._can(name, Capability.PS) and self._can(name, Capability.UNLOAD)
        ]
        gone: list[str] = []
        faults: dict[str, VenomError] = {}

        async def empty(name: str) -> None:
            try:
                provider = await self._host.provider(name)
                for model in await self._ps(name):
                    await provider.unload(model.ref)
                    gone.append(f"{name}://{model.ref}")
            except Unavailable as error:  # not there, so nothing of it is in memory
                log.info("%s was not asked to unload: %s", name, error)
            except VenomError as error:
                faults[name] = error
            finally:
                self._registry.forget(name)

        await asyncio.gather(*map(empty, names))
        return sorted(gone), faults

    async def empty(self, provider: str) -> None:
        """Take every model of one provider out of memory."""
        asked = await self._host.provider(provider)
        for model in await asked.ps():
            await asked.unload(model.ref)
        self._registry.forget(provider)

    async def _ps(self, name: str) -> Sequence[LoadedModel]:
        return await (await self._host.provider(name)).ps()

    def _can(self, provider: str, ability: Capability) -> bool:
        return ability in self._host.specs()[provider].capabilities
