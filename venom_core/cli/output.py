"""The one way to the terminal: whatever a command prints, no word of a stranger moves the cursor,
and no secret that is known is shown.

While a command runs ``sys.stdout`` and ``sys.stderr`` are :class:`SafeOutput`. What is meant to
reach the stream as it is (the bar of a download, an answer that goes into a pipe, a key that is
shown this once) is written to :func:`raw`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Iterator
from typing import IO, Any, cast

from venom_core.sdk.masking import masked
from venom_core.sdk.printable import printable

#: Stands for a style of ours until the last moment; nobody can guess it and so write one.
_MARK = os.urandom(8).hex()
_STYLE = re.compile(f"{_MARK}([012])")


class SafeOutput:
    """A text stream in whose texts secrets are masked and control characters are shown."""

    def __init__(self, stream: IO[str]) -> None:
        self.raw = stream

    def write(self, text: str) -> int:
        self.raw.write(_STYLE.sub("\x1b[\\1m", printable(masked(text))))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def raw(stream: IO[str]) -> IO[str]:
    """Return the stream behind, where everything is written as it is."""
    return stream.raw if isinstance(stream, SafeOutput) else stream


def styled(text: str, code: int, stream: IO[str]) -> str:
    """Return text that a terminal shows in a style: 1 is bold, 2 is dim."""
    if isinstance(stream, SafeOutput):
        return f"{_MARK}{code}{text}{_MARK}0"
    return f"\x1b[{code}m{text}\x1b[0m"


# ``print`` does not hold ``sys.stdout`` while it writes to it: freed meanwhile, at the end of a
# command while a thread of a plugin prints, it takes the interpreter down. The cache holds it.
@functools.lru_cache(maxsize=16)
def _safe(stream: IO[str]) -> SafeOutput:
    return SafeOutput(stream)


@contextlib.contextmanager
def safe_output() -> Iterator[None]:
    """Make both standard streams safe while the block runs."""
    before = sys.stdout, sys.stderr
    streams = [stream and _safe(raw(stream)) for stream in before]
    sys.stdout, sys.stderr = cast("list[Any]", streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
