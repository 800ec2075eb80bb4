"""Answers of the model area, and their speed, while every provider is dead.

Three kinds of dead: nothing listens (Ollama), something listens and never says a word (the remote
server), and an address that is not reached (Hugging Face). No engine of the embedded provider is
asked for. The first round is the one in which nobody knows yet who is dead.
"""

from __future__ import annotations

import contextlib
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.processes import Server, ask
from bench.report import Figure, Goal, Report
from bench.subjects import venom

PATHS = {
    "GET /models": "/api/v1/models",
    "GET /models/usage": "/api/v1/models/usage",
    "GET /models/providers": "/api/v1/models/providers?limit=20",
}


def run(*, quick: bool = False) -> Report:
    rounds = 5 if quick else 30
    report = Report("dead", rounds=rounds)
    with silent() as port, tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
        env = {
            "VENOM_REMOTE__URLS": f"http://127.0.0.1:{port}",
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "HF_HUB_CACHE": str(Path(folder) / "hub"),
        }
        with venom(Path(folder), env=env) as server:
            first = {name: _ask(server, path)[0] for name, path in PATHS.items()}
            time.sleep(4)  # the questions that were on their way have been given up
            for name, path in PATHS.items():
                samples = [_ask(server, path) for _ in range(rounds)]
                title = f"{name}, every provider dead"
                times = [sample[0] for sample in samples]
                report.figures.append(Figure(title, "ms", times, goals=(Goal("value", 150),)))
                report.figures.append(Figure(f"{name}, the first time", "ms", [first[name]]))
                report.notes.append(f"{name} says: {_symptom(samples[-1][1])}")
                report.extra[name] = {"slowest_ms": max(times), "says": _symptom(samples[-1][1])}
    return report


def _ask(server: Server, path: str) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = ask(server.port, path)
    return (time.perf_counter() - started) * 1000, answer


def _symptom(answer: dict[str, Any]) -> str:
    """Return the part of an answer that shows a fault."""
    usage = answer.get("usage")
    if usage is not None:
        known = sorted(name for name, value in usage.items() if value is not None)
        return f"{len(known)} of {len(usage)} figures known"
    fields = {
        name: answer[name] for name in ("success", "count", "stale", "error") if name in answer
    }
    text = json.dumps(fields, ensure_ascii=False)
    return text if len(text) < 600 else f"{text[:600]}..."


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port where connections are accepted and nothing is ever said."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        ending = threading.Event()

        def accept() -> None:
            while not ending.is_set():
                with contextlib.suppress(TimeoutError):
                    held.append(listening.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            ending.set()
            thread.join(2)
            for connection in held:
                connection.close()
