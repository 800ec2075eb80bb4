"""Taking the leading space off an answer whose template ends right before it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from venom_core.sdk.frames import Frame, FrameKind


async def trimmed(frames: AsyncGenerator[Frame, None]) -> AsyncGenerator[Frame, None]:
    """Yield the same frames, each choice without leading white space; later frames pass
    untouched."""
    begun: set[int] = set()
    try:
        async for frame in frames:
            pending = not begun or FrameKind.ANSWER in frame.kind
            yield _trim(frame, begun) if pending else frame
    finally:
        await frames.aclose()


def _trim(frame: Frame, begun: set[int]) -> Frame:
    body: dict[str, Any] = frame.body
    place = "message" if FrameKind.ANSWER in frame.kind else "delta"
    changed = False
    for choice in body.get("choices") or ():
        index, text = choice.get("index", 0), (choice.get(place) or {}).get("content")
        if not isinstance(text, str) or index in begun:
            continue
        stripped = text.lstrip()
        if stripped:
            begun.add(index)
        if stripped != text:
            choice[place]["content"], changed = stripped, True
    if not changed:
        return frame
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Frame.raw(frame.kind, data.encode("utf-8", "replace"))
