"""Refusals, reasons and token counts as JSON, as API, command line and page show them."""

from __future__ import annotations

from typing import NotRequired

# pydantic reads the TypedDict of typing itself only from Python 3.12 on.
from typing_extensions import TypedDict


class ReasonRecord(TypedDict):
    """``code`` is stable, ``message`` a sentence, ``fix`` the next step, ``docs`` a path."""

    code: str
    message: str
    fix: str | None
    docs: str


class ErrorRecord(ReasonRecord):
    """``param`` is the path of the request field at fault."""

    param: str | None


class CachedTokens(TypedDict):
    cached_tokens: int


class TokenUsage(TypedDict):
    """The engine's own counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: NotRequired[CachedTokens]
