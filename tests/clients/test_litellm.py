"""LiteLLM: its client, and its router with fallbacks."""

from __future__ import annotations

import json
from typing import Any

import litellm
import pytest

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, SILENT, SMALL, TEXT
from venom_core.testing.deadlines import until

CLIENT = "litellm"
HI = [{"role": "user", "content": "What is the capital of Poland?"}]
GEMMA = "gemma3-270m-base"
LONG = [{"role": "user", "content": "word " * 60_000}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def place(server: Place, model: str = MODEL) -> dict[str, Any]:
    return {
        "model": f"openai/{model}",
        "api_base": server.url,
        "api_key": server.key,
        "max_retries": 0,
        "timeout": 300,
    }


def test_chat(server: Place) -> None:
    answer = litellm.completion(messages=HI, temperature=0, max_tokens=9, **place(server))
    assert answer.choices[0].message.content == TEXT
    assert answer.usage.total_tokens == 13


def test_stream(server: Place) -> None:
    chunks = list(
        litellm.completion(
            messages=HI, stream=True, stream_options={"include_usage": True}, **place(server)
        )
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert chunks[-1].usage.total_tokens == 13


def test_tools_there_and_back(server: Place) -> None:
    first = litellm.completion(messages=HI, tools=[WEATHER], **place(server))
    call = first.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "Warsaw"}
    result = {"role": "tool", "tool_call_id": call.id, "name": "weather", "content": "sunny"}
    turns = [*HI, first.choices[0].message, result]
    second = litellm.completion(messages=turns, tools=[WEATHER], **place(server))
    assert second.choices[0].message.content == TEXT


def test_structured_output(server: Place) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "c", "schema": schema, "strict": True}}
    answer = litellm.completion(messages=HI, response_format=wanted, **place(server))
    assert json.loads(answer.choices[0].message.content) == {"city": "Warsaw"}


def test_completion_and_embeddings(server: Place) -> None:
    text = {**place(server), "model": f"text-completion-openai/{MODEL}"}
    answer = litellm.text_completion(prompt=["The capital is", "So is"], max_tokens=4, **text)
    assert [choice.text for choice in answer.choices] == [" Warsaw.", " Warsaw."]
    vectors = litellm.embedding(input=["a", "abc"], **place(server))
    assert [len(row["embedding"]) for row in vectors.data] == [2, 2]


def test_refusals_are_its_own_exceptions(server: Place) -> None:
    with pytest.raises(litellm.ContextWindowExceededError, match="4096"):
        litellm.completion(messages=HI, **place(server, SMALL))
    with pytest.raises(litellm.ContextWindowExceededError, match="4096"):
        litellm.completion(messages=HI, stream=True, **place(server, SMALL))
    with pytest.raises(litellm.NotFoundError, match="nope"):
        litellm.completion(messages=HI, **place(server, "nope"))
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(messages=HI, **{**place(server), "api_key": "a-wrong-key"})


def test_an_overflow_starts_the_fallback_of_its_router(server: Place) -> None:
    router = litellm.Router(
        model_list=[
            {"model_name": name, "litellm_params": place(server, model)}
            for name, model in (("small", SMALL), ("large", MODEL))
        ],
        context_window_fallbacks=[{"small": ["large"]}],
        num_retries=0,
    )
    assert router.completion(model="small", messages=HI).choices[0].message.content == TEXT


def test_a_stream_that_breaks_off(server: Place) -> None:
    stream = litellm.completion(messages=HI, stream=True, **place(server, BROKEN))
    with pytest.raises(litellm.exceptions.MidStreamFallbackError, match="broke off"):
        list(stream)


async def test_leaving_reaches_the_engine(server: Place) -> None:
    gone = server.engine.gone
    stream = await litellm.acompletion(messages=HI, stream=True, **place(server, SILENT))
    assert (await anext(stream)).choices[0].delta.content == TEXT[:8]
    await stream.aclose()
    await until(lambda: server.engine.gone == gone + 1)


# -- the real engine ------------------------------------------------------------------------------


def real_place(real: str, model: str = GEMMA) -> dict[str, Any]:
    return {"model": f"openai/{model}", "api_base": real, "api_key": "x", "max_retries": 0}


def test_the_real_engine_answers(real: str) -> None:
    told = litellm.completion(messages=HI, **real_place(real))
    assert told.choices[0].message.content == "Warsaw"
    chunks = litellm.completion(messages=HI, stream=True, **real_place(real))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Warsaw"


def test_an_overflow_of_the_real_engine_is_known(real: str) -> None:
    with pytest.raises(litellm.ContextWindowExceededError, match="maximum context length"):
        litellm.completion(messages=LONG, **real_place(real))
