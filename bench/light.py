"""Start-up, memory and readiness of one installation in each profile, with a model and without.

Cold is a first start: no data directory, no bytecode. Warm is the next one on the same data
directory. A question is cold where its model has to be loaded, warm where it was. The profile is a
setting; the packages are the same in all three.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import Server
from bench.real_model import GEMMA, models_folder
from bench.report import Figure, Goal, Report
from bench.subjects import venom

PROFILES = ("light", "llm_off", "full")
IDLE_SECONDS = 2.0
READY_SECONDS = 60.0
POLL_SECONDS = 0.005
QUESTION = {
    "model": GEMMA,
    "messages": [{"role": "user", "content": "What is the capital of Poland?"}],
    "stream": True, "max_tokens": 16, "temperature": 0,
}  # fmt: skip
#: The limits that the product sets itself, by what is measured; light's alone. That of its memory
#: counts for an installation of light, without the other plugins: see ``memory``.
GOALS = {"start warm": (Goal("value", 0.8),)}
UNITS = {"memory": "MB"}


@dataclass(slots=True)
class Samples:
    """Figures by profile and what was measured, and what /readyz said where no model is."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def add(self, profile: str, what: str, value: float) -> None:
        self.values.setdefault((profile, what), []).append(value)


def run(*, quick: bool = False) -> Report:
    rounds = 1 if quick else 5
    report = Report("light", rounds=rounds)
    models = models_folder()
    samples = Samples()
    for number in range(rounds):
        for profile in PROFILES if number % 2 == 0 else reversed(PROFILES):
            _round(samples, profile, models)
    for (profile, what), values in sorted(samples.values.items()):
        goals = GOALS.get(what, ()) if profile == "light" else ()
        report.figures.append(
            Figure(f"{profile}: {what}", UNITS.get(what, "s"), values, goals=goals)
        )
    for profile, said in samples.said.items():
        report.notes.append(f"{profile} without a model: {said}")
    report.extra = {"without_model": samples.said}
    return report


def _round(samples: Samples, profile: str, models: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
        home, bytecode = Path(folder) / "home", Path(folder) / "bytecode"
        for what in ("cold", "warm"):
            with _serving(home, bytecode, profile, models) as server:
                samples.add(profile, f"start {what}", server.ready_seconds)
                status, seconds, _ = _readiness(server, wait=True)
                if status == 200:
                    samples.add(profile, f"ready with a model {what}", seconds)
                if what == "warm":
                    time.sleep(IDLE_SECONDS)
                    samples.add(profile, "memory", server.memory_mb())
                    if profile != "llm_off":
                        for question in ("cold", "warm"):
                            first = _first_word(server.port)
                            samples.add(profile, f"first word {question}", first)
    with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
        home = Path(folder)
        for what in ("cold", "warm"):
            with _serving(home / "home", home / "bytecode", profile, None) as server:
                status, seconds, said = _readiness(server, wait=False)
                samples.add(profile, f"verdict without a model {what}", seconds)
                samples.said[profile] = f"/readyz {status}{f', {said}' if said else ''}"


@contextlib.contextmanager
def _serving(home: Path, bytecode: Path, profile: str, models: Path | None) -> Iterator[Server]:
    (home / "models").mkdir(parents=True, exist_ok=True)
    for store in sorted(models.iterdir()) if models else ():
        link = home / "models" / store.name
        if store.is_dir() and not link.is_symlink():
            link.symlink_to(store, target_is_directory=True)
    env = {
        "VENOM_PROFILE": profile,
        "LLM_WARMUP_ON_STARTUP": "false",
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    with venom(home, env=env) as server:
        yield server


def _readiness(server: Server, *, wait: bool) -> tuple[int, float, str]:
    """Return the status of /readyz, the seconds since exec and the first reason it gives; with
    ``wait`` at its first 200, or at the end of patience."""
    began = time.perf_counter() - server.ready_seconds
    while True:
        status, body = _get(server.port, "/readyz")
        taken = time.perf_counter() - began
        if status == 200 or not wait or taken > READY_SECONDS:
            return status, taken, _reason(body)
        time.sleep(POLL_SECONDS)


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _reason(body: bytes) -> str:
    reasons = json.loads(body)["reasons"]
    return str(reasons[0]["code"]) if reasons else ""


def _first_word(port: int) -> float:
    """Return the seconds from the question to the first piece of text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    with contextlib.closing(connection):
        began = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(QUESTION), headers)
        answer = connection.getresponse()
        first = None
        for line in answer:
            if first is None and line.startswith(b"data: {") and _has_text(line[6:]):
                first = time.perf_counter() - began
    if first is None:
        raise RuntimeError(f"the question got no text, status {answer.status}")
    return first


def _has_text(data: bytes) -> bool:
    choices = json.loads(data).get("choices") or [{}]
    return bool(choices[0].get("delta", {}).get("content"))
