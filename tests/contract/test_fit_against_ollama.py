"""The fit check against the sizes that a real Ollama 0.24.0 told of its loads (`/api/ps`)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.memory_estimate import needed
from venom_core.testing import ollama
from venom_core.testing.ollama import load_records
from venom_ollama.memory import memory_plan, numbers_of

RECORDS = load_records()
FOLDER = Path(ollama.__file__).with_name("records")


@pytest.mark.parametrize(
    ("record", "context", "parallel"),
    [
        ("724_num_ctx_change_reloads", 1024, 1),
        ("201_ps_loaded", 4096, 1),
        ("735_huge_num_ctx", 32_768, 1),
        ("712b_parallel_2_ps_show_num_ctx", 4096, 2),
    ],
)
def test_the_estimate_is_within_a_percent(record: str, context: int, parallel: int) -> None:
    numbers = numbers_of(json.loads(RECORDS["140_show"].answer.body), None)
    assert numbers is not None
    plan = replace(memory_plan(numbers, context), parallel=parallel)
    told = _told(record, context)
    assert needed(numbers.architecture, plan, context).total == pytest.approx(told, rel=0.01)


def _told(record: str, context: int) -> int:
    """The size of the load with this context, wherever it stands among the record's exchanges."""
    found: set[int] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("context_length") == context and "size_vram" in value:
                found.add(value["size"])
            for item in value.values():
                look(item)
        elif isinstance(value, list):
            for item in value:
                look(item)

    exchanges = json.loads((FOLDER / f"{record}.json").read_text())
    look(exchanges)
    for answer in _answers(exchanges):
        look(json.loads(answer))
    assert len(found) == 1
    return found.pop()


def _answers(value: Any) -> list[str]:
    """Every answer's body that lists what is loaded, as text."""
    if isinstance(value, dict):
        own = [text for key, text in value.items() if key == "body_raw" and "size_vram" in text]
        return own + [text for item in value.values() for text in _answers(item)]
    return [text for item in value for text in _answers(item)] if isinstance(value, list) else []
