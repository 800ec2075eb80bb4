"""Whether a process still lives, for tests that end processes."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def lives(process: psutil.Process) -> bool:
    """Return whether it runs; one that ended and was not waited for (a zombie) does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it went between the two looks
        return False


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still live."""
    return [process for process in processes if lives(process)]
