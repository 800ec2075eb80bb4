"""The fit check against real loads, the quick part of `bench/run.py fit`."""

from __future__ import annotations

import pytest

from bench.fit import Case, estimated, load
from bench.real_model import GEMMA, models_folder
from venom_core.models.fit import needed


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
