"""The questions of a self-test: each asks a live model for one thing, and looks whether it came.

A question returns where the model did it, raises :class:`Broken` with what it did instead, or
whatever refusal it got. What a small model is too weak for is no question: a greedy answer can be
compared, a witty one cannot.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from venom_core.sdk.errors import UpstreamError, VenomError
from venom_core.usecases.selftest.asking import ASKED, Ask, Said

Question = Callable[[Ask], Awaitable[Said | None]]
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": tool["name"],
            "description": tool["description"],
            "parameters": {
                "type": "object",
                "properties": {tool["field"]: {"type": "string"}},
                "required": [tool["field"]],
            },
        },
    }
    for tool in ASKED["tools"]
]
WEATHER = [{"role": "user", "content": ASKED["weather"]}]
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}
TOO_LONG = 400_000
NARROWED_TRIES = 4


class Broken(Exception):
    """The engine took the request and did something else; the text says what."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of the table. ``name`` is the parameter's, where it is about one."""

    group: str
    name: str
    ask: Question


CELLS: list[Cell] = []


def question(group: str, name: str) -> Callable[[Question], Question]:
    """Add a question to the table, in the order of the file."""

    def add(ask: Question) -> Question:
        CELLS.append(Cell(group, name, ask))
        return ask

    return add


def need(condition: object, otherwise: str) -> None:
    """Raise :class:`Broken` where a condition does not hold."""
    if not condition:
        raise Broken(otherwise)


@question("answers", "chat")
async def _chat(ask: Ask) -> Said:
    said = await ask.chat()
    need(said.text.strip(), "the answer is empty")
    need(said.reasons == ("length",) or said.reasons == ("stop",), "it has no end")
    return said


@question("answers", "stream")
async def _stream(ask: Ask) -> Said:
    whole, said = await ask.chat(), await ask.chat(stream=True)
    need(said.events > 3, "the stream came in one piece")
    need(said.text == whole.text, "the stream says something else than the answer")
    return said


@question("answers", "completion")
async def _completion(ask: Ask) -> Said:
    said = await ask.complete()
    need(said.text.strip(), "the answer is empty")
    return said


@question("answers", "usage")
async def _usage(ask: Ask) -> Said:
    whole, said = await ask.chat(), await ask.chat(stream=True)
    for usage in (whole.usage, said.usage):
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        need(all(counts), "a count is missing")
    same = whole.usage["prompt_tokens"] == said.usage["prompt_tokens"]
    need(same and whole.tokens == said.tokens, "the stream counts otherwise")
    return said


@question("answers", "a prompt that is too long")
async def _overflow(ask: Ask) -> None:
    try:
        await ask.chat(messages=[{"role": "user", "content": "word " * TOO_LONG}])
    except VenomError as error:
        need(error.code == "context_length_exceeded", f"it is refused as {error.code}")
        return
    raise Broken("it is cut in silence")


@question("parameters", "max_tokens")
async def _max_tokens(ask: Ask) -> Said:
    said = await ask.chat(max_tokens=3)
    need(said.tokens == 3, f"the answer has {said.tokens} tokens of 3")
    need(said.reasons == ("length",), f"it ends for {said.reasons[0]}")
    return said


@question("parameters", "stop")
async def _stop(ask: Ask) -> Said:
    whole = (await ask.chat()).text
    word = whole[len(whole) // 2 :].split()[0]
    said = await ask.chat(stop=[word])
    need(said.text == whole[: whole.index(word)], "the answer goes on or ends elsewhere")
    need(said.reasons == ("stop",), f"it ends for {said.reasons[0]}")
    return said


@question("parameters", "temperature")
async def _temperature(ask: Ask) -> Said:
    greedy = await ask.chat()
    need((await ask.chat()).text == greedy.text, "at 0 two answers differ")
    hot = [await ask.chat(temperature=1.9) for _ in range(3)]
    need({one.text for one in hot} != {greedy.text}, "at 1.9 the answer is the greedy one")
    return hot[0]


async def _as_greedy(ask: Ask, **narrow: Any) -> Said:
    """Narrow the choice to the likeliest token. In 16 bits two tokens are equally likely now and
    then, and an engine may choose either: the greedy answer need not be the first one."""
    greedy = await ask.chat()
    for _ in range(NARROWED_TRIES):
        said = await ask.chat(temperature=1.9, **narrow)
        if said.text == greedy.text:
            return said
    raise Broken("the choice is not narrowed")


@question("parameters", "top_k")
async def _top_k(ask: Ask) -> Said:
    return await _as_greedy(ask, top_k=1)


@question("parameters", "top_p")
async def _top_p(ask: Ask) -> Said:
    return await _as_greedy(ask, top_p=0.001)


@question("parameters", "min_p")
async def _min_p(ask: Ask) -> Said:
    return await _as_greedy(ask, min_p=1.0)


@question("parameters", "seed")
async def _seed(ask: Ask) -> Said:
    said = [await ask.chat(temperature=1.9, seed=seed) for seed in (1, 1, 2, 3)]
    need(said[0].text == said[1].text, "the same seed gives another answer")
    need(len({one.text for one in said}) > 1, "every seed gives the same answer")
    return said[0]


async def _changes(ask: Ask, **more: Any) -> Said:
    greedy, said = await ask.chat(), await ask.chat(**more)
    need(said.text != greedy.text, "it changes nothing")
    return said


@question("parameters", "repeat_penalty")
async def _repeat_penalty(ask: Ask) -> Said:
    return await _changes(ask, repeat_penalty=2.0)


@question("parameters", "presence_penalty")
async def _presence_penalty(ask: Ask) -> Said:
    return await _changes(ask, presence_penalty=2.0)


@question("parameters", "frequency_penalty")
async def _frequency_penalty(ask: Ask) -> Said:
    return await _changes(ask, frequency_penalty=2.0)


@question("parameters", "logit_bias")
async def _logit_bias(ask: Ask) -> Said:
    return await _changes(ask, logit_bias={"1000": 100})


@question("parameters", "n")
async def _n(ask: Ask) -> Said:
    one, said = await ask.chat(), await ask.chat(n=2)
    need(len(said.texts) == 2 and all(said.texts), f"there are {len(said.texts)} choices of 2")
    need(said.tokens > one.tokens, "the tokens of one choice alone are counted")
    return said


@question("parameters", "logprobs")
async def _logprobs(ask: Ask) -> Said:
    said = await ask.chat(logprobs=True, top_logprobs=2)
    rows = (said.logprobs or {}).get("content") or []
    need(len(rows) == said.tokens, f"{len(rows)} of {said.tokens} tokens have one")
    need(all(len(row["top_logprobs"]) == 2 for row in rows), "alternatives are missing")
    return said


@question("parameters", "logprobs of a completion")
async def _completion_logprobs(ask: Ask) -> Said:
    said = await ask.complete(logprobs=2)
    tokens = (said.logprobs or {}).get("tokens") or []
    need(len(tokens) == said.tokens, f"{len(tokens)} of {said.tokens} tokens have one")
    return said


@question("parameters", "response_format")
async def _schema(ask: Ask) -> Said:
    wanted = {"type": "json_schema", "json_schema": {"name": "it", "schema": SCHEMA}}
    said = await ask.chat(response_format=wanted)
    try:
        found = json.loads(said.text)
    except ValueError as error:
        raise Broken("the answer is no JSON") from error
    need(found in ({"answer": "yes"}, {"answer": "no"}), "the answer does not follow the schema")
    return said


@question("parameters", "grammar")
async def _grammar(ask: Ask) -> Said:
    said = await ask.chat(grammar=ASKED["grammar"])
    need(said.text in ("blue", "green"), "the answer does not follow the grammar")
    return said


@question("parameters", "suffix")
async def _suffix(ask: Ask) -> Said:
    before, after = ASKED["code"]
    return await ask.complete(prompt=before, suffix=after)


@question("parameters", "echo")
async def _echo(ask: Ask) -> Said:
    said = await ask.complete(prompt=ASKED["counting"], echo=True)
    need(said.text.startswith(ASKED["counting"]), "the prompt is not there")
    return said


@question("parameters", "best_of")
async def _best_of(ask: Ask) -> Said:
    return await ask.complete(best_of=2)


async def _called(ask: Ask, **more: Any) -> Said:
    said = await ask.chat(messages=WEATHER, tools=TOOLS, max_tokens=200, **more)
    for _, arguments in said.calls:
        try:
            need(isinstance(json.loads(arguments), dict), "the arguments are no object")
        except ValueError as error:
            raise Broken("the arguments are no JSON") from error
    return said


@question("tools", "auto")
async def _auto(ask: Ask) -> Said:
    with contextlib.suppress(Broken, UpstreamError):
        said = await _called(ask, tools_read_by="native")
        if {name for name, _ in said.calls} & {tool["function"]["name"] for tool in TOOLS}:
            return said
    said = await _called(ask, tools_read_by="emulated")
    need(said.calls or said.text.strip(), "there is neither a call nor a word")
    return said


@question("tools", "required")
async def _required(ask: Ask) -> Said:
    said = await _called(ask, tool_choice="required")
    need(said.calls, "no tool is called")
    return said


@question("tools", "named")
async def _named(ask: Ask) -> Said:
    choice = {"type": "function", "function": {"name": "search_web"}}
    said = await _called(ask, tool_choice=choice)
    need([name for name, _ in said.calls] == ["search_web"], "another tool is called, or none")
    return said


@question("tools", "none")
async def _none(ask: Ask) -> Said:
    said = await _called(ask, tool_choice="none")
    need(not said.calls, "a tool is called")
    return said


@question("tools", "one at a time")
async def _single(ask: Ask) -> Said:
    said = await _called(ask, tool_choice="required", parallel_tool_calls=False)
    need(len(said.calls) == 1, f"there are {len(said.calls)} calls")
    return said


async def _with(ask: Ask, *messages: dict[str, Any]) -> Said:
    said = await ask.chat(messages=list(messages))
    need(said.usage.get("prompt_tokens"), "nothing is counted")
    return said


@question("roles", "system")
async def _system(ask: Ask) -> Said:
    return await _with(ask, {"role": "system", "content": ASKED["system"]}, *WEATHER)


@question("roles", "developer")
async def _developer(ask: Ask) -> Said:
    return await _with(ask, {"role": "developer", "content": ASKED["system"]}, *WEATHER)


@question("roles", "assistant")
async def _assistant(ask: Ask) -> Said:
    return await _with(ask, *WEATHER, {"role": "assistant", "content": ASKED["rain"]}, *WEATHER)


@question("roles", "tool")
async def _tool(ask: Ask) -> Said:
    call = {"id": "call_1", "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}  # fmt: skip
    return await _with(
        ask,
        *WEATHER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": ASKED["degrees"]},
    )


@question("roles", "images")
async def _image(ask: Ask) -> Said:
    picture = {"type": "image_url", "image_url": {"url": ASKED["image"]}}
    text = {"type": "text", "text": ASKED["picture"]}
    return await _with(ask, {"role": "user", "content": [text, picture]})


@question("embeddings", "vectors")
async def _vectors(ask: Ask) -> None:
    found = await ask.embed(ASKED["embedded"])
    need(len(found) == len(ASKED["embedded"]) and all(found), "vectors are missing")


@question("embeddings", "a list as its texts alone")
async def _alone(ask: Ask) -> None:
    together = await ask.embed(ASKED["embedded"])
    for text, vector in zip(ASKED["embedded"], together, strict=True):
        (alone,) = await ask.embed([text])
        far = max(abs(one - other) for one, other in zip(alone, vector, strict=True))
        need(far < 1e-5, f"a number differs by {far:.2g}")


@question("embeddings", "dimensions")
async def _dimensions(ask: Ask) -> None:
    (vector,) = await ask.embed(["x"], dimensions=16)
    need(len(vector) == 16, f"the vector has {len(vector)} numbers")
