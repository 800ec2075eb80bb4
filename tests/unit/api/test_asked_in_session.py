"""Requests for answers beside a new question: results of calls, a question once more, the rest of
an answer that was cut."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.api.test_answers import ask as asking
from tests.unit.api.test_answers import events, read, text_of, under_way
from venom_core.sdk.frames import Chunk, ToolCall, Usage, delta, finish
from venom_core.testing import scripted
from venom_core.testing.scripted import Pause, Script, say

CALLS = (ToolCall(0, "call_a", "weather", "{}"), ToolCall(1, "call_b", "time", "{}"))
RESULTS = [{"id": "call_b", "content": "noon"}, {"id": "call_a", "content": "rain"}]


@pytest.fixture(autouse=True)
def models() -> None:
    cut = [delta("On "), delta("and"), finish("length"), Chunk(usage=Usage(3, 2))]
    calls = [delta(tool_calls=(one,)) for one in CALLS]
    scripted.SCRIPTS["m"] = Script(say("An ", "answer"))
    scripted.SCRIPTS["cut"] = Script([delta(reasoning="Hm."), *cut])
    scripted.SCRIPTS["calls"] = Script([*calls, finish("tool_calls"), Chunk(usage=Usage(3, 2))])
    scripted.SCRIPTS["fails"] = Script([])
    scripted.SCRIPTS["hangs"] = Script([delta(" on"), Pause(forever=True)])


async def ask(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    """Ask what is given, and nothing beside it."""
    return await client.post("/api/v1/sessions/s/answers", json=body)


async def last(client: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await read(client))["messages"][-1])


def sent() -> list[dict[str, Any]]:
    return list(scripted.SEEN.requests[-1].body["messages"])


async def test_results_are_told_behind_their_calls_and_kept_as_words(
    client: httpx.AsyncClient,
) -> None:
    await ask(client, question="Why?", model="calls")
    response = await ask(client, tool_results=RESULTS, model="m")
    assert text_of(response) == "An answer"
    calling, *given = sent()[1:]
    assert (calling["role"], calling["content"]) == ("assistant", "")
    assert calling["tool_calls"] == [
        {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": "{}"}}
        for one in CALLS
    ]
    assert given == [
        {"role": "tool", "content": "rain", "tool_call_id": "call_a"},
        {"role": "tool", "content": "noon", "tool_call_id": "call_b"},
    ]
    kept = (await read(client))["messages"][-2]
    assert (kept["role"], kept["content"]) == ("user", "weather: rain\n\ntime: noon")
    assert kept["details"]["tool_results"][0] == {
        "id": "call_a", "name": "weather", "content": "rain",
    }  # fmt: skip
    # Whatever is asked later, they are told again.
    await ask(client, question="And now?")
    assert [one["role"] for one in sent()] == [
        "user", "assistant", "tool", "tool", "assistant", "user",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (RESULTS[:1], "no result of the call 'call_a'"),
        ([*RESULTS, {"id": "call_c", "content": ""}], "no call 'call_c'"),
        ([*RESULTS, RESULTS[0]], "no call 'call_b'"),
    ],
    ids=["missing", "foreign", "twice"],
)
async def test_results_of_other_calls_are_refused(
    client: httpx.AsyncClient, results: list[Any], words: str
) -> None:
    await ask(client, question="Why?", model="calls")
    refused = (await ask(client, tool_results=results, model="m")).json()
    assert (refused["code"], refused["param"]) == ("tool_results_mismatch", "tool_results")
    assert words in refused["detail"]
    assert len((await read(client))["messages"]) == 2


async def test_results_need_calls(client: httpx.AsyncClient) -> None:
    refused = await ask(client, tool_results=RESULTS, model="m")
    assert (refused.status_code, refused.json()["code"]) == (400, "tool_results_mismatch")
    assert (await client.get("/api/v1/sessions/s")).status_code == 404


async def test_results_that_were_answered_without_a_word_are_left_out_with_their_calls(
    client: httpx.AsyncClient,
) -> None:
    await ask(client, question="Why?", model="m")
    await ask(client, question="Call!", model="calls")
    await ask(client, tool_results=RESULTS, model="fails")
    await ask(client, question="And now?", model="m")
    assert [one["content"] for one in sent()] == ["Why?", "An answer", "And now?"]


async def test_a_cut_answer_is_gone_on_with(client: httpx.AsyncClient) -> None:
    await ask(client, question="Why?", model="cut")
    cut = await last(client)
    response = await ask(client, continue_message_id=cut["id"], system="Be brief.")
    assert [(one["role"], one["content"]) for one in sent()] == [
        ("system", "Be brief."), ("user", "Why?"), ("assistant", "On and"),
    ]  # fmt: skip
    # Who follows hears all of it, the beginning too.
    assert text_of(response) == "On andOn and"
    assert response.headers["Venom-Model"] == "scripted://cut"
    question, old, new = (await read(client))["messages"]
    assert (old["content"], new["content"]) == ("On and", "On andOn and")
    assert old["parent_message_id"] == new["parent_message_id"] == question["id"]
    assert response.headers["Venom-Question-Id"] == question["id"]
    details = new["details"]
    assert (details["reasoning"], details["continues"]) == ("Hm.Hm.", cut["id"])
    # The words that were there already are the prompt's, and no tokens of this answer.
    assert details["usage"]["completion_tokens"] == 2


async def test_the_rest_of_an_answer_that_is_stopped_is_kept_behind_its_beginning(
    client: httpx.AsyncClient,
) -> None:
    await ask(client, question="Why?", model="cut")
    body = {"continue_message_id": (await last(client))["id"], "model": "hangs", "follow": False}
    begun = (await ask(client, **body)).json()
    await under_way(client)
    unfinished = await ask(client, continue_message_id=begun["message_id"])
    assert (unfinished.status_code, unfinished.json()["code"]) == (409, "answer_not_finished")
    await client.post(f"/api/v1/sessions/s/answers/{begun['message_id']}/stop")
    kept = await last(client)
    assert (kept["id"], kept["content"]) == (begun["message_id"], "On and on")
    assert kept["details"]["stopped"] is True


@pytest.mark.parametrize("model", ["calls", "fails"])
async def test_an_answer_without_words_is_not_gone_on_with(
    client: httpx.AsyncClient, model: str
) -> None:
    await ask(client, question="Why?", model=model)
    refused = await ask(client, continue_message_id=(await last(client))["id"])
    assert (refused.status_code, refused.json()["code"]) == (400, "nothing_to_continue")


async def test_a_question_is_answered_once_more_by_another_model(
    client: httpx.AsyncClient,
) -> None:
    picture = {"images": [{"name": "a.png", "data": "data:image/png;base64,AAAA"}]}
    await ask(client, question="Why?", model="m", details=picture)
    question = (await read(client))["messages"][0]
    both = [asking(client, question=None, question_id=question["id"], model=one) for one in "mm"]
    assert [text_of(await one) for one in both] == ["An answer"] * 2
    assert sent()[0]["content"][1]["type"] == "image_url"
    messages = (await read(client))["messages"]
    assert [one["parent_message_id"] for one in messages] == [None, *[question["id"]] * 3]
    refused = await ask(client, question_id=messages[1]["id"])
    assert (refused.status_code, refused.json()["code"]) == (400, "not_a_question")


@pytest.mark.parametrize("name", ["question_id", "continue_message_id"])
async def test_a_message_that_is_not_there_is_said(client: httpx.AsyncClient, name: str) -> None:
    refused = (await ask(client, **{name: "none"})).json()
    assert (refused["code"], refused["param"]) == ("message_not_found", name)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": "Why?", "question_id": "x"},
        {"question_id": "x", "parent_message_id": "root"},
        {"tool_results": RESULTS, "details": {}},
        {"tool_results": [{"id": "a", "content": "x" * 400_001}]},
        {"tool_results": []},
    ],
)
async def test_one_thing_is_asked_at_a_time(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await ask(client, **body)).status_code == 422


async def test_who_follows_a_waiting_answer_hears_its_beginning_once(
    client: httpx.AsyncClient,
) -> None:
    await ask(client, question="Why?", model="cut")
    response = await ask(client, continue_message_id=(await last(client))["id"], model="m")
    texts = [one["choices"][0]["delta"].get("content") for one in events(response)[:-1]]
    assert "".join(one or "" for one in texts) == "On andAn answer"
