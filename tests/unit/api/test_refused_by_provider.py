"""Refusals of a provider that is asked already: under the policy ``warn`` it is asked again without
the field, and the caller is told."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contract.openai.test_queue import ASKS, BODY, ask, narrow
from tests.unit.api.conftest import MakeVenom
from venom_core.sdk.errors import UnsupportedParameter
from venom_core.sdk.frames import Frame
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Pause, Script, ScriptedProvider, answer, say
from venom_core.testing.staging import client_of

CHAT, COMPLETE, SIMPLE = "/v1/chat/completions", "/v1/completions", "/api/v1/llm/simple/stream"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
STRICT = {"type": "function", "function": {"name": "f", "strict": True}}
NAMED = "venom-ignored-parameters"


@pytest.fixture
def picky(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A provider that refuses these fields of a request, one after the other."""
    refused: list[str] = ["stop", "tools[0].function.strict", "max_tokens"]
    play = ScriptedProvider._play

    async def pick(self: Any, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        request.sent.emulate(f"try {len(request.body)}")
        for param in refused:
            name, nested, _ = param.partition("[")
            given = request.body.get(name)
            if given and (not nested or any("strict" in tool["function"] for tool in given)):
                scripted.SEEN.requests.append(request)
                raise UnsupportedParameter(f"No {param}.", param=param)
        async for frame in play(self, request):
            yield frame

    monkeypatch.setattr(ScriptedProvider, "_play", pick)
    return refused


@pytest.mark.parametrize("streamed", [False, True])
async def test_it_is_asked_again_without_and_the_caller_is_told(
    make_venom: MakeVenom, picky: list[str], streamed: bool
) -> None:
    scripted.SCRIPTS["m"] = Script(say("yes") if streamed else answer("yes"))
    body = {**ASKED, "stream": streamed, "stop": ["x"], "tools": [STRICT], "max_tokens": 5,
            "seed": 4, "temperature": 0.5}  # fmt: skip
    async with client_of(make_venom(VENOM_PARAMETER_POLICY="warn")) as client:
        response = await client.post(CHAT, json=body, headers={"Venom-Explain": "1"})
    assert response.status_code == 200 and "yes" in response.text
    assert response.headers[NAMED] == "seed, stop, tools[].function.strict, max_tokens"
    told = json.loads(base64.b64decode(response.headers["venom-explain"]))
    assert told["origins"] == {"temperature": "request", "tools": "request"}
    assert told["ignored"] == ["seed", "stop", "tools[].function.strict", "max_tokens"]
    last = scripted.SEEN.requests[-1].body
    assert told["upstream_body"] == last and not {"stop", "max_tokens", "seed"} & last.keys()
    assert last["tools"] == [{"type": "function", "function": {"name": "f"}}]
    # What the provider noted of its first tries is not told of the last.
    assert response.headers["venom-emulated"] == f"try {len(last)}"
    assert len(scripted.SEEN.requests) == 4


async def test_under_strict_it_is_refused_and_asked_once(
    make_venom: MakeVenom, picky: list[str]
) -> None:
    scripted.SCRIPTS["m"] = Script(answer("yes"))
    async with client_of(make_venom()) as client:
        response = await client.post(CHAT, json={**ASKED, "stop": ["x"]})
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, "stop")
    assert len(scripted.SEEN.requests) == 1


async def test_the_choices_of_several_prompts_are_counted_anew(
    make_venom: MakeVenom, picky: list[str]
) -> None:
    picky[:] = ["n"]
    scripted.SCRIPTS["m"] = Script(answer("yes"))
    async with client_of(make_venom(VENOM_PARAMETER_POLICY="warn")) as client:
        response = await client.post(COMPLETE, json={"model": "m", "prompt": ["a", "b"], "n": 3})
    assert response.headers[NAMED] == "n"
    assert [choice["index"] for choice in response.json()["choices"]] == [0, 1]


async def test_what_is_left_of_it_may_be_refused(make_venom: MakeVenom, picky: list[str]) -> None:
    picky[:] = ["stop", "messages"]
    scripted.SCRIPTS["m"] = Script(answer("yes"))
    venom = make_venom(VENOM_PARAMETER_POLICY="warn")
    async with client_of(venom) as client:
        response = await client.post(CHAT, json={**ASKED, "stop": ["x"]})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "messages")
    assert len(scripted.SEEN.requests) == 2 and venom.chat.queues()["scripted"] == (0, 0)


async def test_after_the_first_frame_a_refusal_stands(make_venom: MakeVenom) -> None:
    late = UnsupportedParameter("No stop.", param="stop")
    scripted.SCRIPTS["m"] = Script([*say("a")[:1], late])
    async with client_of(make_venom(VENOM_PARAMETER_POLICY="warn")) as client:
        response = await client.post(CHAT, json={**ASKED, "stop": ["x"], "stream": True})
    assert response.status_code == 200 and NAMED not in response.headers
    assert '"param":"stop"' in response.text.replace(": ", ":") and len(scripted.SEEN.requests) == 1


async def test_an_answer_in_pieces_of_ours_names_it(
    make_venom: MakeVenom, picky: list[str]
) -> None:
    scripted.SCRIPTS["m"] = Script(say("yes"))
    async with client_of(make_venom(VENOM_PARAMETER_POLICY="warn")) as client:
        response = await client.post(SIMPLE, json={"content": "hi", "model": "m", "max_tokens": 5})
    assert response.headers[NAMED] == "max_tokens"
    assert '"ignored_parameters":["max_tokens"]' in response.text.replace(": ", ":")


async def test_where_the_head_is_sent_already_a_comment_names_it(
    tmp_path: Path, picky: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BODY, "stop", ["x"])
    async with (
        narrow(tmp_path, VENOM_PARAMETER_POLICY="warn") as (_, client),
        AsyncExitStack() as stack,
    ):
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        first = await ask(stack, client)
        assert first.response.headers[NAMED] == "stop"
        assert (await first.line()).startswith("data: ")
        scripted.SCRIPTS["m"] = Script(say("b"))
        late = await ask(stack, client, **ASKS)
        assert (await late.line(), late.response.headers.get(NAMED)) == (": queue 1", None)
        await first.response.aclose()
        note, *events = [line for line in await late.rest() if not line.startswith(": queue")]
    assert note == ": ignored stop" and all(event.startswith("data: ") for event in events)


async def test_tools_of_a_model_that_calls_none(make_venom: MakeVenom) -> None:
    model = Model("m", "folder", capabilities=frozenset({"chat"}))
    scripted.SCRIPTS["m"] = Script(answer("yes"), model)
    body = {**ASKED, "tools": [STRICT], "tool_choice": "required"}
    async with client_of(make_venom()) as client:
        assert (await client.post(CHAT, json=body)).json()["error"]["param"] == "tools"
    async with client_of(make_venom(VENOM_PARAMETER_POLICY="warn")) as client:
        response = await client.post(CHAT, json=body)
    assert response.headers[NAMED] == "tools, tool_choice"
    assert not {"tools", "tool_choice"} & scripted.SEEN.requests[-1].body.keys()
