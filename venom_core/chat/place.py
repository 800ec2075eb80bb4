"""Headers of an answer: which model, where it runs, and what became of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venom_core.models.registry import ListedModel

if TYPE_CHECKING:
    from venom_core.chat.stream import ChatStream


def where(item: ListedModel) -> dict[str, str]:
    """Return the headers that name the model and say whether the prompt left this machine, and
    where to."""
    headers = {"Venom-Model": item.reference, "Venom-Locality": item.model.locality}
    return (
        headers if item.model.runs_at is None else {**headers, "Venom-Runs-At": item.model.runs_at}
    )


def told_of(stream: ChatStream) -> dict[str, str]:
    """Return all headers of an answer whose first frame is there."""
    headers = where(stream.resolved)
    if stream.chosen_because:
        headers["Venom-Model-Reason"] = stream.chosen_because
    for name, parameters in (
        ("Venom-Ignored-Parameters", stream.left_out), ("Venom-Emulated", stream.emulated),
    ):  # fmt: skip
        if parameters:
            headers[name] = ", ".join(parameters)
    return headers
