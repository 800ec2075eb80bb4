"""Self-tests over HTTP: what is kept, and what is refused and keeps nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer

PATH = "/api/v1/models/org/m/selftest"
CHAT = {"group": "answers", "name": "chat", "outcome": "honoured"}
STREAM = {"group": "answers", "name": "stream", "outcome": "broken", "note": "in one piece"}


@pytest.fixture(autouse=True)
def model() -> None:
    known = Model("org/m", "folder", capabilities=frozenset({"chat", "completion", "tools"}))
    scripted.SCRIPTS["org/m"] = Script(answer("x"), known)


async def test_the_last_one_is_kept(client: httpx.AsyncClient) -> None:
    first = (await client.post(PATH, json={"rows": [CHAT, STREAM]})).json()
    assert first["success"] and first["reference"] == "scripted://org/m"
    assert first["capability_states"] == {
        "chat": "verified",
        "completion": "declared",
        "tools": "declared",
    }
    later = await client.post(PATH, json={"rows": [{**CHAT, "outcome": "broken"}]})
    assert later.json()["capability_states"]["chat"] == "failed"
    shown = (await client.get("/api/v1/models/org/m/details")).json()["model"]
    assert shown["capability_states"] == later.json()["capability_states"]
    assert shown["self_test"] == later.json()["self_test"]


@pytest.mark.parametrize(
    ("rows", "status", "param"),
    [
        ([], 422, "rows"),
        ([CHAT, CHAT], 400, "rows[1]"),
        ([CHAT, {**CHAT, "name": "made up"}], 400, "rows[1]"),
        ([{**CHAT, "group": "tools"}], 400, "rows[0]"),
        ([{**CHAT, "outcome": "perfect"}], 422, "rows[0].outcome"),
        ([{**STREAM, "note": "x" * 1001}], 422, "rows[0].note"),
        ([{**CHAT, "more": 1}], 422, "rows[0].more"),
        ("all", 422, "rows"),
    ],
)
async def test_rows_that_no_self_test_gives(
    client: httpx.AsyncClient, rows: Any, status: int, param: str
) -> None:
    refused = await client.post(PATH, json={"rows": rows})
    told = refused.json()
    assert (refused.status_code, told["param"]) == (status, param)
    shown = (await client.get("/api/v1/models/org/m/details")).json()["model"]
    assert shown["self_test"] is None


async def test_a_model_that_is_not_there(client: httpx.AsyncClient) -> None:
    refused = await client.post("/api/v1/models/none/selftest", json={"rows": [CHAT]})
    assert (refused.status_code, refused.json()["code"]) == (404, "model_not_found")


async def test_notes_are_told_in_the_readers_language(client: httpx.AsyncClient) -> None:
    refused = {**CHAT, "name": "usage", "outcome": "broken"}
    notes = {
        "a count is missing": "brakuje którejś liczby",
        "upstream_error: The engine failed; its log says how.": (
            "upstream_error: Silnik zawiódł; powód jest w jego dzienniku."
        ),
        "of nobody: here": "of nobody: here",
    }
    for note, said in notes.items():
        await client.post(PATH, json={"rows": [{**refused, "note": note}]})
        polish = await client.get(PATH, headers={"Accept-Language": "pl"})
        assert polish.json()["rows"][0]["note"] == said
        assert (await client.get(PATH)).json()["rows"][0]["note"] == note


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
AUTO = {"group": "tools", "name": "auto", "outcome": "honoured"}


async def _native(client: httpx.AsyncClient, headers: Any = None, **more: Any) -> bool:
    body = {"model": "org/m", "messages": [{"role": "user", "content": "hi"}], **more}
    answer = await client.post("/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return scripted.SEEN.requests[-1].native_tools


@pytest.mark.parametrize(
    ("rows", "native"),
    [
        ([CHAT], False),
        ([{**AUTO, "outcome": "emulated"}], False),
        ([{**AUTO, "outcome": "broken"}], False),
        ([AUTO], True),
    ],
)
async def test_the_engine_reads_calls_where_the_self_test_saw_it(
    client: httpx.AsyncClient, rows: Any, native: bool
) -> None:
    assert not await _native(client, tools=[TOOL])
    assert (await client.post(PATH, json={"rows": rows})).status_code == 200
    assert await _native(client, tools=[TOOL]) is native
    assert not await _native(client)  # no tools, nothing to read
    known = scripted.SCRIPTS["org/m"].model
    assert known is not None
    scripted.SCRIPTS["org/m"] = Script(answer("x"), replace(known, digest="sha256:other"))
    assert (await client.get("/api/v1/models")).status_code == 200  # it is seen at the next look
    assert not await _native(client, tools=[TOOL])


async def test_a_client_may_say_who_reads_them(client: httpx.AsyncClient) -> None:
    assert await _native(client, {"Venom-Tools": "native"}, tools=[TOOL])
    await client.post(PATH, json={"rows": [AUTO]})
    assert not await _native(client, {"Venom-Tools": "emulated"}, tools=[TOOL])
    body = {"model": "org/m", "messages": [{"role": "user", "content": "hi"}]}
    refused = await client.post(
        "/v1/chat/completions", json=body, headers={"Venom-Tools": "perhaps"}
    )
    assert refused.status_code == 400 and "Venom-Tools" in refused.json()["error"]["message"]
