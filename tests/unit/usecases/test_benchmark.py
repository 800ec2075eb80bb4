"""Benchmarks through the API, over the scripted engine: measured, cancelled, kept, deleted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Usage
from venom_core.store.access import Store
from venom_core.store.benchmarks import Benchmark, BenchmarkRepository
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience, until
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import SCRIPTED, Stage, stage

START, LIST = "/api/v1/benchmark/start", "/api/v1/benchmark/list"


@pytest_asyncio.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Stage]:
    scripted.reset()
    scripted.SCRIPTS["one"] = Script(say("a", "b", "c", usage=Usage(5, 7)))
    scripted.SCRIPTS["two"] = Script(say("a", "b", "c", "d"))
    scripted.SCRIPTS["bad"] = Script([UpstreamError("It broke.", code="engine_failed")])
    scripted.SCRIPTS["endless"] = Script([Pause(forever=True)])
    async with stage(SCRIPTED, home=tmp_path / "home") as staged:
        yield staged
    scripted.reset()


async def begun(acme: Stage, *models: str, questions: int = 2) -> str:
    answer = await acme.client.post(
        START, json={"models": list(models), "num_questions": questions}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["benchmark_id"])


async def ended(acme: Stage, benchmark_id: str) -> dict[str, Any]:
    await acme.venom.benchmarks.wait(benchmark_id)
    answer = await acme.client.get(f"/api/v1/benchmark/{benchmark_id}/status")
    return dict(answer.json()["benchmark"])


async def test_models_are_measured_one_after_another_and_kept(acme: Stage) -> None:
    told: list[dict[str, Any]] = []
    with acme.venom.feed.watch({"benchmarks"}) as events:
        one = await begun(acme, "one", "scripted://two", "scripted://one")
        view = await ended(acme, one)
        while not told or told[-1]["status"] == "running":
            event = await anext(events)
            assert event is not None
            told.append({**event.data})
    assert (view["status"], view["progress"], view["current_model"]) == ("completed", 100, None)
    assert [row["model_name"] for row in view["results"]] == ["scripted://one", "scripted://two"]
    for row in view["results"]:
        assert (row["status"], row["questions_tested"], row["error"]) == ("completed", 2, None)
        assert row["time_to_first_token_ms"] >= 0
        assert row["load_ms"] >= 0
        assert row["tokens_per_second"] > 0
        assert row["total_duration_ms"] > 0
    # The first answer of each model counts for nothing.
    assert [row["completion_tokens"] for row in view["results"]] == [14, 8]
    asked = [request.model for request in scripted.SEEN.requests]
    assert asked == ["one"] * 3 + ["two"] * 3
    prompts = [request.body["messages"][0]["content"] for request in scripted.SEEN.requests[:3]]
    assert prompts[0] == prompts[1] != prompts[2]
    assert view["machine"]["cores"] > 0
    kept = (await acme.client.get(LIST)).json()
    assert kept["benchmarks"] == [view]
    assert Store(acme.venom.settings.paths.store_file).benchmarks().get(one) is not None


async def test_a_model_that_fails_keeps_no_other_from_being_measured(acme: Stage) -> None:
    view = await ended(acme, await begun(acme, "bad", "one"))
    bad, good = view["results"]
    assert (bad["status"], bad["error"]["code"]) == ("failed", "engine_failed")
    assert (good["status"], view["status"]) == ("completed", "completed")
    alone = await ended(acme, await begun(acme, "bad"))
    assert alone["status"] == "failed"


async def test_one_is_under_way_at_a_time_and_can_be_cancelled(acme: Stage) -> None:
    running = await begun(acme, "endless", "one")
    second = await acme.client.post(START, json={"models": ["one"]})
    assert (second.status_code, second.json()["code"]) == (409, "benchmark_running")
    early = await acme.client.delete(f"/api/v1/benchmark/{running}")
    assert (early.status_code, early.json()["code"]) == (409, "benchmark_running")
    view = (await acme.client.post(f"/api/v1/benchmark/{running}/cancel")).json()["benchmark"]
    assert view["status"] == "cancelled"
    assert [row["status"] for row in view["results"]] == ["cancelled", "cancelled"]
    assert scripted.SEEN.closed == 1
    again = await acme.client.post(f"/api/v1/benchmark/{running}/cancel")
    assert again.json()["benchmark"] == view
    assert (await ended(acme, await begun(acme, "one")))["status"] == "completed"


async def test_a_second_cancel_waits_for_the_first(
    acme: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[str] = []
    benchmarks, room = acme.venom.benchmarks, threading.Event()
    keep = BenchmarkRepository.add

    def slowly(self: BenchmarkRepository, benchmark: Benchmark) -> None:
        room.wait(patience(10))
        keep(self, benchmark)

    monkeypatch.setattr(BenchmarkRepository, "add", slowly)
    monkeypatch.setattr(benchmarks, "_publish", lambda view: published.append(view["status"]))
    ends: list[object] = []
    end = benchmarks._end

    async def counted(run: Any) -> None:
        ends.append(run)
        await end(run)

    monkeypatch.setattr(benchmarks, "_end", counted)
    running = await begun(acme, "endless")
    path = f"/api/v1/benchmark/{running}/cancel"
    first = asyncio.create_task(acme.client.post(path))

    view = await benchmarks.get(running)
    await until(lambda: view["status"] == "cancelled")
    second = asyncio.create_task(acme.client.post(path))
    await until(lambda: len(ends) == 2)
    room.set()
    both = await asyncio.gather(first, second)
    assert [one.json()["benchmark"]["status"] for one in both] == ["cancelled", "cancelled"]
    assert published[-1] == "cancelled"
    kept = (await acme.client.get(LIST)).json()["benchmarks"]
    assert [one["benchmark_id"] for one in kept] == [running]


async def test_one_that_is_deleted_is_gone(acme: Stage) -> None:
    one = await begun(acme, "one")
    await ended(acme, one)
    assert (await acme.client.delete(f"/api/v1/benchmark/{one}")).json()["success"]
    assert (await acme.client.get(LIST)).json()["benchmarks"] == []
    for answer in (
        await acme.client.delete(f"/api/v1/benchmark/{one}"),
        await acme.client.get(f"/api/v1/benchmark/{one}/status"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "benchmark_not_found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"models": ["nowhere"]}, 404),
        ({"models": []}, 422),
        ({"models": ["one"], "num_questions": 7}, 422),
        ({"models": ["one"] * 9}, 422),
    ],
)
async def test_what_cannot_be_measured_is_refused_before_it_begins(
    acme: Stage, body: dict[str, Any], status: int
) -> None:
    assert (await acme.client.post(START, json=body)).status_code == status
    listed = (await acme.client.get(LIST)).json()
    assert (listed["benchmarks"], listed["count"]) == ([], 0)


async def test_a_model_that_takes_too_long_is_told(
    acme: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_core.usecases.benchmark.asking.MODEL_SECONDS", 0.05)
    view = await ended(acme, await begun(acme, "endless"))
    assert view["results"][0]["error"]["code"] == "benchmark_timeout"


async def test_closing_keeps_what_was_measured(tmp_path: Path) -> None:
    scripted.reset()
    scripted.SCRIPTS["endless"] = Script([Pause(forever=True)])
    async with stage(SCRIPTED, home=tmp_path / "home") as acme:
        await begun(acme, "endless")
        file = acme.venom.settings.paths.store_file
    (kept,) = Store(file).benchmarks().list(5)
    assert kept.status == "cancelled"
    scripted.reset()
