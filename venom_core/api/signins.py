"""Sign-ins of browsers: a key becomes a cookie that scripts cannot read.

The cookie holds a random token of its own, never the key, and only its hash is kept here, in
memory: a restart signs everybody out.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from starlette.datastructures import Headers

from venom_core.sdk.utc import utc_text
from venom_core.store.keys import hash_key

COOKIE = "venom_session"
SIGNED_IN_SECONDS = 7 * 86_400
MAX_SIGNED_IN = 1000
MAX_BROWSER = 300


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser that is signed in. ``id`` names it and opens nothing; times are ISO 8601 in UTC;
    ``browser`` is its own word; ``until`` is of the clock."""

    id: str
    key_id: str
    browser: str
    began_at: str
    expires_at: str
    last_seen_at: str
    until: float


class SignIns:
    """The browsers that are signed in, by the hash of the cookie's token.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[bytes, SignIn] = {}

    def begin(self, key_id: str, browser: str = "") -> str:
        """Make a token for the cookie. Where there are too many the oldest of the key that has most
        makes room: whoever floods signs out its own, and nobody else."""
        self._forget_old()
        if len(self._found) >= MAX_SIGNED_IN:
            counts = Counter(one.key_id for one in self._found.values())
            self._end_oldest(counts.most_common(1)[0][0])
        token = secrets.token_urlsafe(32)
        now = utc_text(precision="seconds")
        ends = utc_text(datetime.now(UTC) + timedelta(seconds=SIGNED_IN_SECONDS), "seconds")
        shown = "".join(one if one.isprintable() else " " for one in browser)[:MAX_BROWSER]
        until = self._clock() + SIGNED_IN_SECONDS
        made = SignIn(secrets.token_hex(5), key_id, shown, now, ends, now, until)
        self._found[hash_key(token)] = made
        return token

    def key_id(self, token: str) -> str | None:
        """Return the id of the token's key. It is found by its hash, so no comparison tells how
        near a guess is."""
        found = self._found.get(hash_key(token))
        return None if found is None or self._clock() >= found.until else found.key_id

    def seen(self, token: str) -> SignIn | None:
        """Return the sign-in of a token, which is used now."""
        if self.key_id(token) is None:
            return None
        digest = hash_key(token)
        now = replace(self._found[digest], last_seen_at=utc_text(precision="seconds"))
        self._found[digest] = now
        return now

    def is_signed_in(self, signin_id: str) -> bool:
        """Return whether a sign-in of this id is not over."""
        return any(one.id == signin_id for one in self.listing())

    def listing(self) -> list[SignIn]:
        """Return the browsers that are signed in, the newest first."""
        self._forget_old()
        return list(self._found.values())[::-1]

    def end(self, token: str) -> str | None:
        """Sign out; return the id of the key whose token it was."""
        found = self._found.pop(hash_key(token), None)
        return None if found is None else found.key_id

    def end_named(self, signin_id: str) -> None:
        """Sign a browser out by the id of its sign-in; twice is no error."""
        self._found = {token: one for token, one in self._found.items() if one.id != signin_id}

    def _end_oldest(self, key_id: str) -> None:
        oldest = next(token for token, one in self._found.items() if one.key_id == key_id)
        del self._found[oldest]

    def _forget_old(self) -> None:
        now = self._clock()
        self._found = {token: one for token, one in self._found.items() if one.until > now}


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
