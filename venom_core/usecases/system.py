"""The system as a whole: whether it is well, and what it takes."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Literal

from typing_extensions import TypedDict

from venom_core.runtime.charts import INTERVAL, Charts, Point
from venom_core.runtime.figures import FigureReader
from venom_core.sdk.utc import utc_text
from venom_core.usecases.runtime import RuntimeUseCases, mebibytes, percent

#: Seconds: of an interval that has just begun the speed is not told higher than it can be known.
SHORTEST = 0.5


class SystemStatus(TypedDict):
    """``system_healthy`` is whether the profile can be served. MB are 1024 * 1024 bytes, null where
    not known, 0 without a graphics card; ``boot_id`` is another one at each start."""

    status: Literal["success"]
    success: bool
    system_healthy: bool
    memory_usage_mb: float | None
    memory_total_mb: float | None
    memory_usage_percent: float | None
    vram_usage_mb: float | None
    vram_total_mb: float | None
    vram_usage_percent: float | None
    cpu_usage_percent: float
    boot_id: str


class FigurePoint(TypedDict):
    """One interval. ``at`` is its begin, ISO 8601 in UTC. Figures of the machine are null where
    nobody looked at the time; ``tokens_per_second`` are generated ones, counted when their answer
    has ended, ``requests`` those that ended in it, ``refused`` those that never reached a
    provider."""

    at: str
    cpu_percent: float | None
    memory_used_mb: float | None
    memory_percent: float | None
    gpu_percent: float | None
    vram_used_mb: float | None
    vram_percent: float | None
    disk_used_mb: float | None
    disk_percent: float | None
    tokens_per_second: float
    requests: int
    refused: int


class FigureSeries(TypedDict):
    """The last minutes, the oldest first. The totals are those of now: of the memory, the graphics
    cards and the disk that the models are on; ``vram_total_mb`` is 0 without a graphics card."""

    status: Literal["success"]
    success: bool
    interval_seconds: float
    memory_total_mb: float | None
    vram_total_mb: float | None
    disk_total_mb: float | None
    points: list[FigurePoint]
    count: int


class SystemUseCases:
    """Use cases of the system; nothing here changes anything."""

    def __init__(self, runtime: RuntimeUseCases, figures: FigureReader, charts: Charts) -> None:
        self._runtime = runtime
        self._figures = figures
        self._charts = charts
        self._boot_id = str(uuid.uuid4())

    async def show(self) -> SystemStatus:
        """Return whether all is well, and the memory of the machine and its graphics cards."""
        missing = await self._runtime.readiness()
        figures = await self._figures.read()
        gpu = figures.gpu
        return {
            "status": "success",
            "success": True,
            "system_healthy": not missing,
            "memory_usage_mb": mebibytes(figures.memory_used),
            "memory_total_mb": mebibytes(figures.memory_total),
            "memory_usage_percent": percent(figures.memory_used, figures.memory_total),
            "vram_usage_mb": mebibytes(gpu.used_bytes),
            "vram_total_mb": mebibytes(gpu.total_bytes),
            "vram_usage_percent": percent(gpu.used_bytes, gpu.total_bytes),
            "cpu_usage_percent": round(figures.cpu_percent, 1),
            "boot_id": self._boot_id,
        }

    async def series(self, seconds: float, since: datetime | None = None) -> FigureSeries:
        """Return the figures of the last seconds, at most ten minutes of them; with ``since``, when
        a point began, that one and those after it."""
        known = float("inf") if since is None else time.time() - since.timestamp()
        found = await self._charts.read(seconds, known)
        now = time.time()
        last = self._charts.newest
        points = [_point(now - ago, length, point) for ago, length, point in found]
        return {
            "status": "success",
            "success": True,
            "interval_seconds": INTERVAL,
            "memory_total_mb": None if last is None else mebibytes(last.memory_total),
            "vram_total_mb": None if last is None else mebibytes(last.gpu.total_bytes),
            "disk_total_mb": None if last is None else mebibytes(last.disk_total),
            "points": points,
            "count": len(points),
        }


def _point(began: float, length: float, point: Point) -> FigurePoint:
    figures = point.figures
    gpu = None if figures is None else figures.gpu
    used = None if figures is None else figures.memory_used
    disk = None if figures is None else figures.disk_used
    return {
        "at": utc_text(datetime.fromtimestamp(began, UTC)),
        "cpu_percent": None if figures is None else round(figures.cpu_percent, 1),
        "memory_used_mb": mebibytes(used),
        "memory_percent": None if figures is None else percent(used, figures.memory_total),
        "gpu_percent": None if gpu is None else gpu.percent,
        "vram_used_mb": None if gpu is None else mebibytes(gpu.used_bytes),
        "vram_percent": None if gpu is None else percent(gpu.used_bytes, gpu.total_bytes),
        "disk_used_mb": mebibytes(disk),
        "disk_percent": None if figures is None else percent(disk, figures.disk_total),
        "tokens_per_second": round(point.tokens / max(length, SHORTEST), 2),
        "requests": point.requests,
        "refused": point.refused,
    }
