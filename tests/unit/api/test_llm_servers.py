"""LLM servers over the API: which there are, and the switch to another, all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import engines_plugin
from tests.engines_plugin import PLAYED
from venom_core.composition import Venom
from venom_core.sdk.errors import StorageError, Unavailable
from venom_core.sdk.provider import Model
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import until, within
from venom_core.testing.scripted import SCRIPTS, Script, say
from venom_core.testing.staging import SCRIPTED, client_of, venom_over
from venom_core.usecases import llm_servers

ACTIVE = "/api/v1/system/llm-servers/active"


def make(home: Path, **env: str) -> Venom:
    settings = Settings.load(Paths.at(home), env)
    return venom_over(settings, [SCRIPTED, engines_plugin.ENTRY])


@pytest.fixture
def venom(tmp_path: Path) -> Venom:
    engines_plugin.reset()
    PLAYED.lives = True
    SCRIPTS["city"] = Script(say("Warsaw"), Model("city", "folder"))
    SCRIPTS["town"] = Script(say("Warsaw"), Model("town", "folder"))
    return make(tmp_path)


@pytest.fixture
async def client(venom: Venom) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(venom) as client:
        yield client
    engines_plugin.reset()


async def switch(client: httpx.AsyncClient, server: str, **body: Any) -> httpx.Response:
    return await client.post(ACTIVE, json={"server_name": server, **body})


async def active(client: httpx.AsyncClient) -> tuple[str | None, str | None]:
    told = (await client.get(ACTIVE)).json()
    return told["active_server"], told["active_model"]


async def test_the_servers_are_the_providers_that_chat(client: httpx.AsyncClient) -> None:
    await switch(client, "scripted", model="city")
    told = (await client.get("/api/v1/system/llm-servers")).json()
    assert told["status"] == "success" and told["count"] == 2
    found = {one["name"]: one for one in told["servers"]}
    played, script = found["played"], found["scripted"]
    assert played["supports"] == {"start": True, "stop": True, "restart": True}
    assert script["supports"] == {"start": False, "stop": False, "restart": False}
    assert (played["display_name"], played["description"]) == ("Played", "Plays engines in tests.")
    assert (script["status"], script["active"], played["active"]) == ("running", True, False)
    assert played["last_check"].endswith("Z") and played["error_message"] is None
    assert (await client.get(played["health_url"])).status_code == 200


async def test_a_server_is_started_and_stopped_as_a_service_is(client: httpx.AsyncClient) -> None:
    started = await client.post("/api/v1/system/llm-servers/played/start")
    assert started.json()["exit_code"] == 0 and started.json()["action"] == "start"
    assert PLAYED.calls == ["load org/m"]
    for name, action, status in (
        ("nope", "start", 404), ("backend", "start", 404), ("ui", "stop", 404),
        ("scripted", "stop", 400), ("played", "dance", 400),
    ):  # fmt: skip
        refused = await client.post(f"/api/v1/system/llm-servers/{name}/{action}")
        assert refused.status_code == status, (name, action)


async def test_a_switch_loads_activates_keeps_and_stops(
    client: httpx.AsyncClient, venom: Venom
) -> None:
    first = (await switch(client, "played")).json()
    assert (first["active_server"], first["active_model"]) == ("played", "org/m")
    assert first["changed"] and first["status"] == "success"
    assert first["message"] == "played is the active server now, with played://org/m."
    assert first["start_result"] == {"success": True, "message": "played://org/m is in memory."}
    assert first["stop_results"] == {}, "nothing of Venom's ran before"
    assert PLAYED.calls == ["load org/m"]

    second = (await switch(client, "scripted", model="town", trace_id="t-1")).json()
    assert second["stop_results"] == {"played": {"success": True, "message": "played was stopped."}}
    assert PLAYED.calls == ["load org/m", "unload org/m"]
    assert second["last_models"] == {"played": "org/m", "scripted": "town"}
    assert second["config_hash"] != first["config_hash"]
    assert await active(client) == ("scripted", "town")
    core = venom.settings.core
    assert (core.active_llm_server, core.llm_model_name) == ("scripted", "town")
    written = venom.settings.paths.config_file.read_text()
    assert 'active_server = "scripted"' in written and 'model_name = "town"' in written
    entry = (await client.get("/api/v1/audit?limit=10")).json()["entries"]
    switches = [one for one in entry if one["action"] == "server.activate"]
    assert [one["subject"] for one in switches] == ["scripted", "played"]
    assert switches[0]["before"] == {"model": "played://org/m"}
    assert switches[0]["after"] == {"model": "scripted://town", "trace_id": "t-1"}

    # Back to a server is back to its last model; the same again changes nothing.
    assert (await switch(client, "played")).json()["active_model"] == "org/m"
    assert (await switch(client, "scripted")).json()["active_model"] == "town"
    again = (await switch(client, "scripted")).json()
    assert not again["changed"]
    assert again["message"] == "scripted was the active server already, with scripted://town."
    history = (await client.get("/api/v1/runtime/history")).json()["history"]
    told = [(one["service"], one["action"]) for one in history]
    assert told.count(("scripted", "activate")) == 2 and ("played", "stop") in told


async def test_it_is_active_after_a_restart(tmp_path: Path, venom: Venom) -> None:
    async with client_of(venom) as client:
        assert (await switch(client, "played")).status_code == 200
    async with client_of(make(tmp_path)) as client:
        assert await active(client) == ("played", "org/m")
        # Without the model that a person chose the settings say the same.
        await client.post("/api/v1/models/deactivate", json={"role": "chat"})
        assert await active(client) == ("played", "org/m")


REFUSALS: list[tuple[str, dict[str, Any], int, str]] = [
    ("unknown", {"server_name": "nope"}, 404, "service_not_found"),
    ("no server", {"server_name": "backend"}, 404, "service_not_found"),
    ("no such model", {"server_name": "played", "model": "gone"}, 404, "model_not_found"),
    ("another's", {"server_name": "played", "model": "town"}, 400, "not_served_by_runtime"),
    ("bad name", {"server_name": ""}, 422, "invalid_request_error"),
    ("bad trace", {"server_name": "played", "trace_id": "a b"}, 422, "invalid_request_error"),
    ("unknown field", {"server_name": "played", "wings": 2}, 422, "invalid_request_error"),
    ("no body", {}, 422, "invalid_request_error"),
]


@pytest.mark.parametrize(
    ("body", "status", "code"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS]
)
async def test_a_refusal_leaves_the_server_before_active(
    client: httpx.AsyncClient, venom: Venom, body: dict[str, Any], status: int, code: str
) -> None:
    await unchanged_by(client, venom, body, status, code)


async def unchanged_by(
    client: httpx.AsyncClient, venom: Venom, body: dict[str, Any], status: int, code: str
) -> None:
    """A switch away from scripted://city is refused, and nothing is other than before."""
    await switch(client, "scripted", model="city")
    PLAYED.calls.clear()
    file, trail = venom.settings.paths.config_file.read_text(), "/api/v1/audit?limit=200"
    before = (await client.get(trail)).json()["count"]
    refused = await client.post(ACTIVE, json=body)
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert await active(client) == ("scripted", "city")
    assert venom.settings.paths.config_file.read_text() == file
    assert venom.settings.core.active_llm_server == "scripted"
    assert (await client.get(trail)).json()["count"] == before
    assert [one for one in PLAYED.engines if one.state == "running"] == []


async def test_a_model_that_cannot_be_loaded_does_not_become_active(
    client: httpx.AsyncClient, venom: Venom
) -> None:
    PLAYED.refuses = Unavailable("Too little memory.", code="out_of_memory", fix="Stop one.")
    await unchanged_by(client, venom, {"server_name": "played"}, 503, "out_of_memory")
    newest = (await client.get("/api/v1/runtime/history?limit=1")).json()["history"][0]
    assert (newest["service"], newest["action"], newest["success"]) == ("played", "activate", False)


@pytest.mark.parametrize("part", ["store", "settings"])
async def test_what_cannot_be_kept_is_taken_back(
    client: httpx.AsyncClient, venom: Venom, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch(client, "scripted", model="city")
    refusal = StorageError("The disk is full.", code="disk_full", fix="Make room.")

    def refuses(*_: object, **__: object) -> None:
        raise refusal

    if part == "store":
        monkeypatch.setattr(venom.manager, "use", refuses)
    else:
        monkeypatch.setattr(venom.settings, "change", refuses)
    await unchanged_by_fault(client, venom)


async def unchanged_by_fault(client: httpx.AsyncClient, venom: Venom) -> None:
    refused = await switch(client, "played")
    assert refused.json()["code"] == "disk_full"
    assert await active(client) == ("scripted", "city")
    assert venom.settings.core.active_llm_server == "scripted"
    assert 'active_server = "scripted"' in venom.settings.paths.config_file.read_text()
    assert PLAYED.calls == ["load org/m", "unload org/m"], "it is not left in memory"


async def test_a_server_that_the_environment_names_stays(tmp_path: Path) -> None:
    engines_plugin.reset()
    PLAYED.lives = True
    SCRIPTS["city"] = Script(say("Warsaw"))
    async with client_of(make(tmp_path, ACTIVE_LLM_SERVER="scripted")) as client:
        refused = await switch(client, "played")
        assert (refused.status_code, refused.json()["code"]) == (409, "set_by_environment")
        assert "ACTIVE_LLM_SERVER" in refused.json()["fix"] and PLAYED.calls == []
        assert (await switch(client, "scripted")).status_code == 200, "it is that one"


@pytest.mark.parametrize("models", [(), ("a", "b")], ids=["none", "several"])
async def test_a_server_without_a_model_to_take_asks_for_one(
    client: httpx.AsyncClient, models: tuple[str, ...]
) -> None:
    await switch(client, "scripted", model="city")
    PLAYED.models = models
    refused = await switch(client, "played")
    assert (refused.status_code, refused.json()["code"]) == (400, "model_required")
    if models:
        assert (await switch(client, "played", model="b")).json()["active_model"] == "b"


async def test_a_switch_during_a_switch_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch(client, "scripted", model="city")
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(self: engines_plugin.PlayedProvider, ref: str) -> None:
        entered.set()
        await go_on.wait()

    monkeypatch.setattr(engines_plugin.PlayedProvider, "load", slow)
    first = asyncio.create_task(switch(client, "played"))
    await asyncio.wait_for(entered.wait(), 60)
    refused = await within(switch(client, "scripted", model="town"), 30)
    assert (refused.status_code, refused.json()["code"]) == (409, "switch_in_progress")
    assert await active(client) == ("scripted", "city"), "until it is done"
    go_on.set()
    assert (await first).status_code == 200
    assert await active(client) == ("played", "org/m")


async def test_answers_of_the_server_before_go_on_to_their_end(
    client: httpx.AsyncClient, venom: Venom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its engines are stopped behind the last of them, or not at all where that takes long."""
    await switch(client, "played")
    PLAYED.calls.clear()
    monkeypatch.setattr(llm_servers, "DRAIN_SECONDS", 0.0)
    asked = {"model": "played://org/m", "messages": [{"role": "user", "content": "x"}]}
    under_way = asyncio.create_task(client.post("/v1/chat/completions", json=asked))
    provider = await venom.host.provider("played")
    await until(lambda: provider._under_way)  # type: ignore[attr-defined]
    done = (await switch(client, "scripted", model="city")).json()
    assert done["active_server"] == "scripted"
    assert done["stop_results"]["played"]["success"] is False
    assert PLAYED.calls == [] and not under_way.done()
    under_way.cancel()
    await asyncio.gather(under_way, return_exceptions=True)


async def test_no_switch_where_no_model_may_run(tmp_path: Path) -> None:
    engines_plugin.reset()
    async with client_of(make(tmp_path, VENOM_RUNTIME_PROFILE="llm_off")) as client:
        refused = await switch(client, "played")
        assert (refused.status_code, refused.json()["code"]) == (503, "llm_off")
        assert (await client.get("/api/v1/system/llm-servers")).json()["count"] == 2
        assert (await client.get("/api/v1/system/llm-runtime/options")).status_code == 200


async def test_the_runtime_and_what_can_be_chosen(client: httpx.AsyncClient) -> None:
    await switch(client, "scripted", model="town")
    runtime = (await client.get("/api/v1/system/llm-runtime/active")).json()["runtime"]
    assert (runtime["provider"], runtime["model"]) == ("scripted", "town")
    told = (await client.get("/api/v1/system/llm-runtime/options")).json()
    assert told["active"] == runtime
    found = {one["provider"]: one for one in told["runtimes"]}
    assert set(found) == {"played", "scripted"}
    played = found["played"]
    assert (played["source_type"], played["configured"], played["available"]) == (
        "local-runtime", True, True,
    )  # fmt: skip
    assert (played["status"], played["active"], played["runtime_id"]) == (
        "stopped", False, "played",
    )  # fmt: skip
    models = {one["name"]: one for one in found["scripted"]["models"]}
    assert {name: one["active"] for name, one in models.items()} == {"city": False, "town": True}
    assert models["town"]["roles"] == ["chat"] and models["city"]["roles"] == []
    catalog = told["model_catalog"]
    assert catalog["chat"] == ["played://org/m", "scripted://city", "scripted://town"]
    assert "played://org/m" not in catalog["embedding"], "its provider embeds nothing"
    # Each that is offered for chat can be chosen, by this very name.
    for reference in catalog["chat"]:
        chosen = await client.post("/api/v1/models/switch", json={"name": reference})
        assert chosen.status_code == 200


@pytest.mark.parametrize(("scope", "status"), [("admin", 200), ("models", 403), ("chat", 403)])
async def test_the_switch_changes_settings_and_so_is_for_administrators(
    venom: Venom, scope: Any, status: int
) -> None:
    from venom_core.store.keys import KeyRights

    key, _ = venom.store.keys().create("k", KeyRights(scopes=(scope,)))
    async with client_of(venom, headers={"Authorization": f"Bearer {key}"}) as client:
        assert (await switch(client, "scripted", model="city")).status_code == status
        assert (await client.get(ACTIVE)).status_code == 200
