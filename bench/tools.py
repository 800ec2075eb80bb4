"""Tool calls with the official ``openai`` client on a local model: which answers can be read, and
which call the right tool.

The same 40 prompts are asked with each ``tool_choice``: twenty that a tool is for, five a tool, and
twenty that words answer. ``required`` and a named tool are asked of the twenty alone, and as often
of the others, where any call will do. Every second answer is streamed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from bench.real_model import models_folder, serving
from bench.report import Figure, Goal, Report

MODEL = "qwen2.5-coder:1.5b"
MOST_TOKENS = 200


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class GetWeather(_Arguments):
    """Get the current weather of a city"""

    city: str


class Add(_Arguments):
    """Add two numbers"""

    a: float
    b: float


class SendEmail(_Arguments):
    """Send an email to a person"""

    to: str
    subject: str
    body: str


class SearchWeb(_Arguments):
    """Search the web for current information"""

    query: str


TOOLS: Mapping[str, type[_Arguments]] = {
    "get_weather": GetWeather,
    "add": Add,
    "send_email": SendEmail,
    "search_web": SearchWeb,
}
CALLS = {
    "get_weather": (
        "What is the weather in Paris right now?", "Is it raining in Tokyo?",
        "How warm is it in Madrid today?", "Do I need an umbrella in London?",
        "Tell me the current temperature in Warsaw.",
    ),
    "add": (
        "Add 17 and 25.", "What is 123 plus 456?", "Sum 3.5 and 4.25.",
        "Please add 1000 to 24.", "Compute 88 + 12.",
    ),
    "send_email": (
        "Send an email to anna@example.com: subject Lunch, text See you at noon.",
        "Write to bob@example.com that the meeting is cancelled.",
        "Email carol@example.com and thank her for the report.",
        "Send dave@example.com a message with the subject Invoice.",
        "Let eve@example.com know by email that I am late.",
    ),
    "search_web": (
        "Search the web for the latest Python release.", "Look up who won the match yesterday.",
        "Find the newest reviews of electric bicycles online.",
        "Search for restaurants that opened in Berlin this month.",
        "Google the price of gold today.",
    ),
}  # fmt: skip
WORDS = (
    "hi", "Thank you!", "Write a haiku about the sea.", "Who are you?", "Tell me a joke.",
    "What is a list comprehension in Python?", "Translate 'good morning' to French.",
    "Explain what HTTP is in one sentence.", "What is the capital of Poland?",
    "Write a Python function that reverses a string.", "How are you today?",
    "What does the word 'lucid' mean?", "Name three colours.", "Give me a name for a cat.",
    "What is the opposite of hot?", "Finish the sentence: The early bird",
    "Is 7 a prime number?", "Who wrote Hamlet?", "Good night!", "What is a semaphore?",
)  # fmt: skip
PROMPTS = [
    *((text, name) for name, texts in CALLS.items() for text in texts),
    *((text, None) for text in WORDS),
]
CHOICES = ("required", "named", "auto", "none")
ALL = Goal("value", 1.0, at_least=True)


def run(*, quick: bool = False) -> Report:
    prompts = PROMPTS[::10] if quick else PROMPTS
    report = Report("tools", rounds=1)
    with serving(models_folder(MODEL)) as server:
        client = openai.OpenAI(
            base_url=f"http://127.0.0.1:{server.port}/v1", api_key="x", max_retries=0, timeout=600
        )
        rows = [row for choice in CHOICES for row in _rows(client, choice, prompts)]
    for choice in CHOICES:
        asked = [row for row in rows if row["choice"] == choice]
        report.figures += _figures(choice, asked)
    report.notes = [_said(row) for row in rows if not row["read"] or row["right"] is False]
    report.extra = {"model": f"llamacpp://{MODEL}", "answers": rows}
    return report


def _figures(choice: str, rows: list[dict[str, Any]]) -> Iterator[Figure]:
    read = [float(row["read"]) for row in rows]
    yield Figure(f"{choice}: read", "of 1", [sum(read) / len(read)], goals=(ALL,))
    judged = [float(row["right"]) for row in rows if row["right"] is not None]
    yield Figure(f"{choice}: right tool", "of 1", [sum(judged) / len(judged)])
    yield Figure(f"{choice}: seconds", "s", [float(row["seconds"]) for row in rows])


def _said(row: Mapping[str, Any]) -> str:
    return f"{row['choice']}  {row['prompt']}  ->  {row['called']} {row['words'][:60]!r}"


def _rows(
    client: openai.OpenAI, choice: str, prompts: list[tuple[str, str | None]]
) -> Iterator[dict[str, Any]]:
    names = list(TOOLS)
    for place, (prompt, wanted) in enumerate(prompts):
        named = wanted or names[place % len(names)]
        given: Any = choice
        if choice == "named":
            given = {"type": "function", "function": {"name": named}}
        started = time.monotonic()
        called, arguments, words = called_by(client, prompt, given, stream=bool(place % 2))
        expected = {"named": named, "none": None, "auto": wanted, "required": wanted}[choice]
        judged = choice != "required" or wanted is not None
        yield {
            "choice": choice,
            "prompt": prompt,
            "called": called,
            "arguments": arguments,
            "words": words,
            "read": _can_be_read(called, arguments),
            "right": called == expected if judged else None,
            "seconds": round(time.monotonic() - started, 3),
        }


def called_by(
    client: openai.OpenAI, prompt: str, choice: Any, *, stream: bool
) -> tuple[str | None, str, str]:
    """Return the tool that is called, its arguments, and the words of an answer."""
    asked: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": prompt}],
        "tools": [_tool(name, arguments) for name, arguments in TOOLS.items()],
        "tool_choice": choice,
        "temperature": 0,
        "max_tokens": MOST_TOKENS,
    }
    if not stream:
        message = client.chat.completions.create(**asked).choices[0].message
        call = message.tool_calls[0].function if message.tool_calls else None
        return (call.name if call else None), call.arguments if call else "", message.content or ""
    name, arguments, words = None, "", ""
    for chunk in client.chat.completions.create(**asked, stream=True):
        for one in chunk.choices:
            words += one.delta.content or ""
            for fragment in one.delta.tool_calls or ():
                name = name or fragment.function.name
                arguments += fragment.function.arguments or ""
    return name, arguments, words


def _tool(name: str, arguments: type[_Arguments]) -> dict[str, Any]:
    schema = arguments.model_json_schema()
    description = schema.pop("description")
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


def _can_be_read(called: str | None, arguments: str) -> bool:
    """Return whether a call's arguments are JSON of its tool's schema; words always can be."""
    if called is None:
        return not arguments
    try:
        TOOLS[called].model_validate_json(json.dumps(json.loads(arguments)))
    except (KeyError, ValueError, ValidationError):
        return False
    return True
