"""A plugin that does what it must not, met through the API: the right status, and a server that
goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest

from venom_core.plugins.guarded import SECONDS
from venom_core.sdk.errors import RateLimited, StorageError, UpstreamTimeout, VenomError
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import Script, ScriptedProvider, answer

FAULTS: dict[str, BaseException] = {
    "ValueError": ValueError("secret"),
    "SystemExit": SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "CancelledError": asyncio.CancelledError(),
    "GeneratorExit": GeneratorExit(),
    "RecursionError": RecursionError(),
}
CHAT = {"model": "scripted://m", "messages": [{"role": "user", "content": "x"}]}


@pytest.fixture(autouse=True)
def _model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("hello"))


def breaks(monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException | object) -> None:
    async def call(*_arguments: Any) -> Any:
        if isinstance(error, BaseException):
            raise error
        return error

    monkeypatch.setattr(ScriptedProvider, method, call)


async def lives(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    answered = await client.post("/v1/chat/completions", json=CHAT)
    assert answered.status_code == 200, answered.text
    assert (await client.get("/healthz")).status_code == 200


ROUTES: dict[str, tuple[str, Callable[[httpx.AsyncClient], Any]]] = {
    "describe": ("describe", lambda c: c.get("/api/v1/models/m/details")),
    "fit": ("describe", lambda c: c.get("/api/v1/models/m/fit")),
    "plan_pull": (
        "plan_pull",
        lambda c: c.post("/api/v1/models/install", json={"name": "scripted://new"}),
    ),
    "remove": ("remove", lambda c: c.delete("/api/v1/models/m")),
    "unload": ("unload", lambda c: c.post("/api/v1/models/m/unload")),
    "embed": ("embed", lambda c: c.post("/v1/embeddings", json={"model": "m", "input": "x"})),
    "models": ("models", lambda c: c.post("/v1/chat/completions", json=CHAT)),
}


@pytest.mark.parametrize("fault", [*FAULTS, "garbage"])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_fault_is_the_upstreams(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, route: str, fault: str
) -> None:
    method, send = ROUTES[route]
    if fault == "garbage" and method in ("remove", "unload"):
        return  # nobody looks at what they return
    breaks(monkeypatch, method, FAULTS.get(fault, 42))
    async with asyncio.timeout(patience(10)):
        response = await send(client)
    assert (response.status_code, "upstream_error" in response.text) == (502, True), response.text
    assert "secret" not in response.text
    await lives(client, monkeypatch)


@pytest.mark.parametrize("method", ["describe", "plan_pull", "remove", "unload", "models"])
async def test_one_that_hangs_is_a_timeout(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async def hang(*_arguments: Any) -> None:
        await asyncio.sleep(1e6)

    monkeypatch.setitem(SECONDS, method, 0.1)
    monkeypatch.setattr(ScriptedProvider, method, hang)
    async with asyncio.timeout(patience(10)):
        response = await ROUTES[method][1](client)
    assert (response.status_code, "upstream_timeout" in response.text) == (504, True)
    await lives(client, monkeypatch)


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_in_memory_is_told_without_the_one_that_fails(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    breaks(monkeypatch, "ps", FAULTS[fault])
    response = await client.get("/api/v1/models/loaded")
    assert (response.status_code, response.json()["models"]) == (200, [])
    await lives(client, monkeypatch)


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_that_fails_when_asked_for_its_health_does_not_become_active(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    breaks(monkeypatch, "health", FAULTS[fault])
    response = await client.post("/api/v1/models/switch", json={"name": "m"})
    assert (response.status_code, response.json()["code"]) == (503, "health_failed")
    await lives(client, monkeypatch)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_pull_that_breaks_ends_its_operation(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    async def pull(_self: Any, ref: str) -> AsyncGenerator[Any, None]:
        raise FAULTS[fault]
        yield

    monkeypatch.setattr(ScriptedProvider, "pull", pull)
    begun = await client.post("/api/v1/models/install", json={"name": "scripted://new"})
    path = f"/api/v1/models/operations/{begun.json()['operation_id']}"
    async with asyncio.timeout(patience(10)):
        while (operation := (await client.get(path)).json()["operation"])["status"] != "failed":  # noqa: ASYNC110 -- polling
            await asyncio.sleep(0.01)
    assert (operation["code"], operation["error_status"]) == ("upstream_error", 502)
    await lives(client, monkeypatch)


@pytest.mark.parametrize(
    "error",
    [
        UpstreamTimeout("It is late.", fix="Wait."),
        RateLimited("Slowly.", retry_after=7, fix="Wait."),
        StorageError("The disk is full.", code="disk_full"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/models/m/unload"])
async def test_what_a_listing_refused_with_is_the_answer_to_the_next_request(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, error: VenomError, path: str
) -> None:
    breaks(monkeypatch, "models", error)
    for _ in range(2):
        name = "scripted:%2F%2Fm"
        response = await client.post(
            path.replace("/m/", f"/{name}/"), json=CHAT if "chat" in path else None
        )
        body = response.json()
        told = body.get("error", body)
        assert (response.status_code, told["code"], told.get("fix")) == (
            error.status, error.code, error.fix,
        )  # fmt: skip
        wait = None if error.retry_after is None else str(error.retry_after)
        assert response.headers.get("retry-after") == wait
