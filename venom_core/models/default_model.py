"""The model for a request that names none."""

from __future__ import annotations

import asyncio

from venom_core.models.fit import fits_memory
from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.roles import Role
from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.machine import this_machine


class DefaultModel:
    """Chooses the active model of a role, else the best that is installed.

    Args:
        pattern: a reference with a glob that is preferred where nothing is active.
    """

    def __init__(self, manager: ModelManager, registry: ModelRegistry, pattern: str) -> None:
        self._manager = manager
        self._registry = registry
        self._pattern = pattern

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
            self._pattern, lambda model: fits_memory(model, machine.memory_available_bytes)
        )
        return item, f"the active model was removed; {because}" if gone else because
