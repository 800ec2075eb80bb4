"""The work behind the first answers of a server: kept parameters are read, models are fetched where
the settings name some for a server without any, and the one that would answer is brought into
memory.

Nobody asked for it at that moment, so nothing else is fetched, nothing is taken out of memory, and
what goes wrong is a line in the log.
"""

from __future__ import annotations

import asyncio
import logging

from venom_core.models.asked_providers import AskedProviders
from venom_core.models.default_model import DefaultModel
from venom_core.models.fit import fits_memory
from venom_core.models.manager import ModelManager
from venom_core.models.registry import ModelRegistry
from venom_core.sdk.errors import VenomError
from venom_core.sdk.machine import this_machine
from venom_core.settings.layers import Settings
from venom_core.store.audit import Actor
from venom_core.usecases.journal import Journal
from venom_core.usecases.operations import OperationUseCases

log = logging.getLogger(__name__)

#: Seconds that the first answers have to themselves.
DELAY = 2.0
#: A model may take so much of the free memory unasked.
SHARE = 0.5


class WarmUp:
    """Begun by a server once it listens; a command that works by itself has none."""

    def __init__(
        self,
        settings: Settings,
        providers: AskedProviders,
        registry: ModelRegistry,
        manager: ModelManager,
        default_model: DefaultModel,
        operations: OperationUseCases,
        journal: Journal,
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._registry = registry
        self._manager = manager
        self._default_model = default_model
        self._operations = operations
        self._journal = journal
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> asyncio.Task[None]:
        """Begin, in a task of its own; asked again, return the same task."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="warm-up")
        return self._task

    async def close(self) -> None:
        """End it, wherever it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await asyncio.sleep(DELAY)
        await self._providers.begin_loading()
        for part in (self._read_overrides, self._fetch_first, self._load):
            try:
                await part()
            except VenomError as error:
                log.info("warm-up: %s", error.message)
            except Exception:
                log.warning("the warm-up failed", exc_info=True)

    async def _read_overrides(self) -> None:
        text = self._settings.core.generation_overrides
        if text is None:
            return
        from venom_core.usecases.overrides import KeptOverrides

        marks = self._settings.paths.home / "overrides-read.json"
        overrides = KeptOverrides(self._registry, self._manager)
        for finding in await overrides.take_once(text, marks, Actor.local()):
            log.info("%s: %s: %s", finding.name, finding.outcome, finding.message)

    async def _fetch_first(self) -> None:
        """Begin to fetch the models of the settings, where none is installed; they come behind."""
        names = self._settings.core.first_models
        if not names:
            return
        listing = await self._registry.listing(patient=True)
        if listing.installed:
            return
        for name in names:
            try:
                await self._operations.install(name, actor=Actor.local())
                log.info("first models: fetching %s", name)
            except VenomError as error:
                log.warning("first models: %s: %s", name, error.message)

    async def _load(self) -> None:
        if not self._settings.core.warmup_on_startup:
            return
        self._manager.memory.check_allowed()
        item, because = await self._default_model()
        reference = item.reference
        if item.model.runs_at is not None:
            log.info("warm-up: %s runs on another machine and is left alone", reference)
            return
        if item.model.loaded:
            log.info("warm-up: %s is in memory already", reference)
            return
        machine = await asyncio.to_thread(this_machine)
        if not fits_memory(item.model, round(machine.memory_available_bytes * SHARE)):
            log.info("warm-up: %s would take more than half of the free memory", reference)
            return
        log.info("warm-up: loading %s (%s)", reference, because)
        _, loaded = await self._manager.load(reference)
        if loaded:
            self._journal.publish("model.loaded", reference=reference)
            log.info("warm-up: %s is in memory", reference)
