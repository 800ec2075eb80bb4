"""The use of models and machine: every key, at once, whatever became of the providers."""

from __future__ import annotations

import asyncio
import stat
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.runtime.figures import FigureReader, Gpu, summed
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.graphics import Card
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience, until
from venom_core.testing.scripted import Script, ScriptedProvider
from venom_core.testing.staging import client_of

USAGE = "/api/v1/models/usage"
KEYS = {
    "disk_usage_gb", "disk_limit_gb", "disk_usage_percent", "disk_system_total_gb",
    "disk_system_used_gb", "disk_system_usage_percent", "disk_system_mount", "cpu_usage_percent",
    "memory_total_gb", "memory_used_gb", "memory_usage_percent", "models_count",
    "gpu_usage_percent", "vram_usage_mb", "vram_total_mb", "vram_usage_percent",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("venom_core.sdk.graphics.GPU_PROGRAM", "no-such-program")
    monkeypatch.setattr("venom_core.sdk.graphics.amd_cards", lambda: ())


async def test_every_key_always(make_venom: MakeVenom) -> None:
    big = Model("big", "folder", size_bytes=30_000_000_000)
    scripted.SCRIPTS["big"] = Script([], big)
    async with client_of(make_venom(VENOM_DISK_LIMIT_GB="60")) as client:
        first = (await client.get(USAGE)).json()["usage"]
        assert set(first) == KEYS
        await client.get("/api/v1/models")
        usage = (await client.get(USAGE)).json()["usage"]
    assert set(usage) == KEYS
    assert (usage["disk_usage_gb"], usage["disk_limit_gb"]) == (30.0, 60.0)
    assert (usage["disk_usage_percent"], usage["models_count"]) == (50.0, 1)
    assert (usage["vram_usage_mb"], usage["vram_total_mb"]) == (0, 0)
    assert (usage["gpu_usage_percent"], usage["vram_usage_percent"]) == (None, None)
    assert usage["memory_total_gb"] > usage["memory_used_gb"] > 0
    assert usage["disk_system_mount"].startswith(Path("/").anchor)


@pytest.mark.parametrize("way", ["refuses", "hangs"])
async def test_dead_providers_cost_nothing(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    async def dead(self: ScriptedProvider) -> Sequence[Model]:
        if way == "hangs":
            await asyncio.sleep(1e6)
        raise Unavailable("It is down.")

    monkeypatch.setattr(ScriptedProvider, "models", dead)
    await client.get(USAGE)  # imports
    async with asyncio.timeout(patience(10)):
        for _ in range(5):
            assert set((await client.get(USAGE)).json()["usage"]) == KEYS
    assert "models" not in scripted.SEEN.calls


async def test_what_was_not_heard_is_asked_behind_the_answer(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script([])

    async def count() -> int | None:
        return (await client.get(USAGE)).json()["usage"]["models_count"]  # type: ignore[no-any-return]

    found = await count()
    assert found is None
    async with asyncio.timeout(patience(10)):
        while found is None:
            await asyncio.sleep(0.02)
            found = await count()
    assert found == 1


def test_sums_over_cards() -> None:
    assert summed([]) == Gpu()
    assert summed([Card(12, 1, 8), Card(80, 2, 8)]) == Gpu(80, 3, 16)
    assert summed([Card(None, 5, None), Card(3, 1, 8)]) == Gpu(3, 6, None)


async def test_a_cards_program_that_hangs_is_ended_and_said_to_be_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "slow-smi"
    program.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("venom_core.sdk.graphics.GPU_PROGRAM", str(program))
    monkeypatch.setattr("venom_core.runtime.figures.GPU_SECONDS", patience(0.5))
    reader = FigureReader(tmp_path / "not" / "there")
    assert await reader._read_gpu() == Gpu(None, None, None)
    assert reader._reading is not None, "the answer waits for no card"
    await until(lambda: reader._reading is None)
    await reader.close()


async def test_a_cards_figures_are_read_once_for_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, log = tmp_path / "smi", tmp_path / "log"
    program.write_text(f"#!/bin/sh\necho x >> {log}\necho '7, 1, 2'\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("venom_core.sdk.graphics.GPU_PROGRAM", str(program))
    monkeypatch.setattr("venom_core.runtime.figures.GPU_PATIENCE", 5)
    reader = FigureReader(tmp_path)
    read = [(await reader.read()).gpu for _ in range(5)]
    assert set(read) == {Gpu(7.0, 1024**2, 2 * 1024**2)}
    assert log.read_text().count("x") == 1
    await reader.close()


async def test_who_reads_together_is_told_the_same_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on the page: the processor's line fell to 0 with many readers, as each thread's first
    look is told as 0, and a look right after another knows of no time that passed."""
    asked: set[int] = set()

    def cpu_percent(interval: float | None = None) -> float:
        thread = threading.get_ident()
        told = 50.0 if interval or thread in asked else 0.0
        asked.add(thread)
        return told

    monkeypatch.setattr("psutil.cpu_percent", cpu_percent)
    monkeypatch.setattr("venom_core.runtime.figures.SHORTEST_SPAN", 1e-9)
    reader = FigureReader(tmp_path)
    for _ in range(5):
        held = [asyncio.create_task(asyncio.to_thread(time.sleep, 0.01)) for _ in range(4)]
        told = await asyncio.gather(*(reader.read() for _ in range(8)))
        assert {one.cpu_percent for one in told} == {50.0}
        await asyncio.gather(*held)
    await reader.close()


async def test_a_look_right_after_another_is_told_what_that_one_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([50.0, 0.0])
    monkeypatch.setattr("psutil.cpu_percent", lambda interval=None: next(looks))
    monkeypatch.setattr("venom_core.runtime.figures.SHORTEST_SPAN", 3600.0)
    reader = FigureReader(tmp_path)
    assert [(await reader.read()).cpu_percent for _ in range(2)] == [50.0, 50.0]
    await reader.close()
