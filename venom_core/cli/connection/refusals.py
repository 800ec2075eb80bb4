"""A refusal that came as a record, raised again as the error that it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from venom_core.sdk import errors
from venom_core.sdk.errors import VenomError

_ERRORS: dict[int, type[VenomError]] = {
    400: errors.InvalidRequest,
    401: errors.InvalidApiKey,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.RequestTooLarge,
    422: errors.InvalidRequest,
    429: errors.RateLimited,
    502: errors.UpstreamError,
    503: errors.Unavailable,
    504: errors.UpstreamTimeout,
    507: errors.StorageError,
}


def error_of(status: int, record: Mapping[str, Any]) -> VenomError:
    """The error of a status and a refusal's record."""
    kind = _ERRORS.get(status, VenomError)
    message = record.get("message") or record.get("detail") or f"The server answered {status}."
    return kind(
        str(message), fix=record.get("fix"), code=record.get("code"), param=record.get("param")
    )
