"""From exec to the first ``/healthz`` 200, beside a bare FastAPI application under uvicorn.

Then, two seconds later, the CPU seconds spent so far and the memory; and once, apart from the
timing, the modules that the server process imports up to a whole chat.
"""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bench.processes import Server, ask
from bench.report import Figure, Goal, Report
from bench.subjects import BODY, module, venom

IDLE_SECONDS = 2.0
#: Libraries that only an engine's own process may import.
HEAVY = ("docker", "numpy", "onnx", "onnxruntime", "torch", "transformers", "vllm", "xllamacpp")
_IMPORTED = re.compile(r"^import time:\s*\d+ \|\s*\d+ \| +([\w.]+)$", re.MULTILINE)


def run(*, quick: bool = False) -> Report:
    rounds = 3 if quick else 11
    report = Report("startup", rounds=rounds)
    samples: dict[str, list[tuple[float, float, float]]] = {"venom": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
        home = Path(folder)
        _one(venom(home))  # bytecode, and the files that a first start makes
        _one(module("bare", home))
        for number in range(rounds):
            for name in ("bare", "venom") if number % 2 == 0 else ("venom", "bare"):
                samples[name].append(_one(venom(home) if name == "venom" else module("bare", home)))
        report.extra = _inside(home)
    for title, unit, column, goals in (
        ("exec to first 200", "s", 0, (Goal("ratio", 1.5), Goal("value", 0.8))),
        ("CPU until 2 s after", "s", 1, ()),
        ("memory (PSS) 2 s after", "MB", 2, (Goal("value", 80.0),)),
    ):
        pair = ([row[column] for row in samples[name]] for name in ("venom", "bare"))
        report.figures.append(Figure(title, unit, next(pair), next(pair), "bare FastAPI", goals))
    heavy = float(len(report.extra["heavy_modules"]))
    report.figures.append(
        Figure("heavy libraries in the process", "", [heavy], goals=(Goal("value", 0.0),))
    )
    report.notes.append(f"plugins: {', '.join(report.extra['plugins'])}")
    return report


def _one(started: AbstractContextManager[Server]) -> tuple[float, float, float]:
    with started as server:
        time.sleep(IDLE_SECONDS)
        return server.ready_seconds, server.cpu(), server.memory_mb()


def _inside(home: Path) -> dict[str, Any]:
    """Return what is installed and what the server imports, by the interpreter's own report."""
    with (
        module("upstream", home) as upstream,
        venom(home, upstream.port, {"PYTHONPROFILEIMPORTTIME": "1"}) as server,
    ):
        listed = ask(server.port, "/api/v1/plugins")["plugins"]
        ask(server.port, "/v1/models")
        ask(server.port, "/v1/chat/completions", BODY)
    names = set(_IMPORTED.findall(server.log.read_text(errors="replace")))
    if not names:
        raise RuntimeError("the interpreter reported no imports")
    return {
        "plugins": [f"{one['id']} {one['state']}" for one in listed],
        "modules": len(names),
        "heavy_modules": sorted(name for name in names if name.split(".")[0] in HEAVY),
    }
