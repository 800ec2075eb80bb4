"""Rights of a page of an allowed origin: to send and to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Headers of ours that a page may read; a browser shows a few others by itself.
EXPOSED = (
    "Allow",
    "Content-Disposition",
    "Content-Language",
    "Retry-After",
    "Venom-Emulated",
    "Venom-Explain",
    "Venom-Ignored-Parameters",
    "Venom-Locality",
    "Venom-Model",
    "Venom-Model-Reason",
    "Venom-Runs-At",
    "WWW-Authenticate",
    "X-Request-Id",
    "X-Session-Id",
)


def cross_origin(origins: Sequence[str]) -> dict[str, Any]:
    """Return the options of Starlette's CORS middleware for these origins.

    Whatever headers a client library adds may be sent, since ours are not the only ones that it
    talks to: the origin is what is trusted. A page of the internet may be allowed as well, so
    browsers that ask whether this private address may be called are told that it may.
    """
    return {
        "allow_origins": [origin.lower().rstrip("/") for origin in origins],
        "allow_methods": ["GET", "HEAD", "POST", "DELETE"],
        "allow_headers": ["*"],
        "allow_private_network": True,
        "expose_headers": EXPOSED,
    }
