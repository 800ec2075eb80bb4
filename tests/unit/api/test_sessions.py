"""Conversations through the API: each operation's success, refusal, bad input, and its owner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.sdk.utc import utc_text
from venom_core.store.keys import KeyRights
from venom_core.store.sessions import MAX_MESSAGES
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import client_of

PATH = "/api/v1/sessions"
ROUTES = (
    ("GET", ""), ("POST", "/change"), ("DELETE", ""), ("GET", "/export"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(say("An answer"))


async def ask(client: httpx.AsyncClient, content: str, session: str = "s", **more: Any) -> None:
    body = {"content": content, "model": "m", "session_id": session, **more}
    response = await client.post("/api/v1/llm/simple/stream", json=body)
    assert "event: done" in response.text, response.text


async def listed(client: httpx.AsyncClient, **params: Any) -> list[str]:
    response = await client.get(PATH, params=params)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["count"] == len(body["sessions"])
    return [session["id"] for session in body["sessions"]]


async def test_create_read_rename_pin_delete(client: httpx.AsyncClient) -> None:
    made = (await client.post(PATH, json={"title": "Plans"})).json()["session"]
    assert (made["title"], made["pinned"], made["messages"]) == ("Plans", False, 0)
    assert "key_id" not in made
    one = f"{PATH}/{made['id']}"
    changed = await client.post(f"{one}/change", json={"title": "Old plans", "pinned": True})
    assert changed.json()["session"] == {**made, "title": "Old plans", "pinned": True}
    again = await client.post(f"{one}/change", json={"pinned": False})
    assert again.json()["session"]["title"] == "Old plans"
    assert (await client.get(one)).json()["messages"] == []
    assert (await client.delete(one)).json()["success"] is True
    assert (await client.get(one)).status_code == 404
    assert (await client.delete(one)).json()["code"] == "session_not_found"


async def test_a_question_names_a_session_without_a_title(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json={"id": "s"})
    await client.post(PATH, json={"id": "t", "title": "Mine"})
    long = "word " * 40
    await ask(client, f"\n  {long}\nsecond line")
    await ask(client, "other", "t")
    titles = {one["id"]: one["title"] for one in (await client.get(PATH)).json()["sessions"]}
    assert titles["t"] == "Mine"
    assert titles["s"].startswith("word word") and titles["s"].endswith("word…")
    assert len(titles["s"]) <= 80


async def test_what_was_asked_elsewhere_is_kept(client: httpx.AsyncClient) -> None:
    path = f"{PATH}/talk/messages"
    said = {"question": "Hi?", "answer": "Hello.", "model": "scripted://m", "system": "Be kind."}
    first = (await client.post(path, json={**said, "details": {"finish_reason": "stop"}})).json()
    assert (first["session"]["title"], first["session"]["messages"]) == ("Hi?", 3)
    again = (await client.post(path, json={"question": "And?", "answer": ""})).json()
    branch = {"question": "Or?", "answer": "No.", "parent_message_id": first["message_id"]}
    await client.post(path, json=branch)
    await client.post(path, json={"question": "New", "answer": "Yes", "parent_message_id": "root"})
    messages = (await client.get(f"{PATH}/talk")).json()["messages"]
    by_id = {one["id"]: one for one in messages}
    assert [one["role"] for one in messages[:3]] == ["system", "user", "assistant"]
    answer = by_id[first["message_id"]]
    assert (answer["model"], answer["details"]) == ("scripted://m", {"finish_reason": "stop"})
    assert answer["parent_message_id"] == first["question_id"]
    parents = {
        one["content"]: one["parent_message_id"] for one in messages if one["role"] == "user"
    }
    assert parents["And?"] == parents["Or?"] == first["message_id"] and parents["New"] is None
    assert by_id[again["message_id"]]["content"] == ""
    # The next question follows the latest answer, and is told what led to it.
    await ask(client, "Go on", "talk")
    assert [m["content"] for m in scripted.SEEN.requests[-1].body["messages"]][-2:] == [
        "Yes", "Go on",
    ]  # fmt: skip


PICTURE = {"name": "cat.png", "data": "data:image/png;base64,AAAA"}


async def test_images_of_a_question_are_kept_and_told_again(client: httpx.AsyncClient) -> None:
    said = {
        "question": "What is it?",
        "answer": "A cat.",
        "question_details": {"images": [PICTURE]},
    }
    await client.post(f"{PATH}/s/messages", json=said)
    await ask(client, "Which colour?")
    sent = scripted.SEEN.requests[-1].body["messages"]
    assert sent[0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PICTURE["data"]}},
    ]
    assert [message["content"] for message in sent[1:]] == ["A cat.", "Which colour?"]
    export = (await client.get(f"{PATH}/s/export")).json()
    again = (await client.post(f"{PATH}/import", json=export)).json()["session"]["id"]
    messages = (await client.get(f"{PATH}/{again}")).json()["messages"]
    assert messages[0]["details"] == {"images": [PICTURE]}
    shown = await client.get(f"{PATH}/{again}/export", params={"format": "markdown"})
    assert "*Images: cat.png*" in shown.text


async def test_a_question_may_bring_more_than_an_answer(client: httpx.AsyncClient) -> None:
    much = {"images": [{**PICTURE, "data": "data:image/png;base64," + "A" * 300_000}]}
    said = {"question": "?", "answer": "."}
    path = f"{PATH}/s/messages"
    assert (await client.post(path, json={**said, "details": much})).status_code == 422
    kept = await client.post(path, json={**said, "question_details": much})
    assert kept.status_code == 200
    more = {"images": [much["images"][0]] * 15}
    assert (await client.post(path, json={**said, "question_details": more})).status_code == 422


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"question": ""}, 422, None),
        ({"answer": None}, 422, None),
        ({"extra": 1}, 422, None),
        ({"answer": "x" * 1_000_001}, 422, None),
        ({"details": {"x": "y" * 200_001}}, 422, None),
        ({"parent_message_id": "nobody"}, 404, "message_not_found"),
    ],
)
async def test_what_is_not_kept(
    client: httpx.AsyncClient, change: dict[str, Any], status: int, code: str | None
) -> None:
    body = {"question": "Hi?", "answer": "Hello.", **change}
    refused = await client.post(f"{PATH}/talk/messages", json=body)
    assert refused.status_code == status, refused.text
    assert code is None or refused.json()["code"] == code
    assert await listed(client) == []


async def test_an_id_is_taken_once(client: httpx.AsyncClient) -> None:
    assert (await client.post(PATH, json={"id": "s"})).status_code == 200
    response = await client.post(PATH, json={"id": "s"})
    assert (response.status_code, response.json()["code"]) == (409, "session_exists")


async def test_newest_first_and_pinned_ones_before_them(client: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await ask(client, "x", name)
    assert await listed(client) == ["c", "b", "a"]
    await client.post(f"{PATH}/a/change", json={"pinned": True})
    await ask(client, "again", "b")
    assert await listed(client) == ["a", "b", "c"]
    assert await listed(client, limit=1, offset=1) == ["b"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("100%", ["percent"]), ("%", ["percent"]), ("a_c", ["under"]), ("_", ["under"]),
        ("\\", ["slash"]), ("ABC", ["plain"]),
        ("an answer", ["slash", "plain", "under", "percent"]),
        ("żółw", ["slash"]), ("nowhere", []), ("' OR 1=1 --", []),
    ],
)  # fmt: skip
async def test_search_takes_wildcards_for_what_they_are(
    client: httpx.AsyncClient, query: str, found: list[str]
) -> None:
    await ask(client, "grew by 100% they say", "percent")
    await ask(client, "the name a_c", "under")
    await ask(client, "only abc", "plain")
    await ask(client, "C:\\żółw", "slash")
    assert await listed(client, query=query) == found


async def test_search_looks_at_titles(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json={"id": "t", "title": "Holiday"})
    assert await listed(client, query="holi") == ["t"]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"limit": 0}, 422), ({"limit": 201}, 422), ({"limit": 200}, 200), ({"limit": 1}, 200),
        ({"offset": -1}, 422), ({"query": ""}, 422), ({"query": "x" * 201}, 422),
        ({"query": "x" * 200}, 200),
    ],
)  # fmt: skip
async def test_bounds_of_a_list(
    client: httpx.AsyncClient, params: dict[str, Any], status: int
) -> None:
    assert (await client.get(PATH, params=params)).status_code == status


async def test_looking_makes_no_store(make_venom: MakeVenom, tmp_path: Path) -> None:
    async with client_of(make_venom()) as client:
        assert await listed(client) == []
        assert await listed(client, query="x") == []
    assert not (tmp_path / "home" / "venom.db").exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"title": "x" * 201}), ("", {"id": "a b"}), ("", {"nonsense": 1}), ("", {"title": 1}),
        ("/s/change", {"title": ""}), ("/s/change", {"title": "x" * 201}),
        ("/s/change", {"pinned": 1}), ("/s/change", {"id": "t"}), ("/a.b/change", {}),
    ],
)  # fmt: skip
async def test_a_body_that_is_none(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    assert (await client.post(PATH + path, json=body)).status_code == 422


async def test_another_keys_session_is_none(make_venom: MakeVenom) -> None:
    venom = make_venom()
    mine, theirs = (venom.store.keys().create(name)[0] for name in ("mine", "theirs"))
    async with client_of(venom) as client:
        client.headers["x-api-key"] = mine
        await ask(client, "a secret of mine")
        client.headers["x-api-key"] = theirs
        assert await listed(client) == []
        assert await listed(client, query="secret") == []
        for method, path in ROUTES:
            body = {"json": {"title": "taken"}} if method == "POST" else {}
            response = await client.request(method, f"{PATH}/s{path}", **body)
            nothing = await client.request(method, f"{PATH}/t{path}", **body)
            assert response.status_code == 404, path
            assert response.json() == json.loads(nothing.text.replace("'t'", "'s'")), path
        await ask(client, "what do you know?")
        assert scripted.SEEN.requests[-1].body["messages"] == [
            {"role": "user", "content": "what do you know?"}
        ]
        client.headers["x-api-key"] = mine
        shown = (await client.get(f"{PATH}/s")).json()
        assert [one["content"] for one in shown["messages"]] == ["a secret of mine", "An answer"]
        assert shown["session"]["title"] == "a secret of mine"


async def test_what_was_made_without_a_key_is_for_the_machines_user(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        await ask(client, "before there were keys")
        key, _ = venom.store.keys().create("laptop")
    async with client_of(venom := make_venom()) as client:
        assert await listed_with(client, key) == []
        assert await listed_with(client, venom.local_token) == ["s"]


async def listed_with(client: httpx.AsyncClient, key: str) -> list[str]:
    response = await client.get(PATH, headers={"x-api-key": key})
    return [session["id"] for session in response.json()["sessions"]]


async def test_sessions_need_the_scope_chat(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("models", KeyRights(scopes=("models",)))
    async with client_of(venom, headers={"x-api-key": key}) as client:
        for method, path in (("GET", ""), ("POST", ""), ("POST", "/import")):
            response = await client.request(method, PATH + path, json={})
            assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


async def tree(client: httpx.AsyncClient) -> dict[str, Any]:
    """A session with two branches, exported."""
    await ask(client, "one")
    first = (await client.get(f"{PATH}/s")).json()["messages"][1]["id"]
    await ask(client, "two")
    await ask(client, "other two", parent_message_id=first)
    response = await client.get(f"{PATH}/s/export")
    assert response.headers["content-disposition"] == 'attachment; filename="venom-s.json"'
    return dict(response.json())


def shape(export: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Everything but the ids: a parent is shown by its place."""
    place = {one["id"]: number for number, one in enumerate(export["messages"])}
    names = ("role", "content", "model", "details", "created_at")
    return [
        (place.get(one["parent_message_id"]), *(one[name] for name in names))
        for one in export["messages"]
    ]


async def test_an_export_comes_back_whole_under_new_ids(client: httpx.AsyncClient) -> None:
    export = await tree(client)
    await client.post(f"{PATH}/s/change", json={"title": "Changed since"})
    made = (await client.post(f"{PATH}/import", json=export)).json()["session"]
    assert made["id"] != "s" and made["title"] == "one"
    again = (await client.get(f"{PATH}/{made['id']}/export")).json()
    assert shape(again) == shape(export)
    ids = {one["id"] for one in export["messages"]}
    assert not ids & {one["id"] for one in again["messages"]}
    twice = await client.post(f"{PATH}/import", json=export)
    assert twice.status_code == 200 and len(await listed(client)) == 3
    await ask(client, "and on", made["id"])
    contents = [one["content"] for one in scripted.SEEN.requests[-1].body["messages"]]
    assert contents == ["one", "An answer", "other two", "An answer", "and on"]


async def test_markdown_is_one_branch(client: httpx.AsyncClient) -> None:
    export = await tree(client)
    latest = (await client.get(f"{PATH}/s/export", params={"format": "markdown"})).text
    assert latest.startswith("# one\n") and "other two" in latest and "**You**" in latest
    assert "\n\ntwo\n" not in latest and "**scripted://m**" in latest
    leaf = export["messages"][3]["id"]
    params = {"format": "markdown", "leaf": leaf}
    response = await client.get(f"{PATH}/s/export", params=params)
    assert "\n\ntwo\n" in response.text and "other two" not in response.text
    assert response.headers["content-type"].startswith("text/markdown")


@pytest.mark.parametrize(
    ("params", "status"),
    [({"format": "pdf"}, 422), ({"format": "markdown", "leaf": "nothing"}, 404)],
)
async def test_an_export_that_is_none(
    client: httpx.AsyncClient, params: dict[str, str], status: int
) -> None:
    await ask(client, "one")
    assert (await client.get(f"{PATH}/s/export", params=params)).status_code == status


def message(id_: str = "a", parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": id_, "parent_message_id": parent, "role": "user", "content": "x", **more}


def export_of(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format": "venom-session", "version": 1, "messages": list(messages), **more}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (export_of(message("a"), message("a")), 400),
        (export_of(message("a", "b"), message("b")), 400),
        (export_of(message("a", "a")), 400),
        (export_of(message(created_at="yesterday")), 400),
        (export_of(message(role="assistant", details={"x": "y" * 200_001})), 400),
        (export_of(message(role="tool")), 422),
        (export_of(message(content=1)), 422),
        (export_of(message(content="x" * 1_000_001)), 422),
        (export_of(message(nonsense=1)), 422),
        (export_of(version=2), 422),
        (export_of(title="x" * 201), 422),
        ({"messages": []}, 422),
        (export_of(*[message(str(n)) for n in range(MAX_MESSAGES + 1)]), 422),
    ],
)
async def test_an_import_that_is_none_leaves_nothing(
    client: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    response = await client.post(f"{PATH}/import", json=body)
    assert response.status_code == status, response.text
    if status == 400:
        assert response.json()["code"] == "invalid_session"
    assert await listed(client) == []


async def test_times_of_an_import_are_kept_in_utc(client: httpx.AsyncClient) -> None:
    body = export_of(message(created_at="2026-01-02T03:04:05+02:00"))
    made = (await client.post(f"{PATH}/import", json=body)).json()["session"]
    (one,) = (await client.get(f"{PATH}/{made['id']}")).json()["messages"]
    assert one["created_at"] == "2026-01-02T01:04:05.000Z"


async def test_an_import_under_an_id_is_done_once(make_venom: MakeVenom) -> None:
    venom = make_venom()
    mine, theirs = (venom.store.keys().create(name)[0] for name in ("mine", "theirs"))
    body = {**export_of(message()), "id": "browser-1"}
    async with client_of(venom) as client:
        for key, status in ((mine, 200), (mine, 409), (theirs, 200)):
            answer = await client.post(f"{PATH}/import", json=body, headers={"x-api-key": key})
            assert answer.status_code == status, answer.text
        assert await listed_with(client, mine) == ["browser-1"]
        again = await client.post(f"{PATH}/import", json=body, headers={"x-api-key": mine})
        assert again.json()["code"] == "session_exists"
        bad = {**body, "id": "no id"}
        refused = await client.post(f"{PATH}/import", json=bad, headers={"x-api-key": mine})
        assert refused.status_code == 422


@pytest.mark.parametrize(
    ("times", "created", "updated"),
    [
        (
            {"created_at": "2026-01-02T03:04:05+02:00", "updated_at": "2026-01-03T00:00:00Z"},
            "2026-01-02T01:04:05.000Z",
            "2026-01-03T00:00:00.000Z",
        ),
        ({"updated_at": "2026-01-03"}, "2026-01-03T00:00:00.000Z", "2026-01-03T00:00:00.000Z"),
        ({"created_at": "9999-12-31", "updated_at": "9999-12-31"}, None, None),
        (
            {"created_at": "2026-01-03", "updated_at": "2026-01-02"},
            "2026-01-03T00:00:00.000Z",
            "2026-01-03T00:00:00.000Z",
        ),
        ({}, None, None),
    ],
    ids=["both", "changed", "future", "changed before it began", "none"],
)
async def test_an_imported_session_keeps_its_times(
    client: httpx.AsyncClient, times: dict[str, str], created: str | None, updated: str | None
) -> None:
    before = utc_text()
    made = await client.post(f"{PATH}/import", json=export_of(message(), **times))
    found = made.json()["session"]
    for name, expected in (("created_at", created), ("updated_at", updated)):
        if expected is None:
            assert before <= found[name] <= utc_text()
        else:
            assert found[name] == expected


@pytest.mark.parametrize("name", ["created_at", "updated_at"])
async def test_a_session_time_that_is_none(client: httpx.AsyncClient, name: str) -> None:
    body = export_of(message(), **{name: "yesterday"})
    refused = await client.post(f"{PATH}/import", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_session")
    assert name in refused.json()["detail"]


async def test_an_answer_that_failed_is_kept_and_not_told_to_a_model(
    client: httpx.AsyncClient,
) -> None:
    path = f"{PATH}/talk/messages"
    error = {"code": "engine_died", "message": "The engine stopped."}
    for body in (
        {"question": "one", "answer": "An answer"},
        {"question": "two", "answer": "", "details": {"error": error}},
        {"question": "three", "answer": "Half an", "details": {"stopped": True}},
    ):
        assert (await client.post(path, json=body)).status_code == 200
    await ask(client, "four", "talk")
    assert [one["content"] for one in scripted.SEEN.requests[-1].body["messages"]] == [
        "one", "An answer", "three", "Half an", "four",
    ]  # fmt: skip
    whole = (await client.get(f"{PATH}/talk")).json()["messages"]
    assert whole[3]["details"] == {"error": error} and len(whole) == 8
    shown = await client.get(f"{PATH}/talk/export", params={"format": "markdown"})
    assert "*Error: The engine stopped.*" in shown.text
    assert "Half an\n\n*Stopped.*" in shown.text
