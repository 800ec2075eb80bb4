"""Measure each package: its files, its share of a start, and its memory.

Megabytes are its installed files, without bytecode. A start is a real `venom serve` with every
plugin up to its first page, by Python's own clock of imports; a package that no start imports has
no share. Memory is what a fresh interpreter grows by when it imports the package, with what that
brings in turn. What is not installed here is not measured.
"""

from __future__ import annotations

import importlib.metadata
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from bench.report import Figure, Report
from tools.audit.packages import modules_of, named
from tools.audit.start import clocked

#: Linux's own count of pages: a library that told it would be memory of its own.
MEMORY = """
import os, sys
def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before = resident()
__import__(sys.argv[1])
print((resident() - before) / 1e6)
"""


def run(*, quick: bool = False) -> Report:
    rounds = 1 if quick else 5
    report = Report("dependencies", rounds=rounds)
    starts = [clocked() for _ in range(rounds)]
    packages = {}
    for name in named():
        try:
            files = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        modules = modules_of(name)
        packages[name] = {
            "megabytes": _megabytes(files),
            "start_ms": round(statistics.median(_share(one, modules) for one in starts), 1),
            "ram_mb": _memory(modules, rounds),
        }
    sizes = sum(float(one["megabytes"] or 0) for one in packages.values())
    report.figures = [
        Figure("measured packages", "", [len(packages)]),
        Figure("their files", "MB", [round(sizes, 1)]),
        Figure(
            "imports of other people's packages in a start", "ms",
            [sum(_share(one, modules_of(name)) for name in packages) for one in starts],
        ),
    ]  # fmt: skip
    report.extra = {"packages": packages}
    return report


def _share(start: dict[str, float], modules: list[str]) -> float:
    return sum(start.get(module, 0.0) for module in modules)


def _megabytes(found: importlib.metadata.Distribution) -> float:
    sizes: dict[Path, int] = defaultdict(int)
    for file in found.files or ():
        path = Path(str(file.locate()))
        if path.suffix != ".pyc" and path.is_file():
            sizes[path] = path.stat().st_size
    return round(sum(sizes.values()) / 1e6, 2)


def _memory(modules: list[str], rounds: int) -> float | None:
    grown = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, modules[0]],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode:
            return None
        grown.append(float(done.stdout.split()[-1]))
    return round(statistics.median(grown), 1)
