"""The official client for JavaScript, in Node."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, MODELS, SILENT, SMALL, TEXT
from tests.clients.node import run
from venom_core.testing.deadlines import eventually

CLIENT = "openai-js"
GEMMA = "gemma3-270m-base"
ANSWERS = {
    "chat": TEXT,
    "stream": TEXT,
    "tools": ['{"city": "Warsaw"}', TEXT],
    "toolsInAStream": '{"city": "Warsaw"}',
    "schema": {"city": "Warsaw"},
    "image": "1 image, data:image/png;",
    "embeddings": [[1.0, 0.5], [3.0, 0.5]],
    "models": sorted(MODELS),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_it_gets(server: Place, case: str) -> None:
    assert run("openai", case, server.url, server.key, MODEL) == ANSWERS[case]


@pytest.mark.parametrize(
    ("model", "key", "told"),
    [
        ("nope", None, ("NotFoundError", 404, "model_not_found")),
        (SMALL, None, ("BadRequestError", 400, "context_length_exceeded")),
        (MODEL, "a-wrong-key", ("AuthenticationError", 401, "invalid_api_key")),
    ],
    ids=["unknown model", "overflow", "wrong key"],
)
def test_refused(server: Place, model: str, key: str | None, told: tuple[Any, ...]) -> None:
    found = run("openai", "refused", server.url, key or server.key, model)
    assert (found["kind"], found["status"], found["code"]) == told
    if model == SMALL:
        assert "maximum context length is 4096 tokens" in found["message"]


def test_broken_off(server: Place) -> None:
    told = run("openai", "brokenOff", server.url, server.key, BROKEN)
    assert told["code"] == "upstream_error"
    assert "broke off" in told["message"]


def test_leaving_reaches_the_engine(server: Place) -> None:
    gone = server.engine.gone
    assert run("openai", "leave", server.url, server.key, SILENT) == TEXT[:8]
    assert eventually(lambda: server.engine.gone == gone + 1)


# -- the real engine ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "told"), [("chat", "Warsaw"), ("stream", "Warsaw"), ("embeddings", [640, 640])]
)
def test_the_real_engine(real: str, case: str, told: Any) -> None:
    assert run("openai", case, real, "x", GEMMA) == told
