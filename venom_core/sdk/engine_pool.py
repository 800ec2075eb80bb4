"""Engines in memory: one process for each model, as many as memory allows, idle ones let go of.

For any provider that starts its engines itself: it names the model, how to start its engine and
what that takes; the pool decides who stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from venom_core.sdk.engine import EngineAddress, EngineCommand, EngineProcess
from venom_core.sdk.errors import QueueFull, Unavailable, UpstreamError
from venom_core.sdk.machine import available_memory
from venom_core.sdk.provider import EngineStatus, LoadedModel
from venom_core.sdk.utc import utc_text

logger = logging.getLogger(__name__)

ROOM_TIMEOUT = 60.0
#: What an engine needs beside its weights, where nothing better is known: context, buffers, Python.
OVERHEAD_BYTES = 300_000_000


#: A model, and the purpose of an engine of its own; most models have one engine for all.
Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class Slot:
    """One engine of a model. ``busy`` counts the requests that hold it."""

    engine: EngineProcess
    context_length: int | None
    busy: int = 0
    last_used: float = 0.0
    timer: asyncio.TimerHandle | None = None
    base_url: str | None = None


class EnginePool:
    """Starts engines on demand, and unloads them when they are idle or in the way.

    Args:
        max_loaded: models at a time.
        keep_alive: seconds that an idle engine stays; negative means until it is stopped.
        released: called with the base URL of an engine that is gone.
        memory: bytes of memory that may be taken now; by default as a container sees them.
        overhead: bytes of one engine beside what a lease says that its model needs.
    """

    def __init__(
        self,
        max_loaded: int,
        keep_alive: float,
        released: Callable[[str], Awaitable[None]],
        memory: Callable[[], int] = available_memory,
        overhead: int = OVERHEAD_BYTES,
    ) -> None:
        self._max_loaded = max_loaded
        self._keep_alive = keep_alive
        self._released = released
        self.free_memory = memory
        self._overhead = overhead
        self._slots: dict[Key, Slot] = {}
        self._freed = asyncio.Event()
        self._making_room = asyncio.Lock()
        self._expiring: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def lease(
        self,
        ref: str,
        command: Callable[[], EngineCommand],
        context_length: int | None,
        need: int,
        purpose: str = "",
    ) -> AsyncGenerator[EngineAddress, None]:
        """Start or take the engine of ``ref``, not to be unloaded until the block ends.

        Args:
            command: makes the command where the model has no engine yet.
            context_length: tokens, as listings show them; None where the engine decides.
            need: bytes that the model is expected to take.
            purpose: which of a model's engines, where it has several.

        Raises what :meth:`EngineProcess.start` raises, and ``QueueFull`` where every place is
        held by a busy model for too long.
        """
        key = ref, purpose
        slot = await self._slot(key, command, context_length, need)
        try:
            address = await slot.engine.start()
            if slot.base_url not in (None, address.base_url):
                await self._released(slot.base_url or "")
            slot.base_url = address.base_url
            yield address
        except (UpstreamError, Unavailable):
            await slot.engine.confirm()  # before anybody else is sent to an engine that is gone
            raise
        finally:
            slot.busy -= 1
            slot.last_used = time.monotonic()
            if slot.busy == 0:
                self._arm(key, slot)
                self._freed.set()

    async def _slot(
        self, key: Key, command: Callable[[], EngineCommand], context_length: int | None, need: int
    ) -> Slot:
        slot = self._slots.get(key)
        if slot is None or slot.engine.state == "failed":
            # Only a start needs room; who has its engine never waits for others.
            async with self._making_room:
                await self._make_room(key[0], need)
                slot = self._slots.get(key)
                if slot is None:
                    slot = self._slots[key] = Slot(EngineProcess(command()), context_length)
                return self._hold(slot)
        return self._hold(slot)

    def _hold(self, slot: Slot) -> Slot:
        slot.busy += 1
        if slot.timer is not None:
            slot.timer.cancel()
            slot.timer = None
        return slot

    async def _make_room(self, ref: str, need: int) -> None:
        """Unload idle engines, longest unused first, until a further one may start."""
        try:
            async with asyncio.timeout(ROOM_TIMEOUT):
                while self._count(ref) >= self._max_loaded:
                    self._freed.clear()
                    if not await self._unload_idlest(ref):
                        await self._freed.wait()
        except TimeoutError as error:
            raise QueueFull(
                f"All {self._max_loaded} models in memory are busy.",
                retry_after=10,
                fix="Try again, or raise the provider's max_loaded.",
            ) from error
        while await asyncio.to_thread(self.free_memory) < need + self._overhead:
            if not await self._unload_idlest(ref):
                return  # the weights are mapped: it may still do, and the engine says so if not

    def _count(self, but: str) -> int:
        held = (ref for (ref, _), slot in self._slots.items() if slot.engine.state != "failed")
        return len(set(held) - {but})

    async def _unload_idlest(self, but: str) -> bool:
        used: dict[str, float] = {}
        busy = {ref for (ref, _), slot in self._slots.items() if slot.busy}
        for (ref, _), slot in self._slots.items():
            if slot.engine.state in ("running", "starting"):
                used[ref] = max(slot.last_used, used.get(ref, 0.0))
        idle = [(last, ref) for ref, last in used.items() if ref not in busy | {but}]
        if not idle:
            return False
        ref = min(idle)[1]
        logger.info("unloading %s to make room", ref)
        await self.unload(ref)
        return True

    async def unload(self, ref: str) -> None:
        """End a model's engines, busy or not; does nothing where it has none."""
        keys = [key for key in self._slots if key[0] == ref]
        await asyncio.gather(*(self._end(self._slots.pop(key)) for key in keys))

    async def _end(self, slot: Slot) -> None:
        if slot.timer is not None:
            slot.timer.cancel()
        await slot.engine.stop()
        self._freed.set()
        if slot.base_url is not None:
            await self._released(slot.base_url)

    def _arm(self, key: Key, slot: Slot) -> None:
        if self._keep_alive < 0 or self._slots.get(key) is not slot:
            return
        if slot.timer is not None:
            slot.timer.cancel()
        loop = asyncio.get_running_loop()
        slot.timer = loop.call_later(self._keep_alive, self._expire, key, slot)

    def _expire(self, key: Key, slot: Slot) -> None:
        # Whoever takes a slot cancels its timer first, so nobody holds this one, and from here on
        # nobody can: it leaves the table before anything else runs.
        if self._slots.get(key) is slot:
            del self._slots[key]
            task = asyncio.ensure_future(self._end(slot))
            self._expiring.add(task)
            task.add_done_callback(self._expiring.discard)

    def is_loaded(self, ref: str, purpose: str | None = None) -> bool:
        """Return whether a model's engine runs; where no purpose is named, whether any does."""
        return any(
            slot.engine.running
            for (model, kind), slot in self._slots.items()
            if model == ref and purpose in (None, kind)
        )

    async def loaded(self) -> list[LoadedModel]:
        """List the models whose engines run; ``size_bytes`` is what the processes hold resident."""
        found: dict[str, LoadedModel] = {}
        for (ref, _), slot in list(self._slots.items()):
            if not slot.engine.running:
                continue
            size, expires = (await slot.engine.status()).memory_bytes, self._expires_at(slot)
            one = LoadedModel(ref, size, None, slot.context_length, expires)
            found[ref] = _together(found[ref], one) if ref in found else one
        return list(found.values())

    def _expires_at(self, slot: Slot) -> str | None:
        if self._keep_alive < 0:
            return None
        idle = 0.0 if slot.busy else time.monotonic() - slot.last_used
        left = timedelta(seconds=max(0.0, self._keep_alive - idle))
        return utc_text(datetime.now(UTC) + left, "seconds", suffix="+00:00")

    def addresses(self) -> list[tuple[str, EngineAddress]]:
        """Return the model and the address of every engine that runs."""
        found = [(ref, slot.engine.address) for (ref, _), slot in self._slots.items()]
        return [(ref, address) for ref, address in found if address is not None]

    async def statuses(self) -> list[EngineStatus]:
        """Return the state of every engine, for ``Provider.engines``."""
        return [await slot.engine.status() for slot in list(self._slots.values())]

    async def close(self) -> None:
        """End every engine."""
        await asyncio.gather(*(self.unload(ref) for ref in {ref for ref, _ in self._slots}))
        await asyncio.gather(*self._expiring, return_exceptions=True)


def _together(one: LoadedModel, other: LoadedModel) -> LoadedModel:
    """Return what two engines of a model are together."""
    sizes = [model.size_bytes for model in (one, other) if model.size_bytes is not None]
    contexts = [model.context_length for model in (one, other) if model.context_length]
    ends = [model.expires_at for model in (one, other)]
    return LoadedModel(
        one.ref,
        sum(sizes) if sizes else None,
        None,
        max(contexts, default=None),
        None if None in ends else max(end for end in ends if end is not None),
    )
