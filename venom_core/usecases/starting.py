"""Starting and stopping what a provider's models run in: its engines, with their models."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from venom_core.models.default_model import DefaultModel
from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.usecases.service_views import ACTIONS, ServiceAction

_NEEDED = frozenset({Capability.ENGINES, Capability.LOAD, Capability.UNLOAD})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The effect of an action; ``before`` and ``after`` are the references of models in engines."""

    changed: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


class EngineControl:
    """Starts and stops the engines of a provider.

    An engine lives with its model: to start a provider's is to load the model that it would answer
    with, to stop it is to take every model out. One that serves all models of a provider is started
    and stopped by itself.

    Args:
        model_of: gives the model that a provider would answer with; raises where there is none.
    """

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        manager: ModelManager,
        model_of: Callable[[str], Awaitable[ListedModel]],
    ) -> None:
        self._host = host
        self._registry = registry
        self._manager = manager
        self._model_of = model_of

    def supported(self, spec: ProviderSpec) -> frozenset[ServiceAction]:
        """Return what can be asked of a provider's service; of another program's server nothing."""
        able = spec.has_one_engine or spec.capabilities >= _NEEDED
        return frozenset(ACTIONS) if able else frozenset()

    async def act(self, name: str, action: ServiceAction) -> Outcome:
        """Start, stop or restart. Raises what keeps it from being done."""
        if action != "stop":
            self._manager.memory.check_allowed()
        provider = await self._host.provider(name)
        if self._host.specs()[name].has_one_engine:
            return await self._switch(name, provider, action)
        before = await self._held(name, provider)
        if action == "start":
            alive = await self._alive(name, provider)
            if alive:
                return Outcome(False, alive, alive)
            item = await self._model_of(name)
            await self._manager.load(item.reference)
            return Outcome(True, before, (item.reference,))
        if action == "stop":
            await self._empty(name, provider, before)
            return Outcome(bool(before), before, ())
        wanted = before or ((await self._model_of(name)).reference,)
        await self._empty(name, provider, before)
        for reference in wanted:
            await self._manager.load(reference)
        return Outcome(True, before, wanted)

    async def _switch(self, name: str, provider: Provider, action: ServiceAction) -> Outcome:
        before = await self._process(provider)
        try:
            if action != "start":
                await provider.stop_engine()
            if action != "stop":
                await provider.start_engine()
        finally:
            self._registry.forget(name)
        return Outcome(await self._process(provider) != before, (), ())

    async def _process(self, provider: Provider) -> int | None:
        """Return the process of the one engine, None where Venom started none."""
        return next((engine.pid for engine in await provider.engines()), None)

    async def _empty(self, name: str, provider: Provider, held: tuple[str, ...]) -> None:
        refs = [reference.removeprefix(f"{name}://") for reference in held]
        try:
            await asyncio.gather(*(provider.unload(ref) for ref in refs))
        finally:
            self._registry.forget(name)

    async def _alive(self, name: str, provider: Provider) -> tuple[str, ...]:
        """Return the references whose engines run or start."""
        return tuple(
            dict.fromkeys(
                f"{name}://{engine.model}"
                for engine in await provider.engines()
                if engine.model is not None and engine.state in ("running", "starting")
            )
        )

    async def _held(self, name: str, provider: Provider) -> tuple[str, ...]:
        """Return the references that have an engine, one that ended unexpectedly too."""
        return tuple(
            dict.fromkeys(
                f"{name}://{engine.model}"
                for engine in await provider.engines()
                if engine.model is not None and engine.state != "stopped"
            )
        )


class ServerModels:
    """Chooses the model that a server would answer with.

    Args:
        configured: the model's name in the settings, None where none is.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        manager: ModelManager,
        default_model: DefaultModel,
        configured: Callable[[], str | None],
    ) -> None:
        self._registry = registry
        self._manager = manager
        self._default_model = default_model
        self._configured = configured

    async def __call__(self, provider: str) -> ListedModel:
        """Return the model that is active there, else the last that was, else the configured one,
        else the one that answers where none is named, else its only chat model.

        Raises ``InvalidRequest`` (``model_required``) where several could be meant or there is
        none, and what keeps the provider from listing any.
        """
        state = await self._manager.state()
        active = state.active.get("chat")
        names = [active[1] if active and active[0] == provider else None, state.last.get(provider)]
        for name in (*names, self._configured()):
            if name is not None:
                with contextlib.suppress(VenomError):  # gone meanwhile, or another server's
                    return await self._manager.servable(name, provider)
        with contextlib.suppress(VenomError):
            default, _ = await self._default_model()
            if default.provider == provider:
                return default
        listing = await self._registry.listing(fresh=True)
        chats = [one for one in listing.installed if one.provider == provider and one.chats]
        if len(chats) == 1:
            return chats[0]
        if provider in listing.stale:
            raise listing.stale[provider].error()
        if chats:
            raise InvalidRequest(
                f"{provider} has {len(chats)} chat models, and none of them was in use yet.",
                code="model_required",
                param="model",
                fix="Choose one: venom use MODEL",
            )
        raise InvalidRequest(
            f"{provider} has no chat model installed.",
            code="model_required",
            param="model",
            fix="See what can be fetched: venom list --available",
        )
