"""Sign-ins of browsers: a key becomes a cookie that scripts cannot read.

The cookie holds a random token of its own, never the key, and only its hash is kept here, in
memory: a restart signs everybody out.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable

from starlette.datastructures import Headers

from venom_core.store.keys import hash_key

COOKIE = "venom_session"
SIGNED_IN_SECONDS = 7 * 86_400
MAX_SIGNED_IN = 1000


class SignIns:
    """The browsers that are signed in, by the hash of the cookie's token.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: dict[bytes, tuple[float, str]] = {}

    def begin(self, key_id: str) -> str:
        """Make a token for the cookie. Where there are too many the oldest of the key that has most
        makes room: whoever floods signs out its own, and nobody else."""
        self._forget_old()
        if len(self._keys) >= MAX_SIGNED_IN:
            counts = Counter(owner for _, owner in self._keys.values())
            self._end_oldest(counts.most_common(1)[0][0])
        token = secrets.token_urlsafe(32)
        self._keys[hash_key(token)] = (self._clock() + SIGNED_IN_SECONDS, key_id)
        return token

    def key_id(self, token: str) -> str | None:
        """Return the id of the token's key. It is found by its hash, so no comparison tells how
        near a guess is."""
        until, key_id = self._keys.get(hash_key(token), (float("-inf"), None))
        return key_id if self._clock() < until else None

    def end(self, token: str) -> str | None:
        """Sign out; return the id of the key whose token it was."""
        _, key_id = self._keys.pop(hash_key(token), (0.0, None))
        return key_id

    def _end_oldest(self, key_id: str) -> None:
        oldest = next(token for token, (_, owner) in self._keys.items() if owner == key_id)
        del self._keys[oldest]

    def _forget_old(self) -> None:
        now = self._clock()
        self._keys = {token: one for token, one in self._keys.items() if one[0] > now}


def presented_token(headers: Headers) -> str | None:
    """Return the token in the cookie. Two different ones are none."""
    found = set()
    for header in headers.getlist("cookie"):
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE and value:
                found.add(value)
    return found.pop() if len(found) == 1 else None


def cookie(token: str, *, path: str, secure: bool) -> str:
    """Return the Set-Cookie header that signs in; with an empty token the one that signs out."""
    parts = [f"{COOKIE}={token}", f"Path={path}", "HttpOnly", "SameSite=Strict"]
    parts.append(f"Max-Age={SIGNED_IN_SECONDS if token else 0}")
    if secure:
        parts.append("Secure")
    return "; ".join(parts)
