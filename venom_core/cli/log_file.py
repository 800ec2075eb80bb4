"""The file of the log: bounded, and never a reason for anything else to fail."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import stat
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from venom_core.cli.wording import words

MAX_BYTES = 2 * 1024 * 1024

log = logging.getLogger(__name__)


class BoundedLog(RotatingFileHandler):
    """A log of two files at most, ``MAX_BYTES`` each.

    A line that cannot be written, most often on a full disk, is lost and nothing else is; that is
    said on stderr once, and in the log as soon as it can be written again. Raises ``OSError`` where
    the file cannot be opened.
    """

    stream: Any  # a _Lines

    def __init__(self, file: Path) -> None:
        self._lost = 0
        self._said = False
        super().__init__(file, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8")

    def _open(self) -> Any:
        return _Lines(self.baseFilename)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, made into its line once: :class:`RotatingFileHandler` makes it twice, and
        looks at the path, for every one."""
        before = self._lost
        try:
            line = self.format(record) + self.terminator
            if self.stream.is_full(len(line)):
                self.doRollover()
            self.stream.write(line)
        except Exception:
            self.handleError(record)
        if self._lost and self._lost == before:
            self._lost = 0
            log.warning("lines before this one could not be written: %d", before)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Count the line that is lost, and say so at the first one."""
        self._lost += 1
        if self._said:
            return
        self._said = True
        error = sys.exception()
        why = error.strerror if isinstance(error, OSError) else type(error).__name__
        text = f"The log {self.baseFilename} cannot be written ({why}). Everything else goes on."
        with contextlib.suppress(OSError, ValueError):  # stderr may be on the same disk
            print(words(f"Warning: {text}"), file=sys.stderr, flush=True)


class _Lines(io.FileIO):
    """Keeps nothing to be written later: what failed once would fail at every line after it."""

    def __init__(self, file: str) -> None:
        super().__init__(file, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))
        self._torn = False
        self._is_regular = stat.S_ISREG(os.fstat(self.fileno()).st_mode)
        if self._is_regular and hasattr(os, "fchmod"):
            os.fchmod(self.fileno(), 0o600)  # somebody else may have made it

    def is_full(self, more: int) -> bool:
        """Return whether so many characters more are too many for the file; a pipe or a terminal
        is never full. Other processes write to the file too."""
        return self._is_regular and self.seek(0, io.SEEK_END) + more >= MAX_BYTES

    def write(self, text: Any) -> int:
        """Write a line whole; one that a full disk has torn apart is ended before the next."""
        left = memoryview((b"\n" if self._torn else b"") + text.encode("utf-8", "backslashreplace"))
        while left:
            written = super().write(left)
            self._torn = len(left) > written
            left = left[written:]
        return len(text)
