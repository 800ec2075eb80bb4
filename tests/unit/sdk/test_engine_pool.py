"""Engines in memory: who stays, who makes room, what a crash leaves. The engine is a script."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk import engine_pool as pool_module
from venom_core.sdk import machine
from venom_core.sdk.engine import EngineAddress, EngineCommand
from venom_core.sdk.engine_pool import OVERHEAD_BYTES, EnginePool
from venom_core.sdk.errors import QueueFull
from venom_core.testing.deadlines import patience, until

ENGINE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["VENOM_ENGINE_PORT"])), Handler).serve_forever()
"""
Lease = Callable[..., AbstractAsyncContextManager[EngineAddress]]


class Bench:
    """A pool over scripted engines; ``free`` is the memory that the machine claims to have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.free = 10**12
        self.released: list[str] = []
        self.pools: list[EnginePool] = []

    def pool(self, max_loaded: int = 2, keep_alive: float = -1) -> EnginePool:
        async def released(url: str) -> None:
            self.released.append(url)

        self.pools.append(EnginePool(max_loaded, keep_alive, released, lambda: self.free))
        return self.pools[-1]

    def lease(self, pool: EnginePool, ref: str, need: int = 0, purpose: str = "") -> Any:
        command = EngineCommand(
            name=ref,
            args=("-c", ENGINE),
            model=ref,
            log_file=self.folder / f"{ref}{purpose}.log",
            pid_file=self.folder / f"{ref}{purpose}.pid",
            stop_timeout=1.0,
        )
        return pool.lease(ref, lambda: command, 64 if purpose else 128, need, purpose)

    async def use(self, pool: EnginePool, ref: str, need: int = 0, purpose: str = "") -> str:
        async with self.lease(pool, ref, need, purpose) as address:
            return str(address.base_url)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    for pool in bench.pools:
        await pool.close()


def refs(pool: EnginePool) -> set[str]:
    return {ref for ref in ("a", "b", "c") if pool.is_loaded(ref)}


async def test_same_model_keeps_its_engine(bench: Bench) -> None:
    pool = bench.pool()
    assert await bench.use(pool, "a") == await bench.use(pool, "a")
    (loaded,) = await pool.loaded()
    assert (loaded.ref, loaded.context_length, loaded.expires_at) == ("a", 128, None)
    assert loaded.size_bytes is not None and loaded.size_bytes > 1_000_000


async def test_longest_unused_idle_model_makes_room(bench: Bench) -> None:
    pool = bench.pool(max_loaded=2)
    first = await bench.use(pool, "a")
    await bench.use(pool, "b")
    await bench.use(pool, "a")
    await bench.use(pool, "c")
    assert refs(pool) == {"a", "c"}
    assert await bench.use(pool, "a") == first
    assert len(bench.released) == 1


async def test_busy_model_is_not_unloaded_and_the_next_waits(bench: Bench) -> None:
    pool = bench.pool(max_loaded=1)
    async with bench.lease(pool, "a") as address:
        waiting = asyncio.create_task(bench.use(pool, "b"))
        await asyncio.sleep(0.3)
        assert not waiting.done() and refs(pool) == {"a"}
        assert await bench.use(pool, "a") == address.base_url, "a running engine never waits"
    await waiting
    assert refs(pool) == {"b"}


async def test_the_engines_of_one_model_are_one_model(bench: Bench) -> None:
    pool = bench.pool(max_loaded=2)
    assert await bench.use(pool, "a") != await bench.use(pool, "a", purpose="embeddings")
    await bench.use(pool, "b")
    assert refs(pool) == {"a", "b"}, "two models fit, however many engines they have"
    assert pool.is_loaded("a", "embeddings") and not pool.is_loaded("b", "embeddings")
    one, other = await pool.loaded()
    assert (one.ref, one.context_length, other.ref) == ("a", 128, "b")
    sizes = [status.memory_bytes or 0 for status in await pool.statuses() if status.model == "a"]
    assert len(sizes) == 2 and one.size_bytes == pytest.approx(sum(sizes), rel=0.2)
    await pool.unload("a")
    assert refs(pool) == {"b"} and len(await pool.statuses()) == 1
    assert len(bench.released) == 2


async def test_a_model_with_one_busy_engine_of_two_makes_no_room(bench: Bench) -> None:
    pool = bench.pool(max_loaded=2)
    await bench.use(pool, "a")
    await bench.use(pool, "b")
    async with bench.lease(pool, "a", purpose="embeddings"):
        await bench.use(pool, "c")
        assert refs(pool) == {"a", "c"}
        assert pool.is_loaded("a", "")
    await bench.use(pool, "c")
    await bench.use(pool, "b")
    assert refs(pool) == {"b", "c"}
    assert [status.model for status in await pool.statuses()] == ["c", "b"]


async def test_waiting_for_room_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "ROOM_TIMEOUT", 0.2)
    pool = bench.pool(max_loaded=1)
    async with bench.lease(pool, "a"):
        with pytest.raises(QueueFull) as caught:
            await bench.use(pool, "b")
    assert caught.value.retry_after


async def test_memory_makes_room_before_the_count_does(bench: Bench) -> None:
    pool = bench.pool(max_loaded=9)
    await bench.use(pool, "a")
    bench.free = OVERHEAD_BYTES + 999
    await bench.use(pool, "b", need=999)
    assert refs(pool) == {"a", "b"}
    await bench.use(pool, "c", need=1000)
    assert refs(pool) == {"c"}


async def test_memory_is_what_the_container_has_left(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    (tmp_path / "memory.max").write_text("2000000000")
    (tmp_path / "memory.current").write_text("0")

    async def released(_: str) -> None:
        return

    bench.pools.append(pool := EnginePool(9, -1, released, overhead=1_500_000_000))
    await bench.use(pool, "a")
    await bench.use(pool, "b", need=400_000_000)
    assert refs(pool) == {"a", "b"}
    await bench.use(pool, "c", need=600_000_000)
    assert refs(pool) == {"c"}


async def test_idle_model_leaves_after_keep_alive(bench: Bench) -> None:
    pool = bench.pool(keep_alive=patience(0.5))
    await bench.use(pool, "a")
    async with bench.lease(pool, "a"):
        await asyncio.sleep(patience(0.8))
        assert refs(pool) == {"a"}, "in use is not idle"
    (loaded,) = await pool.loaded()
    assert loaded.expires_at is not None
    await until(lambda: not refs(pool))
    await until(lambda: len(bench.released) == 1)


async def test_new_use_puts_the_end_off(bench: Bench) -> None:
    pool = bench.pool(keep_alive=patience(0.6))
    await bench.use(pool, "a")
    for _ in range(4):
        await asyncio.sleep(patience(0.2))
        await bench.use(pool, "a")
    assert refs(pool) == {"a"}


async def test_crashed_engine_is_started_again_by_the_next_use(bench: Bench) -> None:
    pool = bench.pool()
    first = await bench.use(pool, "a")
    (status,) = await pool.statuses()
    assert status.pid is not None
    os.kill(status.pid, 9)
    await until(lambda: not refs(pool))
    assert await bench.use(pool, "a") != first
    (status,) = await pool.statuses()
    assert (status.restarts, bench.released) == (1, [first])


async def test_unload_ends_the_process_and_is_safe_to_repeat(bench: Bench) -> None:
    pool = bench.pool()
    await bench.use(pool, "a")
    (status,) = await pool.statuses()
    await pool.unload("a")
    await pool.unload("a")
    assert await pool.statuses() == []
    with pytest.raises(ProcessLookupError):
        os.kill(status.pid or 0, 0)
