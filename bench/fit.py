"""The fit check against real loads: how far the estimate is from what the engine really took.

Every truth is a load of the engine as the plugin starts it, in a process of its own. What it takes
is the sum of the buffers that llama.cpp's log states (weights, weights in another order, cache,
cache of the windows, outputs, computing) and, beside them, what the system counts for the process
without those buffers. The estimate is made from the file's header alone.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.processes import ROOT
from bench.real_model import GEMMA, models_folder
from bench.report import Figure, Goal, Report
from venom_core.sdk.architecture import Architecture, MemoryPlan
from venom_core.sdk.gguf import read_header
from venom_core.sdk.memory_estimate import needed
from venom_llamacpp.memory import CALIBRATION, memory_plan, reordered_bytes

CACHE = ROOT / ".cache" / "bench-fit"
#: Writes the random-weight files; apart from the environment of Venom, which has no numpy.
WRITER = ("gguf==0.19.0", "numpy==2.4.6")
SHAPES = ("grouped-heads", "sliding-window", "mixture-of-experts", "compressed-cache")
#: Held twice, in two orders.
QUANTIZED = "quantized"
#: Nothing of the formulas was read off these.
HELD_OUT = tuple(f"{name}-2" for name in SHAPES)
HELD_OUT_CONTEXTS = (4096, 16_384)
CONTEXTS = (1024, 4096, 8192, 32_768)
SMALL_CONTEXTS = (1024, 2048, 4096, 8192)
LOAD_TIMEOUT = 180.0
BATCH = 1024
_BUFFER = re.compile(r"(model|output|KV|compute) buffer size = +([0-9.]+) MiB")


@dataclass(frozen=True, slots=True)
class Case:
    model: str
    path: Path
    context: int
    parallel: int = 2
    kv_type: str = "f16"
    words: int = 0


@dataclass(frozen=True, slots=True)
class Truth:
    """Bytes that the log states, by kind, and what the process has beside those it touched;
    ``in_use``: the whole process after a prompt of ``tokens``."""

    buffers: dict[str, int]
    process: int
    tokens: int = 0
    in_use: int = 0

    @property
    def total(self) -> int:
        return sum(self.buffers.values()) + self.process


def run(*, quick: bool = False) -> Report:
    cases = list(_cases(quick))
    report = Report("fit", rounds=1)
    rows: list[dict[str, Any]] = []
    for case in cases:
        truth = load(case)
        architecture, plan = estimated(case)
        need = needed(architecture, plan, case.context)
        told = {
            "model": case.model,
            "context": case.context,
            "parallel": case.parallel,
            "kv_type": case.kv_type,
            "true_bytes": truth.total,
            "true": {**truth.buffers, "process": truth.process},
            "estimate_bytes": need.total,
            "estimate": {
                "weights": need.weights,
                "kv_cache": need.kv_cache,
                "compute": need.compute,
                "overhead": need.overhead,
            },
            "error": round(need.total / truth.total - 1, 5),
            "vocabulary": architecture.vocabulary,
            "held_out": case.model in HELD_OUT,
        }
        if truth.tokens:
            told |= {
                "prompt_tokens": truth.tokens,
                "true_in_use_bytes": truth.in_use,
                "estimate_in_use_bytes": need.working + need.copies,
                "error_in_use": round((need.working + need.copies) / truth.in_use - 1, 5),
            }
            report.notes.append(_in_use(told))
        rows.append(told)
        report.notes.append(_line(told))
    errors = [abs(row["error"]) * 100 for row in rows]
    report.figures = _figures("", errors)
    held_out = [abs(row["error"]) * 100 for row in rows if row["held_out"]]
    in_use = [abs(row["error_in_use"]) * 100 for row in rows if "error_in_use" in row]
    report.figures += _figures("held out: ", held_out) + _figures("in use: ", in_use)
    report.notes.append("how obtained: buffers as llama.cpp's log states them at load, and the")
    report.notes.append("process's resident set (/proc) without those it had touched")
    process, token = calibrated(rows)
    report.notes.append(
        f"calibration: {process / 1e6:.1f} MB a process, {token:.0f} bytes a vocabulary entry by "
        f"these loads; in use: {CALIBRATION.process_bytes / 1e6:.1f} and {CALIBRATION.token_bytes}"
    )
    report.extra = {
        "loads": rows,
        "engine": "xllamacpp 2026.10.11549",
        "calibration": {"process_bytes": round(process), "token_bytes": round(token, 1)},
        "in_use": {
            "process_bytes": CALIBRATION.process_bytes,
            "token_bytes": CALIBRATION.token_bytes,
        },
    }
    return report


def _figures(what: str, errors: list[float]) -> list[Figure]:
    if not errors:
        return []
    median = Figure(f"{what}median error", "%", [statistics.median(errors)])
    worst = Figure(f"{what}worst error", "%", [max(errors)])
    median.goals, worst.goals = (Goal("value", 8),), (Goal("value", 20),)
    return [median, worst]


def _cases(quick: bool) -> Iterator[Case]:
    store = models_folder() / "llamacpp"
    gemma = next(store.glob(f"{GEMMA}*.gguf"))
    # The provider gives this one a single slot: its template is read once and kept.
    yield from (Case(GEMMA, gemma, context, 1) for context in CONTEXTS[: 1 if quick else None])
    if quick:
        return
    small = next(store.glob("smollm2--135m*.gguf"))
    yield from (Case("smollm2:135m", small, context) for context in SMALL_CONTEXTS)
    # What is resident after a prompt of more than one batch, which touches what chats touch.
    yield Case(GEMMA, gemma, 4096, 1, words=1500)
    yield Case("smollm2:135m", small, 4096, words=1500)
    folder = shapes()
    for name in SHAPES:
        yield from (Case(name, folder / f"{name}.gguf", context) for context in CONTEXTS)
    for name in (QUANTIZED, *HELD_OUT):
        yield from (Case(name, folder / f"{name}.gguf", context) for context in HELD_OUT_CONTEXTS)
    for kv_type in ("q8_0", "q4_0"):
        yield Case("smollm2:135m", small, 4096, kv_type=kv_type)
        yield Case("sliding-window", folder / "sliding-window.gguf", 8192, kv_type=kv_type)


def shapes() -> Path:
    """The folder with the random-weight files; written once."""
    folder, tools = CACHE / "shapes", CACHE / "gguf"
    if all((folder / f"{name}.gguf").exists() for name in (QUANTIZED, *SHAPES, *HELD_OUT)):
        return folder
    if not (tools / "gguf").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tools), *WRITER]
        subprocess.run(pip, check=True, timeout=600)
    subprocess.run(
        [sys.executable, "bench/fit_shapes.py", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tools)},
        check=True,
        timeout=600,
    )
    return folder


def estimated(case: Case) -> tuple[Architecture, MemoryPlan]:
    """Return what the provider would say of this file, from its header."""
    header = read_header(case.path)
    assert header.numbers is not None
    plan = memory_plan(
        header.numbers.vocabulary,
        reordered_bytes(header.tensors),
        context=case.context,
        parallel=case.parallel,
        batch=_batch(case),
    )
    return header.numbers, replace(plan, kv_type=case.kv_type)  # type: ignore[arg-type]


def _batch(case: Case) -> int:
    return min(case.context, BATCH)


def load(case: Case) -> Truth:
    """Load it; raises ``RuntimeError`` with the end of the log where that fails."""
    config = {
        "path": str(case.path),
        "alias": case.model,
        "context_length": case.context,
        "parallel": case.parallel,
        "threads": 1,
        "batch": _batch(case),
        "embeds": False,
        "pooling": "mean",
        "template": None,
        "slot_folder": None,
        "gpu_layers": 0,
        "draft": None,
        "draft_tokens": 4,
        "adapters": [],
        "kv_type": case.kv_type,
        "words": case.words,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.fit_load", json.dumps(config)],
        cwd=ROOT, capture_output=True, text=True, timeout=LOAD_TIMEOUT, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{case.model} did not load:\n{done.stderr[-2000:]}")
    buffers: dict[str, int] = {}
    for kind, size in _BUFFER.findall(done.stderr):
        buffers[kind] = buffers.get(kind, 0) + round(float(size) * 1024 * 1024)
    if not {"model", "output", "KV", "compute"} <= set(buffers):
        raise RuntimeError(f"the log states no buffers:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    # What of the computing buffer the warm-up touched counts as the process's own: a little.
    held = told["resident"] - told["mapped"] - buffers["KV"] - buffers["output"] - _copies(case)
    in_use = told.get("in_use", {}).get("resident", 0)
    return Truth(buffers, held, told.get("tokens", 0), in_use)


def _copies(case: Case) -> int:
    return estimated(case)[1].copies_bytes


def calibrated(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Least squares of the process's bytes over the vocabulary: intercept and slope."""
    if len({row["vocabulary"] for row in rows}) < 2:
        return float(rows[0]["true"]["process"]), 0.0
    points = [(row["vocabulary"], row["true"]["process"]) for row in rows]
    slope, intercept = statistics.linear_regression(*zip(*points, strict=True))
    return intercept, slope


def _in_use(row: dict[str, Any]) -> str:
    true, estimate = row["true_in_use_bytes"], row["estimate_in_use_bytes"]
    return (
        f"{row['model']:20} after a prompt of {row['prompt_tokens']} tokens: resident "
        f"{true / 1e6:.1f} MB, estimate of what chats take {estimate / 1e6:.1f} MB, "
        f"{100 * row['error_in_use']:+.1f} %"
    )


def _line(row: dict[str, Any]) -> str:
    true, estimate, error = row["true_bytes"], row["estimate_bytes"], row["error"]
    return (
        f"{row['model']:20} {row['kv_type']:5} {row['parallel']} x {row['context']:>6} tokens: "
        f"true {true / 1e6:7.1f} MB, estimate {estimate / 1e6:7.1f} MB, {100 * error:+5.1f} %"
    )
