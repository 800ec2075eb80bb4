"""The edit loop of an author: a plugin whose source is saved is loaded anew.

The files are looked at again and again, in a thread: no library is needed for that, and it works on
every disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from venom_core.plugins.sources import Stamp, package_of, stamp_of
from venom_core.sdk.errors import VenomError

if TYPE_CHECKING:
    from venom_core.plugins.host import PluginHost
    from venom_core.plugins.records import PluginRecord

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5


class SourceWatch:
    """Watches the plugins of others that are in memory, or failed to get there.

    Args:
        told: gets the record of each plugin that was loaded anew, or failed to be.
        seconds: between two looks.
    """

    def __init__(
        self,
        host: PluginHost,
        told: Callable[[PluginRecord], None],
        seconds: float = POLL_SECONDS,
    ) -> None:
        self._host = host
        self._told = told
        self._seconds = seconds
        self._loaded: dict[str, Stamp] = {}
        self._changing: dict[str, Stamp] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch, on the running loop."""
        self._task = asyncio.create_task(self._run(), name="watch plugin sources")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # the next look may do
                logger.exception("the sources of plugins could not be looked at")
            await asyncio.sleep(self._seconds)

    async def look(self) -> None:
        """Look once; reload what changed since the last look but one and no more since the last: an
        editor saves several files one after another."""
        await self._host.look_again()  # an install beside us is seen within a look
        for name, value in self._host.reloadable():
            stamp = await asyncio.to_thread(stamp_of, package_of(value))
            if self._loaded.setdefault(name, stamp) == stamp:
                self._changing.pop(name, None)
            elif self._changing.get(name) == stamp:
                self._loaded[name] = stamp
                self._changing.pop(name)
                await self._reload(name)
            else:
                self._changing[name] = stamp

    async def _reload(self, name: str) -> None:
        logger.info("the source of %s changed; it is loaded anew", name)
        try:
            record = await self._host.reload(name)
        except VenomError as error:  # disabled or uninstalled just now
            logger.info("%s was not loaded anew: %s", name, error.message)
            return
        logger.info("%s is %s", name, record.state.label)
        self._told(record)
