"""Use another release of the official client: ``python openai_python.py URL KEY``."""

from __future__ import annotations

import sys

import openai
from pydantic import BaseModel

MESSAGES = [{"role": "user", "content": "What is the capital of Poland?"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]


class City(BaseModel):
    city: str


def main(url: str, key: str) -> None:
    client = openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=300)
    chat = client.chat.completions
    print(chat.create(model="fake", messages=MESSAGES))
    print(list(chat.create(model="fake", messages=MESSAGES, stream=True)))
    first = chat.create(model="fake", messages=MESSAGES, tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "sunny"}
    print(chat.create(model="fake", messages=[*MESSAGES, first, result], tools=TOOLS))
    print(chat.parse(model="fake", messages=MESSAGES, response_format=City))
    print(client.embeddings.create(model="fake", input=["a", "abc"]))
    print(client.models.list())


if __name__ == "__main__":
    main(*sys.argv[1:])
