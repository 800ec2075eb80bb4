"""The identity of a process: its number and its start time; numbers are used again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from venom_core.sdk.numbers import MOST_SECONDS

if TYPE_CHECKING:
    import psutil

#: The start time is computed from the boot time and a counter; adjusted clocks move it a little.
TOLERANCE_SECONDS = 2.0
MOST_PID = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """``started`` is in seconds since the epoch."""

    pid: int
    started: float

    @classmethod
    def own(cls) -> ProcessIdentity:
        """Return this process's identity."""
        import psutil

        return cls.of(psutil.Process())

    @classmethod
    def of(cls, process: psutil.Process) -> ProcessIdentity:
        """Return a process's identity; one that is gone meanwhile gets one that nobody has."""
        import psutil

        try:
            return cls(process.pid, process.create_time())
        except psutil.Error:
            return cls(process.pid, 0.0)

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> ProcessIdentity:
        """Read what :meth:`record` wrote, in whatever file. Raises ``KeyError``, ``TypeError``, or
        ``ValueError`` for what is no number of a process or no moment."""
        pid, started = record["pid"], record["started"]
        if type(pid) is not int or not 0 < pid <= MOST_PID:
            raise ValueError("pid is no number of a process")
        if type(started) not in (int, float) or not 0 <= started <= MOST_SECONDS * 100:
            raise ValueError("started is no moment")
        return cls(pid, float(started))

    def record(self) -> dict[str, Any]:
        """Return the identity as JSON values."""
        return {"pid": self.pid, "started": self.started}

    def find(self) -> psutil.Process | None:
        """Return the process where it still lives; a zombie does not."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < TOLERANCE_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.Error, OverflowError, ValueError):
            return None

    def lives(self) -> bool:
        """Return whether the process still lives."""
        return self.find() is not None
