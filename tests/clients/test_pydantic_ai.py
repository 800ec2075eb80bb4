"""Pydantic AI: an agent with a tool and a typed answer."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.clients.conftest import Place
from tests.clients.fake_engine import MODEL, SMALL, TEXT

CLIENT = "pydantic-ai-slim"
HI = "What is the capital of Poland?"


class City(BaseModel):
    city: str
    people: int


def model(server: Place, name: str = MODEL, key: str | None = None) -> OpenAIChatModel:
    provider = OpenAIProvider(base_url=server.url, api_key=key or server.key)
    return OpenAIChatModel(name, provider=provider)


async def test_chat(server: Place) -> None:
    agent = Agent(model(server), instructions="Be brief.")
    assert (await agent.run(HI)).output == TEXT


async def test_stream(server: Place) -> None:
    async with Agent(model(server)).run_stream(HI) as answer:
        assert [piece async for piece in answer.stream_text(delta=True)]
        assert await answer.get_output() == TEXT


async def test_tools_there_and_back(server: Place) -> None:
    agent = Agent(model(server), output_type=str)
    asked: list[str] = []

    @agent.tool_plain
    def weather(city: str) -> str:
        """Say the weather of a city."""
        asked.append(city)
        return "sunny"

    assert (await agent.run(HI)).output == TEXT
    assert asked == ["Warsaw"]


@pytest.mark.parametrize("how", ["as a tool", "as a schema"])
async def test_structured_output(server: Place, how: str) -> None:
    output = NativeOutput(City) if how == "as a schema" else City
    answer = await Agent(model(server), output_type=output).run(HI)
    assert answer.output == City(city="Warsaw", people=3)


@pytest.mark.parametrize(
    ("name", "key", "status"),
    [("nope", None, 404), (SMALL, None, 400), (MODEL, "a-wrong-key", 401)],
    ids=["unknown model", "overflow", "wrong key"],
)
async def test_refusals(server: Place, name: str, key: str | None, status: int) -> None:
    with pytest.raises(ModelHTTPError) as refused:
        await Agent(model(server, name, key)).run(HI)
    assert refused.value.status_code == status
