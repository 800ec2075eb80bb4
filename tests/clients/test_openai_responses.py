"""OpenAI's client for Python and its agents, over the Responses API."""

from __future__ import annotations

import asyncio
from typing import Any

import agents
import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.clients.conftest import Place
from tests.clients.fake_engine import MODEL, TEXT

CLIENT = "openai-responses"
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


class City(BaseModel):
    city: str
    people: int


@pytest.fixture
def client(server: Place) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key=server.key, max_retries=0)


def test_text_whole_and_streamed(client: openai.OpenAI) -> None:
    assert client.responses.create(model=MODEL, input="Capital?").output_text == TEXT
    with client.responses.stream(model=MODEL, input="Capital?") as stream:
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        assert (text, stream.get_final_response().output_text) == (TEXT, TEXT)


def test_a_tool_loop(client: openai.OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="Weather?", tools=[WEATHER])
    [call] = [item for item in first.output if item.type == "function_call"]
    assert (call.name, call.arguments) == ("weather", '{"city": "Warsaw"}')
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sun"}
    second = client.responses.create(
        model=MODEL, input=[result], previous_response_id=first.id, tools=[WEATHER]
    )
    assert second.output_text == TEXT


def test_a_schema(client: openai.OpenAI) -> None:
    made = client.responses.parse(model=MODEL, input="Capital?", text_format=City)
    assert made.output_parsed == City(city="Warsaw", people=3)


def test_agents(server: Place) -> None:
    agents.set_tracing_disabled(disabled=True)
    client = openai.AsyncOpenAI(base_url=server.url, api_key=server.key, max_retries=0)
    seen: list[str] = []

    @agents.function_tool
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        seen.append(city)
        return "sun"

    model = agents.OpenAIResponsesModel(model=MODEL, openai_client=client)
    agent = agents.Agent(name="a", instructions="Be short.", tools=[weather], model=model)
    done = asyncio.run(agents.Runner.run(agent, "Weather?"))
    assert (done.final_output, seen) == (TEXT, ["Warsaw"])


def test_langchain(server: Place) -> None:
    made = ChatOpenAI(
        model=MODEL, base_url=server.url, api_key=server.key, use_responses_api=True, max_retries=0
    )
    assert made.invoke("Capital?").text == TEXT
    [call] = made.bind_tools([WEATHER]).invoke("Weather?").tool_calls  # type: ignore[attr-defined]
    assert (call["name"], call["args"]) == ("weather", {"city": "Warsaw"})
