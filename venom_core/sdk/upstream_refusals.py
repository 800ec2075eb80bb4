"""The refusal that an upstream's own words stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from venom_core.sdk.errors import (
    ContextLengthExceeded,
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    RateLimited,
    Unavailable,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.masking import masked

_SECONDS = re.compile(r"\d{1,5}(\.\d+)?")


def no_openai_answer() -> UpstreamError:
    """Return the refusal for what no OpenAI-compatible server sends."""
    return UpstreamError(
        "The upstream's answer is not an OpenAI answer.",
        fix="Check that the provider's base_url points at an OpenAI-compatible server.",
    )


def incomplete() -> UpstreamIncomplete:
    """Return the refusal for an answer that ended before it was whole."""
    return UpstreamIncomplete(
        "The engine closed its stream before the answer was whole.",
        fix="Try again; venom doctor shows whether the engine still runs.",
    )


_CONTEXT = re.compile(
    r"context[ _](?:size|length|window)|exceed_context|maximum context|too many tokens"
    r"|prompt is too long",
    re.IGNORECASE,
)
_CONTEXT_SIZE = re.compile(
    r"context (?:size|length|window)[^\d.]{0,40}(\d{1,12})(?!\d)", re.IGNORECASE
)
_TOKENS = re.compile(r"(?<!\d)(\d{1,12}) (?:\w+ )?tokens", re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.\-~ ]+){2,}")


def error_event(error: Any) -> VenomError:
    """Return the refusal that an upstream's ``error`` object stands for."""
    text, code = _error_text(error)
    if _CONTEXT.search(text) or _CONTEXT.search(code):
        return _context_exceeded(error)
    return UpstreamError(f"The engine reported an error: {text}" if text else "The engine failed.")


def refusal(status: int, headers: Mapping[str, str], data: bytes, model: str) -> VenomError:
    """Return the refusal that an upstream's error answer stands for."""
    try:
        body = json.loads(data)
        error = body.get("error", body.get("message", body.get("detail", "")))
    except (ValueError, AttributeError):
        error = ""
    text, code = _error_text(error)
    if status in (400, 413, 422) and (_CONTEXT.search(text) or _CONTEXT.search(code)):
        return _context_exceeded(error)
    if status in (400, 413, 422):
        return InvalidRequest(f"The engine refused the request: {text or 'no reason given'}")
    if status in (401, 403):
        return Unavailable(
            "The upstream server refused our key.",
            code="upstream_key_refused",
            fix="Set the provider's api_key to one that this server accepts.",
        )
    if status == 404:
        return ModelNotFound(f"The upstream server has no model {model!r}.", fix="venom list")
    retry_after = _retry_after(headers)
    if status == 429:
        return RateLimited("The upstream server asks for fewer requests.", retry_after=retry_after)
    if status == 503:
        return ModelLoading("The engine is still loading the model.", retry_after=retry_after or 2)
    if status == 504:
        return UpstreamTimeout("The upstream server timed out.")
    return UpstreamError(
        f"The upstream server answered {status}." + (f" It says: {text}" if text else "")
    )


def _error_text(error: Any) -> tuple[str, str]:
    """Return a message fit to be shown (bounded, no paths), and whatever names the kind of
    error."""
    if isinstance(error, Mapping):
        code = f"{error.get('type', '')} {error.get('code', '')}"
        text = error.get("message")
    else:
        code, text = "", error
    text = text if isinstance(text, str) else ""
    return _PATH.sub("<path>", masked(text))[:300], code


def _context_exceeded(error: Any) -> ContextLengthExceeded:
    needed, size = _overflow_numbers(error)
    return ContextLengthExceeded.counted(
        needed,
        size,
        fix="Shorten the conversation, or give the model a larger context where it is served.",
    )


def _overflow_numbers(error: Any) -> tuple[int | None, int | None]:
    """Return how many tokens the prompt has and how many the context, as far as the upstream says:
    llama.cpp in fields of their own, vLLM, LM Studio and others in their sentence."""
    if isinstance(error, Mapping):
        needed, size = error.get("n_prompt_tokens"), error.get("n_ctx")
        if _is_count(needed) and _is_count(size):
            return needed, size
    text, _ = _error_text(error)
    found = _CONTEXT_SIZE.search(text)
    size = int(found[1]) if found else None
    counts = [int(count) for count in _TOKENS.findall(text)]
    needed = next((count for count in counts if size is not None and count > size), None)
    return needed, size


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**12


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return min(float(value), 3600.0) if _SECONDS.fullmatch(value) else None
