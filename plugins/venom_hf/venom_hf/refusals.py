"""Faults at the Hub, as refusals that people understand.

The library's own texts hold addresses, some of them signed: none of them is shown.
"""

from __future__ import annotations

import re
from typing import Any

from venom_core.sdk.errors import (
    Forbidden,
    ModelNotFound,
    RateLimited,
    StorageError,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)

#: The library speaks HTTP through httpx, since 2.0 under its successor's name.
_HTTP_LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2")
_TIMEOUTS = ("TimeoutException", "TimeoutError")
_BAD_TOKEN = re.compile(r"invalid (?:credentials|user token|username or password)", re.IGNORECASE)
RATE_LIMIT_SECONDS = 60.0


def offline() -> Unavailable:
    return Unavailable(
        "Hugging Face is not asked: offline mode is on.",
        code="hub_offline",
        fix="Switch it off: unset HF_HUB_OFFLINE and VENOM_HF__OFFLINE",
    )


def unreachable() -> Unavailable:
    return Unavailable(
        "Hugging Face cannot be reached.",
        code="hub_unreachable",
        fix="Check the network and the proxy; a mirror is named with HF_ENDPOINT.",
    )


def refusal(error: BaseException, repo: str | None = None) -> VenomError:
    """Return the refusal that an exception of the library stands for. ``repo`` is the repository
    that was asked."""
    if isinstance(error, VenomError):
        return error
    names = {kind.__name__ for kind in type(error).__mro__}
    response = getattr(error, "response", None)
    if "OfflineModeIsEnabled" in names:
        return offline()
    if response is not None and isinstance(getattr(response, "status_code", None), int):
        return _answered(response, names, repo)
    if any(kind.__module__.partition(".")[0] in _HTTP_LIBRARIES for kind in type(error).__mro__):
        return _late() if names & set(_TIMEOUTS) else unreachable()
    cause = error.__cause__
    if cause is not None and cause is not error:
        return refusal(cause, repo)
    if isinstance(error, OSError):
        return UpstreamError(
            "The download from Hugging Face broke off.",
            fix="Fetch it again: it goes on from there.",
        )
    return UpstreamError(
        "Hugging Face's answer is not understood.",
        fix="Check HF_ENDPOINT: another program may answer there.",
    )


def _answered(response: Any, names: set[str], repo: str | None) -> VenomError:
    status: int = response.status_code
    named = repo or "this model"
    said = str(response.headers.get("X-Error-Message") or "")
    if status == 401 and _BAD_TOKEN.search(said):
        return Unavailable(
            "Hugging Face does not accept the token.",
            code="upstream_key_refused",
            fix="Make one at huggingface.co/settings/tokens and set it as HF_TOKEN.",
        )
    if "GatedRepoError" in names:
        return gated(named)
    if "RevisionNotFoundError" in names:
        return ModelNotFound(
            f"{named} has no such revision.", param="name", fix="Leave out what stands after @."
        )
    if status in (401, 404):
        return ModelNotFound(
            f"Hugging Face has no {named}, or shows it to its owners only.",
            param="name",
            fix="Look for it with: venom search. For a private one set HF_TOKEN.",
        )
    if status == 403:
        return gated(named)
    if status == 429:
        return RateLimited(
            "Hugging Face asks for fewer requests.",
            fix="Try again later; with HF_TOKEN set, more are allowed.",
            retry_after=_seconds(response.headers.get("Retry-After")),
        )
    return UpstreamError(f"Hugging Face answered {status}.", fix="Try again later.")


def gated(repo: str) -> Forbidden:
    return Forbidden(
        f"Hugging Face gives {repo} to those only who accepted its terms.",
        code="model_gated",
        fix="Accept them on the model's page at huggingface.co, then set HF_TOKEN.",
    )


def digest_mismatch(name: str) -> StorageError:
    return StorageError(
        f"What was fetched as {name} is not what it should be: its digest differs. It was removed.",
        code="digest_mismatch",
        fix="Fetch it again; if it happens again, a proxy on the way is not to be trusted.",
    )


def _late() -> UpstreamTimeout:
    return UpstreamTimeout(
        "Hugging Face did not answer in time.", fix="Try again; check the network and the proxy."
    )


def _seconds(value: str | None) -> float:
    try:
        return min(max(float(value or ""), 1.0), 3600.0)
    except ValueError:
        return RATE_LIMIT_SECONDS
