"""The engines asked what they really do, each with a real model: the table of docs/engines.md.

``make bench BENCH=selftest`` asks every engine that is here; what is not says so in the result and
reads ``not run`` on the page, which ``python -m tools.engines_page`` writes from it.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.onnx_models import (
    GEMMA_INT8,
    HOME,
    STORE,
    gemma_snapshot,
    hf_env,
    hub_folder,
    onnx_folder,
    with_tools,
)
from bench.processes import ROOT
from bench.real_model import models_folder
from bench.report import Figure, Goal, Report
from bench.subjects import VENOM
from bench.vllm_models import vllm_env, vllm_folder

CODER, SMALL = "qwen2.5-coder:1.5b", "smollm2:135m"
CALLING = "gemma-3-270m-base-with-tools"
NONE_BROKEN = Goal("value", 0)


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine. ``store`` makes the folder of models that it is asked with; ``source`` the model
    that has to have a place for tools, where it has none; ``why_not`` says why it is not asked
    here."""

    provider: str
    model: str = ""
    store: Callable[[], Path] | None = None
    source: Callable[[], Path] | None = None
    why_not: str | None = None


def subjects() -> list[Subject]:
    return [
        Subject("llamacpp", CODER, lambda: models_folder(CODER)),
        Subject("onnx", CALLING, onnx_folder, lambda: STORE / GEMMA_INT8),
        Subject("hf", CALLING, hub_folder, gemma_snapshot),
        Subject("vllm", CALLING, vllm_folder, gemma_snapshot),
        Subject("ollama", why_not="no Ollama answers on the machine of this run"),
    ]


def run(*, quick: bool = False) -> Report:
    report = Report("selftest", rounds=1)
    tables: list[dict[str, Any]] = []
    for subject in [Subject("llamacpp", SMALL, models_folder)] if quick else subjects():
        table = _table(subject)
        tables.append(table)
        rows = table.get("rows", [])
        broken = [row for row in rows if row["outcome"] == "broken"]
        if rows:
            name = f"{subject.provider}: broken of {len(rows)}"
            report.figures.append(Figure(name, "", [float(len(broken))], goals=(NONE_BROKEN,)))
        report.notes += [f"{subject.provider}  {row['name']}: {row['note']}" for row in broken]
        if "not_run" in table:
            report.notes.append(f"{subject.provider}: not run, {table['not_run']}")
    report.extra = {"tables": tables}
    return report


def _table(subject: Subject) -> dict[str, Any]:
    if subject.store is None:
        return {"provider": subject.provider, "not_run": subject.why_not}
    try:
        return _asked(subject, subject.store())
    except (RuntimeError, OSError) as error:
        return {"provider": subject.provider, "not_run": str(error)}


def _asked(subject: Subject, store: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="venom-selftest-") as folder:
        (Path(folder) / "models").symlink_to(store, target_is_directory=True)
        given = hf_env() | vllm_env()
        if subject.source is not None:
            place = HOME / "with-tools" / subject.provider
            with_tools(subject.source(), place / CALLING)
            given[f"VENOM_{subject.provider.upper()}__MODEL_PATHS"] = str(place)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("VENOM_")}
        done = subprocess.run(
            [*VENOM, "selftest", subject.provider, "--model", subject.model, "--json"],
            cwd=ROOT,
            env={**clean, **given, "VENOM_HOME": folder},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
    try:
        found: Mapping[str, Any] = json.loads(done.stdout)
        return {**found, "rows": found["rows"]}
    except (ValueError, KeyError) as error:
        raise RuntimeError(done.stderr.strip()[-300:] or "it printed no table") from error
