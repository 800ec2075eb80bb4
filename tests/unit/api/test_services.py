"""Services over the API: what runs, started, stopped and restarted, and what happened to it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import engines_plugin
from tests.engines_plugin import PLAYED
from venom_core.composition import Venom
from venom_core.runtime.feed import FeedEvent
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.provider import EngineStatus
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.keys import KeyRights
from venom_core.testing.deadlines import within
from venom_core.testing.scripted import SCRIPTS, Script, ScriptedProvider, say
from venom_core.testing.staging import SCRIPTED, client_of, venom_over

ENGINE = ("played", "engine", "running")
OURS = ("backend", "ui", "played", "scripted")
FAILED = EngineStatus("acme (org/m)", "failed", "org/m", log_tail=("out of memory",))


def make(home: Path, **env: str) -> Venom:
    settings = Settings.load(Paths.at(home), env)
    return venom_over(settings, [SCRIPTED, engines_plugin.ENTRY])


@pytest.fixture
def venom(tmp_path: Path) -> Venom:
    engines_plugin.reset()
    PLAYED.lives, PLAYED.pid = True, os.getpid()
    SCRIPTS["city"] = Script(say("Warsaw"))
    return make(tmp_path)


@pytest.fixture
async def client(venom: Venom) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(venom) as client:
        yield client
    engines_plugin.reset()


async def act(client: httpx.AsyncClient, action: str, name: str = "played") -> Any:
    answer = await client.post(f"/api/v1/runtime/{name}/{action}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def runtime(client: httpx.AsyncClient) -> dict[str, Any]:
    told = (await client.get("/api/v1/runtime/status")).json()
    assert told["status"] == "success" and told["count"] == len(told["services"])
    return {one["name"]: one for one in told["services"]}


async def history(client: httpx.AsyncClient) -> list[tuple[str, str, bool]]:
    told = (await client.get("/api/v1/runtime/history")).json()
    return [(one["service"], one["action"], one["success"]) for one in told["history"]]


async def test_every_service_is_told_of_with_what_can_be_done_to_it(
    client: httpx.AsyncClient,
) -> None:
    told = (await client.get("/api/v1/system/services")).json()
    found = {one["name"]: one for one in told["services"]}
    assert set(found) == set(OURS) and told["count"] == 4
    assert {name: one["service_type"] for name, one in found.items()} == {
        "backend": "backend", "ui": "ui", "played": "engine", "scripted": "server",
    }  # fmt: skip
    assert found["backend"]["status"] == found["scripted"]["status"] == "running"
    assert found["played"]["status"] == "stopped", "ready, and nothing of it runs"
    can = {name: set(one["supports"].values()) for name, one in found.items()}
    assert can == {"backend": {False}, "ui": {False}, "scripted": {False}, "played": {True}}
    for name, one in found.items():
        alone = (await client.get(f"/api/v1/system/services/{name}")).json()
        assert alone["service"] | {"latency_ms": 0} == one | {"latency_ms": 0}


async def test_a_service_has_the_figures_of_its_processes(client: httpx.AsyncClient) -> None:
    before = (await runtime(client))["played"]
    assert [before[key] for key in ("pid", "memory_mb", "uptime_seconds", "last_log")] == [None] * 4
    await act(client, "start")
    now = await runtime(client)
    played, core = now["played"], now["backend"]
    assert (played["status"], played["pid"], played["port"]) == ("running", os.getpid(), 8123)
    assert played["memory_mb"] > 1 and played["uptime_seconds"] > 0 and played["cpu_percent"] >= 0
    assert played["started_at"].endswith("Z")
    assert played["last_log"] == "ready in /srv/models", "its last line that says something"
    assert [one["reference"] for one in played["engines"]] == ["played://org/m"]
    assert core["pid"] == os.getpid() and core["memory_mb"] > 1


async def test_start_stop_and_restart_do_it_once_and_say_so(client: httpx.AsyncClient) -> None:
    started = await act(client, "start")
    assert started == {
        "status": "success", "success": True, "service": "played", "action": "start",
        "message": "played was started: played://org/m.", "changed": True,
        "models": ["played://org/m"], "exit_code": 0,
    }  # fmt: skip
    assert (await act(client, "start"))["changed"] is False
    assert (await act(client, "restart"))["message"] == "played was restarted: played://org/m."
    stopped = await act(client, "stop")
    assert (stopped["message"], stopped["models"]) == ("played was stopped.", ["played://org/m"])
    again = await act(client, "stop")
    assert (again["changed"], again["message"]) == (False, "played did not run.")
    assert PLAYED.calls == ["load org/m", "unload org/m", "load org/m", "unload org/m"]
    trail = (await client.get("/api/v1/audit")).json()["entries"]
    assert [(one["action"], one["subject"]) for one in trail] == [
        ("service.stop", "played"), ("service.restart", "played"), ("service.start", "played"),
    ]  # fmt: skip
    assert trail[0]["before"] == {"loaded": ["played://org/m"]} and trail[0]["after"] == {
        "loaded": []
    }
    done = [("played", action, True) for action in ("stop", "restart", "start")]
    assert await history(client) == done


async def test_an_engine_that_ended_unexpectedly_is_shown_and_cleared(
    client: httpx.AsyncClient,
) -> None:
    PLAYED.engines = [FAILED]
    played = (await runtime(client))["played"]
    assert (played["status"], played["last_log"]) == ("stopped", "out of memory")
    assert (await act(client, "restart"))["models"] == ["played://org/m"]
    assert PLAYED.calls == ["unload org/m", "load org/m"]
    assert (await runtime(client))["played"]["status"] == "running"


async def test_two_at_once_load_once(client: httpx.AsyncClient) -> None:
    done = await asyncio.gather(*(act(client, "start") for _ in range(5)))
    assert PLAYED.calls == ["load org/m"]
    assert [one["changed"] for one in done].count(True) == 1


@pytest.mark.parametrize(
    ("name", "action", "status", "code"),
    [
        ("nope", "start", 404, "service_not_found"),
        ("nope", "dance", 404, "service_not_found"),
        ("played", "dance", 400, "action_not_supported"),
        ("scripted", "start", 400, "action_not_supported"),
        ("scripted", "stop", 400, "action_not_supported"),
        ("backend", "restart", 400, "action_not_supported"),
        ("ui", "stop", 400, "action_not_supported"),
        ("core%2Fx", "stop", 404, "not_found"),
        ("played", "START", 422, "invalid_request_error"),
        ("x" * 101, "stop", 422, "invalid_request_error"),
        ("..", "stop", 404, "not_found"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    client: httpx.AsyncClient, name: str, action: str, status: int, code: str
) -> None:
    refused = await client.post(f"/api/v1/runtime/{name}/{action}")
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert refused.json()["fix"]
    assert PLAYED.calls == [] and await history(client) == []


async def test_an_unknown_service_is_not_found(client: httpx.AsyncClient) -> None:
    refused = await client.get("/api/v1/system/services/nope")
    assert (refused.status_code, refused.json()["code"]) == (404, "service_not_found")


async def test_a_start_that_fails_is_in_the_history_and_not_in_the_audit(
    client: httpx.AsyncClient, venom: Venom
) -> None:
    PLAYED.refuses = Unavailable("The engine ended.", code="engine_exited", fix="Try again.")
    with venom.feed.watch(["services"]) as changes:
        refused = await client.post("/api/v1/runtime/played/start")
        assert (refused.status_code, refused.json()["code"]) == (503, "engine_exited")
        change = await anext(changes)
    assert isinstance(change, FeedEvent)
    assert change.data == {
        "event": "service.failed", "service": "played", "action": "start", "success": False,
        "message": "The engine ended.",
    }  # fmt: skip
    assert await history(client) == [("played", "start", False)]
    assert (await client.get("/api/v1/audit")).json()["entries"] == []


@pytest.mark.parametrize("models", [(), ("a", "b")], ids=["none", "several"])
async def test_a_start_without_a_model_asks_for_one(
    client: httpx.AsyncClient, models: tuple[str, ...]
) -> None:
    PLAYED.models = models
    if models:  # what answers where none is named is another provider's
        await client.post("/api/v1/models/switch", json={"name": "scripted://city"})
    refused = await client.post("/api/v1/runtime/played/start")
    assert (refused.status_code, refused.json()["code"]) == (400, "model_required")
    await client.post("/api/v1/models/switch", json={"name": "played://b"})
    await client.post("/api/v1/models/switch", json={"name": "scripted://city"})
    if models:  # the last that was active there
        assert (await act(client, "start"))["models"] == ["played://b"]


async def test_no_engine_starts_where_no_model_may_run(tmp_path: Path) -> None:
    engines_plugin.reset()
    PLAYED.lives = True
    async with client_of(make(tmp_path, VENOM_RUNTIME_PROFILE="llm_off")) as client:
        for action in ("start", "restart"):
            refused = await client.post(f"/api/v1/runtime/played/{action}")
            assert (refused.status_code, refused.json()["code"]) == (503, "llm_off")
        assert (await act(client, "stop"))["changed"] is False
        assert (await client.get("/api/v1/system/services")).status_code == 200
    assert PLAYED.calls == []


async def test_the_history_survives_a_restart(tmp_path: Path) -> None:
    engines_plugin.reset()
    PLAYED.lives = True
    async with client_of(make(tmp_path)) as client:
        assert await history(client) == []
        assert not (tmp_path / "venom.db").exists(), "looking makes no store"
        await act(client, "start")
        await act(client, "stop")
    async with client_of(make(tmp_path)) as client:
        assert await history(client) == [("played", "stop", True), ("played", "start", True)]
        newest = (await client.get("/api/v1/runtime/history?limit=1")).json()
        assert newest["count"] == 1 and newest["history"][0]["action"] == "stop"
        for limit in ("0", "201", "x"):
            refused = await client.get(f"/api/v1/runtime/history?limit={limit}")
            assert refused.status_code == 422


@pytest.mark.parametrize(
    ("scope", "status", "shown"),
    [("admin", 200, True), ("models", 200, False), ("chat", 403, None)],
)
async def test_the_lines_of_logs_are_for_who_may_administer(
    venom: Venom, scope: Any, status: int, shown: bool | None
) -> None:
    key, _ = venom.store.keys().create("k", KeyRights(scopes=(scope,)))
    async with client_of(venom, headers={"Authorization": f"Bearer {key}"}) as client:
        PLAYED.engines = [FAILED]
        told = await client.get("/api/v1/runtime/status")
        assert told.status_code == status
        if shown is not None:
            played = next(one for one in told.json()["services"] if one["name"] == "played")
            assert (played["last_log"] is not None) is shown
        assert (await client.get("/api/v1/system/services")).status_code == 200


async def test_its_words_are_in_the_client_s_language(client: httpx.AsyncClient) -> None:
    polish = {"Accept-Language": "pl"}
    started = await client.post("/api/v1/runtime/played/start", headers=polish)
    assert started.json()["message"] == "Uruchomiono played: played://org/m."
    told = (await client.get("/api/v1/runtime/history", headers=polish)).json()
    assert told["history"][0]["message"] == "Uruchomiono played: played://org/m."
    refused = await client.post("/api/v1/runtime/backend/stop", headers=polish)
    assert refused.json()["detail"].startswith("Usługa backend to sam Venom")


async def test_the_figures_of_the_last_minutes(client: httpx.AsyncClient) -> None:
    asked = {"model": "scripted://city", "messages": [{"role": "user", "content": "x"}]}
    assert (await client.post("/v1/chat/completions", json=asked)).status_code == 200
    assert (await client.post("/v1/chat/completions", json=asked | {"model": "none"})).is_error
    await asyncio.sleep(0)
    told = (await client.get("/api/v1/system/figures?seconds=60")).json()
    assert told["count"] == len(told["points"]) == 60 / told["interval_seconds"]
    points = told["points"]
    assert sum(one["requests"] for one in points) == 1
    assert sum(one["refused"] for one in points) == 1
    assert any(one["tokens_per_second"] > 0 for one in points)
    assert [one["at"] for one in points] == sorted(one["at"] for one in points)
    seen = [one for one in points if one["cpu_percent"] is not None]
    assert seen and all(0 < one["memory_used_mb"] <= told["memory_total_mb"] for one in seen)
    for seconds in ("1", "601", "x", "nan"):
        refused = await client.get(f"/api/v1/system/figures?seconds={seconds}")
        assert refused.status_code == 422, seconds


async def test_the_figures_since_a_point_are_that_one_and_those_after_it(
    client: httpx.AsyncClient,
) -> None:
    async def asked(since: str) -> httpx.Response:
        return await client.get("/api/v1/system/figures", params={"seconds": 60, "since": since})

    whole = (await client.get("/api/v1/system/figures?seconds=60")).json()
    told = (await asked(whole["points"][-3]["at"])).json()
    assert told["count"] in (3, 4)
    assert told["memory_total_mb"] == whole["memory_total_mb"]
    for since, count in (("0001-01-01T00:00:00Z", whole["count"]), ("9999-12-31T23:59:59Z", 1)):
        assert (await asked(since)).json()["count"] == count
    for since in ("x", "2026-11-28T10:00:00"):
        assert (await asked(since)).status_code == 422, since


async def test_the_system_is_well_where_the_profile_can_be_served(
    client: httpx.AsyncClient,
) -> None:
    told = (await client.get("/api/v1/system/status")).json()
    again = (await client.get("/api/v1/system/status")).json()
    ready = (await client.get("/readyz")).status_code == 200
    assert told["status"] == "success" and told["system_healthy"] is ready
    assert told["boot_id"] == again["boot_id"]
    assert 0 < told["memory_usage_mb"] <= told["memory_total_mb"]


async def test_a_provider_that_ends_by_itself_is_in_the_history_and_on_the_feed(
    client: httpx.AsyncClient, venom: Venom, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(self: ScriptedProvider) -> Health:
        why = Reason("server_down", "Its server is down.", "Start it.")
        return Health(ProviderStatus.UNAVAILABLE, why)

    services = "/api/v1/system/services"
    with venom.feed.watch({"services"}) as events:
        assert (await client.get(services)).status_code == 200
        with monkeypatch.context() as patched:
            patched.setattr(ScriptedProvider, "health", down)
            await client.get(services)
            await client.get(services)
        await client.get(services)
        told = [(await within(anext(events))).data for _ in range(2)]
    assert [(one["event"], one["service"]) for one in told] == [
        ("service.failed", "scripted"), ("service.recovered", "scripted"),
    ]  # fmt: skip
    found = (await client.get("/api/v1/runtime/history")).json()["history"]
    assert [(one["action"], one["success"], one["message"]) for one in found] == [
        ("run", True, "scripted answers again."), ("run", False, "Its server is down."),
    ]  # fmt: skip


async def test_the_logs_of_a_service_are_told_bounded_and_masked(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    secret = f"venom-0a1b2c3d-{'x' * 43}"
    folder = tmp_path / "providers" / "played" / "engines"
    folder.mkdir(parents=True)
    (folder / "org-m.log").write_text(
        "line\n" * 50 + f"Authorization: Bearer {secret}\n\x1b[1mend\n"
    )
    (tmp_path / "providers" / "played2" / "engines").mkdir(parents=True)
    (tmp_path / "providers" / "played2" / "engines" / "other.log").write_text("another's\n")
    told = (await client.get("/api/v1/runtime/played/log", params={"lines": 3})).json()
    (log,) = told["logs"]
    assert (told["service"], log["name"], len(log["lines"])) == ("played", "org-m", 3)
    assert secret not in str(log) and "\x1b" not in log["lines"][-1]
    assert log["changed_at"].endswith("Z")
    (tmp_path / "logs").mkdir(exist_ok=True)
    (tmp_path / "logs" / "venom.log").write_text("started\n")
    (server,) = (await client.get("/api/v1/runtime/backend/log")).json()["logs"]
    assert (server["name"], server["lines"][-1]) == ("server", "started")
    assert (await client.get("/api/v1/runtime/scripted/log")).json()["logs"] == []


@pytest.mark.parametrize("name", ["nope", "..%2F..", "played%2Forg-m", "%2Fetc"])
async def test_no_path_of_a_request_is_read(client: httpx.AsyncClient, name: str) -> None:
    refused = await client.get(f"/api/v1/runtime/{name}/log")
    assert refused.status_code == 404, refused.text
