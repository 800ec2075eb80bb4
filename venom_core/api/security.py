"""Admission to the API: Host, Origin and body size for everything, a key for what needs one.

Nothing here decides by ``request.url``: behind a forged Host header that is a stranger's word.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from venom_core.api.encoded_bodies import decoded
from venom_core.api.errors import error_response, too_large
from venom_core.api.revocation import KEYS_FRESH_SECONDS, UnderWay, until_revoked
from venom_core.api.signin_links import SignInLinks
from venom_core.api.signins import SignIns, presented_token
from venom_core.sdk.errors import Forbidden, InvalidApiKey, VenomError
from venom_core.sdk.loopback import is_loopback_host
from venom_core.sdk.masking import keep_secret
from venom_core.settings.key_file import read_key_file
from venom_core.store.audit import LOCAL_USER
from venom_core.store.keys import hash_key

if TYPE_CHECKING:
    from venom_core.api.scopes import Scopes
    from venom_core.store.keys import ApiKey, KeyRepository

log = logging.getLogger(__name__)

MAX_KNOWN = 1000
#: How often it is written down that a key is in use.
USE_NOTED_SECONDS = 60.0


@functools.lru_cache(maxsize=128)
def host_name(value: str) -> str | None:
    """Return the name in a Host header, lower case, without its port; None where it is
    malformed."""
    if not value or any(c in value for c in "/@\\ \t?#,"):
        return None
    try:
        name = urlsplit(f"//{value}").hostname
        _ = urlsplit(f"//{value}").port
    except ValueError:
        return None
    return name.rstrip(".") if name else None


class Gatekeeper:
    """ASGI middleware: refuses a foreign Host or Origin and bounds every body.

    A page of another site can make a browser send requests here (DNS rebinding, CSRF); its Host or
    its Origin gives it away.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: Sequence[str],
        allowed_origins: Sequence[str],
        max_body_bytes: int,
    ) -> None:
        self._app = app
        self._hosts = frozenset(name.lower() for name in allowed_hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(headers)
        if refusal is not None:
            await error_response(scope, refusal)(scope, receive, send)
            return
        receive = _bounded(receive, self._max_body_bytes)
        if "content-encoding" in headers:
            scope, receive = decoded(scope, receive, self._max_body_bytes)
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> VenomError | None:
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None or not (is_loopback_host(name) or name in self._hosts):
            shown = name or "your-host-name"
            return Forbidden(
                "The server does not answer to this host name.",
                code="host_not_allowed",
                fix=f"If it is yours, add {shown} to VENOM_ALLOWED_HOSTS and start again.",
            )
        origin = headers.get("origin")
        if origin is not None and not self._origin_allowed(origin, hosts[0]):
            return Forbidden(
                "Pages of another origin may not call this server.",
                code="origin_not_allowed",
                fix="If the page is yours, add its origin to VENOM_ALLOWED_ORIGINS; start again.",
            )
        length = headers.get("content-length")
        if length is not None and (
            not length.isascii() or not length.isdigit() or int(length) > self._max_body_bytes
        ):
            return too_large(self._max_body_bytes)
        return None

    def _origin_allowed(self, origin: str, host: str) -> bool:
        origin = origin.lower()
        return origin in self._origins or origin in (
            f"http://{host}".lower(),
            f"https://{host}".lower(),
        )


def _bounded(receive: Receive, limit: int) -> Receive:
    """Return a ``receive`` that stops a body without a length at ``limit`` bytes."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                error = too_large(limit)
                raise HTTPException(error.status, detail=error.message) from error
        return message

    return bounded


def presented_key(headers: Headers) -> str | None:
    """Return the key in either header form. Two different ones are none: nobody guesses which
    counts."""
    bearer = [
        value[7:].strip()
        for value in headers.getlist("authorization")
        if value[:7].lower() == "bearer "
    ]
    keys = {*bearer, *(value.strip() for value in headers.getlist("x-api-key"))} - {""}
    return keys.pop() if len(keys) == 1 else None


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: the key's id, None where no key is needed; its scopes, None for
    all; the id of the browser's sign-in, where one sent it."""

    key_id: str | None = None
    scopes: Scopes | None = None
    signin: str | None = None

    def may(self, needed: Scopes) -> bool:
        return self.scopes is None or not needed.isdisjoint(self.scopes)

    def check(self, needed: Scopes) -> None:
        """Raise ``Forbidden`` where the key has none of the scopes ``needed``."""
        if not self.may(needed):
            named = " or ".join(sorted(needed))
            raise Forbidden(
                f"This key may not do this: it lacks the scope {named}.",
                code="scope_missing",
                fix=f"Make a key that may: venom keys create NAME --scope {min(needed)}",
            )


ANYBODY = Caller()


class KeyRing:
    """The one check of keys.

    Args:
        set_limits: takes the limits of each key that is looked up.
        keys: opens the store; called in a thread, and only when its file is there.
        store_file: whose absence means that no key was ever made.
        key_file: a file of keys, one a line (``VENOM_API_KEY_FILE``).
        local_token: lets in the same user's CLI.
        always: a key is needed even where none exists (a bind beyond loopback).
    """

    def __init__(
        self,
        keys: Callable[[], KeyRepository],
        store_file: Path,
        key_file: Path | None,
        local_token: str,
        always: bool = False,
        set_limits: Callable[[ApiKey], None] = lambda _: None,
    ) -> None:
        self._keys = keys
        self._set_limits = set_limits
        self._store_file = store_file
        self._always = always
        keep_secret(local_token)
        #: By the hash of each key in the file its id: every key is an owner of its own.
        self._file_keys = {
            hash_key(key): file_key_id(key) for key in (read_key_file(key_file) if key_file else ())
        }
        self._local = hash_key(local_token)
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._required: tuple[float, bool] = (float("-inf"), False)
        #: There were keys, and nobody has revoked the last of them.
        self._had_keys = False
        self.signins = SignIns()
        self.links = SignInLinks()
        self._noted: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self._under_way = UnderWay(self._allowed)

    async def remember_keys(self) -> None:
        """Note at the start whether there are keys, so that a store which is gone before the first
        request lets nobody in either."""
        from venom_core.store.interrupted import any_key

        self._had_keys = await asyncio.to_thread(any_key, self._store_file)

    async def required(self) -> bool:
        """Return whether requests need a key now."""
        if self._always or self._file_keys:
            return True
        checked, answer = self._required
        if time.monotonic() - checked > KEYS_FRESH_SECONDS:
            answer = await asyncio.to_thread(self._any_in_store)
            self._required = (time.monotonic(), answer)
        return answer

    def forget_answers(self) -> None:
        """Ask the store again at the next request: keys were made or revoked."""
        self._required = (float("-inf"), False)
        self._known.clear()

    def _any_in_store(self) -> bool:
        """Return whether there are keys; where they have gone with their store, nobody is let in
        for it: revoking leaves a row, and a file that is lost or replaced leaves none."""
        if self._store_file.exists():
            keys = self._keys().list()
            active = any(key.revoked_at is None for key in keys)
            if active or keys:
                self._had_keys = active
        return self._had_keys

    async def require(self, headers: Headers, method: str = "GET") -> Caller:
        """Return who sends this, by a key in a header or, where there is none, a signed-in browser.

        Raises ``InvalidApiKey``, and ``Forbidden`` where a browser does not say that our own page
        sends what changes something.
        """
        if not await self.required():
            return self._unasked(headers)
        if "authorization" not in headers and "x-api-key" not in headers:
            token = presented_token(headers)
            signed_in = await self._signed_in(token) if token else None
            if signed_in is not None:
                _check_same_page(headers, method)
                return signed_in
        key = presented_key(headers)
        caller = await self._identify(key) if key else None
        if caller is None:
            raise _no_key(key)
        return caller

    async def has(self, key_id: str) -> bool:
        """Return whether a key of this id opens the server now."""
        return key_id != LOCAL_USER and await self._allowed(Caller(key_id))

    def until_revoked(self, caller: Caller) -> until_revoked:
        """Return the guard around what a caller who was let in has begun."""
        return until_revoked(self._under_way, caller)

    async def _allowed(self, caller: Caller) -> bool:
        key_id = caller.key_id
        if key_id is None:
            return not await self.required()
        if caller.signin is not None and not self.signins.is_signed_in(caller.signin):
            return False
        if key_id == LOCAL_USER or key_id in self._file_keys.values():
            return True
        return await asyncio.to_thread(lambda: self._keys().active(key_id)) is not None

    def _unasked(self, headers: Headers) -> Caller:
        """Return who sends this where no key is needed: the user's own commands say so by their
        token, and everybody else is nobody."""
        key = presented_key(headers) if "authorization" in headers else None
        own = key is not None and hmac.compare_digest(hash_key(key), self._local)
        return Caller(LOCAL_USER) if own else ANYBODY

    async def sign_in(self, key: str, browser: str) -> tuple[str, Caller]:
        """Return a session's token for a valid key; ``browser`` is what it says it is. Raises
        ``InvalidApiKey``."""
        caller = await self._identify(key)
        if caller is None or caller.key_id is None:
            raise _no_key(key)
        return self.signins.begin(caller.key_id, browser), caller

    async def sign_in_by_link(self, ticket: str, browser: str) -> tuple[str, Caller]:
        """Return a session's token for the ticket of a sign-in link, which works once. Raises
        ``InvalidApiKey`` (``signin_link_invalid``)."""
        key_id = self.links.take(ticket)
        token = "" if key_id is None else self.signins.begin(key_id, browser)
        caller = await self._signed_in(token) if token else None
        if caller is None:
            raise InvalidApiKey(
                "This sign-in link was used, is too old, or its key was revoked.",
                code="signin_link_invalid",
                fix="Make another: venom keys link ID",
            )
        return token, caller

    async def _signed_in(self, token: str) -> Caller | None:
        signin = self.signins.seen(token)
        if signin is None:
            return None
        key_id = signin.key_id
        if key_id == LOCAL_USER or key_id in self._file_keys.values():
            return Caller(key_id, signin=signin.id)
        digest = hash_key(token)
        seen, caller = self._known.get(digest, (float("-inf"), ANYBODY))
        if time.monotonic() - seen <= KEYS_FRESH_SECONDS:
            return caller
        found = await asyncio.to_thread(lambda: self._keys().active(key_id))
        if found is None:  # revoked or expired meanwhile
            self.signins.end(token)
            return None
        return self._remember(digest, found, signin.id)

    async def _identify(self, key: str) -> Caller | None:
        digest = hash_key(key)
        if hmac.compare_digest(digest, self._local):
            return Caller(LOCAL_USER)
        if digest in self._file_keys:  # by its hash: no comparison tells how near a guess is
            return Caller(self._file_keys[digest])
        seen, caller = self._known.get(digest, (float("-inf"), ANYBODY))
        if time.monotonic() - seen <= KEYS_FRESH_SECONDS:
            return caller
        self._known.pop(digest, None)
        if not self._store_file.exists():
            return None
        found = await asyncio.to_thread(lambda: self._keys().verify(key))
        if found is not None and found.is_expired:
            raise InvalidApiKey(
                "This API key has expired.", fix="Make another with: venom keys create NAME"
            )
        return None if found is None else self._remember(digest, found)

    def _remember(self, digest: bytes, found: ApiKey, signin: str | None = None) -> Caller:
        self._set_limits(found)
        self._note_use(found.id)
        if len(self._known) > MAX_KNOWN:
            self._known.clear()
        scopes = found.rights.scopes
        caller = Caller(found.id, None if scopes is None else frozenset(scopes), signin)
        self._known[digest] = (time.monotonic(), caller)
        return caller

    def _note_use(self, key_id: str) -> None:
        """Write down that a key is in use; no request waits for that."""
        now = time.monotonic()
        if now - self._noted.get(key_id, float("-inf")) < USE_NOTED_SECONDS:
            return
        self._noted[key_id] = now
        task = asyncio.create_task(asyncio.to_thread(self._write_use, key_id))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def close(self) -> None:
        """Wait until what is being written down is."""
        await asyncio.gather(*self._noting)

    def _write_use(self, key_id: str) -> None:
        try:
            self._keys().note_use(key_id)
        except VenomError as error:  # the store is busy or full: a request is no worse for it
            log.warning("the use of a key is not written down: %s", error.message)


def ring_of(request: Request) -> KeyRing:
    """Return the key ring of the application that serves a request."""
    return cast(KeyRing, request.app.state.key_ring)


def _no_key(key: str | None) -> InvalidApiKey:
    return InvalidApiKey(
        "This server needs an API key." if key is None else "This API key is not valid.",
        fix="Send it as 'Authorization: Bearer KEY'; make one with: venom keys create NAME",
    )


def _check_same_page(headers: Headers, method: str) -> None:
    """Refuse a cookie from another page: it goes wherever the browser sends it. Whatever Origin
    says was checked before, here it must say something: a form of another page may send none."""
    named = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
    if method not in ("GET", "HEAD") and not named:
        raise Forbidden(
            "A signed-in browser must say which page sends this.",
            code="origin_not_allowed",
            fix="Send an API key in a header instead of the cookie.",
        )


def file_key_id(key: str) -> str:
    """Return what a key of the file is called: the same at every start, and no help to guess it."""
    return f"file-{hash_key(key).hex()[:8]}"
