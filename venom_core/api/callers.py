"""Who sent a request, for routes behind the key check."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import Request

from venom_core.api.health import venom_of
from venom_core.api.security import Caller
from venom_core.store.audit import Actor

MAX_SUBJECT = 250
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def caller_of(request: Request) -> Caller:
    """As the key check found it."""
    return cast(Caller, request.state.caller)


def request_id(request: Request) -> str:
    """The client's own id where it is harmless in a log, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"req-{uuid.uuid4().hex}"


def actor_of(request: Request) -> Actor:
    """Who the audit trail says it was."""
    return Actor(caller_of(request).key_id, request_id(request))


async def write_down(
    request: Request,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add a change that this request made to the audit trail."""
    venom, actor = venom_of(request), actor_of(request)
    await asyncio.to_thread(venom.audit, actor, action, subject[:MAX_SUBJECT], before, after)
