"""The processes of an engine: looking at them, ending them, remembering them over a restart.

Everything here blocks; :mod:`venom_core.sdk.engine` calls it in threads.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venom_core.sdk.disk import write_file
from venom_core.sdk.process_identity import ProcessIdentity

if TYPE_CHECKING:
    import psutil

logger = logging.getLogger(__name__)

TAIL_BYTES = 64 * 1024


def list_tree(pid: int) -> list[psutil.Process]:
    """Return a process and its descendants, as far as they live."""
    import psutil

    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def tree_memory(pid: int) -> int | None:
    """Return the resident bytes of a process tree; None when it is gone."""
    import psutil

    sizes = []
    for process in list_tree(pid):
        with contextlib.suppress(psutil.Error):
            sizes.append(process.memory_info().rss)
    return sum(sizes) or None


def listens(pid: int, port: int) -> bool:
    """Return whether one of the tree's processes listens on ``port``; true where the system won't
    say."""
    import psutil

    try:
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for process in list_tree(pid)
            for connection in process.net_connections("tcp")
        )
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def kill_all(processes: list[psutil.Process]) -> None:
    """Send SIGKILL to each that still lives; psutil checks that the id is still the same
    process."""
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def end_group(pid: int) -> None:
    """Send SIGKILL to what is left of the launcher's process group."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def write_pid_file(path: Path, pid: int) -> None:
    """Remember a process tree and its owner, each with its start time."""
    record = {
        "owner": ProcessIdentity.own().record(),
        "processes": [ProcessIdentity.of(process).record() for process in list_tree(pid)],
    }
    write_file(path, json.dumps(record))


def reap(pid_file: Path) -> bool:
    """End the engine that a dead Venom left behind; returns whether there was one.

    An engine whose owner lives is left alone, and so is a process that merely has an old engine's
    id: only one with the recorded start time is ended.
    """
    try:
        record = json.loads(pid_file.read_text())
        if any(owner.lives() for owner in _identities([record["owner"]])):
            return False
        known = _identities(record["processes"])
        left = [found for process in known if (found := process.find()) is not None]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        left = []
    for process in left:
        logger.warning("ending an engine process that an earlier run left: %d", process.pid)
        kill_all([*list_tree(process.pid)])
    forget(pid_file)
    return bool(left)


def _identities(rows: Any) -> list[ProcessIdentity]:
    """Return the processes of a record; a row that is none leaves the others."""
    found = []
    for row in rows if isinstance(rows, list) else ():
        with contextlib.suppress(KeyError, TypeError, ValueError):
            found.append(ProcessIdentity.parse(row))
    return found


def reap_orphans(folder: Path) -> int:
    """Call :func:`reap` for every ``*.pid`` file of a folder; returns how many engines were
    ended."""
    return sum(reap(path) for path in sorted(folder.glob("*.pid")))


def forget(pid_file: Path) -> None:
    """Remove the file of an engine that has ended."""
    with contextlib.suppress(OSError):
        pid_file.unlink()


def read_tail(path: Path, lines: int) -> tuple[str, ...]:
    """Return the last ``lines`` lines of a text file; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read(TAIL_BYTES)
    except OSError:
        return ()
    return tuple(text.decode("utf-8", "replace").splitlines()[-lines:]) if lines > 0 else ()
