"""Models that run on another machine: never chosen where nobody named them."""

from __future__ import annotations

from collections.abc import Sequence
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


def only_elsewhere(away: Sequence[ListedModel]) -> ModelNotFound:
    """Return the refusal where every chat model sends prompts to another machine."""
    first = away[0]
    return ModelNotFound(
        "Every installed chat model runs on another machine, and none of them is chosen unnamed.",
        code="no_model",
        param="model",
        fix=f"Name one, or choose it for good: venom use {first.id or first.reference}",
    )
