"""Anthropic's official client for Python, and LangChain's over it."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from langchain_anthropic import ChatAnthropic

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, MODELS, SILENT, SMALL, TEXT
from venom_core.testing.deadlines import eventually

CLIENT = "anthropic-python"
HI: Any = [{"role": "user", "content": "What is the capital of Poland?"}]
WEATHER: Any = {
    "name": "weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def client_of(server: Place, key: str | None = None) -> anthropic.Anthropic:
    url = server.url.removesuffix("/v1")
    return anthropic.Anthropic(base_url=url, api_key=key or server.key, max_retries=0)


@pytest.fixture
def client(server: Place) -> anthropic.Anthropic:
    return client_of(server)


def test_message(client: anthropic.Anthropic) -> None:
    made = client.messages.create(model=MODEL, max_tokens=20, messages=HI, system="Be short.")
    assert made.content[0].text == TEXT  # type: ignore[union-attr]
    assert (made.stop_reason, made.usage.input_tokens, made.usage.output_tokens) == (
        "end_turn", 7, 6,
    )  # fmt: skip


def test_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model=MODEL, max_tokens=20, messages=HI) as stream:
        assert "".join(stream.text_stream) == TEXT
        whole = stream.get_final_message()
    assert whole.content[0].text == TEXT  # type: ignore[union-attr]
    assert whole.usage.output_tokens == 6


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_loop(client: anthropic.Anthropic, streamed: bool) -> None:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 20, "tools": [WEATHER]}
    if streamed:
        with client.messages.stream(messages=HI, **asked) as stream:
            called = stream.get_final_message()
    else:
        called = client.messages.create(messages=HI, **asked)
    assert called.stop_reason == "tool_use"
    [use] = [block for block in called.content if block.type == "tool_use"]
    assert (use.name, use.input) == ("weather", {"city": "Warsaw"})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "sun"}
    said: Any = [*HI, {"role": "assistant", "content": called.content},
                 {"role": "user", "content": [result]}]  # fmt: skip
    assert client.messages.create(messages=said, **asked).content[0].text == TEXT  # type: ignore[union-attr]


def test_tokens_and_models(client: anthropic.Anthropic) -> None:
    assert client.messages.count_tokens(model=MODEL, messages=HI).input_tokens == 7
    assert sorted(model.id for model in client.models.list()) == sorted(MODELS)
    assert client.models.retrieve(MODEL).display_name == MODEL


@pytest.mark.parametrize(
    ("model", "key", "kind"),
    [
        ("nope", None, anthropic.NotFoundError),
        (SMALL, None, anthropic.BadRequestError),
        (MODEL, "a-wrong-key", anthropic.AuthenticationError),
    ],
    ids=["unknown model", "overflow", "wrong key"],
)
def test_refused(server: Place, model: str, key: str | None, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        client_of(server, key).messages.create(model=model, max_tokens=20, messages=HI)


def test_broken_off(client: anthropic.Anthropic) -> None:
    with (
        pytest.raises(anthropic.APIStatusError, match="broke off"),
        client.messages.stream(model=BROKEN, max_tokens=20, messages=HI) as stream,
    ):
        stream.get_final_message()


def test_leaving_reaches_the_engine(server: Place, client: anthropic.Anthropic) -> None:
    gone = server.engine.gone
    with client.messages.stream(model=SILENT, max_tokens=20, messages=HI) as stream:
        assert next(iter(stream.text_stream)) == TEXT[:8]
    assert eventually(lambda: server.engine.gone == gone + 1)


def test_langchain(server: Place) -> None:
    made = ChatAnthropic(
        model_name=MODEL, base_url=server.url.removesuffix("/v1"), api_key=server.key,
        max_tokens_to_sample=20, max_retries=0, timeout=60, stop=None,
    )  # fmt: skip
    assert made.invoke("What is the capital of Poland?").content == TEXT
    assert "".join(str(piece.text) for piece in made.stream("Capital?")) == TEXT
    [call] = made.bind_tools([WEATHER]).invoke("Weather?").tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Warsaw"})
