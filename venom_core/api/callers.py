"""The sender of a request, for routes behind the key check."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request

from venom_core.api.access_log import request_id_of
from venom_core.api.security import Caller
from venom_core.store.audit import Actor


def caller_of(request: Request) -> Caller:
    """Return the caller as the key check found it."""
    return cast(Caller, request.state.caller)


def request_id(request: Request) -> str:
    """Return the client's own id where it is harmless in a log, else one made for this request."""
    return request_id_of(request.scope)


def actor_of(request: Request) -> Actor:
    """Return the actor that the audit trail names."""
    return Actor(caller_of(request).key_id, request_id(request))
