"""LangChain: ``langchain-openai``."""

from __future__ import annotations

import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from tests.clients.conftest import Place
from tests.clients.fake_engine import BROKEN, MODEL, SILENT, SMALL, TEXT
from venom_core.testing.deadlines import until

CLIENT = "langchain-openai"
HI = "What is the capital of Poland?"
GEMMA = "gemma3-270m-base"


class City(BaseModel):
    """A city and its people."""

    city: str
    people: int


@tool
def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


def chat(server: Place, model: str = MODEL, **more: object) -> ChatOpenAI:
    options = {"max_retries": 0, "timeout": 300, **more}
    return ChatOpenAI(model=model, base_url=server.url, api_key=server.key, **options)


def test_chat(server: Place) -> None:
    answer = chat(server, temperature=0).invoke(HI)
    assert answer.content == TEXT
    assert answer.usage_metadata["total_tokens"] == 13


def test_stream(server: Place) -> None:
    pieces = list(chat(server, stream_usage=True).stream(HI))
    assert "".join(str(piece.content) for piece in pieces) == TEXT
    assert sum((piece.usage_metadata or {}).get("total_tokens", 0) for piece in pieces) == 13


def test_tools_there_and_back(server: Place) -> None:
    model = chat(server).bind_tools([weather])
    asked = model.invoke(HI)
    assert asked.tool_calls[0]["args"] == {"city": "Warsaw"}
    result = ToolMessage(weather.invoke(asked.tool_calls[0]["args"]), tool_call_id="call_1")
    assert model.invoke([HumanMessage(HI), asked, result]).content == TEXT


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(server: Place, method: str) -> None:
    answer = (
        chat(server)
        .with_structured_output(City if method != "json_mode" else None, method=method)
        .invoke(f"{HI} Answer in JSON.")
    )
    wanted = {"city": "Warsaw", "country": "Poland"} if method == "json_mode" else None
    assert answer == (wanted or City(city="Warsaw", people=3))


def test_image(server: Place) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    said = chat(server).invoke([HumanMessage([{"type": "text", "text": "What is it?"}, image])])
    assert said.content == "1 image, data:image/png;"


def test_completion_of_several_prompts(server: Place) -> None:
    model = OpenAI(model=MODEL, base_url=server.url, api_key=server.key, max_retries=0)
    found = model.generate(["The capital of Poland is", "And it is"])
    assert [row[0].text for row in found.generations] == [" Warsaw.", " Warsaw."]


def embeddings(url: str, key: str, model: str, **more: object) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(model=model, base_url=url, api_key=key, max_retries=0, **more)


def test_embeddings_as_token_numbers(server: Place) -> None:
    """Its default: numbers of OpenAI's vocabulary, which a remote server may understand."""
    vectors = embeddings(server.url, server.key, MODEL).embed_documents(["a cat", "a dog barks"])
    assert [len(vector) for vector in vectors] == [2, 2]
    sent = server.engine.requests[-1][2]["input"]
    assert all(isinstance(number, int) for row in sent for number in row)


def test_embeddings_as_texts(server: Place) -> None:
    model = embeddings(server.url, server.key, MODEL, check_embedding_ctx_length=False)
    assert len(model.embed_query("a cat")) == 2
    assert server.engine.requests[-1][2]["input"] == ["a cat"]


def test_refusals_are_what_its_fallbacks_look_for(server: Place) -> None:
    small, large = chat(server, SMALL), chat(server)
    with pytest.raises(openai.BadRequestError, match="maximum context length is 4096"):
        small.invoke(HI)
    from langchain_core.exceptions import ContextOverflowError

    fallen_back = small.with_fallbacks([large], exceptions_to_handle=(ContextOverflowError,))
    assert fallen_back.invoke(HI).content == TEXT
    with pytest.raises(openai.NotFoundError, match="nope"):
        chat(server, "nope").invoke(HI)
    with pytest.raises(openai.AuthenticationError):
        ChatOpenAI(model=MODEL, base_url=server.url, api_key="a-wrong-key").invoke(HI)


def test_a_stream_that_breaks_off(server: Place) -> None:
    with pytest.raises(openai.APIError, match="broke off"):
        list(chat(server, BROKEN).stream(HI))


async def test_leaving_reaches_the_engine(server: Place) -> None:
    gone = server.engine.gone
    stream = chat(server, SILENT).astream(HI)
    assert (await anext(stream)).content == TEXT[:8]
    await stream.aclose()
    await until(lambda: server.engine.gone == gone + 1)


# -- the real engine ------------------------------------------------------------------------------


def test_the_real_engine_answers(real: str) -> None:
    model = ChatOpenAI(model=GEMMA, base_url=real, api_key="x", max_retries=0)
    assert model.invoke(HI).content == "Warsaw"
    assert "".join(str(piece.content) for piece in model.stream(HI)) == "Warsaw"


def test_the_real_engine_names_the_way_out_of_token_numbers(real: str) -> None:
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
        embeddings(real, "x", GEMMA).embed_query("a cat")
    model = embeddings(real, "x", GEMMA, check_embedding_ctx_length=False)
    assert len(model.embed_query("a cat")) == 640
