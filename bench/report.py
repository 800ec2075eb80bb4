"""One shape for every result: figures with samples, goals, a JSON file and a printed table."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.processes import ROOT
from venom_core.sdk.machine import this_machine

RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True, slots=True)
class Goal:
    """``limit`` holds for what ``of`` names: the subject's own ``value``, its ``ratio`` to the
    baseline, or its ``added`` amount over the baseline."""

    of: str
    limit: float
    at_least: bool = False

    def met(self, figure: Figure) -> bool | None:
        value = getattr(figure, self.of)
        if value is None:
            return None
        return bool(value >= self.limit) if self.at_least else bool(value <= self.limit)

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{self.of} {sign} {self.limit:g}"


@dataclass(slots=True)
class Figure:
    """Samples of one quantity in rounds; the medians, their ratio and difference follow.

    With ``paired`` the ratio and the difference are medians over rounds of subject against baseline
    of the same round, which a machine that speeds up or slows down between rounds does not move.
    """

    name: str
    unit: str
    subject: list[float]
    baseline: list[float] = field(default_factory=list)
    baseline_name: str = ""
    goals: Sequence[Goal] = ()
    paired: bool = True

    @property
    def value(self) -> float:
        return statistics.median(self.subject)

    @property
    def baseline_value(self) -> float | None:
        return statistics.median(self.baseline) if self.baseline else None

    @property
    def ratio(self) -> float | None:
        base = self.baseline_value
        if not base:
            return None
        if self.paired and len(self.subject) == len(self.baseline) and all(self.baseline):
            return statistics.median(s / b for s, b in self._pairs())
        return self.value / base

    @property
    def added(self) -> float | None:
        if self.baseline_value is None:
            return None
        if self.paired and len(self.subject) == len(self.baseline):
            return statistics.median(s - b for s, b in self._pairs())
        return self.value - self.baseline_value

    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.subject, self.baseline, strict=True))

    def record(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": _round(self.value),
            "baseline": self.baseline_name or None,
            "baseline_median": _round(self.baseline_value),
            "ratio": _round(self.ratio),
            "added": _round(self.added),
            "goals": [{"goal": str(goal), "met": goal.met(self)} for goal in self.goals],
            "samples": [_round(sample) for sample in self.subject],
            "baseline_samples": [_round(sample) for sample in self.baseline],
        }


@dataclass(slots=True)
class Report:
    """The result of a benchmark: ``notes`` are sentences, ``extra`` goes into the JSON."""

    name: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    rounds: int = 0
    skipped: str | None = None


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _git(*arguments: str) -> str:
    argv = ["git", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def machine() -> dict[str, Any]:
    here = this_machine()
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")]
        model = names[0] if names else model
    return {
        "cpu": model,
        "cores": here.cores,
        "memory_gb": round(here.memory_total_bytes / 1e9, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def write(report: Report, command: Sequence[str], started: float) -> Path:
    """``bench/results/<name>.json``; ``dirty``: the code measured differs from ``commit``."""
    RESULTS.mkdir(exist_ok=True)
    measured = ("venom_core", "plugins", "bench")
    status = _git("status", "--porcelain", "--untracked-files=no", "--", *measured)
    changed = [line[3:] for line in status.splitlines() if "bench/results/" not in line]
    body = {
        "name": report.name,
        "commit": _git("rev-parse", "HEAD").strip(),
        "dirty": bool(changed),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 1),
        "command": " ".join(["python", "bench/run.py", *command]),
        "machine": machine(),
        "rounds": report.rounds,
        "figures": [figure.record() for figure in report.figures],
        "notes": report.notes,
        **report.extra,
    }
    path = RESULTS / f"{report.name}.json"
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def show(report: Report) -> None:
    """The table on standard output."""
    out = sys.stdout.write
    out(f"\n{report.name}: median of {report.rounds} interleaved rounds\n")
    if report.skipped:
        out(f"  not run: {report.skipped}\n")
        return
    rows = [("what", "venom", "baseline", "ratio", "added", "unit", "goal")]
    for figure in report.figures:
        goals = "; ".join(f"{g} {_word(g.met(figure))}" for g in figure.goals)
        base = f"{_cell(figure.baseline_value)} {figure.baseline_name}" if figure.baseline else ""
        ratio, added = _cell(figure.ratio), _cell(figure.added)
        rows.append((figure.name, _cell(figure.value), base, ratio, added, figure.unit, goals))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        out("  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() + "\n")
    for note in report.notes:
        out(f"  {note}\n")


def _word(met: bool | None) -> str:
    return {True: "met", False: "NOT MET", None: "unknown"}[met]
