"""The lock of the data directory: one process at a time runs engines and changes models.

Beside it lies a record of who holds it, so that the one who has to wait can be told.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from venom_core.cli.connection.files import read_record, remove_own, write_record
from venom_core.sdk.errors import Conflict
from venom_core.sdk.process_identity import ProcessIdentity
from venom_core.settings.paths import Paths

#: Seconds that a command waits for another short one to end.
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that works in the data directory; ``command`` as it was typed: ``venom serve``."""

    pid: int
    started: float
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


def holder_file(paths: Paths) -> Path:
    return paths.run_dir / "holder.json"


def read_holder(paths: Paths) -> Holder | None:
    """Return the living process that holds the lock, as far as its record tells."""
    record = read_record(holder_file(paths)) or {}
    try:
        identity = ProcessIdentity.parse(record)
        holder = Holder(identity.pid, identity.started, str(record["command"]))
    except (KeyError, TypeError, ValueError):
        return None
    return holder if identity.lives() else None


@contextlib.contextmanager
def hold_data_directory(paths: Paths, command: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock while the block runs.

    Args:
        command: shown to whoever meets the lock meanwhile.
        patience: seconds to wait for the present holder.

    Raises:
        Conflict: ``data_directory_busy``, naming the holder.
        StorageError: ``home_not_writable``.
    """
    import filelock

    paths.make(paths.home)
    lock = filelock.FileLock(paths.lock_file, mode=0o600)
    try:
        lock.acquire(timeout=patience, poll_interval=0.05)
    except filelock.Timeout as error:
        raise busy(paths) from error
    except OSError as error:
        raise paths.not_writable(error) from error
    identity = ProcessIdentity.own()
    holder = Holder(identity.pid, identity.started, command)
    try:
        write_record(paths, holder_file(paths), asdict(holder))
        yield
    finally:
        remove_own(holder_file(paths), identity.pid)
        lock.release()


def busy(paths: Paths) -> Conflict:
    """Return the refusal that names whoever holds the lock."""
    holder = _wait_for_record(paths)
    who = str(holder) if holder else "Another process"
    if holder is not None and holder.command.startswith(("venom serve", "venom quickstart")):
        fix = f"Use that server, or stop it first: {stop_command(holder.pid)}"
    else:
        fix = (
            "Wait until it ends, or run one server that all commands share: venom serve. "
            "VENOM_HOME chooses another data directory."
        )
    return Conflict(f"{who} works in {paths.home}.", code="data_directory_busy", fix=fix)


def _wait_for_record(paths: Paths) -> Holder | None:
    """Wait a moment for the record, which the holder writes right after it took the lock."""
    for _ in range(5):
        if holder := read_holder(paths):
            return holder
        time.sleep(0.02)
    return None


def stop_command(pid: int) -> str:
    """Return how a person ends a process on this system."""
    return f"taskkill /PID {pid}" if sys.platform == "win32" else f"kill {pid}"
