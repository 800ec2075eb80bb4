"""A hundred streams under way, and the profile switched under them: how many are dropped?

Each round opens them through a real server over an engine that sends at fixed times, switches to
``llm_off`` in their midst and back to ``light``, and reads every stream to its end. A request that
comes between the two switches has to be refused with ``llm_off``.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import httpx

from bench.report import Figure, Goal, Report
from bench.subjects import BODY, module, venom

STREAMS = 100
TOKENS = 100
NONE = (Goal("value", 0),)


def run(*, quick: bool = False) -> Report:
    rounds = 1 if quick else 10
    report = Report("profile_switch", rounds=rounds)
    with tempfile.TemporaryDirectory(prefix="venom-switch-") as folder:
        home = Path(folder)
        with module("upstream", home) as upstream, venom(home, upstream.port) as server:
            url = f"http://127.0.0.1:{server.port}"
            found = [asyncio.run(one_round(url)) for _ in range(rounds)]
    report.figures = [
        Figure("streams", "", [float(STREAMS)] * rounds),
        Figure("dropped", "", [one["dropped"] for one in found], goals=NONE),
        Figure("begun without models", "", [one["begun"] for one in found], goals=NONE),
        Figure("under way at the switch", "", [one["under_way"] for one in found]),
        Figure("time of a switch", "ms", [one["switch_ms"] for one in found]),
    ]
    report.extra = {"tokens": TOKENS}
    return report


async def one_round(url: str) -> dict[str, float]:
    """Open the streams, switch away and back while they go on, and count what came of them."""
    limits = httpx.Limits(max_connections=STREAMS + 10)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        begun = [asyncio.Event() for _ in range(STREAMS)]
        reading = [asyncio.create_task(_whole(client, event)) for event in begun]
        await asyncio.gather(*(event.wait() for event in begun))
        under_way = sum(not task.done() for task in reading)
        took = [await _switch(client, "llm_off")]
        refused = await client.post("/v1/chat/completions", json=BODY)
        code = refused.json().get("error", {}).get("code")
        took.append(await _switch(client, "light"))
        whole = await asyncio.gather(*reading)
    return {
        "dropped": float(STREAMS - sum(whole)),
        "begun": float((refused.status_code, code) != (503, "llm_off")),
        "under_way": float(under_way),
        "switch_ms": max(took) * 1000,
    }


async def _switch(client: httpx.AsyncClient, name: str) -> float:
    answer = await client.post(f"/api/v1/runtime/profile/{name}")
    answer.raise_for_status()
    return answer.elapsed.total_seconds()


async def _whole(client: httpx.AsyncClient, begun: asyncio.Event) -> bool:
    """Return whether a stream brought all its tokens, a finish and its end."""
    body = {**BODY, "stream": True, "max_tokens": TOKENS}
    tokens, finished, lines = 0, False, []
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                begun.set()
                if line.startswith("data: "):
                    lines.append(line[6:])
    except httpx.HTTPError:
        return False
    finally:
        begun.set()
    for text in lines[:-1]:
        event: dict[str, Any] = json.loads(text)
        for choice in event.get("choices", ()):
            tokens += choice["delta"].get("content") == " token"
            finished = finished or choice["finish_reason"] == "stop"
    return finished and tokens == TOKENS and lines[-1:] == ["[DONE]"]
