"""Rights of a key: scopes by route, models and amounts by admission, and what is written down."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from tests.unit.api.conftest import MakeVenom
from tests.unit.api.test_security import routes_of
from venom_core.api import v1
from venom_core.api.app import create_app
from venom_core.api.scopes import ANY, ROUTES, key_of, scopes_of
from venom_core.sdk.frames import Usage
from venom_core.sdk.provider import PullProgress
from venom_core.store.keys import SCOPES, KeyRights
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Pause, Script, answer, say
from venom_core.testing.staging import client_of

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
OPEN = {"/healthz", "/health", "/v1/health", "/readyz", "/openapi.json"}


@pytest.fixture(autouse=True)
def models() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    scripted.SCRIPTS["other"] = Script(say("a", "b", usage=Usage(30, 70)))


async def test_every_route_declares_its_scope(make_venom: MakeVenom) -> None:
    there = {
        key_of(method, path)
        for method, path in routes_of(create_app(make_venom()))
        if path not in OPEN
    }
    assert there - set(ROUTES) == set(), "declare their scopes in venom_core/api/scopes.py"
    assert set(ROUTES) - there == set(), "there are no such routes any more"


def test_every_change_by_models_and_admin_is_written_down() -> None:
    forgotten, seen = [], 0
    for method, path, endpoint in endpoints():
        scopes = scopes_of(method, path)
        if method == "GET" or not scopes or not scopes <= {"models", "admin"}:
            continue
        seen += 1
        module = inspect.getmodule(endpoint)
        source = inspect.getsource(endpoint)
        for name in re.findall(r"\b(_\w+)\(", source):  # what it leaves to its module
            source += inspect.getsource(getattr(module, name))
        if not re.search(r"\bactor_of\(", source):
            forgotten.append(f"{method} {path}")
    assert forgotten == [], "see venom_core/api/callers.py"
    assert seen > 10


def endpoints() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Method, whole path and function of every route under ``/api/v1``."""
    for found in pkgutil.walk_packages(v1.__path__, f"{v1.__name__}."):
        router = getattr(importlib.import_module(found.name), "router", None)
        for route in router.routes if router else ():
            if isinstance(route, APIRoute):
                for method in route.methods:
                    yield method, f"/api/v1{route.path}", route.endpoint


def test_a_route_that_is_not_declared_is_for_admins() -> None:
    assert scopes_of("GET", "/api/v1/nothing") == {"admin"}


async def test_each_scope_opens_its_routes_and_no_other(make_venom: MakeVenom) -> None:
    venom = make_venom()
    routes = routes_of(create_app(venom))
    async with client_of(venom) as client:
        for scope in SCOPES:
            key, _ = venom.store.keys().create(scope, KeyRights(scopes=(scope,)))
            for method, path in routes:
                if path in OPEN or path.endswith(("/events", "/session")):
                    continue
                concrete = re.sub(r"\{[a-z_:]+\}", "nothing", path)
                response = await client.request(
                    method, concrete, json={}, headers={"x-api-key": key}
                )
                needed = scopes_of(method, path)
                refused = response.status_code == 403 and "scope_missing" in response.text
                assert refused == (scope not in needed), (scope, method, path, response.text)


async def test_a_key_of_the_first_schema_may_do_everything(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("old")
    assert record.rights == KeyRights(None, None, None, None)
    async with client_of(venom, headers={"x-api-key": key}) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        assert (await client.get("/api/v1/audit")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200


async def test_the_users_own_commands_may_do_everything(make_venom: MakeVenom) -> None:
    venom = make_venom()
    venom.store.keys().create("team", KeyRights(scopes=("chat",), models=("other",)))
    headers = {"x-api-key": venom.local_token}
    async with client_of(venom, headers=headers) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        assert (await client.get("/api/v1/audit")).status_code == 200


async def test_models_of_a_key(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("team", KeyRights(models=("oth*",)))
    async with client_of(venom, headers={"x-api-key": key}) as client:
        listed = (await client.get("/v1/models")).json()["data"]
        assert [item["id"] for item in listed] == ["other"]
        for method, path, body in (
            ("POST", "/v1/chat/completions", CHAT),
            ("POST", "/v1/completions", {"model": "m", "prompt": "x"}),
            ("POST", "/v1/embeddings", {"model": "m", "input": "x"}),
            ("GET", "/v1/models/m", None),
        ):
            response = await client.request(method, path, json=body)
            assert response.status_code == 403, path
            assert response.json()["error"]["code"] == "model_not_allowed"
        assert scripted.SEEN.requests == [] and scripted.SEEN.embeds == []
        allowed = {**CHAT, "model": "other", "stream": True}
        assert (await client.post("/v1/chat/completions", json=allowed)).status_code == 200
        counted = (await client.get("/api/v1/usage/summary")).json()["totals"]
        assert (counted["requests"], counted["refused"]) == (1, 3)


@pytest.mark.parametrize("path", ["chat/completions", "embeddings"])
async def test_requests_a_day_hold_across_a_restart(make_venom: MakeVenom, path: str) -> None:
    body = CHAT if path.startswith("chat") else {"model": "m", "input": "x"}
    first = make_venom()
    key, _ = first.store.keys().create("team", KeyRights(requests_per_day=3))
    headers = {"x-api-key": key}
    async with client_of(first, headers=headers) as client:
        for _ in range(2):
            assert (await client.post(f"/v1/{path}", json=body)).status_code == 200
        await client.post(f"/v1/{path}", json={**body, "model": "nobody-has-this"})
    async with client_of(make_venom(), headers=headers) as client:
        assert (await client.post(f"/v1/{path}", json=body)).status_code == 200
        response = await client.post(f"/v1/{path}", json=body)
        assert response.status_code == 429
        assert response.json()["error"]["code"] == "quota_exceeded"
        left = 86_400 - time.time() % 86_400
        assert abs(int(response.headers["retry-after"]) - left) < 60


async def test_what_the_queue_refuses_costs_nothing(make_venom: MakeVenom) -> None:
    venom = make_venom(VENOM_MAX_CONCURRENT="1", VENOM_QUEUE_SIZE="0")
    key, _ = venom.store.keys().create("team", KeyRights(requests_per_day=2))
    scripted.SCRIPTS["slow"] = Script([Pause(0.3), *answer("x")])
    async with client_of(venom, headers={"x-api-key": key}) as client:

        async def ask(model: str) -> int:
            body = {**CHAT, "model": model}
            return (await client.post("/v1/chat/completions", json=body)).status_code

        slow = asyncio.create_task(ask("slow"))
        await until(lambda: scripted.SEEN.requests)
        full = await client.post("/v1/chat/completions", json=CHAT)
        assert full.json()["error"]["code"] == "queue_full"
        assert await slow == 200
        assert [await ask("m"), await ask("m")] == [200, 429]


async def test_tokens_a_day(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("team", KeyRights(tokens_per_day=150))
    body = {**CHAT, "model": "other", "stream": True}
    async with client_of(venom, headers={"x-api-key": key}) as client:
        for status in (200, 200, 429):
            response = await client.post("/v1/chat/completions", json=body)
            assert response.status_code == status
        assert "150 tokens" in response.text


async def test_a_key_without_admin_sees_its_own_usage_only(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("team", KeyRights(scopes=("chat",)))
    boss, other = venom.store.keys().create("boss")
    async with client_of(venom) as client:
        for one in (key, boss, boss):
            await client.post("/v1/chat/completions", json=CHAT, headers={"x-api-key": one})
        mine = {"x-api-key": key}
        for path in ("summary", "series"):
            found = (await client.get(f"/api/v1/usage/{path}", headers=mine)).json()
            rows = found.get("points") or [found["totals"]]
            assert sum(row["requests"] for row in rows) == 1
        text = (await client.get("/api/v1/usage/export.csv", headers=mine)).text
        assert record.id in text and other.id not in text
        for path in ("summary", "series", "export.csv"):
            for asked in (other.id, ""):
                response = await client.get(
                    f"/api/v1/usage/{path}", params={"key": asked}, headers=mine
                )
                assert response.status_code == 403, path
        all_of_it = await client.get("/api/v1/usage/summary", headers={"x-api-key": boss})
        assert all_of_it.json()["totals"]["requests"] == 3


async def test_what_an_admin_does_is_written_down(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("boss")
    headers = {"x-api-key": key, "X-Request-Id": "req-of-mine"}
    async with client_of(venom, headers=headers) as client:
        await client.get("/api/v1/plugins")
        assert (await client.post("/api/v1/plugins/scripted/disable")).status_code == 200
        assert (await client.post("/api/v1/plugins/nobody/disable")).status_code == 404
        assert (await client.delete("/api/v1/usage", params={"key": "k"})).status_code == 200
        found = (await client.get("/api/v1/audit")).json()
    assert [(entry["action"], entry["subject"]) for entry in found["entries"]] == [
        ("usage.erase", "k"), ("plugin.disable", "scripted"), ("key.create", record.id),
    ]  # fmt: skip
    disabled = found["entries"][1]
    assert (disabled["key_id"], disabled["request_id"]) == (record.id, "req-of-mine")
    assert (disabled["before"], disabled["after"]) == ({"state": "loaded"}, {"state": "disabled"})
    assert key.split("-", 2)[2] not in str(found)


@pytest.mark.parametrize(("limit", "status"), [(0, 422), (1, 200), (200, 200), (201, 422)])
async def test_the_audit_has_bounds(make_venom: MakeVenom, limit: int, status: int) -> None:
    async with client_of(make_venom()) as client:
        response = await client.get("/api/v1/audit", params={"limit": limit})
    assert response.status_code == status


def test_any_is_every_scope() -> None:
    assert frozenset(SCOPES) == ANY


async def test_what_is_done_to_models_is_written_down(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("boss")
    scripted.PULLS["new"] = [PullProgress("completed", "new is ready", 1, 1)]
    async with client_of(venom, headers={"x-api-key": key}) as client:
        begun = await client.post("/api/v1/models/install", json={"name": "scripted://new"})
        await client.post("/api/v1/models/m/unload")
        await client.delete("/api/v1/models/m")
        entries = (await client.get("/api/v1/audit")).json()["entries"]
    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("model.remove", "scripted://m"),
        ("model.unload", "scripted://m"),
        ("model.install", "scripted://new"),
        ("key.create", record.id),
    ]
    assert {entry["key_id"] for entry in entries[:3]} == {record.id}
    assert entries[2]["after"]["operation_id"] == begun.json()["operation_id"]
