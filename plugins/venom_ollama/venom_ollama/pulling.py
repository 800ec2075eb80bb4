"""Progress of a pull that never runs backwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from venom_core.sdk.numbers import size
from venom_core.sdk.provider import PullProgress
from venom_ollama.lines import incomplete, not_ollama
from venom_ollama.refusals import refusal


class PullTracker:
    """Adds up the layers of one pull.

    Ollama reports one layer at a time, names the next only when it gets there, leaves out
    ``completed`` while it is zero, and counts a layer down again when it retries. Here each layer
    stands at the most it ever reached, and the sum over all layers is what is told.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._done: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self.completed = False

    def step(self, line: Mapping[str, Any]) -> PullProgress:
        """Return the progress after one object of the stream. Raises what an error line says."""
        if "error" in line:
            raise refusal(200, str(line["error"]), self._model)
        message = line.get("status")
        if not isinstance(message, str):
            raise not_ollama()
        digest = line.get("digest")
        if isinstance(digest, str):
            self._count(self._totals, digest, line.get("total", 0))
            self._count(self._done, digest, line.get("completed", 0))
        status = _status(message)
        if status == "completed":
            self.completed = True
            self._done = dict(self._totals)
        total = sum(self._totals.values())
        return PullProgress(
            status=status,
            message=message,
            bytes_done=sum(self._done.values()),
            bytes_total=total if self._totals else None,
        )

    def end(self) -> None:
        """Check the end of the stream. Raises UpstreamIncomplete where it had no success."""
        if not self.completed:
            raise incomplete()

    def _count(self, counts: dict[str, int], digest: str, value: Any) -> None:
        counts[digest] = max(counts.get(digest, 0), size(value, "ollama.layer") or 0)


def _status(message: str) -> Literal["pulling", "verifying", "writing", "completed"]:
    if message == "success":
        return "completed"
    if message.startswith("verifying"):
        return "verifying"
    if message.startswith(("writing", "removing")):
        return "writing"
    return "pulling"
