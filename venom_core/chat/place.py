"""The place where an answer is made, as headers tell it."""

from __future__ import annotations

from venom_core.models.registry import ListedModel


def where(item: ListedModel) -> dict[str, str]:
    """Return the headers that name the model and say whether the prompt left this machine, and
    where to."""
    headers = {"Venom-Model": item.reference, "Venom-Locality": item.model.locality}
    return (
        headers if item.model.runs_at is None else {**headers, "Venom-Runs-At": item.model.runs_at}
    )
