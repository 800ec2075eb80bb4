"""Haystack: its generators and embedders."""

from __future__ import annotations

import pytest
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage, Document, StreamingChunk
from haystack.tools import Tool
from haystack.utils import Secret

from tests.clients.conftest import Place
from tests.clients.fake_engine import MODEL, SMALL, TEXT

CLIENT = "haystack-ai"
HI = [ChatMessage.from_user("What is the capital of Poland?")]
WEATHER = Tool(
    "weather",
    "Say the weather of a city",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    lambda city: f"sunny in {city}",
)


def generator(server: Place, model: str = MODEL, **more: object) -> OpenAIChatGenerator:
    key = Secret.from_token(server.key)
    return OpenAIChatGenerator(
        api_key=key, model=model, api_base_url=server.url, max_retries=0, **more
    )


def test_chat(server: Place) -> None:
    answer = generator(server, generation_kwargs={"max_tokens": 9, "temperature": 0}).run(HI)
    assert answer["replies"][0].text == TEXT


def test_stream(server: Place) -> None:
    pieces: list[StreamingChunk] = []
    answer = generator(server, streaming_callback=pieces.append).run(HI)
    assert answer["replies"][0].text == TEXT == "".join(piece.content for piece in pieces)


def test_tools_there_and_back(server: Place) -> None:
    ask = generator(server, tools=[WEATHER])
    asked = ask.run(HI)["replies"][0]
    assert asked.tool_calls[0].arguments == {"city": "Warsaw"}
    result = ChatMessage.from_tool("sunny", origin=asked.tool_calls[0])
    assert ask.run([*HI, asked, result])["replies"][0].text == TEXT


def test_embeddings(server: Place) -> None:
    place = {"api_key": Secret.from_token(server.key), "api_base_url": server.url, "model": MODEL}
    assert OpenAITextEmbedder(**place).run("abc")["embedding"] == [3.0, 0.5]
    found = OpenAIDocumentEmbedder(**place).run([Document(content="a"), Document(content="ab")])
    assert [one.embedding for one in found["documents"]] == [[1.0, 0.5], [2.0, 0.5]]


def test_an_overflow_says_its_numbers(server: Place) -> None:
    with pytest.raises(Exception, match="maximum context length is 4096"):
        generator(server, SMALL).run(HI)
