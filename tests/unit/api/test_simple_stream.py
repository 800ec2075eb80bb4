"""`POST /llm/simple/stream`: its events, its refusals, and what of it a session keeps."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.served import client_served
from tests.unit.api.conftest import MakeVenom
from tests.unit.api.events import asked, events_of, text_of
from venom_core.api.app import create_app
from venom_core.sdk.errors import Unavailable, UpstreamError
from venom_core.sdk.frames import Choice, Chunk, ToolCall, Usage, delta, finish
from venom_core.sdk.provider import Model
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.audit import Actor
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import client_of, venom_over

PATH = "/api/v1/llm/simple/stream"
FULL = "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, ''); END"


def question(content: str = "Who are you?", **more: Any) -> dict[str, Any]:
    return {"content": content, "model": "m", **more}


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(say("Hello", " there", usage=Usage(7, 2)))


def sent(number: int = -1) -> list[dict[str, Any]]:
    """The messages that the provider got."""
    return list(scripted.SEEN.requests[number].body["messages"])


async def messages(client: httpx.AsyncClient, session: str = "s") -> list[dict[str, Any]]:
    response = await client.get(f"/api/v1/sessions/{session}")
    return list(response.json()["messages"]) if response.status_code == 200 else []


async def test_the_events_of_a_whole_answer(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json=question(), headers={"X-Request-Id": "mine"})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["venom-model"] == "scripted://m"
    assert "x-session-id" not in response.headers
    found = events_of(response.text)
    assert [name for name, _ in found] == ["start", "content", "content", "telemetry", "done"]
    assert text_of(found) == "Hello there"
    told = dict(found)["telemetry"]
    assert told["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    assert (told["model"], told["finish_reason"]) == ("scripted://m", "stop")
    assert sent() == [{"role": "user", "content": "Who are you?"}]


async def test_without_a_session_nothing_is_stored(client: httpx.AsyncClient) -> None:
    assert (await asked(client, PATH, question()))[-1] == ("done", {})
    assert (await client.get("/api/v1/sessions")).json()["sessions"] == []


async def test_a_question_without_a_session_is_in_no_file_and_no_log(
    make_venom: MakeVenom, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with client_of(make_venom()) as client:
        await asked(client, PATH, question("xyzzy-question"))
        scripted.SCRIPTS["m"] = Script([*say("xyzzy-answer")[:1], ValueError("xyzzy-fault")])
        await asked(client, PATH, question("xyzzy-question"))
        await asked(client, PATH, question("xyzzy-question", session_id="s"))
    assert "xyzzy-question" not in caplog.text and "xyzzy-answer" not in caplog.text
    for path in (tmp_path / "home").rglob("*"):
        assert not path.is_file() or b"xyzzy" not in path.read_bytes(), path


async def test_reasoning_and_tool_calls_are_events_of_their_own(client: httpx.AsyncClient) -> None:
    steps = [
        delta(role="assistant", reasoning="Let me "),
        delta(reasoning="see."),
        delta(tool_calls=(ToolCall(0, "c1", "clock", '{"z'),)),
        delta(tool_calls=(ToolCall(0, arguments='one":1}'),)),
        finish("tool_calls"),
    ]
    scripted.SCRIPTS["m"] = Script(steps)
    found = await asked(client, PATH, question(session_id="s", tools=[{"type": "function"}]))
    assert text_of(found, "reasoning") == "Let me see."
    calls = [data["tool_calls"][0] for name, data in found if name == "tool_calls"]
    assert (calls[0]["id"], calls[0]["function"]["name"]) == ("c1", "clock")
    (_, kept) = await messages(client)
    assert kept["details"]["reasoning"] == "Let me see."
    assert kept["details"]["tool_calls"] == [
        {"id": "c1", "name": "clock", "arguments": '{"zone":1}'}
    ]


async def test_a_session_is_sent_and_grows(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json=question("My name is Jan", session_id="s"))
    assert response.headers["x-session-id"] == "s"
    done = dict(events_of(response.text))["done"]
    scripted.SCRIPTS["m"] = Script(say("Jan"))
    await asked(client, PATH, question("What is my name?", session_id="s"))
    assert sent() == [
        {"role": "user", "content": "My name is Jan"},
        {"role": "assistant", "content": "Hello there"},
        {"role": "user", "content": "What is my name?"},
    ]
    first, second, third, fourth = await messages(client)
    assert (done["question_id"], done["message_id"]) == (first["id"], second["id"])
    assert [one["parent_message_id"] for one in (first, second, third, fourth)] == [
        None, first["id"], second["id"], third["id"],
    ]  # fmt: skip
    assert (second["model"], second["details"]["finish_reason"]) == ("scripted://m", "stop")
    assert second["details"]["usage"]["total_tokens"] == 9
    (listed,) = (await client.get("/api/v1/sessions")).json()["sessions"]
    assert (listed["title"], listed["messages"]) == ("My name is Jan", 4)


async def test_asking_again_from_an_earlier_message_makes_a_branch(
    client: httpx.AsyncClient,
) -> None:
    for content in ("one", "two"):
        await asked(client, PATH, question(content, session_id="s"))
    first = (await messages(client))[1]
    branch = question("other two", session_id="s", parent_message_id=first["id"])
    await asked(client, PATH, branch)
    assert [one["content"] for one in sent()] == ["one", "Hello there", "other two"]
    await asked(client, PATH, question("three", session_id="s"))
    assert [one["content"] for one in sent()][-3:] == ["other two", "Hello there", "three"]
    await asked(client, PATH, question("anew", session_id="s", parent_message_id="root"))
    assert sent() == [{"role": "user", "content": "anew"}]
    assert len(await messages(client)) == 10, "no branch takes anything away"


@pytest.mark.parametrize(
    ("parent", "status", "code"),
    [("nothing", 404, "message_not_found"), ("question", 400, "parent_is_question")],
)
async def test_a_parent_that_cannot_be_one(
    client: httpx.AsyncClient, parent: str, status: int, code: str
) -> None:
    await asked(client, PATH, question(session_id="s"))
    at = (await messages(client))[0]["id"] if parent == "question" else parent
    response = await client.post(PATH, json=question(session_id="s", parent_message_id=at))
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert len(await messages(client)) == 2


async def test_a_parent_of_another_session_is_none(client: httpx.AsyncClient) -> None:
    for session in ("s", "t"):
        await asked(client, PATH, question(session_id=session))
    other = (await messages(client, "t"))[1]["id"]
    response = await client.post(PATH, json=question(session_id="s", parent_message_id=other))
    assert response.json()["code"] == "message_not_found"


async def test_a_session_goes_on_with_its_model(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["other"] = Script(say("Other"), Model("other", "folder", size_bytes=10))
    await asked(client, PATH, question(session_id="s"))
    venom = client._transport.app.state.venom  # type: ignore[attr-defined]
    await venom.manager.use("other", actor=Actor())
    await asked(client, PATH, {"content": "And now?", "session_id": "s"})
    assert scripted.SEEN.requests[-1].model == "m"
    await asked(client, PATH, {"content": "And now?"})
    assert scripted.SEEN.requests[-1].model == "other"
    await asked(client, PATH, question(session_id="s", model="other"))
    await asked(client, PATH, {"content": "And now?", "session_id": "s"})
    assert scripted.SEEN.requests[-1].model == "other"


@pytest.mark.parametrize(
    "steps",
    [
        [*say("a")[:1], UpstreamError("It broke.")],
        [*say("a")[:1]],  # closed without a finish
        [*say("a")[:1], ValueError("xyzzy")],
    ],
)
async def test_a_broken_answer_is_an_error_and_leaves_no_trace(
    client: httpx.AsyncClient, steps: list[Any]
) -> None:
    await asked(client, PATH, question("one", session_id="s"))
    before = await messages(client)
    scripted.SCRIPTS["m"] = Script(steps)
    found = await asked(client, PATH, question("two", session_id="s"))
    name, data = found[-1]
    assert name == "error" and data["code"] in ("upstream_error", "upstream_incomplete")
    assert data["message"] and "xyzzy" not in json.dumps(data)
    assert text_of(found) == "a"
    assert await messages(client) == before
    scripted.SCRIPTS["m"] = Script(say("x"))
    await asked(client, PATH, question("three", session_id="s"))
    assert [one["content"] for one in sent()] == ["one", "Hello there", "three"]


async def test_a_refusal_before_the_first_byte_is_a_status(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script([Unavailable("It is down.", fix="Start it.")])
    response = await client.post(PATH, json=question(session_id="s"))
    assert (response.status_code, response.json()["detail"]) == (503, "It is down.")
    assert response.headers["x-session-id"] == "s" and response.headers["x-request-id"]
    assert await messages(client) == []


async def test_no_model_is_400_and_an_unknown_one_404(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS.clear()
    response = await client.post(PATH, json={"content": "hi"})
    assert response.status_code == 400, response.text
    response = await client.post(PATH, json=question(model="nobody"))
    assert (response.status_code, response.json()["code"]) == (404, "model_not_found")


async def test_during_a_switch_only_a_named_model_answers(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    venom = make_venom()
    hold = asyncio.Event()

    async def slow(*_: object) -> None:
        await hold.wait()

    async with client_of(venom) as client:
        await client.get("/api/v1/models")
        monkeypatch.setattr(venom.manager, "_check_health", slow)
        switching = asyncio.create_task(venom.manager.use("m", actor=Actor()))
        await until(lambda: venom.manager.is_switching("chat"))
        response = await client.post(PATH, json={"content": "hi"})
        assert (response.status_code, response.json()["code"]) == (409, "switch_in_progress")
        assert (await client.post(PATH, json=question())).status_code == 200
        hold.set()
        await switching
        assert (await client.post(PATH, json={"content": "hi"})).status_code == 200


async def test_llm_off_is_503(make_venom: MakeVenom) -> None:
    async with client_of(make_venom(VENOM_RUNTIME_PROFILE="llm_off")) as client:
        response = await client.post(PATH, json=question())
    assert (response.status_code, response.json()["code"]) == (503, "llm_off")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"content": ""}, {"content": "x" * 50_001}, {"content": 1},
        {"content": "x", "temperature": "0.5"}, {"content": "x", "temperature": 2.1},
        {"content": "x", "temperature": float("nan")}, {"content": "x", "top_p": -0.1},
        {"content": "x", "max_tokens": 0}, {"content": "x", "max_tokens": True},
        {"content": "x", "session_id": ""}, {"content": "x", "session_id": "a/b"},
        {"content": "x", "session_id": "x" * 65}, {"content": "x", "session_id": "a\nb"},
        {"content": "x", "nonsense": 1}, {"content": "x", "think": "yes"},
        {"content": "x", "tools": [1]}, {"content": "x", "model": ""},
    ],
)  # fmt: skip
async def test_a_body_that_is_none(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    response = await client.post(
        PATH, content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert response.status_code == 422, response.text
    assert scripted.SEEN.requests == []


async def test_bounds_that_are_met(client: httpx.AsyncClient) -> None:
    body = question("x" * 50_000, temperature=2, max_tokens=1, session_id="x" * 64)
    assert (await asked(client, PATH, body))[-1][0] == "done"
    request = scripted.SEEN.requests[-1].body
    assert (request["temperature"], request["max_tokens"]) == (2, 1)


async def test_a_parent_without_a_session_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json=question(parent_message_id="root"))
    assert (response.status_code, response.json()["param"]) == (400, "parent_message_id")


async def test_the_parameter_policy_is_that_of_the_wire(client: httpx.AsyncClient) -> None:
    for more in ({"top_p": 0.5}, {"think": True}):
        response = await client.post(PATH, json=question(**more))
        assert (response.status_code, response.json()["code"]) == (400, "unsupported_parameter")


async def test_the_stored_parameters_are_those_of_the_wire(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        item = await venom.registry.resolve("m")
        await venom.manager.configure(item, {"max_tokens": 5}, Actor())
        await asked(client, PATH, question())
        assert scripted.SEEN.requests[-1].body["max_tokens"] == 5


@pytest.mark.parametrize(
    ("roles", "given"),
    [(("user", "assistant"), False), (("system", "user", "assistant"), True), (None, True)],
)
async def test_the_system_prompt_is_for_templates_that_take_one(
    make_venom: MakeVenom, roles: tuple[str, ...] | None, given: bool
) -> None:
    model = Model("m", "folder", allowed_roles=roles)
    scripted.SCRIPTS["m"] = Script(say("x"), model)
    async with client_of(make_venom(SIMPLE_MODE_SYSTEM_PROMPT="Be brief.")) as client:
        await asked(client, PATH, question(session_id="s"))
        expected = [{"role": "system", "content": "Be brief."}] if given else []
        assert sent() == [*expected, {"role": "user", "content": "Who are you?"}]
        assert [one["role"] for one in await messages(client)] == ["user", "assistant"]


async def test_a_store_that_cannot_be_written_is_an_error_and_no_done(
    make_venom: MakeVenom, tmp_path: Path
) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        await asked(client, PATH, question("one", session_id="s"))
        file = sqlite3.connect(tmp_path / "home" / "venom.db")
        file.execute(
            "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, ''); END"
        )
        file.commit()
        file.close()
        found = await asked(client, PATH, question("two", session_id="s"))
        assert found[-1][1]["code"] == "store_not_writable"
        assert text_of(found) == "Hello there"
        assert len(await messages(client)) == 2


async def test_a_session_deleted_meanwhile_does_not_come_back(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        await asked(client, PATH, question("one", session_id="s"))
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(0.3), *say("b")[1:]])
        asking = asyncio.create_task(client.post(PATH, json=question("two", session_id="s")))
        await until(lambda: scripted.SEEN.running == 1)
        assert (await client.delete("/api/v1/sessions/s")).status_code == 200
        found = events_of((await asking).text)
        assert (found[-1][0], found[-1][1]["code"]) == ("error", "session_not_found")
        assert (await client.get("/api/v1/sessions/s")).status_code == 404


async def test_a_full_session_is_refused_before_the_model_is_asked(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_core.store.sessions.MAX_MESSAGES", 3)
    await asked(client, PATH, question(session_id="s"))
    response = await client.post(PATH, json=question(session_id="s"))
    assert (response.status_code, response.json()["code"]) == (400, "session_full")
    assert len(scripted.SEEN.requests) == 1


async def test_half_an_emoji_is_stored_as_text(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("a\ud83d", "\ude00b", "\ud83d"))
    assert (await asked(client, PATH, question(session_id="s")))[-1][0] == "done"
    assert (await messages(client))[1]["content"] == "a\U0001f600b\ufffd"


async def test_errors_are_polish_where_that_is_asked_for(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("a")[:1])
    response = await client.post(PATH, json=question(), headers={"Accept-Language": "pl"})
    told = events_of(response.text)[-1][1]
    assert told["code"] == "upstream_incomplete" and "złamał regułę" in told["message"]
    assert told["docs"].startswith("/docs/pl/")


async def test_a_client_that_leaves_closes_the_upstream_and_keeps_nothing(tmp_path: Path) -> None:
    venom = venom_over(Settings.load(Paths.at(tmp_path), {}))
    scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
    async with client_served(create_app(venom)) as client:
        async with client.stream("POST", PATH, json=question(session_id="s")) as response:
            assert await anext(response.aiter_lines()) == "event: start"
            await until(lambda: scripted.SEEN.running == 1)
        await until(lambda: scripted.SEEN.running == 0)
        assert scripted.SEEN.closed == 1
        assert (await client.get("/api/v1/sessions/s")).status_code == 404


async def test_places_are_told_to_who_asks(tmp_path: Path) -> None:
    venom = venom_over(Settings.load(Paths.at(tmp_path), {"VENOM_MAX_CONCURRENT": "1"}))
    asks = {"Venom-Queue": "1"}
    async with client_served(create_app(venom)) as client:
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        async with client.stream("POST", PATH, json=question()) as first:
            lines = first.aiter_lines()  # let go, it would close the answer
            assert await anext(lines) == "event: start"
            scripted.SCRIPTS["m"] = Script([Pause(0.2), *say("b")])
            waiting = asyncio.create_task(client.post(PATH, json=question(), headers=asks))
            await until(lambda: venom.chat.queues().get("scripted") == (1, 1))
        found = events_of((await waiting).text)
    assert [name for name, _ in found] == [
        "start", "queue", "queue", "content", "telemetry", "done",
    ]  # fmt: skip
    assert [data["place"] for name, data in found if name == "queue"] == [1, 0]


async def test_a_refusal_after_a_place_is_the_terminal_event(tmp_path: Path) -> None:
    env = {"VENOM_MAX_CONCURRENT": "1", "VENOM_QUEUE_TIMEOUT": "0.2"}
    venom = venom_over(Settings.load(Paths.at(tmp_path), env))
    async with client_served(create_app(venom)) as client:
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        async with client.stream("POST", PATH, json=question()) as first:
            lines = first.aiter_lines()  # let go, it would close the answer
            assert await anext(lines) == "event: start"
            late = await client.post(PATH, json=question(), headers={"Venom-Queue": "1"})
            assert [name for name, _ in events_of(late.text)] == ["start", "queue", "error"]
            assert events_of(late.text)[-1][1]["code"] == "queue_full"
            refused = await client.post(PATH, json=question())
            assert refused.status_code == 429


async def test_each_key_has_its_own_session_of_an_id(make_venom: MakeVenom) -> None:
    venom = make_venom()
    keys = [venom.store.keys().create(name)[0] for name in ("a", "b")]
    async with client_of(venom) as client:
        for key in keys:
            for _ in range(2):
                await client.post(PATH, json=question(session_id="s"), headers={"x-api-key": key})
                assert len(sent()) in (1, 3)
        assert [len(request.body["messages"]) for request in scripted.SEEN.requests] == [1, 3, 1, 3]


async def test_why_an_answer_ended_is_told_and_kept(client: httpx.AsyncClient) -> None:
    note = "The model repeated itself."
    end = Chunk((Choice(finish_reason="length", finish_note=note),))
    scripted.SCRIPTS["m"] = Script((delta("a"), end))
    found = dict(await asked(client, PATH, question(session_id="s")))
    assert (found["telemetry"]["finish_reason"], found["telemetry"]["finish_note"]) == (
        "length", note,
    )  # fmt: skip
    _, answer = await messages(client)
    assert answer["details"]["finish_note"] == note
    assert (
        answer["details"]["time_to_first_token_ms"]
        == (found["telemetry"]["time_to_first_token_ms"])
    )
    scripted.SCRIPTS["m"] = Script(say("b"))
    plain = dict(await asked(client, PATH, question(session_id="t")))
    assert plain["telemetry"]["finish_note"] is None
    assert "finish_note" not in (await messages(client, "t"))[1]["details"]
