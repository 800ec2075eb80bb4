"""Reading frames: texts, ends, counts, and whether both views of each say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from venom_core.sdk.frames import (
    Envelope,
    Event,
    Frame,
    FrameKind,
    Usage,
    Wire,
    decode,
)
from venom_core.sdk.wire_objects import load_object, normalised
from venom_core.testing.conformance.rule import Broken, require

REASONS = frozenset({"stop", "length", "tool_calls", "content_filter"})


def check_views(frames: Sequence[Frame], what: str, wire: Wire) -> None:
    """Raise :class:`Broken` where a frame's event and its JSON say different things, or the JSON
    shows what is the engine's own: its name for the model.

    Args:
        what: the answer that they are of, for the sentence.
    """
    for frame in frames:
        envelope = Envelope("kit", 1, "the-model", wire=wire)
        answer = FrameKind.ANSWER in frame.kind
        try:
            written = load_object(frame.json(envelope))
        except Exception as error:
            raise Broken(f"{what}: a frame cannot be written as JSON: {error}") from error
        shown = written.get("model")
        require(shown == "the-model", f"{what}: a frame shows the model {shown!r:.60}.")
        read = decode(normalised(dict(written), answer=answer), answer=answer)
        one, other = _said(frame.event), _said(read)
        require(one == other, f"{what}: {one} as an event is {other} as JSON.")


def _said(event: Event) -> list[object]:
    """Return what an event says; what only the spelling of a wire adds is left out."""
    choices = [
        (
            choice.index,
            choice.content or "",
            choice.reasoning or "",
            tuple((call.id, call.name, call.arguments) for call in choice.tool_calls),
            choice.finish_reason,
        )
        for choice in event.choices
    ]
    return [*choices, event.usage]


def usages_of(frames: Sequence[Frame]) -> Iterator[Usage]:
    """Yield the token counts that the frames carry."""
    for frame in frames:
        if frame.event.usage is not None:
            yield frame.event.usage


def reasons_of(frames: Sequence[Frame]) -> dict[int, str | None]:
    """Return why each choice ended."""
    return {
        choice.index: choice.finish_reason
        for frame in frames
        for choice in frame.event.choices
        if choice.finish_reason is not None
    }
