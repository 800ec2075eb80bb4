"""Figures of processes now: how busy, how large, since when; each with all that it started."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from venom_core.sdk.engine_processes import list_tree

#: Seconds between the two looks that a first question takes.
FIRST_SPAN = 0.1
#: A look that is older tells of a time that nobody asks about; one that is younger, of none.
OLDEST, YOUNGEST = 60.0, 0.1


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """Of a process and its descendants together, but for those that were asked for by themselves;
    None where the system does not tell.

    ``cpu_percent`` counts one core as 100, ``started`` is in seconds since the epoch.
    """

    pid: int
    cpu_percent: float | None
    memory_bytes: int | None
    started: float | None


class _Tree(NamedTuple):
    """CPU seconds of each process, by its number and its start."""

    seconds: Mapping[tuple[int, float], float]
    memory: int | None
    started: float | None


class ProcessReader:
    """Reads figures. How busy a process is, is told of the time since the last question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trees: dict[int, _Tree] = {}
        self._looked_at = float("-inf")
        self._told: dict[int, ProcessFigures] = {}

    def read(self, pids: Iterable[int]) -> dict[int, ProcessFigures]:
        """Return the figures of those that live. Blocks, a tenth of a second at the first
        question."""
        wanted = sorted(set(pids))
        with self._lock:
            if not wanted:
                return {}
            age = time.monotonic() - self._looked_at
            known = all(pid in self._trees for pid in wanted)
            if known and age < YOUNGEST:
                return {pid: self._told[pid] for pid in wanted if pid in self._told}
            if not known or age > OLDEST:
                self._look(wanted)
                time.sleep(FIRST_SPAN)
            self._compare(wanted)
            return {pid: self._told[pid] for pid in wanted if pid in self._told}

    def _look(self, pids: Sequence[int]) -> None:
        self._trees = {pid: _tree(pid, set(pids) - {pid}) for pid in pids}
        self._looked_at = time.monotonic()

    def _compare(self, pids: Sequence[int]) -> None:
        before, at = self._trees, self._looked_at
        self._look(pids)
        span = max(self._looked_at - at, 1e-6)
        self._told = {
            pid: ProcessFigures(
                pid, _percent(before.get(pid), tree, span), tree.memory, tree.started
            )
            for pid, tree in self._trees.items()
            if tree.started is not None
        }


def _tree(pid: int, apart: set[int]) -> _Tree:
    """Look at a tree, without those of ``apart`` that grow on it and are told of alone."""
    import psutil

    seconds: dict[tuple[int, float], float] = {}
    memory, started = 0, None
    whole = list_tree(pid)
    grown = apart & {process.pid for process in whole}
    others = {process.pid for other in grown for process in list_tree(other)}
    for process in whole:
        if process.pid in others:
            continue
        with contextlib.suppress(psutil.Error), process.oneshot():
            began = process.create_time()
            times = process.cpu_times()
            seconds[process.pid, began] = times.user + times.system
            memory += process.memory_info().rss
            started = began if process.pid == pid else started
    return _Tree(seconds, memory or None, started)


def _percent(before: _Tree | None, now: _Tree, span: float) -> float | None:
    """Return how busy a tree was; what one that began in between used is its own."""
    if before is None:
        return None
    used = sum(
        max(0.0, seconds - before.seconds.get(process, 0.0))
        for process, seconds in now.seconds.items()
    )
    return round(100 * used / span, 1)


def listener(port: int) -> int | None:
    """Return the process of this machine that listens on a port, where the system tells. Blocks."""
    import psutil

    try:
        found = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None
    listening = (
        one.pid for one in found
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid
    )  # fmt: skip
    return next(listening, None)
