"""LlamaIndex: ``llama-index-llms-openai-like`` and its embeddings."""

from __future__ import annotations

import asyncio

import openai
import pytest
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, SILENT, SMALL, TEXT
from venom_core.testing.deadlines import until

CLIENT = "llama-index-llms-openai-like"
HI = "What is the capital of Poland?"
GEMMA = "gemma3-270m-base"


class City(BaseModel):
    """A city and its people."""

    city: str
    people: int


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


def llm(server: Place, model: str = MODEL, **more: object) -> OpenAILike:
    return OpenAILike(
        model=model, api_base=server.url, api_key=server.key, max_retries=0,
        timeout=300, context_window=4096,
        **{"is_chat_model": True, "is_function_calling_model": True, **more},
    )  # fmt: skip


def test_chat(server: Place) -> None:
    answer = llm(server, max_tokens=9).chat([ChatMessage(role="user", content=HI)])
    assert answer.message.content == TEXT


def test_stream(server: Place) -> None:
    pieces = llm(server).stream_chat([ChatMessage(role="user", content=HI)])
    assert "".join(piece.delta or "" for piece in pieces) == TEXT


def test_completion(server: Place) -> None:
    assert llm(server, is_chat_model=False).complete("The capital is").text == " Warsaw."


def test_tools_there_and_back(server: Place) -> None:
    tool = FunctionTool.from_defaults(weather)
    said = llm(server).predict_and_call([tool], user_msg=HI)
    assert said.response == "sunny in Warsaw"
    asked = llm(server).chat_with_tools([tool], user_msg=HI)
    result = ChatMessage(role="tool", content="sunny", additional_kwargs={"tool_call_id": "call_1"})
    told = llm(server).chat([ChatMessage(role="user", content=HI), asked.message, result])
    assert told.message.content == TEXT


@pytest.mark.parametrize("how", ["as a tool", "as a schema"])
def test_structured_output(server: Place, how: str) -> None:
    model = llm(server, should_use_structured_outputs=how == "as a schema")
    answer = model.as_structured_llm(City).chat([ChatMessage(role="user", content=HI)])
    assert answer.raw == City(city="Warsaw", people=3)


def test_image(server: Place) -> None:
    blocks = [TextBlock(text="What is it?"), ImageBlock(image=PNG, image_mimetype="image/png")]
    answer = llm(server).chat([ChatMessage(role="user", blocks=blocks)])
    assert answer.message.content == "1 image, data:image/png;"


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63f8ffff3f"
    "0005fe02fea735b6c00000000049454e44ae426082"
)


def embedding(url: str, key: str, model: str) -> OpenAILikeEmbedding:
    return OpenAILikeEmbedding(model_name=model, api_base=url, api_key=key, max_retries=0)


def test_embeddings(server: Place) -> None:
    model = embedding(server.url, server.key, MODEL)
    assert model.get_text_embedding("abc") == [3.0, 0.5]
    assert model.get_text_embedding_batch(["a", "ab"]) == [[1.0, 0.5], [2.0, 0.5]]


def test_refusals(server: Place) -> None:
    with pytest.raises(openai.NotFoundError, match="nope"):
        llm(server, "nope").complete(HI)
    with pytest.raises(openai.BadRequestError, match="maximum context length is 4096"):
        llm(server, SMALL).complete(HI)
    with pytest.raises(openai.AuthenticationError):
        llm(Place(server.url, server.engine, "a-wrong-key")).complete(HI)


def test_a_stream_that_breaks_off(server: Place) -> None:
    with pytest.raises(openai.APIError, match="broke off"):
        list(llm(server, BROKEN).stream_complete(HI))


async def test_leaving_reaches_the_engine(server: Place) -> None:
    """By the end of the task that reads: closing its stream alone does not close the answer."""
    gone = server.engine.gone
    stream = await llm(server, SILENT).astream_complete(HI)
    assert (await anext(stream)).delta == TEXT[:8]
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await until(lambda: server.engine.gone == gone + 1)


# -- the real engine ------------------------------------------------------------------------------


def test_the_real_engine_answers(real: str) -> None:
    model = OpenAILike(
        model=GEMMA, api_base=real, api_key="x", is_chat_model=True, max_retries=0, max_tokens=20
    )
    assert model.complete(HI).text == "Warsaw"
    assert "".join(piece.delta or "" for piece in model.stream_complete(HI)) == "Warsaw"


def test_the_real_engine_embeds(real: str) -> None:
    assert len(embedding(real, "x", GEMMA).get_text_embedding("a cat")) == 640
