"""Ollama's official client for Python, and LangChain's over it, against another engine than its
own."""

from __future__ import annotations

from typing import Any

import ollama
import pytest
from langchain_ollama import ChatOllama, OllamaEmbeddings

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, MODELS, SILENT, SMALL, TEXT
from venom_core.testing.deadlines import eventually

CLIENT = "ollama-python"
HI: Any = [{"role": "user", "content": "What is the capital of Poland?"}]


def address(server: Place) -> str:
    return server.url.removesuffix("/v1")


@pytest.fixture
def client(server: Place) -> ollama.Client:
    return ollama.Client(host=address(server), headers={"Authorization": f"Bearer {server.key}"})


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sun in {city}"


def test_chat_and_generate_whole_and_streamed(client: ollama.Client) -> None:
    whole = client.chat(MODEL, messages=HI, options={"temperature": 0, "num_ctx": 4096})
    assert (whole.message.content, whole.done_reason) == (TEXT, "stop")
    assert (whole.prompt_eval_count, whole.eval_count) == (7, 6)
    pieces = list(client.chat(MODEL, messages=HI, stream=True))
    assert "".join(piece.message.content or "" for piece in pieces) == TEXT
    assert [piece.done for piece in pieces][-2:] == [False, True]
    assert client.generate(MODEL, "Capital?").response == TEXT
    assert "".join(one.response for one in client.generate(MODEL, "x", stream=True)) == TEXT


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_loop(client: ollama.Client, streamed: bool) -> None:
    made: Any = client.chat(MODEL, messages=HI, tools=[weather], stream=streamed)
    lines = list(made) if streamed else [made]
    [call] = [call for line in lines for call in line.message.tool_calls or ()]
    assert (call.function.name, call.function.arguments) == ("weather", {"city": "Warsaw"})
    asked = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "tool_name": "weather", "content": weather("Warsaw")}
    last = client.chat(MODEL, messages=[*HI, asked, result], tools=[weather])
    assert last.message.content == TEXT


def test_schema_image_and_vectors(client: ollama.Client) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    assert client.chat(MODEL, messages=HI, format=schema).message.content == '{"city": "Warsaw"}'
    picture = [{"role": "user", "content": "What?", "images": [b"\x89PNG\r\n\x1a\n"]}]
    assert client.chat(MODEL, messages=picture).message.content == "1 image, data:image/png;"
    assert [list(one) for one in client.embed(MODEL, ["a", "bcd"]).embeddings] == [
        [1.0, 0.5], [3.0, 0.5],
    ]  # fmt: skip
    assert list(client.embeddings(MODEL, "a").embedding) == [1.0, 0.5]


def test_lists(client: ollama.Client) -> None:
    assert sorted(model.model or "" for model in client.list().models) == sorted(MODELS)
    assert client.show(MODEL).details is not None
    assert client.ps().models is not None


@pytest.mark.parametrize(
    ("model", "status", "word"),
    [("nope", 404, "nope"), (SMALL, 400, "context"), (BROKEN, 502, "broke off")],
)
def test_refused(client: ollama.Client, model: str, status: int, word: str) -> None:
    with pytest.raises(ollama.ResponseError, match=word) as refused:
        client.chat(model, messages=HI)
    assert refused.value.status_code == status


def test_what_is_ollamas_own(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="Modelfile") as refused:
        client.create("mine", from_=MODEL)
    assert refused.value.status_code == 501


def test_leaving_reaches_the_engine(server: Place, client: ollama.Client) -> None:
    gone = server.engine.gone
    stream = client.chat(SILENT, messages=HI, stream=True)
    assert next(iter(stream)).message.content == TEXT[:8]
    stream.close()  # type: ignore[attr-defined]
    assert eventually(lambda: server.engine.gone == gone + 1)


def test_langchain(server: Place) -> None:
    options: dict[str, Any] = {
        "base_url": address(server),
        "client_kwargs": {"headers": {"Authorization": f"Bearer {server.key}"}},
    }
    made = ChatOllama(model=MODEL, **options)
    assert made.invoke("Capital?").content == TEXT
    assert "".join(str(piece.content) for piece in made.stream("Capital?")) == TEXT
    [call] = made.bind_tools([weather]).invoke("Weather?").tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Warsaw"})
    assert OllamaEmbeddings(model=MODEL, **options).embed_query("abc") == [3.0, 0.5]
