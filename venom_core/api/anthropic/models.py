"""Models as Anthropic's clients list them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from venom_core.models.registry import ListedModel


class AnthropicModel(TypedDict):
    """A model for a client that sends ``anthropic-version``."""

    type: Literal["model"]
    id: str
    display_name: str
    created_at: str


class AnthropicModelList(TypedDict):
    """All models, in one page."""

    data: list[AnthropicModel]
    has_more: bool
    first_id: str | None
    last_id: str | None


def anthropic_model(item: ListedModel, created: int) -> AnthropicModel:
    """Return a model; ``created`` is in seconds since the epoch."""
    at = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": item.id, "display_name": item.id, "created_at": at}


def anthropic_models(items: Sequence[ListedModel], created: int) -> AnthropicModelList:
    """Return the list of models."""
    return {
        "data": [anthropic_model(item, created) for item in items],
        "has_more": False,
        "first_id": items[0].id if items else None,
        "last_id": items[-1].id if items else None,
    }
