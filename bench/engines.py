"""The engines beside each other with one and the same Gemma 3: what each adds to an install, how
soon it answers, what it takes, how fast it is alone and through Venom, and what it knows.

``make engines`` measures every engine whose plugin is installed. What cannot be measured here says
so in the table and in the file, under ``not_run``.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.engine import PROMPT, TOKENS, Engine, measure, started_engine
from bench.onnx_models import GEMMA_INT8, HF_ENVIRONMENT, SOURCE, hf_env, hub_folder, onnx_folder
from bench.processes import Client, Server, ask
from bench.real_model import GEMMA, models_folder, serving
from bench.report import Figure, Report
from bench.twelve import GOAL, ask_all, said
from bench.vllm_models import VLLM_ENVIRONMENT, vllm_env, vllm_folder
from tools.measure_install import WHEELHOUSE, install, megabytes
from venom_core.testing.questions import KNOWN, NEARLY_EVEN

#: How the questions are asked of a model that does not bring this with it.
ASKED = {"temperature": 0, "stop": ["\n"], "max_tokens": 48}


@dataclass(slots=True)
class Subject:
    """An engine, and the model that it is measured with.

    Args:
        name: its plugin's.
        extra: of ``venom``, that brings it whole.
        model: the model as this engine serves it.
        store: makes the folder of models that it is in, where it is not there.
        asked: fields of every question.
        environment: the folder of the one in which it runs, apart from the install.
    """

    name: str
    extra: str
    model: str
    store: Callable[[], Path]
    asked: Mapping[str, Any] = field(default_factory=dict)
    environment: Path | None = None
    engine: Engine | None = None
    not_run: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        medians = {key: _round(figure) for key, figure in self.figures.items()}
        return {"model": self.model, **medians, "not_run": self.not_run, "answers": self.answers}


def subjects() -> list[Subject]:
    return [
        Subject("llamacpp", "embedded", f"llamacpp://{GEMMA}", models_folder),
        Subject("onnx", "onnx", f"onnx://{GEMMA_INT8}", onnx_folder, ASKED),
        Subject("hf", "hf", f"hf://{SOURCE}", hub_folder, ASKED, HF_ENVIRONMENT),
        Subject("vllm", "vllm", f"vllm://hf.co/{SOURCE}", vllm_folder, ASKED, VLLM_ENVIRONMENT),
    ]


def run(*, quick: bool = False) -> Report:
    rounds = 2 if quick else 7
    report = Report("engines", rounds=rounds)
    found = subjects()
    stores = []
    for subject in found:
        try:
            stores.append(subject.store())
        except (RuntimeError, OSError) as error:
            subject.not_run["model"] = str(error)
    _install(found, quick=quick)
    with serving(*stores, env=hf_env() | vllm_env()) as server:
        running = [one for one in found if "model" not in one.not_run]
        for subject in running:
            _start(server, subject, rounds)
            others = [one.engine for one in running if one.engine is not None]
            subject.engine = started_engine(server, subject.model, others)
            subject.answers = ask_all(server.port, subject.model, _order(), subject.asked)
        _rates(server, running, rounds)
    for subject in found:
        report.figures += subject.figures.values()
        report.notes += [f"{subject.name}: {what} not run: {why}"
                         for what, why in subject.not_run.items()]  # fmt: skip
        report.notes += [f"{subject.name}: {line}" for line in said(subject.answers)]
    report.notes += [f"nearly even in this model: {question}" for question in NEARLY_EVEN]
    report.extra = {
        "tokens": TOKENS,
        "prompt": PROMPT,
        "engines": {subject.name: subject.record() for subject in found},
    }
    return report


def _order() -> random.Random:
    return random.Random(time.time_ns())


def _install(found: Sequence[Subject], *, quick: bool) -> None:
    """Measure a whole install beside that of ``light``, each from the wheelhouse."""
    if quick or not any(WHEELHOUSE.glob("venom-*.whl")):
        why = "only without --quick" if quick else "there is no wheelhouse: make wheelhouse"
        for subject in found:
            subject.not_run["install_mb"] = why
        return
    with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
        light = install("venom[light]", Path(folder) / "light").megabytes
        for subject in found:
            try:
                whole = install(f"venom[light,{subject.extra}]", Path(folder) / subject.name)
            except SystemExit as error:
                subject.not_run["install_mb"] = str(error)
                continue
            size = [whole.megabytes - light + _apart(subject)]
            subject.figures["install_mb"] = Figure(
                f"{subject.name}: install over light", "MB", size
            )


def _apart(subject: Subject) -> float:
    """Return the megabytes of the environment that an engine runs in, beside the install."""
    return 0.0 if subject.environment is None else megabytes(subject.environment)


def _start(server: Server, subject: Subject, rounds: int) -> None:
    """Measure the seconds until a model is in memory, asked for through Venom; it stays there."""
    path = f"/api/v1/models/{quote(subject.model, safe='')}"
    seconds = []
    for number in range(rounds):
        if number:
            ask(server.port, f"{path}/unload", {})
        began = time.monotonic()
        ask(server.port, f"{path}/load", {})
        seconds.append(time.monotonic() - began)
    subject.figures["start_seconds"] = Figure(f"{subject.name}: start", "s", seconds)


def _rates(server: Server, running: Sequence[Subject], rounds: int) -> None:
    """Measure tokens a second, all engines in turns; then what each holds in memory."""
    with Client() as client:
        for number in range(rounds + 1):
            for subject in running:
                assert subject.engine is not None
                measure(client, server, subject.engine, subject.model, number)
    for subject in running:
        assert subject.engine is not None
        right = [float(sum(row["right"] for row in subject.answers))]
        memory = [subject.engine.memory_mb()]
        rate, first = subject.engine.figures(f"{subject.name}: ")
        subject.figures |= {
            "memory_mb": Figure(f"{subject.name}: memory", "MB", memory),
            "tokens_per_second": rate,
            "first_token_ms": first,
            "right": Figure(f"{subject.name}: right of {len(KNOWN)}", "", right, goals=(GOAL,)),
        }


def _round(figure: Figure) -> Any:
    value = float(f"{figure.value:.5g}")
    if not figure.baseline:
        return value
    return {
        "venom": value,
        "alone": float(f"{statistics.median(figure.baseline):.5g}"),
        "ratio": float(f"{figure.ratio or 0:.5g}"),
    }
