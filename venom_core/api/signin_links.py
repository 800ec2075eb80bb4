"""Sign-in links: an address that signs one browser in, once, without a key being typed.

The ticket stands behind ``#``, which browsers send to no server; only its hash is kept, in memory.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from venom_core.store.keys import hash_key

#: In which a link must be opened.
LINK_SECONDS = 3600
MAX_LINKS = 100
FRAGMENT = "#sign-in="


class SignInLinks:
    """The tickets that nobody has used yet, each with the key that it signs in with.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[bytes, tuple[str, float]] = {}

    def make(self, key_id: str) -> str:
        """Return a new ticket; where there are too many the oldest is void."""
        ticket = secrets.token_urlsafe(32)
        while len(self._open) >= MAX_LINKS:
            del self._open[next(iter(self._open))]
        self._open[hash_key(ticket)] = (key_id, self._clock() + LINK_SECONDS)
        return ticket

    def take(self, ticket: str) -> str | None:
        """Return the id of the ticket's key, once; None where it was used or is too old."""
        key_id, until = self._open.pop(hash_key(ticket), ("", 0.0))
        return key_id if key_id and self._clock() < until else None


def link_path(ticket: str) -> str:
    """Return what follows the server's address in a sign-in link."""
    return f"/{FRAGMENT}{ticket}"
