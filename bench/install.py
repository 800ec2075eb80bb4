"""The size of an install from the wheelhouse: distributions, and megabytes without bytecode."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.report import Figure, Goal, Report
from tools.measure_install import SETS, install
from tools.wheelhouse import WHEELHOUSE


def run(*, quick: bool = False) -> Report:
    report = Report("install", rounds=1)
    if not any(WHEELHOUSE.glob("venom-*.whl")):
        report.skipped = "there is no wheelhouse; make it with: make wheelhouse"
        return report
    measured = {}
    for name in ("light",) if quick else SETS:
        with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
            measured[name] = install(SETS[name], Path(folder) / name)
    limits = {"light": (Goal("value", 50.0), Goal("value", 85.0))}
    for name, one in measured.items():
        count, size = limits.get(name, (None, None))
        report.figures += [
            Figure(
                f"{name}: distributions", "", [one.distributions], goals=(count,) if count else ()
            ),
            Figure(
                f"{name}: without bytecode", "MB", [one.megabytes], goals=(size,) if size else ()
            ),
            Figure(f"{name}: pip install", "s", [one.seconds]),
        ]
    report.extra = {"sets": {name: asdict(one) for name, one in measured.items()}}
    return report
