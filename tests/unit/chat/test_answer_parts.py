"""An answer keeps how long it was thought over, as its pieces come."""

from __future__ import annotations

import time

import pytest

from venom_core.chat.sessions import AnswerParts
from venom_core.sdk.frames import Choice, ToolCall

THOUGHT, WORD, CALL = Choice(reasoning="Hm. "), Choice(content="Yes."), Choice(
    tool_calls=(ToolCall(0, "c", "look", "{}"),)
)  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "took"),
    [
        ([THOUGHT, THOUGHT, WORD, WORD], 2000),
        ([THOUGHT, CALL, WORD], 1000),
        ([THOUGHT, THOUGHT], 1000),
        ([THOUGHT, WORD, THOUGHT, WORD], 1000),
        ([WORD, WORD], None),
    ],
    ids=["then a word", "then a call", "cut", "again later", "never"],
)
def test_the_time_of_thinking_ends_with_the_first_word(
    monkeypatch: pytest.MonkeyPatch, pieces: list[Choice], took: int | None
) -> None:
    parts = AnswerParts()
    for second, piece in enumerate(pieces):
        monkeypatch.setattr(time, "monotonic", lambda now=second: float(now))
        parts.take(piece)
    assert parts.details().get("reasoning_ms") == took
