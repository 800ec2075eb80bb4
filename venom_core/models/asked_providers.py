"""The providers that are asked for models: which ones, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from venom_core.plugins.host import PluginHost
from venom_core.settings.active_profile import ActiveProfile

#: Seconds that a question waits for a plugin that is slow to load, not until its deadline.
LOADING_PATIENCE = 1.0


class AskedProviders:
    """Loads the plugins once, in a task of its own, and ranks their providers: as the profile does,
    the others as they declare."""

    def __init__(self, host: PluginHost, profile: ActiveProfile) -> None:
        self._host = host
        self._profile = profile
        self._loading: asyncio.Task[None] | None = None

    @property
    def order(self) -> Sequence[str]:
        """Return the preferred providers: where several serve a bare name the first wins."""
        return self._profile.row.ranked(self._host.preference())

    def begin_loading(self) -> asyncio.Task[None]:
        """Begin to load every plugin; asked again, return the same task."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._host.load_all(), name="load plugins")
        return self._loading

    async def names(self) -> Sequence[str]:
        """Return the providers that may be asked now, the preferred first."""
        loading = self.begin_loading()
        if not loading.done():
            await asyncio.wait({loading}, timeout=LOADING_PATIENCE)
        order, excludes = self.order, self._profile.excludes
        place = {name: number for number, name in enumerate(order)}
        asked = (
            name
            for name, spec in self._host.specs().items()
            if not spec.observes and name not in excludes
        )
        return sorted(asked, key=lambda name: place.get(name, len(place)))

    async def close(self) -> None:
        """End the loading."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
