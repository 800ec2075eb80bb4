"""Bodies of the routes that answer no question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le, MaxLen
from typing_extensions import TypedDict

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.messages import MOST_INPUTS, Name


class NameBody(TypedDict, total=False):
    """A model; ``name`` is the older word for ``model``."""

    model: Name
    name: Name
    verbose: bool | None
    system: str | None


class PullBody(NameBody, total=False):
    """A pull; ``insecure`` is not honoured."""

    stream: bool | None
    insecure: bool | None


class CopyBody(TypedDict, total=False):
    """Another name for a model."""

    source: Name
    destination: Name


class EmbedBody(TypedDict, total=False):
    """Texts to embed."""

    model: Name
    input: str | Annotated[list[str], MaxLen(MOST_INPUTS)]
    truncate: bool | None
    dimensions: Annotated[int, Ge(1), Le(100_000)] | None
    options: dict[str, Any] | None
    keep_alive: str | int | float | None


class EmbeddingsBody(TypedDict, total=False):
    """One text to embed, in the older form."""

    model: Name
    prompt: str
    options: dict[str, Any] | None
    keep_alive: str | int | float | None


def name_of(body: Mapping[str, Any]) -> str:
    """Return the model that a body names. Raises ``InvalidRequest``."""
    found = body.get("model") or body.get("name")
    if not found:
        raise InvalidRequest(
            f"The field {'model'!r} is missing.", param="model", fix=f"Add {'model'}."
        )
    return str(found)
