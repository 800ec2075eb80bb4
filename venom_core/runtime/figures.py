"""Figures of the machine now: memory, cores, disk, graphics memory.

Reading them blocks: they are read in a thread, and the graphics card's, which a program of its
maker tells, behind the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.child_process import child_environment
from venom_core.sdk.machine import this_machine

GPU_PROGRAM = "nvidia-smi"
GPU_SECONDS = 5.0
GPU_FRESH_SECONDS = 3.0
#: How long the first answer waits for the graphics card.
GPU_PATIENCE = 0.1
_QUERY = ("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True, slots=True)
class Gpu:
    """Sums over all cards; ``percent`` is the busiest one's. Zero bytes where there is no card;
    None where it is not known."""

    percent: float | None = None
    used_bytes: int | None = 0
    total_bytes: int | None = 0


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

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def read(self) -> Figures:
        """Return the figures now; the graphics card's a few seconds old at most once they are
        known."""
        gpu = await self._read_gpu()
        return await asyncio.to_thread(self._read, gpu)

    def _read(self, gpu: Gpu) -> Figures:
        import psutil

        machine = this_machine()
        place = next(p for p in (self._folder, *self._folder.parents) if p.exists())
        disk = shutil.disk_usage(place)
        return Figures(
            machine.memory_total_bytes,
            machine.memory_total_bytes - machine.memory_available_bytes,
            psutil.cpu_percent(interval=None),
            disk.total,
            disk.used,
            _mount_of(place),
            gpu,
        )

    async def _read_gpu(self) -> Gpu:
        program = shutil.which(GPU_PROGRAM)
        if program is None:
            return Gpu()
        if time.monotonic() - self._gpu_read_at > GPU_FRESH_SECONDS and self._reading is None:
            self._reading = asyncio.create_task(self._ask_gpu(program))
        if self._gpu is None and self._reading is not None:
            await asyncio.wait({self._reading}, timeout=GPU_PATIENCE)
        return self._gpu or Gpu(None, None, None)

    async def _ask_gpu(self, program: str) -> None:
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *_QUERY,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=child_environment(),
            )
            async with asyncio.timeout(GPU_SECONDS):
                text, _ = await process.communicate()
            self._gpu = parse_gpus(text.decode("utf-8", "replace"))
        except (OSError, TimeoutError, ValueError):
            self._gpu = Gpu(None, None, None)
        finally:
            if process is not None and process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            self._gpu_read_at = time.monotonic()
            self._reading = None


def parse_gpus(text: str) -> Gpu:
    """Parse one line a card: percent, MiB used, MiB in all. Raises ``ValueError``; a figure that a
    card does not have (``[N/A]``) makes that sum unknown."""
    rows = [[_number(cell) for cell in line.split(",")] for line in text.splitlines() if line]
    if not rows or any(len(row) != 3 for row in rows):
        raise ValueError("no card")
    percents, used, total = ([row[place] for row in rows] for place in range(3))
    return Gpu(max((p for p in percents if p is not None), default=None), _sum(used), _sum(total))


def _number(cell: str) -> float | None:
    text = cell.strip()
    return None if text.startswith("[") else float(text)


def _sum(mebibytes: list[float | None]) -> int | None:
    known = [one for one in mebibytes if one is not None]
    return None if len(known) < len(mebibytes) else round(sum(known) * 1024 * 1024)


def _mount_of(place: Path) -> str:
    place = place.resolve()
    while not os.path.ismount(place):
        place = place.parent
    return str(place)
