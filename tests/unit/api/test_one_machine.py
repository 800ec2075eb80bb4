"""One machine: whoever tells of memory and CPUs tells of what the container has."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools.environment import headline
from venom_core.cli.checks import check_machine
from venom_core.sdk import machine
from venom_core.sdk.architecture import Architecture, MemoryPlan
from venom_core.sdk.engine_pool import EnginePool
from venom_core.sdk.provider import Model
from venom_core.testing.scripted import SCRIPTS, Script, say

LIMIT, LEFT = 2_000_000_000, 1_000_000_000
Told = tuple[int | None, int | None, int | None]  # memory in all, memory free, CPUs


@pytest.fixture(autouse=True)
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container of 2 GB and one and a half CPUs on a machine with more."""
    folder = tmp_path / "cgroup"
    folder.mkdir()
    (folder / "memory.max").write_text(str(LIMIT))
    (folder / "memory.current").write_text(str(LIMIT - LEFT))
    (folder / "cpu.max").write_text("150000 100000")
    monkeypatch.setattr(machine, "CGROUPS", folder)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)


async def overview(client: httpx.AsyncClient) -> Told:
    told = (await client.get("/api/v1/overview")).json()["machine"]
    return told["memory_total_bytes"], told["memory_available_bytes"], told["cores"]


async def usage(client: httpx.AsyncClient) -> Told:
    told = (await client.get("/api/v1/models/usage")).json()["usage"]
    total, used = told["memory_total_gb"], told["memory_used_gb"]
    return round(total * 1e9), round((total - used) * 1e9), None


async def fit(client: httpx.AsyncClient) -> Told:
    numbers = Architecture("llama", layers=1, heads=1, kv_heads=(1,), key_length=1, value_length=1,
                           weights_bytes=1, context_length=8)  # fmt: skip
    known = Model("m", "gguf", architecture=numbers, memory_plan=MemoryPlan("an engine"))
    SCRIPTS["m"] = Script(say("x"), known)
    free = (await client.get("/api/v1/models/m/fit")).json()["free_bytes"]
    return None, free // 10_000 * 10_000, None  # with the thousand bytes that the script holds


async def doctor(_: httpx.AsyncClient) -> Told:
    message = check_machine().message
    found = re.search(r"(\d+) cores, (\d+) GB of (\d+) GB", message)
    assert found, message
    return int(found[3]) * 10**9, int(found[2]) * 10**9, int(found[1])


async def engine_pool(_: httpx.AsyncClient) -> Told:
    async def released(_: str) -> None:
        return

    return None, EnginePool(1, -1, released).free_memory(), None


async def make_run(_: httpx.AsyncClient) -> Told:
    text = headline()
    cores = re.search(r"(\d+) cores", text)
    assert "1 GB free" in text and cores
    return None, None, int(cores[1])


@pytest.mark.parametrize("reader", [overview, usage, fit, doctor, engine_pool, make_run])
async def test_every_reader_tells_the_same(
    client: httpx.AsyncClient, reader: Callable[[Any], Awaitable[Told]]
) -> None:
    for told, true in zip(await reader(client), (LIMIT, LEFT, 2), strict=True):
        assert told is None or told == true
