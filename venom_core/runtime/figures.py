"""Figures of the machine now: memory, cores, disk, graphics memory.

Reading them blocks: they are read in a thread, and the graphics card's, which a program of its
maker tells, behind the answer.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.graphics import Card, cards, has_cards
from venom_core.sdk.machine import this_machine

GPU_SECONDS = 5.0
GPU_FRESH_SECONDS = 3.0
#: How long the first answer waits for the graphics card.
GPU_PATIENCE = 0.1
#: Seconds between two looks at the processors at least: how busy they are is told of a time.
SHORTEST_SPAN = 0.1


@dataclass(frozen=True, slots=True)
class Gpu:
    """Sums over all cards; ``percent`` is the busiest one's. Zero bytes where there is no card;
    None where it is not known."""

    percent: float | None = None
    used_bytes: int | None = 0
    total_bytes: int | None = 0


UNKNOWN = Gpu(None, None, None)


@dataclass(frozen=True, slots=True)
class Figures:
    """Bytes; memory as a container sees it, the disk as the system does. ``mount`` is where the
    models' disk is mounted."""

    memory_total: int
    memory_used: int
    cpu_percent: float
    disk_total: int
    disk_used: int
    mount: str
    gpu: Gpu


class FigureReader:
    """Reads the figures; ``folder`` is on the disk that is told of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gpu: Gpu | None = None
        self._gpu_read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._busy = 0.0
        self._looked_at: float | None = None
        # psutil tells how busy the processors were since the same thread's last look.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="figures")

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def read(self) -> Figures:
        """Return the figures now; the graphics card's a few seconds old at most once they are
        known."""
        gpu = await self._read_gpu()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, gpu)

    def _read(self, gpu: Gpu) -> Figures:
        machine = this_machine()
        place = next(p for p in (self._folder, *self._folder.parents) if p.exists())
        disk = shutil.disk_usage(place)
        return Figures(
            machine.memory_total_bytes,
            machine.memory_total_bytes - machine.memory_available_bytes,
            self._cpu_percent(),
            disk.total,
            disk.used,
            _mount_of(place),
            gpu,
        )

    def _cpu_percent(self) -> float:
        import psutil

        first = self._looked_at is None
        if first or time.monotonic() - (self._looked_at or 0.0) >= SHORTEST_SPAN:
            self._busy = psutil.cpu_percent(interval=SHORTEST_SPAN if first else None)
            self._looked_at = time.monotonic()
        return self._busy

    async def _read_gpu(self) -> Gpu:
        if not await asyncio.to_thread(has_cards):
            return Gpu()
        if time.monotonic() - self._gpu_read_at > GPU_FRESH_SECONDS and self._reading is None:
            self._reading = asyncio.create_task(self._ask_gpu())
        if self._gpu is None and self._reading is not None:
            await asyncio.wait({self._reading}, timeout=GPU_PATIENCE)
        return self._gpu or UNKNOWN

    async def _ask_gpu(self) -> None:
        try:
            self._gpu = summed(await cards(GPU_SECONDS))
        except (OSError, TimeoutError, ValueError):
            self._gpu = UNKNOWN
        finally:
            self._gpu_read_at = time.monotonic()
            self._reading = None


def summed(found: Sequence[Card]) -> Gpu:
    """Return the sums over all cards; one that does not tell a figure makes that sum unknown."""
    if not found:
        return Gpu()
    percent = max((card.percent for card in found if card.percent is not None), default=None)
    return Gpu(
        percent,
        _sum([card.used_bytes for card in found]),
        _sum([card.total_bytes for card in found]),
    )


def _sum(parts: Sequence[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _mount_of(place: Path) -> str:
    place = place.resolve()
    while not os.path.ismount(place):
        place = place.parent
    return str(place)
