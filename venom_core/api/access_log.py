"""A request's id, and its line in the log: method, path, status, seconds; no query, no header, no
body."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable

from starlette.types import Message, Scope, Send

from venom_core.sdk.printable import one_line
from venom_core.sdk.request_ids import CURRENT, HEADER, accept

log = logging.getLogger(__name__)

_KEY = "venom.request_id"
_RAW_HEADER = HEADER.lower().encode()
MAX_PATH = 200
#: As proxies log a client that left before its answer began.
CLIENT_GONE = 499


def request_id_of(scope: Scope) -> str:
    """Return the id of a request: the client's own where it is harmless, else one that is made at
    the first look."""
    found: str | None = scope.get(_KEY)
    if found is None:
        given = [value for name, value in scope["headers"] if name == _RAW_HEADER]
        found = accept(given[0].decode("latin-1") if len(given) == 1 else None)
        scope[_KEY] = found
    return found


class Answering:
    """One request on its way. Making it gives the request its id, which every line that is logged
    for it has from then on."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._began = time.monotonic()
        self._status = CLIENT_GONE
        self._id = request_id_of(scope)
        CURRENT.set(self._id)

    # No coroutine of its own: every token that is streamed goes through here.
    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the answer; its head names the id."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = message.setdefault("headers", [])
            if not any(name == _RAW_HEADER for name, _ in headers):
                message["headers"] = [*headers, (_RAW_HEADER, self._id.encode())]
        return self._send(message)

    def log(self) -> None:
        """Write the line: of what was refused, and of what is asked or changed. Reading that went
        well is told with ``debug`` only: a page and a probe read all the time."""
        method, path = self._scope["method"], self._scope["path"]
        quiet = method in ("GET", "HEAD") and self._status < 400
        level = logging.DEBUG if quiet else logging.INFO
        if log.isEnabledFor(level):
            seconds, shown = time.monotonic() - self._began, one_line(path[:MAX_PATH])
            log.log(level, "%s %s %d in %.3f s", method, shown, self._status, seconds)
