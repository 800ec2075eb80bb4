"""The id that a request has from the client to the engine: in headers, logs and the audit trail."""

from __future__ import annotations

import random
import re
from contextvars import ContextVar

HEADER = "X-Request-Id"
_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

#: The id of the request that this task works for; None outside of one.
CURRENT: ContextVar[str | None] = ContextVar("request_id", default=None)


def harmless(given: str | None) -> str | None:
    """Return a client's id where it is harmless in a log and a header, else None."""
    return given if given is not None and _HARMLESS.fullmatch(given) else None


def accept(given: str | None) -> str:
    """Return the client's own id where it is harmless, else a new one."""
    return harmless(given) or f"req-{fresh()}"


def fresh() -> str:
    """Return 32 hexadecimal digits that nobody was given before; no secret may be made of them."""
    return f"{random.getrandbits(128):032x}"  # the system's own source costs more than the answer
