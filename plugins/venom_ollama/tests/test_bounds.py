"""Bounds on what answers at Ollama's address: bytes, rows, and work for each line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from venom_core.sdk.bounded_json import MOST_ROWS
from venom_core.sdk.errors import UpstreamError
from venom_ollama import lines
from venom_ollama.client import _objects
from venom_ollama.events import Translator
from venom_ollama.lines import LineReader


def test_the_bytes_of_a_stream_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_STREAM_BYTES", 10_000)
    reader = LineReader()
    with pytest.raises(UpstreamError) as raised:
        for _ in range(2000):
            assert list(reader.feed(b'{"a":1}\n'))
    assert raised.value.code == "not_ollama"


def test_a_long_line_is_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = LineReader()
    for _ in range(100):
        assert list(reader.feed(b" " * 1000)) == []
    assert len(reader._rest) == 100  # as it came: nothing is copied for each piece
    assert list(reader.feed(b'{"a":1}\n{"b"')) == [{"a": 1}]
    assert list(reader.feed(b":2}\n")) == [{"b": 2}]
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 5000)
    with pytest.raises(UpstreamError):
        for _ in range(100):
            list(reader.feed(b" " * 1000))


def test_of_a_long_listing_the_first_rows_are_looked_at() -> None:
    tags = {"models": [{"name": str(number)} for number in range(5000)]}
    assert len(_objects(tags, "models")) == MOST_ROWS + 1


class Token(dict[str, Any]):
    """One token of ``logprobs``, which counts how often it is looked at."""

    looks = 0

    def __getitem__(self, name: str) -> Any:
        Token.looks += name == "token"
        return super().__getitem__(name)


@pytest.mark.parametrize("stream", [True, False])
def test_each_token_is_looked_at_a_few_times(stream: bool) -> None:
    translator = Translator("m", stream=stream, wire="completion")
    Token.looks, offsets = 0, []
    for number in range(200):
        token = Token(token="ab", logprob=-0.5)
        line = {"response": "ab", "logprobs": [token], "done": number == 199}
        for frame in translator.frames(line):
            for choice in frame.event.choices:
                offsets += (choice.logprobs or {}).get("text_offset", [])
    assert offsets == list(range(0, 400, 2))
    assert Token.looks <= 200 * 10
    assert json.dumps(translator._content) == "[]" or not stream  # what was sent is not kept
