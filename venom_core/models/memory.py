"""Models in memory: brought in, told of and taken out by asking their providers, all at once and
each within its own time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.sdk.errors import (
    LlmOff,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.provider import LoadedModel, Provider
from venom_core.sdk.spec import Capability, ProviderSpec

log = logging.getLogger(__name__)
T = TypeVar("T")

ASK_SECONDS = 3.0
UNLOAD_SECONDS = 30.0


class Host(Protocol):
    """What this needs of the plugin host."""

    async def provider(self, name: str) -> Provider: ...
    def specs(self) -> Mapping[str, ProviderSpec]: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, and whose it is."""

    provider: str
    model: LoadedModel

    @property
    def reference(self) -> str:
        return f"{self.provider}://{self.model.ref}"


class ModelMemory:
    """Load, list, unload.

    Args:
        load_seconds: what loading one model may take.
        allowed: whether models may run at all (the profile's word).
    """

    def __init__(
        self,
        host: Host,
        registry: ModelRegistry,
        load_seconds: float,
        allowed: Callable[[], bool],
    ) -> None:
        self._host = host
        self._registry = registry
        self._load_seconds = load_seconds
        self._allowed = allowed

    async def load(self, item: ListedModel) -> bool:
        """Whether the model is in memory now; False where its provider loads at the first use."""
        if not self._allowed():
            raise LlmOff(
                "The profile llm_off is active: no model runs.",
                fix="Start with another profile: venom serve --profile light",
            )
        if not self._can(item.provider, Capability.LOAD):
            return False
        provider = await self._host.provider(item.provider)
        await _within(self._load_seconds, item.provider, provider.load(item.model.ref))
        self._registry.forget(item.provider)
        return True

    async def unload(self, item: ListedModel) -> None:
        """Take a model out of memory; no error where it was not there."""
        provider = await self._host.provider(item.provider)
        await _within(UNLOAD_SECONDS, item.provider, provider.unload(item.model.ref))
        self._registry.forget(item.provider)

    async def loaded(self) -> list[Loaded]:
        """What is in memory over all providers that can tell; one that is down has nothing."""
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
                    await _within(UNLOAD_SECONDS, name, provider.unload(model.ref))
                    gone.append(f"{name}://{model.ref}")
            except Unavailable as error:  # not there, so nothing of it is in memory
                log.info("%s was not asked to unload: %s", name, error)
            except VenomError as error:
                faults[name] = error
            finally:
                self._registry.forget(name)

        await asyncio.gather(*map(empty, names))
        return sorted(gone), faults

    async def _ps(self, name: str) -> Sequence[LoadedModel]:
        provider = await self._host.provider(name)
        return await _within(ASK_SECONDS, name, provider.ps())

    def _can(self, provider: str, ability: Capability) -> bool:
        return ability in self._host.specs()[provider].capabilities


async def _within(seconds: float, name: str, work: Awaitable[T]) -> T:
    """Foreign work, bounded, with its faults named."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except VenomError:
        raise
    except TimeoutError as error:
        raise UpstreamTimeout(
            f"{name} did not answer within {seconds:g} s.", fix="Try again, or see: venom doctor"
        ) from error
    except (Exception, SystemExit) as error:  # a plugin's exit must not be the server's
        log.exception("%s failed", name)
        raise UpstreamError(f"{name} failed at this.", fix="venom doctor") from error
