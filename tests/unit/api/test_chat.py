"""``/v1/chat/completions`` by the contract, over a scripted provider."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.api.conftest import MakeVenom
from venom_core.sdk.errors import ContextLengthExceeded, UpstreamError
from venom_core.sdk.frames import Choice, Chunk, Frame, FrameKind, Usage, delta, finish
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Pause, Script, answer, say
from venom_core.testing.staging import client_of

HI = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def events(text: str) -> list[Any]:
    """The data of each event, parsed; asserts that the last is ``[DONE]``."""
    parts = [part for part in text.split("\n\n") if part and not part.startswith(":")]
    assert all(part.startswith("data: ") for part in parts)
    assert parts[-1] == "data: [DONE]"
    return [json.loads(part[6:]) for part in parts[:-1]]


async def streamed(client: httpx.AsyncClient, **more: Any) -> list[Any]:
    response = await client.post("/v1/chat/completions", json={**HI, "stream": True, **more})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["x-accel-buffering"] == "no"
    return events(response.text)


async def test_a_stream_keeps_the_wires_law(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("Hel", "lo"))
    chunks = await streamed(client)
    assert {(c["id"], c["created"], c["model"], c["object"]) for c in chunks} == {
        (chunks[0]["id"], chunks[0]["created"], "m", "chat.completion.chunk")
    }
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hel"}
    assert chunks[-1]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert all(chunk["choices"] for chunk in chunks), "no usage chunk was asked for"
    assert all("usage" not in chunk for chunk in chunks)


async def test_usage_comes_last_when_asked_for(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("a", usage=Usage(5, 7)))
    chunks = await streamed(client, stream_options={"include_usage": True})
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


async def test_usage_beside_the_finish_is_taken_apart(client: httpx.AsyncClient) -> None:
    both = Chunk((Choice(finish_reason="stop"),), Usage(1, 1))
    raw = Frame.raw(
        FrameKind.FINISH | FrameKind.USAGE,
        b'{"id":"e","object":"chat.completion.chunk","created":1,"model":"/p",'
        b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}',
    )
    for last in (both, raw):
        scripted.SCRIPTS["m"] = Script([delta("a", role="assistant"), last])
        without = await streamed(client)
        assert without[-1]["choices"][0]["finish_reason"] == "stop"
        assert not without[-1].get("usage")
        asked = await streamed(client, stream_options={"include_usage": True})
        assert asked[-2]["choices"][0]["finish_reason"] == "stop"
        assert asked[-1]["choices"] == []
        assert asked[-1]["usage"]["prompt_tokens"] == 1


async def test_a_whole_answer(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(answer("Warsaw"))
    response = await client.post("/v1/chat/completions", json=HI)
    body = response.json()
    assert body["object"] == "chat.completion"
    assert body["model"] == "m"
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Warsaw"}
    assert body["usage"]["total_tokens"] == 5
    assert response.headers["venom-model"] == "scripted://m"
    assert response.headers["x-request-id"].startswith("req-")


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([delta("a", role="assistant")], "upstream_incomplete"),
        ([delta("a", role="assistant"), UpstreamError("It broke.")], "upstream_error"),
        ([delta("a", role="assistant"), RuntimeError("secret detail")], "upstream_error"),
        ([delta("a", role="assistant"), SystemExit("secret detail")], "upstream_error"),
        ([delta("a", role="assistant"), Pause(forever=True)], "upstream_timeout"),
        ([delta("a"), Frame.raw(FrameKind.FINISH, b"{not json")], "upstream_error"),
        ([delta("a"), finish("stop", index=1)], "upstream_error"),
    ],
)
async def test_a_fault_after_the_first_frame_is_an_error_event_and_done(
    make_venom: MakeVenom, steps: list[Any], code: str
) -> None:
    scripted.SCRIPTS["m"] = Script(steps)
    async with client_of(make_venom(VENOM_STALL_TIMEOUT="0.1")) as client:
        chunks = await streamed(client)
    assert chunks[-1]["error"]["code"] == code
    assert [chunk for chunk in chunks if "error" in chunk] == [chunks[-1]]
    assert "secret" not in json.dumps(chunks)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("steps", "status", "code"),
    [
        ([ContextLengthExceeded("Too long.", fix="Less.")], 400, "context_length_exceeded"),
        ([ValueError("secret detail")], 502, "upstream_error"),
        ([], 502, "upstream_incomplete"),
        ([Pause(forever=True)], 504, "upstream_timeout"),
    ],
)
async def test_an_error_before_the_first_frame_is_an_answer_of_its_own(
    make_venom: MakeVenom, steps: list[Any], status: int, code: str, stream: bool
) -> None:
    scripted.SCRIPTS["m"] = Script(steps)
    async with client_of(make_venom(VENOM_ANSWER_TIMEOUT="0.1")) as client:
        response = await client.post("/v1/chat/completions", json={**HI, "stream": stream})
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["fix"]
    assert "secret" not in response.text
    assert scripted.SEEN.running == 0


steps = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5).map(delta),
    st.just(Chunk()),
    st.just(finish("stop")),
    st.just(finish("length")),
    st.just(Chunk(usage=Usage(1, 2))),
    st.just(UpstreamError("It broke.")),
    st.just(OSError("it broke")),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(script=st.lists(steps, max_size=8))
async def test_every_stream_ends_lawfully(client: httpx.AsyncClient, script: list[Any]) -> None:
    """Whatever a provider does: one terminal, then ``[DONE]``, and nothing left running."""
    scripted.SCRIPTS["m"] = Script(script)
    response = await client.post("/v1/chat/completions", json={**HI, "stream": True})
    if response.status_code == 200:
        chunks = events(response.text)
        errors = [c for c in chunks if "error" in c]
        finished = [c for c in chunks if c.get("choices") and c["choices"][0]["finish_reason"]]
        assert len(errors) <= 1
        assert errors == chunks[-1:] if errors else finished
    else:
        assert response.json()["error"]["code"] in ("upstream_error", "upstream_incomplete")
    assert scripted.SEEN.running == 0


async def test_two_choices_end_each(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a"), finish("stop"), finish("stop", index=1)])
    chunks = await streamed(client, n=2)
    assert [c["choices"][0]["index"] for c in chunks] == [0, 0, 1]
    scripted.SCRIPTS["m"] = Script([delta("a"), finish("stop")])
    chunks = await streamed(client, n=2)
    assert chunks[-1]["error"]["code"] == "upstream_incomplete"


async def test_what_the_request_leaves_open_comes_from_the_model(client: httpx.AsyncClient) -> None:
    model = Model(type="folder", ref="m", defaults={"temperature": 0, "max_tokens": 48})
    scripted.SCRIPTS["m"] = Script(answer("x"), model)
    await client.post("/v1/chat/completions", json={**HI, "temperature": 1, "user": "u"})
    sent = dict(scripted.SEEN.requests[0].body)
    assert sent.pop("messages") == HI["messages"]
    assert sent == {"model": "m", "temperature": 1, "max_tokens": 48, "stream": False}


async def test_a_refused_parameter_is_named_and_warn_names_it_in_a_header(
    make_venom: MakeVenom,
) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    async with client_of(make_venom()) as client:
        response = await client.post("/v1/chat/completions", json={**HI, "logit_bias": {"1": 2}})
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["param"]) == (
            400, "unsupported_parameter", "logit_bias",
        )  # fmt: skip
        assert scripted.SEEN.requests == []
    async with client_of(make_venom(VENOM_PARAMETER_POLICY="warn")) as client:
        response = await client.post("/v1/chat/completions", json={**HI, "logit_bias": {"1": 2}})
        assert response.status_code == 200
        assert response.headers["venom-ignored-parameters"] == "logit_bias"


IMAGE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"messages": [{"role": "system", "content": "s"}]}, "unsupported_parameter",
         "messages[0].role"),
        ({"messages": [{"role": "user", "content": IMAGE}]}, "model_not_capable",
         "messages[0].content[0]"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "unsupported_parameter",
         "tools"),
    ],
)  # fmt: skip
async def test_what_the_model_cannot_take_is_refused_before_it_is_asked(
    client: httpx.AsyncClient, more: dict[str, Any], code: str, param: str
) -> None:
    model = Model(type="folder", ref="m", capabilities=frozenset({"chat"}), allowed_roles=("user",))
    scripted.SCRIPTS["m"] = Script(answer("x"), model)
    error = (await client.post("/v1/chat/completions", json={**HI, **more})).json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert scripted.SEEN.requests == []


@pytest.mark.parametrize("capabilities", [{"chat"}, {"chat", "tools"}, None])
async def test_tools_that_may_not_be_called_refuse_nothing(
    client: httpx.AsyncClient, capabilities: set[Any] | None
) -> None:
    known = None if capabilities is None else frozenset(capabilities)
    scripted.SCRIPTS["m"] = Script(answer("x"), Model(type="folder", ref="m", capabilities=known))
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = {**HI, "tools": tools, "tool_choice": "none", "parallel_tool_calls": False}
    response = await client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    # The provider declares tools, and no tool_choice with which it could be told.
    assert {"tools", "tool_choice"}.isdisjoint(scripted.SEEN.requests[0].body)


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "file:///etc/passwd", "//x"])
async def test_an_image_address_is_never_fetched(client: httpx.AsyncClient, url: str) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    content = [{"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    response = await client.post("/v1/chat/completions", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages[0].content[0].image_url.url"
    assert scripted.SEEN.requests == []


async def test_completions_speak_their_own_wire(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say(" War", "saw"))
    body = {"model": "m", "prompt": "The capital is", "stream": True}
    chunks = events((await client.post("/v1/completions", json=body)).text)
    assert [c["choices"][0]["text"] for c in chunks] == [" War", "saw", ""]
    assert {c["object"] for c in chunks} == {"text_completion"}
    assert chunks[0]["id"].startswith("cmpl-")


async def test_embeddings_in_both_encodings(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script([])
    body = {"model": "m", "input": ["a", "abc"]}
    plain = (await client.post("/v1/embeddings", json=body)).json()
    assert [row["embedding"] for row in plain["data"]] == [[1.0, 0.5], [3.0, 0.5]]
    assert plain["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    packed = (
        await client.post("/v1/embeddings", json={**body, "encoding_format": "base64"})
    ).json()
    assert packed["data"][0]["embedding"] == "AACAPwAAAD8="


async def test_the_model_chosen_without_a_name_is_said(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["base"] = Script(answer("x"), Model(type="folder", ref="base", instruct=False))
    scripted.SCRIPTS["it"] = Script(answer("y"), Model(type="folder", ref="it", instruct=True))
    response = await client.post("/v1/chat/completions", json={"messages": HI["messages"]})
    assert response.headers["venom-model"] == "scripted://it"
    assert response.headers["venom-model-reason"]
    assert response.json()["model"] == "it"


async def test_llm_off_lists_and_does_not_chat(make_venom: MakeVenom) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    async with client_of(make_venom(VENOM_RUNTIME_PROFILE="llm_off")) as client:
        response = await client.post("/v1/chat/completions", json=HI)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "llm_off")
        assert [m["id"] for m in (await client.get("/v1/models")).json()["data"]] == ["m"]
        assert (await client.get("/readyz")).status_code == 200


async def test_the_queue_tells_one_too_many_when_to_come_back(make_venom: MakeVenom) -> None:
    scripted.SCRIPTS["m"] = Script([Pause(0.3), *answer("x")])
    venom = make_venom(VENOM_MAX_CONCURRENT="1", VENOM_QUEUE_SIZE="0")
    async with client_of(venom) as client:
        first = asyncio.create_task(client.post("/v1/chat/completions", json=HI))
        await running(1)
        second = await client.post("/v1/chat/completions", json=HI)
        assert (second.status_code, second.json()["error"]["code"]) == (429, "queue_full")
        assert int(second.headers["retry-after"]) >= 1
        assert (await first).status_code == 200
        assert (await client.post("/v1/chat/completions", json=HI)).status_code == 200


async def running(count: int) -> None:
    """Wait until so many answers are under way."""
    await until(lambda: scripted.SEEN.running == count)


async def test_finished_requests_are_counted(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("a", "b"))
    await streamed(client)
    scripted.SCRIPTS["m"] = Script([delta("a")])
    await streamed(client)
    await asyncio.sleep(0)  # observers run off the request's path
    text = (await client.get("/metrics")).text
    labels = 'model="m",provider="scripted"'
    assert f'venom_requests_total{{code="ok",{labels}}} 1.0' in text
    assert f'venom_requests_total{{code="upstream_incomplete",{labels}}} 1.0' in text
    assert f'venom_tokens_total{{kind="completion",{labels}}} 2.0' in text


async def test_an_explanation_for_whoever_asks(client: httpx.AsyncClient) -> None:
    model = Model(type="folder", ref="m", defaults={"temperature": 0})
    scripted.SCRIPTS["m"] = Script(answer("x"), model)
    plain = await client.post("/v1/chat/completions", json=HI)
    assert "venom-explain" not in plain.headers
    for content in ("zażółć\n", "long " * 2000):
        body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": content}]}
        response = await client.post(
            "/v1/chat/completions", json=body, headers={"Venom-Explain": "1"}
        )
        told = json.loads(base64.b64decode(response.headers["venom-explain"]))
        assert told["origins"] == {"max_tokens": "request", "temperature": "model"}
        assert told["upstream_body"]["temperature"] == 0
        assert ("messages" in told["upstream_body"]) == (len(content) < 100)
