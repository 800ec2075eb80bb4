"""The sender of a request, for routes behind the key check."""

from __future__ import annotations

import re
import uuid
from typing import cast

from starlette.requests import Request

from venom_core.api.security import Caller
from venom_core.store.audit import Actor

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def caller_of(request: Request) -> Caller:
    """Return the caller as the key check found it."""
    return cast(Caller, request.state.caller)


def request_id(request: Request) -> str:
    """Return the client's own id where it is harmless in a log, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"req-{uuid.uuid4().hex}"


def actor_of(request: Request) -> Actor:
    """Return the actor that the audit trail names."""
    return Actor(caller_of(request).key_id, request_id(request))
