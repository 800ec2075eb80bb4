"""Figures of this machine: memory and cores."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Where Linux tells the limit of a control group, as a container sees its own; versions 2 and 1.
CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes as the system reports them, or a container's limit where that is less."""

    memory_total_bytes: int
    memory_available_bytes: int
    cores: int
    system: str


def this_machine() -> Machine:
    """The machine now; reads ``/proc`` or its equivalent, microseconds."""
    import psutil

    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    for limit, left in _container_limits():
        total, available = min(total, limit), min(available, left)
    return Machine(
        total,
        available,
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        f"{platform.system()} {platform.machine()}",
    )


def _container_limits() -> Iterator[tuple[int, int]]:
    """The limit that this process is under, and what of it is left; nothing where there is none."""
    for folder, most, used in CGROUPS:
        limit, current = _number(folder / most), _number(folder / used)
        if limit is not None and current is not None:
            yield limit, max(0, limit - current + _reclaimable(folder / "memory.stat"))


def _reclaimable(stat: Path) -> int:
    """Pages of files that nobody used lately: they count as used, and are given up on demand."""
    try:
        lines = stat.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 0
    counts = dict(line.split(" ", 1) for line in lines if " " in line)
    text = counts.get("inactive_file") or counts.get("total_inactive_file") or "0"
    return int(text) if text.isdigit() else 0


def _number(path: Path) -> int | None:
    """The number in a file; None where it is not there or says that there is no limit."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else None
