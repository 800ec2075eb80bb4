"""The sender of a request, for routes behind the key check."""

from __future__ import annotations

import re
from typing import cast

from starlette.requests import Request

from venom_core.api.access_log import request_id_of
from venom_core.api.security import Caller
from venom_core.store.audit import Actor

#: Of W3C's Trace Context, version 00; ids of zeros are none.
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def caller_of(request: Request) -> Caller:
    """Return the caller as the key check found it."""
    return cast(Caller, request.state.caller)


def request_id(request: Request) -> str:
    """Return the client's own id where it is harmless in a log, else one made for this request."""
    return request_id_of(request.scope)


def traceparent(request: Request) -> str | None:
    """Return the client's place in a trace; one that is not well-formed counts as none, as the
    standard says."""
    given = request.headers.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else None


def actor_of(request: Request) -> Actor:
    """Return the actor that the audit trail names."""
    return Actor(caller_of(request).key_id, request_id(request))
