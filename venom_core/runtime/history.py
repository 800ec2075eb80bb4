"""The observer that keeps what happened to services, so that it is known after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from itertools import islice

from venom_core.sdk.errors import StorageError
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.utc import utc_text
from venom_core.store.history import KEPT, HistoryRepository, ServiceEvent

log = logging.getLogger(__name__)

#: What the action of an event is called where it does not say.
_ACTIONS = {
    "profile.switched": "profile",
    "server.activated": "activate",
    "service.failed": "run",
    "service.recovered": "run",
    "service.restarted": "restart",
    "service.started": "start",
    "service.stopped": "stop",
}
CLOSE_SECONDS = 5.0


class ServiceHistory:
    """Keeps ``service.*``, ``server.activated`` and ``profile.switched``.

    Events come in their order and are written in it, off the path of whoever reports them; what
    the store refuses waits for the next one.

    Args:
        repository: opens the store; called in a thread, and not before there is something to keep.
        stored: whether there is a store: looking must not make one.
    """

    def __init__(
        self, repository: Callable[[], HistoryRepository], stored: Callable[[], bool]
    ) -> None:
        self._repository = repository
        self._stored = stored
        self._pending: deque[ServiceEvent] = deque(maxlen=KEPT)
        self._writer: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        """Keep what happened to a service; other events are none."""
        action = _ACTIONS.get(event.name)
        if action is None:
            return
        data = event.data
        self._pending.append(
            ServiceEvent(
                utc_text(),
                str(data.get("service") or event.name.partition(".")[0]),
                str(data.get("action") or action),
                bool(data.get("success", event.name != "service.failed")),
                str(data.get("message") or ""),
            )
        )
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(
                self._write(), name="write history"
            )

    async def newest(self, limit: int) -> list[ServiceEvent]:
        """Return the newest entries first. Raises ``StorageError``."""
        await asyncio.sleep(0)  # what was done just now is reported on the loop's next turn
        await self._write()
        waiting = list(islice(reversed(self._pending), limit))
        if not await asyncio.to_thread(self._stored):
            return waiting
        kept = await asyncio.to_thread(lambda: self._repository().read(limit))
        return [*waiting, *kept][:limit]

    async def _write(self) -> None:
        async with self._writing:
            while self._pending:
                # Shielded: what a thread goes on writing must not be written once more.
                batch = list(self._pending)
                if not await asyncio.shield(asyncio.ensure_future(self._keep(batch))):
                    break
            self._writer = None

    async def _keep(self, batch: list[ServiceEvent]) -> bool:
        try:
            await asyncio.to_thread(lambda: self._repository().add(batch))
        except StorageError as error:
            log.warning("the history of services is not written yet: %s", error)
            return False
        for _ in batch:
            self._pending.popleft()
        return True

    async def close(self) -> None:
        """Write what is left, within a time; nothing may be observed afterwards."""
        await asyncio.sleep(0)  # as in newest
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._write()
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
