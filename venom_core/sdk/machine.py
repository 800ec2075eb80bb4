"""The memory and the CPUs that this process may use: the machine's, or its container's where less.

Everything that shows, compares or divides them reads them here.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Where Linux tells the limits of a control group, as a container sees its own.
CGROUPS = Path("/sys/fs/cgroup")
#: Folder, limit and usage of the memory; versions 2 and 1 of control groups.
_MEMORY_FILES = (
    ("", "memory.max", "memory.current"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
#: Folders of version 1 that tell the CPU quota.
_CPU_FOLDERS = ("cpu", "cpu,cpuacct")


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes as the system reports them, or a container's limit where that is less."""

    memory_total_bytes: int
    memory_available_bytes: int
    cores: int
    system: str


def this_machine() -> Machine:
    """Read the machine as it is now: ``/proc`` or its equivalent, microseconds."""
    import psutil

    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    for limit, left in container_memory():
        total, available = min(total, limit), min(available, left)
    return Machine(total, available, usable_cores(), f"{platform.system()} {platform.machine()}")


def available_memory() -> int:
    """Return the bytes of memory that programs may still take."""
    return this_machine().memory_available_bytes


def engine_threads(setting: int) -> int:
    """Return the threads of one engine: as set, else one less than there are cores."""
    return setting or max(1, usable_cores() - 1)


def usable_cores() -> int:
    """Return how many CPUs this process may keep busy, at least one.

    A quota of a fraction counts as the next whole one.
    """
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return max(1, min((cores, *_cpu_quotas())))


def container_memory() -> Iterator[tuple[int, int]]:
    """Yield each limit that this process is under, and what of it is left; none where unlimited."""
    for folder, most, used in _MEMORY_FILES:
        place = CGROUPS / folder
        limit, current = _number(place / most), _number(place / used)
        if limit is not None and current is not None:
            yield limit, max(0, limit - current + _reclaimable(place / "memory.stat"))


def _cpu_quotas() -> Iterator[int]:
    """Yield the CPUs that a quota allows, rounded up."""
    quota, _, period = _text(CGROUPS / "cpu.max").partition(" ")
    pairs = [(quota, period)]
    for name in _CPU_FOLDERS:
        place = CGROUPS / name
        pairs.append((_text(place / "cpu.cfs_quota_us"), _text(place / "cpu.cfs_period_us")))
    for quota, period in pairs:
        if quota.isdigit() and period.isdigit() and int(quota) and int(period):
            yield -(-int(quota) // int(period))


def _reclaimable(stat: Path) -> int:
    """Return the pages of files that nobody used lately: counted as used, given up on demand."""
    counts = dict(line.split(" ", 1) for line in _text(stat).splitlines() if " " in line)
    text = counts.get("inactive_file") or counts.get("total_inactive_file") or "0"
    return int(text) if text.isdigit() else 0


def _number(path: Path) -> int | None:
    """Return the number in a file; None where it is not there or says that there is no limit."""
    text = _text(path)
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
