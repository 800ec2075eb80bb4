"""What models and machine take now, in the words of the contract (``GET /models/usage``)."""

from __future__ import annotations

from typing import Any

from venom_core.runtime.figures import Figures


def usage_view(
    figures: Figures, model_bytes: int | None, limit_bytes: int, models_count: int | None
) -> dict[str, Any]:
    """Every key, whatever is known: null where it is not. GB are a thousand million bytes, MB are
    1024 * 1024 as graphics cards count them."""
    gpu = figures.gpu
    return {
        "disk_usage_gb": _gb(model_bytes),
        "disk_limit_gb": _gb(limit_bytes),
        "disk_usage_percent": _percent(model_bytes, limit_bytes),
        "disk_system_total_gb": _gb(figures.disk_total),
        "disk_system_used_gb": _gb(figures.disk_used),
        "disk_system_usage_percent": _percent(figures.disk_used, figures.disk_total),
        "disk_system_mount": figures.mount,
        "cpu_usage_percent": round(figures.cpu_percent, 1),
        "memory_total_gb": _gb(figures.memory_total),
        "memory_used_gb": _gb(figures.memory_used),
        "memory_usage_percent": _percent(figures.memory_used, figures.memory_total),
        "models_count": models_count,
        "gpu_usage_percent": gpu.percent,
        "vram_usage_mb": _mb(gpu.used_bytes),
        "vram_total_mb": _mb(gpu.total_bytes),
        "vram_usage_percent": _percent(gpu.used_bytes, gpu.total_bytes),
    }


def _gb(count: int | None) -> float | None:
    return None if count is None else round(count / 1e9, 2)


def _mb(count: int | None) -> float | None:
    return None if count is None else round(count / (1024 * 1024), 1)


def _percent(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else round(100 * part / whole, 1)
