"""Models that run on another machine: never chosen unnamed, but where a setting of the user's
names that machine as the provider's place (``OLLAMA_HOST``)."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from venom_core.sdk.errors import ModelNotFound

if TYPE_CHECKING:
    from venom_core.models.registry import ListedModel


def choosable(items: Sequence[ListedModel]) -> list[ListedModel]:
    """Return the chat models that may answer a request which names none: those that run on this
    machine, and those on the host that the settings name as the provider's place."""
    return [
        item
        for item in items
        if item.chats and (item.model.runs_at is None or item.model.host_is_named)
    ]


def with_host(item: ListedModel, because: str) -> tuple[ListedModel, str]:
    """Return a chosen model and why, with the machine that gets the prompt where it is not this
    one."""
    host = item.model.runs_at
    if host is None:
        return item, because
    return item, f"{because}, on {host}, where the settings say that {item.provider} is"


def only_elsewhere(away: Sequence[ListedModel]) -> ModelNotFound:
    """Return the refusal where every chat model sends prompts to another machine."""
    first = away[0]
    return ModelNotFound(
        "Every installed chat model runs on another machine, and none of them is chosen unnamed.",
        code="no_model",
        param="model",
        fix=f"Name one, or choose it for good: venom use {quote(first.id or first.reference)}",
    )
