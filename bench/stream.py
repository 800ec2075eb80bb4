"""Streaming: CPU for each 1,000 relayed tokens, added time to first token, throughput.

An upstream of our own sends 200 tokens at 20 ms each; beside Venom stand a bare aiohttp relay, a
bare Starlette relay and the upstream itself. All streams of a load begin at the same moment on open
connections, so the time to the first byte at 64 holds the whole queue of 64 beginnings.
"""

from __future__ import annotations

import statistics
from typing import Any

from bench.processes import Client, Server
from bench.report import Figure, Goal, Report
from bench.subjects import BODY, gateway_and_baselines

LEVELS = (1, 16, 64)
ADDED_MS = {1: 2.0, 16: 10.0, 64: 40.0}
SUBJECTS = ("direct", "aiohttp", "starlette", "venom")


def run(*, quick: bool = False) -> Report:
    rounds, tokens = (2, 50) if quick else (5, 200)
    report = Report("stream", rounds=rounds)
    samples: dict[tuple[str, int], list[dict[str, float]]] = {}
    with gateway_and_baselines(("aiohttp", "starlette")) as servers, Client() as client:
        for server in servers.values():
            _measure(client, server, 8, 20)
        for number in range(rounds):
            order = SUBJECTS if number % 2 == 0 else tuple(reversed(SUBJECTS))
            for level in LEVELS:
                for name in order:
                    # A first, short burst opens connections and fills caches on both sides.
                    _measure(client, servers[name], level, 2)
                    sample = _measure(client, servers[name], level, tokens)
                    samples.setdefault((name, level), []).append(sample)
    report.figures = _figures(samples)
    report.extra = {"tokens_per_stream": tokens, "interval_ms": 20, "details": _details(samples)}
    return report


def _measure(client: Client, server: Server, level: int, tokens: int) -> dict[str, float]:
    body = {**BODY, "max_tokens": tokens, "seed": 20_000}
    before = server.cpu()
    answer = client.do("streams", port=server.port, count=level, body=body)
    return _sample(answer, server.cpu() - before, level * tokens)


def _sample(answer: dict[str, Any], cpu: float, tokens: int) -> dict[str, float]:
    ttft = sorted(answer["ttft_ms"])
    return {
        "cpu_ms_per_1000": 1000 * cpu / tokens * 1000,
        "tokens_per_second": tokens / answer["seconds"],
        "ttft_median_ms": statistics.median(ttft),
        "ttft_last_ms": ttft[-1],
    }


def _figures(samples: dict[tuple[str, int], list[dict[str, float]]]) -> list[Figure]:
    def column(name: str, level: int, key: str) -> list[float]:
        return [sample[key] for sample in samples[name, level]]

    def figure(title: str, unit: str, key: str, level: int, base: str, *goals: Goal) -> Figure:
        subject, baseline = column("venom", level, key), column(base, level, key)
        return Figure(title, unit, subject, baseline, base, goals)

    cpu, rate = "cpu_ms_per_1000", "tokens_per_second"
    title = "CPU for 1,000 tokens, 64 streams"
    figures = [
        figure(title, "ms", cpu, 64, "aiohttp", Goal("ratio", 1.5)),
        figure(title, "ms", cpu, 64, "starlette"),
    ]
    for level in LEVELS:
        title = f"time to first token, {level}"
        goal = Goal("added", ADDED_MS[level])
        figures.append(figure(title, "ms", "ttft_median_ms", level, "direct", goal))
    figures.append(figure("time to first token, last of 64", "ms", "ttft_last_ms", 64, "direct"))
    goal = Goal("ratio", 0.97, at_least=True)
    figures.append(figure("throughput, 64 streams", "tokens/s", rate, 64, "direct", goal))
    return figures


def _details(samples: dict[tuple[str, int], list[dict[str, float]]]) -> list[dict[str, Any]]:
    return [
        {"subject": name, "streams": level}
        | {key: float(f"{statistics.median(s[key] for s in rows):.5g}") for key in rows[0]}
        for (name, level), rows in samples.items()
    ]
