"""Tools with the real ``openai`` client on the larger of the built-in models, through ``venom
serve``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from bench.real_model import models_folder
from bench.tools import MODEL, TOOLS, called_by
from tests.unit.cli.processes import running
from venom_core.testing.deadlines import patience

pytestmark = pytest.mark.timeout(1500)
WEATHER = "What is the weather in Paris right now?"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(models_folder(MODEL), target_is_directory=True)
    with (
        running(home, "serve", "--port", "0") as server,
        openai.OpenAI(
            base_url=f"{server.url()}/v1", api_key="x", max_retries=0, timeout=patience(300)
        ) as client,
    ):
        yield client


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("prompt", "choice", "expected"),
    [
        (WEATHER, "auto", "get_weather"),
        (WEATHER, "required", "get_weather"),
        ("hi", named("search_web"), "search_web"),
        ("hi", "auto", None),
        (WEATHER, "none", None),
    ],
    ids=lambda value: str(value)[:12],
)
def test_the_tool_that_fits_is_called_or_words_are_said(
    client: openai.OpenAI, prompt: str, choice: Any, expected: str | None, stream: bool
) -> None:
    name, arguments, words = called_by(client, prompt, choice, stream=stream)
    assert name == expected
    if name is None:
        assert words and not arguments and '"name"' not in words
        return
    assert not words
    given = TOOLS[name].model_validate_json(arguments)
    if name == "get_weather":
        assert given.model_dump() == {"city": "Paris"}


def test_the_answer_of_a_tool_is_told_in_words(client: openai.OpenAI) -> None:
    tools: Any = [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Get the current weather of a city",
                "parameters": TOOLS["get_weather"].model_json_schema(),
            },
        }
    ]
    messages: list[Any] = [{"role": "user", "content": WEATHER}]
    told = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=messages, tools=tools, temperature=0
    )
    assert told.headers["Venom-Emulated"] == "tools"
    choice = told.parse().choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.tool_calls
    (call,) = choice.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}  # type: ignore[union-attr]
    messages += [
        choice.message,
        {"role": "tool", "tool_call_id": call.id, "content": "17 degrees and rain"},
    ]
    answer = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools, temperature=0
    ).choices[0]
    assert answer.finish_reason == "stop" and not answer.message.tool_calls
    assert "17" in str(answer.message.content)
