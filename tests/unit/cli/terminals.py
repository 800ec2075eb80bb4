"""The command line on a pseudo-terminal, for the tests that type and press keys."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.unit.cli.processes import VENOM, environment
from venom_core.testing.deadlines import patience

CTRL_C, CTRL_D = b"\x03", b"\x04"


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process = process
        self.handle = handle
        self.shown = ""

    def type(self, text: str | bytes) -> None:
        os.write(self.handle, text if isinstance(text, bytes) else text.encode())

    def press(self, key: bytes, pattern: str, tries: int = 10) -> str:
        """Type a key until the pattern is shown. CPython's prompt loses a signal that comes between
        showing itself and its ``select``; a person presses again."""
        for _ in range(tries - 1):
            self.type(key)
            try:
                return self.until(pattern, 5)
            except TimeoutError:
                continue
        self.type(key)
        return self.until(pattern)

    def until(self, pattern: str, seconds: float = 90) -> str:
        """Return what is shown from now up to a match of the pattern."""
        deadline = time.monotonic() + patience(seconds)
        since = ""
        while not re.search(pattern, since):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{pattern!r} was not shown:\n{self.shown}")
            if not select.select([self.handle], [], [], min(left, 0.5))[0]:
                continue
            try:
                data = os.read(self.handle, 65536).decode("utf-8", "replace")
            except OSError:  # the other end was closed
                data = ""
            assert data, f"it ended before {pattern!r} was shown:\n{self.shown}"
            since += data
            self.shown += data
        return since


@contextmanager
def on_terminal(
    home: Path, *arguments: str, command: Sequence[str] = VENOM, cwd: Path | None = None, **env: str
) -> Iterator[Terminal]:
    """A command on a terminal of its own, ended after the block."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=cwd,
        env=environment(home, **{"TERM": "xterm-256color", "COLUMNS": "120"} | env),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait(patience(20))
        os.close(master)


def take_terminal() -> None:
    """Make standard input the session's terminal, so that Ctrl-C typed into it is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
