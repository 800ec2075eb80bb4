"""Bodies as clients send them: one meaning, several ways to write it, one form for the provider."""

from __future__ import annotations

import base64
import codecs
import json
import struct
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api.json_text import LONGEST_MENDED
from venom_core.sdk.frames import Usage, delta, finish
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say
from venom_core.testing.staging import client_of

CHAT, COMPLETE, EMBED = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
HI = [{"role": "user", "content": "hi"}]
CALL = {"id": "c1", "function": {"name": "f", "arguments": '{"a":1}'}}
TYPED_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    scripted.SCRIPTS["own"] = Script(
        answer("x"), Model("own", "folder", defaults={"max_tokens": 48, "stop": ["\n"]})
    )


def turn(**message: Any) -> dict[str, Any]:
    return {"messages": [*HI, {"role": "assistant", "content": "x", **message}, *HI]}


def seen() -> dict[str, Any]:
    return dict(scripted.SEEN.requests[-1].body)


# -- fields ---------------------------------------------------------------------------------------

#: What a client sends -> what the provider is asked of it. "model" is left out of both.
MEANT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "every optional field is null": (
        {
            "messages": HI,
            **dict.fromkeys(
                [
                    "temperature",
                    "top_p",
                    "top_k",
                    "max_tokens",
                    "max_completion_tokens",
                    "stop",
                    "seed",
                    "n",
                    "logit_bias",
                    "logprobs",
                    "top_logprobs",
                    "response_format",
                    "tools",
                    "tool_choice",
                    "parallel_tool_calls",
                    "reasoning_effort",
                    "stream",
                    "stream_options",
                    "user",
                    "metadata",
                    "functions",
                    "service_tier",
                ]
            ),
        },
        {"messages": HI},
    ),
    "an answer's message sent back": (
        turn(refusal=None, annotations=[], audio=None, function_call=None, tool_calls=None),
        turn(),
    ),
    "empty fields of a message": (turn(tool_calls=[], annotations=None, refusal=""), turn()),
    "nulls in a message": (
        turn(name=None, tool_call_id=None, reasoning_content=None),
        turn(),
    ),
    "nulls in a part": (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "hi", "image_url": None, "cache_control": None}
                    ],
                }
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
    ),
    "a null in an image": (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image_url",
                            "image_url": {"url": "data:image/png;base64,AA==", "detail": None},
                        }
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
                    ],
                }
            ]
        },
    ),
    "a refusal is the model's words": (turn(content=None, refusal="No."), turn(content="No.")),
    "a part of an answer that refuses": (
        turn(content=[{"type": "refusal", "refusal": "No."}]),
        turn(content=[{"type": "text", "text": "No."}]),
    ),
    "a call without its type": (turn(tool_calls=[CALL]), turn(tool_calls=[TYPED_CALL])),
    "a call whose type is null": (
        turn(content=None, tool_calls=[{**CALL, "type": None}]),
        turn(content=None, tool_calls=[TYPED_CALL]),
    ),
    "a call of a tool without parameters": (
        turn(tool_calls=[{"id": "c1", "function": {"name": "f", "arguments": ""}}]),
        turn(
            tool_calls=[
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ]
        ),
    ),
    "a tool without its type": (
        {"messages": HI, "tools": [{"function": {"name": "f"}}]},
        {"messages": HI, "tools": [{"type": "function", "function": {"name": "f"}}]},
    ),
    "developer is system": (
        {"messages": [{"role": "developer", "content": "be brief"}, *HI]},
        {"messages": [{"role": "system", "content": "be brief"}, *HI]},
    ),
    "whole numbers with a fraction": (
        {"messages": HI, "max_tokens": 4.0, "n": 1.0, "temperature": 1},
        {"messages": HI, "max_tokens": 4, "temperature": 1},
    ),
    "the newer name, with a fraction": (
        {"messages": HI, "max_completion_tokens": 7.0},
        {"messages": HI, "max_tokens": 7},
    ),
    "no limit": ({"messages": HI, "max_tokens": -1}, {"messages": HI}),
    "no limit with a fraction": ({"messages": HI, "max_tokens": -1.0}, {"messages": HI}),
    "no limit by both names": (
        {"messages": HI, "max_tokens": -1, "max_completion_tokens": -1},
        {"messages": HI},
    ),
    "an empty stop": ({"messages": HI, "stop": ""}, {"messages": HI}),
    "a list with an empty stop": ({"messages": HI, "stop": [""]}, {"messages": HI}),
    "an empty stop among others": (
        {"messages": HI, "stop": ["", "END", ""]},
        {"messages": HI, "stop": ["END"]},
    ),
}


@pytest.mark.parametrize(("sent", "meant"), MEANT.values(), ids=MEANT)
async def test_a_field_is_taken_as_it_is_meant(
    client: httpx.AsyncClient, sent: dict[str, Any], meant: dict[str, Any]
) -> None:
    response = await client.post(CHAT, json={"model": "m", **sent})
    assert response.status_code == 200, response.text
    body = seen()
    assert body.pop("stream") is False
    body.pop("stream_options", None)
    assert body.pop("model") == "m"
    assert body == meant
    assert all(type(v) is int for k, v in body.items() if k in ("max_tokens", "n"))


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"messages": HI, "max_tokens": 4.5}, "max_tokens"),
        ({"messages": HI, "max_tokens": "4"}, "max_tokens"),
        ({"messages": HI, "max_tokens": True}, "max_tokens"),
        ({"messages": HI, "max_tokens": -2}, "max_tokens"),
        ({"messages": HI, "max_tokens": 0}, "max_tokens"),
        ({"messages": HI, "max_tokens": 1e300}, "max_tokens"),
        ({"messages": HI, "max_tokens": -1, "max_completion_tokens": 5}, "max_tokens"),
        ({"messages": HI, "n": 1.5}, "n"),
        ({"messages": None}, "messages"),
        ({"messages": [None]}, "messages[0]"),
        ({"messages": [{"role": None, "content": "hi"}]}, "messages[0].role"),
        (turn(tool_calls=[{**CALL, "type": "custom"}]), "messages[1].tool_calls[0].type"),
        (turn(tool_calls=[{"id": "c1"}]), "messages[1].tool_calls[0]"),
    ],
)
async def test_what_means_nothing_is_still_refused(
    client: httpx.AsyncClient, sent: dict[str, Any], param: str
) -> None:
    response = await client.post(CHAT, json={"model": "m", **sent})
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"].startswith(param)
    assert scripted.SEEN.requests == []


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({}, {"max_tokens": 48, "stop": ["\n"]}),
        ({"max_tokens": None, "stop": None}, {"max_tokens": 48, "stop": ["\n"]}),
        ({"max_tokens": -1}, {"stop": ["\n"]}),
        ({"max_completion_tokens": -1}, {"stop": ["\n"]}),
        ({"stop": [""]}, {"max_tokens": 48, "stop": ["\n"]}),
        ({"max_tokens": 5}, {"max_tokens": 5, "stop": ["\n"]}),
    ],
)
async def test_no_limit_is_a_word_against_the_models_own(
    client: httpx.AsyncClient, sent: dict[str, Any], meant: dict[str, Any]
) -> None:
    response = await client.post(CHAT, json={"model": "own", "messages": HI, **sent})
    assert response.status_code == 200
    assert {k: v for k, v in seen().items() if k in ("max_tokens", "stop")} == meant


@pytest.mark.parametrize(
    ("roles", "sent", "status"),
    [
        (("system", "user", "assistant"), "system", 200),
        (("developer", "user", "assistant"), "developer", 200),
        (("user", "assistant"), "", 400),
    ],
)
async def test_developer_is_system_only_where_the_template_knows_no_better(
    client: httpx.AsyncClient, roles: tuple[str, ...], sent: str, status: int
) -> None:
    scripted.SCRIPTS["t"] = Script(answer("x"), Model("t", "folder", allowed_roles=roles))
    body = {"model": "t", "messages": [{"role": "developer", "content": "x"}, *HI]}
    response = await client.post(CHAT, json=body)
    assert response.status_code == status
    if status == 200:
        assert seen()["messages"][0]["role"] == sent
    else:
        assert "'developer'" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/llm/simple/stream", {"content": "hi", "model": "own", "max_tokens": 4.0}),
        ("/api/v1/models/m/config", {"params": {"max_tokens": 4.0}}),
    ],
)
async def test_our_own_routes_take_whole_numbers_with_a_fraction(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    scripted.SCRIPTS["own"] = Script(say("x"))
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    wrong = json.loads(json.dumps(body).replace("4.0", "4.5"))
    assert (await client.post(path, json=wrong)).status_code in (400, 422)


# -- text -----------------------------------------------------------------------------------------


def raw(content: str) -> str:
    return '{"model":"m","messages":[{"role":"user","content":"' + content + '"}]}'


TEXTS = {
    "a byte order mark": (codecs.BOM_UTF8 + raw("hi").encode(), "hi"),
    "UTF-16": (raw("zażółć").encode("utf-16"), "zażółć"),
    "UTF-16 without a mark": (raw("zażółć").encode("utf-16-be"), "zażółć"),
    "UTF-32": (raw("zażółć").encode("utf-32"), "zażółć"),
    "an escaped pair": (raw("\\ud83d\\ude00").encode(), "😀"),
    "a lone first half": (raw("a\\ud83d").encode(), "a\ufffd"),
    "a lone first half before text": (raw("\\uD83Dx").encode(), "\ufffdx"),
    "a lone first half before an escape": (raw("\\ud83d\\n").encode(), "\ufffd\n"),
    "a lone second half": (raw("x\\ude00").encode(), "x\ufffd"),
    "two first halves": (raw("\\ud83d\\ud83d\\ude00").encode(), "\ufffd😀"),
    "halves the wrong way round": (raw("\\ude00\\ud83d").encode(), "\ufffd\ufffd"),
    "a half as bytes": (raw("a\ud83d").encode("utf-8", "surrogatepass"), "a\ufffd"),
    "a pair as bytes": (raw("\ud83d\ude00").encode("utf-8", "surrogatepass"), "😀"),
    "an escaped backslash before u": (raw("\\\\ud83d").encode(), "\\ud83d"),
    "Korean, whose bytes look alike": (raw("국어 힣").encode(), "국어 힣"),
}


@pytest.mark.parametrize(("sent", "meant"), TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream", ""])
async def test_a_body_in_whatever_unicode(
    client: httpx.AsyncClient, sent: bytes, meant: str, kind: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    response = await client.post(CHAT, content=sent, headers=headers)
    assert response.status_code == 200, response.text
    assert seen()["messages"][0]["content"] == meant


@pytest.mark.parametrize("name", ["a lone first half", "a half as bytes", "a byte order mark"])
async def test_our_own_routes_read_it_too(client: httpx.AsyncClient, name: str) -> None:
    scripted.SCRIPTS["m"] = Script(say("x"))
    sent, meant = TEXTS[name]
    text = json.loads(sent.decode("utf-8-sig", "surrogatepass"))["messages"][0]["content"]
    mark = codecs.BOM_UTF8 if sent.startswith(codecs.BOM_UTF8) else b""
    body = json.dumps({"model": "m", "content": text}, ensure_ascii="lone" in name)
    response = await client.post(
        "/api/v1/llm/simple/stream",
        content=mark + body.encode("utf-8", "surrogatepass"),
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 200, response.text
    assert seen()["messages"][-1]["content"] == meant


@pytest.mark.parametrize(
    "sent",
    [b"\xff\xfe", b"\xff\xfe\x00", codecs.BOM_UTF8, raw("\xff").encode("latin-1"),
     b'{"a":"\\ud83d"', raw("\\ud83d" + "x" * LONGEST_MENDED).encode(),
     b"[" * 5000 + b'"\\ud83d"' + b"]" * 5000],
)  # fmt: skip
async def test_what_is_no_text_is_refused(client: httpx.AsyncClient, sent: bytes) -> None:
    response = await client.post(CHAT, content=sent)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request_error"


# -- completions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "bound"),
    [({}, 16), ({"max_tokens": None}, 16), ({"max_tokens": 3.0}, 3), ({"max_tokens": -1}, None)],
)
async def test_a_completion_without_a_bound_ends_after_16(
    client: httpx.AsyncClient, sent: dict[str, Any], bound: int | None
) -> None:
    response = await client.post(COMPLETE, json={"model": "m", "prompt": "a", **sent})
    assert response.status_code == 200
    assert seen().get("max_tokens") == bound
    await client.post(CHAT, json={"model": "m", "messages": HI})
    assert "max_tokens" not in seen(), "a chat has no such bound"


PROMPTS = {
    "one": ("a", ["a"]),
    "a list of one": (["a"], ["a"]),
    "several": (["a", "b", "c"], ["a", "b", "c"]),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("prompt", "asked"), PROMPTS.values(), ids=PROMPTS)
async def test_several_prompts_are_one_answer(
    client: httpx.AsyncClient, prompt: Any, asked: list[str], count: int, stream: bool
) -> None:
    if stream:
        ends = [finish("stop", index=place) for place in range(count)]
        texts = [delta(f"t{place}", index=place) for place in range(count)]
        scripted.SCRIPTS["m"] = Script([*texts, *ends, *say(usage=Usage(3, 2))[-1:]])
    else:
        whole = answer("x")[0]
        choices = tuple(type(whole.choices[0])(index=i, content=f"t{i}", finish_reason="stop")  # type: ignore[union-attr]
                        for i in range(count))  # fmt: skip
        scripted.SCRIPTS["m"] = Script([type(whole)(choices, Usage(3, 2))])  # type: ignore[call-arg,arg-type]
    body = {"model": "m", "prompt": prompt, "n": count, "stream": stream,
            "stream_options": {"include_usage": True}}  # fmt: skip
    response = await client.post(COMPLETE, json=body)
    assert response.status_code == 200, response.text
    assert [request.body["prompt"] for request in scripted.SEEN.requests] == asked
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line[6:7] == "{"]
    events = events if stream else [response.json()]
    texts_by_choice: dict[int, str] = {}
    for event in events:
        assert event["id"].startswith("cmpl-")
        for choice in event["choices"]:
            place = choice["index"]
            texts_by_choice[place] = texts_by_choice.get(place, "") + (choice["text"] or "")
    assert texts_by_choice == {i: f"t{i % count}" for i in range(count * len(asked))}
    usages = [event["usage"] for event in events if event.get("usage")]
    assert [usage["total_tokens"] for usage in usages] == [5 * len(asked)]
    if stream:
        assert response.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    "prompt", [[], None, 5, [5.5], ["a", 5], [[]], [["a"]], ["x"] * 129, {}, [-1]]
)
async def test_what_is_no_prompt(client: httpx.AsyncClient, prompt: Any) -> None:
    response = await client.post(COMPLETE, json={"model": "m", "prompt": prompt})
    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith("prompt")


# -- embeddings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [[1, 2], [[1, 2], [3]], [[1]]])
@pytest.mark.parametrize(("path", "field"), [(EMBED, "input"), (COMPLETE, "prompt")])
async def test_tokens_are_refused_with_the_way_out(
    client: httpx.AsyncClient, path: str, field: str, value: Any
) -> None:
    """Numbers of OpenAI's vocabulary, as LangChain sends them, are other words to every model."""
    error = (await client.post(path, json={"model": "m", field: value})).json()["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", field)
    assert ("check_embedding_ctx_length=False" in error["fix"]) == (field == "input")
    assert scripted.SEEN.embeds == scripted.SEEN.requests == []


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"input_type": "query"}, "input_type"),
        ({"truncate": "END"}, "truncate"),
        ({"truncate_prompt_tokens": 5}, "truncate_prompt_tokens"),
        ({"input_type": None, "user": "u", "encoding_format": None, "dimensions": None}, None),
        ({"encoding_format": "float"}, None),
    ],
)
@pytest.mark.parametrize("policy", ["strict", "warn"])
async def test_embeddings_follow_the_parameter_policy(
    make_venom: MakeVenom, sent: dict[str, Any], named: str | None, policy: str
) -> None:
    async with client_of(make_venom(VENOM_PARAMETER_POLICY=policy)) as client:
        response = await client.post(EMBED, json={"model": "m", "input": "abc", **sent})
        if named and policy == "strict":
            error = response.json()["error"]
            assert (error["code"], error["param"]) == ("unsupported_parameter", named)
            assert scripted.SEEN.embeds == []
        else:
            assert response.status_code == 200
            assert response.headers.get("venom-ignored-parameters") == named


@pytest.mark.parametrize("policy", ["strict", "warn"])
async def test_vectors_of_another_size_are_never_sent(make_venom: MakeVenom, policy: str) -> None:
    async with client_of(make_venom(VENOM_PARAMETER_POLICY=policy)) as client:
        response = await client.post(EMBED, json={"model": "m", "input": "a", "dimensions": 256.0})
        assert response.json()["error"]["param"] == "dimensions"


async def test_base64_is_the_same_numbers(client: httpx.AsyncClient) -> None:
    body = {"model": "m", "input": ["a", "abc"]}
    plain = (await client.post(EMBED, json=body)).json()["data"]
    packed = (await client.post(EMBED, json={**body, "encoding_format": "base64"})).json()["data"]
    decoded = [struct.unpack("<2f", base64.b64decode(row["embedding"])) for row in packed]
    assert [list(vector) for vector in decoded] == [row["embedding"] for row in plain]
    assert [row["index"] for row in packed] == [0, 1]
