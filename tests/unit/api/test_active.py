"""Models made active over HTTP: success, refusal, bad input; what answers where none is named."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.sdk import hookimpl
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.provider import Model, PullProgress
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import entry, scripted
from venom_core.testing.scripted import Script, ScriptedProvider, answer, say
from venom_core.testing.staging import client_of, venom_over

MODELS = "/api/v1/models"
HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(autouse=True)
def models() -> None:
    for name in ("one", "two", "org/three"):
        scripted.SCRIPTS[name] = Script(answer(name), Model(name, "folder", loaded=False))
    embedder = Model("e", "folder", capabilities=frozenset({"embedding"}))
    scripted.SCRIPTS["e"] = Script([], embedder)


async def post(client: httpx.AsyncClient, path: str, body: Any, status: int = 200) -> Any:
    response = await client.post(f"{MODELS}/{path}", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def roles(client: httpx.AsyncClient) -> dict[str, list[str]]:
    listed = (await client.get(MODELS)).json()["models"]
    return {model["name"]: model["active_roles"] for model in listed if model["active"]}


async def test_a_switch_answers_as_the_contract_says(client: httpx.AsyncClient) -> None:
    done = await post(client, "switch", {"name": "two"})
    assert done["success"] is True
    assert done["active_model"] == "two"
    assert done["message"] == "scripted://two is now the active model for chat."
    again = await post(client, "switch", {"name": "two"})
    assert again["message"] == "scripted://two was the active model for chat already."
    await post(client, "switch", {"name": "e", "role": "embedding"})
    await post(client, "switch", {"name": "two", "role": "translation"})
    assert await roles(client) == {"two": ["chat", "translation"], "e": ["embedding"]}
    left = await post(client, "deactivate", {"role": "embedding"})
    assert left["before"] == "scripted://e"
    assert "e" not in await roles(client)


async def test_the_active_model_answers_where_none_is_named(client: httpx.AsyncClient) -> None:
    await post(client, "switch", {"name": "two"})
    response = await client.post("/v1/chat/completions", json={"messages": HI})
    assert response.headers["venom-model"] == "scripted://two"
    assert response.headers["venom-model-reason"] == "the active model for chat"
    await post(client, "switch", {"name": "e", "role": "embedding"})
    response = await client.post("/v1/embeddings", json={"input": "hi"})
    assert response.headers["venom-model"] == "scripted://e"
    overview = (await client.get("/api/v1/overview")).json()
    assert overview["default_model"] == "two"


async def test_a_removed_active_model_is_said_and_a_provider_that_is_down_refuses(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(client, "switch", {"name": "two"})
    del scripted.SCRIPTS["two"]
    await client.get(MODELS)
    response = await client.post("/v1/chat/completions", json={"messages": HI})
    assert response.headers["venom-model"] == "scripted://one"
    assert response.headers["venom-model-reason"].startswith("the active model was removed; ")

    async def down(self: ScriptedProvider) -> None:
        raise Unavailable("It is down.", code="a_down")

    monkeypatch.setattr(ScriptedProvider, "models", down)
    client._transport.app.state.venom.registry.forget("scripted")  # type: ignore[attr-defined]
    response = await client.post("/v1/chat/completions", json={"messages": HI})
    assert (response.status_code, response.json()["error"]["code"]) == (503, "a_down")


async def test_activate_answers_with_the_runtime(client: httpx.AsyncClient) -> None:
    done = await post(client, "activate", {"name": "org/three", "runtime": "scripted"})
    runtime = done["runtime"]
    assert set(runtime) == {
        "provider", "model", "endpoint", "endpoint_host", "endpoint_port", "service_type", "mode",
        "label", "config_hash", "runtime_id", "status", "error", "configured_models",
    }  # fmt: skip
    assert (runtime["provider"], runtime["model"]) == ("scripted", "org/three")
    assert runtime["label"] == "three · scripted"
    assert runtime["status"] == "ready"
    assert set(runtime["configured_models"]) == {"local", "hybrid_local", "cloud"}
    assert (await client.get(MODELS)).json()["active"] == runtime


REFUSED = [
    ("switch", {"name": "ghost"}, 404, "model_not_found"),
    ("switch", {"name": "ghost://one"}, 404, "provider_not_found"),
    ("switch", {"name": "e"}, 400, "model_not_capable"),
    ("switch", {"name": "../one"}, 400, "invalid_model_name"),
    ("switch", {"name": "one\n"}, 400, "invalid_model_name"),
    ("switch", {}, 422, "invalid_request_error"),
    ("switch", {"name": ""}, 422, "invalid_request_error"),
    ("switch", {"name": "x" * 501}, 422, "invalid_request_error"),
    ("switch", {"name": "one", "role": "king"}, 422, "invalid_request_error"),
    ("switch", {"name": "one", "load": 1}, 422, "invalid_request_error"),
    ("switch", {"name": "one", "path": "/"}, 422, "invalid_request_error"),
    ("activate", {"name": "one"}, 422, "invalid_request_error"),
    ("activate", {"name": "ghost", "runtime": "scripted"}, 404, "model_not_found"),
    ("activate", {"name": "one", "runtime": "vllm"}, 400, "not_served_by_runtime"),
    ("deactivate", {"role": "king"}, 422, "invalid_request_error"),
    ("aliases", {"name": "a", "target": "a"}, 400, "alias_loop"),
    ("aliases", {"name": "scripted://one", "target": "two"}, 400, "invalid_alias"),
    ("aliases", {"name": "a"}, 422, "invalid_request_error"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), REFUSED)
async def test_a_refusal_leaves_everything(
    client: httpx.AsyncClient, path: str, body: Any, status: int, code: str
) -> None:
    await post(client, "switch", {"name": "two"})
    refusal = await post(client, path, body, status)
    assert refusal["code"] == code
    assert refusal["detail"]
    assert await roles(client) == {"two": ["chat"]}
    assert (await client.get(f"{MODELS}/aliases")).json()["aliases"] == []


async def test_the_next_process_knows_what_was_chosen(make_venom: MakeVenom) -> None:
    async with client_of(make_venom()) as client:
        await post(client, "switch", {"name": "two"})
        await post(client, "aliases", {"name": "gpt-4o", "target": "scripted://org/three"})
        await post(client, "one/config", {"params": {"temperature": 0.1}})
    async with client_of(make_venom()) as client:
        assert await roles(client) == {"two": ["chat"]}
        body = {"model": "gpt-4o", "messages": HI}
        response = await client.post("/v1/chat/completions", json=body)
        assert response.headers["venom-model"] == "scripted://org/three"
        assert response.json()["model"] == "gpt-4o"
        config = (await client.get(f"{MODELS}/one/config")).json()
        assert config["saved"] == {"temperature": 0.1}


async def test_aliases_are_set_listed_and_removed(client: httpx.AsyncClient) -> None:
    await post(client, "aliases", {"name": "team/fast", "target": "two"})
    listed = (await client.get(f"{MODELS}/aliases")).json()
    assert listed["aliases"] == [{"name": "team/fast", "target": "two", "problem": None}]
    details = (await client.get(f"{MODELS}/team/fast/details")).json()
    assert details["model"]["reference"] == "scripted://two"
    gone = await client.delete(f"{MODELS}/aliases/team/fast")
    assert gone.json()["message"] == "team/fast does not stand for two any more."
    gone = await client.delete(f"{MODELS}/aliases/team/fast")
    assert (gone.status_code, gone.json()["code"]) == (404, "alias_not_found")


async def test_an_alias_is_what_it_stands_for_where_nothing_is_installed_yet(
    client: httpx.AsyncClient,
) -> None:
    offered = Model("later", "folder", installed=False, summary="To be had.")
    scripted.SCRIPTS["later"] = Script([], offered)
    scripted.PULLS["later"] = [PullProgress("completed", "ready", 1, 1)]
    await post(client, "aliases", {"name": "soon", "target": "scripted://later"})
    details = (await client.get(f"{MODELS}/soon/details")).json()
    assert details["model"]["reference"] == "scripted://later"
    begun = await post(client, "install", {"name": "soon"})
    operation = (await client.get(f"{MODELS}/operations/{begun['operation_id']}")).json()
    assert operation["operation"]["reference"] == "scripted://later"


async def test_the_active_model_is_not_deleted(client: httpx.AsyncClient) -> None:
    await post(client, "switch", {"name": "two"})
    for path in ("two", "registry/two", "scripted%3A%2F%2Ftwo"):
        refused = await client.delete(f"{MODELS}/{path}")
        assert (refused.status_code, refused.json()["code"]) == (400, "model_active")
    assert "two" in scripted.SCRIPTS
    await post(client, "switch", {"name": "one"})
    assert (await client.delete(f"{MODELS}/two")).status_code == 200
    assert "two" not in scripted.SCRIPTS


async def test_unload_all(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    done = await post(client, "unload-all", None)
    assert set(done["unloaded"]) == {f"scripted://{name}" for name in scripted.SCRIPTS}
    assert "unload two" in scripted.SEEN.calls

    async def fails(self: ScriptedProvider, ref: str) -> None:
        raise KeyError("its own fault, its own words")

    monkeypatch.setattr(ScriptedProvider, "unload", fails)
    refused = await post(client, "unload-all", None, 502)
    assert refused["code"] == "unload_incomplete"
    assert "words" not in refused["detail"]


async def test_the_audit_trail_names_the_request(client: httpx.AsyncClient) -> None:
    body = {"name": "two"}
    await client.post(f"{MODELS}/switch", json=body, headers={"X-Request-Id": "mine-1"})
    entry = (await client.get("/api/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["request_id"]) == ("model.activate", "mine-1")
    assert (entry["before"], entry["after"]["ref"]) == (None, "two")


async def test_streams_and_whole_answers_follow_the_switch(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["two"] = Script(say("a", "b"))
    await post(client, "switch", {"name": "two"})
    body = {"messages": HI, "stream": True}
    response = await client.post("/v1/chat/completions", json=body)
    assert response.headers["venom-model"] == "scripted://two"


async def test_the_first_question_prefers_what_a_plugin_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it comes before the plugins are loaded."""
    (spec,) = scripted.venom_providers()
    module = types.ModuleType("preferring")
    preferring = replace(spec, default_model="tw*", preference=1)
    module.venom_providers = hookimpl(lambda: [preferring])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "preferring", module)
    settings = Settings.load(Paths.at(tmp_path), {})
    venom = venom_over(settings, [entry("preferring", "scripted")])
    venom.host.scan()
    try:
        assert venom.host.specs() == {}
        item, because = await venom.default_model()
    finally:
        await venom.close()
    assert (item.reference, because) == (
        "scripted://two", "the largest installed match of scripted://tw* that fits"
    )  # fmt: skip
