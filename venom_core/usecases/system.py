"""The system as a whole: whether it is well, and what it takes."""

from __future__ import annotations

import uuid
from typing import Literal

from typing_extensions import TypedDict

from venom_core.runtime.figures import FigureReader
from venom_core.usecases.runtime import RuntimeUseCases, mebibytes, percent


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


class SystemUseCases:
    """Use cases of the system; nothing here changes anything."""

    def __init__(self, runtime: RuntimeUseCases, figures: FigureReader) -> None:
        self._runtime = runtime
        self._figures = figures
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
