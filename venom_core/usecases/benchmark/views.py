"""A benchmark as API, command line and page show it."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from venom_core.sdk.records import ErrorRecord
from venom_core.store.benchmarks import Benchmark

#: How many questions there are to ask.
MOST_QUESTIONS = 6

BenchmarkStatus = Literal["running", "completed", "failed", "cancelled"]
ResultStatus = Literal["pending", "running", "completed", "failed", "cancelled"]


class BenchmarkMachine(TypedDict):
    """The machine that measured: the memory in bytes as the container counts it."""

    system: str
    cores: int
    memory_total_bytes: int


class BenchmarkResult(TypedDict):
    """The figures of one model; what is not known is null.

    ``load_ms`` is the time to the first token of the first answer, the loading of the model
    included; that answer counts for nothing else. ``time_to_first_token_ms`` and
    ``tokens_per_second`` are medians over the questions, ``memory_bytes`` what the model takes
    after them. ``runs_at`` is the host that answered, null for this machine.
    """

    model_name: str
    runs_at: str | None
    status: ResultStatus
    questions_tested: int
    load_ms: float | None
    time_to_first_token_ms: float | None
    tokens_per_second: float | None
    total_duration_ms: float | None
    completion_tokens: int
    memory_bytes: int | None
    error: ErrorRecord | None


class BenchmarkView(TypedDict):
    """A benchmark, under way or kept. ``progress`` is whole percent; ``current_model`` is the one
    that is asked now. It is ``failed`` where no model could be measured."""

    benchmark_id: str
    status: BenchmarkStatus
    progress: int
    current_model: str | None
    num_questions: int
    started_at: str
    completed_at: str | None
    venom_version: str
    machine: BenchmarkMachine
    results: list[BenchmarkResult]


def kept_view(kept: Benchmark) -> BenchmarkView:
    """Return a benchmark of the store; what another release left out of it is null."""
    machine = kept.machine
    return {
        "benchmark_id": kept.id,
        "status": _status(kept.status),
        "progress": 100,
        "current_model": None,
        "num_questions": kept.num_questions,
        "started_at": kept.started_at,
        "completed_at": kept.completed_at,
        "venom_version": kept.venom_version,
        "machine": {
            "system": str(machine.get("system", "")),
            "cores": int(machine.get("cores", 0)),
            "memory_total_bytes": int(machine.get("memory_total_bytes", 0)),
        },
        "results": [_kept_result(one) for one in kept.results],
    }


def new_result(model_name: str, runs_at: str | None) -> BenchmarkResult:
    """Return the row of a model that was asked nothing yet."""
    return {
        "model_name": model_name,
        "runs_at": runs_at,
        "status": "pending",
        "questions_tested": 0,
        "load_ms": None,
        "time_to_first_token_ms": None,
        "tokens_per_second": None,
        "total_duration_ms": None,
        "completion_tokens": 0,
        "memory_bytes": None,
        "error": None,
    }


def _status(text: str) -> BenchmarkStatus:
    return text if text in ("completed", "failed", "cancelled") else "failed"  # type: ignore[return-value]


def _kept_result(row: dict[str, Any]) -> BenchmarkResult:
    made: dict[str, Any] = dict(new_result(str(row.get("model_name", "")), None))
    made.update({name: row[name] for name in made if name in row})
    return made  # type: ignore[return-value]
