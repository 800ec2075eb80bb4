"""Faults at the Hub, as refusals that people understand.

The library's own texts hold addresses, some of them signed: none of them is shown.
"""

from __future__ import annotations

import re
from typing import Any

from venom_core.sdk.errors import (
    Forbidden,
    ModelNotFound,
    Unavailable,
    UpstreamError,
    VenomError,
)
from venom_core.sdk.hub_download import broken_off, rate_limited, refused, too_late, unreachable

#: The library speaks HTTP through httpx, since 2.0 under its successor's name.
_HTTP_LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2")
_TIMEOUTS = ("TimeoutException", "TimeoutError")
_BAD_TOKEN = re.compile(r"invalid (?:credentials|user token|username or password)", re.IGNORECASE)


def offline() -> Unavailable:
    return Unavailable(
        "Hugging Face is not asked: offline mode is on.",
        code="hub_offline",
        fix="Switch it off: unset HF_HUB_OFFLINE and VENOM_HF__OFFLINE",
    )


def refusal(error: BaseException, repo: str | None = None) -> VenomError:
    """Return the refusal that an exception of the library stands for. ``repo`` is the repository
    that was asked."""
    if isinstance(error, VenomError):
        return error
    if isinstance(error, ImportError):
        raise error  # the library itself is gone: no answer of the Hub's
    names = {kind.__name__ for kind in type(error).__mro__}
    response = getattr(error, "response", None)
    if "OfflineModeIsEnabled" in names:
        return offline()
    if response is not None and isinstance(getattr(response, "status_code", None), int):
        return _answered(response, names, repo)
    if any(kind.__module__.partition(".")[0] in _HTTP_LIBRARIES for kind in type(error).__mro__):
        return too_late() if names & set(_TIMEOUTS) else unreachable()
    cause = error.__cause__
    if cause is not None and cause is not error:
        return refusal(cause, repo)
    if isinstance(error, OSError):
        return broken_off()
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
            fix="Look for it with: venom search NAME. For a private one set HF_TOKEN.",
        )
    if status == 403:
        return refused()
    if status == 429:
        return rate_limited(response.headers.get("Retry-After"))
    return UpstreamError(f"Hugging Face answered {status}.", fix="Try again later.")


def gated(repo: str) -> Forbidden:
    return Forbidden(
        f"Hugging Face gives {repo} to those only who accepted its terms.",
        code="model_gated",
        fix="Accept them on the model's page at huggingface.co, then set HF_TOKEN.",
    )
