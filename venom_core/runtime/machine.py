"""Figures of this machine: memory and cores."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes as the system reports them."""

    memory_total_bytes: int
    memory_available_bytes: int
    cores: int
    system: str


def this_machine() -> Machine:
    """The machine now; reads ``/proc`` or its equivalent, microseconds."""
    import psutil

    memory = psutil.virtual_memory()
    return Machine(
        memory.total,
        memory.available,
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        f"{platform.system()} {platform.machine()}",
    )
