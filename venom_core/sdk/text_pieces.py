"""Text that comes token by token: whole characters, and the end at a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence

REPLACEMENT = "\ufffd"
#: Tokens after which what is still no character is one that the model got wrong.
MOST_PENDING = 16


class Characters:
    """Makes whole characters of tokens, for a tokenizer that can only decode lists of them.

    A character may be made of several tokens, and how a token reads may depend on the one before
    (a leading blank): so a few tokens are decoded with and without the new one.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._told = 0  # tokens whose text was given out

    def add(self, token: int) -> str:
        """Return what the token adds; nothing while a character is not whole."""
        self._ids.append(token)
        known = self._decode(self._ids[: self._told])
        text = self._decode(self._ids)
        pending = len(self._ids) - self._told
        if len(text) <= len(known) or (text.endswith(REPLACEMENT) and pending < MOST_PENDING):
            return ""
        # The last one is kept: the next token may read differently behind it.
        self._ids = self._ids[self._told :]
        self._told = len(self._ids)
        return text[len(known) :]


class StopStrings:
    """Joins pieces of text and ends them before the first stop string, however it is split.

    What could be the beginning of a stop string is held back until it is known not to be one.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        #: Characters that came so far.
        self.received = 0
        self.stopped = False

    def add(self, piece: str | bytes) -> str:
        """Return what may be given out now."""
        text = self._utf8.decode(piece) if isinstance(piece, bytes) else piece
        self.received += len(text)
        self._held += text
        places = [self._held.find(stop) for stop in self._stops]
        found = [place for place in places if place >= 0]
        if found:
            self.stopped = True
            return self._release(min(found))
        return self._release(len(self._held) - self._undecided())

    def end(self) -> str:
        """Return what was held back; half a character at the end is none and is left out."""
        return self._release(len(self._held))

    def _release(self, length: int) -> str:
        given, self._held = self._held[:length], "" if self.stopped else self._held[length:]
        return given

    def _undecided(self) -> int:
        """Return how many characters at the end may begin a stop string."""
        longest = max(map(len, self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
