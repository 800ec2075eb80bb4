"""The official client for Python."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, SILENT, SMALL, TEXT
from venom_core.testing.deadlines import eventually, until

CLIENT = "openai-python"
HI = [{"role": "user", "content": "What is the capital of Poland?"}]
IMAGE = "data:image/png;base64,iVBORw0KGgo="
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class City(BaseModel):
    city: str
    people: int


def client_of(url: str, key: str = "none-needed") -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=300)


@pytest.fixture
def client(server: Place) -> openai.OpenAI:
    return client_of(server.url, server.key)


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=HI, temperature=0, max_completion_tokens=20
    )
    assert answer.choices[0].message.content == TEXT
    assert answer.usage is not None and answer.usage.total_tokens == 13


def test_stream(client: openai.OpenAI) -> None:
    options = {"include_usage": True}
    stream = client.chat.completions.create(
        model=MODEL, messages=HI, stream=True, stream_options=options
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert chunks[-1].usage is not None


def test_tools_there_and_back(client: openai.OpenAI) -> None:
    """The answer's own message is sent back as it came."""
    first = client.chat.completions.create(model=MODEL, messages=HI, tools=[WEATHER])
    message = first.choices[0].message
    assert message.tool_calls is not None
    call = message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Warsaw"}')
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    turns: list[Any] = [*HI, message, result]
    second = client.chat.completions.create(model=MODEL, messages=turns, tools=[WEATHER])
    assert second.choices[0].message.content == TEXT


def test_tools_in_a_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model=MODEL, messages=HI, tools=[WEATHER]) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.arguments == '{"city": "Warsaw"}'
    assert final.choices[0].finish_reason == "tool_calls"


def test_structured_output(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(model=MODEL, messages=HI, response_format=City)
    assert answer.choices[0].message.parsed == City(city="Warsaw", people=3)


def test_image(client: openai.OpenAI, server: Place) -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
    ]
    message = [{"role": "user", "content": parts}]
    answer = client.chat.completions.create(model=MODEL, messages=message)
    assert answer.choices[0].message.content == "1 image, data:image/png;"


def test_completion_embeddings_models(client: openai.OpenAI) -> None:
    text = client.completions.create(model=MODEL, prompt=["The capital is", "So is"], max_tokens=4)
    assert [choice.text for choice in text.choices] == [" Warsaw.", " Warsaw."]
    assert text.id.startswith("cmpl-")
    vectors = client.embeddings.create(model=MODEL, input=["a", "abc"])  # asks for base64
    assert [row.embedding for row in vectors.data] == [[1.0, 0.5], [3.0, 0.5]]
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).owned_by == "remote"


def test_every_option_that_is_off(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=HI, n=1, stop=None, logit_bias={}, presence_penalty=0, user="me",
        frequency_penalty=0, logprobs=False, metadata={"app": "x"}, store=False, seed=None,
        tools=[], parallel_tool_calls=True, service_tier="auto", response_format={"type": "text"},
    )  # fmt: skip
    assert answer.choices[0].message.content == TEXT


def test_refusals(client: openai.OpenAI, server: Place) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="nope", messages=HI)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="maximum context length is 4096") as long:
        client.chat.completions.create(model=SMALL, messages=HI)
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model=MODEL, messages=[])
    assert bad.value.param == "messages"
    with pytest.raises(openai.AuthenticationError):
        client_of(server.url, "a-wrong-key").chat.completions.create(model=MODEL, messages=HI)


def test_a_stream_that_breaks_off(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model=BROKEN, messages=HI, stream=True)
    with pytest.raises(openai.APIError, match="broke off"):
        list(stream)


def test_leaving_in_mid_stream_reaches_the_engine(client: openai.OpenAI, server: Place) -> None:
    gone = server.engine.gone
    stream = client.chat.completions.create(model=SILENT, messages=HI, stream=True)
    assert next(iter(stream)).choices[0].delta.content == TEXT[:8]
    stream.close()
    assert eventually(lambda: server.engine.gone == gone + 1)


async def test_leaving_before_the_answer_reaches_the_engine(server: Place) -> None:
    gone, serving = server.engine.gone, server.engine.serving
    async with openai.AsyncOpenAI(base_url=server.url, api_key=server.key) as client:
        asking = asyncio.ensure_future(client.chat.completions.create(model=SILENT, messages=HI))
        await until(lambda: server.engine.serving == serving + 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await until(lambda: server.engine.gone == gone + 1)


def alike(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


# -- the real engine ------------------------------------------------------------------------------

GEMMA, SMALL_TALK = "gemma3-270m-base", "smollm2:135m"


def test_the_real_engine_answers(real: str) -> None:
    client = client_of(real)
    told = client.chat.completions.create(model=GEMMA, messages=HI)
    assert told.choices[0].message.content == "Warsaw"
    stream = client.chat.completions.create(model=GEMMA, messages=HI, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Warsaw"


def test_the_real_engine_embeds(real: str) -> None:
    texts = ["a cat", "a dog", "an airplane engine"]
    rows = client_of(real).embeddings.create(model=GEMMA, input=texts).data
    cat, dog, engine = (row.embedding for row in rows)
    assert alike(cat, dog) > alike(cat, engine)


def test_the_real_engine_keeps_to_a_schema(real: str) -> None:
    class Colour(BaseModel):
        colour: str

    answer = client_of(real).chat.completions.parse(
        model=SMALL_TALK, messages=[{"role": "user", "content": "The colour of the sky?"}],
        response_format=Colour, max_tokens=60, temperature=0,
    )  # fmt: skip
    assert isinstance(answer.choices[0].message.parsed, Colour)
