"""The model for a request that names none."""

from __future__ import annotations

import asyncio

from venom_core.models.fit import fits_memory
from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.roles import Role
from venom_core.plugins.host import PluginHost
from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.machine import this_machine


class DefaultModel:
    """Chooses the active model of a role, else the best that is installed.

    Args:
        named: a reference with a glob that is preferred where nothing is active; None leaves it
            to the providers' own declarations.
    """

    def __init__(
        self, manager: ModelManager, registry: ModelRegistry, host: PluginHost, named: str | None
    ) -> None:
        self._manager = manager
        self._registry = registry
        self._host = host
        self._named = named

    async def __call__(self, role: Role = "chat") -> tuple[ListedModel, str]:
        """Return the model and the sentence that says why this one.

        Raises ``ModelNotFound``, or what keeps the provider of the active model from answering:
        another one does not take its place unasked.
        """
        gone = False
        for one in (role, "chat") if role == "translation" else (role,):
            try:
                if (item := await self._manager.active(one)) is not None:
                    return item, f"the active model for {one}"
            except ModelNotFound:
                gone = True
        machine = await asyncio.to_thread(this_machine)
        item, because = await self._registry.default(
            self._pattern,
            # How much memory another machine has is not known here.
            lambda model: (
                model.runs_at is not None or fits_memory(model, machine.memory_available_bytes)
            ),
        )
        return item, f"the active model was removed; {because}" if gone else because

    def _pattern(self) -> str | None:
        if self._named is not None:
            return self._named
        specs = self._host.specs()
        known = ((name, specs[name].default_model) for name in self._host.preference())
        return next((f"{name}://{model}" for name, model in known if model), None)
