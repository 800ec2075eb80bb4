"""Tokens a second through Venom, of the engine alone: the real Gemma 3, one and the same process.

The engine that Venom started is asked once through Venom and once directly, in turns: its address
and key are read from the environment block that it was started with.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import psutil

from bench.processes import Client, Server, ask
from bench.real_model import GEMMA, serving_gemma
from bench.report import Figure, Goal, Report

PROMPT = "The capital of Poland is"
TOKENS = 128
GOAL = Goal("ratio", 0.98, at_least=True)
BASE = "engine alone"


@dataclass(slots=True)
class Engine:
    """An engine that a server of Venom's started, with all of its processes.

    ``rates`` and ``first`` are samples of tokens a second and of the milliseconds to the first
    token, for ``venom`` and for ``engine``.
    """

    processes: list[psutil.Process]
    port: int
    key: str
    rates: dict[str, list[float]] = field(default_factory=lambda: {"venom": [], "engine": []})
    first: dict[str, list[float]] = field(default_factory=lambda: {"venom": [], "engine": []})

    def memory_mb(self) -> float:
        """Return the PSS of its processes together."""
        infos = [process.memory_full_info() for process in self.processes]
        return sum(float(getattr(info, "pss", info.uss)) for info in infos) / 1e6

    def figures(self, prefix: str = "") -> list[Figure]:
        """Samples through Venom beside those of the engine alone."""
        rates, first = self.rates, self.first
        return [
            Figure(
                f"{prefix}tokens a second", "tokens/s", rates["venom"], rates["engine"], BASE,
                (GOAL,),
            ),
            Figure(f"{prefix}time to first token", "ms", first["venom"], first["engine"], BASE),
        ]  # fmt: skip


def run(*, quick: bool = False) -> Report:
    rounds = 3 if quick else 7
    report = Report("engine", rounds=rounds)
    with serving_gemma() as server, Client() as client:
        engine = started_engine(server, GEMMA)
        for number in range(rounds + 1):
            measure(client, server, engine, GEMMA, number)
    report.figures = engine.figures()
    report.extra = {"model": f"llamacpp://{GEMMA}", "tokens": TOKENS, "prompt": PROMPT}
    return report


def measure(client: Client, server: Server, engine: Engine, model: str, number: int) -> None:
    """One round: an answer through Venom and one of the engine alone, each first in its turn.

    Round 0 is kept of no figure: it fills the engine's cache of the prompt.
    """
    targets = {"venom": (server.port, None), "engine": (engine.port, engine.key)}
    for name in ("venom", "engine") if number % 2 else ("engine", "venom"):
        port, key = targets[name]
        called = model.rpartition("://")[2] if key else model
        answer = client.do(
            "streams", port=port, count=1, body=body(called), path="/v1/completions", key=key
        )
        if number:
            engine.rates[name].append((answer["frames"] - 1) / answer["flow_seconds"][0])
            engine.first[name].append(answer["ttft_ms"][0])


def body(model: str, tokens: int = TOKENS) -> dict[str, Any]:
    return {"model": model, "prompt": PROMPT, "max_tokens": tokens, "temperature": 0}


def started_engine(server: Server, model: str, others: Collection[Engine] = ()) -> Engine:
    """The engine that Venom starts for a model, found once it answered; none of ``others``."""
    ask(server.port, "/v1/completions", body(model, 4))
    taken = {one.port for one in others}
    found: dict[int, Engine] = {}
    for process in server.process.children(recursive=True):
        try:
            env = process.environ()
        except psutil.Error:
            continue
        if "VENOM_ENGINE_KEY" in env and (port := int(env["VENOM_ENGINE_PORT"])) not in taken:
            found.setdefault(port, Engine([], port, env["VENOM_ENGINE_KEY"]))
            found[port].processes.append(process)
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} engines could be {model}")
    return next(iter(found.values()))
