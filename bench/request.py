"""CPU and latency of one non-streaming chat request, beside a bare Starlette + aiohttp relay."""

from __future__ import annotations

import statistics

from bench.processes import Client, Server
from bench.report import Figure, Goal, Report
from bench.subjects import BODY, gateway_and_baselines

CONNECTIONS = 8
SUBJECTS = ("starlette", "aiohttp", "venom")


def run(*, quick: bool = False) -> Report:
    rounds, count = (2, 400) if quick else (7, 2000)
    report = Report("request", rounds=rounds)
    samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in SUBJECTS}
    with gateway_and_baselines(SUBJECTS[:2]) as servers, Client() as client:
        for name in SUBJECTS:
            _measure(client, servers[name], 200)
        for number in range(rounds):
            for name in SUBJECTS if number % 2 == 0 else tuple(reversed(SUBJECTS)):
                samples[name].append(_measure(client, servers[name], count))
    for base in SUBJECTS[:2]:
        goals = (Goal("ratio", 3.0), Goal("value", 1.0)) if base == "starlette" else ()
        report.figures.append(_figure("CPU for one request", "ms", 0, samples, base, *goals))
    for title, unit, column in (
        ("latency, one connection of 8", "ms", 1),
        ("requests a second, 8 connections", "1/s", 2),
    ):
        report.figures.append(_figure(title, unit, column, samples, "starlette"))
    report.extra = {"requests_per_round": count, "connections": CONNECTIONS}
    return report


def _figure(
    title: str,
    unit: str,
    column: int,
    samples: dict[str, list[tuple[float, float, float]]],
    base: str,
    *goals: Goal,
) -> Figure:
    subject = [row[column] for row in samples["venom"]]
    return Figure(title, unit, subject, [row[column] for row in samples[base]], base, goals)


def _measure(client: Client, server: Server, count: int) -> tuple[float, float, float]:
    before = server.cpu()
    answer = client.do(
        "requests", port=server.port, count=count, connections=CONNECTIONS, body=BODY
    )
    cpu = 1000 * (server.cpu() - before) / answer["count"]
    return cpu, statistics.median(answer["latency_ms"]), answer["count"] / answer["seconds"]
