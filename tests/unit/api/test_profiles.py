"""`GET /profiles` and `POST /runtime/profile/{name}`: shapes, refusals, and what works without
models."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.sdk.errors import StorageError
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import client_of

SWITCH = "/api/v1/runtime/profile"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(say("Hello"))


async def test_the_table(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/profiles")).json()
    assert (told["active"], told["configured"], told["origin"]) == ("light", "light", "default")
    assert (told["count"], told["switching"], told["until_restart"]) == (3, None, False)
    assert [(row["name"], row["active"]) for row in told["profiles"]] == [
        ("light", True), ("llm_off", False), ("full", False)
    ]  # fmt: skip
    assert [row["servers"] for row in told["profiles"]] == [["scripted"], [], ["scripted"]]


async def test_twice_is_a_success(client: httpx.AsyncClient) -> None:
    for name, changed in (("light", False), ("light", False), ("full", True), ("full", False)):
        done = await client.post(f"{SWITCH}/{name}")
        assert (done.status_code, done.json()["success"]) == (200, True)
        assert done.json()["changed"] is changed
    told = done.json()
    assert {"service": "backend", "success": True} in [
        {key: one[key] for key in ("service", "success")} for one in told["results"]
    ]
    assert told["profile_capabilities"] == {
        "uses_local_llm": True, "gpu_support": True, "requires_onnx": False
    }  # fmt: skip
    assert (await client.get("/readyz")).json()["profile"] == "full"
    assert (await client.get("/api/v1/overview")).json()["profile"] == "full"


@pytest.mark.parametrize("name", ["dark", "LIGHT", "%20light", "llm-off", "x" * 300])
async def test_an_unknown_one_has_both_keys(client: httpx.AsyncClient, name: str) -> None:
    refused = await client.post(f"{SWITCH}/{name}")
    body = refused.json()
    assert (refused.status_code, body["code"], body["success"]) == (404, "unknown_profile", False)
    assert body["message"] == body["detail"] and "light, llm_off, full" in body["fix"]


async def test_in_polish(client: httpx.AsyncClient) -> None:
    headers = {"Accept-Language": "pl"}
    refused = await client.post(f"{SWITCH}/dark", headers=headers)
    assert refused.json()["message"] == "Nie ma profilu 'dark'."
    done = await client.post(f"{SWITCH}/full", headers=headers)
    assert done.json()["message"] == "Aktywny jest profil full."
    told = (await client.get("/api/v1/profiles", headers=headers)).json()
    assert told["profiles"][2]["summary"].startswith("Każdy zainstalowany")


async def test_one_that_cannot_be_kept(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    venom = make_venom()

    def full(*_: Any) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(venom.settings, "change", full)
    async with client_of(venom) as client:
        refused = await client.post(f"{SWITCH}/llm_off")
        assert (refused.status_code, refused.json()["success"]) == (507, False)
        assert (await client.get("/api/v1/profiles")).json()["active"] == "light"
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200


async def test_a_second_one_meanwhile(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        venom.profiles._switching = "full"
        refused = await client.post(f"{SWITCH}/llm_off")
        assert (refused.status_code, refused.json()["code"]) == (409, "profile_switching")
        assert refused.headers["retry-after"] == "1"
        venom.profiles._switching = None
        assert (await client.post(f"{SWITCH}/llm_off")).status_code == 200


async def test_the_feed_and_the_trail_have_it(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        with venom.feed.watch({"profile"}) as events:
            await client.post(f"{SWITCH}/llm_off")
            event = await anext(events)
        assert event is not None
        assert event.data == {
            "event": "profile.switched", "profile": "llm_off", "before": "light",
            "service": "profile", "action": "switch", "success": True,
            "message": "The profile llm_off is active.",
        }  # fmt: skip
        entries = (await client.get("/api/v1/audit")).json()["entries"]
        assert [(one["action"], one["subject"]) for one in entries] == [
            ("profile.switch", "llm_off")
        ]


REFUSED = (
    ("POST", "/v1/chat/completions", CHAT),
    ("POST", "/v1/completions", {"model": "m", "prompt": "x"}),
    ("POST", "/v1/embeddings", {"model": "m", "input": "x"}),
    ("POST", "/v1/rerank", {"model": "m", "query": "x", "documents": ["y"]}),
    ("POST", "/api/v1/models/m/load", None),
    ("POST", "/api/v1/models/switch", {"name": "m", "load": True}),
    ("POST", "/api/v1/translate", {"text": "x", "target_lang": "pl"}),
)
READ = (
    *("/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/models", "/api/v1/models"),
    *("/api/v1/models/m/details", "/api/v1/models/m/capabilities", "/api/v1/models/m/config"),
    *("/api/v1/models/m/fit", "/api/v1/models/usage", "/api/v1/models/loaded"),
    *("/api/v1/models/operations", "/api/v1/models/aliases", "/api/v1/models/providers"),
    *("/api/v1/models/search?query=ab", "/api/v1/models/news", "/api/v1/engines"),
    *("/api/v1/plugins", "/api/v1/overview", "/api/v1/sessions", "/api/v1/sessions/talk"),
    *("/api/v1/usage/summary", "/api/v1/usage/series", "/api/v1/audit", "/api/v1/profiles"),
)


@pytest.mark.parametrize("by", ["switch", "start", "legacy_light"])
async def test_without_models_lists_answer_and_models_do_not(
    make_venom: MakeVenom, by: str
) -> None:
    env = {
        "start": {"VENOM_RUNTIME_PROFILE": "llm_off"},
        "legacy_light": {"VENOM_LEGACY_LIGHT": "1"},
    }
    async with client_of(make_venom(**env.get(by, {}))) as client:
        await client.post("/api/v1/sessions", json={"id": "talk", "title": "Talk"})
        if by == "switch":
            assert (await client.post(f"{SWITCH}/llm_off")).status_code == 200
        for method, path, body in REFUSED:
            answer = await client.request(method, path, json=body)
            told = answer.json().get("error", answer.json())
            assert (answer.status_code, told["code"]) == (503, "llm_off"), path
            assert told["fix"]
        simple = await client.post("/api/v1/llm/simple/stream", json={"content": "x", "model": "m"})
        assert "llm_off" in simple.text
        for path in READ:
            assert (await client.get(path)).status_code == 200, path
        assert scripted.SEEN.requests == [] and "load m" not in scripted.SEEN.calls


async def test_downloads_and_settings_of_models_work_without_them(
    make_venom: MakeVenom,
) -> None:
    async with client_of(make_venom(VENOM_RUNTIME_PROFILE="llm_off")) as client:
        alias = await client.post("/api/v1/models/aliases", json={"name": "a", "target": "m"})
        assert alias.status_code == 200
        used = await client.post("/api/v1/models/switch", json={"name": "m"})
        assert used.status_code == 200, "which one is chosen may be said before it may run"


async def test_a_switch_needs_the_scope_admin(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        made = await client.get("/openapi.json")
        operation = made.json()["paths"]["/api/v1/runtime/profile/{name}"]["post"]
        assert json.dumps(operation["x-scopes"]) == '["admin"]'
