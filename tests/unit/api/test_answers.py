"""Answers that the server finishes: followed by anybody of their owner, stopped, cut, kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api import revocation
from venom_core.chat import answers
from venom_core.chat.asking import new_question
from venom_core.chat.service import ChatCall
from venom_core.composition import Venom
from venom_core.sdk.errors import UpstreamError
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.sessions import Message, Owner
from venom_core.testing import scripted
from venom_core.testing.deadlines import until, within
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import client_of, venom_over

PATH = "/api/v1/sessions"
ASK = {"question": "Why?", "model": "m"}
HANGS = [*say("Because ", "of")[:2], Pause(forever=True)]


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(say("An ", "answer"))
    scripted.SCRIPTS["hangs"] = Script(HANGS)
    scripted.SCRIPTS["breaks"] = Script([*say("Half")[:1], UpstreamError("It broke.")])


def ask(client: httpx.AsyncClient, **more: Any) -> asyncio.Task[httpx.Response]:
    session = more.pop("session", "s")
    url = f"{PATH}/{session}/answers"
    return asyncio.create_task(client.post(url, json={**ASK, **more}))


async def read(client: httpx.AsyncClient, session: str = "s") -> dict[str, Any]:
    return dict((await client.get(f"{PATH}/{session}")).json())


async def come(there: Callable[[], Awaitable[bool]]) -> None:
    async def asked() -> None:
        while True:
            if await there():
                return
            await asyncio.sleep(0.005)

    await within(asked())


async def under_way(client: httpx.AsyncClient, count: int = 1) -> list[str]:
    """Wait until so many answers are being written; their ids."""

    async def there() -> bool:
        found = (await read(client)).get("answering", [])
        return sum(one["state"] == "answering" for one in found) == count

    await come(there)
    return [one["message_id"] for one in (await read(client))["answering"]]


def events(response: httpx.Response) -> list[Any]:
    found = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    assert found[-1] == "[DONE]"
    return [json.loads(line) for line in found[:-1]]


def text_of(response: httpx.Response) -> str:
    choices = (one["choices"] for one in events(response) if one.get("choices"))
    return "".join(found[0]["delta"].get("content") or "" for found in choices)


async def test_an_answer_is_the_v1_stream_and_is_kept(client: httpx.AsyncClient) -> None:
    response = await ask(client, parameters={"temperature": 0.5}, system="Be brief.")
    assert response.status_code == 200, response.text
    assert text_of(response) == "An answer"
    last = events(response)
    assert last[-2]["choices"][0]["finish_reason"] == "stop"
    assert last[-1]["usage"]["completion_tokens"] == 2
    assert response.headers["Venom-Model"] == "scripted://m"
    assert scripted.SEEN.requests[-1].body["temperature"] == 0.5
    found = await read(client)
    assert found["answering"] == []
    system, question, answer = found["messages"]
    assert (system["content"], question["content"]) == ("Be brief.", "Why?")
    assert (answer["content"], answer["model"]) == ("An answer", "scripted://m")
    assert answer["details"]["finish_reason"] == "stop"
    assert "unfinished" not in answer["details"]
    ids = response.headers["Venom-Question-Id"], response.headers["Venom-Answer-Id"]
    assert ids == (question["id"], answer["id"])


async def test_the_next_question_has_what_was_said_and_its_own_instructions(
    client: httpx.AsyncClient,
) -> None:
    await ask(client, system="Be brief.")
    await ask(client, question="And now?", system="Be long.")
    sent = scripted.SEEN.requests[-1].body["messages"]
    told = [(one["role"], one["content"]) for one in sent]
    assert told == [
        ("system", "Be long."),
        ("user", "Why?"), ("assistant", "An answer"), ("user", "And now?"),
    ]  # fmt: skip


async def test_who_leaves_ends_nothing_and_who_comes_hears_it_from_the_beginning(
    client: httpx.AsyncClient,
) -> None:
    asking = ask(client, model="hangs")
    (answer,) = await under_way(client)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await under_way(client) == [answer]
    following = asyncio.create_task(client.get(f"{PATH}/s/answers/{answer}"))
    await asyncio.sleep(0)
    stopped = await client.post(f"{PATH}/s/answers/{answer}/stop")
    assert stopped.status_code == 200
    heard = await following
    if heard.status_code == 200:
        assert text_of(heard) == "Because of"
        assert events(heard)[-1]["error"]["code"] == "answer_stopped"
    kept = (await read(client))["messages"][-1]
    assert (kept["id"], kept["content"]) == (answer, "Because of")
    assert kept["details"]["stopped"] is True


async def test_an_answer_that_has_just_ended_is_heard_by_who_comes_late(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_LINGERING", 2)
    ids = [(await ask(client)).headers["Venom-Answer-Id"] for _ in range(2)]
    refused = await ask(client, model="none")
    ids.append(refused.headers["Venom-Answer-Id"])
    oldest, whole, wrong = [await client.get(f"{PATH}/s/answers/{one}") for one in ids]
    assert oldest.json()["code"] == "answer_not_found"
    assert text_of(whole) == "An answer"
    assert wrong.json()["code"] == "model_not_found"
    await client.delete(f"{PATH}/s")
    gone = await client.get(f"{PATH}/s/answers/{ids[1]}")
    assert (gone.status_code, gone.json()["code"]) == (404, "answer_not_found")


async def test_two_follow_one_answer(client: httpx.AsyncClient) -> None:
    asking = ask(client, model="hangs")
    (answer,) = await under_way(client)
    two = [asyncio.create_task(client.get(f"{PATH}/s/answers/{answer}")) for _ in range(2)]
    for _ in range(20):
        await asyncio.sleep(0.01)
    await client.post(f"{PATH}/s/answers/{answer}/stop")
    for heard in (await asking, *[await one for one in two]):
        assert text_of(heard) == "Because of"


async def test_a_question_that_is_refused_is_kept_with_its_refusal(
    client: httpx.AsyncClient,
) -> None:
    response = await ask(client, model="none")
    assert response.status_code == 404
    assert response.json()["code"] == "model_not_found"
    question, answer = (await read(client))["messages"]
    assert response.headers["Venom-Answer-Id"] == answer["id"]
    assert (question["content"], answer["content"]) == ("Why?", "")
    assert answer["details"]["error"]["code"] == "model_not_found"


async def test_an_answer_that_breaks_off_is_kept_as_far_as_it_came(
    client: httpx.AsyncClient,
) -> None:
    response = await ask(client, model="breaks")
    assert events(response)[-1]["error"]["code"] == "upstream_error"
    kept = (await read(client))["messages"][-1]
    assert (kept["content"], kept["details"]["error"]["code"]) == ("Half", "upstream_error")


async def test_two_questions_at_once_are_two_branches(client: httpx.AsyncClient) -> None:
    await ask(client)
    last = (await read(client))["messages"][-1]["id"]
    both = [ask(client, question=f"{n}?", parent_message_id=last) for n in range(2)]
    assert [text_of(await one) for one in both] == ["An answer"] * 2
    messages = (await read(client))["messages"]
    assert sorted(one["content"] for one in messages if one["parent_message_id"] == last) == [
        "0?",
        "1?",
    ]
    assert len(messages) == 6


async def test_nothing_follows_an_answer_that_is_being_written(client: httpx.AsyncClient) -> None:
    asking = ask(client, model="hangs")
    (answer,) = await under_way(client)
    refused = await ask(client, parent_message_id=answer)
    assert (refused.status_code, refused.json()["code"]) == (409, "answer_not_finished")
    # Without a parent it follows what is whole: here nothing.
    await ask(client)
    assert (await read(client))["messages"][-2]["parent_message_id"] is None
    await client.post(f"{PATH}/s/answers/{answer}/stop")
    await asking


async def test_a_deletion_ends_its_answers(client: httpx.AsyncClient) -> None:
    asking = ask(client, model="hangs")
    await under_way(client)
    assert (await client.delete(f"{PATH}/s")).status_code == 200
    events(await asking)
    assert (await client.get(f"{PATH}/s")).status_code == 404
    assert scripted.SEEN.running == 0


async def test_so_many_answers_of_one_owner(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_ANSWERS", 1)
    asking = ask(client, model="hangs")
    (answer,) = await under_way(client)
    refused = await ask(client, session="other")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_answers")
    assert (await client.get(f"{PATH}/other")).status_code == 404
    await client.post(f"{PATH}/s/answers/{answer}/stop")
    await asking
    assert (await ask(client, session="other")).status_code == 200


async def test_an_answer_that_is_too_long_ends(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_CONTENT", 5)
    response = await ask(client)
    assert events(response)[-1]["error"]["code"] == "answer_too_long"
    assert (await read(client))["messages"][-1]["content"] == "An answer"


async def test_the_end_of_the_server_keeps_what_was_said(make_venom: MakeVenom) -> None:
    async with client_of(make_venom()) as client:
        asking = ask(client, model="hangs")
        await under_way(client)
    assert events(await asking)[-1]["error"]["code"] == "answer_cut"
    async with client_of(make_venom()) as client:
        kept = (await read(client))["messages"][-1]
    assert (kept["content"], kept["details"]["error"]["code"]) == ("Because of", "answer_cut")


async def test_a_server_that_was_killed_leaves_what_was_kept_meanwhile(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "KEPT_SECONDS", 0.0)
    venom: Venom = make_venom()
    async with client_of(venom) as client:
        asking = ask(client, model="hangs")
        (answer,) = await under_way(client)

        async def kept() -> bool:
            return bool((await read(client))["messages"][-1]["content"])

        await come(kept)
        # As another process finds it, that writes no answer.
        found = make_venom().sessions
        _, messages = await found.get(Owner(), "s")
        assert messages[-1].details is not None
        assert messages[-1].details["error"]["code"] == "answer_cut"
        assert "unfinished" not in messages[-1].details
        await client.post(f"{PATH}/s/answers/{answer}/stop")
        await asking


@pytest.mark.parametrize("name", ["messages", "stream", "model"])
async def test_what_the_session_decides_is_no_parameter(
    client: httpx.AsyncClient, name: str
) -> None:
    refused = await ask(client, parameters={name: []})
    assert refused.status_code == 422
    assert (await client.get(f"{PATH}/s")).status_code == 404


async def test_a_parameter_out_of_bounds_is_refused_before_anything_is_kept(
    client: httpx.AsyncClient,
) -> None:
    refused = await ask(client, parameters={"temperature": 9})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request_error")
    assert (await client.get(f"{PATH}/s")).status_code == 404


async def test_an_answer_that_nobody_follows_is_made_all_the_same(
    client: httpx.AsyncClient,
) -> None:
    begun = (await ask(client, follow=False)).json()

    async def whole() -> bool:
        return not (await read(client))["answering"]

    await come(whole)
    question, answer = (await read(client))["messages"]
    assert (begun["question_id"], begun["message_id"]) == (question["id"], answer["id"])
    assert answer["content"] == "An answer"


@pytest.mark.parametrize("when", ["its question is kept", "its task has not begun"])
async def test_an_answer_that_is_stopped_at_once_ends(make_venom: MakeVenom, when: str) -> None:
    venom = make_venom()
    async with client_of(venom):
        owner = Owner()
        talk = await venom.sessions.conversation(owner, "s", None)
        body = {"messages": [{"role": "user", "content": "Why?"}], "stream": True}
        call = ChatCall("hangs", body, request_id="r", stream=True)
        asked = new_question(talk, Message("user", "Why?"))
        beginning = venom.answers.begin(asked, call, contextlib.nullcontext)
        if when == "its question is kept":
            begun = asyncio.create_task(beginning)
            await until(lambda: venom.answers.of(owner, "s"))
            venom.answers.of(owner, "s")[0].cancel("person")
            answer = await begun
        else:
            answer = await beginning
            answer.cancel("person")
        await within(answer.over())
        assert answer.ended and venom.answers.of(owner, "s") == []
        _, messages = await venom.sessions.get(owner, "s")
    assert messages[-1].details is not None and messages[-1].details["stopped"] is True


async def test_another_keys_answer_is_none(make_venom: MakeVenom) -> None:
    venom = make_venom()
    mine, theirs = (venom.store.keys().create(name)[0] for name in ("mine", "theirs"))
    async with client_of(venom) as client:
        client.headers["x-api-key"] = mine
        asking = ask(client, model="hangs")
        (answer,) = await under_way(client)
        client.headers["x-api-key"] = theirs
        for method, verb in (("GET", ""), ("POST", "/stop")):
            asked = client.request(method, f"{PATH}/s/answers/{answer}{verb}")
            refused = await within(asked, 5)
            assert (refused.status_code, refused.json()["code"]) == (404, "answer_not_found")
        await ask(client)  # theirs, of the same name
        assert (await read(client))["answering"] == []
        client.headers["x-api-key"] = mine
        assert await under_way(client) == [answer]
        await client.post(f"{PATH}/s/answers/{answer}/stop")
        await asking


async def test_a_revoked_key_ends_its_answers(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "KEYS_FRESH_SECONDS", 0.02)
    venom = make_venom()
    key, made = venom.store.keys().create("mine")
    venom.store.keys().create("another")
    async with client_of(venom) as client:
        client.headers["x-api-key"] = key
        asking = ask(client, model="hangs", follow=False)
        await under_way(client)
        venom.store.keys().revoke(made.id)
        await asking

        async def over() -> bool:
            return scripted.SEEN.running == 0

        await come(over)
        await until(lambda: not venom.answers.of(Owner(made.id), "s"))
        _, messages = await venom.sessions.get(Owner(made.id), "s")
    assert messages[-1].content == "Because of"
    assert messages[-1].details is not None
    assert messages[-1].details["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("first_ends", [True, False], ids=["its turn comes", "it is stopped"])
async def test_places_are_told_to_who_follows_and_asks_for_them(
    tmp_path: Path, first_ends: bool
) -> None:
    venom = venom_over(Settings.load(Paths.at(tmp_path), {"VENOM_MAX_CONCURRENT": "1"}))
    async with client_of(venom) as client:
        first = (await ask(client, model="hangs", follow=False)).json()["message_id"]
        await under_way(client)
        late = (await ask(client, follow=False, parent_message_id="root")).json()["message_id"]
        await until(lambda: venom.chat.queues().get("scripted") == (1, 1))
        url = f"{PATH}/s/answers/{late}"
        told = asyncio.create_task(client.get(url, headers={"Venom-Queue": "1"}))
        untold = asyncio.create_task(client.get(url))
        for _ in range(20):
            await asyncio.sleep(0.005)
        await client.post(f"{PATH}/s/answers/{first if first_ends else late}/stop")
        heard, plain = await within(told), await within(untold)
        places = [line for line in heard.text.splitlines() if line.startswith(": queue")]
        assert "queue" not in plain.text
        if first_ends:
            assert places[0] == ": queue 1"
            assert (text_of(heard), text_of(plain)) == ("An answer", "An answer")
        else:
            assert places == [": queue 1"]
            assert (heard.status_code, plain.status_code) == (200, 409)
            assert events(heard)[-1]["error"]["code"] == "answer_stopped"
            await client.post(f"{PATH}/s/answers/{first}/stop")
