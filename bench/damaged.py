"""Damaged streams through ``venom serve``: does each end by the contract, and is memory flat?

An engine of our own breaks 10,000 streams off at a random byte and sends 10,000 with one to five
bytes wrong, both from a seed. Each body that a client gets is read strictly: every event one line
of JSON, one lawful end, ``[DONE]`` last. What memory grows by is taken after the first tenth.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.processes import Server
from bench.report import Figure, Goal, Report
from bench.subjects import venom
from venom_core.testing.damage import broken_off, flipped
from venom_core.testing.engine import Reply, ScriptedEngine, scripted_engine
from venom_core.testing.wire_law import lawful

KINDS: dict[str, Callable[[random.Random], Reply]] = {
    "broken off at a random byte": broken_off,
    "one to five bytes wrong": flipped,
}
#: Engines, each with one stream at a time.
WORKERS = 8


def run(*, quick: bool = False) -> Report:
    report = Report("damaged", rounds=1)
    asyncio.run(_run(report, 500 if quick else 10_000))
    return report


async def _run(report: Report, count: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        engines = [await stack.enter_async_context(scripted_engine()) for _ in range(WORKERS)]
        for number, engine in enumerate(engines):
            engine.models = [f"m{number}"]
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="venom-bench-")))
        urls = ",".join(engine.url for engine in engines)
        serving = venom(home, env={"VENOM_REMOTE__URLS": urls})
        server = await asyncio.to_thread(serving.__enter__)
        try:
            for kind, damage in KINDS.items():
                await _streams(report, kind, damage, server, engines, count)
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)


async def _streams(
    report: Report,
    kind: str,
    damage: Callable[[random.Random], Reply],
    server: Server,
    engines: list[ScriptedEngine],
    count: int,
) -> None:
    ends: Counter[str] = Counter()
    left = iter(range(count))
    warm: list[float] = []

    async def work(engine: ScriptedEngine) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            for number in left:
                engine.reply = damage(random.Random(f"{kind} {number}"))
                ends[await _end(client, engine.models[0])] += 1
                if number == count // 10:
                    warm.append(server.memory_mb())

    await asyncio.gather(*map(work, engines))
    broken = sum(times for end, times in ends.items() if end.startswith("UNLAWFUL"))
    growth = server.memory_mb() - warm[0]
    report.figures += [
        Figure(f"{kind}: unlawful of {count:,}", "streams", [broken], goals=(Goal("value", 0),)),
        Figure(f"{kind}: growth of memory", "MB", [growth], goals=(Goal("value", 5.0),)),
    ]
    report.extra[kind] = {"streams": count, "ends": dict(ends.most_common())}


async def _end(client: httpx.AsyncClient, model: str) -> str:
    """Return how one stream ended."""
    body = {"model": f"remote://{model}", "messages": [{"role": "user", "content": "hi"}]}
    response = await client.post("/v1/chat/completions", json={**body, "stream": True}, timeout=30)
    if response.status_code != 200:
        return f"{response.status_code} {response.json()['error']['code']}"
    try:
        said = lawful(response.content)
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        return f"UNLAWFUL {error}"[:200]
    return "whole" if said.error is None else f"event {said.error['code']}"
