"""Vercel's AI SDK over ``@ai-sdk/openai-compatible``, in Node."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, SILENT, SMALL, TEXT
from tests.clients.node import run
from venom_core.testing.deadlines import eventually

CLIENT = "vercel-ai-js"
ANSWERS = {
    "chat": TEXT,
    "stream": [TEXT, 13],
    "tools": ["sunny in Warsaw", TEXT],
    "toolsInAStream": TEXT,
    "schema": {"city": "Warsaw"},
    "image": "1 image, data:image/png;",
    "embeddings": [[1.0, 0.5], [3.0, 0.5]],
}


@pytest.mark.parametrize("case", ANSWERS)
def test_it_gets(server: Place, case: str) -> None:
    assert run("vercel", case, server.url, server.key, MODEL) == ANSWERS[case]


@pytest.mark.parametrize(
    ("model", "key", "status", "words"),
    [
        ("nope", None, 404, "nope"),
        (SMALL, None, 400, "maximum context length is 4096"),
        (MODEL, "a-wrong-key", 401, "key"),
    ],
    ids=["unknown model", "overflow", "wrong key"],
)
def test_refused(server: Place, model: str, key: str | None, status: int, words: str) -> None:
    told = run("vercel", "refused", server.url, key or server.key, model)
    assert (told["kind"], told["status"]) == ("AI_APICallError", status)
    assert words in told["message"]


def test_broken_off(server: Place) -> None:
    [told] = run("vercel", "brokenOff", server.url, server.key, BROKEN)
    assert "broke off" in told


def test_leaving_reaches_the_engine(server: Place) -> None:
    gone = server.engine.gone
    assert run("vercel", "leave", server.url, server.key, SILENT) == TEXT[:8]
    assert eventually(lambda: server.engine.gone == gone + 1)


def test_the_real_engine_answers(real: str) -> None:
    assert run("vercel", "chat", real, "x", "gemma3-270m-base") == "Warsaw"
