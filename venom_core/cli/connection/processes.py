"""Which process is which: a number and a start time name one for good, a number alone does not."""

from __future__ import annotations

from dataclasses import dataclass

# The start time is computed from the boot time and a counter; adjusted clocks move it a little.
TOLERANCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """``started`` is in seconds since the epoch."""

    pid: int
    started: float

    @classmethod
    def own(cls) -> ProcessIdentity:
        import psutil

        process = psutil.Process()
        return cls(process.pid, process.create_time())

    def lives(self) -> bool:
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < TOLERANCE_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OverflowError, ValueError):
            return False


def who_listens(port: int) -> str | None:
    """``name (pid 123)`` of the process that listens on a TCP port; None where the system does not
    tell, which is usual for another user's process."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port:
                pid = connection.pid
                return f"{psutil.Process(pid).name()} (pid {pid})" if pid else None
    except (psutil.Error, OSError):
        return None
    return None
