"""Output that a plugin prints while it is imported: it goes to the log, not into ``--json``."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, TextIO

LONGEST_KEPT = 64 * 1024


class Captured:
    """The text that one thread printed, cut at :data:`LONGEST_KEPT` characters."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

    def write(self, text: str) -> None:
        room = LONGEST_KEPT - self._length
        if room > 0:
            self._parts.append(text[:room])
            self._length += len(text[:room])

    @property
    def text(self) -> str:
        return "".join(self._parts)


class _Router:
    """Stands for ``sys.stdout`` or ``sys.stderr``: writes of a captured thread go to its capture,
    everything else goes where it always went."""

    def __init__(self, stream: TextIO | Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        captured = _captured.get(threading.get_ident())
        if captured is not None:
            captured.write(text)
            return len(text)
        # pythonw and daemons have no stream at all
        return 0 if self.stream is None else int(self.stream.write(text))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self.stream is not None and threading.get_ident() not in _captured:
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


_captured: dict[int, Captured] = {}
#: ``print`` does not hold ``sys.stdout`` while it writes to it: freed meanwhile by a capture that
#: ends in another thread, it takes the interpreter down. So the last ones are kept.
_kept: deque[_Router] = deque(maxlen=64)
_changing = threading.Lock()


@contextlib.contextmanager
def capture() -> Iterator[Captured]:
    """Capture what the calling thread prints. The streams are given back when the last capture
    ends; a thread that never ends keeps being captured, and the others print as ever."""
    mine = Captured()
    ident = threading.get_ident()
    with _changing:
        _install()
        _captured[ident] = mine
    try:
        yield mine
    finally:
        with _changing:
            del _captured[ident]
            if not _captured:
                _restore()


def _install() -> None:
    """Replace the streams at each capture: while a thread hangs, somebody may have replaced
    them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, _Router):
            _kept.append(_Router(stream))
            setattr(sys, name, _kept[-1])


def _restore() -> None:
    """Undo :func:`_install`, unless somebody replaced the stream in between: theirs stays."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, _Router):
            setattr(sys, name, stream.stream)
