"""Engines over the API: which run, how far those are that start, and what they tell Prometheus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests import engines_plugin
from tests.engines_plugin import PLAYED
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.provider import EngineMetrics, EngineStatus
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.staging import SCRIPTED, client_of, entry, venom_over

CHAT = {"model": "played://org/m", "messages": [{"role": "user", "content": "x"}]}
STARTING = EngineStatus(
    "acme (org/m)", "starting", "org/m", pid=7, port=8123, memory_bytes=5, restarts=1,
    started_at="2026-11-22T10:00:00+00:00", log_tail=("/a/path",), progress="warming up",
)  # fmt: skip


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    engines_plugin.reset()
    settings = Settings.load(Paths.at(tmp_path), {"VENOM_ANSWER_TIMEOUT": "1"})
    async with client_of(venom_over(settings, [SCRIPTED, engines_plugin.ENTRY])) as client:
        yield client
    engines_plugin.reset()


async def test_no_engine_runs(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/engines")).json() == {
        "success": True, "count": 0, "engines": [], "providers": ["played"], "servers": [],
    }  # fmt: skip


async def test_an_engine_that_starts_says_how_far_it_is(client: httpx.AsyncClient) -> None:
    PLAYED.engines = [STARTING]
    told = (await client.get("/api/v1/engines")).json()
    assert told["engines"] == [
        {
            "name": "acme (org/m)", "provider": "played", "model": "org/m",
            "reference": "played://org/m", "state": "starting", "progress": "warming up",
            "pid": 7, "port": 8123, "memory_bytes": 5, "ready_seconds": None, "restarts": 1,
            "started_at": "2026-11-22T10:00:00+00:00",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("engines", "status", "code", "words"),
    [
        ([STARTING], 503, "model_loading", "Played is still loading org/m (warming up)."),
        ([EngineStatus("a", "starting", "org/m")], 503, "model_loading", "still loading org/m."),
        ([EngineStatus("a", "starting", "org/n")], 504, "upstream_timeout", "sent nothing"),
        ([EngineStatus("a", "running", "org/m", 1)], 504, "upstream_timeout", "sent nothing"),
        ([], 504, "upstream_timeout", "sent nothing"),
    ],
    ids=["told", "untold", "another model", "runs", "none"],
)
async def test_a_request_that_waited_for_a_start_is_told_so(
    client: httpx.AsyncClient,
    engines: list[EngineStatus],
    status: int,
    code: str,
    words: str,
) -> None:
    PLAYED.engines = engines
    refused = await client.post("/v1/chat/completions", json=CHAT)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (status, code)
    assert words in error["message"]
    assert ("retry-after" in refused.headers) is (code == "model_loading")


async def test_how_far_it_is_is_said_in_polish_where_that_is_asked_for(
    client: httpx.AsyncClient,
) -> None:
    PLAYED.engines = [replace(STARTING, progress="Try again.")]  # words that have a Polish
    polish = {"Accept-Language": "pl"}
    told = await client.get("/api/v1/engines", headers=polish)
    refused = await client.post("/v1/chat/completions", json=CHAT, headers=polish)
    assert told.json()["engines"][0]["progress"] == "Spróbuj ponownie."
    message = "Played jeszcze wczytuje org/m (Spróbuj ponownie.)."
    assert refused.json()["error"]["message"].startswith(message)


async def test_metrics_of_engines_are_among_ours(client: httpx.AsyncClient) -> None:
    text = b'# HELP acme:busy Requests.\n# TYPE acme:busy gauge\nacme:busy{model="x"} 3\n'
    PLAYED.metrics = [EngineMetrics("org/m", text)]
    assert "acme:" not in (await client.get("/metrics")).text
    assert PLAYED.opened == 0, "a scrape opens no provider"
    await client.get("/api/v1/engines")
    scraped = await client.get("/metrics")
    assert scraped.headers["content-type"].startswith("text/plain")
    line = 'acme:busy{exported_model="x",model="org/m",provider="played"} 3.0'
    assert line in scraped.text.splitlines()
    assert "# TYPE acme:busy gauge" in scraped.text
    assert "# TYPE venom_requests_total counter" in scraped.text


@pytest.mark.parametrize(
    "metrics",
    [None, ValueError("x"), Unavailable("x"), SystemExit(), (EngineMetrics("m", b"{{{ 1\n"),)],
    ids=["hangs", "raises", "refuses", "exits", "babbles"],
)
async def test_no_engine_keeps_ours_from_being_scraped(
    client: httpx.AsyncClient, metrics: object
) -> None:
    await client.get("/api/v1/engines")
    PLAYED.metrics = metrics  # type: ignore[assignment]
    scraped = await client.get("/metrics")
    assert scraped.status_code == 200
    assert "# TYPE venom_requests_total counter" in scraped.text


# The one engine of a provider


async def test_llm_off_starts_none(tmp_path: Path) -> None:
    settings = Settings.load(Paths.at(tmp_path), {"VENOM_RUNTIME_PROFILE": "llm_off"})
    async with client_of(venom_over(settings, [entry("venom_ollama.plugin", "ollama")])) as client:
        told = (await client.get("/api/v1/engines")).json()
        assert (told["providers"], told["servers"]) == ([], ["ollama"])
        for verb in ("start", "restart"):
            refused = await client.post(f"/api/v1/runtime/ollama/{verb}")
            assert (refused.status_code, refused.json()["code"]) == (503, "llm_off")
