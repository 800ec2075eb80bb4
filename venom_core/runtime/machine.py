"""Figures of this machine: memory, cores, and whether a model of some size fits."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

#: Weights are not all: context, buffers and the engine itself. A rule of thumb for before the
#: download, used for suggestions only.
WORKING_SHARE = 1.25
WORKING_BYTES = 400_000_000


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


def fits(size_bytes: int, machine: Machine) -> bool:
    """Whether a model file of this size can be expected to run in the memory free now."""
    return size_bytes * WORKING_SHARE + WORKING_BYTES <= machine.memory_available_bytes
