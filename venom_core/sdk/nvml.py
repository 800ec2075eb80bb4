"""NVIDIA's cards, asked of the driver's own library (NVML) through ``nvidia-ml-py``.

A question takes a millisecond, where NVIDIA's program has to be started for each. The package is
optional (``venom[nvidia]``): nothing of it is imported where it is missing or there is no driver,
and whoever gets None asks the program.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
from typing import Any, NamedTuple

from venom_core.sdk.numbers import real, size

log = logging.getLogger(__name__)

BINDING = "pynvml"
MOST_CARDS = 64
#: One question at a time: a driver that hangs keeps one thread and no more.
_asking = threading.Lock()
_opened = False


class Told(NamedTuple):
    """One card: how busy it is, bytes used and in all; None where it does not tell."""

    percent: float | None
    used: int | None
    total: int | None


def is_here() -> bool:
    """Return whether the package is installed; imports nothing."""
    return importlib.util.find_spec(BINDING) is not None


def cards() -> tuple[Told, ...] | None:
    """Return every card; None where the library does not tell of any. Blocks.

    Raises ``TimeoutError`` where the question before is not answered yet.
    """
    if not is_here():
        return None
    if not _asking.acquire(blocking=False):
        raise TimeoutError
    try:
        return _cards()
    finally:
        _asking.release()


def _cards() -> tuple[Told, ...] | None:
    global _opened  # noqa: PLW0603 -- one driver, one library
    import pynvml

    try:
        if not _opened:
            # It stays open: opening it costs more than the questions, and may wake a card.
            pynvml.nvmlInit()
            _opened = True
        count = min(int(pynvml.nvmlDeviceGetCount()), MOST_CARDS)
        found = tuple(_card(pynvml, pynvml.nvmlDeviceGetHandleByIndex(at)) for at in range(count))
    except Exception as error:  # a library of another version, or a driver that was just replaced
        log.info("NVML does not tell of cards: %s", error)
        _opened = False
        return None
    return found or None


def _card(library: Any, handle: Any) -> Told:
    percent = used = total = None
    try:
        told = library.nvmlDeviceGetUtilizationRates(handle).gpu
        percent = real(told, "nvml.percent", 0, 100)
    except library.NVMLError:  # a part of a card does not tell how busy it is
        pass
    try:
        memory = _memory(library, handle)
        used, total = size(memory.used, "nvml.used"), size(memory.total, "nvml.total")
    except library.NVMLError:  # one that shares the machine's memory has none of its own
        pass
    return Told(percent, used, total)


def _memory(library: Any, handle: Any) -> Any:
    """Ask for the memory that programs use, as NVIDIA's own program counts it; a driver that does
    not tell that apart counts what it keeps for itself too."""
    try:
        return library.nvmlDeviceGetMemoryInfo(handle, version=library.nvmlMemory_v2)
    except library.NVMLError:
        return library.nvmlDeviceGetMemoryInfo(handle)
