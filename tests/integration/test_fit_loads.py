"""The fit check against real loads, the quick part of `bench/run.py fit`."""

from __future__ import annotations

import json
import statistics

import pytest

from bench.fit import Case, estimated, load
from bench.real_model import GEMMA, models_folder
from bench.report import RESULTS
from venom_core.sdk.memory_estimate import needed
from venom_llamacpp.memory import CALIBRATION


@pytest.mark.parametrize(
    ("model", "context", "parallel"), [(GEMMA, 2048, 1), ("smollm2--135m", 3072, 2)]
)
def test_an_estimate_is_within_eight_percent_of_the_load(
    model: str, context: int, parallel: int
) -> None:
    path = next((models_folder() / "llamacpp").glob(f"{model}*.gguf"))
    case = Case(model, path, context, parallel)
    truth = load(case)
    need = needed(*estimated(case), context)
    # The cache follows from the numbers alone; the log rounds to hundredths of a MiB.
    assert need.kv_cache == pytest.approx(truth.buffers["KV"], abs=20_000)
    assert need.weights == pytest.approx(truth.buffers["model"], abs=20_000)
    assert need.total == pytest.approx(truth.total, rel=0.08)


def test_what_the_answer_says_of_its_error_is_what_was_measured() -> None:
    result = json.loads((RESULTS / "fit.json").read_text())
    errors = [abs(row["error"]) for row in result["loads"]]
    said = CALIBRATION.measured
    assert not result["dirty"]
    assert said.loads == len(errors)
    assert max(errors) <= said.worst < max(errors) + 0.01
    assert said.median == pytest.approx(statistics.median(errors), abs=0.001)
    assert result["in_use"] == {
        "process_bytes": CALIBRATION.process_bytes,
        "token_bytes": CALIBRATION.token_bytes,
    }
