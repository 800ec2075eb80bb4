"""Starts an engine, owns its process group, and ends all of it when Venom goes away.

Run by the engine's own interpreter as a script; standard library only, Python 3.9 or newer::

    python -I -S engine_launcher.py LOG_FILE LOG_LIMIT_BYTES GRACE_SECONDS ARGS...

The engine is ``python ARGS...``, or where the first of them is ``--`` the program that the second
names. With ``-`` for the log it writes to the launcher's own standard
output. Standard input is a pipe that only Venom holds open: when it closes, whatever became of
Venom, the engine and everything it started get SIGTERM, and SIGKILL after the grace. SIGTERM to the
launcher does the same. The launcher ends with the engine's exit code, 128 plus the signal where a
signal ended it.

On Windows there are no process groups to signal: ``taskkill /T`` ends the tree as it is found at
that moment, as best effort.
"""

# It starts before every engine, and importing pathlib would cost more than all of this.
# ruff: noqa: PTH110, PTH112, PTH123, PTH208

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import BinaryIO

POLL_SECONDS = 0.05
#: As a shell ends where it cannot run a command.
NOT_RUN = 127
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class CappedLog:
    """A log that never takes more than ``limit`` bytes: the file, and one older half beside it."""

    def __init__(self, path: str, limit: int) -> None:
        self.path = path
        self.half = max(limit // 2, 1)
        self.size = 0
        self.file: BinaryIO | None = None
        self._rotate()

    def _rotate(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
        if os.path.exists(self.path):
            os.replace(self.path, self.path + ".1")
        # An engine may be told to log what it is asked: only its owner reads that.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.file = os.fdopen(descriptor, "wb", buffering=0)
        self.size = 0

    def write(self, data: bytes) -> None:
        try:
            while data:
                if self.size >= self.half:
                    self._rotate()
                piece, data = data[: self.half - self.size], data[self.half - self.size :]
                if self.file is not None:
                    self.file.write(piece)
                self.size += len(piece)
        except OSError:
            # A full disk must not stop the engine: it would block on a pipe that nobody drains.
            self.size += len(data)


class Launcher:
    """The engine's process and its end. ``stopping`` is set by whoever wants the end first."""

    def __init__(self, args: list[str], log: CappedLog | None, grace: float) -> None:
        self.log = log
        self.grace = grace
        self.stopping = threading.Event()
        become_reaper()
        self.process = subprocess.Popen(
            args[1:] if args[:1] == ["--"] else [sys.executable, *args],
            stdin=subprocess.DEVNULL,
            stdout=None if log is None else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Safe here: no thread has been started yet.
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )

    def run(self) -> int:
        """Wait for the engine or for the wish to stop; returns the exit code to end with."""
        if self.log is not None:
            threading.Thread(target=self._pump, args=(self.log,), daemon=True).start()
        threading.Thread(target=self._watch_pipe, daemon=True).start()
        while self.process.poll() is None and not self.stopping.is_set():
            self.stopping.wait(POLL_SECONDS)
        self._end_tree()
        code = self.process.wait()
        return 128 - code if code < 0 else code

    def _pump(self, log: CappedLog) -> None:
        assert self.process.stdout is not None
        while True:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return
            log.write(data)

    def _watch_pipe(self) -> None:
        while os.read(0, 4096):
            pass
        self.stopping.set()

    def _end_tree(self) -> None:
        """Send SIGTERM to the tree, SIGKILL to what is left of it after the grace."""
        if sys.platform == "win32":
            kill_tree_windows(self.process.pid)
            return
        deadline = time.monotonic() + self.grace
        told: set[int] = set()
        while True:
            self._reap()
            alive = descendants(os.getpid())
            if not alive:
                return
            late = time.monotonic() > deadline
            for pid in alive if late else alive - told:
                send(pid, signal.SIGKILL if late else signal.SIGTERM)
            told |= alive
            time.sleep(POLL_SECONDS)

    def _reap(self) -> None:
        """Collect ended children: the engine, and the orphans that a subreaper inherits."""
        if self.process.poll() is None:
            return
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def become_reaper() -> None:
    """Adopt orphans of the engine on Linux, so that none can hide by changing its session."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Let the engine end on Linux even where this launcher was killed with SIGKILL."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(root: int) -> set[int]:
    """Return every living process below ``root``; zombies do not count."""
    children: dict[int, list[int]] = {}
    for pid, parent in process_table():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    queue = [root]
    while queue:
        for pid in children.get(queue.pop(), ()):
            if pid not in found:
                found.add(pid)
                queue.append(pid)
    return found


def process_table() -> list[tuple[int, int]]:
    """Return (pid, parent) of the living processes: from /proc where there is one, else from ps."""
    if os.path.isdir("/proc/self"):
        rows = [proc_row(int(name)) for name in os.listdir("/proc") if name.isdigit()]
        return [row for row in rows if row is not None]
    ps = subprocess.Popen(
        ["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    output = ps.communicate(timeout=5)[0].decode()
    fields = [line.split() for line in output.splitlines()]
    return [
        (int(row[0]), int(row[1]))
        for row in fields
        if len(row) == 3 and not row[2].startswith("Z") and int(row[0]) != ps.pid
    ]


def proc_row(pid: int) -> tuple[int, int] | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return None  # it ended between the listing and the look
    # The name is in parentheses and may contain any character, parentheses included.
    state, parent = stat[stat.rindex(b")") + 2 :].split()[:2]
    return None if state == b"Z" else (pid, int(parent))


def send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def kill_tree_windows(pid: int) -> None:
    subprocess.run(
        ["taskkill", "/T", "/F", "/PID", str(pid)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        timeout=10, check=False,
    )  # fmt: skip


def main(argv: list[str]) -> int:
    log = None if argv[1] == "-" else CappedLog(argv[1], int(argv[2]))
    launcher: list[Launcher] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        if launcher:
            launcher[0].stopping.set()
        else:
            sys.exit(143)

    # A handler and not SIG_IGN: the engine would inherit an ignored signal.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, stop)
    try:
        launcher.append(Launcher(argv[4:], log, float(argv[3])))
    except OSError:  # a program that is gone meanwhile, or of another processor
        return NOT_RUN
    return launcher[0].run()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
