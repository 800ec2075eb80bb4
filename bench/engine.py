"""Tokens a second through Venom, of the engine alone: the real Gemma 3, one and the same process.

The engine that Venom started is asked once through Venom and once directly, in turns: its address
and key are read from the environment block that it was started with.
"""

from __future__ import annotations

import psutil

from bench.processes import Client, Server, ask
from bench.real_model import GEMMA, serving_gemma
from bench.report import Figure, Goal, Report

PROMPT = "The capital of Poland is"
TOKENS = 128


def run(*, quick: bool = False) -> Report:
    rounds = 3 if quick else 7
    report = Report("engine", rounds=rounds)
    body = {"model": GEMMA, "prompt": PROMPT, "max_tokens": TOKENS, "temperature": 0}
    rates: dict[str, list[float]] = {"venom": [], "engine": []}
    first: dict[str, list[float]] = {"venom": [], "engine": []}
    with serving_gemma() as server, Client() as client:
        ask(server.port, "/v1/completions", {**body, "max_tokens": 4})
        port, key = _engine(server)
        targets = {"venom": (server.port, None), "engine": (port, key)}
        for number in range(rounds + 1):
            for name in ("venom", "engine") if number % 2 else ("engine", "venom"):
                to, bearer = targets[name]
                answer = client.do(
                    "streams", port=to, count=1, body=body, path="/v1/completions", key=bearer
                )
                if number:  # the first round fills the engine's cache of the prompt
                    rates[name].append((answer["frames"] - 1) / answer["flow_seconds"][0])
                    first[name].append(answer["ttft_ms"][0])
    goal = Goal("ratio", 0.98, at_least=True)
    base = "engine alone"
    report.figures = [
        Figure("tokens a second", "tokens/s", rates["venom"], rates["engine"], base, (goal,)),
        Figure("time to first token", "ms", first["venom"], first["engine"], base),
    ]
    report.extra = {"model": f"llamacpp://{GEMMA}", "tokens": TOKENS, "prompt": PROMPT}
    return report


def _engine(server: Server) -> tuple[int, str]:
    for process in server.process.children(recursive=True):
        try:
            env = process.environ()
        except psutil.Error:
            continue
        if "VENOM_ENGINE_KEY" in env and "VENOM_ENGINE_PORT" in env:
            return int(env["VENOM_ENGINE_PORT"]), env["VENOM_ENGINE_KEY"]
    raise RuntimeError("Venom runs no engine process that could be asked directly")
