"""Instructor: typed answers in each of its ways."""

from __future__ import annotations

import instructor
import openai
import pytest
from pydantic import BaseModel

from tests.clients.conftest import Place
from tests.clients.fake_engine import MODEL

CLIENT = "instructor"
HI = [{"role": "user", "content": "What is the capital of Poland? Answer in JSON."}]


class City(BaseModel):
    """A city and its country."""

    city: str
    country: str


@pytest.mark.parametrize("mode", ["TOOLS", "JSON", "JSON_SCHEMA", "TOOLS_STRICT"])
def test_structured_output(server: Place, mode: str) -> None:
    client = openai.OpenAI(base_url=server.url, api_key=server.key, max_retries=0)
    ask = instructor.from_openai(client, mode=getattr(instructor.Mode, mode))
    answer = ask.chat.completions.create(
        model=MODEL, messages=HI, response_model=City, max_retries=0
    )
    assert answer.city == "Warsaw"


def test_a_typed_answer_in_pieces(server: Place) -> None:
    client = openai.OpenAI(base_url=server.url, api_key=server.key, max_retries=0)
    ask = instructor.from_openai(client, mode=instructor.Mode.TOOLS)
    pieces = ask.chat.completions.create_partial(model=MODEL, messages=HI, response_model=City)
    assert [piece.city for piece in pieces][-1] == "Warsaw"
