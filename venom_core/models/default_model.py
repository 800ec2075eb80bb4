"""The model for a request that names none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from venom_core.models.elsewhere import choosable, with_host
from venom_core.models.fit import fits_memory
from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.roles import Role
from venom_core.plugins.host import PluginHost
from venom_core.sdk.errors import ModelNotFound, NotFound
from venom_core.sdk.machine import this_machine


@dataclass(frozen=True, slots=True)
class Configured:
    """The words of the settings on the model that answers where a request names none.

    Args:
        server: the provider that it is to be of.
        model: its name.
        named: a reference with a glob that is preferred otherwise; None leaves it to the
            providers' own declarations.
    """

    server: str | None = None
    model: str | None = None
    named: str | None = None


class DefaultModel:
    """Chooses the active model of a role, else what the settings say, else the best that is
    installed.

    Args:
        configured: read at each choice, so that a change of the settings counts at once.
    """

    def __init__(
        self,
        manager: ModelManager,
        registry: ModelRegistry,
        host: PluginHost,
        configured: Callable[[], Configured],
    ) -> None:
        self._manager = manager
        self._registry = registry
        self._host = host
        self._configured = configured

    async def __call__(self, role: Role = "chat") -> tuple[ListedModel, str]:
        """Return the model and the sentence that says why this one.

        Raises ``ModelNotFound``, ``NotFound`` (``provider_not_found``) for a server in the settings
        that is none, or what keeps the provider of the active or the configured model from
        answering: another one does not take its place unasked.
        """
        gone = False
        for one in (role, "chat") if role == "translation" else (role,):
            try:
                if (item := await self._manager.active(one)) is not None:
                    return item, f"the active model for {one}"
            except ModelNotFound:
                gone = True
        item, because = await self._chosen()
        return item, f"the active model was removed; {because}" if gone else because

    async def _chosen(self) -> tuple[ListedModel, str]:
        configured = self._configured()
        server = None if configured.server is None else await self._server(configured.server)
        if configured.model is not None:
            return await self._named(configured.model, server)
        if server is not None:
            return await self._of_server(server)
        machine = await asyncio.to_thread(this_machine)
        return await self._registry.default(
            self._pattern,
            # How much memory another machine has is not known here.
            lambda model: (
                model.runs_at is not None or fits_memory(model, machine.memory_available_bytes)
            ),
        )

    async def _server(self, name: str) -> str:
        await self._registry.providers()  # at a start, plugins are loading still
        server = self._host.resolve_name(name)
        if server is None:
            raise NotFound(
                f"ACTIVE_LLM_SERVER names {name!r}, and no provider is called so.",
                code="provider_not_found",
                param="model",
                fix="Correct or remove it; the providers are listed by: venom services",
            )
        return server

    async def _named(self, name: str, server: str | None) -> tuple[ListedModel, str]:
        try:
            item = await self._manager.servable(name, server)
        except ModelNotFound as error:
            raise ModelNotFound(
                f"LLM_MODEL_NAME names {name!r}, which is not installed.",
                param="model",
                fix="Fetch it (venom pull NAME), choose another (venom use NAME), or correct it.",
            ) from error
        return with_host(item, "the model that LLM_MODEL_NAME names")

    async def _of_server(self, server: str) -> tuple[ListedModel, str]:
        listing = await self._registry.listing()
        chats = [one for one in choosable(listing.installed) if one.provider == server]
        if not chats and server in listing.stale:
            raise listing.stale[server].error()
        if not chats:
            raise ModelNotFound(
                f"{server} is the active server, and has no chat model installed.",
                code="no_model",
                param="model",
                fix="See what can be fetched: venom list --available",
            )
        first = min(chats, key=lambda item: item.model.instruct is False)
        return with_host(first, f"the first model of {server}, the active server, that converses")

    def _pattern(self) -> str | None:
        if (named := self._configured().named) is not None:
            return named
        specs = self._host.specs()
        known = ((name, specs[name].default_model) for name in self._host.preference())
        return next((f"{name}://{model}" for name, model in known if model), None)
